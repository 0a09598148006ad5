namespace SessionActors.MicroBench;

/// <summary>Something that the product does in memory, without waiting for anything.</summary>
/// <param name="What">What it does.</param>
/// <param name="Properties">How many properties the session has that it is done to; null where that makes no difference.</param>
/// <param name="Run">Does it once. The result is there for no other reason than that the compiler must not leave the work out.</param>
internal sealed record PureOperation(string What, int? Properties, Func<object?> Run)
{
    /// <summary>What the report and <c>allocations.txt</c> call it.</summary>
    public string Name => Properties is { } size ? $"{What} ({size})" : What;

    /// <summary>All that the bench times and the test weighs.</summary>
    public static IReadOnlyList<PureOperation> All { get; } =
        [.. OverlayOperations.All, .. DeltaOperations.All, .. StateOperations.All, .. TokenOperations.All];
}
