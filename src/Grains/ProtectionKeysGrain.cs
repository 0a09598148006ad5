using System.Collections.Immutable;
using Orleans.Storage;

namespace SessionActors;

/// <summary>Keeps the keys of Data Protection in the small state of the cluster. They are few, and one comes every few months.</summary>
internal sealed class ProtectionKeysGrain(
    [PersistentState("protectionkeys", CookieKeysGrain.StorageName)] IPersistentState<ProtectionKeys> keys) : Grain, IProtectionKeysGrain
{
    private const int MostTries = 5;

    // As it is stored: a server that asks is about to make a key where it finds none.
    public async ValueTask<ImmutableArray<string>> ReadAsync()
    {
        await keys.ReadStateAsync();
        return keys.State.Keys;
    }

    public async Task AddAsync(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        for (var tries = 1; ; tries++)
        {
            var before = keys.State;
            if (before.Keys.Contains(key))
            {
                return;
            }

            try
            {
                keys.State = new ProtectionKeys { Keys = before.Keys.Add(key) };
                await keys.WriteStateAsync();
                return;
            }
            catch (InconsistentStateException) when (tries < MostTries)
            {
                await keys.ReadStateAsync();
            }
            catch
            {
                keys.State = before;
                throw;
            }
        }
    }
}

/// <summary>The keys, each an element of XML as text.</summary>
[GenerateSerializer, Immutable, Alias("SessionActors.ProtectionKeys")]
internal sealed class ProtectionKeys
{
    [Id(0)]
    public ImmutableArray<string> Keys { get; init; } = [];
}
