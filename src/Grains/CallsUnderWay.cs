namespace SessionActors;

/// <summary>
/// The mutating calls that have arrived at an activation and are not answered yet. The same call may be there more than once.
/// </summary>
internal sealed class CallsUnderWay
{
    private readonly List<RequestId> _calls = [];

    public bool Has(RequestId call) => _calls.Contains(call);

    /// <summary>A call has arrived; it is answered when the result is disposed.</summary>
    public Arrived Enter(RequestId call)
    {
        _calls.Add(call);
        return new Arrived(this, call);
    }

    internal readonly struct Arrived(CallsUnderWay calls, RequestId call) : IDisposable
    {
        public void Dispose() => calls._calls.Remove(call);
    }
}
