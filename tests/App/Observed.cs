using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace SessionActors.TestApp;

/// <summary>Everything that any meter measures and any source traces in this process, as whoever exports or shows it gets it.</summary>
internal sealed class Observed : IDisposable
{
    private readonly ConcurrentDictionary<string, bool> _texts = new();
    private readonly MeterListener _meters = new();
    private readonly ActivityListener _activities = new();

    public Observed()
    {
        _meters.InstrumentPublished = (instrument, listener) =>
        {
            Add($"meter {instrument.Meter.Name} {instrument.Name} {instrument.Description}");
            Add(instrument.Meter.Tags);
            listener.EnableMeasurementEvents(instrument);
        };
        _meters.SetMeasurementEventCallback<byte>((_, _, tags, _) => Add(tags.ToArray()));
        _meters.SetMeasurementEventCallback<short>((_, _, tags, _) => Add(tags.ToArray()));
        _meters.SetMeasurementEventCallback<int>((_, _, tags, _) => Add(tags.ToArray()));
        _meters.SetMeasurementEventCallback<long>((_, _, tags, _) => Add(tags.ToArray()));
        _meters.SetMeasurementEventCallback<float>((_, _, tags, _) => Add(tags.ToArray()));
        _meters.SetMeasurementEventCallback<double>((_, _, tags, _) => Add(tags.ToArray()));
        _meters.SetMeasurementEventCallback<decimal>((_, _, tags, _) => Add(tags.ToArray()));
        _meters.Start();
        _activities.ShouldListenTo = _ => true;
        _activities.Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded;
        _activities.ActivityStopped = Add;
        ActivitySource.AddActivityListener(_activities);
    }

    /// <summary>All of it, each once.</summary>
    public string Text
    {
        get
        {
            _meters.RecordObservableInstruments();
            return string.Join('\n', _texts.Keys);
        }
    }

    public void Dispose()
    {
        _meters.Dispose();
        _activities.Dispose();
    }

    private void Add(Activity activity)
    {
        Add($"activity {activity.Source.Name} {activity.OperationName} {activity.DisplayName} {activity.StatusDescription}");
        Add(activity.TagObjects);
        Add(activity.Baggage.Select(item => KeyValuePair.Create(item.Key, (object?)item.Value)));
        foreach (var happened in activity.Events)
        {
            Add(happened.Name);
            Add(happened.Tags);
        }
    }

    private void Add(IEnumerable<KeyValuePair<string, object?>>? tags)
    {
        foreach (var (name, value) in tags ?? [])
        {
            Add($"{name}={value}");
        }
    }

    private void Add(string text) => _texts.TryAdd(text, true);
}
