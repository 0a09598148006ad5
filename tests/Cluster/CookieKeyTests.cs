using Microsoft.Extensions.DependencyInjection;

namespace SessionActors;

/// <summary>The cluster's cookie keys take turns, and nobody who remembers an old one brings it back.</summary>
public sealed class CookieKeyTests
{
    [Fact]
    public async Task The_next_key_is_published_before_it_signs_and_the_one_before_stays()
    {
        await using var cluster = await SessionCluster.StartAsync(silos: 2);
        var keys = cluster.Silos.Client.GetGrain<ICookieKeysGrain>(0);
        var first = Assert.Single((await keys.GetAsync()).Keys);

        cluster.Time.Advance(TimeSpan.FromDays(89));
        var published = await keys.GetAsync();
        Assert.Equal([first.Id], published.Keys.Select(key => key.Id).Take(1));
        Assert.Equal(2, published.Keys.Length);
        cluster.Time.Advance(TimeSpan.FromDays(1));

        var turned = await keys.GetAsync();
        Assert.Equal([published.Keys[1].Id, first.Id], turned.Keys.Select(key => key.Id));
        Assert.Equal(first.Secret, turned.Keys[1].Secret);
    }

    [Fact]
    public async Task A_key_whose_time_is_over_does_not_come_back_from_a_silo_that_remembers_it()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var keys = cluster.Silos.Client.GetGrain<ICookieKeysGrain>(0);
        var first = Assert.Single((await keys.GetAsync()).Keys);
        for (var day = 0; day < 500; day++)
        {
            cluster.Time.Advance(TimeSpan.FromDays(1));
            await keys.GetAsync();
        }

        var remembered = new CookieKey
        {
            Id = first.Id, Secret = first.Secret, SignsFrom = first.SignsFrom, SignedUntil = first.SignsFrom + TimeSpan.FromDays(90),
        };
        var ring = await cluster.Silos.Silos[0].ServiceProvider.GetRequiredService<IGrainFactory>()
            .GetGrain<IKeptCookieKeys>(0).KeepAsync(new CookieKeyRing { Keys = [remembered] });

        Assert.DoesNotContain(first.Id, ring.Keys.Select(key => key.Id));
        Assert.InRange(ring.Keys.Length, 5, 7);
    }
}
