namespace SessionActors;

public sealed class RegisterCheckTests
{
    private static readonly Windows Never = new();

    [Fact]
    public void Reads_of_what_was_written_last_are_right() => Assert.Empty(RegisterCheck.Check(
        [Read(0, 1, null), Set(2, 3, "a"), Read(4, 5, "a"), Clear(6, 9), Read(7, 8, "a"), Read(7, 8, null), Gone(12, 13), Destroy(10, 12)],
        Never,
        Never));

    [Fact]
    public void Read_of_an_overwritten_value_is_wrong() =>
        Assert.NotEmpty(RegisterCheck.Check([Set(2, 3, "a"), Set(4, 5, "b"), Read(6, 7, "a")], Never, Never));

    [Fact]
    public void Two_reads_that_see_two_writes_in_different_orders_are_wrong() => Assert.NotEmpty(RegisterCheck.Check(
        [Set(2, 9, "a"), Set(2, 9, "b"), Read(3, 4, "a"), Read(5, 6, "b"), Read(7, 8, "a")], Never, Never));

    [Fact]
    public void Unknown_write_may_show_late_or_never_and_not_vanish_again()
    {
        Assert.Empty(RegisterCheck.Check([Set(1, 2, "a"), Unknown(3, "b"), Read(5, 6, "a"), Read(7, 8, "b")], Never, Never));
        Assert.NotEmpty(RegisterCheck.Check([Set(1, 2, "a"), Unknown(3, "b"), Read(5, 6, "b"), Read(7, 8, "a")], Never, Never));
    }

    [Fact]
    public void Refused_write_that_shows_is_wrong() => Assert.NotEmpty(RegisterCheck.Check(
        [Set(1, 2, "a"), Set(3, 4, "b") with { End = CallEnd.Refused }, Read(5, 6, "b")], Never, Never));

    [Fact]
    public void Session_that_is_there_after_its_end_is_wrong() =>
        Assert.NotEmpty(RegisterCheck.Check([Set(1, 2, "a"), Destroy(3, 4), Read(5, 6, "a")], Never, Never));

    [Fact]
    public void Session_that_is_gone_without_an_end_is_wrong() =>
        Assert.NotEmpty(RegisterCheck.Check([Set(1, 2, "a"), Gone(3, 4)], Never, Never));

    [Fact]
    public void Old_read_is_right_in_a_partition_alone()
    {
        // By the serving lease, which is 3 s.
        CallRecord<SessionCall>[] calls = [Set(2, 3, "a"), Set(4, 5, "b"), Read(8, 9, "a"), Read(10, 11, "b")];
        Assert.Empty(RegisterCheck.Check(calls, Never, Window(9, 10)));
        Assert.NotEmpty(RegisterCheck.Check(calls, Never, Window(10, 11)));
        calls = [Set(2, 3, "a"), Set(4, 5, "b"), Read(9, 10, "a"), Read(10, 11, "b")];
        Assert.NotEmpty(RegisterCheck.Check(calls, Never, Window(9, 10)));
    }

    [Fact]
    public void What_was_written_in_a_window_of_loss_may_be_lost_and_what_was_written_before_or_after_not()
    {
        var losses = Window(20, 30);
        Assert.Empty(RegisterCheck.Check(
            [Set(1, 2, "a"), Set(21, 22, "b"), Read(31, 32, "a"), Set(33, 34, "c"), Read(35, 36, "c")], losses, Never));
        Assert.Empty(RegisterCheck.Check(
            [Set(1, 2, "a"), Set(21, 22, "b"), Read(31, 32, "b"), Set(33, 34, "c"), Read(35, 36, "c")], losses, Never));
        // Before it.
        Assert.NotEmpty(RegisterCheck.Check([Set(1, 2, "a"), Set(3, 4, "b"), Read(5, 6, "a"), Set(33, 34, "c")], losses, Never));
        // Nothing comes back once something new was written after it.
        Assert.NotEmpty(RegisterCheck.Check([Set(1, 2, "a"), Set(21, 22, "b"), Set(33, 34, "c"), Read(35, 36, "b")], losses, Never));
        Assert.NotEmpty(RegisterCheck.Check([Set(1, 2, "a"), Set(33, 34, "c"), Read(35, 36, "a")], losses, Never));
        // What was still under way may come late.
        Assert.Empty(RegisterCheck.Check([Set(1, 2, "a"), Unknown(21, "b"), Set(33, 34, "c"), Read(35, 36, "b")], losses, Never));
    }

    private static CallRecord<SessionCall> Set(int from, int to, string value) => Call(from, to, SessionCall.Set(("r", value)));

    private static CallRecord<SessionCall> Unknown(int from, string value) =>
        Set(from, from, value) with { Until = long.MaxValue, End = CallEnd.Unknown };

    private static CallRecord<SessionCall> Clear(int from, int to) => Call(from, to, SessionCall.Clear());

    private static CallRecord<SessionCall> Destroy(int from, int to) => Call(from, to, SessionCall.Destroy());

    private static CallRecord<SessionCall> Read(int from, int to, string? value) =>
        Call(from, to, SessionCall.Read("r") with { Answer = value });

    private static CallRecord<SessionCall> Gone(int from, int to) => Call(from, to, SessionCall.Read("r") with { IsGone = true });

    private static CallRecord<SessionCall> Call(int from, int to, SessionCall call) =>
        new("session", call, TimeSpan.FromSeconds(from).Ticks, TimeSpan.FromSeconds(to).Ticks, CallEnd.Answered);

    private static Windows Window(int from, int to)
    {
        var windows = new Windows();
        windows.Add(TimeSpan.FromSeconds(from), TimeSpan.FromSeconds(to));
        return windows;
    }
}
