using System.Collections.Immutable;
using System.Globalization;

namespace SessionActors;

/// <summary>One session as calls see it that come one after the other. Once ended it is gone for ever.</summary>
/// <param name="isThere">Whether the session exists before the first call, with nothing in it, rather than to be created by one.</param>
internal sealed class SessionModel(bool isThere) : ISequentialModel<ModelSession, SessionCall>
{
    public ModelSession Initial { get; } = new(
        isThere ? SessionLife.Live : SessionLife.Absent, 1, ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal));

    public ModelSession? After(ModelSession state, SessionCall call, bool isAnswered)
    {
        if (isAnswered && call.IsGone)
        {
            return state.Life != SessionLife.Live ? state : null;
        }

        if (call.Kind == SessionCallKind.Create)
        {
            // A create that was sent and never heard of cannot make a session that has ended meanwhile.
            return state.Life == SessionLife.Absent ? state with { Life = SessionLife.Live, Properties = call.Sets } : null;
        }

        if (call.Kind == SessionCallKind.Destroy)
        {
            return state with { Life = SessionLife.Gone, Properties = state.Properties.Clear() };
        }

        if (state.Life != SessionLife.Live)
        {
            return null;
        }

        var isOld = call.Generation is { } generation && generation != state.Generation;
        if (isOld || call.IsSuperseded)
        {
            // Nobody is told that his secret is old who only was not heard of yet.
            return isAnswered && call.IsSuperseded && call.Generation < state.Generation ? state : null;
        }

        return Done(state, call, isAnswered);
    }

    public bool ChangesNothing(SessionCall call) => call.IsSuperseded || (call.IsGone && call.Kind != SessionCallKind.Destroy)
        || call is { Kind: SessionCallKind.Read } or { Kind: SessionCallKind.CompareAndSet, Answer: "0" }
            or { Kind: SessionCallKind.Take, Answer: null };

    private static ModelSession? Done(ModelSession state, SessionCall call, bool isAnswered)
    {
        var value = call.Name is { } name ? state.Properties.GetValueOrDefault(name) : null;
        switch (call.Kind)
        {
            case SessionCallKind.Read:
                return call.Seen is { } seen
                    ? (seen.SequenceEqual(state.Properties) ? state : null)
                    : Answered(value, state);
            case SessionCallKind.Commit:
                var kept = call.Clears ? state.Properties.Clear() : state.Properties.RemoveRange(call.Removes);
                return state with { Properties = kept.SetItems(call.Sets) };
            case SessionCallKind.Increment:
                var sum = $"{Number(value) + Number(call.Value)}";
                return Answered(sum, state with { Properties = state.Properties.SetItem(call.Name!, sum) });
            case SessionCallKind.Take:
                return Answered(value, state with { Properties = state.Properties.Remove(call.Name!) });
            case SessionCallKind.CompareAndSet when value != call.Expected:
                return Answered("0", state);
            case SessionCallKind.CompareAndSet:
                return Answered("1", state with
                {
                    Properties = call.Value is { } next
                        ? state.Properties.SetItem(call.Name!, next)
                        : state.Properties.Remove(call.Name!),
                });
            default:
                return Answered($"{state.Generation + 1}", state with { Generation = state.Generation + 1 });
        }

        ModelSession? Answered(string? answer, ModelSession after) => !isAnswered || call.Answer == answer ? after : null;
    }

    private static long Number(string? value) => value is null ? 0 : long.Parse(value, CultureInfo.InvariantCulture);
}

/// <summary>Whether a session is there.</summary>
internal enum SessionLife
{
    /// <summary>It was not created yet.</summary>
    Absent,

    /// <summary>It is there.</summary>
    Live,

    /// <summary>It has ended.</summary>
    Gone,
}

/// <summary>A session's state in <see cref="SessionModel"/>. Equal where life, generation and properties are.</summary>
internal sealed record ModelSession(SessionLife Life, int Generation, ImmutableSortedDictionary<string, string> Properties)
{
    public bool Equals(ModelSession? other) => other is not null && Life == other.Life && Generation == other.Generation
        && (ReferenceEquals(Properties, other.Properties) || Properties.SequenceEqual(other.Properties));

    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.Add(Life);
        hash.Add(Generation);
        foreach (var (name, value) in Properties)
        {
            hash.Add(name);
            hash.Add(value);
        }

        return hash.ToHashCode();
    }
}
