namespace SessionActors;

/// <summary>The checker against histories whose verdict is known: made by hand, each in units of no meaning.</summary>
public sealed class LinearizabilityTests
{
    private readonly List<CallRecord<SessionCall>> _calls = [];

    [Fact]
    public void Calls_one_after_the_other_are_explained()
    {
        Answered(0, 1, SessionCall.Create(("a", "1")));
        Answered(2, 3, SessionCall.Read("a") with { Answer = "1" });
        Answered(4, 5, SessionCall.Set(("a", "2"), ("b", "3")));
        Answered(6, 7, SessionCall.Remove("b"));
        Answered(8, 9, SessionCall.Increment("n", 5) with { Answer = "5" });
        Answered(10, 11, SessionCall.CompareAndSet("a", "2", "4") with { Answer = "1" });
        Answered(12, 13, SessionCall.CompareAndSet("a", "2", "5") with { Answer = "0" });
        Answered(14, 15, SessionCall.Take("a") with { Answer = "4" });
        Answered(16, 17, SessionCall.Take("a"));
        Answered(18, 19, SessionCall.Read() with { Seen = SessionCall.Create(("n", "5")).Sets });
        Answered(20, 21, SessionCall.Regenerate() with { Answer = "2" });
        Answered(22, 23, SessionCall.Set(("a", "6")) with { Generation = 1, IsSuperseded = true });
        Answered(24, 25, SessionCall.Clear());
        Answered(26, 27, SessionCall.Read() with { Seen = SessionCall.Create().Sets });
        Answered(28, 29, SessionCall.Destroy());
        Answered(30, 31, SessionCall.Destroy());
        Answered(32, 33, SessionCall.Read("a") with { IsGone = true });

        Assert.Empty(Problems(isThere: false));
    }

    [Fact]
    public void Calls_at_once_may_come_in_any_order()
    {
        Answered(0, 10, SessionCall.Set(("a", "1")));
        Answered(0, 10, SessionCall.Set(("a", "2")));
        Answered(1, 3, SessionCall.Read("a") with { Answer = "2" });
        Answered(4, 9, SessionCall.Read("a") with { Answer = "1" });
        Answered(11, 12, SessionCall.Read("a") with { Answer = "1" });

        Assert.Empty(Problems());
    }

    [Fact]
    public void Call_that_had_nothing_to_do_at_first_may_come_later()
    {
        Answered(0, 9, SessionCall.Remove("a"));
        Answered(1, 2, SessionCall.Set(("a", "1")));
        Answered(10, 11, SessionCall.Read("a"));

        Assert.Empty(Problems());
    }

    [Fact]
    public void Clear_that_changes_nothing_at_first_may_have_come_later()
    {
        Answered(0, 10, SessionCall.Clear());
        Answered(1, 2, SessionCall.Set(("a", "1")));
        Answered(3, 4, SessionCall.Read("a") with { Answer = "1" });
        Answered(11, 12, SessionCall.Read("a"));

        Assert.Empty(Problems());
    }

    [Fact]
    public void Stale_read_is_found()
    {
        Answered(0, 1, SessionCall.Set(("a", "1")));
        Answered(2, 3, SessionCall.Set(("a", "2")));
        Answered(4, 5, SessionCall.Read("a") with { Answer = "1" });

        Assert.Single(Problems());
    }

    [Fact]
    public void Reads_out_of_order_are_found()
    {
        Answered(0, 20, SessionCall.Set(("a", "1")));
        Answered(2, 3, SessionCall.Read("a") with { Answer = "1" });
        Answered(4, 5, SessionCall.Read("a"));

        Assert.Single(Problems());
    }

    [Fact]
    public void Lost_update_is_found()
    {
        Answered(0, 1, SessionCall.Set(("a", "1")));
        Answered(0, 1, SessionCall.Set(("b", "2")));
        Answered(2, 3, SessionCall.Read() with { Seen = SessionCall.Create(("b", "2")).Sets });

        Assert.Single(Problems());
    }

    [Fact]
    public void Half_a_commit_is_found()
    {
        Answered(0, 10, SessionCall.Set(("a", "1"), ("b", "1")));
        Answered(2, 3, SessionCall.Read() with { Seen = SessionCall.Create(("b", "1")).Sets });

        Assert.Single(Problems());
    }

    [Fact]
    public void Increment_applied_twice_by_a_retry_is_found()
    {
        Answered(0, 5, SessionCall.Increment("n") with { Answer = "2" });

        Assert.Single(Problems());
    }

    [Fact]
    public void Value_taken_twice_is_found()
    {
        Answered(0, 1, SessionCall.Set(("a", "1")));
        Answered(2, 9, SessionCall.Take("a") with { Answer = "1" });
        Answered(2, 9, SessionCall.Take("a") with { Answer = "1" });

        Assert.Single(Problems());
    }

    [Fact]
    public void Compare_and_set_won_by_two_is_found()
    {
        Answered(0, 9, SessionCall.CompareAndSet("a", null, "1") with { Answer = "1" });
        Answered(0, 9, SessionCall.CompareAndSet("a", null, "2") with { Answer = "1" });

        Assert.Single(Problems());
    }

    [Theory]
    [InlineData(false, 1)]
    [InlineData(true, 0)]
    public void Session_that_is_there_after_its_end_is_found(bool isGone, int problems)
    {
        Answered(0, 1, SessionCall.Set(("a", "1")));
        Answered(2, 3, SessionCall.Destroy());
        Answered(4, 5, SessionCall.Read("a") with { Answer = isGone ? null : "1", IsGone = isGone });

        Assert.Equal(problems, Problems().Count);
    }

    [Fact]
    public void Late_create_that_revives_is_found()
    {
        Unknown(0, SessionCall.Create(("a", "1")));
        Answered(2, 3, SessionCall.Destroy());
        Answered(4, 5, SessionCall.Read("a") with { Answer = "1" });

        Assert.Single(Problems(isThere: false));
    }

    [Fact]
    public void Change_under_an_old_secret_is_found()
    {
        Answered(0, 1, SessionCall.Regenerate() with { Answer = "2" });
        Answered(2, 3, SessionCall.Set(("a", "1")) with { Generation = 1 });

        Assert.Single(Problems());
    }

    [Theory]
    [InlineData("0", 0)]
    [InlineData("1", 0)]
    [InlineData("2", 1)]
    public void Unknown_call_happens_once_or_never(string seen, int problems)
    {
        Answered(0, 1, SessionCall.Increment("n", 0) with { Answer = "0" });
        Unknown(2, SessionCall.Increment("n"));
        Answered(4, 5, SessionCall.Read("n") with { Answer = seen });

        Assert.Equal(problems, Problems().Count);
    }

    [Fact]
    public void Unknown_call_may_happen_late_but_is_not_taken_back()
    {
        Unknown(0, SessionCall.Set(("a", "1")));
        Answered(2, 3, SessionCall.Set(("a", "2")));
        Answered(4, 5, SessionCall.Read("a") with { Answer = "2" });
        Answered(6, 7, SessionCall.Read("a") with { Answer = "1" });
        Assert.Empty(Problems());

        Answered(8, 9, SessionCall.Read("a") with { Answer = "2" });
        Assert.Single(Problems());
    }

    [Fact]
    public void Refused_call_that_had_an_effect_is_found()
    {
        _calls.Add(new("s", SessionCall.Set(("a", "1")), 0, 1, CallEnd.Refused));
        Answered(2, 3, SessionCall.Read("a") with { Answer = "1" });

        Assert.Single(Problems());
    }

    [Fact]
    public void Each_key_is_looked_at_by_itself()
    {
        Answered(0, 1, SessionCall.Set(("a", "1")));
        _calls.Add(new("other", SessionCall.Read("a") with { Answer = "1" }, 2, 3, CallEnd.Answered));

        Assert.StartsWith("other:", Assert.Single(Problems()), StringComparison.Ordinal);
    }

    [Fact]
    public void Message_shows_the_smallest_window()
    {
        for (var i = 0; i < 100; i++)
        {
            Answered(10 * i, 10 * i + 1, SessionCall.Set(("a", $"{i}")));
        }

        Answered(455, 456, SessionCall.Read("a") with { Answer = "44" });

        var problem = Assert.Single(Problems());
        Assert.Equal(3, problem.Split("  ! ").Length - 1);
        Assert.Contains("! 440..441 commit set {a=44}", problem, StringComparison.Ordinal);
        Assert.Contains("! 450..451 commit set {a=45}", problem, StringComparison.Ordinal);
        Assert.Contains("! 455..456 read a -> 44", problem, StringComparison.Ordinal);
        Assert.DoesNotContain("a=43}", problem, StringComparison.Ordinal);
        Assert.DoesNotContain("a=46}", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Search_that_is_given_up_fails()
    {
        // That many orders of unknown calls lead to different states, and none to this read.
        for (var i = 0; i < 20; i++)
        {
            Unknown(0, SessionCall.Set(($"p{i}", "1")));
        }

        Answered(1, 2, SessionCall.Read("a") with { Answer = "1" });

        var problem = Assert.Single(Linearizability.ProblemsOf(_calls, new SessionModel(isThere: true), most: 1000));
        Assert.Contains("undecided after 1000", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Long_history_of_many_callers_is_decided()
    {
        // Thirty callers at once, whose sums come back in the order of their applying.
        for (var i = 0; i < 3000; i++)
        {
            Answered(10 * i, 10 * i + 300, SessionCall.Increment("n") with { Answer = $"{i + 1}" });
        }

        Assert.Empty(Problems());
    }

    [Fact]
    public void History_counts_what_never_ended_as_unknown()
    {
        var now = 0L;
        var history = new CallHistory<SessionCall>(() => now++);
        history.Begin("s", SessionCall.Set(("a", "1")));
        history.Begin("s", SessionCall.Set(("b", "1"))).Refused();
        history.Begin("s", SessionCall.Read("a")).Answered(SessionCall.Read("a") with { Answer = "1" });

        Assert.Equal([CallEnd.Unknown, CallEnd.Refused, CallEnd.Answered], history.Calls.Select(call => call.End));
        Assert.Equal([(0, long.MaxValue), (1, 2), (3, 4)], history.Calls.Select(call => (call.From, call.Until)));
        Assert.Empty(Linearizability.ProblemsOf(history.Calls, new SessionModel(isThere: true)));
    }

    private IReadOnlyList<string> Problems(bool isThere = true) => Linearizability.ProblemsOf(_calls, new SessionModel(isThere));

    private void Answered(long from, long until, SessionCall call) => _calls.Add(new("s", call, from, until, CallEnd.Answered));

    private void Unknown(long from, SessionCall call) => _calls.Add(new("s", call, from, long.MaxValue, CallEnd.Unknown));
}
