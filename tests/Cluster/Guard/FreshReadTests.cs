using System.Diagnostics.Metrics;
using System.Text;
using Microsoft.Extensions.Time.Testing;

namespace SessionActors;

/// <summary>Two clusters over one store, each with the session in memory: what they read of each other, and what that costs.</summary>
public sealed class FreshReadTests : IAsyncLifetime
{
    private static readonly TimeSpan Ttl = TimeSpan.FromMinutes(20);
    private static readonly TimeSpan TouchInterval = TimeSpan.FromMinutes(1);

    private readonly SessionHandle _handle = SessionHandle.New();
    private readonly FakeTimeProvider _time = new();
    private RedisServer _master = null!;
    private SessionCluster _one = null!;
    private SessionCluster _two = null!;
    private ISessionGrain _here = null!;
    private ISessionGrain _there = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _master = await RedisServer.StartAsync();
        var storage = new ModelSessionStorage(_time);
        _one = await SessionCluster.StartAsync(storage, _time, configure: Configure, clusterId: "one");
        _two = await SessionCluster.StartAsync(storage, _time, configure: Configure, clusterId: "two");
        _here = await _one.NewSessionAsync(handle: _handle);
        _there = _two.Session(_handle);
        await _there.ReadAsync();

        void Configure(SessionActorsOptions options)
        {
            // Its sessions are kept elsewhere in these tests.
            options.Redis = _master.Address;
            options.CrossCluster = new CrossClusterOptions { Redlock = { _master.Address } };
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _one.DisposeAsync();
        await _two.DisposeAsync();
        await _master.DisposeAsync();
    }

    [Fact]
    public async Task A_read_asks_once_and_loads_nothing_where_nothing_has_changed()
    {
        var claims = _one.Storage.Count("claim");

        for (var i = 1; i <= 3; i++)
        {
            Assert.Equal(1, (await _here.ReadAsync())!.Version);
            Assert.Equal(i, _one.Storage.Count("peek"));
        }

        Assert.Equal(claims, _one.Storage.Count("claim"));
    }

    [Fact]
    public async Task Reads_that_come_while_the_store_is_asked_share_the_next_question()
    {
        var gate = _one.Storage.HoldAnswer("peek");
        var first = _here.ReadAsync();
        await gate.ArrivedAsync();
        await _there.CommitAsync(SessionDelta.Empty.Set("a", "x"u8));
        var others = Enumerable.Range(0, 5).Select(_ => _here.ReadAsync().AsTask()).ToList();
        await _one.ArrivedAsync(nameof(ISessionGrain.ReadAsync), 6);

        gate.Open();

        await first;
        Assert.All(await Task.WhenAll(others), snapshot => Assert.Equal(2, snapshot!.Version));
        Assert.Equal(2, _one.Storage.Count("peek"));
    }

    [Fact]
    public async Task A_read_that_comes_while_the_session_is_loaded_does_not_take_what_may_be_older()
    {
        await _one.DeactivateAsync(_here);
        var gate = _one.Storage.HoldAnswer("claim");
        var loading = _here.ReadAsync();
        await gate.ArrivedAsync();
        await _there.CommitAsync(SessionDelta.Empty.Set("a", "x"u8));
        var reading = _here.ReadAsync();
        await _one.ArrivedAsync(nameof(ISessionGrain.ReadAsync), 2);

        gate.Open();

        await loading;
        Assert.Equal(2, (await reading)!.Version);
    }

    [Fact]
    public async Task An_operation_that_would_change_nothing_is_decided_on_what_is_stored()
    {
        await _there.CommitAsync(SessionDelta.Empty.Set("a", "theirs"u8));

        Assert.True(await _here.CompareAndSetAsync("a", "theirs"u8.ToArray(), "ours"u8.ToArray()));
        Assert.Equal("ours", Encoding.UTF8.GetString((await _there.GetOrSetAsync("a", "x"u8.ToArray())).Span));
        await _there.CommitAsync(SessionDelta.Empty.Set("b", "theirs"u8));
        await _here.CommitAsync(SessionDelta.Empty.Set("b", "ours"u8));
        await _there.CommitAsync(SessionDelta.Empty.Set("b", "theirs"u8));
        Assert.Equal("theirs", Encoding.UTF8.GetString((await _here.ReadAsync())!.Properties["b"].Span));
    }

    [Fact]
    public async Task A_read_is_refused_while_the_store_cannot_tell_whether_it_would_be_fresh()
    {
        _one.Storage.OnStep = (step, run) =>
            step == "peek" ? Task.FromResult(new StoreReply(StoreOutcome.Unsent)) : run();

        var refused = await Assert.ThrowsAsync<SessionUnavailableException>(() => _one.MoveTimeAsync(_here.ReadAsync().AsTask()));

        Assert.Contains("another cluster may have changed it", refused.Message, StringComparison.Ordinal);
        _one.Storage.OnStep = null;
        Assert.Equal(1, (await _here.ReadAsync())!.Version);
    }

    [Fact]
    public async Task A_read_in_another_cluster_costs_a_holder_nothing()
    {
        await using var lease = await _here.AcquireAsync(Stop);
        await lease.CommitAsync(SessionDelta.Empty.Set("a", "1"u8));
        Assert.Equal(2, (await _there.ReadAsync())!.Version);

        Assert.Equal(3, await lease.CommitAsync(SessionDelta.Empty.Set("a", "2"u8)));
    }

    [Fact]
    public async Task A_holder_that_vanishes_keeps_another_cluster_out_for_LockExpiry_only_though_nobody_waits_in_its_own()
    {
        Assert.NotNull((await _here.AcquireAsync(null, true, SessionRequest.New())).Lease);

        _time.Advance(new SessionActorsOptions().LockExpiry);

        Assert.Equal(2, await Until.Async(_there.CommitAsync(SessionDelta.Empty.Set("a", "1"u8)), "the other cluster writes"));
    }

    [Fact]
    public async Task A_read_passes_a_write_that_waits_for_the_end_of_another_clusters_lease()
    {
        var lease = await _there.AcquireAsync(Stop);
        var waiting = _here.CommitAsync(
            SessionDelta.Empty.Set("b", "1"u8), SessionRequest.New() with { Patience = SessionRequest.MaxPatience });
        await _one.StoringAsync(1);
        await lease.CommitAsync(SessionDelta.Empty.Set("a", "1"u8));

        Assert.Equal(2, (await Until.Async(_here.ReadAsync().AsTask(), "the read comes back"))!.Version);

        Assert.False(waiting.IsCompleted);
        await lease.DisposeAsync();
        Assert.Equal(3, await Until.Async(waiting, "the write is stored"));
    }

    [Fact]
    public async Task Without_a_majority_all_who_wait_for_a_lease_are_told_at_the_first_try()
    {
        var asked = 0;
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Name == "sessionactors.guards" && _one.Owns(instrument))
            {
                self.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<long>((_, _, tags, _) =>
            Interlocked.Add(ref asked, tags[0].Value is "no majority" ? 1 : 0));
        var holder = await _here.AcquireAsync(Stop);
        var seekers = Enumerable.Range(0, 3).Select(_ => _here.AcquireAsync(null, true, SessionRequest.New())).ToList();
        await _one.WaitingAsync(3);
        listener.Start();
        _master.Kill();

        await holder.DisposeAsync();

        foreach (var seeker in seekers)
        {
            var told = await Assert.ThrowsAsync<SessionUnavailableException>(() => Until.Async(seeker, "a seeker is told"));
            Assert.Contains("CrossCluster:Redlock", told.Message, StringComparison.Ordinal);
        }

        Assert.Equal(1, asked);
    }

    [Fact]
    public async Task Tokens_of_leases_grow_from_cluster_to_cluster()
    {
        long last = 0;
        foreach (var session in new[] { _here, _there, _there, _here, _here, _here, _there, _here })
        {
            await using var lease = await session.AcquireAsync(Stop);
            Assert.True(lease.Token > last);
            last = lease.Token;
        }
    }

    [Fact]
    public async Task A_session_that_is_read_in_one_cluster_is_not_idle_in_the_other()
    {
        var (secret, handle) = (SecretHash.Of("secret"u8), SessionHandle.New());
        var (here, there) = (await _one.NewSessionAsync(secret, handle), _two.Session(handle));
        await (await there.AcquireAsync(Stop)).DisposeAsync();
        // So soon that the store need not be told by the first cluster, which does not own the session any more.
        _time.Advance(TouchInterval / 2);
        Assert.Equal(SessionStanding.Open, (await here.OpenAsync(secret, slide: true)).Standing);

        _time.Advance(Ttl - TimeSpan.FromSeconds(1));

        Assert.Equal(1, (await there.ReadAsync())?.Version);
    }

    [Fact]
    public async Task Activity_in_a_cluster_that_does_not_own_the_session_is_told_to_the_store()
    {
        var (secret, handle) = (SecretHash.Of("secret"u8), SessionHandle.New());
        var (here, there) = (await _one.NewSessionAsync(secret, handle), _two.Session(handle));
        await there.ReadAsync();
        _time.Advance(2 * TouchInterval);
        var claims = _one.Storage.Count("claim");

        await here.OpenAsync(secret, slide: true);

        await Until.TrueAsync(() => _one.Storage.Count("touch") == 2, "the renewal that was refused is sent again");
        Assert.Equal(claims + 1, _one.Storage.Count("claim"));
        _time.Advance(Ttl - TimeSpan.FromSeconds(1));
        Assert.Equal(1, (await there.ReadAsync())!.Version);
    }
}
