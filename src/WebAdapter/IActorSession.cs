using Microsoft.AspNetCore.Http;

namespace SessionActors;

/// <summary>
/// <c>HttpContext.Session</c> with what an actor can do besides: see <c>HttpContext.GetActorSession()</c>. Everything that
/// <see cref="ISession"/> has works in memory, on the snapshot that was taken before the endpoint ran; changes are stored before the first
/// byte of the response leaves. Not for use by several threads at a time.
/// <para>
/// The asynchronous members throw <see cref="SessionUnavailableException"/> when the session cannot be reached,
/// <see cref="SessionDestroyedException"/> when it ended, or got a new secret, after this request opened it, and where they change it
/// <see cref="SessionLeaseTimeoutException"/> when another request has it to itself for too long.
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
    /// What becomes of this request's commits from now on that change a property which another request has changed since this one read the
    /// session. At first what the endpoint says (<see cref="SessionAccessAttribute.OnConflict"/>), else the options. With
    /// <see cref="ConflictBehaviour.Refuse"/> the client gets 409, and an explicit <c>CommitAsync</c> throws
    /// <see cref="SessionConflictException"/>; the changes of the refused commit are dropped, so that <see cref="ReloadAsync"/> shows what
    /// they were refused for. Atomic operations never conflict.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is none of the two.</exception>
    ConflictBehaviour OnConflict { get; set; }

    /// <summary>Whose session it is (<see cref="BindAsync"/>); null while nobody has signed in.</summary>
    string? UserId { get; }

    /// <summary>
    /// Makes the session a user's, once that is stored: <see cref="IUserSessionsGrain"/> lists it with the browser's address and can end
    /// it. A new session is created with what was set so far. Where the application signs in by cookie authentication, this and
    /// <see cref="RegenerateAsync"/> are called by themselves; an application that signs in otherwise calls both.
    /// </summary>
    /// <param name="userId">The user's id: what never changes, 1 to <see cref="UserBinding.MaxUserIdLength"/> characters.</param>
    /// <param name="device">What the list calls the device; null: the browser's User-Agent.</param>
    /// <exception cref="UserSessionLimitException">The user has <c>MaxSessionsPerUser</c> sessions; nothing is changed.</exception>
    /// <exception cref="InvalidOperationException">
    /// It is another user's: call <see cref="DestroyAsync"/> first. Or it is new, and cannot be created because the response has started or
    /// the visitor has not consented to cookies; or the endpoint may only read.
    /// </exception>
    Task BindAsync(string userId, string? device = null);

    /// <summary>
    /// Ends the session for good and removes the cookie. This request goes on with a new, empty session under a new handle, which exists
    /// nowhere until something is set: a log-out followed by a log-in is this and then <c>Set</c>.
    /// </summary>
    Task DestroyAsync();

    /// <summary>
    /// Gives the session a new secret in place, and the browser a new cookie. Call it at every change of privilege, such as a log-in. A
    /// request that still carries the old cookie gets an empty session whose changes are dropped. Of two that do so at once each goes on,
    /// and the browser gets one cookie; what the second one changes is dropped, unless it binds the session to the user whom the first one
    /// bound it to. Does nothing on a new session, whose secret is not drawn yet.
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
    /// The property has an uncommitted change in this request, which would overwrite the result; or the session is new and cannot be
    /// created, because the response has started or the visitor has not consented to cookies; or the endpoint may only read.
    /// </exception>
    Task<long> IncrementAsync(string name, long by = 1);

    /// <summary>
    /// Removes a property and returns the value that it had, null where there is none: atomically among all requests, of which one gets
    /// it, and stored when this returns. The other changes of this request are not committed by it, except that a new session is created
    /// with what was set so far.
    /// </summary>
    /// <exception cref="InvalidOperationException">As for <see cref="IncrementAsync"/>.</exception>
    Task<byte[]?> TakeAsync(string name);

    /// <summary>
    /// Sets a property where it is what the caller expects, and returns whether it was: atomically among all requests, and stored when
    /// this returns. Where it was not, nothing is changed; <see cref="ReloadAsync"/> shows what is there. The other changes of this request
    /// are not committed by it, except that a new session is created with what was set so far.
    /// </summary>
    /// <param name="name">The property.</param>
    /// <param name="expected">The value that it must have, byte by byte; null: it must not be there.</param>
    /// <param name="value">Its new value; null removes it.</param>
    /// <exception cref="SessionLimitExceededException">The session would exceed a limit; nothing is changed.</exception>
    /// <exception cref="InvalidOperationException">As for <see cref="IncrementAsync"/>.</exception>
    Task<bool> CompareAndSetAsync(string name, byte[]? expected, byte[]? value);

    /// <summary>
    /// Returns a property's value; where there is none, sets it and returns the new one: atomically among all requests, which all get the
    /// same value, and stored when this returns. The other changes of this request are not committed by it, except that a new session is
    /// created with what was set so far.
    /// </summary>
    /// <exception cref="SessionLimitExceededException">The session would exceed a limit; nothing is changed.</exception>
    /// <exception cref="InvalidOperationException">As for <see cref="IncrementAsync"/>.</exception>
    Task<byte[]> GetOrSetAsync(string name, byte[] value);

    /// <summary>
    /// Makes a new value of a property's value and returns it: atomically among all requests, and stored when this returns. Where another
    /// request changes the property meanwhile, the new value is made again of what is there then, 20 times at most. The other changes of
    /// this request are not committed by it, except that a new session is created with what was set so far.
    /// </summary>
    /// <param name="name">The property.</param>
    /// <param name="update">
    /// Makes the new value: given null where there is none, and null removes the property. It is called again after each round that was
    /// lost, so it must do nothing besides.
    /// </param>
    /// <exception cref="SessionConflictException">Other requests were faster 20 times in a row. Nothing was changed.</exception>
    /// <exception cref="SessionLimitExceededException">The session would exceed a limit; nothing is changed.</exception>
    /// <exception cref="InvalidOperationException">As for <see cref="IncrementAsync"/>.</exception>
    Task<byte[]?> UpdateAsync(string name, Func<byte[]?, byte[]?> update);

    /// <summary>
    /// Waits until this request has the session to itself, takes a fresh snapshot (uncommitted changes stay on top of it), and has the
    /// session to itself until the lease is disposed. Disposing commits what the request has changed, and throws what
    /// <c>CommitAsync</c> would; <see cref="SessionLeaseLostException"/> where the lease was lost, so that nothing is stored. Changes that
    /// it could not commit are dropped: without the lease they would be stored over those of others. For a whole request there is
    /// <see cref="SessionAccess.Exclusive"/>; within one this only takes the fresh snapshot and commits. A new session is created by it.
    /// <code>
    /// await using (await session.AcquireAsync())
    /// {
    ///     session.Set("stock", session.Get&lt;int&gt;("stock") - 1);
    /// }
    /// </code>
    /// </summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="SessionLeaseTimeoutException">Others had it for all of <c>LeaseWait</c>, or too many wait.</exception>
    /// <exception cref="InvalidOperationException">
    /// The endpoint has <see cref="SessionAccess.ReadOnly"/>; or the session is new and cannot be created, because the response has started
    /// or the visitor has not consented to cookies.
    /// </exception>
    Task<SessionLease> AcquireAsync(CancellationToken cancellationToken = default);

    /// <summary>Drops the changes of this request that are not committed yet.</summary>
    void Forget();
}
