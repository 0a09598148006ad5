using PuppeteerSharp;

namespace SessionActors;

/// <summary>A real Chromium, without a window, with a profile of its own.</summary>
internal sealed class Chromium : IAsyncDisposable
{
    // What the distributions call it, and Google.
    private static readonly string[] Names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

    private readonly TempFolder _profile = new();
    private IBrowser _browser = null!;

    public static async Task<Chromium> StartAsync()
    {
        var chromium = new Chromium();
        chromium._browser = await Puppeteer.LaunchAsync(new LaunchOptions
        {
            ExecutablePath = Find(),
            UserDataDir = chromium._profile.Path,
            Headless = true,
            // Chromium's own sandbox cannot be had by root, nor in many a container; it only sees our pages.
            Args = ["--no-sandbox", "--disable-dev-shm-usage"],
            // No test depends on how fast something is.
            Timeout = 60_000,
        });
        return chromium;
    }

    /// <summary>A new tab that shows a page.</summary>
    public async Task<IPage> OpenAsync(Uri address)
    {
        var page = await _browser.NewPageAsync();
        page.DefaultTimeout = 60_000;
        await page.GoToAsync(address.ToString());
        return page;
    }

    public async ValueTask DisposeAsync()
    {
        await _browser.CloseAsync();
        _browser.Dispose();
        _profile.Dispose();
    }

    private static string Find() =>
        (from folder in Environment.GetEnvironmentVariable("PATH")!.Split(Path.PathSeparator)
         from name in Names
         let path = Path.Combine(folder, name)
         where File.Exists(path)
         select path).FirstOrDefault()
        ?? throw new InvalidOperationException(
            $"These tests need a Chromium, under one of the names {string.Join(", ", Names)}. On Debian: apt-get install chromium");
}
