using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Options;

namespace SessionActors;

/// <summary>What a session takes of Redis' memory, as the pages about it say.</summary>
[Collection(RedisGroup.Name)]
public sealed partial class RedisMemoryTests(RedisFixture fixture)
{
    // After so many the ring of request ids is full.
    private const int Writes = 128;

    // Redis rounds up to what its allocator has, which differs between machines and versions.
    private const double Tolerance = 0.25;

    [Theory]
    [InlineData(60, "short", null)]
    [InlineData(1000, "long", null)]
    [InlineData(1000, "short", "2048")]
    public async Task ASession_TakesAsMuchAsIsDocumented_NewAndWrittenManyTimes(int bytes, string values, string? longestListed)
    {
        const string form = "hash-max-listpack-value";
        var server = (await fixture.Server.AdminAsync()).GetServer(fixture.Server.Address);
        var before = (await server.ConfigGetAsync(form)).Single().Value;
        await server.ConfigSetAsync(form, longestListed ?? before);
        var options = Options.Create(
            new SessionActorsOptions { Redis = fixture.Server.ConnectionString, KeyPrefix = $"memory:{RequestId.New()}:" });
        await using var connection = new RedisConnection(options);
        var storage = new RedisSessionStorage(connection, options);
        var handle = SessionHandle.New();
        var flush = new Flush
        {
            Owner = OwnerNonce.New(),
            FromVersion = 0,
            Entries = [new RingEntry(RequestId.New(), "")],
            Delta = SessionDelta.Empty.Set("property", new byte[bytes]),
            KeepFor = TimeSpan.FromMinutes(20),
        };
        var creation = new Creation
        {
            OwnerName = "10.0.0.5:11111@154705739", Secret = SecretHash.Of([1]), AbsoluteLifetime = null,
            StartedAt = TimeProvider.System.GetTimestamp(),
        };
        Assert.Equal(StoreOutcome.Written, (await storage.CreateAsync(handle, creation, flush)).Outcome);
        var atFirst = await OverheadAsync();
        for (var i = 0; i < Writes; i++)
        {
            flush = flush with { FromVersion = flush.ToVersion, Entries = [new RingEntry(RequestId.New(), "")] };
            Assert.Equal(StoreOutcome.Written, (await storage.CommitAsync(handle, flush)).Outcome);
        }

        var inTheEnd = await OverheadAsync();
        await server.ConfigSetAsync(form, before);
        var told = Told().Match(SourceTree.Read("docs", "operations.md"));
        Near(told.Groups[$"{values}New"].Value, atFirst);
        Near(told.Groups[$"{values}Full"].Value, inTheEnd);

        // All fields, where Redis would guess from some.
        async Task<long> OverheadAsync() => (long)await (await fixture.Server.DatabaseAsync()).ExecuteAsync(
            "MEMORY", "USAGE", $"{options.Value.KeyPrefix}{handle}", "SAMPLES", 0) - bytes;
    }

    private static void Near(string kilobytes, long bytes)
    {
        var told = 1000 * double.Parse(kilobytes, CultureInfo.InvariantCulture);
        Assert.True(
            Math.Abs(bytes - told) < Tolerance * told,
            $"docs/operations.md (and so docs/scaling.md) tells of {kilobytes} KB besides names and values; it is {bytes} bytes");
    }

    [GeneratedRegex(
        @"64 bytes \| (?<shortNew>[\d.]+) KB \| (?<shortFull>[\d.]+) KB \|
\|[^|]+\| (?<longNew>[\d.]+) KB \| (?<longFull>[\d.]+) KB \|")]
    private static partial Regex Told();
}
