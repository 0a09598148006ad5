using Microsoft.Extensions.Time.Testing;

namespace SessionActors;

/// <summary>Acknowledged changes of a session that somebody else has claimed before they were stored.</summary>
public sealed class WriteBehindReclaimTests
{
    [Theory]
    [InlineData("one", "other")]
    [InlineData("same", "same")]
    public async Task Two_owners_that_write_behind_at_once_lose_nothing_and_count_exactly(string firstCluster, string secondCluster)
    {
        await using var clusters = await Pair.StartAsync(firstCluster, secondCluster);
        var (here, there) = clusters.Sessions;
        await clusters.First.NewSessionAsync(handle: clusters.Handle);

        async Task WriteAsync(ISessionGrain session, string name)
        {
            for (var i = 0; i < 30; i++)
            {
                await clusters.First.MoveTimeAsync(session.CommitAsync(SessionDelta.Empty.Set($"{name}{i}", "x"u8)));
                await clusters.First.MoveTimeAsync(session.IncrementAsync("n"));
            }
        }

        await Task.WhenAll(WriteAsync(here, "here"), WriteAsync(there, "there"));
        await clusters.First.StoredAsync();
        await clusters.Second.StoredAsync();

        await clusters.First.DeactivateAsync(here);
        var snapshot = await here.ReadAsync();
        Assert.Equal(62, snapshot!.Properties.Count);
        Assert.Equal(60, await here.IncrementAsync("n", 0));
    }

    [Fact]
    public async Task An_activation_that_its_own_cluster_has_fenced_stores_what_it_acknowledged_and_sends_its_callers_on()
    {
        await using var clusters = await Pair.StartAsync("same", "same", FlushMode.WriteThrough);
        var (here, there) = clusters.Sessions;
        await clusters.First.NewSessionAsync(handle: clusters.Handle);
        await here.IncrementAsync("n", 40);
        await there.IncrementAsync("m");

        await clusters.First.StoredAsync();

        // The activation that was fenced has gone when it had stored it: this is another one, which loads the session.
        Assert.Equal(40, await clusters.First.MoveTimeAsync(here.IncrementAsync("n", 0)));
        Assert.Equal(41, await clusters.First.MoveTimeAsync(there.IncrementAsync("n")));
        Assert.Equal(1, await clusters.First.MoveTimeAsync(there.IncrementAsync("m", 0)));
        Assert.True(clusters.First.Storage.Count("claim") >= 2);
    }

    [Fact]
    public async Task A_claim_back_whose_warning_the_store_does_not_take_for_long_loses_nothing_of_what_was_acknowledged()
    {
        await using var clusters = await Pair.StartAsync("same", "same", FlushMode.WriteThrough);
        var (here, there) = clusters.Sessions;
        await clusters.First.NewSessionAsync(handle: clusters.Handle);
        await here.IncrementAsync("n", 40);
        var (time, refused) = (clusters.First.Time, 0);
        var began = time.GetTimestamp();
        clusters.First.Storage.OnStep = (step, run) =>
        {
            var isRefused = step == "warn" && time.GetElapsedTime(began) < SessionRequest.DefaultPatience * 2;
            refused += isRefused ? 1 : 0;
            return isRefused ? Task.FromResult(new StoreReply(StoreOutcome.Unsent)) : run();
        };
        await there.IncrementAsync("m");

        await clusters.First.StoredAsync();

        Assert.NotEqual(0, refused);
        Assert.Equal(0, clusters.First.Lost);
        Assert.Equal(40, await clusters.First.MoveTimeAsync(here.IncrementAsync("n", 0)));
    }

    [Fact]
    public async Task What_was_acknowledged_is_applied_where_it_would_be_refused_now()
    {
        await using var clusters = await Pair.StartAsync("one", "other", FlushMode.WriteThrough, options => options.MaxProperties = 4);
        var (here, there) = clusters.Sessions;
        await clusters.First.NewSessionAsync(handle: clusters.Handle);
        await here.CommitAsync(SessionDelta.Empty.Set("taken", "old"u8));
        await clusters.First.StoredAsync();
        Assert.Equal("old"u8.ToArray(), (await here.TakeAsync("taken"))!.Value.ToArray());
        Assert.True(await here.CompareAndSetAsync("first", "1"u8.ToArray(), "2"u8.ToArray()));
        var seen = (await here.ReadAsync())!.Version;
        await here.CommitAsync(SessionDelta.Empty.BasedOn(seen).Set("first", "3"u8), ConflictBehaviour.Refuse);
        Assert.Equal("ours"u8.ToArray(), (await here.GetOrSetAsync("chosen", "ours"u8.ToArray())).ToArray());
        await there.CommitAsync(
            SessionDelta.Empty.Set("taken", "new"u8).Set("first", "theirs"u8).Set("chosen", "theirs"u8).Set("fourth", "x"u8));
        await here.CommitAsync(SessionDelta.Empty.Set("more", "x"u8));
        await clusters.First.StoredAsync();

        var stored = (await here.ReadAsync())!;
        Assert.Equal(
            ("new", "3", "ours", "x", "x"),
            (stored.GetString("taken"), stored.GetString("first"), stored.GetString("chosen"), stored.GetString("fourth"),
                stored.GetString("more")));
        await clusters.First.DeactivateAsync(here);
        Assert.Equal(5, (await here.ReadAsync())!.Properties.Count);
    }

    [Fact]
    public async Task What_was_acknowledged_of_a_session_that_ends_elsewhere_is_dropped_and_told()
    {
        await using var clusters = await Pair.StartAsync("one", "other");
        var (here, there) = clusters.Sessions;
        await clusters.First.NewSessionAsync(handle: clusters.Handle);
        await Task.WhenAll(here.IncrementAsync("n"), here.IncrementAsync("n"));

        await there.DestroyAsync();
        await clusters.First.StoredAsync();

        Assert.Null(await here.ReadAsync());
        Assert.Equal(2, clusters.First.Lost);
    }

    [Fact]
    public async Task A_store_that_lost_data_gets_what_is_acknowledged_on_top_of_what_it_has()
    {
        await using var cluster = await WriteBehindTests.StartAsync();
        var session = await cluster.NewSessionAsync();
        await session.IncrementAsync("n", 41);
        var first = true;
        cluster.Storage.OnStep = (step, run) =>
        {
            var lost = step == "commit" && first;
            first &= !lost;
            return lost ? Task.FromResult(new StoreReply(StoreOutcome.Behind)) : run();
        };

        await cluster.StoredAsync();

        await cluster.DeactivateAsync(session);
        Assert.Equal(41, await session.IncrementAsync("n", 0));
    }

    private sealed class Pair(SessionCluster first, SessionCluster second) : IAsyncDisposable
    {
        public SessionHandle Handle { get; } = SessionHandle.New();

        public SessionCluster First => first;

        public SessionCluster Second => second;

        public (ISessionGrain Here, ISessionGrain There) Sessions => (first.Session(Handle), second.Session(Handle));

        public static async Task<Pair> StartAsync(
            string firstCluster,
            string secondCluster,
            FlushMode secondMode = FlushMode.WriteBehind,
            Action<SessionActorsOptions>? configure = null)
        {
            var time = new FakeTimeProvider();
            var storage = new ModelSessionStorage(time);
            return new Pair(
                await StartClusterAsync(firstCluster, FlushMode.WriteBehind), await StartClusterAsync(secondCluster, secondMode));

            Task<SessionCluster> StartClusterAsync(string id, FlushMode mode) => SessionCluster.StartAsync(
                storage,
                time,
                clusterId: id,
                configure: options =>
                {
                    options.FlushMode = mode;
                    configure?.Invoke(options);
                });
        }

        public async ValueTask DisposeAsync()
        {
            await first.DisposeAsync();
            await second.DisposeAsync();
        }
    }
}
