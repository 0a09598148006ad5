using PuppeteerSharp;
using static SessionActors.Pages;

namespace SessionActors;

/// <summary>The devices sample, used by two browsers as two people would.</summary>
public sealed class DevicesTests : IAsyncLifetime
{
    private readonly TempFolder _folder = new();
    private AppProcess _app = null!;
    private Chromium _one = null!;
    private Chromium _two = null!;

    public async ValueTask InitializeAsync()
    {
        _app = await AppProcess.StartAsync(
            "SessionActors.Devices", $"--SessionActors:DataFolder={_folder.Path}", $"--SessionActors:GatewayPort={RedisServer.FreePort()}");
        (_one, _two) = (await Chromium.StartAsync(), await Chromium.StartAsync());
    }

    [Fact]
    public async Task Both_browsers_are_listed_and_one_ends_the_other_which_is_told_at_once()
    {
        var one = await LogInAsync(_one, "ada");
        var two = await LogInAsync(_two, "ada");
        var tab = await _two.OpenAsync(_app.Address);
        // The page of the first hears of the second by itself.
        await SeesAsync(one, "document.querySelectorAll('#devices li').length === 2");
        Assert.Equal("1", await TextAsync(one, "String(document.querySelectorAll('#devices b').length)"));

        await ClickAsync(
            one, "[...document.querySelectorAll('#devices li')].find(li => !li.textContent.includes('this one')).querySelector('button')");

        await SeesAsync(two, "!document.getElementById('over').hidden && document.getElementById('reason').textContent === 'Revoked'");
        await SeesAsync(tab, "!document.getElementById('over').hidden && document.getElementById('in').hidden");
        Assert.Equal("ada", await TextAsync(one, "document.getElementById('user').textContent"));
        await SeesAsync(one, "document.querySelectorAll('#devices li').length === 1");
        await two.GoToAsync(_app.Address.ToString());
        Assert.Equal("true", await TextAsync(two, "String(document.querySelector('[name=name]') !== null)"));
        Assert.Equal("1", await TextAsync(two, "document.getElementById('visits').textContent"));
    }

    [Fact]
    public async Task A_second_tab_is_logged_out_with_the_first()
    {
        var first = await LogInAsync(_one, "ada");
        var second = await _one.OpenAsync(_app.Address);

        await ClickAsync(first, "document.getElementById('log-out')");

        await SeesAsync(second, "document.getElementById('reason')?.textContent === 'Destroyed'");
    }

    [Fact]
    public async Task A_cookie_that_was_planted_before_the_log_in_is_worth_nothing_after_it()
    {
        // The attacker has a session, and its cookie gets into the victim's browser.
        var attacker = await _one.OpenAsync(_app.Address);
        var planted = Assert.Single(await attacker.GetCookiesAsync());
        var victim = await _two.OpenAsync(_app.Address);
        await victim.SetCookieAsync(planted);
        await victim.GoToAsync(_app.Address.ToString());
        // The planted one is the victim's session indeed.
        Assert.Equal("2", await TextAsync(victim, "document.getElementById('visits').textContent"));

        await LogInAsync(victim, "ada");

        Assert.Equal("3", await TextAsync(victim, "document.getElementById('visits').textContent"));
        Assert.DoesNotContain(planted.Value, (await victim.GetCookiesAsync()).Select(cookie => cookie.Value));
        await attacker.GoToAsync(_app.Address.ToString());
        Assert.Equal("null", await TextAsync(attacker, "String(document.getElementById('user'))"));
        Assert.Equal("1", await TextAsync(attacker, "document.getElementById('visits').textContent"));
        // Nor has what the attacker did done anything to the victim.
        await victim.ReloadAsync();
        Assert.Equal("ada", await TextAsync(victim, "document.getElementById('user').textContent"));
        Assert.Equal("4", await TextAsync(victim, "document.getElementById('visits').textContent"));
    }

    public async ValueTask DisposeAsync()
    {
        await _one.DisposeAsync();
        await _two.DisposeAsync();
        await _app.DisposeAsync();
        _folder.Dispose();
    }

    private async Task<IPage> LogInAsync(Chromium browser, string name)
    {
        var page = await browser.OpenAsync(_app.Address);
        await LogInAsync(page, name);
        return page;
    }

    private static async Task LogInAsync(IPage page, string name)
    {
        await page.EvaluateExpressionAsync($"document.querySelector('[name=name]').value = '{name}'");
        await ClickAsync(page, "document.querySelector('button.main')");
        Assert.Equal(name, await TextAsync(page, "document.getElementById('user').textContent"));
    }
}
