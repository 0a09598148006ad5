using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace SessionActors;

/// <summary>What a silo measures and traces. The listeners are the process's, so each test looks at its own session or cluster.</summary>
public sealed class TelemetryTests : IAsyncLifetime
{
    private readonly ConcurrentQueue<Activity> _stopped = new();
    private readonly ConcurrentDictionary<string, (int Count, double Sum)> _measured = new();
    private readonly ActivityListener _activities = new();
    private readonly MeterListener _meters = new();
    private readonly FakeTimeProvider _time = new();
    private SessionCluster _cluster = null!;

    public async ValueTask InitializeAsync()
    {
        _cluster = await SessionCluster.StartAsync(
            new ModelSessionStorage(_time), _time, configure: options => options.MaxPropertyBytes = 100,
            configureSilo: silo => silo.AddActivityPropagation());
        _activities.ShouldListenTo = source => source.Name is SessionTelemetry.Name or "Microsoft.Orleans.Application";
        _activities.Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded;
        _activities.ActivityStopped = _stopped.Enqueue;
        ActivitySource.AddActivityListener(_activities);
        _meters.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Meter.Name == SessionTelemetry.Name && _cluster.Owns(instrument))
            {
                self.EnableMeasurementEvents(instrument);
            }
        };
        _meters.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Add(instrument, value, tags));
        _meters.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Add(instrument, value, tags));
        _meters.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Add(instrument, value, tags));
        _meters.Start();
    }

    public ValueTask DisposeAsync()
    {
        _activities.Dispose();
        _meters.Dispose();
        return _cluster.DisposeAsync();
    }

    [Fact]
    public async Task A_flush_is_in_the_trace_of_the_first_that_waits_for_it_and_linked_to_the_others()
    {
        var session = await NewSessionAsync();
        var gate = _cluster.Storage.Hold("commit");
        var (first, firstTrace) = Commit(session, "a");
        await gate.ArrivedAsync();
        var (second, secondTrace) = Commit(session, "b");
        await _cluster.StoringAsync(2);
        var (third, thirdTrace) = Commit(session, "c");
        await _cluster.StoringAsync(3);

        gate.Open();
        await Task.WhenAll(first, second, third);

        var flushes = Spans(session, "flush session");
        Assert.Equal([firstTrace, secondTrace], flushes.Select(flush => flush.TraceId));
        Assert.Equal([1, 2], flushes.Select(flush => flush.GetTagItem("sessionactors.deltas")));
        Assert.All(flushes, flush => Assert.Equal("Written", flush.GetTagItem("sessionactors.outcome")));
        Assert.Empty(flushes[0].Links);
        Assert.Equal(thirdTrace, Assert.Single(flushes[1].Links).Context.TraceId);
    }

    [Fact]
    public async Task A_step_that_fails_says_so_and_not_in_which_words()
    {
        var session = await NewSessionAsync();
        _cluster.Storage.OnStep = (step, run) => step == "commit"
            ? Task.FromResult(new StoreReply(StoreOutcome.Refused, Error: new InvalidOperationException("some words"))) : run();

        await Assert.ThrowsAsync<SessionUnavailableException>(
            () => _cluster.MoveTimeAsync(session.CommitAsync(SessionDelta.Empty.Set("a", "1"u8))));

        var flush = Assert.Single(Spans(session, "flush session"));
        Assert.Equal(ActivityStatusCode.Error, flush.Status);
        Assert.Null(flush.StatusDescription);
        Assert.Equal("System.InvalidOperationException", flush.GetTagItem("error.type"));
        Assert.Equal(1, _measured["sessionactors.flush.duration error.type=Refused"].Count);
        Assert.Equal(1, _measured["sessionactors.commits error.type=SessionActors.SessionUnavailableException"].Count);
    }

    [Fact]
    public async Task What_sessions_do_is_measured()
    {
        var session = await NewSessionAsync();
        await session.CommitAsync(SessionDelta.Empty.Set("name", "value"u8).Remove("first"));
        await Assert.ThrowsAsync<SessionLimitExceededException>(() => session.CommitAsync(SessionDelta.Empty.Set("a", new byte[101])));
        await session.IncrementAsync("n", 1, SessionRequest.New());
        await _cluster.DeactivateAsync(session);
        Assert.Equal(2, (await session.ReadAsync())!.Properties.Count);
        _meters.RecordObservableInstruments();
        var inMemory = _measured["sessionactors.sessions.active"];

        await session.DestroyAsync();
        Assert.Null(await session.ReadAsync());

        Assert.Equal(1, inMemory.Sum);
        Assert.Equal(3, _measured["sessionactors.commits"].Count);
        Assert.Equal(1, _measured["sessionactors.commits error.type=SessionActors.SessionLimitExceededException"].Count);
        Assert.Equal(1, _measured["sessionactors.limits limit=MaxPropertyBytes"].Count);
        Assert.Equal(3, _measured["sessionactors.flush.duration"].Count);
        Assert.Equal((3, 3), _measured["sessionactors.flush.deltas"]);
        // "first" and "1"; "name", "value" and "first"; "n" and an integer.
        Assert.Equal((3, 6 + 14 + 5), _measured["sessionactors.flush.size"]);
        Assert.Equal(1, _measured["sessionactors.load.duration"].Count);
        Assert.Equal(1, _measured["sessionactors.load.duration error.type=Tombstone"].Count);
        Assert.Equal(1, _measured["sessionactors.tombstones"].Count);
        Assert.True(_measured["sessionactors.touches.saved"].Count > 0);
    }

    [Fact]
    public async Task How_long_callers_wait_to_have_a_session_to_themselves_is_measured_and_traced()
    {
        var session = await NewSessionAsync();
        var holder = await session.AcquireAsync(TestContext.Current.CancellationToken);
        var seeker = session.AcquireAsync(secret: null, slide: true, SessionRequest.New());
        await _cluster.WaitingAsync(1);
        _time.Advance(TimeSpan.FromSeconds(1));

        await holder.DisposeAsync();
        Assert.NotNull((await Until.Async(seeker, "the seeker has the session")).Lease);

        Assert.Equal((2, 1), _measured["sessionactors.leases.wait_time"]);
        Assert.Equal(2, Spans(session, "acquire session").Count);
    }

    [Fact]
    public async Task What_is_refused_is_no_commit_and_what_comes_again_is_not_counted_before()
    {
        var session = await NewSessionAsync();
        await Assert.ThrowsAsync<InvalidOperationException>(
            () => session.CreateAsync(new NewSession { Delta = SessionDelta.Empty }, SessionRequest.New()));
        Assert.Equal(1, _measured["sessionactors.commits"].Count);

        _cluster.Storage.OnStep = TakenOverOnce;
        await session.CommitAsync(SessionDelta.Empty.Set("a", "1"u8));

        Assert.Equal(2, _measured["sessionactors.commits"].Count);
        Assert.DoesNotContain(_measured.Keys, name => name.StartsWith("sessionactors.commits error", StringComparison.Ordinal));

        Task<StoreReply> TakenOverOnce(string step, Func<Task<StoreReply>> run)
        {
            _cluster.Storage.OnStep = null;
            var owner = _cluster.Silos.Silos[0].ServiceProvider.GetRequiredService<OwnerNames>().Here;
            return Task.FromResult(new StoreReply(StoreOutcome.Fenced, OwnerName: owner));
        }
    }

    private static (Task<long> Commit, ActivityTraceId Trace) Commit(ISessionGrain session, string name)
    {
        using var request = new Activity("request");
        request.SetParentId(ActivityTraceId.CreateRandom(), ActivitySpanId.CreateRandom(), ActivityTraceFlags.Recorded);
        request.Start();
        return (session.CommitAsync(SessionDelta.Empty.Set(name, "1"u8)), request.TraceId);
    }

    // Called from the silo, as a web server with a silo does.
    private async Task<ISessionGrain> NewSessionAsync()
    {
        var handle = SessionHandle.New();
        await _cluster.NewSessionAsync(handle: handle);
        return _cluster.Silos.Silos[0].ServiceProvider.GetRequiredService<IGrainFactory>().GetGrain<ISessionGrain>(handle);
    }

    private List<Activity> Spans(ISessionGrain session, string name) =>
        [.. _stopped.Where(span => span.OperationName == name && (string?)span.GetTagItem("session.id") == session.GetPrimaryKeyString())];

    private void Add(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var name = string.Join(' ', [instrument.Name, .. tags.ToArray().Select(tag => $"{tag.Key}={tag.Value}")]);
        _measured.AddOrUpdate(name, (1, value), (_, known) => (known.Count + 1, known.Sum + value));
    }
}
