using System.Buffers.Text;

namespace SessionActors;

/// <summary>
/// Operations on one property that decide by what is there when they are applied, and so are applied anew after a reload. One that changes
/// nothing is not written and leaves nothing in the ring: repeated, it is decided anew, which is as good as having come later.
/// <para>
/// The result that the ring keeps of each, so that a repeated call is answered alike:
/// </para>
/// <list type="bullet">
/// <item>take: the value taken, as a colon and its base64url (a colon alone for the empty value); nothing where there was none.</item>
/// <item>compare and set: <c>1</c> where it was set, <c>0</c> where not.</item>
/// <item>get or set: nothing where it was set, since the caller has the value; else what was there, written as for take.</item>
/// </list>
/// </summary>
internal static class SessionOperations
{
    private const string Done = "1";
    private const string NotDone = "0";

    /// <summary>Removes a property. Its value is the result.</summary>
    public static Change Take(SessionState state, string name) => state.Properties.TryGetValue(name, out var value)
        ? new Change(SessionDelta.Empty.Remove(name), Result: Write(value))
        : new Change(SessionDelta.Empty);

    /// <summary>Sets a property that is what the caller expects; null stands for none, before and after.</summary>
    public static Change CompareAndSet(
        SessionState state, string name, ReadOnlyMemory<byte>? expected, ReadOnlyMemory<byte>? value)
    {
        var isThere = state.Properties.TryGetValue(name, out var present);
        var isExpected = expected is { } bytes ? isThere && present.Span.SequenceEqual(bytes.Span) : !isThere;
        return !isExpected ? new Change(SessionDelta.Empty, Result: NotDone) { IsRefused = true }
            : new Change(value is { } next ? SessionDelta.Empty.Set(name, next.Span) : SessionDelta.Empty.Remove(name), Result: Done);
    }

    /// <summary>Sets a property that is not there.</summary>
    public static Change GetOrSet(SessionState state, string name, ReadOnlyMemory<byte> value) =>
        state.Properties.TryGetValue(name, out var present)
            ? new Change(SessionDelta.Empty, Result: Write(present)) { IsRefused = true }
            : new Change(SessionDelta.Empty.Set(name, value.Span));

    /// <summary>Whether a compare-and-set with this result has set.</summary>
    public static bool IsDone(string result) => result == Done;

    /// <summary>The value in a result; null where there is none.</summary>
    public static ReadOnlyMemory<byte>? Read(string result) =>
        result.StartsWith(':') ? Base64Url.DecodeFromChars(result.AsSpan(1)) : default(ReadOnlyMemory<byte>?);

    private static string Write(ReadOnlyMemory<byte> value) => ":" + Base64Url.EncodeToString(value.Span);
}
