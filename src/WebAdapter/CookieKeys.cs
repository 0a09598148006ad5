namespace SessionActors;

/// <summary>
/// This server's copy of the ring of cookie keys. It is fetched when first needed, again every hour in the background so that a key is
/// known before it signs, and at most once a second when a cookie names a key that is not in it. Whoever asks meanwhile shares the fetch
/// under way, or what came of the last one, be it a failure.
/// </summary>
internal sealed class CookieKeys(IGrainFactory grains, TimeProvider time)
{
    // Short for a new key that another server signs with already, long for the cluster when somebody sends cookies with made-up keys.
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    private readonly Lock _gate = new();
    private volatile CookieKeyRing? _ring;
    private Task<CookieKeyRing>? _fetch;
    private long _fetchedAt;

    /// <summary>The ring, where it was fetched already.</summary>
    public CookieKeyRing? Known
    {
        get
        {
            if (_ring is not null && time.GetElapsedTime(Volatile.Read(ref _fetchedAt)) >= Hour)
            {
                // Where it fails an hour passes: a key is published a day before it signs, and one that is not known is asked for at once.
                FetchAsync().Ignore();
            }

            return _ring;
        }
    }

    /// <summary>The ring.</summary>
    /// <exception cref="SessionUnavailableException">It could not be fetched.</exception>
    public ValueTask<CookieKeyRing> GetAsync() => _ring is { } ring ? new(ring) : new(FetchAsync());

    /// <summary>The ring as it is now, or was less than a second ago.</summary>
    /// <exception cref="SessionUnavailableException">It could not be fetched.</exception>
    public Task<CookieKeyRing> FetchAsync()
    {
        lock (_gate)
        {
            if (_fetch is null || (_fetch.IsCompleted && time.GetElapsedTime(_fetchedAt) >= Pause))
            {
                _fetchedAt = time.GetTimestamp();
                _fetch = ReadAsync();
            }

            return _fetch;
        }
    }

    private async Task<CookieKeyRing> ReadAsync()
    {
        try
        {
            var ring = await grains.GetGrain<ICookieKeysGrain>(0).GetAsync();
            return _ring = ring;
        }
        catch (Exception e) when (SessionCalls.IsTransient(e))
        {
            throw SessionUnavailableException.NotApplied("(any)", "the keys of its cookie could not be read.", e);
        }
    }
}
