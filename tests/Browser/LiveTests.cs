using System.Net;
using Microsoft.AspNetCore.SignalR.Client;
using static SessionActors.Pages;

namespace SessionActors;

/// <summary>The live sample: a Blazor circuit and a SignalR hub that share their visitor's session.</summary>
public sealed class LiveTests(LiveTests.Visitor visitor) : IClassFixture<LiveTests.Visitor>
{
    private readonly AppProcess _app = visitor.App;
    private readonly Chromium _chromium = visitor.Chromium;

    [Fact]
    public async Task Two_tabs_and_a_hub_show_each_other_s_changes_also_after_a_new_secret_and_a_log_out_ends_them_all()
    {
        var first = await _chromium.OpenAsync(_app.Address);
        await SeesAsync(first, "document.getElementById('state').textContent === 'live'");
        var cookies = new CookieContainer();
        cookies.Add(_app.Address, new Cookie(".AspNetCore.Session", Assert.Single(
            await first.GetCookiesAsync(), cookie => cookie.Name == ".AspNetCore.Session").Value, "/"));
        var second = await _chromium.OpenAsync(_app.Address);
        await SeesAsync(second, "document.getElementById('state').textContent === 'live'");
        await using var client = await ConnectAsync(cookies);

        await first.EvaluateExpressionAsync("document.getElementById('add').click()");
        await SeesAsync(second, "document.getElementById('count').textContent === '1'");
        await client.Board.SeesAsync(board => board.Count == 1);
        await second.EvaluateExpressionAsync(
            "{ const note = document.getElementById('note'); note.value = 'tea'; "
            + "note.dispatchEvent(new Event('change', { bubbles: true })) }");
        await SeesAsync(first, "document.getElementById('written').textContent === 'tea'");
        await client.Board.SeesAsync(board => board.Note == "tea");

        // As a sign-in would: the cookie that the circuits and the connection began with opens nothing any more.
        using var browser = new Browser(_app.Address, cookies);
        using (var rotated = await browser.SendAsync(HttpMethod.Post, "/new-secret"))
        {
            Assert.Equal(HttpStatusCode.Redirect, rotated.StatusCode);
        }

        Assert.Equal(2, await client.Hub.InvokeAsync<long>("AddAsync", TestContext.Current.CancellationToken));
        await SeesAsync(first, "document.getElementById('count').textContent === '2'");
        await first.EvaluateExpressionAsync("document.getElementById('add').click()");
        await SeesAsync(second, "document.getElementById('count').textContent === '3'");

        using (var over = await browser.SendAsync(HttpMethod.Post, "/log-out"))
        {
            Assert.Equal(HttpStatusCode.Redirect, over.StatusCode);
        }

        await SeesAsync(first, "document.getElementById('reason')?.textContent === 'Destroyed'");
        await SeesAsync(second, "document.getElementById('reason')?.textContent === 'Destroyed'");
        Assert.Equal("Destroyed", await Until.Async(client.Ended, "the hub says why"));
        await Until.Async(client.Closed, "the hub's connection is closed");
    }

    [Fact]
    public async Task A_log_out_in_one_tab_ends_the_other_and_the_next_visit_begins_an_empty_session()
    {
        var first = await _chromium.OpenAsync(_app.Address);
        var second = await _chromium.OpenAsync(_app.Address);
        await SeesAsync(second, "document.getElementById('state').textContent === 'live'");
        await second.EvaluateExpressionAsync("document.getElementById('add').click()");
        await SeesAsync(second, "document.getElementById('count').textContent === '1'");

        await ClickAsync(first, "document.getElementById('log-out')");

        await SeesAsync(second, "document.getElementById('reason')?.textContent === 'Destroyed'");
        await second.GoToAsync(_app.Address.ToString());
        Assert.Equal("1", await TextAsync(second, "document.getElementById('visits').textContent"));
        Assert.Equal("0", await TextAsync(second, "document.getElementById('count').textContent"));
    }

    [Fact]
    public async Task A_hub_without_a_session_is_closed_at_once()
    {
        await using var client = await ConnectAsync(new CookieContainer());

        await Until.Async(client.Closed, "the hub's connection is closed");
    }

    private async Task<Client> ConnectAsync(CookieContainer cookies)
    {
        var client = new Client(new Uri(_app.Address, "/live"), cookies);
        await client.Hub.StartAsync(TestContext.Current.CancellationToken);
        return client;
    }

    /// <summary>The sample, and a browser, which has no session when a test begins, or an empty one.</summary>
    public sealed class Visitor : IAsyncLifetime
    {
        private readonly TempFolder _folder = new();

        public AppProcess App { get; private set; } = null!;

        internal Chromium Chromium { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            App = await AppProcess.StartAsync(
                "SessionActors.Live",
                $"--SessionActors:DataFolder={_folder.Path}", $"--SessionActors:GatewayPort={RedisServer.FreePort()}");
            Chromium = await Chromium.StartAsync();
        }

        public async ValueTask DisposeAsync()
        {
            await Chromium.DisposeAsync();
            await App.DisposeAsync();
            _folder.Dispose();
        }
    }

    private sealed record Board(long Count, string Note);

    /// <summary>Somebody who is connected to the hub.</summary>
    private sealed class Client : IAsyncDisposable
    {
        private readonly TaskCompletionSource<string> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Client(Uri address, CookieContainer cookies)
        {
            Hub = new HubConnectionBuilder().WithUrl(address, options => options.Cookies = cookies).Build();
            Hub.On<Board>("Changed", board => Board.Is(board));
            Hub.On<string>("Ended", reason => _ended.TrySetResult(reason));
            Hub.Closed += _ =>
            {
                _closed.TrySetResult();
                return Task.CompletedTask;
            };
        }

        public HubConnection Hub { get; }

        public Seen Board { get; } = new();

        public Task<string> Ended => _ended.Task;

        public Task Closed => _closed.Task;

        public ValueTask DisposeAsync() => Hub.DisposeAsync();
    }

    private sealed class Seen
    {
        private volatile Board _board = new(0, "");

        public void Is(Board board) => _board = board;

        public Task SeesAsync(Func<Board, bool> condition) => Until.TrueAsync(() => condition(_board), "the hub tells of the change");
    }
}
