using System.Text;
using Microsoft.Extensions.Time.Testing;

namespace SessionActors;

/// <summary>Commits that ask for conflicts to be refused.</summary>
public sealed class ConflictTests
{
    [Theory]
    [InlineData("p=1", "p=2", "p")]
    [InlineData("p=1", "-p", "p")]
    [InlineData("-p", "p=2", "p")]
    [InlineData("p=1 q=1", "p=2 q=2 r=2", "p q")]
    [InlineData("p=1 q=1", "p=2", "p")]
    [InlineData("p=1", "clear", "p")]
    [InlineData("r=1", "clear", "")]
    [InlineData("clear", "q=2", "q")]
    [InlineData("clear", "r=2", "r")]
    [InlineData("clear", "-q", "q")]
    [InlineData("clear r=1", "clear", "")]
    [InlineData("p=1", "q=2", "")]
    [InlineData("p=1", "p=1", "")]
    [InlineData("p=1", "p=2, p=1", "")]
    [InlineData("p=1", "p=2, p=0", "p")]
    [InlineData("p=1", "p=0", "")]
    [InlineData("p=1", "clear first=1 p=0 q=0", "")]
    [InlineData("-p", "-p", "")]
    [InlineData("p=1", "ttl", "")]
    [InlineData("p=1", "take p", "p")]
    [InlineData("p=1", "", "")]
    public async Task What_somebody_else_has_changed_since_is_refused_and_nothing_else(string mine, string others, string inConflict)
    {
        await using var cluster = await SessionCluster.StartAsync();
        var (session, version) = await NewSessionAsync(cluster);
        await ChangeAsync(session, others);
        var before = await TextAsync(session);

        var commit = RefusingAsync(session, Parse(mine).BasedOn(version));

        if (inConflict.Length == 0)
        {
            await commit;
            return;
        }

        var refused = await Assert.ThrowsAsync<SessionConflictException>(() => commit);
        Assert.Equal(inConflict.Split(' '), refused.Properties);
        Assert.Equal(before, await TextAsync(session));
        // By default the later one wins.
        await session.CommitAsync(Parse(mine).BasedOn(version));
    }

    [Theory]
    [InlineData("p=1", "p=2", "p")]
    [InlineData("p=1", "q=2", "p")]
    [InlineData("p=1 q=2", "q=2", "p")]
    [InlineData("clear", "q=2", "first p q")]
    [InlineData("p=1", "", "")]
    public async Task After_a_reload_any_change_since_is_a_conflict_of_everything(string mine, string others, string inConflict)
    {
        await using var cluster = await SessionCluster.StartAsync();
        var (session, version) = await NewSessionAsync(cluster);
        await ChangeAsync(session, others);
        await cluster.DeactivateAsync(session);

        await AssertAsync(session, Parse(mine).BasedOn(version), inConflict);
    }

    [Theory]
    [InlineData("p=1", "p=2", "p")]
    [InlineData("p=1", "q=2", "p")]
    [InlineData("p=2", "p=2", "")]
    [InlineData("p=1", "", "")]
    public async Task What_is_applied_anew_after_another_cluster_is_looked_at_anew(string mine, string others, string inConflict)
    {
        var time = new FakeTimeProvider();
        var storage = new ModelSessionStorage(time);
        await using var one = await SessionCluster.StartAsync(storage, time, clusterId: "one");
        await using var other = await SessionCluster.StartAsync(storage, time, clusterId: "other");
        var (session, version) = await NewSessionAsync(one);
        var there = other.Session(SessionHandle.Parse(session.GetPrimaryKeyString()));
        // It claims the session, with or without a change; the first cluster has yet to notice.
        await there.ReadAsync();
        await ChangeAsync(there, others);

        await AssertAsync(session, Parse(mine).BasedOn(version), inConflict);

        Assert.Equal(1, one.Storage.Count("claim"));
    }

    [Fact]
    public async Task Behind_a_change_that_is_not_stored_yet_a_commit_is_refused_once_that_is()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var (session, version) = await NewSessionAsync(cluster);
        var gate = cluster.Storage.Hold("commit");
        var first = session.CommitAsync(Parse("p=2"));
        await gate.ArrivedAsync();
        var second = AssertAsync(session, Parse("p=1").BasedOn(version), "p");
        await cluster.StoringAsync(2);

        gate.Open();

        await first;
        await second;
    }

    [Theory]
    [InlineData("commit")]
    [InlineData("take")]
    [InlineData("get or set")]
    [InlineData("increment")]
    public async Task What_calls_that_belong_together_have_changed_is_no_conflict_between_them(string what)
    {
        await using var cluster = await SessionCluster.StartAsync();
        var (session, version) = await NewSessionAsync(cluster);
        var first = SessionRequest.New() with { OnConflict = ConflictBehaviour.Refuse };
        var next = SessionRequest.New() with { OnConflict = ConflictBehaviour.Refuse, PartOf = first.Id };
        var name = what is "commit" or "take" ? "p" : "r";
        await (what switch
        {
            "commit" => session.CommitAsync(Parse("p=1").BasedOn(version), first),
            "take" => session.TakeAsync("p", first),
            "get or set" => session.GetOrSetAsync("r", "2"u8.ToArray(), first),
            _ => (Task)session.IncrementAsync("r", 1, first),
        });
        await session.CommitAsync(Parse("q=7"));

        await AssertAsync(session, Parse($"{name}=3").BasedOn(version), name);
        await session.CommitAsync(Parse($"{name}=3").BasedOn(version), next);
        await session.CommitAsync(Parse($"{name}=4"));

        var refused = await Assert.ThrowsAsync<SessionConflictException>(
            () => session.CommitAsync(Parse($"{name}=5").BasedOn(version), next with { Id = RequestId.New() }));
        Assert.Equal([name], refused.Properties);
    }

    [Fact]
    public async Task A_commit_that_is_repeated_is_answered_and_not_refused()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var (session, version) = await NewSessionAsync(cluster);
        var request = SessionRequest.New() with { OnConflict = ConflictBehaviour.Refuse };
        var once = await session.CommitAsync(Parse("p=1").BasedOn(version), request);
        await session.CommitAsync(Parse("p=2"));

        Assert.Equal(once, await session.CommitAsync(Parse("p=1").BasedOn(version), request));
        await cluster.DeactivateAsync(session);
        Assert.Equal(once, await session.CommitAsync(Parse("p=1").BasedOn(version), request));

        Assert.Equal("2", (await session.ReadAsync())!.GetString("p"));
    }

    private static async Task<(ISessionGrain Session, long Version)> NewSessionAsync(SessionCluster cluster)
    {
        var session = await cluster.NewSessionAsync();
        return (session, await session.CommitAsync(Parse("p=0 q=0")));
    }

    private static Task<long> RefusingAsync(ISessionGrain session, SessionDelta delta) => session.RetryAsync(
        SessionRequest.New() with { OnConflict = ConflictBehaviour.Refuse }, request => session.CommitAsync(delta, request));

    private static async Task AssertAsync(ISessionGrain session, SessionDelta delta, string inConflict)
    {
        if (inConflict.Length == 0)
        {
            await RefusingAsync(session, delta);
        }
        else
        {
            var refused = await Assert.ThrowsAsync<SessionConflictException>(() => RefusingAsync(session, delta));
            Assert.Equal(inConflict.Split(' '), refused.Properties);
        }
    }

    private static async Task ChangeAsync(ISessionGrain session, string changes)
    {
        foreach (var change in changes.Split(", ", StringSplitOptions.RemoveEmptyEntries))
        {
            await (change.StartsWith("take", StringComparison.Ordinal)
                ? session.TakeAsync(change["take ".Length..])
                : (Task)session.CommitAsync(Parse(change)));
        }
    }

    /// <summary><c>p=1 -q</c> sets and removes; <c>clear</c> and <c>ttl</c> are what they say.</summary>
    private static SessionDelta Parse(string text) => text.Split(' ').Aggregate(SessionDelta.Empty, (delta, word) => word switch
    {
        "clear" => delta.Clear(),
        "ttl" => delta.WithTtl(TimeSpan.FromHours(1)),
        _ when word.StartsWith('-') => delta.Remove(word[1..]),
        _ => delta.Set(word.Split('=')[0], Encoding.UTF8.GetBytes(word.Split('=')[1])),
    });

    private static async Task<string> TextAsync(ISessionGrain session)
    {
        var snapshot = (await session.ReadAsync())!;
        return string.Join(' ', snapshot.Properties.Keys.Order(StringComparer.Ordinal).Select(p => $"{p}={snapshot.GetString(p)}"));
    }
}
