namespace SessionActors;

/// <content>What silos tell each other by the store, and find when they probe it.</content>
internal sealed partial class ModelSessionStorage
{
    private readonly Dictionary<string, string> _warnings = [];
    private readonly Dictionary<int, string> _announced = [];
    private int _warned;

    /// <summary>Whether probes tell of users whose sessions were ended together. Without that sessions ask every few seconds.</summary>
    public bool TellsOfUsers { get; init; }

    public Task<StoreReply> WarnAsync(string ownerName)
    {
        lock (_gate)
        {
            _warnings[ownerName] = $"{_warned++}";
            return Task.FromResult(new StoreReply(StoreOutcome.Written));
        }
    }

    public Task<StoreReply> AnnounceAsync(int part)
    {
        lock (_gate)
        {
            _announced[part] = RequestId.New().ToString();
            return Task.FromResult(new StoreReply(StoreOutcome.Written));
        }
    }

    public Task<StoreProbe> ProbeAsync(string ownerName)
    {
        lock (_gate)
        {
            var marks = TellsOfUsers ? new Dictionary<int, string>(_announced) : null;
            return Task.FromResult(new StoreProbe(null, Identity, _warnings.GetValueOrDefault(ownerName), marks));
        }
    }
}
