namespace SessionActors;

/// <summary>Who comes when the store is about to drop the session.</summary>
public sealed class LastMomentTests
{
    private static readonly TimeSpan Ttl = TimeSpan.FromMinutes(20);
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(1);
    private static readonly SecretHash Secret = SecretHash.Of("secret"u8);

    [Theory]
    [InlineData("open")]
    [InlineData("have exclusively")]
    public async Task One_who_finds_a_session_in_the_last_moment_of_its_time_is_told_so_when_the_store_keeps_it(string how)
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await cluster.NewSessionAsync(Secret);
        await cluster.DeactivateAsync(session);
        cluster.Time.Advance(Ttl - Moment);
        var gate = cluster.Storage.Hold("touch");

        var opening = how == "open"
            ? session.OpenAsync(Secret, slide: true).AsTask()
            : session.AcquireAsync(Secret, slide: true, SessionRequest.New());
        await gate.ArrivedAsync();
        // The renewal comes too late.
        cluster.Time.Advance(Moment);
        Assert.False(opening.IsCompleted);
        gate.Open();

        Assert.Equal(SessionStanding.Ended, (await opening).Standing);
    }
}
