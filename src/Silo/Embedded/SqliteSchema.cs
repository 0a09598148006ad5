using Microsoft.Data.Sqlite;

namespace SessionActors;

/// <summary>
/// The tables of <c>sessions.db</c>, version 2. Times are UTC ticks, durations ticks, strings the bytes of their UTF-8.
/// <list type="bullet">
/// <item><c>session</c>: one row for each session or tombstone, until <c>expires</c>. A tombstone has a <c>reason</c>
/// (<see cref="SessionEndReason"/>) and, besides handle and <c>expires</c>, nothing else; until its end has been told, what is needed for
/// that. <c>ends</c> is the end of the absolute lifetime, <c>user</c> a <see cref="BoundUser"/>; <c>grace</c> is how much longer than it
/// lives a session is stored whose events are told, <c>told</c> how many have been. Version 1 had none of these three.</item>
/// <item><c>due</c>: when which sessions are to be looked at for their events. Not in version 1.</item>
/// <item><c>property</c>: name and value.</item>
/// <item><c>ring</c>: the deltas' request ids, results and times; the one that led to version v is at place v % 128.</item>
/// <item><c>grain_state</c>: the small state of other grains, a new random etag at every write. Version 1 did not say when that was.</item>
/// </list>
/// A property table of its own makes a flush cost what it changes; clustered by session it is read in one go.
/// </summary>
internal static class SqliteSchema
{
    private const long ApplicationId = 0x53416374; // "SAct"
    private const long Version = 2;

    private const string Tables = """
        CREATE TABLE session (
            id INTEGER PRIMARY KEY,
            handle BLOB NOT NULL UNIQUE,
            expires INTEGER NOT NULL,
            reason INTEGER,
            owner BLOB,
            owner_name BLOB,
            released INTEGER NOT NULL DEFAULT 0,
            version INTEGER NOT NULL DEFAULT 0,
            epoch INTEGER NOT NULL DEFAULT 0,
            ttl INTEGER,
            ends INTEGER,
            secret BLOB,
            generation INTEGER NOT NULL DEFAULT 0,
            user BLOB,
            grace INTEGER,
            told INTEGER NOT NULL DEFAULT 0
        ) STRICT;
        CREATE INDEX session_expires ON session (expires);
        CREATE TABLE property (
            session INTEGER NOT NULL,
            name BLOB NOT NULL,
            value BLOB NOT NULL,
            PRIMARY KEY (session, name)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE ring (
            session INTEGER NOT NULL,
            place INTEGER NOT NULL,
            version INTEGER NOT NULL,
            id BLOB NOT NULL,
            result BLOB NOT NULL,
            applied INTEGER NOT NULL,
            PRIMARY KEY (session, place)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE grain_state (
            name BLOB NOT NULL,
            grain BLOB NOT NULL,
            etag BLOB NOT NULL,
            value BLOB NOT NULL,
            written INTEGER NOT NULL DEFAULT 0,
            PRIMARY KEY (name, grain)
        ) STRICT, WITHOUT ROWID;
        """;

    private const string Due = """
        CREATE TABLE due (
            handle BLOB PRIMARY KEY,
            at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX due_at ON due (at);
        """;

    /// <summary>
    /// Opens the file, makes sure that it is ours before anything is changed in it, and creates the tables where there are none.
    /// An exclusive locking mode keeps the index of the log in the process's memory, and every other program out.
    /// </summary>
    /// <exception cref="InvalidOperationException">The file holds something else, or was written by a newer version.</exception>
    public static SqliteConnection Open(string path)
    {
        if (path != SqliteDatabase.InMemory && !OperatingSystem.IsWindows())
        {
            // For the owner's eyes only, the log with it: besides sessions it holds the keys that sign cookies.
            var mine = new FileStreamOptions
            {
                Mode = FileMode.OpenOrCreate,
                Access = FileAccess.ReadWrite,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            };
            File.Open(path, mine).Dispose();
        }

        var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false }.ToString());
        try
        {
            connection.Open();
            Execute(connection, "PRAGMA locking_mode = EXCLUSIVE");
            var isNew = Read(connection, "SELECT count(*) FROM sqlite_schema") == 0;
            if (!isNew && Read(connection, "PRAGMA application_id") != ApplicationId)
            {
                throw new InvalidOperationException(
                    $"'{path}' is a database of another application. Move it away, or give this one another SessionActors:DataFolder.");
            }

            var version = Read(connection, "PRAGMA user_version");
            if (version > Version)
            {
                throw new InvalidOperationException(
                    $"'{path}' was written by a newer SessionActors (schema {version}, this one knows {Version}). Run the newer one, or "
                    + "give this one another SessionActors:DataFolder.");
            }

            // FULL: what was acknowledged survives a power cut, not only the end of the process.
            // The log is copied into the file every 32 MiB of pages rather than every 4, since busy sessions write the same pages again
            // and again; the limit cuts it back after a burst.
            Execute(
                connection,
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; "
                + "PRAGMA wal_autocheckpoint = 8192; PRAGMA journal_size_limit = 67108864");
            if (isNew)
            {
                Execute(
                    connection,
                    $"BEGIN; {Tables} {Due} PRAGMA application_id = {ApplicationId}; PRAGMA user_version = {Version}; COMMIT;");
            }
            else if (version == 1)
            {
                Execute(
                    connection,
                    "BEGIN; ALTER TABLE session ADD COLUMN user BLOB; ALTER TABLE session ADD COLUMN grace INTEGER; "
                    + "ALTER TABLE grain_state ADD COLUMN written INTEGER NOT NULL DEFAULT 0; "
                    + $"ALTER TABLE session ADD COLUMN told INTEGER NOT NULL DEFAULT 0; {Due} PRAGMA user_version = {Version}; COMMIT;");
            }

            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    private static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private static long Read(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return (long)command.ExecuteScalar()!;
    }
}
