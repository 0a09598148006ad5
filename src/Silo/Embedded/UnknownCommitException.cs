namespace SessionActors;

/// <summary>
/// A transaction's COMMIT failed at the disk. It is rolled back here, but its pages may be in the log, and a process that starts after a
/// crash would find them: nobody knows whether it happened.
/// </summary>
internal sealed class UnknownCommitException(string path, Exception inner)
    : Exception($"The embedded store could not make a transaction durable in '{path}': {inner.Message}", inner);
