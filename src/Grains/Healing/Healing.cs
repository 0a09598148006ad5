using Microsoft.Extensions.Options;

namespace SessionActors;

/// <summary>
/// When a session in memory may be written back to a store that has lost it. The store is then another one than before, which alone says
/// that it can have lost anything: what is missing in the same store was taken out of it. And the activation must have owned the session
/// until so shortly before the old store was last seen that nobody else can have had it, or ended it, without being noticed; and nobody may
/// have warned this silo since.
/// </summary>
internal sealed class Healing(IOptions<SessionActorsOptions> options, StoreWatch store, ServingLease serving)
{
    /// <summary>
    /// How long after the old store was last seen. Whoever ends a session in that time, in the old store or the new one, repeats it, or
    /// leaves a tombstone that lasts for longer; see <see cref="Tombstone"/>.
    /// </summary>
    public static readonly TimeSpan Window = TimeSpan.FromMinutes(5);

    private readonly long _began = store.Now;

    /// <summary>Notices that the store is another one.</summary>
    public StoreWatch Store => store;

    /// <summary>What this silo has ended lately.</summary>
    public RecentEnds Ends { get; } = new(store, Window);

    /// <summary>Whose sessions were ended together lately, anywhere in the cluster.</summary>
    public RecentMarks Marks { get; } = new(store, Window);

    /// <summary>Completes when what was ended is ended in the new store too, as far as it answers.</summary>
    public Task Replayed { get; set; } = Task.CompletedTask;

    /// <summary>
    /// Whether no other silo can be about to write anything back that it has in memory: the store has not changed lately, as far as this
    /// silo has been there to see.
    /// </summary>
    public bool IsSettled => (store.LastChange is not { } change || change.NoticedAt < store.Before(store.Now, Window))
        && _began < store.Before(store.Now, Least(2 * options.Value.ServingLease, Window));

    /// <summary>
    /// How long a tombstone is stored. For some minutes after a change of the store it has to outlast every silo that has not heard of it.
    /// </summary>
    public TimeSpan Tombstone => options.Value.StoredTombstone is var usual
        && store.LastChange is { } change && change.NoticedAt >= store.Before(store.Now, Window) ? usual + Window : usual;

    /// <summary>
    /// Whether an activation may write its session back. Asks the store which one it is, where the answer could be yes, and the cluster
    /// whether this silo is in it still. Null: nobody knows yet.
    /// </summary>
    /// <param name="confirmedAt">When the store was last asked whether the session is the activation's, and said so.</param>
    public async Task<bool?> MayWriteBackAsync(long confirmedAt)
    {
        if (!IsAllowed(confirmedAt))
        {
            if (store.SeenAt is not { } seenAt || !IsShortlyBefore(confirmedAt, seenAt))
            {
                return false;
            }

            await store.AskAnewAsync();
        }

        // What was ended must not come back in between.
        await Replayed;
        return !IsAllowed(confirmedAt) ? false
            : await serving.KnowsStandingSinceAsync(store.LastChange!.NoticedAt) ? IsAllowed(confirmedAt) : null;
    }

    /// <summary>Whether this is still the last change, and so lately that what was lost may be written back.</summary>
    public bool IsLatest(StoreChange change) => store.LastChange == change && change.LastSeenAt >= store.Before(store.Now, Window);

    private static TimeSpan Least(TimeSpan one, TimeSpan other) => one < other ? one : other;

    private bool IsAllowed(long confirmedAt) =>
        store.LastChange is { } change && confirmedAt <= change.NoticedAt && IsShortlyBefore(confirmedAt, change.LastSeenAt)
        && confirmedAt >= store.TakenAt && change.LastSeenAt >= store.Before(store.Now, Window) && !serving.IsGivenUp;

    private bool IsShortlyBefore(long confirmedAt, long seenAt) => confirmedAt >= store.Before(seenAt, options.Value.ServingLease);
}
