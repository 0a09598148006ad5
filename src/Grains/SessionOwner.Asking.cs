using System.Diagnostics;

namespace SessionActors;

/// <content>How the store is asked: until it answers, and as a span where somebody looks at those.</content>
internal sealed partial class SessionOwner
{
    private Task<StoreReply> AskAsync(
        string span, TimeSpan patience, Func<Task<StoreReply>> step, IReadOnlyList<PendingWrite>? batch = null) =>
        SessionTelemetry.IsTraced
            ? TracedAsync(span, patience, step, batch) : StoreRetry.UntilAnsweredAsync(silo.Time, patience, step);

    private async Task<StoreReply> TracedAsync(
        string span, TimeSpan patience, Func<Task<StoreReply>> step, IReadOnlyList<PendingWrite>? batch)
    {
        var callers = batch?.Select(write => write.Caller).OfType<Activity>().ToList();
        if (callers is not null)
        {
            // Whoever began to flush may have gone since. The first of those that wait has it in its trace, the others are linked.
            Activity.Current = callers.FirstOrDefault();
        }

        using var activity = SessionTelemetry.Start(
            span, handle, callers?.Skip(1).Select(caller => new ActivityLink(caller.Context)));
        activity?.SetTag("sessionactors.deltas", batch?.Count);
        var reply = await StoreRetry.UntilAnsweredAsync(silo.Time, patience, step);
        activity?.SetTag("sessionactors.outcome", reply.Outcome.ToString());
        if (reply.Error is { } error)
        {
            activity.Fail(error);
        }

        return reply;
    }
}
