using Microsoft.Extensions.Time.Testing;

namespace SessionActors;

/// <summary>Two activations of one session, forced: two clusters that know nothing of each other over one store.</summary>
internal sealed class TwoActivations(ModelSessionStorage store, SessionCluster first, SessionCluster second) : IAsyncDisposable
{
    public ModelSessionStorage Store => store;

    public SessionHandle Handle { get; } = SessionHandle.New();

    public SessionCluster First => first;

    public SessionCluster Second => second;

    public (ISessionGrain Here, ISessionGrain There) Sessions => (first.Session(Handle), second.Session(Handle));

    public static async Task<TwoActivations> StartAsync(string firstCluster, string secondCluster)
    {
        var time = new FakeTimeProvider();
        var storage = new ModelSessionStorage(time);
        return new TwoActivations(
            storage,
            await SessionCluster.StartAsync(storage, time, clusterId: firstCluster),
            await SessionCluster.StartAsync(storage, time, clusterId: secondCluster));
    }

    public async ValueTask DisposeAsync()
    {
        await first.DisposeAsync();
        await second.DisposeAsync();
    }
}
