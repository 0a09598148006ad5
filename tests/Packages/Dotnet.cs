using System.Diagnostics;

namespace SessionActors;

/// <summary>The <c>dotnet</c> command, as a person types it in some folder.</summary>
internal static class Dotnet
{
    // Far longer than a build takes on a busy machine: only what hangs reaches it.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    /// <summary>Runs it to its end and returns what it printed.</summary>
    /// <param name="folder">Where it runs.</param>
    /// <param name="packages">The folder that restored packages go to; null for the user's own.</param>
    /// <param name="arguments">What to do.</param>
    /// <exception cref="InvalidOperationException">It failed.</exception>
    public static async Task<string> RunAsync(string folder, string? packages, params string[] arguments)
    {
        using var process = Process.Start(StartOf(folder, packages, arguments))!;
        var output = Task.WhenAll(process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        try
        {
            await output.WaitAsync(Patience, TimeProvider.System, TestContext.Current.CancellationToken);
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        }
        finally
        {
            process.Kill(entireProcessTree: true);
        }

        var printed = string.Concat(await output);
        return process.ExitCode == 0
            ? printed
            : throw new InvalidOperationException($"dotnet {string.Join(' ', arguments)} failed with {process.ExitCode}:\n{printed}");
    }

    private static ProcessStartInfo StartOf(string folder, string? packages, string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // Servers that stay behind for the next build would keep the output open.
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        start.Environment["DOTNET_CLI_USE_MSBUILD_SERVER"] = "0";
        start.Environment["UseSharedCompilation"] = "false";
        start.Environment["DOTNET_CLI_UI_LANGUAGE"] = "en";
        if (packages is not null)
        {
            start.Environment["NUGET_PACKAGES"] = packages;
        }

        return start;
    }
}
