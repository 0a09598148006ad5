using System.Security.Cryptography;
using System.Text;

namespace SessionActors;

/// <summary>
/// Whether a session has ended with others of its user's. Looks the user's mark up again where the store has told that some mark like it
/// was set since; where it does not tell, every few seconds. Runs in the turns of the session's grain.
/// </summary>
internal sealed class UserStanding(SessionHandle handle, SessionSilo silo)
{
    // How long a session that nobody could tell may be used still, as with ServingLease's default.
    private static readonly TimeSpan LookUpAgain = TimeSpan.FromSeconds(3);

    private UserMark? _mark;
    private string? _userId;
    private MarkRead _read = MarkRead.Never;
    private int _part;
    private Task? _lookingUp;

    private StoreWatch Store => silo.Healing.Store;

    /// <summary>Whether it is known well enough.</summary>
    public bool IsKnown(BoundUser user) =>
        _userId == user.Id && _mark is not null && (silo.Now < KnownUntil || (silo.Serving.IsHeld && Store.TellsOfUsers))
        && !Store.WasAnnouncedSince(_read.AskedAt, _part);

    /// <summary>When it has to be looked up again, whether or not the store tells.</summary>
    public TimeSpan KnownUntil => _read.At + LookUpAgain;

    /// <summary>What says that it is known no more; for whoever looks from outside of the session's turns.</summary>
    public (long AskedAt, int Part) Known => (_read.AskedAt, _part);

    /// <summary>Begins to read a mark: what is read then is as it was at this moment, or newer.</summary>
    public static MarkRead BeginRead(SessionSilo silo) => new(silo.Now, silo.Healing.Store.Now);

    /// <summary>A user's part of all users.</summary>
    public static int PartOf(string userId) => SHA256.HashData(Encoding.UTF8.GetBytes(userId))[0] % ISessionStorage.UserParts;

    /// <summary>Whether the session has ended, as far as is known.</summary>
    public bool HasEnded(BoundUser user) => _userId == user.Id && _mark?.Ends(user, handle) is true;

    /// <summary>Looks it up.</summary>
    /// <exception cref="SessionUnavailableException">The store did not answer.</exception>
    public async Task LookUpAsync(BoundUser user)
    {
        var looking = _lookingUp ??= ReadAsync(user.Id);
        try
        {
            await looking;
        }
        catch (Exception e)
        {
            throw SessionUnavailableException.NotApplied(handle.LogName, "nobody can tell whether its user has ended it.", e);
        }
        finally
        {
            // Here, since it may have been over before it was remembered.
            if (_lookingUp == looking)
            {
                _lookingUp = null;
            }
        }
    }

    /// <summary>Somebody has read it. An older one than is known comes late, or from a store that has lost the other.</summary>
    public void Learn(string userId, UserMark mark, MarkRead read)
    {
        Hear(userId, mark);
        _read = read.At > _read.At ? read : _read;
    }

    /// <summary>Somebody tells of it. That comes at any time, and says nothing of what was set after it.</summary>
    public void Hear(string userId, UserMark mark)
    {
        if (_userId != userId)
        {
            (_userId, _part, _mark, _read) = (userId, PartOf(userId), null, MarkRead.Never);
        }

        _mark = _mark?.Stamp > mark.Stamp ? _mark : mark;
    }

    private async Task ReadAsync(string userId)
    {
        var read = BeginRead(silo);
        var stored = await silo.Users.ReadMarkAsync(userId).WaitAsync(SessionRequest.DefaultPatience, silo.Time);
        if (_userId == userId && _mark?.Stamp > stored.Stamp)
        {
            // The store has forgotten it, and other sessions of the user's rest on it.
            silo.Users.Of(userId).SetAgainAsync(_mark).Ignore();
        }

        Learn(userId, stored, read);
    }
}

/// <summary>When a mark was read, on the grains' clock and on the store's watch.</summary>
internal readonly record struct MarkRead(TimeSpan At, long AskedAt)
{
    public static readonly MarkRead Never = new(TimeSpan.MinValue / 2, long.MinValue);
}

