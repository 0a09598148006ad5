using System.Collections.Concurrent;

namespace SessionActors;

/// <summary>
/// What callers did and were told. May be written by many threads at once; a call that never ends counts as unknown.
/// </summary>
/// <param name="clock">The clock that all callers share, in any unit; it must not go back.</param>
internal sealed class CallHistory<TCall>(Func<long> clock)
{
    private readonly ConcurrentQueue<OpenCall> _calls = new();

    /// <summary>The calls so far, those that have not ended as unknown ones.</summary>
    public IReadOnlyList<CallRecord<TCall>> Calls => [.. _calls.Select(call => call.Record)];

    /// <summary>A call begins: before it is sent.</summary>
    public OpenCall Begin(string key, TCall call)
    {
        var open = new OpenCall(clock, new CallRecord<TCall>(key, call, clock(), long.MaxValue, CallEnd.Unknown));
        _calls.Enqueue(open);
        return open;
    }

    /// <summary>A call that was begun. Ended once; ended not at all it is unknown.</summary>
    internal sealed class OpenCall(Func<long> clock, CallRecord<TCall> record)
    {
        private CallRecord<TCall> _record = record;

        public CallRecord<TCall> Record => Volatile.Read(ref _record);

        /// <summary>It was answered.</summary>
        /// <param name="call">The call with its answer.</param>
        public void Answered(TCall call) =>
            Volatile.Write(ref _record, _record with { Call = call, Until = clock(), End = CallEnd.Answered });

        /// <summary>It certainly had no effect.</summary>
        public void Refused() => Volatile.Write(ref _record, _record with { Until = clock(), End = CallEnd.Refused });
    }
}
