using StackExchange.Redis;

namespace SessionActors;

/// <summary>
/// Turns what came back from a script, or did not, into a <see cref="StoreReply"/>. A script answers
/// <c>[outcome, key, request id or nonce, Redis time in ms, …]</c>.
/// </summary>
internal static class RedisReply
{
    private const int Fixed = 4;

    private const string Forbidden = "NOPERM";

    /// <summary>
    /// Codes of errors that Redis gives before it does anything. (Several are about a script's writes, of which only the first one can meet
    /// them.) REFUSED is our scripts' own, WRONGTYPE comes from their first command. A command that the user may not run can stand in the
    /// middle of a script.
    /// </summary>
    private static readonly HashSet<string> Refusals =
    [
        "OOM", "READONLY", "LOADING", "MISCONF", Forbidden, "NOAUTH", "MASTERDOWN", "NOREPLICAS", "BUSY", "CLUSTERDOWN", "TRYAGAIN",
        "MOVED", "ASK", "NOSCRIPT", "WRONGTYPE", "REFUSED",
    ];

    /// <summary>
    /// Reads a reply and teaches the clock its time. One that is not the script's own is nobody's: it is served to no one, and what became
    /// of the script stays unknown.
    /// </summary>
    public static StoreReply Read(RedisScript script, RedisResult result, RedisClock clock)
    {
        try
        {
            if (result.Resp2Type != ResultType.Array || (RedisResult[]?)result is not { Length: >= Fixed } parts
                || (string?)parts[1] != script.Key || (string?)parts[2] != script.Echo)
            {
                throw new FormatException("Redis gave an answer that belongs to another request. It was dropped.");
            }

            var nowMs = (long)parts[3];
            clock.Learn(nowMs);
            return Outcome((string?)parts[0], nowMs, parts.AsSpan(Fixed));
        }
        catch (Exception error) when (error is FormatException or InvalidCastException or ArgumentException or IndexOutOfRangeException)
        {
            return new StoreReply(StoreOutcome.Unknown, Error: error);
        }
    }

    /// <summary>What became of a script that ended in an exception.</summary>
    public static StoreReply Of(Exception error) => new(
        error switch
        {
            RedisServerException refusal when IsRefusal(refusal.Message) => StoreOutcome.Refused,
            // No connection to write to. Other connection failures, and time-outs, may meet a command half way between "waiting" and
            // "sent": the client writes it first and marks it afterwards.
            RedisConnectionException
            {
                FailureType: ConnectionFailureType.UnableToResolvePhysicalConnection,
                CommandStatus: CommandStatus.WaitingToBeSent or CommandStatus.WaitingInBacklog,
            } => StoreOutcome.Unsent,
            // The client itself turned it down.
            RedisCommandException or ObjectDisposedException => StoreOutcome.Unsent,
            _ => StoreOutcome.Unknown,
        },
        Error: error);

    /// <summary>What kind of error it is: the code that Redis began its message with, where that is one of these; else the type.</summary>
    public static string TypeOf(Exception error) =>
        error is RedisServerException && CodeOf(error.Message) is var code && Refusals.Contains(code)
            ? code : SessionTelemetry.TypeOf(error);

    // Redis ends the messages of what went wrong within a script with its name: "… script: 5c2c…, on @user_script:1."
    private static bool IsRefusal(string message) =>
        CodeOf(message) is var code && Refusals.Contains(code)
        && (code != Forbidden || !message.Contains(" script: ", StringComparison.Ordinal));

    private static string CodeOf(string message) => message.Split(' ', 2)[0];

    private static StoreReply Outcome(string? outcome, long nowMs, ReadOnlySpan<RedisResult> extra) => outcome switch
    {
        // A destroy's; a claim brings more, and the others nothing.
        "written" when extra.Length == 2 => Ended(StoreOutcome.Written, extra),
        "written" when extra.Length == 1 => new(StoreOutcome.Written) { Place = (string?)extra[0] },
        "written" => new(StoreOutcome.Written, Session: Session(nowMs, extra)),
        "already" when extra.Length == 2 => Ended(StoreOutcome.AlreadyWritten, extra),
        "already" => new(
            StoreOutcome.AlreadyWritten,
            Session: Session(nowMs, extra) is { } own ? own with { PreviousOwnerName = null, PreviousOwner = null } : null),
        "found" => new(StoreOutcome.Found, Mark: new(
            (long)extra[0], new OwnerNonce((string)extra[1]!), (string)extra[2]!, Released: (string?)extra[3] == "1")),
        "live" => new(StoreOutcome.Found),
        "moved" => new(StoreOutcome.Fenced),
        "untold" => new(StoreOutcome.Found) { Untold = Untold(extra) },
        "due" => new(StoreOutcome.Found) { Due = [.. ((string[]?)extra[0])!.Select(SessionHandle.Parse)] },
        "fenced" => new(StoreOutcome.Fenced, OwnerName: (string?)extra[0]),
        "behind" => new(StoreOutcome.Behind),
        "ahead" => new(StoreOutcome.Ahead),
        "missing" => new(StoreOutcome.Missing),
        // Of a claim with those who are to hear of it.
        "tombstone" => new(StoreOutcome.Tombstone, RedisLayout.Reason((string)extra[0]!))
        {
            TakenFrom = extra.Length > 1 ? Names(extra[1]) : [],
        },
        "expired" => new(StoreOutcome.Expired, RedisLayout.Reason((string)extra[0]!)),
        "exists" => new(StoreOutcome.Exists),
        "late" => new(StoreOutcome.Late),
        _ => throw new FormatException($"Redis answered '{outcome}', which is no outcome of a script."),
    };

    // What a destroy adds: who is to hear of it, whose session it was.
    private static StoreReply Ended(StoreOutcome outcome, ReadOnlySpan<RedisResult> extra) => new(outcome)
    {
        TakenFrom = Names(extra[0]),
        User = Text(extra[1]) is { } user ? BoundUser.Parse(user) : null,
    };

    private static string[] Names(RedisResult lines) => Text(lines)?.Split('\n') ?? [];

    private static string? Text(RedisResult part) => (string?)part is { Length: > 0 } text ? text : null;

    // What a claim adds: kept for, lifetime left, previous owner's name, released, all fields, previous owner's nonce.
    private static StoredSession? Session(long nowMs, ReadOnlySpan<RedisResult> extra)
    {
        if (extra.IsEmpty)
        {
            return null;
        }

        var (kept, left) = ((long)extra[0], (long)extra[1]);
        return RedisLayout.Read(
            (RedisResult[])extra[4]!,
            nowMs,
            TimeSpan.FromMilliseconds(kept < 0 ? RedisLayout.LongestMs : kept),
            left < 0 ? null : TimeSpan.FromMilliseconds(left),
            (string?)extra[2],
            (string?)extra[3] == "1") with { PreviousOwner = new OwnerNonce((string)extra[5]!) };
    }

    // What has been told, the reason of the end, what is left, whether the absolute end is over, all fields.
    private static UntoldEvents Untold(ReadOnlySpan<RedisResult> extra)
    {
        var (properties, meta) = RedisLayout.Split((RedisResult[])extra[4]!);
        return new UntoldEvents
        {
            Told = (int)extra[0],
            Ended = (string?)extra[1] is { Length: > 0 } reason ? RedisLayout.Reason(reason) : null,
            Left = TimeSpan.FromMilliseconds((long)extra[2]),
            IsPastLifetime = (string?)extra[3] == "1",
            Generation = RedisLayout.Generation(meta),
            User = RedisLayout.User(meta),
            Properties = properties,
        };
    }
}
