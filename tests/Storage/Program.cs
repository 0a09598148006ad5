using Xunit.MicrosoftTestingPlatform;
using Xunit.Runner.InProc.SystemConsole;

namespace SessionActors;

/// <summary>The test runner as xunit generates it, and the process that <see cref="EmbeddedCrashTests"/> starts and kills.</summary>
internal static class Program
{
    public static Task<int> Main(string[] args) => args switch
    {
        [EmbeddedCrashTests.WriterCommand, var folder] => EmbeddedCrashTests.WriteUntilKilledAsync(folder),
        _ when args.Any(argument => argument is "--server" or "--internal-msbuild-node") =>
            TestPlatformTestFramework.RunAsync(args, SelfRegisteredExtensions.AddSelfRegisteredExtensions),
        _ => ConsoleRunner.Run(args),
    };
}
