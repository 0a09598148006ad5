using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using PuppeteerSharp;

namespace SessionActors;

/// <summary>The race lab: what a person sees who presses its buttons, and that it leaves nothing behind.</summary>
public sealed class RaceLabTests : IDisposable
{
    private const string Lab = "SessionActors.RaceLab";

    // How the picture of README.md is made anew: SESSIONACTORS_SCREENSHOTS=write.
    private const string Screenshots = "SESSIONACTORS_SCREENSHOTS";
    private const int Width = 1280;
    private const int MostBytes = 300_000;

    // Three shops; two shells, each with a redis-server.
    private const int Started = 7;

    // How many colours a picture has: a blank one has one.
    private const string Colours =
        """
        async picture => {
          const image = new Image();
          image.src = `data:image/png;base64,${picture}`;
          await image.decode();
          const canvas = new OffscreenCanvas(image.width, image.height).getContext('2d');
          canvas.drawImage(image, 0, 0);
          return new Set(new Uint32Array(canvas.getImageData(0, 0, image.width, image.height).data.buffer)).size;
        }
        """;

    private readonly TempFolder _folder = new();

    [Fact]
    public async Task What_the_page_shows_is_what_happened_and_SessionActors_loses_nothing()
    {
        await using var app = await AppProcess.StartAsync(Lab);
        await using var chromium = await Chromium.StartAsync();
        using var client = new HttpClient { BaseAddress = app.Address };
        var page = await chromium.OpenAsync(app.Address);
        await SeesAsync(page, "document.getElementById('status').textContent.startsWith('Ready')");

        await RaceAsync(page, "/races/updates");
        var updates = (await StateAsync(client)).GetProperty("updates");
        Assert.Equal("0", await TextAsync(page, "#updates .ours .lost"));
        Assert.Equal(0, updates.GetProperty("ours").GetProperty("lost").GetInt32());
        Assert.Equal(100, await page.EvaluateExpressionAsync<int>("document.querySelectorAll('#updates .ours .k').length"));
        Assert.Equal($"{updates.GetProperty("stock").GetProperty("lost")}", await TextAsync(page, "#updates .stock .lost"));

        await RaceAsync(page, "/races/log-out");
        Assert.Equal("The session stays ended", await TextAsync(page, "#log-out .ours .verdict"));
        var stock = (await StateAsync(client)).GetProperty("logOut").GetProperty("stock").GetProperty("user").GetString();
        Assert.Equal(
            stock == "ada" ? "The session is back: ada is logged in" : "The session stays ended",
            await TextAsync(page, "#log-out .stock .verdict"));

        await PressAsync(page, "/races/kill");
        await SeesAsync(page, "document.querySelector('#kill svg text.killed')");
        // Loaded anew in the middle, it goes on where it is.
        await page.ReloadAsync();
        await SeesAsync(page, "document.querySelector('#kill .lost')");
        Assert.Equal("0", await TextAsync(page, "#kill .lost"));
        Assert.Equal("0", await TextAsync(page, "#updates .ours .lost"));
        var kill = (await StateAsync(client)).GetProperty("kill");
        Assert.True(kill.GetProperty("acknowledged").GetInt32() > 0);
        Assert.Contains($"{kill.GetProperty("processes")[0]} killed", await TextAsync(page, "#servers"), StringComparison.Ordinal);

        await RaceAsync(page, "/servers/start");
        Assert.DoesNotContain("killed", await TextAsync(page, "#servers"), StringComparison.Ordinal);
        await RaceAsync(page, "/races/updates");
        Assert.Equal("0", await TextAsync(page, "#updates .ours .lost"));
        await PictureAsync(page);

        // With the page still open. Not by SIGINT, which is ignored by whatever a shell has started in the background.
        await AllEndsAsync(app, "TERM");
    }

    [Fact]
    public async Task Killed_hard_in_the_middle_of_its_start_all_that_it_started_ends_too()
    {
        await using var app = await AppProcess.StartAsync(Lab);
        await Until.TrueAsync(async () => (await StartedByAsync(app.Id)).Count == Started, "all processes are started");

        await AllEndsAsync(app, "KILL");
    }

    [Fact]
    public async Task Without_redis_server_it_says_what_to_install()
    {
        var dotnet = Environment.GetEnvironmentVariable("PATH")!.Split(Path.PathSeparator)
            .Select(folder => Path.Combine(folder, "dotnet")).First(File.Exists);
        File.CreateSymbolicLink(Path.Combine(_folder.Path, "dotnet"), dotnet);

        var (exitCode, output) = await AppProcess.RunWithAsync([$"PATH={_folder.Path}"], Lab);

        Assert.Equal(1, exitCode);
        Assert.StartsWith("fail: redis-server is not on the PATH", output, StringComparison.Ordinal);
        Assert.Contains("apt-get install redis-server", output, StringComparison.Ordinal);
        Assert.Single(output.Split('\n'));
    }

    [Fact]
    public async Task A_port_that_is_taken_is_told_with_the_mend()
    {
        using var taken = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        taken.Start();

        var (exitCode, output) = await AppProcess.RunAsync(
            Lab, $"--urls=http://{taken.LocalEndpoint}", "--Logging:LogLevel:Microsoft.Extensions.Hosting.Internal.Host=Critical");

        Assert.Equal(1, exitCode);
        Assert.StartsWith($"fail: Failed to bind to address http://{taken.LocalEndpoint}", output, StringComparison.Ordinal);
        Assert.Contains("-- --urls http://127.0.0.1:5001", output, StringComparison.Ordinal);
        Assert.Single(output.Split('\n'));
    }

    public void Dispose() => _folder.Dispose();

    private async Task PictureAsync(IPage page)
    {
        var write = Environment.GetEnvironmentVariable(Screenshots) == "write";
        // With something on the chart; with much of it where it is to be shown.
        await SeesAsync(
            page, $"(document.querySelector('#bytes path.ours').getAttribute('d').match(/L/g) ?? []).length > {(write ? 70 : 3)}");
        await page.EvaluateExpressionAsync("document.activeElement.blur()");
        await page.SetViewportAsync(new ViewPortOptions { Width = Width, Height = 100 });
        var picture = await page.ScreenshotDataAsync(new ScreenshotOptions { FullPage = true });

        Assert.Equal("\x89PNG"u8[^3..], picture.AsSpan(1, 3));
        Assert.Equal(Width, BinaryPrimitives.ReadInt32BigEndian(picture.AsSpan(16)));
        Assert.InRange(BinaryPrimitives.ReadInt32BigEndian(picture.AsSpan(20)), 600, 1200);
        Assert.InRange(picture.Length, 1, MostBytes);
        Assert.InRange(await page.EvaluateFunctionAsync<int>(Colours, Convert.ToBase64String(picture)), 10, int.MaxValue);
        await File.WriteAllBytesAsync(
            write ? Path.Combine(RootFolder(), "docs", "images", "racelab.png") : Path.Combine(_folder.Path, "racelab.png"),
            picture,
            TestContext.Current.CancellationToken);
    }

    private static string RootFolder()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "SessionActors.sln")))
        {
            folder = folder.Parent!;
        }

        return folder.FullName;
    }

    private static async Task<JsonElement> StateAsync(HttpClient client) =>
        JsonElement.Parse(await client.GetStringAsync(new Uri("/state", UriKind.Relative), TestContext.Current.CancellationToken));

    private static async Task AllEndsAsync(AppProcess app, string signal)
    {
        var started = await StartedByAsync(app.Id);
        Assert.Equal(Started, started.Count);

        await ReadAsync("kill", $"-{signal}", $"{app.Id}");

        await Until.TrueAsync(
            async () => !(await RunningAsync()).Select(process => process.Id).Intersect(started.Append(app.Id)).Any(),
            $"the lab and all that it started end after SIG{signal}");
    }

    private static async Task<HashSet<int>> StartedByAsync(int parent)
    {
        var running = await RunningAsync();
        var started = new HashSet<int>();
        while (running.Count(process => process.Parent == parent || started.Contains(process.Parent)) > started.Count)
        {
            started.UnionWith(running.Where(process => process.Parent == parent || started.Contains(process.Parent)).Select(p => p.Id));
        }

        return started;
    }

    // What has ended and is only not looked after by whoever should counts as ended.
    private static async Task<List<(int Id, int Parent)>> RunningAsync() =>
    [
        .. from line in (await ReadAsync("ps", "-A", "-o", "pid=,ppid=,stat=")).Split('\n', StringSplitOptions.RemoveEmptyEntries)
           let fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries)
           where fields[2][0] != 'Z'
           select (int.Parse(fields[0], CultureInfo.InvariantCulture), int.Parse(fields[1], CultureInfo.InvariantCulture)),
    ];

    private static async Task<string> ReadAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return output;
    }

    private static async Task RaceAsync(IPage page, string race)
    {
        var ended = await page.EvaluateExpressionAsync<int>("Number(document.body.dataset.ended)");
        await PressAsync(page, race);
        await SeesAsync(page, $"document.body.dataset.ended === '{ended + 1}'");
    }

    private static async Task PressAsync(IPage page, string race)
    {
        var button = $"document.querySelector('[data-race=\"{race}\"]')";
        await SeesAsync(page, $"!{button}.disabled && !{button}.hidden");
        await page.EvaluateExpressionAsync($"{button}.click()");
    }

    private static Task<string> TextAsync(IPage page, string selector) =>
        page.EvaluateExpressionAsync<string>($"document.querySelector('{selector}').textContent");

    private static Task SeesAsync(IPage page, string expression) => Until.TrueAsync(
        () => page.EvaluateExpressionAsync<bool>($"Boolean({expression})"), $"the page shows {expression}");
}
