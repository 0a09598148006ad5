using System.Text;
using CsCheck;
using Microsoft.Extensions.Time.Testing;

namespace SessionActors;

/// <summary>Operations that read and change one property in one step, alone and many at a time.</summary>
public sealed class AtomicOperationTests
{
    private static readonly Gen<Operation> AnyOperation = Gen.OneOf(
        Gen.Const(new Operation("take", null, null)),
        Gen.Select(Gen.Int[0, 2], Gen.Int[0, 2]).Select(
            (expected, value) => new Operation("compare and set", Text(expected), Text(value))),
        Gen.Int[1, 2].Select(value => new Operation("get or set", null, Text(value))),
        Gen.Int[0, 2].Select(value => new Operation("commit", null, Text(value))));

    [Fact]
    public async Task Operations_at_once_are_answered_as_in_some_order_one_after_the_other()
    {
        await using var cluster = await SessionCluster.StartAsync(silos: 2);

        await Gen.Select(Gen.Int[0, 2], AnyOperation.Array[2, 6]).SampleAsync(
            async (start, operations) =>
            {
                var session = await cluster.NewSessionAsync();
                if (Text(start) is { } before)
                {
                    await session.CommitAsync(SessionDelta.Empty.Set("p", Encoding.UTF8.GetBytes(before)));
                }

                var answers = await Task.WhenAll(operations.Select(operation => operation.RunAsync(session)));

                var after = (await session.ReadAsync())!.GetString("p");
                return SomeOrderExplains(Text(start), [.. operations.Zip(answers)], after);
            },
            iter: 300,
            threads: 1);
    }

    [Fact]
    public async Task A_take_is_given_to_one_of_many()
    {
        await using var cluster = await SessionCluster.StartAsync(silos: 2);
        var session = await cluster.NewSessionAsync();
        await session.CommitAsync(SessionDelta.Empty.Set("p", "x"u8));

        var taken = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => session.TakeAsync("p")));

        Assert.Equal("x", Encoding.UTF8.GetString(Assert.Single(taken, value => value is not null)!.Value.Span));
        Assert.Null((await session.ReadAsync())!.GetString("p"));
    }

    [Fact]
    public async Task What_is_set_where_nothing_is_comes_from_one_of_many_and_goes_to_all()
    {
        await using var cluster = await SessionCluster.StartAsync(silos: 2);
        var session = await cluster.NewSessionAsync();

        var values = await Task.WhenAll(Enumerable.Range(0, 50).Select(i => session.GetOrSetAsync("p", new[] { (byte)i })));

        var stored = (await session.ReadAsync())!.Properties["p"];
        Assert.All(values, value => Assert.Equal(stored.ToArray(), value.ToArray()));
    }

    [Theory]
    [InlineData("take")]
    [InlineData("compare and set")]
    [InlineData("get or set")]
    public async Task An_operation_that_changes_nothing_writes_nothing(string what)
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await cluster.NewSessionAsync();
        var operation = new Operation(what, what == "compare and set" ? "2" : null, "3");
        var name = what == "take" ? "absent" : "first";

        var answer = await operation.RunAsync(session, name: name);

        Assert.Equal(what switch { "take" => null, "compare and set" => "False", _ => "1" }, answer);
        Assert.Equal(1, (await session.ReadAsync())!.Version);
        Assert.Equal(0, cluster.Storage.Count("commit"));
    }

    [Fact]
    public async Task Past_a_limit_an_operation_is_refused_and_changes_nothing()
    {
        await using var cluster = await SessionCluster.StartAsync(configure: options => options.MaxPropertyBytes = 3);
        var session = await cluster.NewSessionAsync();

        await Assert.ThrowsAsync<SessionLimitExceededException>(() => session.GetOrSetAsync("p", new byte[4]));
        await Assert.ThrowsAsync<SessionLimitExceededException>(() => session.CompareAndSetAsync("p", null, new byte[4]));

        Assert.Equal(1, (await session.ReadAsync())!.Version);
    }

    [Theory]
    [InlineData("take", "x")]
    [InlineData("compare and set", "True")]
    [InlineData("get or set", "y")]
    public async Task A_repeated_operation_is_answered_alike_whatever_came_between(string what, string answer)
    {
        await using var cluster = await SessionCluster.StartAsync(silos: 2);
        var (session, operation) = await ReadyAsync(cluster, what);
        var request = SessionRequest.New();

        Assert.Equal(answer, await operation.RunAsync(session, request));
        await session.CommitAsync(SessionDelta.Empty.Set("p", "later"u8));
        Assert.Equal(answer, await operation.RunAsync(session, request));
        await cluster.DeactivateAsync(session);
        Assert.Equal(answer, await operation.RunAsync(session, request));

        Assert.Equal("later", (await session.ReadAsync())!.GetString("p"));
    }

    [Theory]
    [InlineData("take", "x")]
    [InlineData("compare and set", "True")]
    [InlineData("get or set", "y")]
    public async Task An_operation_whose_answer_from_the_store_was_lost_is_applied_once(string what, string answer)
    {
        await using var cluster = await SessionCluster.StartAsync();
        var (session, operation) = await ReadyAsync(cluster, what);
        var version = (await session.ReadAsync())!.Version;
        var lost = 0;
        cluster.Storage.OnStep = async (step, run) =>
        {
            var reply = await run();
            return step == "commit" && lost++ < 3 ? new StoreReply(StoreOutcome.Unknown) : reply;
        };

        Assert.Equal(answer, await cluster.MoveTimeAsync(operation.RunAsync(session)));

        Assert.Equal(version + 1, (await session.ReadAsync())!.Version);
    }

    [Theory]
    [InlineData("take", "x")]
    [InlineData("compare and set", "True")]
    [InlineData("get or set", "y")]
    public async Task An_operation_repeated_in_another_cluster_after_a_lost_answer_is_answered_alike(string what, string answer)
    {
        var time = new FakeTimeProvider();
        var storage = new ModelSessionStorage(time);
        await using var one = await SessionCluster.StartAsync(storage, time, clusterId: "one");
        await using var other = await SessionCluster.StartAsync(storage, time, clusterId: "other");
        var (session, operation) = await ReadyAsync(one, what);
        var handle = SessionHandle.Parse(session.GetPrimaryKeyString());
        var request = SessionRequest.New();
        one.Storage.OnStep = async (step, run) =>
        {
            var reply = await run();
            return step == "commit" ? new StoreReply(StoreOutcome.Unknown) : reply;
        };

        var lost = await Assert.ThrowsAsync<SessionUnavailableException>(() => one.MoveTimeAsync(operation.RunAsync(session, request)));
        await other.Session(handle).CommitAsync(SessionDelta.Empty.Set("p", "later"u8));

        Assert.True(lost.MayBeApplied);
        Assert.Equal(answer, await operation.RunAsync(other.Session(handle), request with { UnansweredFor = TimeSpan.FromSeconds(5) }));
        Assert.Equal("later", (await other.Session(handle).ReadAsync())!.GetString("p"));
    }

    [Fact]
    public async Task An_operation_that_another_cluster_came_before_sees_what_that_has_stored()
    {
        var time = new FakeTimeProvider();
        var storage = new ModelSessionStorage(time);
        await using var one = await SessionCluster.StartAsync(storage, time, clusterId: "one");
        await using var other = await SessionCluster.StartAsync(storage, time, clusterId: "other");
        var (here, _) = await ReadyAsync(one, "take");
        var there = other.Session(SessionHandle.Parse(here.GetPrimaryKeyString()));

        Assert.NotNull(await there.TakeAsync("p"));

        Assert.Null(await here.TakeAsync("p"));
        Assert.True(await here.CompareAndSetAsync("p", null, "a"u8.ToArray()));
        Assert.Equal("a", Encoding.UTF8.GetString((await there.GetOrSetAsync("p", "b"u8.ToArray())).Span));
    }

    /// <summary>A session in which the operation will change the property <c>p</c>: <c>x</c> where there is one.</summary>
    private static async Task<(ISessionGrain Session, Operation Operation)> ReadyAsync(SessionCluster cluster, string what)
    {
        var session = await cluster.NewSessionAsync();
        if (what != "get or set")
        {
            await session.CommitAsync(SessionDelta.Empty.Set("p", "x"u8));
        }

        return (session, new Operation(what, "x", "y"));
    }

    private static bool SomeOrderExplains(string? before, (Operation Operation, string? Answer)[] left, string? after) =>
        left.Length == 0
            ? before == after
            : left.Where((call, i) =>
            {
                var (answer, next) = call.Operation.On(before);
                return answer == call.Answer && SomeOrderExplains(next, [.. left[..i], .. left[(i + 1)..]], after);
            }).Any();

    private static string? Text(int value) => value == 0 ? null : $"{value}";

    private sealed record Operation(string What, string? Expected, string? Value)
    {
        /// <summary>The model: what it answers on a value, and what is there then.</summary>
        public (string? Answer, string? After) On(string? before) => What switch
        {
            "take" => (before, null),
            "compare and set" => before == Expected ? ("True", Value) : ("False", before),
            "get or set" => (before ?? Value, before ?? Value),
            _ => (null, Value),
        };

        public async Task<string?> RunAsync(ISessionGrain session, SessionRequest? request = null, string name = "p")
        {
            var call = request ?? SessionRequest.New();
            switch (What)
            {
                case "take":
                    return await session.RetryAsync(call, r => session.TakeAsync(name, r)) is { } taken ? Text(taken) : null;
                case "compare and set":
                    return $"{await session.RetryAsync(call, r => session.CompareAndSetAsync(name, Bytes(Expected), Bytes(Value), r))}";
                case "get or set":
                    return Text(await session.RetryAsync(call, r => session.GetOrSetAsync(name, Bytes(Value)!.Value, r)));
                default:
                    var delta = Bytes(Value) is { } value ? SessionDelta.Empty.Set(name, value.Span) : SessionDelta.Empty.Remove(name);
                    await session.RetryAsync(call, r => session.CommitAsync(delta, r));
                    return null;
            }
        }

        private static string Text(ReadOnlyMemory<byte> bytes) => Encoding.UTF8.GetString(bytes.Span);

        private static ReadOnlyMemory<byte>? Bytes(string? text) =>
            text is null ? default(ReadOnlyMemory<byte>?) : Encoding.UTF8.GetBytes(text);
    }
}
