namespace SessionActors;

/// <summary>Two activations of one session, forced: two clusters that know nothing of each other over one store.</summary>
public sealed class SecondWriterTests
{
    [Theory]
    [InlineData("one", "other")]
    [InlineData("same", "same")]
    public async Task Two_owners_that_write_in_turns_lose_nothing(string firstCluster, string secondCluster)
    {
        await using var clusters = await TwoActivations.StartAsync(firstCluster, secondCluster);
        var (here, there) = clusters.Sessions;
        await clusters.First.NewSessionAsync(handle: clusters.Handle);

        for (var i = 0; i < 50; i++)
        {
            await here.CommitAsync(SessionDelta.Empty.Set($"here{i}", "x"u8));
            await there.CommitAsync(SessionDelta.Empty.Set($"there{i}", "x"u8));
        }

        await clusters.First.DeactivateAsync(here);
        Assert.Equal(101, (await here.ReadAsync())!.Properties.Count);
    }

    [Theory]
    [InlineData("one", "other")]
    [InlineData("same", "same")]
    public async Task Two_owners_that_write_at_once_lose_nothing_and_count_exactly(string firstCluster, string secondCluster)
    {
        await using var clusters = await TwoActivations.StartAsync(firstCluster, secondCluster);
        var (here, there) = clusters.Sessions;
        await clusters.First.NewSessionAsync(handle: clusters.Handle);

        async Task WriteAsync(ISessionGrain session, string name)
        {
            for (var i = 0; i < 50; i++)
            {
                await Task.WhenAll(
                    clusters.First.MoveTimeAsync(session.CommitAsync(SessionDelta.Empty.Set($"{name}{i}", "x"u8))),
                    clusters.First.MoveTimeAsync(session.IncrementAsync("n")));
            }
        }

        await Task.WhenAll(WriteAsync(here, "here"), WriteAsync(there, "there"));

        await clusters.First.DeactivateAsync(here);
        var snapshot = await here.ReadAsync();
        Assert.Equal(102, snapshot!.Properties.Count);
        Assert.Equal(101, await here.IncrementAsync("n"));
    }

    [Fact]
    public async Task A_fenced_activation_claims_the_session_back_and_re_applies_what_is_pending()
    {
        await using var clusters = await TwoActivations.StartAsync("one", "other");
        var (here, there) = clusters.Sessions;
        await clusters.First.NewSessionAsync(handle: clusters.Handle);
        await there.CommitAsync(SessionDelta.Empty.Set("a", "there"u8).Set("b", "there"u8));

        await here.CommitAsync(SessionDelta.Empty.Set("a", "here"u8));

        var snapshot = await here.ReadAsync();
        Assert.Equal(("here", "there"), (snapshot!.GetString("a"), snapshot.GetString("b")));
        Assert.Equal(1, clusters.First.Storage.Count("claim"));
    }

    [Fact]
    public async Task A_destroy_in_one_cluster_is_final_in_the_other()
    {
        await using var clusters = await TwoActivations.StartAsync("one", "other");
        var (here, there) = clusters.Sessions;
        await clusters.First.NewSessionAsync(handle: clusters.Handle);

        await there.DestroyAsync();

        var error = await Assert.ThrowsAsync<SessionDestroyedException>(() => here.CommitAsync(SessionDelta.Empty.Set("a", "x"u8)));
        Assert.Equal(SessionEndReason.Destroyed, error.Reason);
        Assert.Null(await here.ReadAsync());
    }

    [Fact]
    public async Task An_activation_that_is_fenced_again_and_again_gives_up_with_a_clear_error()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await cluster.NewSessionAsync();
        cluster.Storage.OnStep = (step, run) =>
            step == "commit" ? Task.FromResult(new StoreReply(StoreOutcome.Fenced, OwnerName: "5:other/silo")) : run();

        var error = await Assert.ThrowsAsync<SessionUnavailableException>(
            () => cluster.MoveTimeAsync(session.CommitAsync(SessionDelta.Empty.Set("a", "x"u8), SessionRequest.New())));

        Assert.Contains("another cluster claimed it", error.Message, StringComparison.Ordinal);
        Assert.False(error.MayBeApplied);
        cluster.Storage.OnStep = null;
        Assert.Null((await session.ReadAsync())!.GetString("a"));
    }
}
