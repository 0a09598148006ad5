using Microsoft.Extensions.DependencyInjection;

namespace SessionActors;

/// <summary>A silo that cannot prove that it may answer from memory.</summary>
public sealed class ServingLeaseTests
{
    private static readonly TimeSpan Short = TimeSpan.FromSeconds(0.5);

    [Fact]
    public async Task Reads_of_a_silo_that_reaches_the_store_ask_it_nothing()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await cluster.NewSessionAsync();

        for (var i = 0; i < 10; i++)
        {
            await session.ReadAsync();
        }

        Assert.Equal((0, 0), (cluster.Storage.Count("peek"), cluster.Storage.Count("claim")));
    }

    [Fact]
    public async Task While_the_store_is_out_of_reach_an_old_secret_is_told_nothing_and_the_newest_is_answered_from_memory()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var secret = SecretHash.Of("secret"u8);
        var session = await cluster.NewSessionAsync(secret);
        cluster.Storage.OnStep = (_, _) => Task.FromResult(new StoreReply(StoreOutcome.Unsent));

        var error = await Assert.ThrowsAsync<SessionUnavailableException>(
            () => cluster.MoveTimeAsync(session.OpenAsync(SecretHash.Of("another"u8), slide: true).AsTask()));

        Assert.Contains("the store alone knows", error.Message, StringComparison.Ordinal);
        Assert.False(error.MayBeApplied);
        Assert.Equal(SessionStanding.Open, (await session.OpenAsync(secret, slide: true)).Standing);
    }

    [Fact]
    public async Task Reads_without_a_proof_ask_the_store_and_are_answered_from_memory_where_nothing_has_changed()
    {
        await using var cluster = await StartAsync("one");
        var session = await cluster.NewSessionAsync();
        await LoseAsync(cluster);

        Assert.Equal("1", (await session.ReadAsync())!.GetString("first"));
        Assert.Equal("1", (await session.ReadAsync())!.GetString("first"));

        Assert.Equal((2, 0), (cluster.Storage.Count("peek"), cluster.Storage.Count("claim")));
        cluster.Storage.OnProbe = null;
        await Until.TrueAsync(
            async () =>
            {
                var peeks = cluster.Storage.Count("peek");
                Assert.NotNull(await session.ReadAsync());
                return cluster.Storage.Count("peek") == peeks;
            },
            "reads ask the store nothing again");
    }

    [Theory]
    [InlineData("same", 1)]
    [InlineData("other", 1)]
    public async Task Read_without_a_proof_has_what_another_owner_has_changed(string otherCluster, int claims)
    {
        var time = TimeProvider.System;
        var storage = new ModelSessionStorage(time);
        await using var cluster = await StartAsync("same", storage);
        await using var other = await StartAsync(otherCluster, storage);
        var handle = SessionHandle.New();
        var session = await cluster.NewSessionAsync(handle: handle);
        await other.Session(handle).CommitAsync(SessionDelta.Empty.Set("first", "2"u8));

        await LoseAsync(cluster);

        if (otherCluster == "same")
        {
            // Its callers are sent to the owner, which here, where its silo knows nothing of this cluster, is a new one.
            var moved = await Assert.ThrowsAsync<SessionUnavailableException>(async () => await session.ReadAsync());
            Assert.True(moved.Moved);
        }

        Assert.Equal("2", (await session.ReadAsync())!.GetString("first"));
        Assert.Equal(claims, cluster.Storage.Count("claim"));
    }

    [Fact]
    public async Task Read_without_a_proof_hears_of_a_log_out()
    {
        var storage = new ModelSessionStorage(TimeProvider.System);
        await using var cluster = await StartAsync("one", storage);
        var handle = SessionHandle.New();
        var session = await cluster.NewSessionAsync(handle: handle);
        await storage.DestroyAsync(handle, SessionEndReason.Destroyed, TimeSpan.FromSeconds(15));

        await LoseAsync(cluster);

        Assert.Null(await session.ReadAsync());
    }

    [Theory]
    [InlineData(StoreOutcome.Unknown)]
    [InlineData(StoreOutcome.Unsent)]
    internal async Task Read_without_a_proof_and_without_a_store_is_refused(StoreOutcome outcome)
    {
        await using var cluster = await StartAsync("one");
        var session = await cluster.NewSessionAsync(SecretHash.Of([1]));
        cluster.Storage.OnStep = (_, _) => Task.FromResult(new StoreReply(outcome, Error: new IOException("cut")));
        await LoseAsync(cluster);

        var read = await Assert.ThrowsAsync<SessionUnavailableException>(async () => await session.ReadAsync());
        var opened = await Assert.ThrowsAsync<SessionUnavailableException>(
            async () => await session.OpenAsync(SecretHash.Of([1]), slide: true));

        Assert.Contains("ServingLease", read.Message, StringComparison.Ordinal);
        Assert.False(read.MayBeApplied || opened.MayBeApplied);
        cluster.Storage.OnStep = null;
        Assert.Equal("1", (await session.ReadAsync())!.GetString("first"));
        Assert.Equal(0, cluster.Storage.Count("claim"));
    }

    [Theory]
    [InlineData("same")]
    [InlineData("other")]
    public async Task Operation_that_finds_nothing_to_do_looks_at_what_another_owner_has_changed(string otherCluster)
    {
        var storage = new ModelSessionStorage(TimeProvider.System);
        await using var cluster = await StartAsync("same", storage);
        await using var other = await StartAsync(otherCluster, storage);
        var handle = SessionHandle.New();
        var session = await cluster.NewSessionAsync(handle: handle);
        await other.Session(handle).CommitAsync(SessionDelta.Empty.Set("first", "2"u8));
        await LoseAsync(cluster);

        Assert.True(await session.CompareAndSetAsync("first", "2"u8.ToArray(), "3"u8.ToArray()));

        Assert.Equal("3", (await session.ReadAsync())!.GetString("first"));
    }

    [Fact]
    public async Task With_zero_every_read_asks_the_store()
    {
        await using var cluster = await SessionCluster.StartAsync(configure: options => options.ServingLease = TimeSpan.Zero);
        var session = await cluster.NewSessionAsync();

        for (var i = 0; i < 5; i++)
        {
            Assert.NotNull(await session.ReadAsync());
        }

        Assert.Equal((5, 0), (cluster.Storage.Count("peek"), cluster.Storage.Count("claim")));
    }

    [Fact]
    public async Task Reads_that_come_together_share_a_question()
    {
        await using var cluster = await SessionCluster.StartAsync(configure: options => options.ServingLease = TimeSpan.Zero);
        var session = await cluster.NewSessionAsync();
        var gate = cluster.Storage.Hold("peek");
        var first = session.ReadAsync().AsTask();
        await gate.ArrivedAsync();
        var others = Enumerable.Range(0, 20).Select(_ => session.ReadAsync().AsTask()).ToArray();
        await cluster.ArrivedAsync("ReadAsync", 21);

        gate.Open();
        await Task.WhenAll([first, .. others]);

        Assert.Equal(2, cluster.Storage.Count("peek"));
    }

    private static Task<SessionCluster> StartAsync(string clusterId, ISessionStorage? storage = null) => SessionCluster.StartAsync(
        storage ?? new ModelSessionStorage(TimeProvider.System),
        TimeProvider.System,
        configure: options => options.ServingLease = Short,
        clusterId: clusterId);

    private static Task LoseAsync(SessionCluster cluster)
    {
        cluster.Storage.OnProbe = _ => Task.FromResult(new StoreProbe(new IOException("cut")));
        return Until.TrueAsync(() => !Serving(cluster).IsHeld, "the proof runs out");
    }

    private static ServingLease Serving(SessionCluster cluster) =>
        cluster.Silos.Silos[0].ServiceProvider.GetRequiredService<ServingLease>();
}
