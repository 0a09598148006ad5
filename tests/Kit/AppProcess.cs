using System.Collections.Concurrent;
using System.Diagnostics;
using System.Reflection;

namespace SessionActors;

/// <summary>
/// A web application in a process of its own: real Kestrel, on a loopback port of its own choice or in a network namespace.
/// </summary>
public sealed class AppProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(60);

    // What is printed last says what went wrong; a server under faults prints for hours.
    private const int MostLines = 10_000;

    private readonly Process _process;
    private readonly ConcurrentQueue<string> _output = new();
    private readonly TaskCompletionSource<Uri> _listening = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private AppProcess(Process process) => _process = process;

    /// <summary>Where it listens.</summary>
    public Uri Address => _listening.Task is { IsCompletedSuccessfully: true } listening
        ? listening.GetAwaiter().GetResult()
        : throw new InvalidOperationException($"The application does not listen.\n{Output}");

    /// <summary>What it has printed.</summary>
    public string Output => string.Join('\n', _output);

    public int Id => _process.Id;

    /// <summary>Whether it has ended, by itself or not.</summary>
    public bool HasExited => _process.HasExited;

    /// <summary>Starts an application, one that the test project references or the one at a path, and waits until it listens.</summary>
    public static Task<AppProcess> StartAsync(string assemblyName, params string[] arguments) =>
        StartAsync([], assemblyName, ["--urls=http://127.0.0.1:0", .. arguments]);

    /// <summary>The same with some variables in its environment, each as <c>NAME=value</c>.</summary>
    public static Task<AppProcess> StartWithAsync(string[] environment, string assemblyName, params string[] arguments) =>
        StartAsync(["env", .. environment], assemblyName, ["--urls=http://127.0.0.1:0", .. arguments]);

    /// <summary>Starts an application in a network namespace, at a port of that namespace's address, and waits until it listens.</summary>
    public static Task<AppProcess> StartInAsync(string networkNamespace, Uri address, string assemblyName, params string[] arguments) =>
        StartAsync(["ip", "netns", "exec", networkNamespace], assemblyName, [$"--urls={address}", .. arguments]);

    private static async Task<AppProcess> StartAsync(string[] within, string assemblyName, string[] arguments)
    {
        var app = Launch(within, assemblyName, arguments);
        var exited = app._process.WaitForExitAsync();
        if (await Task.WhenAny(app._listening.Task.WaitAsync(StartTimeout), exited) == exited)
        {
            throw new InvalidOperationException($"{assemblyName} exited with {app._process.ExitCode} before it listened:\n{app.Output}");
        }

        if (!app._listening.Task.IsCompletedSuccessfully)
        {
            app.Kill();
            throw new TimeoutException($"{assemblyName} did not listen within {StartTimeout.TotalSeconds} s:\n{app.Output}");
        }

        return app;
    }

    /// <summary>Runs a program to its end and returns its exit code and what it printed.</summary>
    public static Task<(int ExitCode, string Output)> RunAsync(string assemblyName, params string[] arguments) =>
        RunWithAsync([], assemblyName, arguments);

    /// <summary>The same with some variables in its environment, each as <c>NAME=value</c>.</summary>
    public static async Task<(int ExitCode, string Output)> RunWithAsync(
        string[] environment, string assemblyName, params string[] arguments)
    {
        await using var app = Launch(environment.Length == 0 ? [] : ["env", .. environment], assemblyName, arguments);
        await app._process.WaitForExitAsync().WaitAsync(StartTimeout);
        return (app._process.ExitCode, app.Output);
    }

    /// <summary>Ends it as a power cut would: kill -9.</summary>
    public void Kill()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            _process.WaitForExit();
        }
    }

    /// <summary>Asks it to stop and waits until it has.</summary>
    public async Task StopAsync()
    {
        Signal("TERM");
        await _process.WaitForExitAsync().WaitAsync(StopTimeout);
    }

    public void Pause() => Signal("STOP");

    public void Resume() => Signal("CONT");

    public ValueTask DisposeAsync()
    {
        Kill();
        _process.Dispose();
        return ValueTask.CompletedTask;
    }

    private static AppProcess Launch(string[] within, string assemblyName, string[] arguments)
    {
        var assembly = Path.Combine(AppContext.BaseDirectory, assemblyName + ".dll");
        if (!File.Exists(assembly))
        {
            throw new FileNotFoundException("The test project does not reference it.", assembly);
        }

        string[] command = [.. within, "dotnet", .. RuntimeOf(assembly), assembly, .. arguments];
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        var process = new Process { StartInfo = start };
        var app = new AppProcess(process);
        process.OutputDataReceived += (_, line) => app.Read(line.Data);
        process.ErrorDataReceived += (_, line) => app.Read(line.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return app;
    }

    // What a console program has of ASP.NET Core among its packages is not in the tests' folder: their own framework has it.
    private static string[] RuntimeOf(string assembly) =>
        File.ReadAllText(Path.ChangeExtension(assembly, ".runtimeconfig.json")).Contains("AspNetCore", StringComparison.Ordinal)
            ? []
            : ["exec", "--runtimeconfig", Path.ChangeExtension(Assembly.GetEntryAssembly()!.Location, ".runtimeconfig.json")];

    private void Read(string? line)
    {
        const string listening = "Now listening on: ";
        if (line is not null)
        {
            _output.Enqueue(line);
            if (_output.Count > MostLines)
            {
                _output.TryDequeue(out _);
            }

            var at = line.IndexOf(listening, StringComparison.Ordinal);
            if (at >= 0)
            {
                _listening.TrySetResult(new Uri(line[(at + listening.Length)..].Trim()));
            }
        }
    }

    private void Signal(string name)
    {
        using var kill = Process.Start("kill", [$"-{name}", $"{_process.Id}"]);
        kill.WaitForExit();
    }
}
