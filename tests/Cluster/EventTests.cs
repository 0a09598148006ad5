using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace SessionActors;

/// <summary>What happens to sessions is told, however they end and whoever dies meanwhile.</summary>
public sealed class EventTests
{
    private const string Ada = "ada";

    [Fact]
    public async Task Start_rotations_and_end_are_told_in_their_order_with_what_the_session_held()
    {
        var recorder = new Recorder();
        await using var cluster = await StartAsync(recorder);
        var session = await cluster.NewSessionAsync(SecretHash.Of([1]));
        await recorder.HeardAsync(1);
        await session.BindAsync(new UserBinding { UserId = Ada });
        await session.RegenerateAsync(SecretHash.Of([2]), SessionRequest.New());
        await recorder.HeardAsync(2);
        await session.CommitAsync(SessionDelta.Empty.Set("last", "2"u8), SessionRequest.New());

        await session.DestroyAsync();

        await recorder.HeardAsync(3);
        Assert.Equal(
            [(SessionEventKind.Started, 1), (SessionEventKind.Rotated, 2), (SessionEventKind.Ended, 3)],
            recorder.Events.Select(happened => (happened.Kind, happened.Number)));
        Assert.All(recorder.Events, happened => Assert.Equal(session.GetPrimaryKeyString(), happened.Handle.ToString()));
        Assert.Equal([null, Ada, Ada], recorder.Events.Select(happened => happened.UserId));
        Assert.Equal([null, null, SessionEndReason.Destroyed], recorder.Events.Select(happened => happened.EndReason));
        Assert.Equal(("1", "2"), (recorder.Events[2].GetString("first"), recorder.Events[2].GetString("last")));
        Assert.Equal(3, recorder.Events.Select(happened => happened.Id).Distinct().Count());
    }

    [Fact]
    public async Task One_that_only_leads_to_others_is_told_of_to_nobody_and_lives_for_longer_than_they()
    {
        var recorder = new Recorder();
        await using var cluster = await StartAsync(recorder, options => options.AbsoluteLifetime = TimeSpan.FromHours(1));
        var index = cluster.Session(SessionHandle.New());
        await index.CreateAsync(new NewSession { Delta = SessionDelta.Empty.Set("to", "x"u8), IsIndex = true }, SessionRequest.New());
        var ticket = cluster.Session(SessionHandle.New());
        await ticket.CreateAsync(new NewSession { Delta = SessionDelta.Empty.Set("to", "x"u8), IsUntold = true }, SessionRequest.New());
        await ticket.DestroyAsync();
        var session = await cluster.NewSessionAsync();
        for (var i = 0; i < 6; i++)
        {
            cluster.Time.Advance(TimeSpan.FromMinutes(10));
            await index.IncrementAsync("n");
        }

        Assert.NotNull(await index.ReadAsync());
        Assert.Null(await session.ReadAsync());
        await recorder.HeardAsync(2);
        await index.DestroyAsync();
        await recorder.NothingMoreAsync(cluster, 2);
        Assert.All(recorder.Events, happened => Assert.Equal(session.GetPrimaryKeyString(), happened.Handle.ToString()));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task One_that_runs_out_is_told_of_in_memory_or_not(bool isInMemory)
    {
        var recorder = new Recorder();
        await using var cluster = await StartAsync(recorder);
        var session = await cluster.NewSessionAsync();
        await recorder.HeardAsync(1);
        if (!isInMemory)
        {
            await cluster.DeactivateAsync(session);
        }

        cluster.Time.Advance(TimeSpan.FromMinutes(19));
        await recorder.NothingMoreAsync(cluster, 1);

        Assert.Equal(SessionEndReason.Idle, (await EndAsync(cluster, recorder)).EndReason);
        Assert.Equal("1", recorder.Events[^1].GetString("first"));
        Assert.Null(await session.ReadAsync());
    }

    [Fact]
    public async Task One_that_is_used_again_and_again_is_not_told_of()
    {
        var recorder = new Recorder();
        await using var cluster = await StartAsync(recorder);
        var session = await cluster.NewSessionAsync();

        for (var i = 0; i < 10; i++)
        {
            cluster.Time.Advance(TimeSpan.FromMinutes(10));
            await session.IncrementAsync("n");
        }

        await recorder.NothingMoreAsync(cluster, 1);
        Assert.Equal(SessionEndReason.Idle, (await EndAsync(cluster, recorder)).EndReason);
    }

    [Fact]
    public async Task One_that_reaches_its_absolute_end_is_told_of()
    {
        var recorder = new Recorder();
        await using var cluster = await StartAsync(recorder, options => options.AbsoluteLifetime = TimeSpan.FromHours(1));
        var session = await cluster.NewSessionAsync();
        for (var i = 0; i < 5; i++)
        {
            cluster.Time.Advance(TimeSpan.FromMinutes(10));
            await session.IncrementAsync("n");
        }

        await cluster.DeactivateAsync(session);

        Assert.Equal(SessionEndReason.Lifetime, (await EndAsync(cluster, recorder)).EndReason);
        Assert.Equal([0, 0, 0, 5], recorder.Events[^1].Properties["n"].ToArray());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Those_that_are_ended_together_are_told_of_long_before_they_would_run_out(bool isInMemory)
    {
        var recorder = new Recorder();
        await using var cluster = await StartAsync(recorder);
        var session = await cluster.NewSessionAsync(ttl: TimeSpan.FromDays(14));
        await session.BindAsync(new UserBinding { UserId = Ada });
        await recorder.HeardAsync(1);
        if (!isInMemory)
        {
            await cluster.DeactivateAsync(session);
        }

        await cluster.User(Ada).EndAllAsync();

        var from = cluster.Time.GetUtcNow();
        var ended = await EndAsync(cluster, recorder);
        Assert.Equal((SessionEndReason.Revoked, Ada), (ended.EndReason, ended.UserId));
        Assert.True(cluster.Time.GetUtcNow() - from < TimeSpan.FromHours(1));
    }

    [Fact]
    public async Task One_that_goes_beyond_a_limit_is_told_of()
    {
        var recorder = new Recorder();
        await using var cluster = await StartAsync(recorder, options => options.MaxSessionsPerUser = 1);
        var (first, second) = (await cluster.NewSessionAsync(), await cluster.NewSessionAsync());

        await first.BindAsync(new UserBinding { UserId = Ada });
        await second.BindAsync(new UserBinding { UserId = Ada });

        var ended = await EndAsync(cluster, recorder);
        Assert.Equal((SessionEndReason.Limit, first.GetPrimaryKeyString()), (ended.EndReason, ended.Handle.ToString()));
    }

    [Fact]
    public async Task One_that_gets_a_shorter_time_out_is_told_of_at_that()
    {
        var recorder = new Recorder();
        await using var cluster = await StartAsync(recorder);
        var session = await cluster.NewSessionAsync(ttl: TimeSpan.FromDays(365));
        await session.CommitAsync(SessionDelta.Empty.WithTtl(TimeSpan.FromMinutes(1)), SessionRequest.New());
        await cluster.DeactivateAsync(session);

        var from = cluster.Time.GetUtcNow();
        Assert.Equal(SessionEndReason.Idle, (await EndAsync(cluster, recorder)).EndReason);

        Assert.True(cluster.Time.GetUtcNow() - from < TimeSpan.FromHours(1));
    }

    [Fact]
    public async Task A_time_out_that_is_shortened_while_an_event_is_told_counts()
    {
        var recorder = new Recorder();
        await using var cluster = await StartAsync(recorder);
        var (begun, gate) = (NewSource(), NewSource());
        recorder.OnHear = _ =>
        {
            begun.TrySetResult();
            return gate.Task;
        };
        var session = await cluster.NewSessionAsync(ttl: TimeSpan.FromDays(365));
        await Until.Async(begun.Task, "somebody begins to tell of the start");
        await session.CommitAsync(SessionDelta.Empty.WithTtl(TimeSpan.FromMinutes(1)), SessionRequest.New());

        recorder.OnHear = null;
        gate.SetResult();
        await recorder.HeardAsync(1);
        await cluster.DeactivateAsync(session);

        var from = cluster.Time.GetUtcNow();
        Assert.Equal(SessionEndReason.Idle, (await EndAsync(cluster, recorder)).EndReason);
        Assert.True(cluster.Time.GetUtcNow() - from < TimeSpan.FromHours(1));
    }

    [Fact]
    public async Task An_event_that_a_handler_does_not_take_is_told_again_before_those_after_it()
    {
        var recorder = new Recorder();
        var refusals = 3;
        recorder.OnHear = _ => Interlocked.Decrement(ref refusals) >= 0
            ? throw new InvalidOperationException("not now") : Task.CompletedTask;
        await using var cluster = await StartAsync(recorder);
        var session = await cluster.NewSessionAsync();
        await session.DestroyAsync();

        await EndAsync(cluster, recorder);

        Assert.Equal(
            [SessionEventKind.Started, SessionEventKind.Ended], recorder.Events.Select(happened => happened.Kind));
        Assert.True(refusals < 0);
    }

    [Fact]
    public async Task What_a_silo_was_about_to_tell_when_it_died_another_tells()
    {
        var recorder = new Recorder();
        await using var cluster = await StartAsync(recorder, silos: 2);
        var session = await cluster.NewSessionAsync();
        await recorder.HeardAsync(1);
        var never = new TaskCompletionSource();
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        recorder.OnHear = _ =>
        {
            begun.TrySetResult();
            return never.Task;
        };
        await session.DestroyAsync();
        await Until.Async(begun.Task, "somebody begins to tell of the end");

        recorder.OnHear = null;
        // Whichever it was: one is told that it stops in the middle of it, and the other is there still.
        await cluster.Silos.KillSiloAsync(cluster.Silos.Silos[1], TestContext.Current.CancellationToken);
        await cluster.Silos.StartAdditionalSiloAsync();
        await cluster.Silos.KillSiloAsync(cluster.Silos.Silos[0], TestContext.Current.CancellationToken);

        Assert.Equal(SessionEndReason.Destroyed, (await EndAsync(cluster, recorder)).EndReason);
    }

    [Fact]
    public async Task Without_a_handler_nothing_is_kept_for_events()
    {
        var time = new FakeTimeProvider();
        var storage = new ModelSessionStorage(time);
        await using var cluster = await SessionCluster.StartAsync(storage, time);
        var session = await cluster.NewSessionAsync();
        await session.DestroyAsync();

        Assert.Equal(StoreOutcome.Tombstone, (await storage.UntoldAsync(SessionHandle.Parse(session.GetPrimaryKeyString()))).Outcome);
        time.Advance(TimeSpan.FromDays(1));
        Assert.Empty((await storage.TakeDueAsync(0, 10, TimeSpan.FromMinutes(1))).Due);
    }

    [Fact]
    public async Task Once_all_is_told_nothing_is_kept_but_the_tombstone()
    {
        var time = new FakeTimeProvider();
        var storage = new ModelSessionStorage(time);
        var recorder = new Recorder();
        await using var cluster = await StartAsync(recorder, storage: storage, time: time);
        var session = await cluster.NewSessionAsync();
        await session.DestroyAsync();
        await recorder.HeardAsync(2);

        await Until.TrueAsync(
            async () => (await storage.UntoldAsync(SessionHandle.Parse(session.GetPrimaryKeyString()))).Outcome == StoreOutcome.Tombstone,
            "what the session held is gone");
        time.Advance(TimeSpan.FromDays(30));
        await recorder.NothingMoreAsync(cluster, 2);
    }

    [Fact]
    public async Task Another_service_hears_of_events_by_its_grains()
    {
        var time = new FakeTimeProvider();
        await using var cluster = await SessionCluster.StartAsync(
            new ModelSessionStorage(time), time, configureSilo: silo => silo.Services.AddSessionEventsGrain<IAuditGrain>());
        AuditGrain.Heard.Clear();

        var session = await cluster.NewSessionAsync();
        await session.DestroyAsync();

        await Until.TrueAsync(() => AuditGrain.Heard.Count >= 2, "the service hears of start and end");
        Assert.Equal([SessionEventKind.Started, SessionEventKind.Ended], AuditGrain.Heard.Select(happened => happened.Kind));
        Assert.Equal("1", AuditGrain.Heard.Last().GetString("first"));
    }

    private static TaskCompletionSource NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static Task<SessionCluster> StartAsync(
        Recorder recorder,
        Action<SessionActorsOptions>? configure = null,
        short silos = 1,
        ModelSessionStorage? storage = null,
        FakeTimeProvider? time = null)
    {
        time ??= new FakeTimeProvider();
        return SessionCluster.StartAsync(
            storage ?? new ModelSessionStorage(time), time, silos, configure,
            configureSilo: silo => silo.Services.AddSingleton<ISessionEvents>(recorder));
    }

    /// <summary>Lets time pass until an end has been told.</summary>
    private static async Task<SessionEvent> EndAsync(SessionCluster cluster, Recorder recorder)
    {
        await Until.TrueAsync(
            () =>
            {
                cluster.Time.Advance(TimeSpan.FromSeconds(10));
                return recorder.Events.Any(happened => happened.Kind == SessionEventKind.Ended);
            },
            "the end of a session is told");
        return recorder.Events.First(happened => happened.Kind == SessionEventKind.Ended);
    }

    /// <summary>Remembers what it was told.</summary>
    private sealed class Recorder : ISessionEvents
    {
        private readonly ConcurrentQueue<SessionEvent> _events = new();

        public Func<SessionEvent, Task>? OnHear { get; set; }

        public IReadOnlyList<SessionEvent> Events => [.. _events];

        public Task HeardAsync(int events) => Until.TrueAsync(() => _events.Count >= events, $"{events} events are told");

        /// <summary>Lets some sweeps pass, in which nothing is told.</summary>
        public async Task NothingMoreAsync(SessionCluster cluster, int than)
        {
            await HeardAsync(than);
            var other = await cluster.NewSessionAsync();
            await HeardAsync(than + 1);
            cluster.Time.Advance(TimeSpan.FromSeconds(5));
            await other.DestroyAsync();
            await HeardAsync(than + 2);
            Assert.All(_events.Skip(than), happened => Assert.Equal(other.GetPrimaryKeyString(), happened.Handle.ToString()));
            _events.Clear();
        }

        public Task OnStartedAsync(SessionEvent started, CancellationToken cancellationToken) => HearAsync(started);

        public Task OnRotatedAsync(SessionEvent rotated, CancellationToken cancellationToken) => HearAsync(rotated);

        public Task OnEndedAsync(SessionEvent ended, CancellationToken cancellationToken) => HearAsync(ended);

        private async Task HearAsync(SessionEvent happened)
        {
            await (OnHear?.Invoke(happened) ?? Task.CompletedTask);
            _events.Enqueue(happened);
        }
    }
}

/// <summary>What another service would have.</summary>
public interface IAuditGrain : ISessionEventsGrain;

/// <inheritdoc/>
public sealed class AuditGrain : Grain, IAuditGrain
{
    internal static ConcurrentQueue<SessionEvent> Heard { get; } = new();

    public Task OnEventAsync(SessionEvent happened, CancellationToken cancellationToken)
    {
        Heard.Enqueue(happened);
        return Task.CompletedTask;
    }
}
