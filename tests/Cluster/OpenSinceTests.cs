using System.Collections.Immutable;
using System.Security.Cryptography;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;

namespace SessionActors;

/// <summary>What is sent to a web server in another process that has a snapshot of the session.</summary>
public sealed class OpenSinceTests
{
    private static readonly SecretHash Secret = SecretHash.Of([1]);

    [Theory]
    [InlineData(1)]
    [InlineData(100)]
    [InlineData(1000)]
    public async Task It_does_not_grow_with_the_session(int kilobytes)
    {
        await using var cluster = await SessionCluster.StartAsync(configure: options => options.MaxSessionBytes = 2 << 20);
        var session = await cluster.NewSessionAsync(Secret);
        await session.CommitAsync(Enumerable.Range(0, kilobytes).Aggregate(
            SessionDelta.Empty, (delta, i) => delta.Set($"{i}", new byte[1000])));
        var whole = await session.OpenAsync(Secret, slide: true);

        var same = await session.OpenSinceAsync(Secret, slide: true, MarkOf(whole));
        await session.CommitAsync(SessionDelta.Empty.Set("a", "1"u8));
        await session.CommitAsync(SessionDelta.Empty.Remove("0"));
        var changed = await session.OpenSinceAsync(Secret, slide: true, MarkOf(whole));

        Assert.InRange(BytesOf(whole), kilobytes * 1000, kilobytes * 1200 + 1000);
        Assert.InRange(BytesOf(same), 1, 100);
        Assert.InRange(BytesOf(changed), 1, 400);
        Assert.Same(whole, same.Whole(whole));
        Assert.Equal("1", changed.Whole(whole).Snapshot!.GetString("a"));
        Assert.Equal(kilobytes + 1, changed.Whole(whole).Snapshot!.Properties.Count);

        long BytesOf(SessionOpening opening) =>
            cluster.Silos.Client.ServiceProvider.GetRequiredService<Serializer>().SerializeToArray(opening).Length;
    }

    [Fact]
    public async Task A_secret_that_is_not_the_sessions_any_more_opens_nothing_whatever_is_known()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await cluster.NewSessionAsync(Secret);
        var mark = MarkOf(await session.OpenAsync(Secret, slide: true));

        await session.RegenerateAsync(SecretHash.Of([2]), SessionRequest.New());

        Assert.Equal(SessionStanding.Superseded, (await session.OpenSinceAsync(Secret, slide: true, mark)).Standing);
        Assert.Equal(2, (await session.OpenSinceAsync(SecretHash.Of([2]), slide: true, mark)).Snapshot!.Generation);
        await session.DestroyAsync();
        Assert.Equal(SessionStanding.Ended, (await session.OpenSinceAsync(SecretHash.Of([2]), slide: true, mark)).Standing);
    }

    [Fact]
    public async Task Names_and_values_arrive_as_they_were_sent()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var serializer = cluster.Silos.Client.ServiceProvider.GetRequiredService<Serializer>();
        string[] odd = ["", "a", "\0", "ä\u20ac", "\ud83d\ude00", "\ud800", new('n', 300)];
        string[] names = [.. odd, .. Enumerable.Range(0, 200).Select(i => $"{i}")];
        var sent = names.Select((name, i) => KeyValuePair.Create(name, new byte[i * 10])).ToList();
        sent.ForEach(property => RandomNumberGenerator.Fill(property.Value));
        var delta = new SessionDelta
        {
            Sets = ImmutableDictionary.CreateRange(
                sent.Select(property => KeyValuePair.Create(property.Key, (ReadOnlyMemory<byte>)property.Value))),
        };

        var arrived = serializer.Deserialize<SessionDelta>(serializer.SerializeToArray(delta))!;

        Assert.Equal(names.Length, arrived.Sets.Count);
        Assert.All(sent, property => Assert.Equal(property.Value, arrived.Sets[property.Key].ToArray()));
        Assert.Empty(arrived.Patches);
    }

    [Fact]
    public async Task A_session_that_was_loaded_again_is_sent_whole()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var session = await cluster.NewSessionAsync(Secret);
        var mark = MarkOf(await session.OpenAsync(Secret, slide: true));

        await cluster.DeactivateAsync(session);

        var opening = await session.OpenSinceAsync(Secret, slide: true, mark);
        Assert.Null(opening.Changes);
        Assert.Equal("1", opening.Snapshot!.GetString("first"));
    }

    private static SnapshotMark MarkOf(SessionOpening opening) => new(opening.Snapshot!.History, opening.Snapshot.Version);
}
