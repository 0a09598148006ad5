namespace SessionActors;

/// <summary>Calls that are refused because of another one that is on its way to the store.</summary>
public sealed class RefusedWriteTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_limit_that_a_write_under_way_exhausts_counts_once_that_is_stored(bool isStored)
    {
        await using var cluster = await SessionCluster.StartAsync(configure: options => options.MaxProperties = 2);
        var session = await cluster.NewSessionAsync();

        var second = await BehindAsync(
            cluster, isStored, hasty => session.CommitAsync(SessionDelta.Empty.Set("a", "x"u8), hasty),
            patient => session.CommitAsync(SessionDelta.Empty.Set("b", "x"u8), patient));

        Assert.Equal(isStored ? typeof(SessionLimitExceededException) : null, second?.GetType());
        var snapshot = (await session.ReadAsync())!;
        Assert.Equal(["first", isStored ? "a" : "b"], snapshot.Properties.Keys.OrderDescending(StringComparer.Ordinal));
        Assert.Equal(2, snapshot.Version);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_secret_is_an_old_one_once_the_new_one_is_stored(bool isStored)
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await cluster.NewSessionAsync();

        var second = await BehindAsync(
            cluster, isStored, hasty => session.RegenerateAsync(SecretHash.Of(new byte[16]), hasty),
            patient => session.CommitAsync(SessionDelta.Empty.Set("b", "x"u8), patient with { Generation = 0 }));

        Assert.Equal(isStored ? typeof(SessionDestroyedException) : null, second?.GetType());
        Assert.Equal(isStored ? null : "x", (await session.ReadAsync())!.GetString("b"));
    }

    [Fact]
    public async Task What_is_stored_is_refused_without_the_store()
    {
        await using var cluster = await SessionCluster.StartAsync(configure: options => options.MaxProperties = 1);
        var session = await cluster.NewSessionAsync();
        cluster.Storage.OnStep = (_, _) => throw new InvalidOperationException("The store was asked.");

        await Assert.ThrowsAsync<SessionLimitExceededException>(() => session.CommitAsync(SessionDelta.Empty.Set("b", "x"u8)));
    }

    // One call has gone to the store, which stores it or has no room for it, before the other comes. Returns what became of that.
    private static async Task<Exception?> BehindAsync<T>(
        SessionCluster cluster, bool isStored, Func<SessionRequest, Task<T>> hasty, Func<SessionRequest, Task<long>> patient)
    {
        var gate = new StepGate();
        var hasRoom = isStored;
        cluster.Storage.OnStep = async (step, run) =>
        {
            await gate.PassAsync();
            return hasRoom ? await run() : new StoreReply(StoreOutcome.Refused, Error: new IOException("no room"));
        };
        var first = hasty(SessionRequest.New() with { Patience = TimeSpan.FromSeconds(1) });
        await gate.ArrivedAsync();
        var second = patient(SessionRequest.New() with { Patience = TimeSpan.FromMinutes(1) });
        await cluster.StoringAsync(2);
        Assert.False(second.IsCompleted);

        gate.Open();

        if (isStored)
        {
            await first;
        }
        else
        {
            await Assert.ThrowsAsync<SessionUnavailableException>(() => cluster.MoveTimeAsync(first));
            hasRoom = true;
        }

        return await Record.ExceptionAsync(() => cluster.MoveTimeAsync(second));
    }
}
