using System.Collections.Concurrent;

namespace SessionActors;

/// <summary>A storage that counts its steps and lets a test stand between a grain and the real one.</summary>
internal sealed class WatchedStorage(ISessionStorage inner) : ISessionStorage
{
    private readonly ConcurrentDictionary<string, int> _counts = new();

    /// <summary>What happens to a step: given its name and the step itself. Null: it just runs.</summary>
    public Func<string, Func<Task<StoreReply>>, Task<StoreReply>>? OnStep { get; set; }

    /// <summary>What happens to a probe. Null: it just runs.</summary>
    public Func<Func<Task<StoreProbe>>, Task<StoreProbe>>? OnProbe { get; set; }

    /// <summary>
    /// How often a step was sent: <c>create</c>, <c>claim</c>, <c>commit</c>, <c>peek</c>, <c>touch</c>, <c>destroy</c>, <c>release</c>,
    /// <c>restore</c>, <c>warn</c>.
    /// </summary>
    public int Count(string step) => _counts.GetValueOrDefault(step);

    /// <summary>Holds the next steps of that name until the gate is opened, before they reach the store.</summary>
    public StepGate Hold(string step)
    {
        var gate = new StepGate();
        OnStep = async (name, run) =>
        {
            if (name == step)
            {
                await gate.PassAsync();
            }

            return await run();
        };
        return gate;
    }

    /// <summary>Lets the next steps of that name reach the store, and holds its answers until the gate is opened.</summary>
    public StepGate HoldAnswer(string step)
    {
        var gate = new StepGate();
        OnStep = async (name, run) =>
        {
            var reply = await run();
            if (name == step)
            {
                await gate.PassAsync();
            }

            return reply;
        };
        return gate;
    }

    public Task<StoreReply> CreateAsync(SessionHandle handle, Creation creation, Flush flush) =>
        StepAsync("create", () => inner.CreateAsync(handle, creation, flush));

    public Task<StoreReply> ClaimAsync(SessionHandle handle, OwnerNonce owner, string ownerName, TimeSpan tombstone) =>
        StepAsync("claim", () => inner.ClaimAsync(handle, owner, ownerName, tombstone));

    public Task<StoreReply> CommitAsync(SessionHandle handle, Flush flush) => StepAsync("commit", () => inner.CommitAsync(handle, flush));

    public Task<StoreReply> PeekAsync(SessionHandle handle) => StepAsync("peek", () => inner.PeekAsync(handle));

    public Task<StoreReply> TouchAsync(SessionHandle handle, OwnerNonce owner, long version, TimeSpan keepFor) =>
        StepAsync("touch", () => inner.TouchAsync(handle, owner, version, keepFor));

    public Task<StoreReply> DestroyAsync(SessionHandle handle, SessionEndReason reason, TimeSpan tombstone, OwnerNonce? owner = null) =>
        StepAsync("destroy", () => inner.DestroyAsync(handle, reason, tombstone, owner));

    public Task<StoreReply> ReleaseAsync(SessionHandle handle, OwnerNonce owner, TimeSpan keepFor) =>
        StepAsync("release", () => inner.ReleaseAsync(handle, owner, keepFor));

    public Task<StoreReply> RestoreAsync(SessionHandle handle, Restoration restoration) =>
        StepAsync("restore", () => inner.RestoreAsync(handle, restoration));

    public Task<StoreReply> WarnAsync(string ownerName) => StepAsync("warn", () => inner.WarnAsync(ownerName));

    public Task<StoreReply> AnnounceAsync(int part) => StepAsync("announce", () => inner.AnnounceAsync(part));

    public Task<StoreProbe> ProbeAsync(string ownerName) =>
        OnProbe is { } onProbe ? onProbe(() => inner.ProbeAsync(ownerName)) : inner.ProbeAsync(ownerName);

    private Task<StoreReply> StepAsync(string name, Func<Task<StoreReply>> run)
    {
        _counts.AddOrUpdate(name, 1, (_, count) => count + 1);
        return OnStep is { } onStep ? onStep(name, run) : run();
    }
}

/// <summary>Where steps wait until a test lets them go on.</summary>
internal sealed class StepGate
{
    private readonly TaskCompletionSource _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _arrived = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Open() => _opened.TrySetResult();

    /// <summary>Waits until the first step stands at the gate.</summary>
    public Task ArrivedAsync() => Until.Async(_arrived.Task, "a step stands at the gate");

    public Task PassAsync()
    {
        _arrived.TrySetResult();
        return _opened.Task;
    }
}
