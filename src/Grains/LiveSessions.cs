using System.Collections.Concurrent;
using System.Diagnostics;

namespace SessionActors;

/// <summary>
/// The sessions in the memory of this silo, for what concerns all of them, or one whose grain cannot be called because another silo is to
/// have it. What is to be done with one is done in the turns of its grain.
/// </summary>
internal sealed class LiveSessions : ILocalSessions
{
    private readonly ConcurrentDictionary<SessionHandle, LiveSession> _sessions = new();

    /// <summary>How many there are.</summary>
    public int Count => _sessions.Count;

    /// <summary>A session was loaded. Called in a turn of its grain.</summary>
    public void Add(SessionHandle handle, SessionActivation activation) =>
        // What an await would go on in.
        _sessions[handle] = new LiveSession(
            activation,
            SynchronizationContext.Current is null ? TaskScheduler.Current : TaskScheduler.FromCurrentSynchronizationContext());

    /// <summary>An activation let go of its session, which a later one of this silo may have loaded again.</summary>
    public void Remove(SessionHandle handle, SessionActivation activation)
    {
        if (_sessions.TryGetValue(handle, out var live) && live.Activation == activation)
        {
            _sessions.TryRemove(new(handle, live));
        }
    }

    public SessionOpening? TryOpen(SessionHandle handle, in SecretHash secret, bool slide) =>
        _sessions.TryGetValue(handle, out var live) ? live.Activation.TryOpen(secret, slide) : null;

    public Task<T>? TryCall<T>(SessionHandle handle, Func<ISessionGrain, Task<T>> call) =>
        _sessions.TryGetValue(handle, out var live) && live.Activation.TakesCalls
            ? live.CallAsync(call) : null;

    public bool Has(SessionHandle handle) => _sessions.ContainsKey(handle);

    /// <summary>Does something with a session if it is in memory; says whether it was.</summary>
    public async Task<bool> WithAsync(SessionHandle handle, Func<SessionActivation, Task> action)
    {
        if (!_sessions.TryGetValue(handle, out var live))
        {
            return false;
        }

        await live.DoAsync(action);
        return true;
    }

    /// <summary>Does something with every session that is in memory. One that fails does not keep it from the others.</summary>
    /// <param name="action">What to do.</param>
    /// <param name="which">With which of them; null: all. Asked outside of their turns.</param>
    /// <exception cref="Exception">What the first that failed did so with, when all are over.</exception>
    public Task WithAllAsync(Func<SessionActivation, Task> action, Func<SessionActivation, bool>? which = null) =>
        Task.WhenAll(_sessions.Values.Where(live => which?.Invoke(live.Activation) is not false).Select(live => live.DoAsync(action)));

    private sealed record LiveSession(SessionActivation Activation, TaskScheduler Scheduler)
    {
        /// <summary>
        /// Calls the grain for somebody in this process. Of what is ambient there nothing but the trace comes along, as with a message:
        /// what a turn begins may go on for others.
        /// </summary>
        public Task<T> CallAsync<T>(Func<ISessionGrain, Task<T>> call)
        {
            var trace = Activity.Current;
            using var flow = ExecutionContext.IsFlowSuppressed() ? default : ExecutionContext.SuppressFlow();
            return Task.Factory.StartNew(
                () =>
                {
                    Activity.Current = trace;
                    return Activation.CallAsync(call);
                },
                CancellationToken.None, TaskCreationOptions.None, Scheduler).Unwrap();
        }

        public Task DoAsync(Func<SessionActivation, Task> action) =>
            Task.Factory.StartNew(() => action(Activation), CancellationToken.None, TaskCreationOptions.None, Scheduler).Unwrap();
    }
}
