namespace SessionActors;

/// <summary>What calls do when they come one after the other.</summary>
/// <typeparam name="TState">A state; two that behave alike are equal.</typeparam>
/// <typeparam name="TCall">What is asked and, where it was answered, the answer.</typeparam>
internal interface ISequentialModel<TState, TCall>
    where TState : class
{
    /// <summary>The state before the first call.</summary>
    TState Initial { get; }

    /// <summary>
    /// The state after a call. Null where it cannot be answered so in this state; for a call without an answer, where it would not have
    /// had an effect.
    /// </summary>
    /// <param name="state">The state before.</param>
    /// <param name="call">The call.</param>
    /// <param name="isAnswered">Whether the call has its answer.</param>
    TState? After(TState state, TCall call, bool isAnswered);

    /// <summary>Whether an answered call leaves every state as it is in which it can be answered so, as a read does.</summary>
    bool OnlyLooks(TCall call);
}
