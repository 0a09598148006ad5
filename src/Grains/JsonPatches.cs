namespace SessionActors;

/// <summary>
/// Turns the patches of a delta into sets, against the state that it is applied to: once when the commit comes, and again on what is there
/// after a reload.
/// </summary>
internal static class JsonPatches
{
    /// <summary>The delta with its patches applied; the same one where it has none.</summary>
    /// <exception cref="SessionConflictException">A patch does not fit its property as it is now. Nothing is applied.</exception>
    /// <exception cref="SessionLimitExceededException">A patch has too many operations or bytes.</exception>
    public static SessionDelta Resolve(SessionDelta delta, SessionState state, string session)
    {
        if (delta.Patches.IsEmpty)
        {
            return delta;
        }

        var after = delta.ApplyTo(state.Properties, (name, before, patch) => Apply(session, name, before, patch.Span));
        return delta.WithPatchesIn(delta.Sets.SetItems(delta.Patches.Keys.Select(name => KeyValuePair.Create(name, after[name]))));
    }

    private static ReadOnlyMemory<byte> Apply(string session, string name, ReadOnlyMemory<byte>? before, ReadOnlySpan<byte> patch)
    {
        Check(patch.Length, PropertyPatch.MostBytes, "the largest patch in bytes");
        Check(PropertyPatch.Count(patch), PropertyPatch.MostOperations, "the most operations of a patch");
        if (before is not { } json)
        {
            throw new SessionConflictException(session, [name], "it is not there any more.");
        }

        return PropertyPatch.Apply(json.Span, patch, out var why) ?? throw new SessionConflictException(session, [name], why);

        void Check(int actual, int allowed, string limit)
        {
            if (actual > allowed)
            {
                throw new SessionLimitExceededException(session, limit, allowed, actual, name);
            }
        }
    }
}
