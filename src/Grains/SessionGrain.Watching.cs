using System.Runtime.CompilerServices;

namespace SessionActors;

/// <content>How others see the session live.</content>
internal sealed partial class SessionGrain
{
    public async IAsyncEnumerable<SessionChange> ChangesAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        SessionState? seen = null;
        while (!cancellationToken.IsCancellationRequested)
        {
            var (writes, ended) = await StateAsync();
            if (writes is null)
            {
                yield return new SessionChange { EndReason = ended };
                yield break;
            }

            if (writes.Current is var current && current.Version != seen?.Version)
            {
                seen = current;
                yield return new SessionChange { Snapshot = current.Opening.Snapshot };
            }
            else
            {
                // Nobody else may look when its time is over.
                await _activation.ChangedAsync(writes, cancellationToken);
            }
        }
    }

    private async Task<(PendingWrites? Writes, SessionEndReason Ended)> StateAsync()
    {
        try
        {
            return (await _activation.FreshAsync(), default);
        }
        catch (SessionDestroyedException e)
        {
            return (null, e.Reason);
        }
    }
}
