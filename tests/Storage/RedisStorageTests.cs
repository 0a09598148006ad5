using System.Globalization;
using CsCheck;
using Microsoft.Extensions.Options;
using StackExchange.Redis;
using static System.StringComparison;

namespace SessionActors;

/// <summary>One redis-server for all tests that leave it running.</summary>
public sealed class RedisFixture : IAsyncLifetime
{
    internal RedisServer Server { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Server = await RedisServer.StartAsync();
        var server = (await Server.AdminAsync()).GetServer(Server.Address);
        // A Redis that does not know a script yet answers twice, and tests count and drop answers.
        foreach (var file in typeof(ISessionStorage).Assembly.GetManifestResourceNames().Where(name => name.EndsWith(".lua", Ordinal)))
        {
            await server.ScriptLoadAsync(new RedisScriptSource(file).Text);
        }
    }

    public ValueTask DisposeAsync() => Server.DisposeAsync();
}

[CollectionDefinition(Name)]
public sealed class RedisGroup : ICollectionFixture<RedisFixture>
{
    public const string Name = "redis";
}

/// <summary>The contract over a real Redis, and what only Redis has: the hash, the wire.</summary>
[Collection(RedisGroup.Name)]
public sealed class RedisStorageTests : StorageContract, IAsyncDisposable
{
    private readonly string _prefix = $"{RequestId.New()}:";
    private readonly RedisServer _server;
    private readonly RedisConnection _connection;

    public RedisStorageTests(RedisFixture fixture)
    {
        _server = fixture.Server;
        var options = Options.Create(new SessionActorsOptions { Redis = _server.ConnectionString, KeyPrefix = _prefix });
        _connection = new RedisConnection(options);
        var storage = new RedisSessionStorage(_connection, options);
        (Storage, Events) = (storage, new RedisEventStorage(storage, options));
    }

    private protected override ISessionStorage Storage { get; }

    private protected override IEventStorage Events { get; }

    public ValueTask DisposeAsync() => _connection.DisposeAsync();

    // Redis has no clock but its own.
    protected override Task AdvanceAsync(TimeSpan time) => Task.Delay(time, TimeProvider.System);

    protected override long TimestampAgo(TimeSpan age) =>
        TimeProvider.System.GetTimestamp() - (long)(age.TotalSeconds * TimeProvider.System.TimestampFrequency);

    [Theory]
    [InlineData(1_000)]
    [InlineData(10_000)]
    [InlineData(100_000)]
    [InlineData(1_000_000)]
    public async Task CommitOfOneProperty_IsOneCommandOfAtMost500Bytes(int sessionBytes)
    {
        const int commits = 20;
        var delta = Enumerable.Range(0, 50).Aggregate(
            SessionDelta.Empty, (sum, i) => sum.Set($"property {i}", new byte[sessionBytes / 50]));
        var (handle, last) = await CreateAsync(delta);
        last = await CommitAsync(handle, Next(last, SessionDelta.Empty.Set("cart", new byte[16])));
        var before = await _server.UsageAsync();

        for (var i = 0; i < commits; i++)
        {
            last = await CommitAsync(handle, Next(last, SessionDelta.Empty.Set("cart", new byte[16]), "12345") with { KeepFor = Kept });
        }

        var usage = (await _server.UsageAsync()).Since(before);
        Assert.Equal(commits, usage.CallsOf("evalsha"));
        // The script's own commands count as calls; so do the client's PINGs, of which there may be some.
        string[] expected = ["evalsha", "hmget", "hset", "info", "pexpire", "ping", "time"];
        Assert.Empty(usage.Calls.Keys.Except(expected));
        Assert.InRange(usage.InputBytes / commits, 1, 500);
    }

    [Fact]
    public async Task EveryStep_IsOneCommand()
    {
        await TakeEveryStepAsync(Storage);
        var before = await _server.UsageAsync();

        await TakeEveryStepAsync(Storage);

        Assert.Equal(8, (await _server.UsageAsync()).Since(before).CallsOf("evalsha"));
    }

    [Fact]
    public async Task Tombstone_HoldsTheReasonAndWhoIsToHearOfItAndNothingElse()
    {
        var (handle, last) = await CreateAsync(SessionDelta.Empty.Set("a", [1]));
        var (other, _) = await CreateAsync(SessionDelta.Empty.Set("a", [1]));

        await Storage.DestroyAsync(handle, SessionEndReason.Destroyed, TombstoneKept, last.Owner);
        await Storage.DestroyAsync(other, SessionEndReason.Destroyed, TombstoneKept);

        var (key, database) = (KeyOf(handle), await _server.DatabaseAsync());
        Assert.Equal([new HashEntry("@ended", "destroyed")], await database.HashGetAllAsync(key));
        Assert.Equal(
            [new HashEntry("@ended", "destroyed"), new HashEntry("@from", "silo-1")], await database.HashGetAllAsync(KeyOf(other)));
        Assert.InRange((await database.KeyTimeToLiveAsync(key))!.Value, TimeSpan.FromSeconds(10), TombstoneKept);
    }

    [Fact]
    public async Task Hash_IsAsDocumented()
    {
        var (handle, last) = await CreateAsync(SessionDelta.Empty.Set("name", "Ada"u8).Set("@odd", "x"u8), lifetime: Kept);
        last = await CommitAsync(handle, Next(last, SessionDelta.Empty.WithTtl(TimeSpan.FromMinutes(1)), "41"));
        await Storage.ReleaseAsync(handle, last.Owner, Kept);

        var hash = (await (await _server.DatabaseAsync()).HashGetAllAsync(KeyOf(handle))).ToStringDictionary();

        Assert.Equal(
            ["@@odd", "@epoch", "@format", "@owner", "@r1", "@r2", "@released", "@silo", "@ttl", "@until", "@version", "name"],
            hash.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(("Ada", "x"), (hash["name"], hash["@@odd"]));
        Assert.Equal(("1", "1", "2", "1", "60000"), (hash["@format"], hash["@epoch"], hash["@version"], hash["@released"], hash["@ttl"]));
        Assert.Equal((last.Owner.Value, "silo-1"), (hash["@owner"], hash["@silo"]));
        Assert.Matches($"^{last.Id} [0-9]{{13}} 41$", hash["@r2"]);
    }

    [Theory]
    [InlineData("@format", "2")]
    [InlineData("@format", null)]
    public async Task HashInAnotherFormat_IsRefusedByEveryStepAndLeftAlone(string field, string? value)
    {
        var (handle, last) = await CreateAsync(SessionDelta.Empty.Set("a", [1]));
        var database = await _server.DatabaseAsync();
        await (value is null ? database.HashDeleteAsync(KeyOf(handle), field) : database.HashSetAsync(KeyOf(handle), field, value));
        var before = await database.HashGetAllAsync(KeyOf(handle));

        StoreReply[] replies =
        [
            await Storage.CreateAsync(handle, NewCreation(), last), await ClaimAsync(handle),
            await Storage.CommitAsync(handle, Next(last, SessionDelta.Empty.Set("a", [2]))),
            await Storage.TouchAsync(handle, last.Owner, 1, Kept), await Storage.ReleaseAsync(handle, last.Owner, Kept),
            await Storage.DestroyAsync(handle, SessionEndReason.Destroyed, TombstoneKept),
        ];

        Assert.All(replies, reply =>
        {
            AssertOutcome(StoreOutcome.Refused, reply);
            Assert.Contains("format", reply.Error!.Message, StringComparison.Ordinal);
        });
        Assert.Equal(before, await database.HashGetAllAsync(KeyOf(handle)));
    }

    [Fact]
    public async Task KeyOfAnotherType_IsRefusedAndLeftAlone()
    {
        var handle = SessionHandle.New();
        await (await _server.DatabaseAsync()).StringSetAsync(KeyOf(handle), "mine");

        AssertOutcome(StoreOutcome.Refused, await ClaimAsync(handle));
        AssertOutcome(StoreOutcome.Refused, await Storage.DestroyAsync(handle, SessionEndReason.Destroyed, TombstoneKept));
        Assert.Equal("mine", await (await _server.DatabaseAsync()).StringGetAsync(KeyOf(handle)));
    }

    [Theory]
    [InlineData("9007199254740993", "9007199254740992", StoreOutcome.Behind)]
    [InlineData("9007199254740992", "9007199254740993", StoreOutcome.Ahead)]
    [InlineData("10", "9", StoreOutcome.Behind)]
    [InlineData("9", "10", StoreOutcome.Ahead)]
    [InlineData("9007199254740993", "9007199254740993", StoreOutcome.Written)]
    public async Task Versions_AreComparedExactly(string owners, string stored, object outcome)
    {
        var (handle, last) = await CreateAsync(SessionDelta.Empty);
        await (await _server.DatabaseAsync()).HashSetAsync(KeyOf(handle), "@version", stored);
        var flush = Next(last, SessionDelta.Empty) with { FromVersion = long.Parse(owners, CultureInfo.InvariantCulture) };

        AssertOutcome((StoreOutcome)outcome, await Storage.TouchAsync(handle, last.Owner, flush.FromVersion, Kept));
        AssertOutcome((StoreOutcome)outcome, await Storage.CommitAsync(handle, flush));
    }

    [Fact]
    public async Task ScriptsFlushedByAnAdministrator_AreLoadedAgain()
    {
        var (handle, last) = await CreateAsync(SessionDelta.Empty);
        last = await CommitAsync(handle, Next(last, SessionDelta.Empty.Set("a", [1])));
        await (await _server.DatabaseAsync()).ExecuteAsync("SCRIPT", "FLUSH");

        await CommitAsync(handle, Next(last, SessionDelta.Empty.Set("a", [2])));

        Assert.Equal(3, (await ReadAsync(handle)).Version);
    }

    [Fact]
    public Task LongRandomSequences_AreAnsweredAsByTheModel() => StorageComparison.Steps.SampleAsync(
        async steps =>
        {
            var difference = await new StorageComparison(Storage, Events, TimeProvider.System, isShared: true).RunAsync(steps);
            Assert.True(difference is null, difference);
        },
        iter: 200);

    private RedisKey KeyOf(SessionHandle handle) => _prefix + handle;

    private async Task TakeEveryStepAsync(ISessionStorage storage)
    {
        var (handle, claim, first) = (SessionHandle.New(), OwnerNonce.New(), First(OwnerNonce.New()));
        AssertOutcome(StoreOutcome.Missing, await storage.ClaimAsync(handle, claim, "silo-2", TombstoneKept));
        AssertOutcome(StoreOutcome.Written, await storage.CreateAsync(handle, NewCreation(lifetime: Kept), first));
        var owner = (await storage.ClaimAsync(handle, claim, "silo-2", TombstoneKept)).Session!.Owner;
        var flush = Next(first, SessionDelta.Empty.Clear().Set("a", [1])) with { Owner = owner, KeepFor = Kept };
        AssertOutcome(StoreOutcome.Written, await storage.CommitAsync(handle, flush));
        AssertOutcome(StoreOutcome.Found, await storage.PeekAsync(handle));
        AssertOutcome(StoreOutcome.Written, await storage.TouchAsync(handle, owner, 2, Kept));
        AssertOutcome(StoreOutcome.Written, await storage.ReleaseAsync(handle, owner, Kept));
        AssertOutcome(StoreOutcome.Written, await storage.DestroyAsync(handle, SessionEndReason.Destroyed, TombstoneKept));
    }
}
