using System.Text;
using StackExchange.Redis;

namespace SessionActors;

/// <summary>
/// One of the scripts beside this file with its KEYS and ARGV bound, in the order that the script's header gives; nobody else counts them.
/// </summary>
/// <param name="Text">The script: the same string each time, which is how the client knows it is loaded.</param>
/// <param name="Key">Its only key.</param>
/// <param name="Arguments">Its arguments.</param>
/// <param name="Echo">What its reply repeats besides the key.</param>
internal sealed record RedisScript(string Text, string Key, RedisValue[] Arguments, string Echo)
{
    private static readonly string CreateText = Load("create.lua");
    private static readonly string ClaimText = Load("claim.lua");
    private static readonly string CommitText = Load("commit.lua");
    private static readonly string TouchText = Load("touch.lua");
    private static readonly string DestroyText = Load("destroy.lua");
    private static readonly string ReleaseText = Load("release.lua");

    /// <param name="key">The session.</param>
    /// <param name="creation">What it is created with.</param>
    /// <param name="flush">Its first flush.</param>
    /// <param name="deadlineMs">The Redis time up to which the create is accepted.</param>
    public static RedisScript Create(string key, Creation creation, Flush flush, long deadlineMs)
    {
        RedisValue lifetime = creation.AbsoluteLifetime is { } left ? RedisLayout.Ms(left) : RedisValue.EmptyString;
        var keep = flush.KeepFor ?? throw new ArgumentException("A create says how long the session is kept.", nameof(flush));
        var secret = flush.Secret ?? (creation.Secret is { } hash ? new RotatedSecret(hash, Generation: 1) : null);
        return new(
            CreateText,
            key,
            [
                flush.Owner.Value, creation.OwnerName, deadlineMs, lifetime, RedisLayout.Ms(keep), flush.ToVersion,
                .. RedisLayout.Fields(flush, secret),
            ],
            flush.Id.ToString());
    }

    public static RedisScript Claim(string key, OwnerNonce owner, string ownerName, TimeSpan tombstone) =>
        new(ClaimText, key, [owner.Value, ownerName, RedisLayout.Ms(tombstone)], owner.Value);

    public static RedisScript Commit(string key, Flush flush)
    {
        RedisValue keep = flush.KeepFor is { } duration ? RedisLayout.Ms(duration) : RedisValue.EmptyString;
        var fields = RedisLayout.Fields(flush, flush.Secret);
        return new(
            CommitText,
            key,
            [
                flush.Owner.Value, flush.FromVersion, flush.ToVersion, keep, flush.Delta.Clears, fields.Count / 2,
                .. fields, .. flush.Delta.Removes.Select(name => (RedisValue)RedisLayout.PropertyField(name)),
            ],
            flush.Id.ToString());
    }

    public static RedisScript Touch(string key, OwnerNonce owner, long version, TimeSpan keepFor) =>
        new(TouchText, key, [owner.Value, version, RedisLayout.Ms(keepFor)], owner.Value);

    public static RedisScript Destroy(string key, SessionEndReason reason, TimeSpan tombstone, OwnerNonce? owner)
    {
        var id = RequestId.New().ToString();
        return new(DestroyText, key, [id, RedisLayout.ReasonText(reason), RedisLayout.Ms(tombstone), owner?.Value ?? ""], id);
    }

    public static RedisScript Release(string key, OwnerNonce owner, TimeSpan keepFor) =>
        new(ReleaseText, key, [owner.Value, RedisLayout.Ms(keepFor)], owner.Value);

    /// <summary>
    /// Sends it: one EVALSHA, and one more command where Redis does not know the script yet. Never to a replica, which may lag behind and
    /// would call a session missing.
    /// </summary>
    public Task<RedisResult> SendAsync(IDatabase database) =>
        database.ScriptEvaluateAsync(Text, [Key], Arguments, CommandFlags.DemandMaster);

    private static string Load(string name)
    {
        using var stream = typeof(RedisScript).Assembly.GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"The script {name} is not in the assembly.");
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return reader.ReadToEnd();
    }
}
