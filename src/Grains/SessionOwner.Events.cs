namespace SessionActors;

/// <content>How it is seen to that the session's events are told: before each step that makes one, somebody is to look at it.</content>
internal sealed partial class SessionOwner
{
    // A create may arrive so late, and is not to be looked for before.
    private static readonly TimeSpan SoonestLook = ISessionStorage.CreateDeadline + ISessionStorage.TombstoneMargin;

    private TimeSpan? _eventGrace;
    private int _told;

    private EventTeller? Events => _eventGrace is null ? null : silo.Events;

    private void Has(TimeSpan? eventGrace, int told, int generation)
    {
        (_eventGrace, _told) = (eventGrace, told);
        if (told < Math.Max(generation, 1))
        {
            Events?.Say(handle);
        }
    }

    /// <summary>Has the session looked at when its time is over. Says whether that is certain.</summary>
    private async Task<bool> IndexedAsync(TimeSpan keepFor, TimeSpan patience) =>
        Events is not { } events || (await StoreRetry.UntilAnsweredAsync(
            silo.Time, patience, () => events.ScheduleAsync(handle, keepFor > SoonestLook ? keepFor : SoonestLook))).IsDone;

    /// <summary>
    /// Has the session looked at soon, in case that nobody is left who tells of its end. A log-out does not depend on it: at the latest it
    /// is looked at when its time would have been over.
    /// </summary>
    private Task LookedAtAsync() => silo.Events is { } events ? events.ScheduleAsync(handle, EventTeller.Hold) : Task.CompletedTask;
}
