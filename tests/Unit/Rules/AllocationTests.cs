using SessionActors.MicroBench;

namespace SessionActors.Rules;

/// <summary>What the operations of bench/Micro allocate, which is the same on every machine; how long they take is not.</summary>
public sealed class AllocationTests
{
    private static readonly IReadOnlyDictionary<string, long> Written = Allocations.Parse(Repository.Read(Allocations.WrittenIn));

    [Fact]
    public void No_operation_allocates_more_than_is_written_down() => Repository.None(
        from operation in PureOperation.All
        where Written.ContainsKey(operation.Name)
        let measured = Allocations.Measure(operation)
        where measured > Written[operation.Name]
        select $"{operation.Name}: {Written[operation.Name]} bytes are written down, {measured} were measured",
        $"These allocate more than {Allocations.WrittenIn} says. Make them allocate less or, where more is meant, write it anew:\n"
            + $"  {Allocations.Rewrite}");

    [Fact]
    public void Every_operation_is_written_down_and_no_other() => Repository.None(
        PureOperation.All.Select(operation => operation.Name).Except(Written.Keys).Select(name => $"{name} is missing")
            .Concat(Written.Keys.Except(PureOperation.All.Select(operation => operation.Name)).Select(name => $"{name} is no operation")),
        $"{Allocations.WrittenIn} is out of step with bench/Micro/Operations. Write it anew:\n  {Allocations.Rewrite}");
}
