using Microsoft.Extensions.DependencyInjection;
using Orleans.Storage;

namespace SessionActors;

/// <summary>How sessions find the lists of their users, and the marks that these set.</summary>
internal sealed class UserLists(IGrainFactory grains, [FromKeyedServices(CookieKeysGrain.StorageName)] IGrainStorage storage)
{
    /// <summary>The name of the state that a mark is.</summary>
    public const string MarkName = "usermark";

    /// <summary>The list of a user's sessions.</summary>
    public IUserSessionsIndex Of(string userId) => grains.GetGrain<IUserSessionsIndex>(userId);

    /// <summary>
    /// The user's mark as it is stored now. It is read without the grain that writes it: a session in use is not to depend on another
    /// grain's silo.
    /// </summary>
    /// <exception cref="Exception">The store did not answer.</exception>
    public async Task<UserMark> ReadMarkAsync(string userId)
    {
        var state = new GrainState<UserMark>(new UserMark());
        await storage.ReadStateAsync(MarkName, Of(userId).GetGrainId(), state);
        return state.State ?? new UserMark();
    }
}
