using System.Buffers.Text;
using System.Collections.Immutable;
using System.Globalization;
using StackExchange.Redis;

namespace SessionActors;

/// <summary>
/// The hash that a session is in Redis, format 1. The key is <c>{KeyPrefix}{handle}</c>. A field for each property, its value as it is;
/// names of meta fields begin with <c>@</c>, and a property's name that begins so gets another one in front.
/// <list type="table">
/// <item><term>@format</term><description>1</description></item>
/// <item><term>@owner</term><description>nonce of the owner, 22 characters</description></item>
/// <item><term>@silo</term><description>the owner's name</description></item>
/// <item><term>@released</term><description>1 after a clean hand-over, else absent</description></item>
/// <item><term>@from</term><description>the names of earlier owners since the last clean hand-over, a line each; else
/// absent</description></item>
/// <item><term>@version</term><description>number of deltas so far</description></item>
/// <item><term>@epoch</term><description>number of owners so far</description></item>
/// <item><term>@ttl</term><description>the session's own idle time-out in ms, where it has one</description></item>
/// <item><term>@until</term><description>its absolute end in ms of Redis' own clock, where it has one</description></item>
/// <item><term>@secret</term><description>SHA-256 of the cookie's secret, base64url, where a cookie opens the session</description></item>
/// <item><term>@generation</term><description>how many secrets there have been, with @secret</description></item>
/// <item><term>@user</term><description>whose session it is: the mark of that user's sessions when it was bound, a blank, the user's
/// id</description></item>
/// <item><term>@grace</term><description>ms by which Redis keeps it longer than it lives, where its events are told</description></item>
/// <item><term>@told</term><description>how many of its starts and rotations have been told, from the first on</description></item>
/// <item><term>@r0 … @r127</term><description>the ring: the delta that led to version v is in slot v mod 128, as its request id (22
/// characters), the Redis time in ms when it was written and, where it is not the version, its result (see
/// <see cref="SessionOperations"/>), with blanks between. A slot does not say its version: it follows from @version, and so a commit costs
/// the same however long the ring is.</description></item>
/// </list>
/// A tombstone is a hash with <c>@ended</c> alone: <c>destroyed</c>, <c>idle</c>, <c>lifetime</c>, <c>revoked</c> or <c>limit</c>. Until
/// its end has been told, one of a session with events has <c>@grace</c>, <c>@told</c>, <c>@generation</c>, <c>@user</c> and the
/// properties besides.
/// </summary>
internal static class RedisLayout
{
    // What the scripts take: 15 digits, which a Lua number holds exactly.
    public const long LongestMs = 100_000_000_000_000;

    /// <summary>A duration for Redis: whole ms, rounded up, at least 1 (PEXPIRE with 0 deletes the key).</summary>
    public static long Ms(TimeSpan duration) => long.Clamp((long)Math.Ceiling(duration.TotalMilliseconds), 1, LongestMs);

    public static string PropertyField(string name) => name.StartsWith('@') ? "@" + name : name;

    public static string RingField(long version) =>
        string.Create(CultureInfo.InvariantCulture, $"@r{version % ISessionStorage.RingSize}");

    public static string ReasonText(SessionEndReason reason) => reason switch
    {
        SessionEndReason.Destroyed => "destroyed",
        SessionEndReason.Idle => "idle",
        SessionEndReason.Lifetime => "lifetime",
        SessionEndReason.Revoked => "revoked",
        SessionEndReason.Limit => "limit",
        _ => throw new ArgumentOutOfRangeException(nameof(reason), reason, "No session ends so."),
    };

    public static SessionEndReason Reason(string text) => text switch
    {
        "destroyed" => SessionEndReason.Destroyed,
        "idle" => SessionEndReason.Idle,
        "lifetime" => SessionEndReason.Lifetime,
        "revoked" => SessionEndReason.Revoked,
        "limit" => SessionEndReason.Limit,
        _ => throw new FormatException($"A tombstone says '{text}', which is no reason for a session's end."),
    };

    /// <summary>The fields that a flush sets, as field, value, field, value …; the slot of its first delta leads.</summary>
    public static List<RedisValue> Fields(Flush flush, RotatedSecret? secret)
    {
        var delta = flush.Delta;
        var fields = new List<RedisValue>(2 * (flush.Entries.Length + delta.Sets.Count + 3));
        for (var i = 0; i < flush.Entries.Length; i++)
        {
            var entry = flush.Entries[i];
            fields.Add(RingField(flush.FromVersion + 1 + i));
            fields.Add(RingText(entry));
        }

        AddContent(fields, delta.Sets, delta.Ttl, secret, flush.User);
        return fields;
    }

    /// <summary>Every slot of the ring of a session that is written back, as field, id and result, age in ms, field …</summary>
    public static IEnumerable<RedisValue> Slots(Restoration restoration) => restoration.Ring.SelectMany(
        slot => (RedisValue[])[RingField(slot.Version), RingText(slot.Entry), Ms(slot.Age)]);

    /// <summary>What a session that is written back holds, as field, value, field, value …</summary>
    public static List<RedisValue> Fields(SessionState state)
    {
        var fields = new List<RedisValue>(2 * (state.Properties.Count + 3));
        AddContent(
            fields, state.Properties, state.OwnTtl, state.Secret is { } secret ? new RotatedSecret(secret, state.Generation) : null,
            state.User);
        return fields;
    }

    private static string RingText(RingEntry entry) => entry.Result.Length == 0 ? entry.Id.ToString() : $"{entry.Id} {entry.Result}";

    private static void AddContent(
        List<RedisValue> fields,
        ImmutableDictionary<string, ReadOnlyMemory<byte>> properties,
        TimeSpan? ownTtl,
        RotatedSecret? secret,
        BoundUser? user)
    {
        foreach (var (name, value) in properties)
        {
            fields.Add(PropertyField(name));
            fields.Add(value);
        }

        if (ownTtl is { } ttl)
        {
            fields.Add("@ttl");
            fields.Add(Ms(ttl));
        }

        if (secret is not null)
        {
            Span<byte> hash = stackalloc byte[SecretHash.ByteLength];
            secret.Hash.CopyTo(hash);
            fields.Add("@secret");
            fields.Add(Base64Url.EncodeToString(hash));
            fields.Add("@generation");
            fields.Add(secret.Generation);
        }

        if (user is not null)
        {
            fields.Add("@user");
            fields.Add(user.ToString());
        }
    }

    /// <summary>Reads a session from all the fields of its hash, as field, value, field, value …</summary>
    /// <exception cref="FormatException">It is none in format 1.</exception>
    public static StoredSession Read(
        RedisResult[] hash, long nowMs, TimeSpan keptFor, TimeSpan? lifetimeLeft, string? previousOwner, bool released)
    {
        var (properties, meta) = Split(hash);
        var version = Number(meta, "@version");
        return new StoredSession
        {
            Properties = properties,
            Version = version,
            Epoch = Number(meta, "@epoch"),
            Owner = new OwnerNonce(meta.GetValueOrDefault("@owner", "")),
            OwnTtl = meta.ContainsKey("@ttl") ? TimeSpan.FromMilliseconds(Number(meta, "@ttl")) : null,
            LifetimeLeft = lifetimeLeft,
            KeptFor = keptFor,
            Secret = meta.TryGetValue("@secret", out var secret) ? SecretHash.FromBytes(Base64Url.DecodeFromChars(secret)) : null,
            Generation = Generation(meta),
            User = User(meta),
            EventGrace = meta.ContainsKey("@grace") ? TimeSpan.FromMilliseconds(Number(meta, "@grace")) : null,
            Told = meta.ContainsKey("@told") ? (int)Number(meta, "@told") : 0,
            Ring = Ring(meta, version, nowMs),
            PreviousOwnerName = previousOwner,
            PreviousOwner = null,
            Released = released,
            TakenFrom = meta.TryGetValue("@from", out var from) ? [.. from.Split('\n')] : [],
        };
    }

    /// <summary>The properties of a hash that is given as field, value, field, value …, and its meta fields.</summary>
    public static (ImmutableDictionary<string, ReadOnlyMemory<byte>> Properties, Dictionary<string, string> Meta) Split(RedisResult[] hash)
    {
        var properties = ImmutableDictionary.CreateBuilder<string, ReadOnlyMemory<byte>>();
        var meta = new Dictionary<string, string>();
        for (var i = 0; i < hash.Length; i += 2)
        {
            var field = (string)hash[i]!;
            if (!field.StartsWith('@'))
            {
                properties[field] = (byte[])hash[i + 1]!;
            }
            else if (field.StartsWith("@@", StringComparison.Ordinal))
            {
                properties[field[1..]] = (byte[])hash[i + 1]!;
            }
            else
            {
                meta[field] = (string)hash[i + 1]!;
            }
        }

        return (properties.ToImmutable(), meta);
    }

    /// <summary>How many secrets the session has had.</summary>
    public static int Generation(Dictionary<string, string> meta) =>
        meta.ContainsKey("@generation") ? (int)Number(meta, "@generation") : 0;

    /// <summary>Whose it is.</summary>
    public static BoundUser? User(Dictionary<string, string> meta) =>
        meta.TryGetValue("@user", out var user) ? BoundUser.Parse(user) : null;

    private static ImmutableDictionary<long, RingSlot> Ring(Dictionary<string, string> meta, long version, long nowMs)
    {
        var ring = ImmutableDictionary.CreateBuilder<long, RingSlot>();
        for (var v = version; v > 0 && v > version - ISessionStorage.RingSize; v--)
        {
            var parts = meta.GetValueOrDefault(RingField(v))?.Split(' ', 3) ?? [];
            if (parts is not [var idText, var msText, ..] || !RequestId.TryParse(idText, out var id)
                || !long.TryParse(msText, NumberStyles.None, CultureInfo.InvariantCulture, out var ms))
            {
                throw new FormatException($"The session's field {RingField(v)} is not a request id and a time.");
            }

            var entry = new RingEntry(id, parts is [_, _, var result] ? result : "");
            ring[v] = new RingSlot(v, entry, TimeSpan.FromMilliseconds(Math.Max(0, nowMs - ms)));
        }

        return ring.ToImmutable();
    }

    private static long Number(Dictionary<string, string> meta, string field) =>
        meta.TryGetValue(field, out var text) && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new FormatException($"The session's field {field} is '{text}' and not a number.");
}
