namespace SessionActors;

/// <summary>The log events of a session, by level, as in ASP.NET Core. That no secret is among them is the tenth promise's test.</summary>
[Collection(nameof(TalkativeSite))]
public sealed class SemanticsLogTests(TalkativeSite site)
{
    private const string Category = "SessionActors.ActorSessionMiddleware";

    [Fact]
    public async Task A_cookie_that_cannot_be_accepted_is_a_warning()
    {
        using var visitor = site.NewVisitor();
        visitor.SessionCookie = "none-of-ours";

        await visitor.GetAsync("/get/a");

        Assert.Contains($"warn: {Category}[{WebLog.CookieRefusedId}]", await site.LogAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_session_that_started_and_one_that_has_ended_are_information()
    {
        using var visitor = site.NewVisitor();
        await visitor.GetAsync("/set/a/x");
        using var stale = site.NewVisitor();
        // Its cookie comes back with the handle unknown to the server that answers: the tombstone is looked up.
        stale.SessionCookie = visitor.SessionCookie;
        await (await site.Redis.DatabaseAsync()).KeyDeleteAsync(SiteRedis.KeyOf(visitor.Handle));
        var name = visitor.Handle.LogName;
        using var refused = await visitor.TryGetAsync("/set/a/y");

        await stale.GetAsync("/get/a");

        var log = await site.LogAsync();
        Assert.Contains(Entry("info", WebLog.SessionStartedId, $"Session {name} started"), log, StringComparison.Ordinal);
        Assert.Contains(Entry("info", WebLog.SessionExpiredId, $"Session {name} has ended"), log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_session_loaded_and_a_session_stored_are_for_debugging()
    {
        using var visitor = site.NewVisitor();
        await visitor.GetAsync("/set/a/x");
        var name = visitor.Handle.LogName;

        await visitor.GetAsync("/set/a/y");

        var log = await site.LogAsync();
        Assert.Contains(Entry("dbug", WebLog.SessionLoadedId, $"Session {name} loaded"), log, StringComparison.Ordinal);
        Assert.Contains(Entry("dbug", WebLog.SessionStoredId, $"Session {name} stored"), log, StringComparison.Ordinal);
    }

    // As the console prints it.
    private static string Entry(string level, int id, string message) => $"{level}: {Category}[{id}]\n      {message}";
}
