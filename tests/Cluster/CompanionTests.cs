using Microsoft.Extensions.Time.Testing;

namespace SessionActors;

/// <summary>What goes with a session, such as the ticket of its user's sign-in, and may live for longer than it.</summary>
public sealed class CompanionTests
{
    private const string Ada = "ada";

    [Fact]
    public async Task One_that_lives_on_keeps_the_place_of_its_session_and_ends_with_it()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var (session, ticket) = await BothAsync(cluster);
        cluster.Time.Advance(TimeSpan.FromHours(1));
        Assert.Null(await session.ReadAsync());

        // What the session's end tells the list comes in its own time.
        Assert.Equal(HandleOf(session), Assert.Single((await cluster.User(Ada).ListAsync()).Sessions).Handle);
        Assert.NotNull(await ticket.ReadAsync());

        Assert.True(await cluster.User(Ada).EndAsync(HandleOf(session)));

        Assert.Null(await ticket.ReadAsync());
        Assert.Empty((await cluster.User(Ada).ListAsync()).Sessions);
        Assert.False(await cluster.User(Ada).EndAsync(HandleOf(session)));
    }

    [Fact]
    public async Task One_that_is_used_keeps_the_place_and_one_that_is_not_leaves_it()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var (session, ticket) = await BothAsync(cluster);
        for (var day = 0; day < 30; day++)
        {
            cluster.Time.Advance(TimeSpan.FromDays(1));
            Assert.Equal(SessionStanding.Open, (await ticket.OpenAsync(SecretHash.Of([7]), slide: true)).Standing);
            await Until.TrueAsync(
                async () => (await cluster.User(Ada).ListAsync()).Sessions is [var only] && only.Handle == HandleOf(session),
                $"the session's place is there on day {day}");
        }

        cluster.Time.Advance(TimeSpan.FromDays(16));

        Assert.Empty((await cluster.User(Ada).ListAsync()).Sessions);
    }

    [Fact]
    public async Task It_counts_for_the_limit_as_long_as_it_lives()
    {
        await using var cluster = await SessionCluster.StartAsync(configure: options => options.MaxSessionsPerUser = 1);
        var (session, ticket) = await BothAsync(cluster);
        cluster.Time.Advance(TimeSpan.FromHours(1));
        Assert.Null(await session.ReadAsync());

        var next = await cluster.NewSessionAsync();
        await next.BindAsync(new UserBinding { UserId = Ada });

        Assert.Null(await ticket.ReadAsync());
        Assert.NotNull(await next.ReadAsync());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task A_later_session_takes_the_place_and_what_goes_with_it(int hours)
    {
        await using var cluster = await SessionCluster.StartAsync(configure: options => options.MaxSessionsPerUser = 1);
        var (first, ticket) = await BothAsync(cluster);
        cluster.Time.Advance(TimeSpan.FromHours(hours));

        var next = await cluster.NewSessionAsync();
        await next.BindAsync(new UserBinding { UserId = Ada, Replaces = HandleOf(first) });
        await ticket.BindAsync(new UserBinding { UserId = Ada, IsUnlisted = true, With = HandleOf(next) });

        Assert.Equal(HandleOf(next), Assert.Single((await cluster.User(Ada).ListAsync()).Sessions).Handle);
        Assert.Equal(HandleOf(next), (await ticket.ReadAsync())!.GoesWith);
        Assert.Null(await first.ReadAsync());
        await cluster.User(Ada).EndOthersAsync(HandleOf(next));
        Assert.NotNull(await ticket.ReadAsync());
        Assert.True(await cluster.User(Ada).EndAsync(HandleOf(next)));
        Assert.Null(await ticket.ReadAsync());
    }

    [Fact]
    public async Task A_place_that_nobody_has_any_more_ends_nobody()
    {
        var time = new FakeTimeProvider();
        var store = new ModelSessionStorage(time);
        await using var cluster = await SessionCluster.StartAsync(store, time, configure: options => options.MaxSessionsPerUser = 2);
        var (old, gone, next) = (
            await cluster.NewSessionAsync(), await cluster.NewSessionAsync(), await cluster.NewSessionAsync());
        await old.BindAsync(new UserBinding { UserId = Ada });
        time.Advance(TimeSpan.FromSeconds(1));
        await gone.BindAsync(new UserBinding { UserId = Ada });
        await cluster.DeactivateAsync(gone);
        store.Delete(HandleOf(gone));

        await next.BindAsync(new UserBinding { UserId = Ada });

        Assert.NotNull(await old.ReadAsync());
        Assert.NotNull(await next.ReadAsync());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_place_goes_when_both_have_ended_whichever_was_first(bool runsOut)
    {
        await using var cluster = await SessionCluster.StartAsync();
        var (session, ticket) = await BothAsync(cluster);
        if (runsOut)
        {
            cluster.Time.Advance(TimeSpan.FromHours(1));
            Assert.Null(await session.ReadAsync());
        }
        else
        {
            await session.DestroyAsync();
        }

        Assert.Equal(HandleOf(session), Assert.Single((await cluster.User(Ada).ListAsync()).Sessions).Handle);

        await ticket.DestroyAsync();

        await GoneAsync(cluster);
    }

    [Fact]
    public async Task One_whose_session_was_ended_by_itself_is_ended_by_its_place()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var (session, ticket) = await BothAsync(cluster);
        await session.DestroyAsync();

        Assert.True(await cluster.User(Ada).EndAsync(HandleOf(session)));

        Assert.Null(await ticket.ReadAsync());
        Assert.Empty((await cluster.User(Ada).ListAsync()).Sessions);
    }

    [Fact]
    public async Task A_later_session_that_is_bound_again_keeps_the_place_and_another_one_beside_it_is_of_the_same_browser()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var (first, ticket) = await BothAsync(cluster);
        var (next, beside, elsewhere) = (
            await cluster.NewSessionAsync(), await cluster.NewSessionAsync(), await cluster.NewSessionAsync());
        await elsewhere.BindAsync(new UserBinding { UserId = Ada });
        var following = new UserBinding { UserId = Ada, Replaces = HandleOf(first), Follows = HandleOf(ticket) };
        for (var tries = 0; tries < 2; tries++)
        {
            await next.BindAsync(following);
        }

        await Assert.ThrowsAsync<UserSessionLimitException>(() => beside.BindAsync(following));
        await beside.BindAsync(new UserBinding { UserId = Ada, IsUnlisted = true });

        Assert.Equal(
            new[] { HandleOf(next), HandleOf(elsewhere) }.ToHashSet(),
            [.. (await cluster.User(Ada).ListAsync()).Sessions.Select(session => session.Handle)]);
        await cluster.User(Ada).EndOthersAsync(HandleOf(beside));
        Assert.Null(await elsewhere.ReadAsync());
        Assert.NotNull(await ticket.ReadAsync());
        Assert.NotNull(await beside.ReadAsync());
        Assert.True(await cluster.User(Ada).EndAsync(HandleOf(next)));
        Assert.Null(await ticket.ReadAsync());
        Assert.Null(await beside.ReadAsync());
    }

    [Fact]
    public async Task One_that_was_not_told_of_the_later_session_keeps_its_place_and_ends_it()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var (first, ticket) = await BothAsync(cluster);
        var next = await cluster.NewSessionAsync();
        await next.BindAsync(new UserBinding { UserId = Ada, Replaces = HandleOf(first) });

        cluster.Time.Advance(TimeSpan.FromDays(1));
        Assert.Equal(SessionStanding.Open, (await ticket.OpenAsync(SecretHash.Of([7]), slide: true)).Standing);

        await Until.TrueAsync(
            async () =>
            {
                cluster.Time.Advance(TimeSpan.FromMinutes(1));
                var only = Assert.Single((await cluster.User(Ada).ListAsync()).Sessions);
                Assert.Equal(HandleOf(next), only.Handle);
                return only.SeenAt > only.BoundAt + TimeSpan.FromHours(12);
            },
            "the list has heard of the ticket's use");
        await ticket.DestroyAsync();
        await GoneAsync(cluster);
    }

    [Fact]
    public async Task One_that_the_list_has_lost_comes_back_with_its_next_use()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var (session, ticket) = await BothAsync(cluster);
        var index = cluster.Silos.Client.GetGrain<IUserSessionsIndex>(Ada);
        await index.RemoveAsync(HandleOf(session), HandleOf(ticket));
        await index.RemoveAsync(HandleOf(session), with: null);
        Assert.Empty((await cluster.User(Ada).ListAsync()).Sessions);

        cluster.Time.Advance(TimeSpan.FromDays(1));
        Assert.Equal(SessionStanding.Open, (await ticket.OpenAsync(SecretHash.Of([7]), slide: true)).Standing);

        await Until.TrueAsync(
            async () => (await cluster.User(Ada).EndAsync(HandleOf(session))), "the list knows again what went with the session");
        Assert.Null(await ticket.ReadAsync());
    }

    // What a session tells of its use may come when its time is over, and counts from there.
    private static Task GoneAsync(SessionCluster cluster) => Until.TrueAsync(
        async () =>
        {
            cluster.Time.Advance(TimeSpan.FromMinutes(1));
            return (await cluster.User(Ada).ListAsync()).Sessions is [];
        },
        "the place has gone");

    private static async Task<(ISessionGrain Session, ISessionGrain Ticket)> BothAsync(SessionCluster cluster)
    {
        var session = await cluster.NewSessionAsync();
        await session.BindAsync(new UserBinding { UserId = Ada });
        var ticket = await cluster.NewSessionAsync(SecretHash.Of([7]), ttl: TimeSpan.FromDays(14));
        await ticket.BindAsync(new UserBinding { UserId = Ada, IsUnlisted = true, With = HandleOf(session) });
        return (session, ticket);
    }

    private static SessionHandle HandleOf(ISessionGrain session) => SessionHandle.Parse(session.GetPrimaryKeyString());
}
