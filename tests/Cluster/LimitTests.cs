namespace SessionActors;

public sealed class LimitTests
{
    [Theory]
    [InlineData("MaxPropertyBytes", 100)]
    [InlineData("MaxSessionBytes", 250)]
    [InlineData("MaxProperties", 3)]
    [InlineData("the longest name", 65535)]
    public async Task A_change_past_a_limit_is_refused_whole_and_the_exception_names_it(string limit, long allowed)
    {
        await using var cluster = await SessionCluster.StartAsync(configure: options =>
        {
            options.MaxPropertyBytes = 100;
            options.MaxSessionBytes = 250;
            options.MaxProperties = 3;
        });
        var session = await cluster.NewSessionAsync();
        var change = SessionDelta.Empty.Set("good", "x"u8);
        change = limit switch
        {
            "MaxPropertyBytes" => change.Set("big", new byte[101]),
            "MaxSessionBytes" => change.Set("a", new byte[99]).Set("b", new byte[99]).Remove("first").Remove("good").Set("c", new byte[60]),
            "MaxProperties" => change.Set("two", "x"u8).Set("three", "x"u8),
            _ => change.Set(new string('n', 65536), "x"u8),
        };

        var error = await Assert.ThrowsAsync<SessionLimitExceededException>(() => session.CommitAsync(change));

        Assert.Equal((limit, allowed), (error.Limit, error.Allowed));
        Assert.Contains($"{limit} = {allowed}", error.Message, StringComparison.Ordinal);
        Assert.True(error.Message.Length < 400);
        Assert.Single((await session.ReadAsync())!.Properties);
        Assert.Equal(0, cluster.Storage.Count("commit"));
    }

    [Fact]
    public async Task A_new_session_past_a_limit_is_not_created()
    {
        await using var cluster = await SessionCluster.StartAsync(configure: options => options.MaxPropertyBytes = 100);
        var session = cluster.Session(SessionHandle.New());

        await Assert.ThrowsAsync<SessionLimitExceededException>(
            () => session.CreateAsync(new NewSession { Delta = SessionDelta.Empty.Set("big", new byte[101]) }, SessionRequest.New()));

        Assert.Null(await session.ReadAsync());
        Assert.Equal(0, cluster.Storage.Count("create"));
    }

    [Fact]
    public async Task Exactly_the_limit_is_allowed()
    {
        await using var cluster = await SessionCluster.StartAsync(configure: options =>
        {
            options.MaxPropertyBytes = 100;
            options.MaxSessionBytes = 206;
        });
        var session = await cluster.NewSessionAsync();

        // "first" and its one byte are six of the 206.
        await session.CommitAsync(SessionDelta.Empty.Set("a", new byte[99]).Set("", new byte[100]));

        Assert.Equal(3, (await session.ReadAsync())!.Properties.Count);
    }

    [Theory]
    [InlineData(long.MaxValue, 1)]
    [InlineData(long.MinValue, -1)]
    public async Task A_sum_past_64_bits_is_refused_and_the_number_stays(long start, long by)
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await cluster.NewSessionAsync();
        await session.IncrementAsync("n", start);

        await Assert.ThrowsAsync<OverflowException>(() => session.IncrementAsync("n", by));

        Assert.Equal(start, await session.IncrementAsync("n", 0));
    }

    [Fact]
    public async Task A_property_that_is_no_number_is_not_incremented()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await cluster.NewSessionAsync();

        var error = await Assert.ThrowsAsync<FormatException>(() => session.IncrementAsync("first"));

        Assert.Contains("'first'", error.Message, StringComparison.Ordinal);
        Assert.Equal("1", (await session.ReadAsync())!.GetString("first"));
    }

    [Fact]
    public async Task A_key_that_is_no_handle_is_refused_with_the_reason()
    {
        await using var cluster = await SessionCluster.StartAsync();

        var me = cluster.Silos.Client.GetGrain<ISessionGrain>("me");
        var error = await Assert.ThrowsAnyAsync<Exception>(async () => await me.ReadAsync());

        Assert.Contains("A session handle is 22 characters", error.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0L)]
    [InlineData(-10_000L)]
    [InlineData(9_999_999L)]
    [InlineData(long.MaxValue)]
    public void An_idle_time_out_out_of_range_cannot_be_asked_for(long ticks)
    {
        var error = Assert.Throws<ArgumentOutOfRangeException>(() => SessionDelta.Empty.WithTtl(new TimeSpan(ticks)));

        Assert.Contains("Ttl", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_longest_idle_time_out_and_the_longest_patience_are_kept()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await cluster.NewSessionAsync(ttl: SessionDelta.MaxTtl);
        var patient = SessionRequest.New() with { Patience = SessionRequest.MaxPatience };

        await session.CommitAsync(SessionDelta.Empty.Set("a", "x"u8).WithTtl(SessionDelta.MinTtl), patient);
        await session.CommitAsync(SessionDelta.Empty.WithTtl(SessionDelta.MaxTtl));
        await cluster.DeactivateAsync(session);

        Assert.Equal(SessionDelta.MaxTtl, (await session.ReadAsync())!.Ttl);
    }

    [Theory]
    [InlineData(-1L)]
    [InlineData(long.MinValue)]
    [InlineData(long.MaxValue)]
    public void A_patience_out_of_range_cannot_be_asked_for(long ticks) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => SessionRequest.New() with { Patience = new TimeSpan(ticks) });

    [Fact]
    public async Task Limits_of_a_request_survive_the_way_to_the_silo()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await cluster.NewSessionAsync();
        cluster.Storage.OnStep = (step, run) => step == "commit" ? Task.FromResult(new StoreReply(StoreOutcome.Unknown)) : run();
        var started = cluster.Time.GetUtcNow();

        var hasty = session.CommitAsync(
            SessionDelta.Empty.Set("a", "x"u8), SessionRequest.New() with { Patience = TimeSpan.FromMilliseconds(100) });
        await Assert.ThrowsAsync<SessionUnavailableException>(() => cluster.MoveTimeAsync(hasty));

        Assert.InRange(cluster.Time.GetUtcNow() - started, TimeSpan.FromMilliseconds(100), SessionRequest.DefaultPatience / 2);
    }

    [Fact]
    public async Task A_name_that_is_no_Unicode_text_is_refused_and_nothing_is_stored()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await cluster.NewSessionAsync();
        var half = "a\uD800";

        var error = Assert.Throws<ArgumentException>(() => SessionDelta.Empty.Set(half, "x"u8));
        await Assert.ThrowsAsync<ArgumentException>(() => session.IncrementAsync(half));
        var state = SessionState.Empty(SessionDelta.MaxTtl, secret: null);
        var raw = new SessionDelta { Sets = SessionDelta.Empty.Set("good", "x"u8).Sets.Add(half, default) };
        Assert.Throws<ArgumentException>(() => state.Apply(new Change(raw), new SessionActorsOptions(), "session"));

        Assert.Contains("surrogate pair at position 1", error.Message, StringComparison.Ordinal);
        Assert.Single((await session.ReadAsync())!.Properties);
    }
}
