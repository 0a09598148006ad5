namespace SessionActors;

/// <summary>
/// Makes TempData take-once. MVC's provider for it (<c>AddSessionStateTempDataProvider</c>) reads a property and then removes it; in two
/// requests at once that shows one message twice, because each has its own snapshot. So where that property is read, it is taken from the
/// session itself, which gives it to one of them. For this request it is then a change of its own: not removed, it is put back with the
/// commit (a peek, a keep), and removed, there is nothing left to commit.
/// <para>A request that fails after that has used the message up, as one that fails after <c>TakeAsync</c> has.</para>
/// </summary>
internal static class TempDataTake
{
    /// <summary>The name that the provider has for the property.</summary>
    private const string Property = "__ControllerTempData";

    /// <summary>Whether reading this property of this visit is taking it: it is there, and not by this request's doing.</summary>
    public static bool IsDue(SessionVisit visit, string name) => name == Property
        && visit.Phase == VisitPhase.Open && visit.Overlay.TryGetValue(name, out _) && !visit.Overlay.Changes(name);

    /// <summary>Takes the property, and shows what was taken; nothing where another request was faster.</summary>
    /// <exception cref="SessionUnavailableException">The session cannot be reached.</exception>
    public static void Take(SessionVisit visit)
    {
        try
        {
            // Waited for in place, at the cost of a thread: the provider is synchronous, and before it MVC offers no asynchronous point
            // that knows whether TempData will be read (taking it for every request would write for every request). There is no
            // synchronization context to lock up, and the wait has an end: the session answers within 5 s, and LeaseWait while another
            // request has it to itself, or IOTimeout if shorter.
            var taken = visit.Connection.OperateAsync((grain, request) => grain.TakeAsync(Property, request)).GetAwaiter().GetResult();
            visit.Overlay.LearnRemoved(Property);
            if (taken is { } value)
            {
                visit.Overlay.Set(Property, value.Span);
            }
        }
        catch (SessionDestroyedException e)
        {
            // As with a commit of the middleware's: the application did not ask for this call and is not to fail of it.
            visit.Drop(e);
            visit.Overlay.LearnRemoved(Property);
        }
        catch (SessionUnavailableException e) when (visit.Ignores(e))
        {
            visit.Overlay.LearnRemoved(Property);
        }
    }
}
