using Microsoft.AspNetCore.SignalR;

namespace SessionActors.Live;

/// <summary>
/// The visitor's session for clients that hold a connection: a script, or an app on a phone. A connection has no response that a cookie
/// could be set in, so the session has to be there when it begins. From then on the hub knows it by its handle, which outlives every new
/// secret.
/// </summary>
internal sealed class LiveHub(IGrainFactory grains) : Hub
{
    private const string Key = "session";

    private ISessionGrain Session => (ISessionGrain)Context.Items[Key]!;

    public override Task OnConnectedAsync()
    {
        var session = Context.GetHttpContext()!.GetActorSession();
        if (session.IsNew)
        {
            throw new HubException("There is no session. Ask for the page first.");
        }

        Context.Items[Key] = grains.GetGrain<ISessionGrain>(session.Handle);
        // It goes on when this call has ended, and so the hub itself is not there any more.
        _ = FollowAsync(Session, Clients.Caller, Context);
        return Task.CompletedTask;
    }

    public Task<long> AddAsync() => BoardView.AddAsync(Session);

    public Task WriteAsync(string note) => BoardView.WriteAsync(Session, note);

    private static async Task FollowAsync(ISessionGrain session, ISingleClientProxy client, HubCallerContext connection)
    {
        try
        {
            await foreach (var change in session.WatchAsync(connection.ConnectionAborted))
            {
                await (change.EndReason is { } reason
                    ? client.SendAsync("Ended", reason.ToString())
                    : client.SendAsync("Changed", BoardView.Of(change.Snapshot)));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SessionUnavailableException)
        {
            // The client has left; or nobody knows how the session is, and it may connect again.
        }
        finally
        {
            connection.Abort();
        }
    }
}
