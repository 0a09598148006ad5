using Xunit.MicrosoftTestingPlatform;
using Xunit.Runner.InProc.SystemConsole;

namespace SessionActors;

/// <summary>
/// The test runner as xunit generates it, and the campaigns: <c>campaign</c>, which says what else it takes.
/// </summary>
internal static class Program
{
    public static Task<int> Main(string[] args) => args switch
    {
        ["campaign", .. var clusters] => CampaignCommand.RunAsync(clusters),
        _ when args.Any(argument => argument is "--server" or "--internal-msbuild-node") =>
            TestPlatformTestFramework.RunAsync(args, SelfRegisteredExtensions.AddSelfRegisteredExtensions),
        _ => ConsoleRunner.Run(args),
    };
}
