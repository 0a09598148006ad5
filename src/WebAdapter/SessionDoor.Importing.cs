namespace SessionActors;

/// <content>How a session of ASP.NET Core's own middleware becomes one of ours.</content>
internal sealed partial class SessionDoor
{
    /// <summary>Where sessions are brought over from; null where none are.</summary>
    public SessionImport? Import { get; }

    /// <summary>
    /// Brings the session over that an old cookie names, or opens what it has become; the visit stays new where there is neither.
    /// <para>
    /// The old session is removed when ours is stored, and our cookie goes out when the old session is removed. A failure before that loses
    /// nothing: the next request with the old cookie takes the same steps. And whoever can end the session of ours does so when there is
    /// nothing left in the cache to make it again: a log-out stays. A create that began before the log-out, from what it had read by then,
    /// comes too late: it is refused once its deadline is over, and until then the tombstone is there.
    /// </para>
    /// </summary>
    /// <exception cref="SessionUnavailableException">The cache, or the session, cannot be reached.</exception>
    /// <exception cref="SessionLimitExceededException">The old session is larger than one may be here; it stays in the cache.</exception>
    /// <exception cref="SessionLeaseTimeoutException">Others had it to themselves for too long, or too many wait.</exception>
    public async Task ImportAsync(SessionVisit visit, string cookie, bool slide, CancellationToken aborted)
    {
        if (SessionToken.Read(cookie, ring: null, Now, out _) != TokenReading.Malformed)
        {
            // Ours, under the same name: it has been looked at, and opens nothing.
            return;
        }

        if (Import!.Recognize(cookie) is not { } old)
        {
            Refuse(TokenReading.Malformed);
            return;
        }

        if (HasEnded(old.Token.Handle))
        {
            visit.HasUsedOldCookie = true;
            return;
        }

        // Without them the cookie of ours could not be signed.
        await Keys.GetAsync();
        var connection = new SessionConnection(this, old.Token);
        var readAt = TimeProvider.System.GetTimestamp();
        if (await Import.LoadAsync(old) is { } properties)
        {
            if (await connection.ImportAsync(properties, readAt))
            {
                _metrics.OnImported();
                Log.SessionImported(old.Token.Handle, properties.Sets.Count);
            }

            await Import.RemoveAsync(old);
        }

        await EnterAsync(visit, old.Token.Handle, connection, await OpenAsync(visit, connection, slide, aborted), sendsCookie: true);
        visit.HasUsedOldCookie = true;
    }
}
