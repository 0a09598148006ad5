namespace SessionActors;

/// <summary>
/// Makes sure that what is read is as new as anything that anybody was told before the read began: asks the store at which version the
/// session is, one command, and reads it anew only where that has changed. One question is under way at a time. Who comes meanwhile may
/// not use its answer, which can be older than they are; they share the next one.
/// </summary>
internal sealed class FreshReads(SessionActivation activation)
{
    private Task<PendingWrites> _asking = Task.FromResult<PendingWrites>(null!);
    private Task<PendingWrites>? _next;

    /// <summary>The session as the store had it at the time of the call or later; throws where it has ended.</summary>
    /// <exception cref="SessionUnavailableException">The store did not answer, so nobody can tell.</exception>
    public Task<PendingWrites> LoadedAsync() =>
        _next ?? (_asking.IsCompleted ? _asking = AskAsync() : _next = AfterAsync(_asking));

    private async Task<PendingWrites> AfterAsync(Task<PendingWrites> before)
    {
        await Task.WhenAny(before);
        (_asking, _next) = (_next!, null);
        return await AskAsync();
    }

    private async Task<PendingWrites> AskAsync()
    {
        if (activation.HasNothing)
        {
            // Loading is claiming, and reads everything.
            return await activation.LoadedAsync();
        }

        var writes = await activation.LoadedAsync();
        await writes.ValidateAsync();
        return await activation.LoadedAsync();
    }
}
