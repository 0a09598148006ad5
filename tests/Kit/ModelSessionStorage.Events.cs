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
                _entries[handle] = new Entry { Ended = reason, ExpiresAt = Now + tombstone };
                break;
            case { Grace: not null }:
                entry.Told = Math.Max(entry.Told, told);
                break;
        }

        return new StoreReply(StoreOutcome.Written);
    });

    public Task<StoreReply> ScheduleAsync(SessionHandle handle, TimeSpan? dueIn)
    {
        lock (_gate)
        {
            if (dueIn is { } some)
            {
                _due[handle] = Now + some;
            }
            else
            {
                _due.Remove(handle);
            }

            return Task.FromResult(new StoreReply(StoreOutcome.Written));
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
