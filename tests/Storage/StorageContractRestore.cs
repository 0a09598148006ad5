namespace SessionActors;

public abstract partial class StorageContract
{
    [Fact]
    public async Task RestoreOfMissing_StoresEverythingAsItWas()
    {
        var (handle, last) = (SessionHandle.New(), First(OwnerNonce.New(), SessionDelta.Empty.Set("a", [1]).WithTtl(TimeSpan.FromDays(7))));
        var creation = NewCreation(SecretHash.Of([1, 2, 3]), TimeSpan.FromHours(8));
        AssertOutcome(StoreOutcome.Written, await Storage.CreateAsync(handle, creation, last));
        for (var i = 0; i < ISessionStorage.RingSize; i++)
        {
            last = await CommitAsync(handle, Next(last, SessionDelta.Empty.Set("@b", [(byte)i]), i % 2 == 0 ? "" : "a result"));
        }

        last = await CommitAsync(handle, Next(last, SessionDelta.Empty) with { User = new BoundUser("ada", 7) });

        var before = (await ClaimAsync(handle)).Session!;
        var lost = SessionHandle.New();

        AssertOutcome(StoreOutcome.Written, await Storage.RestoreAsync(lost, RestorationOf(before)));

        Assert.Equal(new SessionMark(before.Version, before.Owner, "silo-2"), (await Storage.PeekAsync(lost)).Mark);
        var after = await ReadAsync(lost);
        Assert.Equal(before.Properties.OrderBy(p => p.Key).Select(p => (p.Key, Convert.ToHexString(p.Value.Span))),
            after.Properties.OrderBy(p => p.Key).Select(p => (p.Key, Convert.ToHexString(p.Value.Span))));
        Assert.Equal((before.Version, before.Epoch + 1, before.OwnTtl), (after.Version, after.Epoch, after.OwnTtl));
        Assert.Equal(
            before.Ring.Values.OrderBy(slot => slot.Version).Select(slot => slot.Entry),
            after.Ring.Values.OrderBy(slot => slot.Version).Select(slot => slot.Entry));
        Assert.NotNull(after.RingReach);
        Assert.True(after.Secret!.Value.Matches(before.Secret!.Value));
        Assert.Equal((before.Generation, new BoundUser("ada", 7)), (after.Generation, after.User));
        Assert.InRange(after.LifetimeLeft!.Value, TimeSpan.FromHours(7), TimeSpan.FromHours(8));
        Assert.InRange(after.KeptFor, Kept - TimeSpan.FromMinutes(1), Kept);
        Assert.Equal(("silo-2", before.Owner, false), (after.PreviousOwnerName, after.PreviousOwner, after.Released));
    }

    [Fact]
    public async Task RestoreResent_IsAlreadyWritten_AndTheOwnerGoesOn()
    {
        var (restoration, last, _) = await LostAsync();
        var handle = SessionHandle.New();
        AssertOutcome(StoreOutcome.Written, await Storage.RestoreAsync(handle, restoration));

        AssertOutcome(StoreOutcome.AlreadyWritten, await Storage.RestoreAsync(handle, restoration));
        AssertOutcome(StoreOutcome.AlreadyWritten, await Storage.CommitAsync(handle, last));
        await CommitAsync(handle, Next(last, SessionDelta.Empty.Set("c", [3])));
        AssertOutcome(StoreOutcome.Ahead, await Storage.RestoreAsync(handle, restoration));

        Assert.Equal(["a", "b", "c"], (await ReadAsync(handle)).Properties.Keys.Order());
    }

    [Fact]
    public async Task RestoreOverAnOlderStateOfTheSameOwner_LeavesNothingOfIt()
    {
        var (restoration, last, _) = await LostAsync();
        var handle = SessionHandle.New();
        var older = First(last.Owner, SessionDelta.Empty.Set("old", [9]).WithTtl(TimeSpan.FromDays(1)));
        AssertOutcome(
            StoreOutcome.Written, await Storage.CreateAsync(handle, NewCreation(SecretHash.Of([9]), TimeSpan.FromHours(1)), older));
        AssertOutcome(StoreOutcome.Written, await Storage.ReleaseAsync(handle, last.Owner, Kept));

        AssertOutcome(StoreOutcome.Written, await Storage.RestoreAsync(handle, restoration));

        var session = await ReadAsync(handle);
        Assert.Equal(["a", "b"], session.Properties.Keys.Order());
        Assert.Equal((null, null, null, 0), (session.OwnTtl, session.LifetimeLeft, session.Secret, session.Generation));
        Assert.Equal([last.FromVersion, last.ToVersion], session.Ring.Keys.Order());
        Assert.False(session.Released);
    }

    [Fact]
    public async Task RestoreOverAnotherOwner_IsFencedAndChangesNothing()
    {
        var (restoration, _, _) = await LostAsync();
        var (handle, _) = await CreateAsync(SessionDelta.Empty.Set("x", [1]));
        await ClaimAsync(handle, ownerName: "silo-9");

        var reply = await Storage.RestoreAsync(handle, restoration);

        AssertOutcome(StoreOutcome.Fenced, reply);
        Assert.Equal("silo-9", reply.OwnerName);
        Assert.Equal(["x"], (await ReadAsync(handle)).Properties.Keys);
    }

    [Theory]
    [InlineData(0, StoreOutcome.Written)]
    [InlineData(1, StoreOutcome.Fenced)]
    internal async Task RestoreOverWhomTheOwnerClaimedItFrom_IsTakenUnlessThatOneWentOn(int commits, StoreOutcome expected)
    {
        var (restoration, _, _) = await LostAsync();
        var (handle, last) = await CreateAsync(SessionDelta.Empty.Set("x", [1]));
        for (var i = 0; i < commits; i++)
        {
            last = await CommitAsync(handle, Next(last, SessionDelta.Empty.Set("y", [1])));
        }

        var reply = await Storage.RestoreAsync(handle, restoration with { ClaimedFrom = (last.Owner, 1) });

        AssertOutcome(expected, reply);
        Assert.Equal(commits == 0 ? ["a", "b"] : ["x", "y"], (await ReadAsync(handle)).Properties.Keys.Order());
    }

    [Fact]
    public async Task RestoreOfEnded_IsToldTheReason()
    {
        var (restoration, _, _) = await LostAsync();
        var handle = SessionHandle.New();
        await Storage.DestroyAsync(handle, SessionEndReason.Destroyed, TombstoneKept);

        AssertTombstone(SessionEndReason.Destroyed, await Storage.RestoreAsync(handle, restoration));
        AssertTombstone(SessionEndReason.Destroyed, await ClaimAsync(handle));
    }

    [Fact]
    public async Task RestoreThatArrivesElevenSecondsLate_IsRefused()
    {
        var (restoration, _, _) = await LostAsync();
        var handle = SessionHandle.New();

        var reply = await Storage.RestoreAsync(handle, restoration with { StartedAt = TimestampAgo(TimeSpan.FromSeconds(11)) });

        AssertOutcome(StoreOutcome.Late, reply);
        AssertOutcome(StoreOutcome.Missing, await ClaimAsync(handle));
    }

    [Fact]
    public async Task RestoredSession_EndsWithItsLifetimeAndIsKeptAsLongAsAsked()
    {
        var (restoration, _, _) = await LostAsync();
        var (lifetime, kept) = (SessionHandle.New(), SessionHandle.New());
        AssertOutcome(StoreOutcome.Written, await Storage.RestoreAsync(lifetime, restoration with { LifetimeLeft = Short }));
        AssertOutcome(StoreOutcome.Written, await Storage.RestoreAsync(kept, restoration with { KeepFor = Short }));

        await AdvanceAsync(AfterShort);

        AssertOutcome(StoreOutcome.Expired, await ClaimAsync(lifetime));
        AssertOutcome(StoreOutcome.Missing, await ClaimAsync(kept));
    }

    /// <summary>A session of two versions, its last flush, and what it takes to write it back.</summary>
    private async Task<(Restoration Restoration, Flush Last, SessionHandle Handle)> LostAsync()
    {
        var (handle, first) = await CreateAsync(SessionDelta.Empty.Set("a", [1]));
        var claim = OwnerNonce.New();
        var owner = (await ClaimAsync(handle, claim)).Session!.Owner;
        var last = await CommitAsync(handle, Next(first, SessionDelta.Empty.Set("b", [2])) with { Owner = owner });
        var claimed = await ClaimAsync(handle, claim);
        AssertOutcome(StoreOutcome.AlreadyWritten, claimed);
        return (RestorationOf(claimed.Session!), last, handle);
    }

    private Restoration RestorationOf(StoredSession session) => new()
    {
        Owner = session.Owner,
        OwnerName = "silo-2",
        Epoch = session.Epoch,
        State = SessionState.From(session, Kept),
        Ring = [.. session.Ring.Values.Select(slot => slot with { Age = TimeSpan.FromSeconds(1) })],
        LifetimeLeft = session.LifetimeLeft,
        KeepFor = Kept,
        StartedAt = TimestampAgo(TimeSpan.Zero),
    };
}
