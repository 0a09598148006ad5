using Orleans.Core;
using Orleans.Timers;

namespace SessionActors;

/// <summary>What a grain asks Orleans for: only to be let go of.</summary>
internal sealed class StubRuntime(SiloAddress address, TimeProvider time) : IGrainRuntime, IServiceProvider
{
    public string SiloIdentity => SiloAddress.ToParsableString();

    public SiloAddress SiloAddress => address;

    public IGrainFactory GrainFactory => throw new NotSupportedException();

    public ITimerRegistry TimerRegistry => throw new NotSupportedException();

    public IServiceProvider ServiceProvider => this;

    public TimeProvider TimeProvider => time;

    public void DeactivateOnIdle(IGrainContext grainContext) => grainContext.Deactivate(default, CancellationToken.None);

    // Nothing is collected here.
    public void DelayDeactivation(IGrainContext grainContext, TimeSpan timeSpan)
    {
    }

    public IStorage<TGrainState> GetStorage<TGrainState>(IGrainContext grainContext) => throw new NotSupportedException();

    public object? GetService(Type serviceType) => serviceType == typeof(IGrainRuntime) ? this : null;
}

/// <summary>A grain's identity, and the way to let go of it.</summary>
internal sealed class StubContext(SessionHandle handle, IServiceProvider services, Action leave) : IGrainContext
{
    public GrainReference GrainReference => throw new NotSupportedException();

    public GrainId GrainId { get; } = GrainId.Create("session", handle.ToString());

    public object GrainInstance => throw new NotSupportedException();

    public ActivationId ActivationId => default;

    public GrainAddress Address => throw new NotSupportedException();

    public IServiceProvider ActivationServices => services;

    public IGrainLifecycle ObservableLifecycle => throw new NotSupportedException();

    public IWorkItemScheduler Scheduler => throw new NotSupportedException();

    public Task Deactivated => throw new NotSupportedException();

    public void Activate(Dictionary<string, object>? requestContext, CancellationToken cancellationToken = default) =>
        throw new NotSupportedException();

    public void Deactivate(DeactivationReason deactivationReason, CancellationToken cancellationToken = default) => leave();

    public void Rehydrate(IRehydrationContext context) => throw new NotSupportedException();

    public void Migrate(Dictionary<string, object>? requestContext, CancellationToken cancellationToken = default) =>
        throw new NotSupportedException();

    public void ReceiveMessage(object message) => throw new NotSupportedException();

    public void SetComponent<TComponent>(TComponent? value)
        where TComponent : class => throw new NotSupportedException();

    public object? GetComponent(Type componentType) => throw new NotSupportedException();

    public object? GetTarget() => throw new NotSupportedException();

    public bool Equals(IGrainContext? other) => ReferenceEquals(this, other);
}
