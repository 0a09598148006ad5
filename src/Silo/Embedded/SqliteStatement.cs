using System.Text;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace SessionActors;

/// <summary>
/// One prepared statement, used by the writing thread only. It goes past ADO.NET, whose parameters are looked up by name and boxed at every
/// execution. Strings are bound and read as the bytes of their UTF-8: as text SQLite's interface would end them at the first NUL.
/// </summary>
internal sealed class SqliteStatement(string sql) : IDisposable
{
    private sqlite3? _connection;
    private sqlite3_stmt? _statement;

    /// <summary>Prepares the statement. Nothing else is allowed before.</summary>
    public void Prepare(sqlite3 connection)
    {
        _connection = connection;
        Check(raw.sqlite3_prepare_v2(connection, sql, out _statement));
    }

    public SqliteStatement Bind(int parameter, long value)
    {
        Check(raw.sqlite3_bind_int64(_statement, parameter, value));
        return this;
    }

    public SqliteStatement Bind(int parameter, long? value)
    {
        Check(value is { } number
            ? raw.sqlite3_bind_int64(_statement, parameter, number)
            : raw.sqlite3_bind_null(_statement, parameter));
        return this;
    }

    public SqliteStatement Bind(int parameter, ReadOnlySpan<byte> value)
    {
        Check(raw.sqlite3_bind_blob(_statement, parameter, value));
        return this;
    }

    public SqliteStatement Bind(int parameter, string value) => Bind(parameter, Encoding.UTF8.GetBytes(value));

    public SqliteStatement BindNull(int parameter) => Bind(parameter, (long?)null);

    /// <summary>Executes a statement that returns no rows.</summary>
    public void Run()
    {
        try
        {
            Read();
        }
        finally
        {
            Reset();
        }
    }

    /// <summary>Goes to the next row; false after the last. Whoever reads resets afterwards.</summary>
    public bool Read()
    {
        var code = raw.sqlite3_step(_statement);
        if (code is raw.SQLITE_ROW or raw.SQLITE_DONE)
        {
            return code == raw.SQLITE_ROW;
        }

        Check(code);
        return false;
    }

    /// <summary>Ends an execution. Its result repeats the error of the step, which has been thrown already.</summary>
    public void Reset() => _ = raw.sqlite3_reset(_statement);

    public bool IsNull(int column) => raw.sqlite3_column_type(_statement, column) == raw.SQLITE_NULL;

    public long Int64(int column) => raw.sqlite3_column_int64(_statement, column);

    public long? NullableInt64(int column) => IsNull(column) ? null : Int64(column);

    public TimeSpan? NullableTime(int column) => IsNull(column) ? null : new TimeSpan(Int64(column));

    /// <summary>The bytes of a column, good until the next step.</summary>
    public ReadOnlySpan<byte> Bytes(int column) => raw.sqlite3_column_blob(_statement, column);

    public string Text(int column) => Encoding.UTF8.GetString(Bytes(column));

    public void Dispose() => _statement?.Dispose();

    private void Check(int code)
    {
        if (code != raw.SQLITE_OK)
        {
            SqliteException.ThrowExceptionForRC(code, _connection);
        }
    }
}
