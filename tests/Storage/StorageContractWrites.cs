using System.Collections.Immutable;
using System.Text;

namespace SessionActors;

public abstract partial class StorageContract
{
    [Fact]
    public async Task Commit_SetsRemovesAndCountsTheVersion()
    {
        var (handle, last) = await CreateAsync(SessionDelta.Empty.Set("a", [1]).Set("b", [1]).Set("c", [1]));

        await CommitAsync(handle, Next(last, SessionDelta.Empty.Set("a", [2]).Remove("b").Remove("never was").Set("d", [4])));

        var session = await ReadAsync(handle);
        Assert.Equal(["a", "c", "d"], session.Properties.Keys.Order());
        Assert.Equal([2], session.Properties["a"].ToArray());
        Assert.Equal([1], session.Properties["c"].ToArray());
        Assert.Equal(2, session.Version);
        Assert.Null(session.OwnTtl);
    }

    [Fact]
    public async Task CommitThatClears_LeavesOnlyWhatItSets()
    {
        var (handle, last) = await CreateAsync(SessionDelta.Empty.Set("a", [1]).Set("b", [1]));

        await CommitAsync(handle, Next(last, SessionDelta.Empty.Set("x", [1]).Clear().Set("b", [2]).Remove("a")));

        var session = await ReadAsync(handle);
        Assert.Equal([2], Assert.Single(session.Properties).Value.ToArray());
        Assert.Equal(2, session.Ring.Count);
    }

    [Fact]
    public async Task CommitOfNothing_CountsTheVersion()
    {
        var (handle, last) = await CreateAsync(SessionDelta.Empty.Set("a", [1]));

        await CommitAsync(handle, Next(last, SessionDelta.Empty));

        var session = await ReadAsync(handle);
        Assert.Equal(2, session.Version);
        Assert.Single(session.Properties);
    }

    [Fact]
    public async Task CommitWithOwnTtl_KeepsItUntilAnotherSaysOtherwise()
    {
        var (handle, last) = await CreateAsync(SessionDelta.Empty);
        last = await CommitAsync(handle, Next(last, SessionDelta.Empty.WithTtl(TimeSpan.FromDays(30))));
        last = await CommitAsync(handle, Next(last, SessionDelta.Empty.Set("a", [1]).Clear()));

        Assert.Equal(TimeSpan.FromDays(30), (await ReadAsync(handle)).OwnTtl);
    }

    [Fact]
    public async Task CommitWithSecret_ReplacesItAndItsGeneration()
    {
        var (handle, last) = await CreateAsync(SessionDelta.Empty);
        var secret = SecretHash.Of([7]);

        last = await CommitAsync(handle, Next(last, SessionDelta.Empty) with { Secret = new RotatedSecret(secret, 5) });
        await CommitAsync(handle, Next(last, SessionDelta.Empty.Set("a", [1])));

        var session = await ReadAsync(handle);
        Assert.True(session.Secret!.Value.Matches(secret));
        Assert.Equal(5, session.Generation);
    }

    [Theory]
    [InlineData("ada")]
    [InlineData(" 5 @user\nä😀")]
    public async Task CommitOfUser_IsReadAndStaysThroughAClear(string user)
    {
        var (handle, last) = await CreateAsync(SessionDelta.Empty.Set("a", [1]));
        Assert.Null((await ReadAsync(handle)).User);
        var owner = await OwnedAsync(handle);

        last = await CommitAsync(handle, Next(last with { Owner = owner }, SessionDelta.Empty) with { User = new BoundUser(user, 7) });
        await CommitAsync(handle, Next(last, SessionDelta.Empty.Clear()));

        Assert.Equal(new BoundUser(user, 7), (await ReadAsync(handle)).User);
    }

    [Fact]
    public async Task CommitResent_IsAppliedOnce()
    {
        var (handle, last) = await CreateAsync(SessionDelta.Empty);
        var first = await CommitAsync(handle, Next(last, SessionDelta.Empty.Set("a", [1])));
        var second = await CommitAsync(handle, Next(first, SessionDelta.Empty.Set("a", [2])));

        AssertOutcome(StoreOutcome.AlreadyWritten, await Storage.CommitAsync(handle, first));
        AssertOutcome(StoreOutcome.AlreadyWritten, await Storage.CommitAsync(handle, second));

        var session = await ReadAsync(handle);
        Assert.Equal([2], session.Properties["a"].ToArray());
        Assert.Equal(3, session.Version);
    }

    [Fact]
    public async Task CommitResentAfterAnotherClaimed_IsFencedAndInTheRing()
    {
        var (handle, last) = await CreateAsync(SessionDelta.Empty);
        var flush = await CommitAsync(handle, Next(last, SessionDelta.Empty.Set("a", [1]), "result"));

        var session = await ReadAsync(handle);

        AssertOutcome(StoreOutcome.Fenced, await Storage.CommitAsync(handle, flush));
        Assert.Equal(flush.Entries[0], session.Ring[2].Entry);
    }

    [Fact]
    public async Task CommitThatAnotherOwnerHasStoredInAnotherState_IsFenced()
    {
        var (handle, last) = await CreateAsync(SessionDelta.Empty);
        var flush = Next(last, SessionDelta.Empty.Set("a", [1]));
        var other = await OwnedAsync(handle);
        await CommitAsync(handle, flush with { Owner = other });

        AssertOutcome(StoreOutcome.Fenced, await Storage.CommitAsync(handle, flush));
    }

    [Fact]
    public async Task CommitWhoseFirstCallIsStoredAlone_IsNotAlreadyWritten()
    {
        var (handle, last) = await CreateAsync(SessionDelta.Empty);
        var both = Next(last, SessionDelta.Empty.Set("a", [1]).Set("b", [1]), "first", "second");
        // A flush that was gathered anew after the store had lost data, and one from before that comes late.
        await CommitAsync(handle, both with { Entries = [both.Entries[0]], Delta = SessionDelta.Empty.Set("a", [1]) });

        AssertOutcome(StoreOutcome.Ahead, await Storage.CommitAsync(handle, both));

        Assert.Equal(["a"], (await ReadAsync(handle)).Properties.Keys);
    }

    [Fact]
    public async Task CommitWhoseFirstCallAnotherOwnerHasStoredAlone_IsFenced()
    {
        var (handle, last) = await CreateAsync(SessionDelta.Empty);
        var both = Next(last, SessionDelta.Empty.Set("a", [1]).Set("b", [1]), "first", "second");
        var other = await OwnedAsync(handle);
        await CommitAsync(handle, both with { Owner = other, Entries = [both.Entries[0]], Delta = SessionDelta.Empty.Set("a", [1]) });

        // Not "already": its second call is nowhere. Nor where another call has the second one's place.
        AssertOutcome(StoreOutcome.Fenced, await Storage.CommitAsync(handle, both));
        await CommitAsync(handle, both with
        {
            Owner = other, FromVersion = 2, Entries = [new RingEntry(RequestId.New(), "")], Delta = SessionDelta.Empty.Set("c", [1]),
        });
        AssertOutcome(StoreOutcome.Fenced, await Storage.CommitAsync(handle, both));
        Assert.False((await ReadAsync(handle)).Properties.ContainsKey("b"));
    }

    [Fact]
    public async Task CommitByAnEarlierOwner_IsFenced()
    {
        var (handle, last) = await CreateAsync(SessionDelta.Empty);
        AssertOutcome(StoreOutcome.Written, await ClaimAsync(handle, ownerName: "silo-9"));

        var reply = await Storage.CommitAsync(handle, Next(last, SessionDelta.Empty.Set("a", [1])));

        AssertOutcome(StoreOutcome.Fenced, reply);
        Assert.Equal("silo-9", reply.OwnerName);
        Assert.Empty((await ReadAsync(handle)).Properties);
    }

    [Theory]
    [InlineData(1, StoreOutcome.Behind)]
    [InlineData(-1, StoreOutcome.Ahead)]
    public async Task CommitAndTouchAtAnotherVersion_AreRefused(int difference, object outcome)
    {
        var (handle, last) = await CreateAsync(SessionDelta.Empty);
        last = await CommitAsync(handle, Next(last, SessionDelta.Empty.Set("a", [1])));
        var flush = Next(last, SessionDelta.Empty.Set("a", [2])) with { FromVersion = last.ToVersion + difference };

        AssertOutcome((StoreOutcome)outcome, await Storage.CommitAsync(handle, flush));
        AssertOutcome((StoreOutcome)outcome, await Storage.TouchAsync(handle, last.Owner, flush.FromVersion, Kept));
        Assert.Equal([1], (await ReadAsync(handle)).Properties["a"].ToArray());
    }

    [Fact]
    public async Task CommitToMissing_IsRefusedAndCreatesNothing()
    {
        var handle = SessionHandle.New();

        AssertOutcome(StoreOutcome.Missing, await Storage.CommitAsync(handle, First(OwnerNonce.New()) with { FromVersion = 3 }));
        AssertOutcome(StoreOutcome.Missing, await Storage.CommitAsync(handle, First(OwnerNonce.New())));
        AssertOutcome(StoreOutcome.Missing, await Storage.TouchAsync(handle, OwnerNonce.New(), 0, Kept));
        AssertOutcome(StoreOutcome.Missing, await Storage.ReleaseAsync(handle, OwnerNonce.New(), Kept));
        AssertOutcome(StoreOutcome.Missing, await ClaimAsync(handle));
    }

    [Fact]
    public async Task CommitOfSixtyFourDeltas_RemembersEach()
    {
        var (handle, last) = await CreateAsync(SessionDelta.Empty);
        var flush = Next(last, SessionDelta.Empty.Set("a", [1]), [.. Enumerable.Range(0, Flush.MaxEntries).Select(i => $"result {i}")]);

        await CommitAsync(handle, flush);

        AssertOutcome(StoreOutcome.AlreadyWritten, await Storage.CommitAsync(handle, flush));
        var session = await ReadAsync(handle);
        Assert.Equal(65, session.Version);
        Assert.Equal(65, session.Ring.Count);
        Assert.All(flush.Entries.Index(), entry => Assert.Equal(entry.Item, session.Ring[2 + entry.Index].Entry));
    }

    [Fact]
    public async Task Ring_KeepsThe128LastIdsAndForgetsThe129th()
    {
        var (handle, last) = await CreateAsync(SessionDelta.Empty);
        var forgotten = last;
        var oldest = last = await CommitAsync(handle, Next(last, SessionDelta.Empty.Set("n", [0])));
        while (last.ToVersion < ISessionStorage.RingSize + 1)
        {
            last = await CommitAsync(handle, Next(last, SessionDelta.Empty.Set("n", [1]), $"{last.ToVersion + 1}"));
        }

        AssertOutcome(StoreOutcome.AlreadyWritten, await Storage.CommitAsync(handle, oldest));
        AssertOutcome(StoreOutcome.Ahead, await Storage.CommitAsync(handle, forgotten));
        AssertOutcome(StoreOutcome.Exists, await Storage.CreateAsync(handle, NewCreation(), forgotten));
        await AdvanceAsync(TimeSpan.FromMilliseconds(200));
        var session = await ReadAsync(handle);
        Assert.True(session.RingReach >= TimeSpan.FromMilliseconds(200));
        Assert.Equal(Enumerable.Range(2, ISessionStorage.RingSize).Select(v => (long)v), session.Ring.Keys.Order());
        Assert.Equal(new RingEntry(last.Id, "129"), session.Ring[129].Entry);
        AssertOutcome(StoreOutcome.Fenced, await Storage.CommitAsync(handle, oldest));
        AssertOutcome(StoreOutcome.Fenced, await Storage.CommitAsync(handle, forgotten));
        Assert.Equal([1], (await ReadAsync(handle)).Properties["n"].ToArray());
    }

    [Fact]
    public async Task EveryStepOfAStaleOwner_IsFenced()
    {
        var (handle, last) = await CreateAsync(SessionDelta.Empty);
        await ClaimAsync(handle);

        StoreReply[] replies =
        [
            await Storage.CommitAsync(handle, Next(last, SessionDelta.Empty.Set("a", [1]))),
            await Storage.TouchAsync(handle, last.Owner, 1, Kept),
            await Storage.ReleaseAsync(handle, last.Owner, Kept),
            await Storage.DestroyAsync(handle, SessionEndReason.Idle, TombstoneKept, last.Owner),
        ];

        Assert.All(replies, reply =>
        {
            AssertOutcome(StoreOutcome.Fenced, reply);
            Assert.Equal("silo-2", reply.OwnerName);
        });
        AssertOutcome(StoreOutcome.Exists, await Storage.CreateAsync(handle, NewCreation(), First(last.Owner)));
        var session = await ReadAsync(handle);
        Assert.False(session.Released);
        Assert.Empty(session.Properties);
    }

    [Fact]
    public async Task Touch_SetsHowLongTheSessionIsKeptInBothDirections()
    {
        var (handle, last) = await CreateAsync(SessionDelta.Empty, keepFor: TimeSpan.FromMinutes(1));

        AssertOutcome(StoreOutcome.Written, await Storage.TouchAsync(handle, last.Owner, 1, TimeSpan.FromHours(2)));
        Assert.InRange((await ClaimAsync(handle, last.Owner)).Session!.KeptFor, TimeSpan.FromHours(1), TimeSpan.FromHours(2));
        AssertOutcome(StoreOutcome.Written, await Storage.TouchAsync(handle, last.Owner, 1, Kept));
        Assert.InRange((await ClaimAsync(handle, last.Owner)).Session!.KeptFor, TimeSpan.FromMinutes(10), Kept);
        Assert.Equal(1, (await ReadAsync(handle)).Version);
    }

    [Fact]
    public async Task CommitAndRelease_SetHowLongTheSessionIsKeptWhereTheySayIt()
    {
        var (handle, last) = await CreateAsync(SessionDelta.Empty);

        last = await CommitAsync(handle, Next(last, SessionDelta.Empty) with { KeepFor = TimeSpan.FromHours(3) });
        last = await CommitAsync(handle, Next(last, SessionDelta.Empty));
        Assert.InRange((await ClaimAsync(handle, last.Owner)).Session!.KeptFor, TimeSpan.FromHours(2), TimeSpan.FromHours(3));
        AssertOutcome(StoreOutcome.Written, await Storage.ReleaseAsync(handle, last.Owner, Kept));
        Assert.InRange((await ReadAsync(handle)).KeptFor, TimeSpan.FromMinutes(10), Kept);
    }

    public static TheoryData<string> Names =>
        ["", "@", "@x", "@@", "@@@owner", "a\0b", "\0", "naïve", "😀", "with space", "\r\n", "'\"\\", new string('n', 65_535)];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task AnyName_IsSetReadAndRemoved(string name)
    {
        var (handle, last) = await CreateAsync(SessionDelta.Empty.Set(name, [1]).Set("other", [2]));
        Assert.Equal([1], (await ClaimAsync(handle, last.Owner)).Session!.Properties[name].ToArray());

        last = await CommitAsync(handle, Next(last, SessionDelta.Empty.Set(name, [3])));
        Assert.Equal([3], (await ClaimAsync(handle, last.Owner)).Session!.Properties[name].ToArray());
        await CommitAsync(handle, Next(last, SessionDelta.Empty.Remove(name)));

        Assert.Equal("other", Assert.Single((await ReadAsync(handle)).Properties).Key);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(256)]
    [InlineData(64 * 1024)]
    public async Task AnyValue_ComesBackByteForByte(int length)
    {
        var value = Enumerable.Range(0, length).Select(i => (byte)i).ToArray();

        var (handle, _) = await CreateAsync(SessionDelta.Empty.Set("v", value));

        Assert.Equal(value, (await ReadAsync(handle)).Properties["v"].ToArray());
    }

    [Fact]
    public async Task TenThousandProperties_AreSetAndRemovedInOneFlushEach()
    {
        var (handle, last) = await CreateAsync(SessionDelta.Empty.Set("kept", [1]));
        var sets = Enumerable.Range(0, 10_000).ToImmutableDictionary(
            i => $"property {i}", i => (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes($"{i}"));

        last = await CommitAsync(handle, Next(last, new SessionDelta { Sets = sets }));
        var stored = (await ClaimAsync(handle, last.Owner)).Session!.Properties;
        Assert.Equal(10_001, stored.Count);
        Assert.All(sets, set => Assert.True(set.Value.Span.SequenceEqual(stored[set.Key].Span)));
        await CommitAsync(handle, Next(last, new SessionDelta { Removes = [.. sets.Keys] }));

        Assert.Equal("kept", Assert.Single((await ReadAsync(handle)).Properties).Key);
    }
}
