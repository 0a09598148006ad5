using System.Security.Claims;
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

/// <summary>What comes of a request with an old secret of a session: from before a rotation, or from a stolen cookie.</summary>
public enum OldSecretBehaviour
{
    /// <summary>It gets an empty session, and its changes are dropped.</summary>
    Detach,

    /// <summary>
    /// The same, and the session is ended for whoever has the new secret: one of the two is not the visitor, and nobody knows which. Set
    /// <c>RotationGrace</c> with it, or each rotation that crosses another request of the visitor's ends the session.
    /// </summary>
    EndSession,
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
    /// The header that carries the token to endpoints with <see cref="SessionTransport.Header"/>. Default <c>Session-Token</c>.
    /// </summary>
    public string HeaderName { get; set; } = "Session-Token";

    /// <summary>
    /// How long a session that begins at this web server lives at most, however active. Default null: as the silo's
    /// <c>AbsoluteLifetime</c> says, which is read from the same place of the configuration; of two the shorter counts. 1 s to 3,650 days.
    /// </summary>
    public TimeSpan? AbsoluteLifetime { get; set; }

    /// <summary>
    /// Whether a response is marked as not to be cached where its request looked at the session. Default false: only one that sends or
    /// removes the cookie.
    /// </summary>
    public bool NoStore { get; set; }

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

    /// <summary>
    /// How much memory the snapshots may take that this server has seen of sessions in other processes, in bytes, roughly. Of a session
    /// whose snapshot is there only what has changed is sent. Default 64 MiB; 0 keeps none.
    /// </summary>
    public int SnapshotCacheBytes { get; set; } = 64 << 20;

    /// <summary>
    /// The scheme of cookie authentication whose signing in and out is the session's: signing in gives it a new secret and makes it the
    /// user's, signing out ends it. Default null: the application's default scheme. The empty text turns that off.
    /// </summary>
    public string? SignInScheme { get; set; }

    /// <summary>
    /// The id of a user who signs in, for <see cref="IActorSession.BindAsync"/>; where it returns null the session is bound to nobody.
    /// Default null: the claim <see cref="ClaimTypes.NameIdentifier"/>, else <c>sub</c>, else the identity's name.
    /// </summary>
    public Func<ClaimsPrincipal, string?>? UserIdOf { get; set; }

    /// <summary>
    /// What comes of a request with an old secret. Default <see cref="OldSecretBehaviour.Detach"/>. Either way it is logged (2006) and
    /// counted.
    /// </summary>
    public OldSecretBehaviour OnOldSecret { get; set; }

    /// <summary>
    /// Brings over the sessions of ASP.NET Core's own middleware: a visitor who comes with its cookie, and without one of ours, goes on
    /// with what their session held. Default null: none. Leave it out again when the old idle time-out has passed since the last old server
    /// was stopped.
    /// </summary>
    public SessionImportOptions? ImportFrom { get; set; }

    /// <summary>The clock that cookies are dated by. Default null: the system's.</summary>
    public TimeProvider? TimeProvider { get; set; }

    /// <summary>
    /// Sets what a site on HTTPS with accounts should have, and an upgrade must not change by itself: the cookie's name
    /// <c>__Host-Session</c>, which browsers take from this host alone and only over HTTPS, Secure always, an absolute lifetime of 12 hours
    /// unless one is set, and <see cref="NoStore"/>. Sessions of the old cookie are not found again.
    /// </summary>
    public void UseStrictCookie()
    {
        (Cookie.Name, Cookie.Path, Cookie.Domain) = ("__Host-Session", "/", null);
        (Cookie.SecurePolicy, Cookie.HttpOnly) = (CookieSecurePolicy.Always, true);
        (AbsoluteLifetime, NoStore) = (AbsoluteLifetime ?? TimeSpan.FromHours(12), true);
    }
}
