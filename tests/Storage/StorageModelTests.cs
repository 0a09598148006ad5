using CsCheck;
using Microsoft.Extensions.Time.Testing;

namespace SessionActors;

/// <summary>Long random sequences of steps get the same answers from every store as from the model, and leave the same behind.</summary>
public sealed class StorageModelTests
{
    [Fact]
    public Task EmbeddedStore_AnswersAsTheModel() => StorageComparison.Steps.SampleAsync(
        async steps =>
        {
            var time = new FakeTimeProvider();
            await using var database = new SqliteDatabase(SqliteDatabase.InMemory, TimeSpan.Zero, time);
            var (sessions, events) = (new SqliteSessionStorage(database, time), new SqliteEventStorage(database, time));
            Assert.Null(await new StorageComparison(sessions, events, time, isShared: false).RunAsync(steps));
        },
        iter: 500);
}
