namespace SessionActors;

/// <summary>What came of an operation.</summary>
internal enum Outcome
{
    /// <summary>It is done: the server says so.</summary>
    Done,

    /// <summary>It certainly is not: the server says so, or never got it.</summary>
    Refused,

    /// <summary>It may be done, or may yet be.</summary>
    Unknown,
}

/// <summary>What came of a request, and when.</summary>
/// <param name="From">When it was sent.</param>
/// <param name="To">When the answer came, or it was clear that none would.</param>
/// <param name="Outcome">What came of it.</param>
/// <param name="Http">What the server said.</param>
/// <param name="Server">Which server it was.</param>
internal readonly record struct Answer(TimeSpan From, TimeSpan To, Outcome Outcome, HttpAnswer Http, int Server)
{
    public bool IsDone => Outcome == Outcome.Done;

    public string Body => Http.Body;
}
