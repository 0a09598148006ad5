using System.Collections.Concurrent;

namespace SessionActors.TestApp;

/// <summary>
/// Lets a test hold a request in the middle of its endpoint: the request says that it has arrived and waits until the test opens the gate.
/// </summary>
public sealed class Gates
{
    private readonly ConcurrentDictionary<string, (TaskCompletionSource Arrived, TaskCompletionSource Opened)> _gates = new();

    public Task PassAsync(string name, CancellationToken cancellation)
    {
        var gate = Of(name);
        gate.Arrived.TrySetResult();
        return gate.Opened.Task.WaitAsync(cancellation);
    }

    public Task ArrivedAsync(string name, CancellationToken cancellation) => Of(name).Arrived.Task.WaitAsync(cancellation);

    public void Open(string name) => Of(name).Opened.TrySetResult();

    private (TaskCompletionSource Arrived, TaskCompletionSource Opened) Of(string name) =>
        _gates.GetOrAdd(name, _ => (Source(), Source()));

    private static TaskCompletionSource Source() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
