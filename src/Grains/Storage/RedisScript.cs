using System.Globalization;
using StackExchange.Redis;

namespace SessionActors;

/// <summary>
/// One of the scripts beside this file with its KEYS and ARGV bound, in the order that the script's header gives; nobody else counts them.
/// </summary>
/// <param name="Source">The script.</param>
/// <param name="Key">Its only key.</param>
/// <param name="Arguments">Its arguments.</param>
/// <param name="Echo">What its reply repeats besides the key.</param>
internal sealed record RedisScript(RedisScriptSource Source, string Key, RedisValue[] Arguments, string Echo)
{
    private static readonly RedisScriptSource CreateSource = new("create.lua");
    private static readonly RedisScriptSource ClaimSource = new("claim.lua");
    private static readonly RedisScriptSource CommitSource = new("commit.lua");
    private static readonly RedisScriptSource PeekSource = new("peek.lua");
    private static readonly RedisScriptSource TouchSource = new("touch.lua");
    private static readonly RedisScriptSource DestroySource = new("destroy.lua");
    private static readonly RedisScriptSource ReleaseSource = new("release.lua");
    private static readonly RedisScriptSource RestoreSource = new("restore.lua");
    private static readonly RedisScriptSource WarnSource = new("warn.lua");
    private static readonly RedisScriptSource MarkedSource = new("marked.lua");
    private static readonly RedisScriptSource UntoldSource = new("untold.lua");
    private static readonly RedisScriptSource ToldSource = new("told.lua");
    private static readonly RedisScriptSource ScheduleSource = new("schedule.lua");
    private static readonly RedisScriptSource DueSource = new("due.lua");

    /// <param name="key">The session.</param>
    /// <param name="creation">What it is created with.</param>
    /// <param name="flush">Its first flush.</param>
    /// <param name="deadlineMs">The Redis time up to which the create is accepted.</param>
    public static RedisScript Create(string key, Creation creation, Flush flush, long deadlineMs)
    {
        var lifetime = OptionalMs(creation.AbsoluteLifetime);
        var keep = flush.KeepFor ?? throw new ArgumentException("A create says how long the session is kept.", nameof(flush));
        var secret = flush.Secret ?? (creation.Secret is { } hash ? new RotatedSecret(hash, Generation: 1) : null);
        return new(
            CreateSource,
            key,
            [
                flush.Owner.Value, creation.OwnerName, deadlineMs, lifetime, RedisLayout.Ms(keep),
                OptionalMs(creation.EventGrace), flush.ToVersion,
                .. RedisLayout.Fields(flush, secret),
            ],
            flush.Id.ToString());
    }

    public static RedisScript Claim(string key, OwnerNonce owner, string ownerName, TimeSpan tombstone) =>
        new(ClaimSource, key, [owner.Value, ownerName, RedisLayout.Ms(tombstone)], owner.Value);

    public static RedisScript Commit(string key, Flush flush)
    {
        var keep = OptionalMs(flush.KeepFor);
        var fields = RedisLayout.Fields(flush, flush.Secret);
        ReadOnlySpan<RedisValue> head =
            [flush.Owner.Value, flush.FromVersion, flush.ToVersion, keep, flush.Delta.Clears, fields.Count / 2];
        var arguments = new RedisValue[head.Length + fields.Count + flush.Delta.Removes.Count];
        head.CopyTo(arguments);
        fields.CopyTo(arguments, head.Length);
        var place = head.Length + fields.Count;
        foreach (var name in flush.Delta.Removes)
        {
            arguments[place++] = RedisLayout.PropertyField(name);
        }

        return new(CommitSource, key, arguments, flush.Id.ToString());
    }

    public static RedisScript Peek(string key)
    {
        var id = RequestId.New().ToString();
        return new(PeekSource, key, [id], id);
    }

    public static RedisScript Touch(string key, OwnerNonce owner, long version, TimeSpan keepFor) =>
        new(TouchSource, key, [owner.Value, version, RedisLayout.Ms(keepFor)], owner.Value);

    public static RedisScript Destroy(
        string key, SessionEndReason reason, TimeSpan tombstone, OwnerNonce? owner, bool onlyIfOver = false)
    {
        var id = RequestId.New().ToString();
        return new(DestroySource, key, [id, RedisLayout.ReasonText(reason), RedisLayout.Ms(tombstone), owner?.Value ?? "", onlyIfOver], id);
    }

    public static RedisScript Release(string key, OwnerNonce owner, TimeSpan keepFor) =>
        new(ReleaseSource, key, [owner.Value, RedisLayout.Ms(keepFor)], owner.Value);

    /// <param name="key">The session.</param>
    /// <param name="restoration">What is to be written back.</param>
    /// <param name="deadlineMs">The Redis time up to which that is accepted.</param>
    public static RedisScript Restore(string key, Restoration restoration, long deadlineMs)
    {
        var (owner, state) = (restoration.Owner.Value, restoration.State);
        var lifetime = OptionalMs(restoration.LifetimeLeft);
        return new(
            RestoreSource,
            key,
            [
                owner, restoration.OwnerName, deadlineMs, restoration.ClaimedFrom?.Owner.Value ?? "", restoration.ClaimedFrom?.Version ?? 0,
                state.Version, restoration.Epoch, RedisLayout.Ms(restoration.KeepFor), lifetime, OptionalMs(restoration.EventGrace),
                restoration.Told, restoration.Ring.Length,
                .. RedisLayout.Slots(restoration), .. RedisLayout.Fields(state),
            ],
            owner);
    }

    public static RedisScript Warn(string key)
    {
        var id = RequestId.New().ToString();
        return new(WarnSource, key, [id, RedisLayout.Ms(ISessionStorage.WarningKept)], id);
    }

    public static RedisScript Marked(string key, int part)
    {
        var id = RequestId.New().ToString();
        return new(MarkedSource, key, [id, part], id);
    }

    public static RedisScript Untold(string key)
    {
        var id = RequestId.New().ToString();
        return new(UntoldSource, key, [id], id);
    }

    public static RedisScript Told(string key, int told, bool end, TimeSpan tombstone)
    {
        var id = RequestId.New().ToString();
        return new(ToldSource, key, [id, told, end, RedisLayout.Ms(tombstone)], id);
    }

    /// <param name="key">The part of the index.</param>
    /// <param name="handle">The session.</param>
    /// <param name="dueIn">When it is to be looked at; null never.</param>
    /// <param name="place">Only where it is at this place; null always.</param>
    public static RedisScript Schedule(string key, SessionHandle handle, TimeSpan? dueIn, string? place)
    {
        var id = RequestId.New().ToString();
        // With decimals, so that two do not get the same place.
        var due = dueIn?.TotalMilliseconds.ToString("0.###", CultureInfo.InvariantCulture) ?? "";
        return new(ScheduleSource, key, [id, handle.ToString(), due, place ?? ""], id);
    }

    /// <param name="key">The part of the index.</param>
    /// <param name="most">How many sessions at most.</param>
    /// <param name="hold">How long they are taken for.</param>
    public static RedisScript Due(string key, int most, TimeSpan hold)
    {
        var id = RequestId.New().ToString();
        return new(DueSource, key, [id, most, RedisLayout.Ms(hold)], id);
    }

    /// <summary>
    /// Sends it: one EVALSHA, and more where Redis does not know the script yet. Never to a replica, which may lag behind and would call a
    /// session missing.
    /// </summary>
    public async Task<RedisResult> SendAsync(IDatabase database)
    {
        try
        {
            return await SendHashAsync(database);
        }
        catch (RedisServerException e) when (IsUnknown(e))
        {
            return await SendTextAsync(database);
        }
    }

    /// <summary>Sends it by its hash.</summary>
    public Task<RedisResult> SendHashAsync(IDatabase database) =>
        database.ScriptEvaluateAsync(Source.Hash, [Key], Arguments, CommandFlags.DemandMaster);

    /// <summary>Sends it whole.</summary>
    public Task<RedisResult> SendTextAsync(IDatabase database) =>
        database.ScriptEvaluateAsync(Source.Text, [Key], Arguments, CommandFlags.DemandMaster | CommandFlags.NoScriptCache);

    /// <summary>Whether Redis knew the script and has lost it (a restart, SCRIPT FLUSH, a failover), or was never told.</summary>
    public static bool IsUnknown(RedisServerException e) => e.Message.StartsWith("NOSCRIPT", StringComparison.Ordinal);

    private static RedisValue OptionalMs(TimeSpan? duration) => duration is { } some ? RedisLayout.Ms(some) : RedisValue.EmptyString;
}
