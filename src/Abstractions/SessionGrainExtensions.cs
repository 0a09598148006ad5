namespace SessionActors;

/// <summary>
/// The calls of <see cref="ISessionGrain"/> for whoever does not want to handle retries: each draws a request id, and repeats the call
/// with the same id while the session is moving between silos, for <see cref="SessionRequest.DefaultPatience"/> at most.
/// </summary>
public static class SessionGrainExtensions
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    /// <inheritdoc cref="ISessionGrain.CommitAsync"/>
    public static Task<long> CommitAsync(this ISessionGrain session, SessionDelta delta)
    {
        ArgumentNullException.ThrowIfNull(session);
        var request = SessionRequest.New();
        return session.RetryAsync(() => session.CommitAsync(delta, request), request.Patience);
    }

    /// <inheritdoc cref="ISessionGrain.IncrementAsync"/>
    public static Task<long> IncrementAsync(this ISessionGrain session, string name, long by = 1)
    {
        ArgumentNullException.ThrowIfNull(session);
        var request = SessionRequest.New();
        return session.RetryAsync(() => session.IncrementAsync(name, by, request), request.Patience);
    }

    /// <inheritdoc cref="ISessionGrain.DestroyAsync"/>
    public static Task DestroyAsync(this ISessionGrain session)
    {
        ArgumentNullException.ThrowIfNull(session);
        var request = SessionRequest.New();
        return session.RetryAsync(
            async () =>
            {
                await session.DestroyAsync(request);
                return true;
            },
            request.Patience);
    }

    /// <summary>
    /// Makes a call, and makes it again while the silo that held the session is going away. The call must carry the same
    /// <see cref="SessionRequest"/> each time, or change nothing.
    /// </summary>
    /// <exception cref="SessionUnavailableException">The session could not be reached within <paramref name="patience"/>.</exception>
    public static async Task<T> RetryAsync<T>(this ISessionGrain session, Func<Task<T>> call, TimeSpan patience)
    {
        ArgumentNullException.ThrowIfNull(session);
        ArgumentNullException.ThrowIfNull(call);
        var started = TimeProvider.System.GetTimestamp();
        var mayBeApplied = false;
        while (true)
        {
            Exception reason;
            try
            {
                return await call();
            }
            catch (SessionUnavailableException moved) when (moved.Moved)
            {
                reason = moved;
            }
            catch (Exception e) when (e is OrleansException or TimeoutException or ObjectDisposedException)
            {
                // The message may have been delivered before the silo went away: only the request id makes repeating it harmless.
                mayBeApplied = true;
                reason = e;
            }

            if (TimeProvider.System.GetElapsedTime(started) >= patience)
            {
                var name = SessionHandle.LogNameOf(session.GetPrimaryKeyString());
                var why = $"no silo answered for it within {patience.TotalSeconds:0.#} s.";
                throw mayBeApplied
                    ? SessionUnavailableException.Unknown(name, why, reason)
                    : SessionUnavailableException.NotApplied(name, why, reason);
            }

            await Task.Delay(Pause, TimeProvider.System);
        }
    }
}
