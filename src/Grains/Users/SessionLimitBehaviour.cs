namespace SessionActors;

/// <summary>What happens when a user signs in who has <see cref="SessionActorsOptions.MaxSessionsPerUser"/> sessions already.</summary>
public enum SessionLimitBehaviour
{
    /// <summary>The session that was bound first is ended, with <see cref="SessionEndReason.Limit"/>.</summary>
    EndOldest,

    /// <summary>The new one is refused with <see cref="UserSessionLimitException"/>.</summary>
    RefuseNew,
}
