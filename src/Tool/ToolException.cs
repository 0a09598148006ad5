namespace SessionActors;

/// <summary>How the command has ended, for scripts.</summary>
internal enum ExitCode
{
    Done = 0,

    /// <summary>What was asked for is not there; of <c>doctor</c>, a fit Redis.</summary>
    NotThere = 1,

    Usage = 2,
    OutOfReach = 3,
}

/// <summary>Ends the command with an exit code and a message that is printed as it is.</summary>
internal sealed class ToolException(ExitCode exitCode, string message, Exception? inner = null) : Exception(message, inner)
{
    public ExitCode ExitCode => exitCode;
}
