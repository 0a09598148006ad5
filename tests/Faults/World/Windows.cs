using System.Globalization;

namespace SessionActors;

/// <summary>Stretches of time in which something does not hold that holds else.</summary>
internal sealed class Windows
{
    private readonly Lock _gate = new();
    private readonly List<(TimeSpan From, TimeSpan To)> _windows = [];

    /// <summary>Begins a window that has no end yet; the result ends it.</summary>
    public Action<TimeSpan> Begin(TimeSpan from)
    {
        lock (_gate)
        {
            _windows.Add((from, TimeSpan.MaxValue));
            var at = _windows.Count - 1;
            return to =>
            {
                lock (_gate)
                {
                    _windows[at] = (from, to);
                }
            };
        }
    }

    public void Add(TimeSpan from, TimeSpan to) => Begin(from)(to);

    /// <summary>Whether an operation of that time was under way in one.</summary>
    public bool Touch(TimeSpan from, TimeSpan to)
    {
        lock (_gate)
        {
            return _windows.Any(window => from <= window.To && window.From <= to);
        }
    }

    /// <summary>How old what was read may be: so much in one of the windows, and not at all else.</summary>
    public TimeSpan AllowanceOf(TimeSpan from, TimeSpan to) => Touch(from, to) ? FaultWorld.ServingLease : TimeSpan.Zero;

    /// <summary>Those that an operation of that time was under way in, in the order in which they began.</summary>
    public IReadOnlyList<(TimeSpan From, TimeSpan To)> TouchedBy(TimeSpan from, TimeSpan to)
    {
        lock (_gate)
        {
            return [.. _windows.Where(window => from <= window.To && window.From <= to).OrderBy(window => window.From)];
        }
    }

    public override string ToString()
    {
        lock (_gate)
        {
            return string.Join(", ", _windows.Select(window => string.Create(
                CultureInfo.InvariantCulture, $"{window.From.TotalSeconds:0.000}-{window.To.TotalSeconds:0.000} s")));
        }
    }
}
