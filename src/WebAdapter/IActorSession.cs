using Microsoft.AspNetCore.Http;

namespace SessionActors;

/// <summary>
/// <c>HttpContext.Session</c> with what an actor can do besides: see <c>HttpContext.GetActorSession()</c>. Everything that
/// <see cref="ISession"/> has works in memory, on the snapshot that was taken before the endpoint ran; changes are stored before the first
/// byte of the response leaves. Not for use by several threads at a time.
/// <para>
/// The asynchronous members throw <see cref="SessionUnavailableException"/> when the session cannot be reached, and
/// <see cref="SessionDestroyedException"/> when it ended, or got a new secret, after this request opened it.
/// </para>
/// </summary>
public interface IActorSession : ISession
{
    /// <summary>
    /// The public name of the session, the same as <see cref="ISession.Id"/>: no secret, to be given to services that call the session.
    /// A new session has it from the start, although nothing is stored under it before something is set.
    /// </summary>
    SessionHandle Handle { get; }

    /// <summary>Whether the session exists nowhere yet: nothing was set, or what was set is not committed.</summary>
    bool IsNew { get; }

    /// <summary>The version of the session that this request sees below its own changes; 0 for a new one.</summary>
    long Version { get; }

    /// <summary>
    /// The session's idle time-out; null while the session is new and has none of its own. Setting it, to <see cref="SessionDelta.MinTtl"/>
    /// (1 s) to <see cref="SessionDelta.MaxTtl"/> (3,650 days), gives the session its own ("remember me"), stored with the next commit: its
    /// cookie then outlives the browser. It does not start a session by itself.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is null, shorter or longer.</exception>
    TimeSpan? Ttl { get; set; }

    /// <summary>
    /// Ends the session for good and removes the cookie. This request goes on with a new, empty session under a new handle, which exists
    /// nowhere until something is set: a log-out followed by a log-in is this and then <c>Set</c>.
    /// </summary>
    Task DestroyAsync();

    /// <summary>
    /// Gives the session a new secret in place, and the browser a new cookie. Call it at every change of privilege, such as a log-in. A
    /// request that still carries the old cookie gets an empty session whose changes are dropped. Does nothing on a new session, whose
    /// secret is not drawn yet.
    /// </summary>
    /// <exception cref="InvalidOperationException">
    /// The cookie cannot be sent: the response has started, or the visitor has not consented to cookies.
    /// </exception>
    Task RegenerateAsync();

    /// <summary>Takes a fresh snapshot; this request's uncommitted changes stay on top of it.</summary>
    Task ReloadAsync();

    /// <summary>
    /// Adds to a number and returns the sum, atomically among all requests and stored when this returns. The other changes of this request
    /// are not committed by it, except that a new session is created with what was set so far. The number is kept as <c>SetInt32</c>
    /// writes it while it fits.
    /// </summary>
    /// <exception cref="OverflowException">The sum does not fit 64 bits; nothing is changed.</exception>
    /// <exception cref="FormatException">The property is no number.</exception>
    /// <exception cref="InvalidOperationException">
    /// The property has an uncommitted change in this request, which the sum would ignore; or the session is new and cannot be created,
    /// because the response has started or the visitor has not consented to cookies.
    /// </exception>
    Task<long> IncrementAsync(string name, long by = 1);

    /// <summary>Drops the changes of this request that are not committed yet.</summary>
    void Forget();
}
