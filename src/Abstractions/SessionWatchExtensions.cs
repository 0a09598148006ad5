using System.Runtime.CompilerServices;

namespace SessionActors;

/// <summary>Sessions as they change.</summary>
public static class SessionWatchExtensions
{
    /// <summary>
    /// The session as it is now, then as it is after each change (of several at once the last), and its end, with which the stream ends
    /// too. Where the session moves to another silo, it goes on there.
    /// </summary>
    /// <param name="session">The session.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="SessionUnavailableException">No silo answers for the session.</exception>
    public static async IAsyncEnumerable<SessionChange> WatchAsync(
        this ISessionGrain session, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(session);
        var seen = 0L;
        while (true)
        {
            await using var changes = session.ChangesAsync(cancellationToken).GetAsyncEnumerator(cancellationToken);
            while (await NextAsync(changes))
            {
                if (changes.Current.Snapshot is not { } snapshot || snapshot.Version != seen)
                {
                    seen = changes.Current.Snapshot?.Version ?? seen;
                    yield return changes.Current;
                }

                if (changes.Current.EndReason is not null)
                {
                    yield break;
                }
            }

            cancellationToken.ThrowIfCancellationRequested();
            // It moved. Where nobody has it, this says so.
            await session.RetryAsync(SessionRequest.DefaultPatience, () => session.ReadAsync().AsTask());
        }
    }

    // False where the session has moved, or its silo is lost.
    private static async Task<bool> NextAsync(IAsyncEnumerator<SessionChange> changes)
    {
        try
        {
            return await changes.MoveNextAsync();
        }
        catch (Exception e) when (e is SessionUnavailableException { Moved: true } or EnumerationAbortedException
            || SessionGrainExtensions.IsLost(e))
        {
            return false;
        }
    }
}
