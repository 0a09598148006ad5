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
            Assert.Null(await new StorageComparison(new SqliteSessionStorage(database, time), time, isShared: false).RunAsync(steps));
        },
        iter: 500);
}
