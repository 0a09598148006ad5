using System.Text;

namespace SessionActors.Live;

/// <summary>What is on the visitor's board, as the session has it.</summary>
/// <param name="Count">How often something was added.</param>
/// <param name="Note">The note.</param>
internal sealed record BoardView(long Count, string Note)
{
    public static readonly BoardView Empty = new(0, "");

    /// <summary>The board of a session; empty where it has none (any more).</summary>
    public static BoardView Of(SessionSnapshot? session) => session is null
        ? Empty
        : new BoardView(session.GetNumber("count") ?? 0, session.GetString("note") ?? "");

    public static Task<long> AddAsync(ISessionGrain session) => session.IncrementAsync("count");

    public static Task<long> WriteAsync(ISessionGrain session, string note) =>
        session.CommitAsync(SessionDelta.Empty.Set("note", Encoding.UTF8.GetBytes(note)));
}
