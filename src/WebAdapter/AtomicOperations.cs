using System.Buffers.Binary;
using System.Security.Cryptography;

namespace SessionActors;

/// <summary>
/// What a request does to one property in the session itself, past its own uncommitted changes. The request sees the result at once, and
/// it is none of its changes.
/// </summary>
internal sealed class AtomicOperations(ActorSession session, SessionVisit visit)
{
    /// <summary>
    /// How often an update is tried. So many rounds lost in a row do not happen by chance: with the pauses between them, which double,
    /// a hundred requests that begin together are through in half as many.
    /// </summary>
    private const int MostRounds = 20;

    private const int LongestPauseInRounds = 128;

    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(2);

    public async Task<long> IncrementAsync(string name, long by)
    {
        if (session.IsDoneToNothing(name))
        {
            return by;
        }

        await BeginAsync(name, nameof(IncrementAsync));
        var sum = await visit.Connection.OperateAsync((grain, request) => grain.IncrementAsync(name, by, request));
        var bytes = new byte[sum == (int)sum ? sizeof(int) : sizeof(long)];
        if (bytes.Length == sizeof(int))
        {
            BinaryPrimitives.WriteInt32BigEndian(bytes, (int)sum);
        }
        else
        {
            BinaryPrimitives.WriteInt64BigEndian(bytes, sum);
        }

        visit.Overlay.Learn(name, bytes);
        return sum;
    }

    public async Task<byte[]?> TakeAsync(string name)
    {
        if (session.IsDoneToNothing(name) || IsNowhere(name))
        {
            return null;
        }

        await BeginAsync(name, nameof(TakeAsync));
        var taken = await visit.Connection.OperateAsync((grain, request) => grain.TakeAsync(name, request));
        visit.Overlay.LearnRemoved(name);
        return taken?.ToArray();
    }

    public async Task<bool> CompareAndSetAsync(string name, byte[]? expected, byte[]? value)
    {
        if (session.IsDoneToNothing(name) || (IsNowhere(name) && (expected is not null || value is null)))
        {
            return expected is null;
        }

        await BeginAsync(name, nameof(CompareAndSetAsync));
        // It may be applied anew later, and the caller's arrays are the caller's.
        var (was, next) = (OrNone(expected?.ToArray()), OrNone(value?.ToArray()));
        var isSet = await visit.Connection.OperateAsync((grain, request) => grain.CompareAndSetAsync(name, was, next, request));
        if (isSet)
        {
            Learn(name, next);
        }

        return isSet;
    }

    public async Task<byte[]> GetOrSetAsync(string name, byte[] value)
    {
        ArgumentNullException.ThrowIfNull(value);
        if (session.IsDoneToNothing(name))
        {
            return value;
        }

        await BeginAsync(name, nameof(GetOrSetAsync));
        var own = value.ToArray();
        var present = await visit.Connection.OperateAsync((grain, request) => grain.GetOrSetAsync(name, own, request));
        visit.Overlay.Learn(name, present.ToArray());
        return present.ToArray();
    }

    public async Task<byte[]?> UpdateAsync(string name, Func<byte[]?, byte[]?> update)
    {
        ArgumentNullException.ThrowIfNull(update);
        for (var round = 1; ; round++)
        {
            var before = visit.Overlay.TryGetValue(name, out var present) ? present : null;
            var after = update(before);
            var sentAt = TimeProvider.System.GetTimestamp();
            if (await CompareAndSetAsync(name, before, after))
            {
                return after;
            }

            if (round == MostRounds)
            {
                throw new SessionConflictException(
                    session.Handle.LogName, [name], $"other requests changed it {MostRounds} times while this one did.");
            }

            // As long as some rounds take, and of random length: requests that began together would go on losing together.
            var longest = TimeProvider.System.GetElapsedTime(sentAt) * Math.Min(1 << round, LongestPauseInRounds);
            var share = RandomNumberGenerator.GetInt32(1000) / 1000.0;
            await Task.Delay(longest < LongestPause ? longest * share : LongestPause * share, TimeProvider.System);

            // This property alone: a reload would also show what others have changed elsewhere, and so hide conflicts over that.
            var snapshot = await visit.ReadAsync();
            Learn(name, snapshot.Properties.TryGetValue(name, out var value) ? value : default(ReadOnlyMemory<byte>?));
        }
    }

    /// <summary>Refuses what cannot be done, and creates the session if there is none yet.</summary>
    public async Task BeginAsync()
    {
        session.RefuseReadOnly();
        session.RefuseAbsent();
        session.RefuseLateStart();
        if (session.IsNew)
        {
            if (!visit.IsCookieAllowed)
            {
                throw new InvalidOperationException(
                    "The session cannot be created, because the visitor has not consented to cookies. "
                    + "Ask for consent first, or make the cookie essential (ActorSessionOptions.Cookie.IsEssential).");
            }

            await visit.StoreAsync(CancellationToken.None);
        }
    }

    private async Task BeginAsync(string name, string operation)
    {
        SessionOverlay.CheckName(name);
        await BeginAsync();
        if (visit.Overlay.Changes(name))
        {
            throw new InvalidOperationException(
                $"The property has a change in this request that is not committed and would overwrite what {operation} does. "
                + $"Call CommitAsync before {operation}.");
        }
    }

    /// <summary>
    /// Whether the property needs no call to be found absent: nobody else can have set it in a session that exists nowhere.
    /// </summary>
    private bool IsNowhere(string name) =>
        session.IsNew && !visit.Connection.IsAwaitingAnswer && !visit.Overlay.TryGetValue(name, out _);

    private void Learn(string name, ReadOnlyMemory<byte>? value)
    {
        if (value is { } bytes)
        {
            visit.Overlay.Learn(name, bytes);
        }
        else
        {
            visit.Overlay.LearnRemoved(name);
        }
    }

    // Not by conversion: that makes an empty value of null.
    private static ReadOnlyMemory<byte>? OrNone(byte[]? bytes) => bytes is null ? default(ReadOnlyMemory<byte>?) : bytes;
}
