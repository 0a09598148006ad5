namespace SessionActors;

/// <summary>Why a session is not there, or not there for this caller.</summary>
public enum SessionEndReason
{
    /// <summary>Nothing is stored under the handle: it expired, its tombstone has gone, or it never was.</summary>
    Missing,

    /// <summary>It was destroyed: a log-out, or a service's call.</summary>
    Destroyed,

    /// <summary>Nobody used it for its idle time-out.</summary>
    Idle,

    /// <summary>It reached the end of its absolute lifetime.</summary>
    Lifetime,

    /// <summary>It lives on, but its secret was rotated after this caller opened it.</summary>
    Rotated,

    /// <summary>It was ended with others of its user's: see <see cref="IUserSessionsGrain"/>.</summary>
    Revoked,

    /// <summary>Its user signed in elsewhere, and that would have been one more than <c>MaxSessionsPerUser</c>.</summary>
    Limit,
}
