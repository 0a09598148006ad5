namespace SessionActors;

/// <summary>How many sessions a user may have, and which make room for one more.</summary>
internal sealed class UserLimit(SessionActorsOptions options, UserSessionPages pages, SessionMetrics metrics)
{
    public bool IsOn => options.MaxSessionsPerUser is not null;

    /// <summary>Which sessions are to be ended before one more is added: those that were bound first.</summary>
    /// <param name="session">The one more, which may be there already.</param>
    /// <param name="isOver">Which of the list have ended.</param>
    /// <param name="lives">Whether one that the list has is there, or what goes with it.</param>
    /// <exception cref="UserSessionLimitException">There is no room, and none is to be made.</exception>
    public async Task<IReadOnlyList<SessionHandle>> BeforeAsync(
        SessionHandle session, Func<UserSessionEntry, bool> isOver, Func<UserSessionEntry, Task<bool>> lives)
    {
        var most = options.MaxSessionsPerUser!.Value;
        var others = new List<UserSessionEntry>();
        for (var path = await pages.NextAsync(null); path is not null; path = await pages.NextAsync(path))
        {
            others.AddRange((await pages.ReadAsync(path)).Where(entry => entry.Session != session.ToString() && !isOver(entry)));
        }

        if (others.Count < most)
        {
            return [];
        }

        // The list hears late of some that ended, and nobody is turned away or ended for those.
        var there = new List<UserSessionEntry>();
        foreach (var entry in others)
        {
            if (await lives(entry))
            {
                there.Add(entry);
            }
            else
            {
                await pages.RemoveAsync(HandleOf(entry));
            }
        }

        if (there.Count < most)
        {
            return [];
        }

        metrics.OnLimit(nameof(options.MaxSessionsPerUser));
        return options.OnSessionLimit == SessionLimitBehaviour.EndOldest
            ? [.. there.OrderBy(entry => entry.BoundAt).Take(there.Count - most + 1).Select(HandleOf)]
            : throw new UserSessionLimitException(session.LogName, most);
    }

    private static SessionHandle HandleOf(UserSessionEntry entry) => SessionHandle.Parse(entry.Session);
}
