using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Orleans.Storage;

namespace SessionActors;

/// <summary>The list of a user's sessions, and how they are ended together.</summary>
public sealed class UserSessionsTests
{
    private const string Ada = "ada";

    [Fact]
    public async Task A_session_that_is_bound_says_whose_it_is_and_is_listed()
    {
        await using var cluster = await SessionCluster.StartAsync(silos: 2);
        var session = await cluster.NewSessionAsync();

        await session.BindAsync(new UserBinding { UserId = Ada, Device = "Firefox on Linux", Address = "192.0.2.7" });

        var snapshot = (await session.ReadAsync())!;
        Assert.Equal((Ada, 2), (snapshot.UserId, snapshot.Version));
        var listed = Assert.Single((await cluster.User(Ada).ListAsync()).Sessions);
        Assert.Equal((HandleOf(session), "Firefox on Linux", "192.0.2.7"), (listed.Handle, listed.Device, listed.Address));
        Assert.Equal(cluster.Time.GetUtcNow(), listed.BoundAt, TimeSpan.FromMilliseconds(1));
        await cluster.DeactivateAsync(session);
        Assert.Equal(Ada, (await session.ReadAsync())!.UserId);
        Assert.Null((await (await cluster.NewSessionAsync()).ReadAsync())!.UserId);
    }

    [Fact]
    public async Task Bound_again_it_is_written_no_second_time()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await BoundAsync(cluster, Ada);

        await session.BindAsync(new UserBinding { UserId = Ada });

        Assert.Equal(1, cluster.Storage.Count("commit"));
        Assert.Single((await cluster.User(Ada).ListAsync()).Sessions);
    }

    [Fact]
    public async Task It_does_not_become_another_users()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await BoundAsync(cluster, Ada);

        await Assert.ThrowsAsync<InvalidOperationException>(() => session.BindAsync(new UserBinding { UserId = "eve" }));

        Assert.Equal(Ada, (await session.ReadAsync())!.UserId);
        Assert.Empty((await cluster.User("eve").ListAsync()).Sessions);
    }

    [Fact]
    public async Task Ending_all_ends_those_in_memory_at_once_and_the_others_when_they_are_loaded()
    {
        await using var cluster = await SessionCluster.StartAsync(silos: 2);
        var active = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => BoundAsync(cluster, Ada)));
        var stored = await BoundAsync(cluster, Ada);
        await cluster.DeactivateAsync(stored);
        var others = await BoundAsync(cluster, "eve");
        var before = cluster.Storage.Count("destroy");

        await cluster.User(Ada).EndAllAsync();

        Assert.Equal(before + active.Length, cluster.Storage.Count("destroy"));
        foreach (var session in active.Append(stored))
        {
            Assert.Null(await session.ReadAsync());
            var e = await Assert.ThrowsAsync<SessionDestroyedException>(() => session.CommitAsync(SessionDelta.Empty.Set("a", "x"u8)));
            Assert.Equal(SessionEndReason.Revoked, e.Reason);
        }

        Assert.Empty((await cluster.User(Ada).ListAsync()).Sessions);
        Assert.NotNull(await others.ReadAsync());
        // Whoever signs in now stays.
        var next = await BoundAsync(cluster, Ada);
        await cluster.DeactivateAsync(next);
        Assert.NotNull(await next.ReadAsync());
    }

    [Fact]
    public async Task A_session_that_the_list_has_lost_ends_with_the_others()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await BoundAsync(cluster, Ada);
        await cluster.DeactivateAsync(session);
        await cluster.Silos.Client.GetGrain<IUserSessionsIndex>(Ada).RemoveAsync(HandleOf(session), with: null);

        await cluster.User(Ada).EndAllAsync();

        Assert.Null(await session.ReadAsync());
    }

    [Fact]
    public async Task Ending_all_others_keeps_one_which_the_next_end_of_all_ends()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var (kept, ended) = (await BoundAsync(cluster, Ada), await BoundAsync(cluster, Ada));

        await cluster.User(Ada).EndOthersAsync(HandleOf(kept));

        await cluster.DeactivateAsync(kept);
        Assert.NotNull(await kept.ReadAsync());
        Assert.Null(await ended.ReadAsync());
        Assert.Equal([HandleOf(kept)], (await cluster.User(Ada).ListAsync()).Sessions.Select(session => session.Handle));
        await cluster.User(Ada).EndAllAsync();
        Assert.Null(await kept.ReadAsync());
    }

    [Fact]
    public async Task One_that_is_ended_by_itself_leaves_the_others_and_nobody_ends_another_users()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var (ended, left, others) = (await BoundAsync(cluster, Ada), await BoundAsync(cluster, Ada), await BoundAsync(cluster, "eve"));

        Assert.True(await cluster.User(Ada).EndAsync(HandleOf(ended)));
        Assert.False(await cluster.User(Ada).EndAsync(HandleOf(others)));

        Assert.Null(await ended.ReadAsync());
        Assert.NotNull(await others.ReadAsync());
        Assert.Equal([HandleOf(left)], (await cluster.User(Ada).ListAsync()).Sessions.Select(session => session.Handle));
    }

    [Fact]
    public async Task A_session_in_use_finds_out_within_seconds_what_nobody_told_its_silo()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await BoundAsync(cluster, Ada);
        var mark = new UserMark().Next([], cluster.Time.GetUtcNow());
        await WriteMarkAsync(cluster, mark);
        Assert.NotNull(await session.ReadAsync());

        cluster.Time.Advance(TimeSpan.FromSeconds(3));

        Assert.Null(await session.ReadAsync());
    }

    [Fact]
    public async Task Where_the_store_tells_a_session_in_use_asks_for_nothing_until_it_does()
    {
        var time = new FakeTimeProvider();
        var storage = new ModelSessionStorage(time) { TellsOfUsers = true };
        await using var cluster = await SessionCluster.StartAsync(
            storage, time, configure: options => options.ServingLease = TimeSpan.FromSeconds(0.5));
        var session = await BoundAsync(cluster, Ada);
        var store = cluster.Silos.Silos[0].ServiceProvider.GetRequiredService<StoreWatch>();
        await Until.TrueAsync(() => store.TellsOfUsers, "the store tells");
        Assert.NotNull(await session.ReadAsync());
        var mark = new UserMark().Next([], cluster.Time.GetUtcNow());

        await WriteMarkAsync(cluster, mark);
        cluster.Time.Advance(TimeSpan.FromSeconds(10));
        Assert.NotNull(await session.ReadAsync());

        await storage.AnnounceAsync(UserStanding.PartOf(Ada));
        await Until.TrueAsync(async () => await session.ReadAsync() is null, "the session has ended");
    }

    [Fact]
    public async Task Whoever_ends_all_sessions_announces_it()
    {
        await using var cluster = await SessionCluster.StartAsync();
        await BoundAsync(cluster, Ada);

        await cluster.User(Ada).EndAllAsync();

        Assert.Equal(1, cluster.Storage.Count("announce"));
    }

    [Fact]
    public async Task A_session_in_use_sets_a_mark_again_that_the_store_has_forgotten()
    {
        await using var cluster = await SessionCluster.StartAsync();
        await cluster.User(Ada).EndAllAsync();
        var session = await BoundAsync(cluster, Ada);
        var mark = await ReadMarkAsync(cluster);
        await WriteMarkAsync(cluster, new UserMark());

        cluster.Time.Advance(TimeSpan.FromSeconds(3));

        Assert.NotNull(await Until.Async(session.ReadAsync().AsTask(), "the session is read"));
        await Until.TrueAsync(async () => (await ReadMarkAsync(cluster)).Stamp == mark.Stamp, "the mark is as it was");
    }

    [Fact]
    public async Task A_session_in_use_is_there_again_once_the_mark_can_be_read_again()
    {
        var time = new FakeTimeProvider();
        var storage = new SometimesAway();
        await using var cluster = await SessionCluster.StartAsync(
            new ModelSessionStorage(time), time,
            configureSilo: silo => silo.Services.AddKeyedSingleton<IGrainStorage>(CookieKeysGrain.StorageName, storage));
        var session = await BoundAsync(cluster, Ada);
        time.Advance(TimeSpan.FromSeconds(3));
        storage.IsAway = true;
        await Assert.ThrowsAsync<SessionUnavailableException>(() => session.ReadAsync().AsTask());

        storage.IsAway = false;

        Assert.NotNull(await session.ReadAsync());
        time.Advance(TimeSpan.FromSeconds(3));
        Assert.NotNull(await Until.Async(session.ReadAsync().AsTask(), "the session is read"));
    }

    [Fact]
    public async Task A_mark_that_the_store_has_lost_is_set_again()
    {
        var time = new FakeTimeProvider();
        var store = new ModelSessionStorage(time);
        await using var cluster = await SessionCluster.StartAsync(store, time, silos: 2);
        await BoundAsync(cluster, Ada);
        await cluster.User(Ada).EndAllAsync();
        var mark = await ReadMarkAsync(cluster);
        Assert.NotEqual(0, mark.Stamp);

        await WriteMarkAsync(cluster, new UserMark());
        store.BecomeAnother();
        foreach (var silo in cluster.Silos.Silos)
        {
            await silo.ServiceProvider.GetRequiredService<SessionSilo>().Healing.Store.AskAnewAsync();
        }

        await Until.TrueAsync(async () => (await ReadMarkAsync(cluster)).Stamp == mark.Stamp, "the mark is as it was");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_session_that_is_logged_out_leaves_the_list(bool isInMemory)
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await BoundAsync(cluster, Ada);
        if (!isInMemory)
        {
            await cluster.DeactivateAsync(session);
        }

        await session.DestroyAsync();

        await Until.TrueAsync(
            async () => (await cluster.User(Ada).ListAsync()).Sessions.Length == 0, "the session is off the list");
    }

    [Fact]
    public async Task One_that_is_used_stays_on_the_list_and_one_that_is_not_leaves_it()
    {
        await using var cluster = await SessionCluster.StartAsync(configure: options => options.CollectionAge = TimeSpan.FromHours(9));
        var (used, unused) = (await BoundAsync(cluster, Ada), await BoundAsync(cluster, Ada));
        await cluster.DeactivateAsync(unused);

        // The list hears of use in the background, so it may be told late that the other one was in use at first.
        await Until.TrueAsync(
            async () =>
            {
                cluster.Time.Advance(TimeSpan.FromMinutes(2));
                await used.IncrementAsync("n");
                return (await cluster.User(Ada).ListAsync()).Sessions is [var only] && only.Handle == HandleOf(used)
                    && only.SeenAt >= only.BoundAt + TimeSpan.FromMinutes(20);
            },
            "only the session in use is listed, as lately seen");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task Of_fifty_that_sign_in_at_once_as_many_stay_as_the_limit_allows(int limit)
    {
        await using var cluster = await SessionCluster.StartAsync(silos: 2, options => options.MaxSessionsPerUser = limit);
        var sessions = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => cluster.NewSessionAsync()));

        await Task.WhenAll(sessions.Select(session =>
            session.BindAsync(new UserBinding { UserId = Ada }).ContinueWith(_ => { }, TaskScheduler.Default)));

        var live = new List<SessionHandle>();
        foreach (var session in sessions)
        {
            if ((await session.ReadAsync())?.UserId == Ada)
            {
                live.Add(HandleOf(session));
            }
        }

        Assert.Equal(limit, live.Count);
        var listed = (await cluster.User(Ada).ListAsync()).Sessions.Select(session => session.Handle);
        Assert.Equal(live.ToHashSet(), [.. listed]);
    }

    [Fact]
    public async Task Where_new_ones_are_refused_those_that_ended_make_room()
    {
        await using var cluster = await SessionCluster.StartAsync(configure: options =>
        {
            options.MaxSessionsPerUser = 2;
            options.OnSessionLimit = SessionLimitBehaviour.RefuseNew;
        });
        var (first, second, third) = (await BoundAsync(cluster, Ada), await BoundAsync(cluster, Ada), await cluster.NewSessionAsync());

        var e = await Assert.ThrowsAsync<UserSessionLimitException>(() => third.BindAsync(new UserBinding { UserId = Ada }));
        Assert.Equal(2, e.Allowed);
        Assert.Null((await third.ReadAsync())!.UserId);
        // Nobody tells the list of one that ends while it is in no memory.
        await cluster.DeactivateAsync(first);
        await first.DestroyAsync();
        await third.BindAsync(new UserBinding { UserId = Ada });

        Assert.Equal((Ada, Ada), ((await second.ReadAsync())!.UserId, (await third.ReadAsync())!.UserId));
    }

    [Fact]
    public async Task A_thousand_sessions_are_listed_page_by_page_each_once_and_ended_together()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var index = cluster.Silos.Client.GetGrain<IUserSessionsIndex>(Ada);
        var handles = Enumerable.Range(0, 1000).Select(_ => SessionHandle.New()).ToArray();
        foreach (var handle in handles)
        {
            await index.AddAsync(handle, new UserBinding { UserId = Ada }, TimeSpan.FromMinutes(20));
        }

        var all = await AllAsync(cluster);
        Assert.Equal(handles.Length, all.Count);
        Assert.Equal(handles.ToHashSet(), [.. all]);
        await index.RemoveAsync(handles[0], with: null);
        Assert.Equal(handles[1..].ToHashSet(), [.. await AllAsync(cluster)]);
        await cluster.User(Ada).EndAllAsync();
        Assert.Empty(await AllAsync(cluster));
    }

    [Theory]
    [InlineData("x")]
    [InlineData("0123456789abcdef0123456789abcdef0")]
    public async Task A_page_goes_on_after_a_page_and_after_nothing_else(string after)
    {
        await using var cluster = await SessionCluster.StartAsync();

        await Assert.ThrowsAsync<FormatException>(() => cluster.User(Ada).ListAsync(after));
    }

    private static async Task<List<SessionHandle>> AllAsync(SessionCluster cluster)
    {
        var all = new List<SessionHandle>();
        string? next = null;
        do
        {
            var page = await cluster.User(Ada).ListAsync(next);
            Assert.InRange(page.Sessions.Length, 0, UserSessionPages.MostInPage);
            all.AddRange(page.Sessions.Select(session => session.Handle));
            next = page.Next;
        }
        while (next is not null);
        return all;
    }

    private static async Task<ISessionGrain> BoundAsync(SessionCluster cluster, string user)
    {
        var session = await cluster.NewSessionAsync();
        await session.BindAsync(new UserBinding { UserId = user });
        return session;
    }

    // As another cluster does, which has no silos here to tell.
    private static async Task WriteMarkAsync(SessionCluster cluster, UserMark mark)
    {
        var services = cluster.Silos.Silos[0].ServiceProvider;
        var storage = services.GetRequiredKeyedService<IGrainStorage>(CookieKeysGrain.StorageName);
        var state = new GrainState<UserMark>();
        var user = cluster.User(Ada).GetGrainId();
        await storage.ReadStateAsync(UserLists.MarkName, user, state);
        state.State = mark;
        await storage.WriteStateAsync(UserLists.MarkName, user, state);
    }

    private static Task<UserMark> ReadMarkAsync(SessionCluster cluster) =>
        cluster.Silos.Silos[0].ServiceProvider.GetRequiredService<SessionSilo>().Users.ReadMarkAsync(Ada);

    private static SessionHandle HandleOf(ISessionGrain session) => SessionHandle.Parse(session.GetPrimaryKeyString());

    /// <summary>Keeps nothing, and fails at once while it is away, as a client of Redis does that has no connection.</summary>
    private sealed class SometimesAway : IGrainStorage
    {
        public bool IsAway { get; set; }

        public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) => AnswerAsync();

        public Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) => AnswerAsync();

        public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) => AnswerAsync();

        private Task AnswerAsync() => IsAway ? Task.FromException(new InvalidOperationException("It is away.")) : Task.CompletedTask;
    }
}
