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
    long? Grace,
    BoundUser? User,
    bool Remembers)
{
    /// <summary>When its own time is over; it is stored until then, and longer where its end is to be told.</summary>
    public long Until => Expires - (Grace ?? 0);
}
