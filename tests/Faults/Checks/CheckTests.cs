namespace SessionActors;

/// <summary>Each check is shown histories that are right and some that are wrong.</summary>
public sealed class CheckTests
{
    private static readonly Windows Never = new();

    [Fact]
    public void Set_with_all_that_was_acknowledged_and_some_of_the_unknown_is_right() => Assert.Empty(SetCheck.Check(
        [Add("a", Outcome.Done), Add("b", Outcome.Unknown), Add("c", Outcome.Unknown), Add("d", Outcome.Refused)], ["a", "c"], Never));

    [Fact]
    public void Set_without_an_acknowledged_element_is_wrong() =>
        Assert.Single(SetCheck.Check([Add("a", Outcome.Done), Add("b", Outcome.Done)], ["b"], Never));

    [Fact]
    public void Set_without_an_element_added_in_a_window_of_loss_is_right_and_without_one_from_before_is_wrong()
    {
        var losses = Window(10, 20);
        Assert.Empty(SetCheck.Check([Add("a", Outcome.Done, 8, 10)], [], losses));
        Assert.Empty(SetCheck.Check([Add("a", Outcome.Done, 20, 22)], [], losses));
        Assert.Single(SetCheck.Check([Add("a", Outcome.Done, 8, 9)], [], losses));
        Assert.Single(SetCheck.Check([Add("a", Outcome.Done, 21, 22)], [], losses));
    }

    [Fact]
    public void Set_with_an_element_twice_is_wrong() => Assert.Single(SetCheck.Check([Add("a", Outcome.Done)], ["a", "a"], Never));

    [Fact]
    public void Set_with_an_element_that_nobody_added_is_wrong() =>
        Assert.Single(SetCheck.Check([Add("a", Outcome.Done)], ["a", "b"], Never));

    [Fact]
    public void Set_with_an_element_that_was_refused_is_wrong() => Assert.Single(SetCheck.Check([Add("a", Outcome.Refused)], ["a"], Never));

    [Fact]
    public void Set_that_lost_its_last_elements_with_a_killed_server_is_right_and_one_with_a_hole_is_wrong()
    {
        Addition[] additions = [Add("a", Outcome.Done, 8, 9), Add("b", Outcome.Done, 10, 11), Add("c", Outcome.Done, 12, 13)];
        var losses = Window(10, 14);
        Assert.Empty(SetCheck.Check(additions, ["a"], losses, [At(14)]));
        Assert.Empty(SetCheck.Check(additions, ["a", "b"], losses, [At(14)]));
        Assert.Single(SetCheck.Check(additions, ["a", "c"], losses, [At(14)]));
        // What came after the kill is somebody else's.
        Assert.Empty(SetCheck.Check([.. additions, Add("d", Outcome.Done, 15, 16)], ["a", "d"], losses, [At(14)]));
    }

    [Fact]
    public void Counter_that_counts_each_acknowledged_once_and_the_unknown_at_most_once_is_right() => Assert.Empty(CounterCheck.Check(
        [Count(1, 2, 1), Count(3, 4, null), Count(5, 8, 3), Count(6, 7, 4)],
        [new Reading(At(2), At(3), 1), new Reading(At(6), At(6), 2), new Reading(At(9), At(9), 4)],
        Never,
        Never));

    [Fact]
    public void Counter_that_lost_an_acknowledged_increment_is_wrong() => Assert.NotEmpty(
        CounterCheck.Check([Count(1, 2, 1), Count(3, 4, 2)], [new Reading(At(5), At(5), 1)], Never, Never));

    [Fact]
    public void Counter_that_counted_twice_is_wrong() => Assert.NotEmpty(
        CounterCheck.Check([Count(1, 2, 1), Count(3, 4, null)], [new Reading(At(5), At(5), 3)], Never, Never));

    [Fact]
    public void Counter_whose_later_increment_says_a_smaller_sum_is_wrong()
    {
        Assert.NotEmpty(CounterCheck.Check([Count(1, 2, 2), Count(3, 4, 1), Count(1, 4, null)], [], Never, Never));
        // At the same time they may come in either order.
        Assert.Empty(CounterCheck.Check([Count(1, 4, 2), Count(3, 4, 1)], [], Never, Never));
    }

    [Fact]
    public void Counter_that_says_the_same_sum_twice_is_wrong() =>
        Assert.NotEmpty(CounterCheck.Check([Count(1, 4, 1), Count(2, 3, 1)], [], Never, Never));

    [Fact]
    public void Counter_may_lose_what_was_counted_in_a_window_of_loss_and_no_more()
    {
        Increment[] increments = [Count(1, 2, 1), Count(11, 12, 2), Count(21, 22, 2)];
        Assert.Empty(CounterCheck.Check(increments, [new Reading(At(23), At(23), 2)], Window(10, 20), Never));
        Assert.NotEmpty(CounterCheck.Check(increments, [new Reading(At(23), At(23), 1)], Window(10, 20), Never));
        Assert.NotEmpty(CounterCheck.Check(increments, [new Reading(At(23), At(23), 2)], Window(15, 20), Never));
    }

    [Fact]
    public void Counter_may_be_read_old_in_a_partition_and_never_from_the_future()
    {
        // The serving lease is 3 s.
        Assert.Empty(CounterCheck.Check([Count(1, 2, 1)], [new Reading(At(5), At(6), 0)], Never, Window(6, 7)));
        Assert.NotEmpty(CounterCheck.Check([Count(1, 2, 1)], [new Reading(At(5), At(6), 0)], Never, Window(7, 8)));
        Assert.NotEmpty(CounterCheck.Check([Count(1, 2, 1)], [new Reading(At(6), At(7), 0)], Never, Window(6, 7)));
        Assert.NotEmpty(CounterCheck.Check([Count(5, 6, 1)], [new Reading(At(3), At(4), 1)], Never, Window(0, 9)));
    }

    [Fact]
    public void Turns_one_after_the_other_are_right() =>
        Assert.Empty(TurnCheck.Check([Turn(1, 4, 10, 0), Turn(2, 6, 11, 1), Turn(2, 9, null), Turn(7, 8, 13, 3)], 4, Never));

    [Fact]
    public void Turns_that_read_the_same_number_are_wrong() =>
        Assert.NotEmpty(TurnCheck.Check([Turn(1, 4, 10, 0), Turn(2, 6, 11, 0)], 1, Never));

    [Fact]
    public void Turn_that_commits_after_one_with_a_newer_token_is_wrong() =>
        Assert.NotEmpty(TurnCheck.Check([Turn(1, 9, 11, 0), Turn(2, 8, 10, 1)], 2, Never));

    [Fact]
    public void Turns_end_at_what_was_acknowledged_or_may_have_been_done()
    {
        Assert.NotEmpty(TurnCheck.Check([Turn(1, 2, 10, 0), Turn(3, 4, 11, 1)], 1, Never));
        Assert.NotEmpty(TurnCheck.Check([Turn(1, 2, 10, 0), Turn(3, 4, null)], 3, Never));
        Assert.Empty(TurnCheck.Check([Turn(1, 2, 10, 0), Turn(3, 4, 11, 1)], 1, Window(3, 4)));
    }

    [Fact]
    public void Look_with_an_old_cookie_that_sees_the_session_is_wrong_after_its_end_was_acknowledged()
    {
        var end = (At(5), At(6));
        Assert.Empty(LifecycleCheck.Check(end, [Look(6, 7, sees: true), Look(7, 8, sees: false)], Never, Never));
        Assert.Single(LifecycleCheck.Check(end, [Look(7, 8, sees: true)], Never, Never));
        Assert.Empty(LifecycleCheck.Check(end, [Look(7, 8, sees: true)], Window(6, 7), Never));
        Assert.Empty(LifecycleCheck.Check(end, [Look(9, 10, sees: true)], Never, Window(8, 9)));
        Assert.Single(LifecycleCheck.Check(end, [Look(10, 11, sees: true)], Never, Window(8, 11)));
        Assert.Single(LifecycleCheck.Check(end, [Look(7, 8, sees: true)], Window(7, 8), Window(9, 10)));
    }

    [Fact]
    public void Look_with_the_newest_cookie_that_does_not_see_the_session_is_wrong()
    {
        var given = (At(5), At(6));
        Assert.Empty(LifecycleCheck.CheckNewest(given, [Look(6, 7, sees: true)], Never));
        Assert.Single(LifecycleCheck.CheckNewest(given, [Look(6, 7, sees: false)], Never));
        Assert.Empty(LifecycleCheck.CheckNewest(given, [Look(8, 9, sees: false)], Window(6, 7)));
        Assert.Single(LifecycleCheck.CheckNewest(given, [Look(8, 9, sees: false)], Window(7, 8)));
    }

    [Fact]
    public void Session_that_ends_before_its_time_is_wrong()
    {
        Assert.Single(Expiry([Seen(0, 1), Seen(5, 6), Gone(13, 14)]));
        Assert.Empty(Expiry([Seen(0, 1), Seen(5, 6), Gone(14, 15)]));
        // A visit that nobody answered need not have renewed it.
        Assert.Empty(Expiry([Seen(0, 1), new Visit(At(5), At(6), Outcome.Unknown, WasThere: false), Gone(10, 11)]));
    }

    [Fact]
    public void Session_that_lives_too_long_is_wrong()
    {
        Assert.Single(Expiry([Seen(0, 1), Seen(14, 15)]));
        Assert.Empty(Expiry([Seen(0, 1), Seen(13, 15)]));
        // A visit that nobody answered may have renewed it.
        Assert.Empty(Expiry([Seen(0, 1), new Visit(At(5), At(6), Outcome.Unknown, WasThere: false), Seen(18, 19)]));
    }

    [Fact]
    public void Survivor_with_many_more_handles_or_much_more_memory_is_wrong()
    {
        ServerUsage[] first = [new(0, Memory: 100_000_000, Handles: 200), new(1, Memory: 120_000_000, Handles: 180)];
        Assert.Empty(SurvivorCheck.Check(first, [new(0, Memory: 600_000_000, Handles: 350)]));
        Assert.Single(SurvivorCheck.Check(first, [new(0, Memory: 700_000_000, Handles: 200)]));
        Assert.Single(SurvivorCheck.Check(first, [new(0, Memory: 100_000_000, Handles: 351)]));
    }

    [Fact]
    public void Session_renewed_while_Redis_was_away_need_not_have_been_renewed_there()
    {
        Visit[] visits = [Seen(0, 1), Seen(5, 6), Gone(11, 12)];
        Assert.Empty(Expiry(visits, Window(4, 5)));
        Assert.Single(Expiry(visits, Window(7, 8)));
        Assert.Single(Expiry([Seen(0, 1), Seen(5, 6), Gone(8, 9)], Window(4, 5)));
    }

    private static IEnumerable<string> Expiry(Visit[] visits, Windows? outages = null) =>
        ExpiryCheck.Check(visits, idle: TimeSpan.FromSeconds(10), late: TimeSpan.FromSeconds(2), Never, outages ?? Never);

    private static TimeSpan At(int seconds) => TimeSpan.FromSeconds(seconds);

    private static Windows Window(int from, int to)
    {
        var windows = new Windows();
        windows.Add(At(from), At(to));
        return windows;
    }

    private static Addition Add(string element, Outcome outcome, int from = 1, int to = 2) => new(element, At(from), At(to), outcome);

    private static Increment Count(int from, int to, long? sum) =>
        new(At(from), At(to), sum is null ? Outcome.Unknown : Outcome.Done, sum ?? 0);

    private static Turn Turn(int from, int to, long? token, long before = 0) =>
        new(At(from), At(to), token is null ? Outcome.Unknown : Outcome.Done, token ?? 0, before);

    private static SessionLook Look(int from, int to, bool sees) => new(At(from), At(to), sees, "a look");

    private static Visit Seen(int from, int to) => new(At(from), At(to), Outcome.Done, WasThere: true);

    private static Visit Gone(int from, int to) => new(At(from), At(to), Outcome.Done, WasThere: false);
}
