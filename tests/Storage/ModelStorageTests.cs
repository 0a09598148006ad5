using Microsoft.Extensions.Time.Testing;

namespace SessionActors;

/// <summary>The contract over the model, so that model and contract cannot drift apart.</summary>
public sealed class ModelStorageTests : StorageContract
{
    private readonly FakeTimeProvider _time = new();

    private readonly ModelSessionStorage _storage;

    public ModelStorageTests() => _storage = new ModelSessionStorage(_time) { TellsOfUsers = true };

    private protected override ISessionStorage Storage => _storage;

    private protected override IEventStorage Events => _storage;

    protected override Task AdvanceAsync(TimeSpan time)
    {
        _time.Advance(time);
        return Task.CompletedTask;
    }

    protected override long TimestampAgo(TimeSpan age) => _time.GetTimestamp() - (long)(age.TotalSeconds * _time.TimestampFrequency);
}
