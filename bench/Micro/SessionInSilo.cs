using Microsoft.Extensions.DependencyInjection;

namespace SessionActors.MicroBench;

/// <summary>A session of 20 properties in a silo of this process, opened already.</summary>
internal sealed class SessionInSilo : IAsyncDisposable
{
    private const int Properties = 20;
    private static readonly SecretHash Secret = SecretHash.Of([1]);

    private readonly SessionCluster _cluster;
    private readonly SessionHandle _handle;
    private readonly ISessionGrain _grain;
    private readonly ILocalSessions _local;
    private readonly SessionDelta[] _deltas;
    private int _turn;

    private SessionInSilo(SessionCluster cluster, SessionHandle handle)
    {
        var silo = cluster.Silos.Silos[0].ServiceProvider;
        _cluster = cluster;
        _handle = handle;
        // The silo's own client: the cluster's is one from outside, to which everything is sent in bytes.
        _grain = silo.GetRequiredService<IGrainFactory>().GetGrain<ISessionGrain>(handle);
        _local = silo.GetRequiredService<ILocalSessions>();
        var sample = new SampleSession(Properties);
        // Each changes what the other has set.
        _deltas =
        [
            SessionDelta.Empty.Set(sample.Names[0], SampleSession.NewValue), SessionDelta.Empty.Set(sample.Names[0], SampleSession.Value),
        ];
    }

    public static async Task<SessionInSilo> StartAsync(ISessionStorage storage)
    {
        var cluster = await SessionCluster.StartAsync(storage, TimeProvider.System, configure: options =>
        {
            // Nothing but what is measured is to happen meanwhile.
            options.Ttl = TimeSpan.FromDays(1);
            options.TouchInterval = TimeSpan.FromHours(1);
        });
        var handle = SessionHandle.New();
        var session = new SessionInSilo(cluster, handle);
        var all = new SessionDelta { Sets = new SampleSession(Properties).Snapshot.Properties };
        await session._grain.CreateAsync(new NewSession { Secret = Secret, Delta = all }, SessionRequest.New());
        await session.OpenAsync();
        return session;
    }

    /// <summary>Opens it as a web server beside the silo does first.</summary>
    public SessionOpening OpenInMemory() => _local.TryOpen(_handle, Secret, slide: true)
        ?? throw new InvalidOperationException("The session is in memory and was opened, and yet its grain would have to be asked.");

    /// <summary>Opens it with a call to its grain.</summary>
    public ValueTask<SessionOpening> OpenAsync() => _grain.OpenAsync(Secret, slide: true);

    /// <summary>Changes one property.</summary>
    public Task<long> CommitAsync() => _grain.CommitAsync(_deltas[_turn++ % _deltas.Length], SessionRequest.New());

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();
}
