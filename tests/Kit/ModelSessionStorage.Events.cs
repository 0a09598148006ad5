namespace SessionActors;

/// <content>What has been told of the sessions, and when somebody is to look at them.</content>
internal sealed partial class ModelSessionStorage
{
    private readonly Dictionary<SessionHandle, DateTimeOffset> _due = [];

    public int Shards => 1;

    public Task<StoreReply> UntoldAsync(SessionHandle handle) => StepAsync(handle, entry => entry switch
    {
        { Grace: { } grace } => new StoreReply(StoreOutcome.Found)
        {
            Untold = new UntoldEvents
            {
                Told = entry.Told,
                Generation = entry.Generation,
                Ended = entry.Ended,
                Left = entry.ExpiresAt - grace - Now,
                IsPastLifetime = entry.EndsAt <= Now,
                User = entry.User,
                Properties = entry.Properties,
            },
        },
        { Ended: { } reason } => new StoreReply(StoreOutcome.Tombstone, reason),
        _ => new StoreReply(StoreOutcome.Missing),
    });

    public Task<StoreReply> ToldAsync(SessionHandle handle, int told, bool end, TimeSpan tombstone) => StepAsync(handle, entry =>
    {
        switch (entry)
        {
            case null:
                return new StoreReply(StoreOutcome.Missing);
            case { Grace: not null, Ended: { } reason } when end:
                _entries[handle] = new Entry { Ended = reason, ExpiresAt = Now + tombstone, TakenFrom = entry.TakenFrom };
                break;
            case { Grace: not null }:
                entry.Told = Math.Max(entry.Told, told);
                break;
        }

        return new StoreReply(StoreOutcome.Written);
    });

    public Task<StoreReply> ExpireAsync(SessionHandle handle, SessionEndReason reason, TimeSpan tombstone) => StepAsync(handle, entry =>
    {
        switch (entry)
        {
            case null:
                return new StoreReply(StoreOutcome.Missing);
            case { Ended: not null }:
                entry.ExpiresAt = entry.ExpiresAt > Now + tombstone ? entry.ExpiresAt : Now + tombstone;
                return new StoreReply(StoreOutcome.AlreadyWritten) { TakenFrom = entry.TakenFrom };
            case { Grace: { } grace } when entry.ExpiresAt - grace <= Now:
                _entries[handle] = entry.Buried(reason, Now + tombstone);
                return new StoreReply(StoreOutcome.Written) { User = entry.User };
            default:
                return new StoreReply(StoreOutcome.Found);
        }
    });

    public Task<StoreReply> ScheduleAsync(SessionHandle handle, TimeSpan? dueIn, string? place = null)
    {
        lock (_gate)
        {
            if (place is not null && (!_due.TryGetValue(handle, out var due) || $"{due.Ticks}" != place))
            {
                return Task.FromResult(new StoreReply(StoreOutcome.Fenced));
            }

            if (dueIn is not { } some)
            {
                _due.Remove(handle);
                return Task.FromResult(new StoreReply(StoreOutcome.Written) { Place = "" });
            }

            _due[handle] = Now + some;
            return Task.FromResult(new StoreReply(StoreOutcome.Written) { Place = $"{_due[handle].Ticks}" });
        }
    }

    public Task<StoreReply> TakeDueAsync(int shard, int most, TimeSpan hold)
    {
        lock (_gate)
        {
            var due = _due.Where(entry => entry.Value <= Now).OrderBy(entry => entry.Value).Take(most).Select(entry => entry.Key).ToList();
            due.ForEach(handle => _due[handle] = Now + hold);
            return Task.FromResult(new StoreReply(StoreOutcome.Found) { Due = due });
        }
    }
}
