using System.Buffers.Binary;
using System.Collections.Immutable;

namespace SessionActors;

/// <summary>Reads and writes the table <c>ring</c> of <see cref="SqliteSchema"/>; every method runs within a step.</summary>
internal sealed class SqliteRing(SqliteDatabase database)
{
    private readonly SqliteStatement _remember = database.Statement(
        "REPLACE INTO ring (session, place, version, id, result, applied) VALUES (?, ?, ?, ?, ?, ?)");

    private readonly SqliteStatement _forget = database.Statement("DELETE FROM ring WHERE session = ?1");
    private readonly SqliteStatement _read = database.Statement("SELECT version, id, result, applied FROM ring WHERE session = ?1");

    /// <summary>
    /// Whether all of a flush was applied. Its first call alone may have been stored before in another flush, without the others.
    /// </summary>
    public bool RemembersAll(long id, Flush flush)
    {
        var ring = Read(id, now: 0);
        return flush.Entries.Index().All(
            entry => ring.TryGetValue(flush.FromVersion + 1 + entry.Index, out var applied) && applied.Entry.Id == entry.Item.Id);
    }

    public void Remember(long id, long version, RingEntry entry, long applied)
    {
        Span<byte> requestId = stackalloc byte[16];
        BinaryPrimitives.WriteUInt64BigEndian(requestId, entry.Id.High);
        BinaryPrimitives.WriteUInt64BigEndian(requestId[8..], entry.Id.Low);
        _remember.Bind(1, id).Bind(2, version % ISessionStorage.RingSize).Bind(3, version).Bind(4, requestId)
            .Bind(5, entry.Result).Bind(6, applied).Run();
    }

    public void Forget(long id) => _forget.Bind(1, id).Run();

    public ImmutableDictionary<long, RingSlot> Read(long id, long now)
    {
        var ring = ImmutableDictionary.CreateBuilder<long, RingSlot>();
        _read.Bind(1, id);
        try
        {
            while (_read.Read())
            {
                var (version, entry) = (_read.Int64(0), new RingEntry(RequestIdOf(_read.Bytes(1)), _read.Text(2)));
                ring.Add(version, new RingSlot(version, entry, new TimeSpan(Math.Max(0, now - _read.Int64(3)))));
            }
        }
        finally
        {
            _read.Reset();
        }

        return ring.ToImmutable();
    }

    public static RequestId RequestIdOf(ReadOnlySpan<byte> bytes) =>
        new(BinaryPrimitives.ReadUInt64BigEndian(bytes), BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]));
}
