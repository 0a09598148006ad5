namespace SessionActors;

/// <summary>What a step decides by.</summary>
internal sealed record SessionRow(
    long Id,
    long Expires,
    SessionEndReason? Reason,
    string Owner,
    string OwnerName,
    bool Released,
    long Version,
    long Epoch,
    long? Ends,
    bool Remembers);
