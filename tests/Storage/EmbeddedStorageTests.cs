using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Time.Testing;
using SQLitePCL;

namespace SessionActors;

/// <summary>The contract over the embedded store in a file, and what only a file can do.</summary>
public sealed class EmbeddedStorageTests : StorageContract, IAsyncLifetime
{
    private readonly FakeTimeProvider _time = new(TimeProvider.System.GetUtcNow());
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("session-actors-");
    private SqliteDatabase _database = null!;
    private SqliteSessionStorage _storage = null!;
    private SqliteEventStorage _events = null!;

    private protected override ISessionStorage Storage => _storage;

    private protected override IEventStorage Events => _events;

    protected override bool IsShared => false;

    public ValueTask InitializeAsync()
    {
        Open();
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await _database.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task ReopenedFile_HasEverythingThatWasAcknowledged()
    {
        var (handle, last) = await CreateAsync(
            SessionDelta.Empty.Set("a", [1]).WithTtl(TimeSpan.FromDays(7)), lifetime: TimeSpan.FromDays(30));
        last = await CommitAsync(handle, Next(last, SessionDelta.Empty.Set("b", [2]), "result"));
        var (ended, _) = await CreateAsync(SessionDelta.Empty);
        AssertOutcome(StoreOutcome.Written, await Storage.DestroyAsync(ended, SessionEndReason.Destroyed, TombstoneKept));

        await ReopenAsync();

        AssertTombstone(SessionEndReason.Destroyed, await ClaimAsync(ended));
        AssertOutcome(StoreOutcome.AlreadyWritten, await Storage.CommitAsync(handle, last));
        var session = await ReadAsync(handle);
        Assert.Equal(["a", "b"], session.Properties.Keys.Order());
        Assert.Equal(2, session.Version);
        Assert.Equal(TimeSpan.FromDays(7), session.OwnTtl);
        Assert.Equal(TimeSpan.FromDays(30), session.LifetimeLeft);
        Assert.Equal(Kept, session.KeptFor);
        Assert.Equal("result", session.Ring[2].Entry.Result);
    }

    [Fact]
    public async Task SessionThatRanOutWhileTheProcessWasAway_IsGone()
    {
        var (handle, last) = await CreateAsync(SessionDelta.Empty.Set("a", [1]));

        await _database.DisposeAsync();
        _time.Advance(Kept);
        Open();

        AssertOutcome(StoreOutcome.Missing, await Storage.CommitAsync(handle, Next(last, SessionDelta.Empty)));
    }

    [Fact]
    public async Task ExpiredSessionsAndTombstonesNobodyAsksFor_AreDeleted()
    {
        for (var i = 0; i < 50; i++)
        {
            var (handle, _) = await CreateAsync(SessionDelta.Empty.Set("a", [1]));
            await Storage.DestroyAsync(i % 2 == 0 ? handle : SessionHandle.New(), SessionEndReason.Destroyed, TombstoneKept);
        }

        _time.Advance(TimeSpan.FromHours(1));
        for (var i = 0; i < 100; i++)
        {
            await ClaimAsync(SessionHandle.New());
        }

        await _database.DisposeAsync();
        Assert.Equal(0, Count("session"));
        Assert.Equal(0, Count("property"));
        Assert.Equal(0, Count("ring"));
    }

    [Fact]
    public async Task FolderInUse_IsRefusedWithAMessageThatNamesItAndTheProcess()
    {
        await _database.OpenAsync(TestContext.Current.CancellationToken);
        await using var second = new SqliteDatabase(_folder.FullName, TimeSpan.FromMilliseconds(1), TimeProvider.System);

        var refused = await Assert.ThrowsAsync<TimeoutException>(() => second.OpenAsync(TestContext.Current.CancellationToken));

        Assert.Contains(_folder.FullName, refused.Message, StringComparison.Ordinal);
        Assert.Contains($"process {Environment.ProcessId} ", refused.Message, StringComparison.Ordinal);
        Assert.Contains("SessionActors:DataFolder", refused.Message, StringComparison.Ordinal);
        var reply = await new SqliteSessionStorage(second, TimeProvider.System).CommitAsync(SessionHandle.New(), First(OwnerNonce.New()));
        AssertOutcome(StoreOutcome.Unsent, reply);
        Assert.IsType<TimeoutException>(reply.Error);
    }

    [Fact]
    public async Task FolderGivenUpWhileTheNextOneWaits_IsTaken()
    {
        await _database.OpenAsync(TestContext.Current.CancellationToken);
        await using var second = new SqliteDatabase(_folder.FullName, TimeSpan.FromMinutes(1), TimeProvider.System);
        var opening = second.OpenAsync(TestContext.Current.CancellationToken);
        Assert.False(opening.IsCompleted);

        await _database.DisposeAsync();

        await opening;
    }

    [Theory]
    [InlineData("sessions.lock")]
    [InlineData("sessions.pid")]
    public async Task FailureThatIsNoLock_IsNotTakenForAnotherProcess(string file)
    {
        // Nobody can open a socket as a file.
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(Path.Combine(_folder.FullName, file)));

        var refused = await RefusedAsync(_folder.FullName);

        Assert.IsType<IOException>(refused.InnerException);
        Assert.Contains("cannot be written", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task NoteOfWhoHoldsTheFolderInUse_IsNotTakenForTheFolder()
    {
        await using var held = new FileStream(
            Path.Combine(_folder.FullName, "sessions.pid"), FileMode.Create, FileAccess.ReadWrite, FileShare.None);

        Assert.Contains("sessions.pid", (await RefusedAsync(_folder.FullName)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task FolderThatIsMissing_IsCreated()
    {
        var folder = Path.Combine(_folder.FullName, "not", "yet");
        await using (var database = new SqliteDatabase(folder, TimeSpan.Zero, _time))
        {
            await database.OpenAsync(TestContext.Current.CancellationToken);
        }

        Assert.True(File.Exists(Path.Combine(folder, "sessions.db")));
    }

    [Fact]
    public async Task NewFileAndItsLog_AreReadableByTheirOwnerOnly()
    {
        await CreateAsync(SessionDelta.Empty);

        // Windows has no such permissions.
        Assert.All([DatabasePath, DatabasePath + "-wal"], file => Assert.True(
            OperatingSystem.IsWindows() || File.GetUnixFileMode(file) == (UnixFileMode.UserRead | UnixFileMode.UserWrite)));
    }

    [Fact]
    public async Task FolderThatCannotBeWritten_IsRefusedWithTheMend()
    {
        var file = Path.Combine(_folder.FullName, "file");
        await File.WriteAllTextAsync(file, "", TestContext.Current.CancellationToken);

        var refused = await RefusedAsync(Path.Combine(file, "folder"));

        Assert.Contains("SessionActors:DataFolder", refused.Message, StringComparison.Ordinal);
        Assert.Contains(file, refused.Message, StringComparison.Ordinal);
        Assert.NotNull(refused.InnerException);
    }

    [Fact]
    public async Task FileThatIsNoDatabase_IsRefusedAndLeftAsItIs()
    {
        var garbage = string.Concat(Enumerable.Repeat("This is not a database. ", 1000));
        await File.WriteAllTextAsync(DatabasePath, garbage, TestContext.Current.CancellationToken);

        var refused = await RefusedAsync(_folder.FullName);

        Assert.Contains(DatabasePath, refused.Message, StringComparison.Ordinal);
        Assert.Contains("not a SQLite database", refused.Message, StringComparison.Ordinal);
        Assert.Equal(garbage, await File.ReadAllTextAsync(DatabasePath, TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("CREATE TABLE other (x)", "another application")]
    [InlineData("CREATE TABLE other (x); PRAGMA application_id = 1396794228; PRAGMA user_version = 3", "newer SessionActors")]
    public async Task DatabaseOfAnotherApplicationOrANewerVersion_IsRefused(string sql, string says)
    {
        Sql<object?>(sql);

        Assert.Contains(says, (await RefusedAsync(_folder.FullName)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task DatabaseOfTheVersionBefore_IsBroughtUpToDateWithEverythingInIt()
    {
        var (handle, last) = await CreateAsync(SessionDelta.Empty.Set("a", [1]));
        await _database.DisposeAsync();
        Sql<object?>("ALTER TABLE session DROP COLUMN user; ALTER TABLE session DROP COLUMN grace; ALTER TABLE session DROP COLUMN told; "
            + "ALTER TABLE grain_state DROP COLUMN written; DROP TABLE due; PRAGMA user_version = 1");
        Open();

        await CommitAsync(handle, Next(last, SessionDelta.Empty.Set("b", [2])) with { User = new BoundUser("ada", 0) });

        var session = await ReadAsync(handle);
        Assert.Equal(["a", "b"], session.Properties.Keys.Order());
        Assert.Equal(new BoundUser("ada", 0), session.User);
        await _database.DisposeAsync();
        Assert.Equal(2, Sql<long>("PRAGMA user_version"));
    }

    [Fact]
    public async Task StepsUnderWayAtDisposal_AreFinished_LaterOnesAreUnsent()
    {
        var (handle, last) = await CreateAsync(SessionDelta.Empty);
        var created = Enumerable.Range(0, 500).Select(_ => CreateAsync(SessionDelta.Empty.Set("a", [1]))).ToList();

        await _database.DisposeAsync();

        AssertOutcome(StoreOutcome.Unsent, await Storage.CommitAsync(handle, Next(last, SessionDelta.Empty)));
        await Task.WhenAll(created);
        Assert.Equal(501, Count("session"));
    }

    [Fact]
    public async Task FullDisk_RefusesWhatDoesNotFitAndKeepsWorking()
    {
        var (handle, last) = await CreateAsync(SessionDelta.Empty.Set("a", [1]));
        var limit = _database.Statement("PRAGMA max_page_count = 40");
        await _database.RunAsync(limit.Read);
        await _database.RunAsync(() => { limit.Reset(); return true; });

        var tooMuch = Storage.CommitAsync(handle, Next(last, SessionDelta.Empty.Set("big", new byte[1_000_000])));
        var (other, _) = await CreateAsync(SessionDelta.Empty.Set("small", [2]));

        AssertOutcome(StoreOutcome.Refused, await tooMuch);
        Assert.IsType<SqliteException>((await tooMuch).Error);
        await CommitAsync(handle, Next(last, SessionDelta.Empty.Set("a", [3])));
        Assert.Equal([3], Assert.Single((await ReadAsync(handle)).Properties).Value.ToArray());
        Assert.Equal([2], Assert.Single((await ReadAsync(other)).Properties).Value.ToArray());
    }

    [Theory]
    [InlineData("COMMIT")]
    [InlineData("COMMIT, ROLLBACK")]
    public async Task CommitThatFails_IsUnknown_AndTheSameFlushIsWrittenLater(string failing)
    {
        var (handle, last) = await CreateAsync(SessionDelta.Empty);
        var (flush, connection) = (Next(last, SessionDelta.Empty.Set("a", [1])), ConnectionOf(_database)!.Handle);
        using var goOn = new ManualResetEventSlim();
        var running = new TaskCompletionSource();
        // Those that come meanwhile are one group.
        var blocking = _database.RunAsync(() => running.TrySetResult() && goOn.Wait(TimeSpan.FromSeconds(30)));
        await running.Task;
        var forbidding = _database.RunAsync(() => raw.sqlite3_set_authorizer(
            connection,
            (strdelegate_authorizer)((_, action, name, _, _, _) =>
                action == raw.SQLITE_TRANSACTION && failing.Contains(name) ? raw.SQLITE_DENY : raw.SQLITE_OK),
            null));
        var commit = Storage.CommitAsync(handle, flush);
        goOn.Set();

        AssertOutcome(StoreOutcome.Unknown, await commit);
        await blocking;
        await Assert.ThrowsAsync<UnknownCommitException>(() => forbidding);
        raw.sqlite3_set_authorizer(connection, (strdelegate_authorizer?)null, null);
        StoreReply reply;
        while ((reply = await Storage.CommitAsync(handle, flush)).Outcome == StoreOutcome.Refused)
        {
            Assert.NotNull(reply.Error);
        }

        AssertOutcome(StoreOutcome.Written, reply);
        Assert.Equal([1], (await ReadAsync(handle)).Properties["a"].ToArray());
    }

    [Fact]
    public async Task FailingStep_TakesNoOtherOfItsGroupAlong()
    {
        var (handle, last) = await CreateAsync(SessionDelta.Empty);
        using var started = new ManualResetEventSlim();
        var first = _database.RunAsync(() => started.Wait(TimeSpan.FromSeconds(30)));
        var before = Storage.CommitAsync(handle, Next(last, SessionDelta.Empty.Set("a", [1])));
        var failing = _database.RunAsync<int>(() => throw new NotSupportedException("on purpose"));
        var after = CreateAsync(SessionDelta.Empty.Set("b", [1]));

        started.Set();

        await Assert.ThrowsAsync<NotSupportedException>(() => failing);
        AssertOutcome(StoreOutcome.Written, await before);
        Assert.Equal([1], (await ReadAsync((await after).Handle)).Properties["b"].ToArray());
        Assert.True(await first);
        Assert.Equal([1], (await ReadAsync(handle)).Properties["a"].ToArray());
    }

    protected override Task AdvanceAsync(TimeSpan time)
    {
        _time.Advance(time);
        return Task.CompletedTask;
    }

    protected override long TimestampAgo(TimeSpan age) => _time.GetTimestamp() - (long)(age.TotalSeconds * _time.TimestampFrequency);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_connection")]
    private static extern ref SqliteConnection? ConnectionOf(SqliteDatabase database);

    private string DatabasePath => Path.Combine(_folder.FullName, "sessions.db");

    private void Open()
    {
        _database = new SqliteDatabase(_folder.FullName, TimeSpan.Zero, _time);
        _storage = new SqliteSessionStorage(_database, _time);
        _events = new SqliteEventStorage(_database, _time);
    }

    private async Task ReopenAsync()
    {
        await _database.DisposeAsync();
        Open();
    }

    private async Task<InvalidOperationException> RefusedAsync(string folder)
    {
        await using var database = new SqliteDatabase(folder, TimeSpan.Zero, _time);
        return await Assert.ThrowsAsync<InvalidOperationException>(() => database.OpenAsync(TestContext.Current.CancellationToken));
    }

    private long Count(string table) => Sql<long>($"SELECT count(*) FROM {table}");

    private T? Sql<T>(string sql)
    {
        using var connection = new SqliteConnection($"Data Source={DatabasePath};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return (T?)command.ExecuteScalar();
    }
}
