using System.Reflection;
using Microsoft.Extensions.Time.Testing;

namespace SessionActors;

public sealed class CookieKeysTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public async Task The_ring_is_fetched_once_and_shared_by_all_who_ask_meanwhile()
    {
        var grain = new KeysGrain();
        var keys = new CookieKeys(FactoryOf(grain), _time);
        var first = keys.GetAsync().AsTask();
        var second = keys.GetAsync().AsTask();
        grain.Answer.SetResult(new CookieKeyRing());
        Assert.Same(await first, await second);
        await keys.GetAsync();
        Assert.Equal(1, grain.Calls);
        Assert.Same(await first, keys.Known);
    }

    [Fact]
    public async Task An_unknown_key_is_looked_up_at_most_once_a_second()
    {
        var grain = new KeysGrain();
        grain.Answer.SetResult(new CookieKeyRing());
        var keys = new CookieKeys(FactoryOf(grain), _time);
        await keys.FetchAsync();
        await keys.FetchAsync();
        _time.Advance(TimeSpan.FromSeconds(0.999));
        await keys.FetchAsync();
        Assert.Equal(1, grain.Calls);
        _time.Advance(TimeSpan.FromSeconds(0.001));
        await keys.FetchAsync();
        Assert.Equal(2, grain.Calls);
    }

    [Fact]
    public async Task A_failure_is_told_with_its_cause_and_tried_again_a_second_later()
    {
        var grain = new KeysGrain();
        grain.Answer.SetException(new TimeoutException("slow"));
        var keys = new CookieKeys(FactoryOf(grain), _time);
        var e = await Assert.ThrowsAsync<SessionUnavailableException>(() => keys.GetAsync().AsTask());
        Assert.IsType<TimeoutException>(e.InnerException);
        await Assert.ThrowsAsync<SessionUnavailableException>(() => keys.GetAsync().AsTask());
        Assert.Equal(1, grain.Calls);

        grain.Answer = new();
        grain.Answer.SetResult(new CookieKeyRing());
        _time.Advance(TimeSpan.FromSeconds(1));
        await keys.GetAsync();
        Assert.Equal(2, grain.Calls);
    }

    [Fact]
    public async Task It_is_read_again_every_hour_and_nobody_waits_for_that()
    {
        var grain = new KeysGrain();
        grain.Answer.SetResult(new CookieKeyRing());
        var keys = new CookieKeys(FactoryOf(grain), _time);
        var first = await keys.GetAsync();
        _time.Advance(TimeSpan.FromMinutes(59));
        Assert.Same(first, keys.Known);
        Assert.Equal(1, grain.Calls);
        grain.Answer = new();
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Same(first, keys.Known);
        Assert.Equal(2, grain.Calls);
        Assert.Same(first, keys.Known);
        Assert.Equal(2, grain.Calls);
        var next = new CookieKeyRing();
        grain.Answer.SetResult(next);
        Assert.Same(next, await keys.FetchAsync());
        Assert.Same(next, keys.Known);
    }

    // Nothing real can hold an answer back until a test says so.
    private static IGrainFactory FactoryOf(ICookieKeysGrain grain)
    {
        var factory = DispatchProxy.Create<IGrainFactory, Factory>();
        ((Factory)(object)factory).Grain = grain;
        return factory;
    }

    public class Factory : DispatchProxy
    {
        public object? Grain { get; set; }

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => Grain;
    }

    private sealed class KeysGrain : ICookieKeysGrain
    {
        public TaskCompletionSource<CookieKeyRing> Answer { get; set; } = new();

        public int Calls { get; private set; }

        public ValueTask<CookieKeyRing> GetAsync()
        {
            Calls++;
            return new(Answer.Task);
        }
    }
}
