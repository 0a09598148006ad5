using Microsoft.AspNetCore.Http;

namespace SessionActors;

/// <summary>What a request does when its session cannot be reached.</summary>
public enum UnavailableBehaviour
{
    /// <summary>The client gets 503 with Retry-After, before the endpoint runs or instead of its page.</summary>
    Fail,

    /// <summary>
    /// As ASP.NET Core's own session: the request goes on with <c>IsAvailable</c> false, changes are ignored, and a commit that fails is
    /// only logged.
    /// </summary>
    Ignore,
}

/// <summary>
/// The options of the web side, read from the configuration section <c>SessionActors</c> and changed by the delegate given to
/// <c>AddActorSession</c>. All of them are checked when the host starts.
/// </summary>
public sealed class ActorSessionOptions
{
    /// <summary>
    /// The cookie. Default: <c>.AspNetCore.Session</c>, path <c>/</c>, HttpOnly, SameSite=Lax, not essential (a visitor who refuses
    /// cookies gets no session), Secure exactly on HTTPS. <c>Expiration</c> must stay unset: a session cookie ends with the browser, and a
    /// session with an <see cref="IActorSession.Ttl"/> of its own has a cookie that lives as long.
    /// </summary>
    public CookieBuilder Cookie { get; set; } = new()
    {
        Name = ".AspNetCore.Session",
        Path = "/",
        HttpOnly = true,
        SameSite = SameSiteMode.Lax,
        IsEssential = false,
        SecurePolicy = CookieSecurePolicy.SameAsRequest,
    };

    /// <summary>
    /// What a request does when its session cannot be reached. Default <see cref="UnavailableBehaviour.Fail"/>: nothing is lost
    /// unnoticed. <see cref="UnavailableBehaviour.Ignore"/> keeps pages up that can do without a session. An explicit
    /// <c>CommitAsync</c> throws with both, and a request that did not get its session to itself, or lost it, is refused with both.
    /// </summary>
    public UnavailableBehaviour OnUnavailable { get; set; }

    /// <summary>
    /// What becomes of a commit that changes a property which another request has changed since this one read the session. Default
    /// <see cref="ConflictBehaviour.LastWriterWins"/>, as in ASP.NET Core. <see cref="ConflictBehaviour.Refuse"/> stores nothing of the
    /// commit and answers 409, with each <see cref="OnUnavailable"/>. An endpoint can say otherwise
    /// (<see cref="SessionAccessAttribute.OnConflict"/>), and so can a request (<see cref="IActorSession.OnConflict"/>).
    /// </summary>
    public ConflictBehaviour OnConflict { get; set; }

    /// <summary>
    /// Longest wait for one call to the session, or <see cref="Timeout.InfiniteTimeSpan"/>. Default 1 minute, as in ASP.NET Core; the
    /// session itself answers within 5 s, a commit that waits for the end of somebody else's lease within <c>LeaseWait</c> more. Shorter
    /// gives up earlier, and a change that was given up may still be stored. The wait for a lease of one's own is not counted.
    /// </summary>
    public TimeSpan IOTimeout { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>The clock that cookies are dated by. Default null: the system's.</summary>
    public TimeProvider? TimeProvider { get; set; }
}
