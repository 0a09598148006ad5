using System.Diagnostics;

namespace SessionActors.RaceLab;

/// <summary>
/// A process that ends with the lab, however that ends: it watches its standard input, a pipe whose other end only the lab has.
/// </summary>
internal sealed class Child : IAsyncDisposable
{
    private const int MostLines = 20;
    private static readonly TimeSpan StartTimeout = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(5);

    private readonly Process _process;
    private readonly Queue<string> _said = new();
    private readonly TaskCompletionSource<string> _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private Child(string ready, string program, IEnumerable<string> arguments)
    {
        _process = new Process
        {
            StartInfo = new ProcessStartInfo(program, arguments)
            {
                RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
            },
        };
        _process.OutputDataReceived += (_, line) => Hear(line.Data, ready);
        _process.ErrorDataReceived += (_, line) => Hear(line.Data ?? "", ready);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public int Id => _process.Id;

    /// <summary>What it said after the words that it is ready with.</summary>
    public string Said => _ready.Task.Result;

    /// <summary>Starts a program and waits until it says that it is ready.</summary>
    /// <exception cref="IOException">It ended before that; the message has its last words.</exception>
    public static async Task<Child> StartAsync(string ready, string program, IEnumerable<string> arguments, CancellationToken stop)
    {
        var child = new Child(ready, program, arguments);
        try
        {
            await child._ready.Task.WaitAsync(StartTimeout, stop);
            return child;
        }
        catch
        {
            await child.DisposeAsync();
            throw;
        }
    }

    /// <summary>kill -9.</summary>
    public void Kill() => _process.Kill();

    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        try
        {
            await _process.WaitForExitAsync().WaitAsync(StopTimeout);
        }
        catch (TimeoutException)
        {
            _process.Kill(entireProcessTree: true);
        }

        _process.Dispose();
    }

    // Null is the end of what it says, and so its own.
    private void Hear(string? line, string ready)
    {
        lock (_said)
        {
            if (line is null)
            {
                var command = string.Join(' ', _process.StartInfo.ArgumentList.Prepend(_process.StartInfo.FileName));
                _ready.TrySetException(new IOException($"{command} ended:\n{string.Join('\n', _said)}"));
                return;
            }

            _said.Enqueue(line);
            if (_said.Count > MostLines)
            {
                _said.Dequeue();
            }
        }

        if (line.IndexOf(ready, StringComparison.Ordinal) is >= 0 and var at)
        {
            _ready.TrySetResult(line[(at + ready.Length)..].Trim());
        }
    }
}
