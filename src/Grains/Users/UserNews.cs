using Microsoft.Extensions.Logging;
using Orleans.Runtime.Services;
using Orleans.Services;

namespace SessionActors;

/// <summary>What each silo is told of a user at once, for the sessions in its memory.</summary>
[Alias("SessionActors.IUserNews")]
internal interface IUserNews : IGrainService
{
    /// <summary>The user's sessions were ended together.</summary>
    [Alias("Ended")]
    Task EndedAsync(string userId, UserMark mark);
}

/// <inheritdoc cref="IUserNews"/>
internal sealed class UserNews(GrainId id, Silo silo, ILoggerFactory loggers, SessionSilo sessions)
    : GrainService(id, silo, loggers), IUserNews
{
    public Task EndedAsync(string userId, UserMark mark)
    {
        sessions.Healing.Marks.Add(userId, mark);
        return sessions.Live.WithAllAsync(activation => activation.HearAsync(userId, mark), activation => activation.UserId == userId);
    }
}

/// <summary>Tells all silos of a user. One that does not hear finds out by itself: see <see cref="UserStanding"/>.</summary>
internal sealed class TellSilos(
    IServiceProvider services, OwnerNames names, TimeProvider time, ILogger<TellSilos> logger)
    : GrainServiceClient<IUserNews>(services)
{
    // As long as a session takes to find out by itself.
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(3);

    public Task TellAsync(string userId, UserMark mark) => Task.WhenAll(names.ActiveSilos().Select(async silo =>
    {
        try
        {
            await GetGrainService(silo).EndedAsync(userId, mark).WaitAsync(LongestWait, time);
        }
        catch (Exception e)
        {
            GrainLog.NotTold(logger, silo, e);
        }
    }));
}
