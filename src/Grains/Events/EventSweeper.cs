using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace SessionActors;

/// <summary>
/// Finds the sessions whose time is over, in memory or not, and those whose events somebody began to tell and did not end to: in the
/// index by deadline, of which each silo sweeps its share. Two that do not agree about the shares take turns by the hold on what is due.
/// </summary>
internal sealed class EventSweeper(
    EventTeller teller,
    IEventStorage events,
    Healing healing,
    OwnerNames names,
    ILocalSiloDetails here,
    ILogger<EventSweeper> logger,
    [FromKeyedServices(TimeProviderNames.Grains)] TimeProvider time)
    : ILifecycleParticipant<ISiloLifecycle>
{
    // How late an end is noticed, besides the touch interval that it is known to; and 3 commands a second of the whole cluster.
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(5);

    private const int AtOnce = 128;

    private readonly CancellationTokenSource _stopping = new();
    private Task _running = Task.CompletedTask;

    public void Participate(ISiloLifecycle observer) => observer.Subscribe(
        nameof(EventSweeper),
        ServiceLifecycleStage.Active,
        _ =>
        {
            _running = !teller.IsOn ? Task.CompletedTask
                : Task.WhenAll(teller.RunAsync(_stopping.Token), Task.Run(SweepAgainAndAgainAsync, CancellationToken.None));
            return Task.CompletedTask;
        },
        async _ =>
        {
            await _stopping.CancelAsync();
            await Task.WhenAny(_running);
        });

    private async Task SweepAgainAndAgainAsync()
    {
        using var timer = new PeriodicTimer(Period, time);
        try
        {
            while (await timer.WaitForNextTickAsync(_stopping.Token))
            {
                await Task.WhenAll(Shares().Select(SweepAsync));
            }
        }
        catch (OperationCanceledException)
        {
            // The silo stops.
        }
    }

    private async Task SweepAsync(int shard)
    {
        StoreReply reply;
        do
        {
            reply = await events.TakeDueAsync(shard, AtOnce, EventTeller.Hold);
            if (reply.Outcome != StoreOutcome.Found)
            {
                EventLog.NotSwept(logger, reply.Outcome, reply.Error);
            }

            if (reply.Due.Count > 0)
            {
                // Those whose time seems to be over are not, where the store has forgotten that they were renewed.
                await healing.Store.AskAnewAsync();
            }

            foreach (var handle in reply.Due)
            {
                // Where too many wait for one reader, the others go on, and this one is due again in time.
                teller.TrySay(handle);
            }
        }
        while (reply.Due.Count == AtOnce);
    }

    // Where nothing is known of the others, all of it.
    private IEnumerable<int> Shares()
    {
        var silos = names.ActiveSilos().Order().ToList();
        var place = silos.IndexOf(here.SiloAddress);
        return Enumerable.Range(0, events.Shards).Where(shard => place < 0 || shard % silos.Count == place);
    }
}
