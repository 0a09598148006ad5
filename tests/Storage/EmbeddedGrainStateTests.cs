using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Orleans.Serialization;
using Orleans.Storage;

namespace SessionActors;

public sealed class EmbeddedGrainStateTests : IAsyncDisposable
{
    private static readonly GrainId Grain = GrainId.Create("test", "one");

    private readonly ServiceProvider _services = new ServiceCollection().AddSerializer().BuildServiceProvider();
    private readonly FakeTimeProvider _time = new(TimeProvider.System.GetUtcNow());
    private readonly SqliteDatabase _database = new(SqliteDatabase.InMemory, TimeSpan.Zero, TimeProvider.System);
    private readonly SqliteGrainState _storage;

    public EmbeddedGrainStateTests() =>
        _storage = new SqliteGrainState(
            _database, new OrleansGrainStorageSerializer(_services.GetRequiredService<Serializer>()), _time);

    public async ValueTask DisposeAsync()
    {
        await _database.DisposeAsync();
        await _services.DisposeAsync();
    }

    [Fact]
    public async Task StateNobodyWrote_IsEmptyAndDoesNotExist()
    {
        var state = await ReadAsync();

        Assert.False(state.RecordExists);
        Assert.Null(state.ETag);
        Assert.Empty(state.State!);
    }

    [Fact]
    public async Task WrittenState_IsReadUnderItsOwnNameAndGrainOnly()
    {
        var written = await WriteAsync(await ReadAsync(), "a", "b");

        var read = await ReadAsync();
        Assert.True(written.RecordExists);
        Assert.Equal(["a", "b"], read.State);
        Assert.Equal(written.ETag, read.ETag);
        Assert.False((await ReadAsync("other")).RecordExists);
        Assert.False((await ReadAsync(grain: GrainId.Create("test", "two"))).RecordExists);
    }

    [Fact]
    public async Task WriteOverWhatSomebodyElseWrote_IsInconsistentAndChangesNothing()
    {
        var stale = await ReadAsync();
        var first = await WriteAsync(await ReadAsync(), "first");

        await Assert.ThrowsAsync<InconsistentStateException>(() => WriteAsync(stale, "stale"));
        Assert.Equal(["first"], (await ReadAsync()).State);
        await WriteAsync(first, "second");
        Assert.Equal(["second"], (await ReadAsync()).State);
    }

    [Fact]
    public async Task ClearedState_IsGoneAndAnEtagFromBeforeFitsNothing()
    {
        var state = await WriteAsync(await ReadAsync(), "a");
        var stale = await ReadAsync();

        await _storage.ClearStateAsync("state", Grain, state);

        Assert.False(state.RecordExists);
        Assert.Null(state.ETag);
        Assert.Empty(state.State!);
        Assert.False((await ReadAsync()).RecordExists);
        await WriteAsync(state, "again");
        await Assert.ThrowsAsync<InconsistentStateException>(() => WriteAsync(stale, "stale"));
        await Assert.ThrowsAsync<InconsistentStateException>(() => _storage.ClearStateAsync("state", Grain, stale));
        Assert.Equal(["again"], (await ReadAsync()).State);
    }

    private async Task<GrainState<List<string>>> ReadAsync(string name = "state", GrainId? grain = null)
    {
        var state = new GrainState<List<string>>();
        await _storage.ReadStateAsync(name, grain ?? Grain, state);
        return state;
    }

    private async Task<GrainState<List<string>>> WriteAsync(GrainState<List<string>> state, params string[] values)
    {
        state.State = [.. values];
        await _storage.WriteStateAsync("state", Grain, state);
        return state;
    }
}
