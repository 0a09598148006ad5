using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace SessionActors;

/// <summary>What is left of a step when the network or Redis fails in the middle of it.</summary>
[Collection(RedisGroup.Name)]
public sealed class LostReplyTests : IAsyncDisposable
{
    private static readonly TimeSpan Kept = TimeSpan.FromMinutes(20);
    private static readonly TimeSpan EventTimeout = TimeSpan.FromSeconds(20);

    private readonly List<RedisConnection> _connections = [];
    private readonly string _prefix = $"{RequestId.New()}:";
    private readonly LossyProxy _proxy;
    private readonly RedisSessionStorage _storage;
    private readonly RedisSessionStorage _direct;

    public LostReplyTests(RedisFixture fixture)
    {
        _proxy = LossyProxy.Start(fixture.Server.Port);
        _storage = Connect(_proxy.Address);
        _direct = Connect(fixture.Server.Address);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var connection in _connections)
        {
            await connection.DisposeAsync();
        }

        await _proxy.DisposeAsync();
    }

    public static TheoryData<string> Steps => ["create", "claim", "commit", "touch", "release", "destroy", "destroy as owner", "restore"];

    [Theory]
    [MemberData(nameof(Steps))]
    public async Task StepWhoseReplyIsLost_IsUnknownAndSentAgainIsDoneOnce(string step)
    {
        var attempt = await AttemptAsync(step);
        var lost = _proxy.Next(ProxyFault.LoseReply);

        var first = await attempt.TakeAsync(_storage);
        await lost;
        var second = await WhenReachableAsync(attempt);

        AssertOutcome(StoreOutcome.Unknown, first);
        Assert.NotNull(first.Error);
        await AssertDoneOnceAsync(attempt, second);
    }

    [Theory]
    [MemberData(nameof(Steps))]
    public async Task StepThatIsSentTwiceOnItsWay_IsDoneOnce(string step)
    {
        var attempt = await AttemptAsync(step);
        var duplicated = _proxy.Next(ProxyFault.Duplicate);

        var reply = await attempt.TakeAsync(_storage);
        await duplicated;

        await AssertDoneOnceAsync(attempt, reply);
    }

    [Theory]
    [MemberData(nameof(Steps))]
    public async Task StepThatNeverArrives_IsUnknownAndSentAgainIsDone(string step)
    {
        var attempt = await AttemptAsync(step);
        var lost = _proxy.Next(ProxyFault.LoseRequest);

        var first = await attempt.TakeAsync(_storage);
        await lost;
        var second = await WhenReachableAsync(attempt);

        AssertOutcome(StoreOutcome.Unknown, first);
        AssertOutcome(StoreOutcome.Written, second);
        await AssertDoneOnceAsync(attempt, await attempt.TakeAsync(_direct));
    }

    [Theory]
    [InlineData(ProxyFault.GarbleReply)]
    [InlineData(ProxyFault.Silence)]
    public async Task ReplyThatIsGarbageOrNeverComes_IsUnknown(object fault)
    {
        var attempt = await AttemptAsync("commit");
        _ = _proxy.Next((ProxyFault)fault);

        var reply = await attempt.TakeAsync(_storage);

        AssertOutcome(StoreOutcome.Unknown, reply);
        Assert.NotNull(reply.Error);
        await AssertDoneOnceAsync(attempt, await attempt.TakeAsync(_direct));
    }

    [Fact]
    public async Task ReplyOfAnotherSession_IsServedToNobody()
    {
        var (mine, yours) = (await AttemptAsync("claim"), await AttemptAsync("claim"));
        var skipped = _proxy.Next(ProxyFault.SkipReply);
        _proxy.Hold();

        var replies = Task.WhenAll(mine.TakeAsync(_storage), yours.TakeAsync(_storage));
        _proxy.Release();
        await skipped;

        Assert.All(await replies, reply =>
        {
            AssertOutcome(StoreOutcome.Unknown, reply);
            Assert.Null(reply.Session);
        });
    }

    [Fact]
    public async Task RedisOutOfMemory_RefusesWhatGrowsWhole_AndStillClaimsTouchesReleasesAndDestroys()
    {
        await using var server = await RedisServer.StartAsync();
        var storage = Connect(server.Address);
        var owner = OwnerNonce.New();
        var (handle, absent) = (SessionHandle.New(), SessionHandle.New());
        AssertOutcome(StoreOutcome.Written, await storage.CreateAsync(handle, NewCreation(), NewFlush(owner, 0)));
        owner = await OwnedAsync();
        AssertOutcome(StoreOutcome.Written, await storage.CommitAsync(handle, NewFlush(owner, 1)));
        var database = await server.DatabaseAsync();
        await database.ExecuteAsync("CONFIG", "SET", "maxmemory", "1");
        var before = await database.HashGetAllAsync(_prefix + handle);

        StoreReply[] refused =
        [
            await storage.CreateAsync(absent, NewCreation(), NewFlush(owner, 0)),
            await storage.CommitAsync(handle, NewFlush(owner, 2)),
            await storage.CommitAsync(handle, NewFlush(owner, 2) with { Delta = SessionDelta.Empty.Clear() }),
            await storage.CommitAsync(handle, NewFlush(owner, 2) with { Delta = SessionDelta.Empty.Remove("a") }),
        ];

        Assert.All(refused, reply =>
        {
            AssertOutcome(StoreOutcome.Refused, reply);
            Assert.StartsWith("OOM", reply.Error!.Message, StringComparison.Ordinal);
        });
        Assert.Equal(before, await database.HashGetAllAsync(_prefix + handle));
        Assert.False(await database.KeyExistsAsync(_prefix + absent));
        owner = await OwnedAsync();
        AssertOutcome(StoreOutcome.Written, await storage.TouchAsync(handle, owner, 2, Kept));
        AssertOutcome(StoreOutcome.Written, await storage.ReleaseAsync(handle, owner, Kept));
        AssertOutcome(StoreOutcome.Written, await storage.DestroyAsync(handle, SessionEndReason.Destroyed, Kept));
        AssertOutcome(StoreOutcome.Written, await storage.DestroyAsync(absent, SessionEndReason.Destroyed, Kept));

        async Task<OwnerNonce> OwnedAsync() => (await storage.ClaimAsync(handle, OwnerNonce.New(), "silo", Kept)).Session!.Owner;
    }

    [Fact]
    public async Task RedisKilled_NothingIsSent_AndAfterTheRestartEverythingAcknowledgedIsThere()
    {
        await using var server = await RedisServer.StartAsync(new RedisServerSettings { AppendOnly = true });
        var storage = Connect(server.Address);
        var (handle, owner) = (SessionHandle.New(), OwnerNonce.New());
        AssertOutcome(StoreOutcome.Written, await storage.CreateAsync(handle, NewCreation(), NewFlush(owner, 0)));
        var flush = NewFlush(owner, 1);
        server.Kill();

        // The first one may meet the connection before the client has noticed.
        var first = await storage.CommitAsync(handle, flush);
        Assert.True(first.Outcome is StoreOutcome.Unknown or StoreOutcome.Unsent, $"{first}");
        AssertOutcome(StoreOutcome.Unsent, await WhenAsync(() => storage.CommitAsync(handle, flush), o => o == StoreOutcome.Unsent));
        await server.RestartAsync();

        AssertOutcome(StoreOutcome.Written, await WhenAsync(() => storage.CommitAsync(handle, flush), o => o == StoreOutcome.Written));
    }

    [Fact]
    public async Task RedisPaused_IsUnknownAfterTheTimeout_AndTheStepIsThereWhenItGoesOn()
    {
        await using var server = await RedisServer.StartAsync();
        var storage = Connect(server.Address);
        var (handle, owner) = (SessionHandle.New(), OwnerNonce.New());
        AssertOutcome(StoreOutcome.Written, await storage.CreateAsync(handle, NewCreation(), NewFlush(owner, 0)));
        var flush = NewFlush(owner, 1);
        await server.PauseAsync();

        var reply = await storage.CommitAsync(handle, flush).WaitAsync(
            EventTimeout, TimeProvider.System, TestContext.Current.CancellationToken);
        await server.ResumeAsync();

        AssertOutcome(StoreOutcome.Unknown, reply);
        Assert.NotNull(reply.Error);
        AssertOutcome(
            StoreOutcome.AlreadyWritten, await WhenAsync(() => storage.CommitAsync(handle, flush), o => o == StoreOutcome.AlreadyWritten));
    }

    [Fact]
    public async Task RedisThatIsNotThere_IsUnsent_NamesTheAddressAndIsFoundOnceItIs()
    {
        await using var server = await RedisServer.StartAsync(new RedisServerSettings { Password = "open sesame" });
        await server.StopAsync();
        var storage = Connect(server.ConnectionString);

        var reply = await storage.ClaimAsync(SessionHandle.New(), OwnerNonce.New(), "silo", Kept);
        await server.RestartAsync();

        AssertOutcome(StoreOutcome.Unsent, reply);
        Assert.Contains(server.Address, reply.Error!.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("sesame", reply.Error.ToString(), StringComparison.Ordinal);
        AssertOutcome(StoreOutcome.Missing, await storage.ClaimAsync(SessionHandle.New(), OwnerNonce.New(), "silo", Kept));
    }

    [Fact]
    public async Task MultiplexerFromTheContainer_IsUsedAndNotDisposed()
    {
        await using var multiplexer = await ConnectionMultiplexer.ConnectAsync(_proxy.Address);
        var connection = new RedisConnection(Options.Create(new SessionActorsOptions()), multiplexer);

        Assert.Same(multiplexer, await connection.GetAsync());
        await connection.DisposeAsync();

        Assert.True((await multiplexer.GetDatabase().PingAsync()) > TimeSpan.Zero);
        await Assert.ThrowsAsync<ObjectDisposedException>(connection.GetAsync);
    }

    private RedisSessionStorage Connect(string connectionString)
    {
        var options = Options.Create(new SessionActorsOptions { Redis = connectionString, KeyPrefix = _prefix });
        _connections.Add(new RedisConnection(options));
        return new RedisSessionStorage(_connections[^1], options);
    }

    /// <summary>A session, and the one step that is taken with it, always the same however often.</summary>
    private async Task<Attempt> AttemptAsync(string step)
    {
        var (handle, owner, claimer) = (SessionHandle.New(), OwnerNonce.New(), OwnerNonce.New());
        var (creation, create, commit) = (NewCreation(), NewFlush(owner, 0), NewFlush(owner, 1));
        var restoration = new Restoration
        {
            Owner = owner,
            OwnerName = "silo",
            Epoch = 1,
            State = SessionState.Empty(Kept, secret: null).Apply(new Change(create.Delta), new SessionActorsOptions(), "session"),
            Ring = [new RingSlot(1, create.Entries[0], TimeSpan.Zero)],
            LifetimeLeft = null,
            KeepFor = Kept,
            StartedAt = creation.StartedAt,
        };
        // So that Redis knows every script: a fault is to meet the step itself.
        var nobody = SessionHandle.New();
        await _direct.CommitAsync(nobody, commit);
        await _direct.TouchAsync(nobody, owner, 1, Kept);
        await _direct.ReleaseAsync(nobody, owner, Kept);
        await _direct.RestoreAsync(nobody, restoration);
        await _direct.DestroyAsync(nobody, SessionEndReason.Destroyed, Kept);
        // Through the proxy, so that its connection stands.
        AssertOutcome(StoreOutcome.Missing, await _storage.ClaimAsync(handle, owner, "silo", Kept));
        AssertOutcome(StoreOutcome.Written, await _storage.CreateAsync(SessionHandle.New(), creation, create));
        if (step is not ("create" or "restore"))
        {
            AssertOutcome(StoreOutcome.Written, await _direct.CreateAsync(handle, creation, create));
        }

        return new Attempt(step, handle, step switch
        {
            "create" => storage => storage.CreateAsync(handle, creation, create),
            "claim" => storage => storage.ClaimAsync(handle, claimer, "silo", Kept),
            "commit" => storage => storage.CommitAsync(handle, commit),
            "touch" => storage => storage.TouchAsync(handle, owner, 1, Kept),
            "release" => storage => storage.ReleaseAsync(handle, owner, Kept),
            "restore" => storage => storage.RestoreAsync(handle, restoration),
            "destroy" => storage => storage.DestroyAsync(handle, SessionEndReason.Destroyed, Kept),
            _ => storage => storage.DestroyAsync(handle, SessionEndReason.Idle, Kept, owner),
        });
    }

    /// <summary>What a second arrival of the step is told, and what is stored after it.</summary>
    private async Task AssertDoneOnceAsync(Attempt attempt, StoreReply second)
    {
        AssertOutcome(attempt.Step switch
        {
            "touch" or "release" => StoreOutcome.Written,
            "destroy as owner" => StoreOutcome.Tombstone,
            _ => StoreOutcome.AlreadyWritten,
        }, second);

        var stored = await _direct.ClaimAsync(attempt.Handle, OwnerNonce.New(), "silo", Kept);
        if (attempt.Step.StartsWith("destroy", StringComparison.Ordinal))
        {
            AssertOutcome(StoreOutcome.Tombstone, stored);
            return;
        }

        Assert.Equal(attempt.Step == "commit" ? 2 : 1, stored.Session!.Version);
        Assert.Equal(attempt.Step == "claim" ? 3 : 2, stored.Session.Epoch);
        Assert.Equal(attempt.Step == "release", stored.Session.Released);
    }

    /// <summary>Takes a step, again and again, until the connection is such that it has this outcome.</summary>
    private static async Task<StoreReply> WhenAsync(Func<Task<StoreReply>> step, Func<StoreOutcome, bool> awaited)
    {
        using var timeout = new CancellationTokenSource(EventTimeout, TimeProvider.System);
        using var retries = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        var reply = await step();
        while (!awaited(reply.Outcome))
        {
            await retries.WaitForNextTickAsync(timeout.Token);
            reply = await step();
        }

        return reply;
    }

    private Task<StoreReply> WhenReachableAsync(Attempt attempt) =>
        WhenAsync(() => attempt.TakeAsync(_storage), outcome => outcome is not (StoreOutcome.Unsent or StoreOutcome.Unknown));

    private static Creation NewCreation() => new()
    {
        OwnerName = "silo",
        Secret = null,
        AbsoluteLifetime = null,
        StartedAt = TimeProvider.System.GetTimestamp(),
    };

    private static Flush NewFlush(OwnerNonce owner, long from) => new()
    {
        Owner = owner,
        FromVersion = from,
        Entries = [new RingEntry(RequestId.New(), "")],
        Delta = SessionDelta.Empty.Set("a", [(byte)from]),
        KeepFor = Kept,
    };

    private static void AssertOutcome(StoreOutcome expected, StoreReply reply) =>
        Assert.True(expected == reply.Outcome, $"expected {expected}, not {reply.Outcome} ({reply.Error})");

    private sealed record Attempt(string Step, SessionHandle Handle, Func<ISessionStorage, Task<StoreReply>> TakeAsync);
}
