using System.Collections.Concurrent;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace SessionActors;

/// <summary>
/// The file <c>sessions.db</c> of a data folder, and the one thread that uses it. Steps of many callers are gathered into one transaction
/// (group commit): while one COMMIT waits for the disk the next group fills, so the disk's latency is shared and not multiplied. A caller
/// is released after the COMMIT that holds its step. The data folder <c>:memory:</c> is a private database without a file, for tests.
/// </summary>
internal sealed class SqliteDatabase(string dataFolder, TimeSpan lockTimeout, TimeProvider time) : IAsyncDisposable
{
    /// <summary>What a data folder is called that is none.</summary>
    public const string InMemory = ":memory:";

    private readonly object _gate = new();
    private readonly ConcurrentQueue<SqliteStatement> _unprepared = new();
    private readonly List<SqliteStatement> _prepared = [];
    private readonly CancellationTokenSource _stopping = new();
    private readonly string _path = dataFolder == InMemory ? InMemory : Path.Combine(dataFolder, "sessions.db");
    private readonly SqliteStatement _begin = new("BEGIN IMMEDIATE");
    private readonly SqliteStatement _commit = new("COMMIT");
    private readonly SqliteStatement _rollback = new("ROLLBACK");
    private List<Step> _steps = [];
    private Task? _opened;
    private Task? _writing;
    private DataFolderLock? _lock;
    private SqliteConnection? _connection;

    /// <summary>Whether steps are taken.</summary>
    public bool IsOpen => _writing is not null && !_stopping.IsCancellationRequested;

    /// <summary>
    /// Creates the folder where it is missing, waits for its lock and opens the file. Again: the same, but a failure is tried again.
    /// Every step opens the database by itself; a host opens it at its start to fail there.
    /// </summary>
    /// <exception cref="InvalidOperationException">The folder cannot be written, or the file is not ours or damaged.</exception>
    /// <exception cref="TimeoutException">Another process had the folder all the time.</exception>
    public Task OpenAsync(CancellationToken cancellationToken = default)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_stopping.IsCancellationRequested, this);
            if (_opened is null || _opened.IsFaulted || _opened.IsCanceled)
            {
                _opened = OpenCoreAsync(cancellationToken);
            }

            return _opened.WaitAsync(cancellationToken);
        }
    }

    /// <summary>
    /// Runs a step within a transaction on the writing thread and returns its result once that is on the disk. A step may run again where
    /// another one of its group failed, so it changes nothing but the database.
    /// </summary>
    /// <exception cref="SqliteException">The step failed and was rolled back.</exception>
    /// <exception cref="UnknownCommitException">Nobody knows whether the step is done.</exception>
    /// <exception cref="ObjectDisposedException">The database was closed; the step is not done.</exception>
    public async Task<T> RunAsync<T>(Func<T> step)
    {
        if (!IsOpen)
        {
            await OpenAsync();
        }

        var pending = new Step<T>(step);
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_stopping.IsCancellationRequested, this);
            _steps.Add(pending);
            Monitor.Pulse(_gate);
        }

        return await pending.Result;
    }

    /// <summary>The same for a step of the storage protocol, which never throws.</summary>
    public async Task<StoreReply> StepAsync(Func<StoreReply> step)
    {
        try
        {
            return await RunAsync(step);
        }
        catch (UnknownCommitException e)
        {
            return new StoreReply(StoreOutcome.Unknown, Error: e);
        }
        catch (Exception e)
        {
            // It was rolled back, or the database would not open or is closed: whatever it was, the step is not done.
            return new StoreReply(IsOpen ? StoreOutcome.Refused : StoreOutcome.Unsent, Error: e);
        }
    }

    /// <summary>A statement for steps to use; it is prepared on the writing thread and lives as long as the database.</summary>
    public SqliteStatement Statement(string sql)
    {
        var statement = new SqliteStatement(sql);
        _unprepared.Enqueue(statement);
        return statement;
    }

    /// <summary>Finishes the steps that were begun, closes the file and gives the folder free.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            if (_stopping.IsCancellationRequested)
            {
                return;
            }

            _stopping.Cancel();
            Monitor.Pulse(_gate);
        }

        await Task.WhenAny(_opened ?? Task.CompletedTask);
        await (_writing ?? Task.CompletedTask);
        Close();
        _stopping.Dispose();
    }

    private async Task OpenCoreAsync(CancellationToken cancellationToken)
    {
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _stopping.Token);
        try
        {
            if (dataFolder != InMemory)
            {
                Directory.CreateDirectory(dataFolder);
                _lock = await DataFolderLock.AcquireAsync(dataFolder, lockTimeout, time, stopping.Token);
            }

            _connection = SqliteSchema.Open(_path);
        }
        catch (Exception e)
        {
            Close();
            throw e switch
            {
                IOException or UnauthorizedAccessException => new InvalidOperationException(
                    $"The data folder '{dataFolder}' cannot be written: {e.Message} Make it writable for this process, or set "
                    + "SessionActors:DataFolder to a folder that is.",
                    e),
                SqliteException { SqliteErrorCode: raw.SQLITE_NOTADB or raw.SQLITE_CORRUPT } => new InvalidOperationException(
                    $"'{_path}' is not a SQLite database, or it is damaged: {e.Message} Move it away, or restore it.", e),
                SqliteException => new InvalidOperationException(
                    $"'{_path}' cannot be opened: {e.Message} Check its permissions and that no other program has it open.", e),
                _ => e,
            };
        }

        _writing = Task.Factory.StartNew(Write, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>SQLite keeps a file open as long as one statement is.</summary>
    private void Close()
    {
        _prepared.ForEach(statement => statement.Dispose());
        _connection?.Dispose();
        _lock?.Dispose();
    }

    private void Write()
    {
        new[] { _begin, _commit, _rollback }.ToList().ForEach(_unprepared.Enqueue);
        for (var group = TakeAll([]); group.Count > 0; group = TakeAll(group))
        {
            Run(group);
        }
    }

    /// <summary>Waits for steps and takes all there are, leaving a list to fill; none once the database is closing.</summary>
    private List<Step> TakeAll(List<Step> spare)
    {
        spare.Clear();
        lock (_gate)
        {
            while (_steps.Count == 0 && !_stopping.IsCancellationRequested)
            {
                Monitor.Wait(_gate);
            }

            var taken = _steps;
            _steps = spare;
            return taken;
        }
    }

    private void Run(List<Step> group)
    {
        try
        {
            PrepareNew();
            _begin.Run();
            foreach (var step in group)
            {
                step.Run();
            }

            Commit();
        }
        catch (Exception e)
        {
            e = RolledBack(e);
            if (group.Count == 1 || e is UnknownCommitException)
            {
                group.ForEach(step => step.Fail(e));
                return;
            }

            // One step must not take the others of its group along: each gets a transaction of its own.
            group.ForEach(step => Run([step]));
            return;
        }

        group.ForEach(step => step.Complete());
    }

    private void PrepareNew()
    {
        while (_unprepared.TryPeek(out var statement))
        {
            statement.Prepare(_connection!.Handle!);
            _prepared.Add(statement);
            _unprepared.TryDequeue(out _);
        }
    }

    private void Commit()
    {
        try
        {
            _commit.Run();
        }
        catch (SqliteException e) when (e.SqliteErrorCode != raw.SQLITE_FULL)
        {
            throw new UnknownCommitException(_path, e);
        }
    }

    /// <summary>
    /// Rolls back, unless SQLite has done so by itself. Where that fails too the next BEGIN fails and comes here again: nothing of a
    /// failed group is ever committed. What became of a commit stays unknown then as well.
    /// </summary>
    private Exception RolledBack(Exception cause)
    {
        try
        {
            if (raw.sqlite3_get_autocommit(_connection!.Handle) == 0)
            {
                _rollback.Run();
            }

            return cause;
        }
        catch (SqliteException e)
        {
            var both = new AggregateException(cause, e);
            return cause is UnknownCommitException ? new UnknownCommitException(_path, both) : both;
        }
    }

    private abstract class Step
    {
        public abstract void Run();

        public abstract void Complete();

        public abstract void Fail(Exception exception);
    }

    private sealed class Step<T>(Func<T> step) : Step
    {
        private readonly TaskCompletionSource<T> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private T? _value;

        public Task<T> Result => _result.Task;

        public override void Run() => _value = step();

        public override void Complete() => _result.SetResult(_value!);

        public override void Fail(Exception exception) => _result.SetException(exception);
    }
}
