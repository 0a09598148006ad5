using Microsoft.Extensions.Time.Testing;
using Orleans.Storage;

namespace SessionActors;

/// <summary>The pages of a user's list in a store that forgets what is not written for long.</summary>
public sealed class UserSessionPagesTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly Pages _storage = new();

    [Fact]
    public async Task What_says_that_a_page_was_split_is_written_again_with_what_is_below_it()
    {
        var pages = NewPages();
        var entries = Enumerable.Range(0, 200).Select(_ => NewEntry()).ToList();
        foreach (var entry in entries)
        {
            await pages.SetAsync(entry, _ => false);
        }

        var before = _storage.Writes(UserSessionPages.StateName);
        await pages.SetAsync(entries[0] with { SeenAt = 1 }, _ => false);
        Assert.Equal(before, _storage.Writes(UserSessionPages.StateName));
        _time.Advance(TimeSpan.FromDays(2));

        await pages.SetAsync(entries[0] with { SeenAt = 2 }, _ => false);

        Assert.Equal(before + 1, _storage.Writes(UserSessionPages.StateName));
    }

    [Fact]
    public async Task More_pages_than_are_remembered_lose_nothing_while_they_are_split()
    {
        var pages = NewPages();
        var entries = Enumerable.Range(0, 5_000).Select(_ => NewEntry()).ToList();
        foreach (var entry in entries)
        {
            await pages.SetAsync(entry, _ => false);
            Assert.NotNull(await pages.FindAsync(SessionHandle.Parse(entry.Session)));
        }

        var other = NewPages();
        var found = new HashSet<string>();
        for (var path = await other.NextAsync(null); path is not null; path = await other.NextAsync(path))
        {
            found.UnionWith((await other.ReadAsync(path)).Select(entry => entry.Session));
        }

        Assert.Equal(entries.Select(entry => entry.Session).ToHashSet(), found);
    }

    private UserSessionPages NewPages() => new(GrainId.Create("user", "ada"), _storage, _time);

    private static UserSessionEntry NewEntry() => new()
    {
        Session = SessionHandle.New().ToString(), BoundAt = 0, SeenAt = 0, ExpiresAt = long.MaxValue, Stamp = 0,
    };

    /// <summary>Keeps states by name, and refuses what was written by somebody else since it was read, as the real ones do.</summary>
    private sealed class Pages : IGrainStorage
    {
        private readonly Dictionary<string, (object State, string Etag)> _states = [];
        private readonly Dictionary<string, int> _writes = [];

        public int Writes(string name) => _writes.GetValueOrDefault(name);

        public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
        {
            if (_states.TryGetValue(stateName, out var stored))
            {
                (grainState.State, grainState.ETag, grainState.RecordExists) = ((T)stored.State, stored.Etag, true);
            }

            return Task.CompletedTask;
        }

        public Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
        {
            Assert.Equal(_states.GetValueOrDefault(stateName).Etag, grainState.ETag);
            grainState.ETag = RequestId.New().ToString();
            _states[stateName] = (grainState.State!, grainState.ETag);
            _writes[stateName] = Writes(stateName) + 1;
            return Task.CompletedTask;
        }

        public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
        {
            Assert.Equal(_states.GetValueOrDefault(stateName).Etag, grainState.ETag);
            _states.Remove(stateName);
            (grainState.ETag, grainState.RecordExists) = (null, false);
            return Task.CompletedTask;
        }
    }
}
