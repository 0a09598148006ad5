namespace SessionActors;

public abstract partial class StorageContract
{
    [Fact]
    public async Task Destroy_TellsWhoHadItSinceTheLastHandOver_AlsoWhenRepeated()
    {
        var (held, _) = await CreateAsync(SessionDelta.Empty);
        var (released, last) = await CreateAsync(SessionDelta.Empty);
        await Storage.ReleaseAsync(released, last.Owner, Kept);
        var (own, mine) = await CreateAsync(SessionDelta.Empty);
        var (taken, _) = await CreateAsync(SessionDelta.Empty);
        await ClaimAsync(taken, ownerName: "silo-2");
        var (claimed, _) = await CreateAsync(SessionDelta.Empty);
        var claimant = await OwnedAsync(claimed);

        await AssertTellsAsync(["silo-1"], ["silo-1"], held);
        await AssertTellsAsync([], [], released);
        await AssertTellsAsync(["silo-2", "silo-1"], ["silo-2", "silo-1"], taken);
        await AssertTellsAsync([], [], SessionHandle.New());
        // Who is its owner knows, and has told the others already.
        await AssertTellsAsync([], [], own, mine.Owner);
        await AssertTellsAsync(["silo-1"], [], claimed, claimant);

        async Task AssertTellsAsync(string[] first, string[] again, SessionHandle handle, OwnerNonce? owner = null)
        {
            var reply = await Storage.DestroyAsync(handle, SessionEndReason.Destroyed, TombstoneKept, owner);
            AssertOutcome(StoreOutcome.Written, reply);
            Assert.Equal(IsShared ? first : [], reply.TakenFrom);
            reply = await ClaimAsync(handle);
            AssertTombstone(SessionEndReason.Destroyed, reply);
            Assert.Equal(IsShared ? again : [], reply.TakenFrom);
            reply = await Storage.DestroyAsync(handle, SessionEndReason.Destroyed, TombstoneKept);
            AssertOutcome(StoreOutcome.AlreadyWritten, reply);
            Assert.Equal(IsShared ? again : [], reply.TakenFrom);
        }
    }

    [Theory]
    [InlineData(SessionEndReason.Destroyed)]
    [InlineData(SessionEndReason.Idle)]
    [InlineData(SessionEndReason.Lifetime)]
    [InlineData(SessionEndReason.Revoked)]
    [InlineData(SessionEndReason.Limit)]
    public async Task AfterDestroy_EveryStepIsToldTheReason(SessionEndReason reason)
    {
        var (handle, last) = await CreateAsync(SessionDelta.Empty.Set("a", [1]));

        AssertOutcome(StoreOutcome.Written, await Storage.DestroyAsync(handle, reason, TombstoneKept));

        await AssertEveryStepFindsTombstoneAsync(handle, last, reason);
    }

    [Fact]
    public async Task Destroy_WinsAgainstEveryOwner()
    {
        var (handle, last) = await CreateAsync(SessionDelta.Empty);
        AssertOutcome(StoreOutcome.Written, await ClaimAsync(handle));
        await ReadAsync(handle);

        AssertOutcome(StoreOutcome.Written, await Storage.DestroyAsync(handle, SessionEndReason.Destroyed, TombstoneKept));

        await AssertEveryStepFindsTombstoneAsync(handle, last, SessionEndReason.Destroyed);
    }

    [Fact]
    public async Task DestroyResent_IsAlreadyWrittenAndKeepsTheFirstReason()
    {
        var (handle, last) = await CreateAsync(SessionDelta.Empty);
        AssertOutcome(StoreOutcome.Written, await Storage.DestroyAsync(handle, SessionEndReason.Idle, TombstoneKept, last.Owner));

        AssertOutcome(StoreOutcome.AlreadyWritten, await Storage.DestroyAsync(handle, SessionEndReason.Destroyed, TombstoneKept));
        AssertOutcome(StoreOutcome.AlreadyWritten, await Storage.DestroyAsync(handle, SessionEndReason.Destroyed, TombstoneKept));

        await AssertEveryStepFindsTombstoneAsync(handle, last, SessionEndReason.Idle);
    }

    [Fact]
    public async Task DestroyOfMissing_BlocksACreateThatIsStillOnItsWay()
    {
        var handle = SessionHandle.New();

        AssertOutcome(StoreOutcome.Written, await Storage.DestroyAsync(handle, SessionEndReason.Destroyed, TombstoneKept));

        await AssertEveryStepFindsTombstoneAsync(handle, First(OwnerNonce.New()), SessionEndReason.Destroyed);
    }

    [Fact]
    public async Task DestroyUnderANonceThatHoldsNothing_IsRefused()
    {
        var handle = SessionHandle.New();

        AssertOutcome(
            StoreOutcome.Missing, await Storage.DestroyAsync(handle, SessionEndReason.Idle, TombstoneKept, OwnerNonce.New()));

        AssertOutcome(StoreOutcome.Missing, await ClaimAsync(handle));
    }

    [Fact]
    public async Task DestroyUnderItsNonce_WritesTheTombstoneOnce()
    {
        var (handle, last) = await CreateAsync(SessionDelta.Empty.Set("a", [1]));

        AssertOutcome(StoreOutcome.Written, await Storage.DestroyAsync(handle, SessionEndReason.Idle, TombstoneKept, last.Owner));

        AssertTombstone(
            SessionEndReason.Idle, await Storage.DestroyAsync(handle, SessionEndReason.Destroyed, TombstoneKept, last.Owner));
    }

    [Fact]
    public async Task TombstoneThatHasGone_LeavesNothingToCommitTo()
    {
        var (handle, last) = await CreateAsync(SessionDelta.Empty);
        AssertOutcome(StoreOutcome.Written, await Storage.DestroyAsync(handle, SessionEndReason.Destroyed, Short));

        await AdvanceAsync(AfterShort);

        await AssertMissingAsync(handle, last);
    }

    [Fact]
    public async Task TombstoneDestroyedAgain_LivesAsLongAsTheLongerAsks()
    {
        var (shortFirst, _) = await CreateAsync(SessionDelta.Empty);
        var (longFirst, _) = await CreateAsync(SessionDelta.Empty);
        await Storage.DestroyAsync(shortFirst, SessionEndReason.Destroyed, Short);
        await Storage.DestroyAsync(longFirst, SessionEndReason.Destroyed, TombstoneKept);

        AssertOutcome(StoreOutcome.AlreadyWritten, await Storage.DestroyAsync(shortFirst, SessionEndReason.Idle, TombstoneKept));
        AssertOutcome(StoreOutcome.AlreadyWritten, await Storage.DestroyAsync(longFirst, SessionEndReason.Idle, Short));
        await AdvanceAsync(AfterShort);

        AssertTombstone(SessionEndReason.Destroyed, await ClaimAsync(shortFirst));
        AssertTombstone(SessionEndReason.Destroyed, await ClaimAsync(longFirst));
    }

    [Fact]
    public async Task SessionThatIsNotTouched_IsGoneAfterItWasKept()
    {
        var (handle, last) = await CreateAsync(SessionDelta.Empty.Set("a", [1]), keepFor: Short);

        await AdvanceAsync(AfterShort);

        await AssertMissingAsync(handle, last);
    }

    [Theory]
    [InlineData("commit")]
    [InlineData("touch")]
    [InlineData("release")]
    public async Task SessionKeptShorter_IsGoneAfterIt(string step)
    {
        var (handle, last) = await CreateAsync(SessionDelta.Empty.Set("a", [1]));
        AssertOutcome(StoreOutcome.Written, step switch
        {
            "commit" => await Storage.CommitAsync(handle, Next(last, SessionDelta.Empty) with { KeepFor = Short }),
            "touch" => await Storage.TouchAsync(handle, last.Owner, 1, Short),
            _ => await Storage.ReleaseAsync(handle, last.Owner, Short),
        });

        await AdvanceAsync(AfterShort);

        await AssertMissingAsync(handle, last);
    }

    [Fact]
    public async Task SessionPastItsAbsoluteLifetime_ExpiresAtTheClaimAndIsATombstoneThen()
    {
        var (handle, last) = await CreateAsync(SessionDelta.Empty.Set("a", [1]), lifetime: Short);
        await AdvanceAsync(AfterShort);

        var expired = await ClaimAsync(handle);

        AssertOutcome(StoreOutcome.Expired, expired);
        Assert.Equal(SessionEndReason.Lifetime, expired.Reason);
        await AssertEveryStepFindsTombstoneAsync(handle, last, SessionEndReason.Lifetime);
    }

    [Fact]
    public async Task TombstoneOfALifetime_GoesAfterItsTime()
    {
        var (handle, last) = await CreateAsync(SessionDelta.Empty, lifetime: Short);
        await AdvanceAsync(AfterShort);
        AssertOutcome(StoreOutcome.Expired, await Storage.ClaimAsync(handle, OwnerNonce.New(), "silo-2", Short));

        await AdvanceAsync(AfterShort);

        await AssertMissingAsync(handle, last);
    }

    private async Task AssertEveryStepFindsTombstoneAsync(SessionHandle handle, Flush last, SessionEndReason reason)
    {
        AssertTombstone(reason, await ClaimAsync(handle));
        AssertTombstone(reason, await Storage.CreateAsync(handle, NewCreation(), First(OwnerNonce.New())));
        AssertTombstone(reason, await Storage.CommitAsync(handle, last));
        AssertTombstone(reason, await Storage.CommitAsync(handle, Next(last, SessionDelta.Empty.Set("a", [1]))));
        AssertTombstone(reason, await Storage.TouchAsync(handle, last.Owner, last.ToVersion, Kept));
        AssertTombstone(reason, await Storage.ReleaseAsync(handle, last.Owner, Kept));
        AssertTombstone(reason, await Storage.DestroyAsync(handle, SessionEndReason.Idle, TombstoneKept, last.Owner));
        AssertTombstone(reason, await ClaimAsync(handle));
    }

    private async Task AssertMissingAsync(SessionHandle handle, Flush last)
    {
        AssertOutcome(StoreOutcome.Missing, await Storage.CommitAsync(handle, Next(last, SessionDelta.Empty.Set("a", [1]))));
        AssertOutcome(StoreOutcome.Missing, await Storage.CommitAsync(handle, last));
        AssertOutcome(StoreOutcome.Missing, await Storage.TouchAsync(handle, last.Owner, last.ToVersion, Kept));
        AssertOutcome(StoreOutcome.Missing, await Storage.ReleaseAsync(handle, last.Owner, Kept));
        AssertOutcome(
            StoreOutcome.Missing, await Storage.DestroyAsync(handle, SessionEndReason.Idle, TombstoneKept, last.Owner));
        AssertOutcome(StoreOutcome.Missing, await ClaimAsync(handle));
    }
}
