using Orleans.Storage;

namespace SessionActors;

/// <summary>
/// Keeps the small state of grains other than sessions in the embedded store. Every write draws a new etag, so that one from before a
/// clear never matches what was written after it. Pages of lists of users' sessions go when nobody has written them for long.
/// </summary>
internal sealed class SqliteGrainState(SqliteDatabase database, IGrainStorageSerializer serializer, TimeProvider time) : IGrainStorage
{
    private const int SweepEvery = 256;

    private readonly SqliteStatement _read = database.Statement("SELECT etag, value FROM grain_state WHERE name = ?1 AND grain = ?2");
    private readonly SqliteStatement _write = database.Statement(
        "REPLACE INTO grain_state (name, grain, etag, value, written) VALUES (?, ?, ?, ?, ?)");

    private readonly SqliteStatement _clear = database.Statement("DELETE FROM grain_state WHERE name = ?1 AND grain = ?2");
    private readonly SqliteStatement _sweep = database.Statement(
        "DELETE FROM grain_state WHERE name BETWEEN ?1 AND ?2 AND written < ?3");

    private int _writes;

    public async Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        var (etag, value) = await database.RunAsync(() => Read(stateName, grainId));
        grainState.ETag = etag;
        grainState.RecordExists = etag is not null;
        grainState.State = value is null ? Activator.CreateInstance<T>() : serializer.Deserialize<T>(new BinaryData(value));
    }

    public async Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        var value = serializer.Serialize(grainState.State).ToMemory();
        var etag = RequestId.New().ToString();
        await ChangeAsync(stateName, grainId, grainState.ETag, () =>
        {
            var now = time.GetUtcNow().UtcTicks;
            _write.Bind(1, stateName).Bind(2, grainId.ToString()).Bind(3, etag).Bind(4, value.Span).Bind(5, now).Run();
            if (++_writes % SweepEvery == 0)
            {
                // Behind the name of a page come hexadecimal digits.
                _sweep.Bind(1, UserSessionPages.StateName).Bind(2, UserSessionPages.StateName + "g")
                    .Bind(3, now - UserSessionPages.KeptUnused.Ticks).Run();
            }
        });
        grainState.ETag = etag;
        grainState.RecordExists = true;
    }

    public async Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        await ChangeAsync(stateName, grainId, grainState.ETag, () => _clear.Bind(1, stateName).Bind(2, grainId.ToString()).Run());
        grainState.ETag = null;
        grainState.RecordExists = false;
        grainState.State = Activator.CreateInstance<T>();
    }

    private (string? Etag, byte[]? Value) Read(string stateName, GrainId grainId)
    {
        _read.Bind(1, stateName).Bind(2, grainId.ToString());
        try
        {
            return _read.Read() ? (_read.Text(0), _read.Bytes(1).ToArray()) : default;
        }
        finally
        {
            _read.Reset();
        }
    }

    private async Task ChangeAsync(string stateName, GrainId grainId, string? expected, Action change)
    {
        var stored = await database.RunAsync(() =>
        {
            var (etag, _) = Read(stateName, grainId);
            if (etag == expected)
            {
                change();
            }

            return etag;
        });
        if (stored != expected)
        {
            throw new InconsistentStateException(
                $"State '{stateName}' of grain {grainId} was written by somebody else since it was read. Read it again and repeat the "
                + "change.",
                stored ?? "none",
                expected ?? "none");
        }
    }
}
