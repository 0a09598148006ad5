using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Time.Testing;
using Orleans.Configuration;

namespace SessionActors;

/// <summary>What happens to acknowledged changes when the store, the activation or the host goes away before they are stored.</summary>
public sealed class WriteBehindFaultTests
{
    private static readonly TimeSpan Delay = new SessionActorsOptions().FlushDelay;

    [Theory]
    [InlineData(StoreOutcome.Unknown, true)]
    [InlineData(StoreOutcome.Unknown, false)]
    [InlineData(StoreOutcome.Unsent, false)]
    [InlineData(StoreOutcome.Refused, false)]
    internal async Task What_is_acknowledged_is_kept_until_the_store_answers_and_stored_once(StoreOutcome outcome, bool executed)
    {
        await using var cluster = await WriteBehindTests.StartAsync();
        var session = await cluster.NewSessionAsync();
        await session.IncrementAsync("n");
        cluster.Storage.OnStep = Fails(outcome, executed);
        cluster.Time.Advance(Delay);
        var patience = cluster.Time.GetUtcNow() + (2 * SessionRequest.DefaultPatience);
        await MoveAsync(cluster, () => cluster.Time.GetUtcNow() > patience, "no caller would wait that long");

        Assert.Equal(2, await session.IncrementAsync("n"));
        Assert.Equal(2, cluster.Unstored);
        cluster.Storage.OnStep = null;
        await cluster.StoredAsync();

        await cluster.DeactivateAsync(session);
        Assert.Equal(2, await session.IncrementAsync("n", 0));
        Assert.Equal(1, cluster.Storage.Count("claim"));
    }

    [Fact]
    public async Task Past_the_bound_calls_are_turned_away_while_the_store_is_out_of_reach_and_reads_go_on()
    {
        await using var cluster = await WriteBehindTests.StartAsync(options => options.MaxPendingBytes = 1024);
        var session = await cluster.NewSessionAsync();
        cluster.Storage.OnStep = Fails(StoreOutcome.Unsent, executed: false);
        await session.CommitAsync(SessionDelta.Empty.Set("a", "x"u8));

        var refused = await Assert.ThrowsAsync<SessionUnavailableException>(
            () => cluster.MoveTimeAsync(session.CommitAsync(SessionDelta.Empty.Set("b", new byte[512]))));

        Assert.False(refused.MayBeApplied);
        var read = (await session.ReadAsync())!;
        Assert.Equal(("x", false), (read.GetString("a"), read.Properties.ContainsKey("b")));
        cluster.Storage.OnStep = null;
        await cluster.StoredAsync();
        await cluster.DeactivateAsync(session);
        Assert.Equal("x", (await session.ReadAsync())!.GetString("a"));
    }

    [Fact]
    public async Task A_lease_is_not_given_while_the_store_does_not_take_what_was_acknowledged_before()
    {
        await using var cluster = await WriteBehindTests.StartAsync();
        var session = await cluster.NewSessionAsync();
        await session.IncrementAsync("n");
        cluster.Storage.OnStep = Fails(StoreOutcome.Unsent, executed: false);

        var refused = await Assert.ThrowsAsync<SessionUnavailableException>(
            () => cluster.MoveTimeAsync(session.AcquireAsync(null, true, SessionRequest.New())));

        Assert.False(refused.MayBeApplied);
        cluster.Storage.OnStep = null;
        var opening = await cluster.MoveTimeAsync(session.AcquireAsync(null, true, SessionRequest.New()));
        Assert.NotNull(opening.Lease);
        Assert.Equal(0, cluster.Unstored);
    }

    [Fact]
    public async Task An_activation_that_Orleans_drops_while_the_store_is_away_stores_what_it_owes_before_the_next_one_loads_the_session()
    {
        var time = new FakeTimeProvider();
        await using var cluster = await SessionCluster.StartAsync(
            new ModelSessionStorage(time),
            time,
            configure: options => options.FlushMode = FlushMode.WriteBehind,
            configureSilo: silo => silo.Configure<GrainCollectionOptions>(
                collection => collection.DeactivationTimeout = TimeSpan.FromMilliseconds(100)));
        var session = await cluster.NewSessionAsync();
        await session.IncrementAsync("n", 41);
        cluster.Storage.OnStep = Fails(StoreOutcome.Unsent, executed: false);
        await cluster.DeactivateAsync(session);
        Assert.Equal(1, cluster.Unstored);

        cluster.Storage.OnStep = null;

        Assert.Equal(41, await cluster.MoveTimeAsync(session.IncrementAsync("n", 0)));
        Assert.Equal(0, cluster.Unstored);
    }

    [Fact]
    public async Task When_the_host_starts_to_stop_all_is_stored_and_from_then_on_every_change_waits_for_the_store()
    {
        await using var cluster = await WriteBehindTests.StartAsync();
        var sessions = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => cluster.NewSessionAsync()));
        await Task.WhenAll(sessions.Select(session => session.IncrementAsync("n")));

        var stop = cluster.Silos.Silos[0].ServiceProvider.GetServices<IHostedService>().OfType<StoreAtStop>().Single();
        await stop.StoppingAsync(TestContext.Current.CancellationToken);

        Assert.Equal((0, 5), (cluster.Unstored, cluster.Storage.Count("commit")));
        var gate = cluster.Storage.Hold("commit");
        var late = sessions[0].IncrementAsync("n");
        await gate.ArrivedAsync();
        Assert.False(late.IsCompleted);
        gate.Open();
        Assert.Equal(2, await late);
    }

    [Fact]
    public async Task An_orderly_stop_of_the_silo_that_holds_sessions_loses_nothing()
    {
        await using var cluster = await WriteBehindTests.StartAsync(silos: 2);
        var sessions = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => cluster.NewSessionAsync()));
        await Task.WhenAll(sessions.Select(session => session.IncrementAsync("n", 41)));

        await cluster.Silos.StopSiloAsync(cluster.Silos.Silos[1], TestContext.Current.CancellationToken);

        foreach (var session in sessions)
        {
            Assert.Equal(41, await session.IncrementAsync("n", 0));
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_new_owner_has_the_previous_one_store_what_it_acknowledged_before_it_claims(bool sameSilo)
    {
        await using var cluster = await WriteBehindTests.StartAsync(silos: 2);
        var session = await cluster.NewSessionAsync();
        await session.IncrementAsync("n", 41);

        var next = await NextOwnerAsync(cluster, session, sameSilo);
        var claimed = await Until.Async(next.ClaimAsync(), "the session is claimed");

        Assert.Equal(2, claimed.State.Version);
        Assert.Equal(0, cluster.Unstored);
        Assert.Equal(41, await session.IncrementAsync("n", 0));
    }

    [Fact]
    public async Task A_previous_owner_that_does_not_answer_in_time_claims_the_session_back_to_store_what_it_acknowledged()
    {
        await using var cluster = await WriteBehindTests.StartAsync(silos: 2);
        var session = await cluster.NewSessionAsync();
        await session.IncrementAsync("n", 41);
        var gate = cluster.Storage.Hold("commit");
        var next = await NextOwnerAsync(cluster, session, sameSilo: false);
        var claiming = next.ClaimAsync();
        await gate.ArrivedAsync();
        await cluster.MoveTimeAsync(claiming);
        Assert.Equal(1, (await claiming).State.Version);

        gate.Open();
        await cluster.StoredAsync();

        Assert.Equal(41, await cluster.MoveTimeAsync(session.IncrementAsync("n", 0)));
    }

    internal static Func<string, Func<Task<StoreReply>>, Task<StoreReply>> Fails(StoreOutcome outcome, bool executed) =>
        async (step, run) =>
        {
            if (step != "commit")
            {
                return await run();
            }

            _ = executed ? await run() : default;
            return new StoreReply(outcome, Error: new IOException("gone"));
        };

    private static Task MoveAsync(SessionCluster cluster, Func<bool> until, string what) => Until.TrueAsync(
        () =>
        {
            cluster.Time.Advance(TimeSpan.FromMilliseconds(250));
            return until();
        },
        what);

    /// <summary>What another activation would claim the session with, of which the directory knows nothing.</summary>
    private static async Task<SessionOwner> NextOwnerAsync(SessionCluster cluster, ISessionGrain session, bool sameSilo)
    {
        var handle = WriteBehindTests.HandleOf(session);
        foreach (var silo in cluster.Silos.Silos.Select(silo => silo.ServiceProvider.GetRequiredService<SessionSilo>()))
        {
            if (await silo.Live.WithAsync(handle, _ => Task.CompletedTask) == sameSilo)
            {
                return new SessionOwner(handle, handle.LogName, cluster.Storage, new SessionLifetime(), silo);
            }
        }

        throw new InvalidOperationException("No silo fits.");
    }
}
