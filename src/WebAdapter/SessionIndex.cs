using System.Text;

namespace SessionActors;

/// <summary>
/// What a key of ASP.NET Core's own middleware leads to: a session without a visitor, whose one property is the handle of the present one.
/// </summary>
internal sealed class SessionIndex(SessionDoor door, SessionKey key)
{
    private const string Leads = "session";

    private readonly SessionConnection _connection = new(door, key.Index);

    /// <summary>The session that it leads to; null where nothing does.</summary>
    public async Task<SessionHandle?> OpenAsync()
    {
        var opening = await _connection.OpenAsync(slide: true);
        if (opening.Standing == SessionStanding.Ended)
        {
            door.Log.SessionExpired(_connection.Handle, opening.EndReason);
        }

        return HandleIn(opening.Snapshot);
    }

    /// <summary>
    /// Leads it from one session, or from none, to the next one, and returns what it leads to then: another request may have been faster.
    /// </summary>
    /// <exception cref="SessionDestroyedException">It has ended, and nothing can take its place while its tombstone is there.</exception>
    public async Task<SessionHandle> LeadAsync(SessionHandle? before, SessionHandle next, TimeSpan ttl)
    {
        var isLed = before is { } from
            ? await _connection.OperateAsync((grain, request) => grain.CompareAndSetAsync(Leads, Text(from), Text(next), request))
            : await IsMadeAsync(next, ttl);
        if (isLed)
        {
            return next;
        }

        var handle = _connection.Handle;
        return HandleIn(await door.Calls.ReadAsync(door.GrainOf(handle), handle)) ?? throw SessionUnavailableException.NotApplied(
            handle.LogName, "what leads to its visitor's session has ended meanwhile.");
    }

    private async Task<bool> IsMadeAsync(SessionHandle next, TimeSpan ttl)
    {
        var made = new NewSession
        {
            Secret = key.Hash,
            Delta = SessionDelta.Empty.Set(Leads, Text(next)).WithTtl(ttl),
            IsIndex = true,
        };
        try
        {
            await _connection.OperateAsync((grain, request) => grain.CreateAsync(made, request));
            return true;
        }
        catch (InvalidOperationException)
        {
            // Another request has made it.
            return false;
        }
    }

    private static byte[] Text(SessionHandle handle) => Encoding.UTF8.GetBytes(handle);

    private static SessionHandle? HandleIn(SessionSnapshot? index) =>
        index?.GetString(Leads) is { } text && SessionHandle.TryParse(text, out var handle) ? handle : null;
}
