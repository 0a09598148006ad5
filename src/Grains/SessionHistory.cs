using System.Collections.Immutable;

namespace SessionActors;

/// <summary>
/// Which version changed each property last, and whose change it was: what tells a conflict from a change that its caller has seen. It
/// begins when an activation loads the session and is kept in memory only, so it knows nothing of what came before; there every change
/// counts as one of everything.
/// </summary>
internal sealed class SessionHistory
{
    private readonly long _since;
    private readonly ImmutableDictionary<string, (long Version, RequestId By)> _changes;

    private SessionHistory(ulong id, long since, ImmutableDictionary<string, (long Version, RequestId By)> changes) =>
        (Id, _since, _changes) = (id, since, changes);

    /// <summary>Drawn when it begins: a version of one history says nothing in another.</summary>
    public ulong Id { get; }

    /// <summary>A history in which nothing has happened since this version.</summary>
    public static SessionHistory Since(long version) =>
        new(RequestId.New().Low, version, ImmutableDictionary<string, (long Version, RequestId By)>.Empty);

    /// <summary>The properties that have changed since a version of this history.</summary>
    public IEnumerable<string> ChangedSince(long version) =>
        _changes.Where(change => change.Value.Version > version).Select(change => change.Key);

    /// <summary>The history after a delta.</summary>
    /// <param name="delta">The delta; its sets and removes are changes, see <see cref="SessionState.Effective"/>.</param>
    /// <param name="before">The properties before it.</param>
    /// <param name="version">The version that it leads to.</param>
    /// <param name="by">Whose it is.</param>
    /// <param name="most">
    /// How many properties are remembered. Past it the history begins anew: for a while there are conflicts that are none, which costs a
    /// request and not the memory of a silo.
    /// </param>
    public SessionHistory With(
        SessionDelta delta, ImmutableDictionary<string, ReadOnlyMemory<byte>> before, long version, RequestId by, int most)
    {
        var changes = _changes;
        if (delta.Clears)
        {
            changes = changes.SetItems(ChangedByClear(delta, before).Select(name => KeyValuePair.Create(name, (version, by))));
        }
        else
        {
            // Nearly always one.
            foreach (var (name, _) in delta.Sets)
            {
                changes = changes.SetItem(name, (version, by));
            }

            foreach (var name in delta.Removes)
            {
                changes = changes.SetItem(name, (version, by));
            }
        }

        return changes.Count > most ? Since(version) : new SessionHistory(Id, _since, changes);
    }

    /// <summary>
    /// The properties that a delta would change although somebody else has changed them since its base version. A clear changes all.
    /// </summary>
    /// <param name="delta">The delta as <see cref="SessionState.Effective"/> leaves it: what is as it would be set is no conflict.</param>
    /// <param name="now">The state that it is to be applied to, whose history this is.</param>
    /// <param name="by">Whose the delta is: one's own changes are none of somebody else's.</param>
    public IEnumerable<string> ConflictsOf(SessionDelta delta, SessionState now, RequestId by)
    {
        if (delta.BaseVersion == now.Version)
        {
            return [];
        }

        if (delta.BaseVersion < _since || delta.BaseVersion > now.Version)
        {
            return delta.Clears ? now.Properties.Keys.Union(delta.Sets.Keys) : delta.Sets.Keys.Concat(delta.Removes);
        }

        return delta.Clears
            ? _changes.Where(change => IsNews(change.Value)).Select(change => change.Key)
            : delta.Sets.Keys.Concat(delta.Removes).Where(name => _changes.TryGetValue(name, out var change) && IsNews(change));

        bool IsNews((long Version, RequestId By) change) => change.Version > delta.BaseVersion && change.By != by;
    }

    private static IEnumerable<string> ChangedByClear(SessionDelta delta, ImmutableDictionary<string, ReadOnlyMemory<byte>> before) =>
        before.Keys.Union(delta.Sets.Keys).Where(name =>
            !before.TryGetValue(name, out var old) || !delta.Sets.TryGetValue(name, out var value) || !old.Span.SequenceEqual(value.Span));
}
