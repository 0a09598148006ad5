namespace SessionActors;

/// <content>What a store remembers of the events of a session, and when somebody is to look at it.</content>
public abstract partial class StorageContract
{
    private static readonly TimeSpan Grace = TimeSpan.FromHours(1);

    [Fact]
    public async Task NothingIsToldOfASessionWithoutEvents()
    {
        var (handle, _) = await CreateAsync(SessionDelta.Empty.Set("a", [1]));

        AssertOutcome(StoreOutcome.Missing, await Events.UntoldAsync(handle));
        AssertOutcome(StoreOutcome.Missing, await Events.UntoldAsync(SessionHandle.New()));
        AssertOutcome(StoreOutcome.Missing, await Events.ToldAsync(SessionHandle.New(), 1, end: false, TombstoneKept));
    }

    [Fact]
    public async Task WhatHasBeenToldIsRememberedWithTheSession()
    {
        var (handle, last) = await CreateWithEventsAsync(secret: SecretHash.Of([1]));
        var untold = await UntoldAsync(handle);
        Assert.Equal((0, 1, null), (untold.Told, untold.Happened, untold.Ended));
        Assert.InRange(untold.Left, Kept - TimeSpan.FromMinutes(1), Kept);

        AssertOutcome(StoreOutcome.Written, await Events.ToldAsync(handle, 1, end: false, TombstoneKept));
        await CommitAsync(handle, Next(last, SessionDelta.Empty.Set("b", [2])) with
        {
            Secret = new RotatedSecret(SecretHash.Of([2]), Generation: 2), User = new BoundUser("ada", 7),
        });

        untold = await UntoldAsync(handle);
        Assert.Equal((1, 2), (untold.Told, untold.Happened));
        Assert.Equal("ada", untold.User!.Id);
        Assert.Equal(["a", "b"], untold.Properties.Keys.Order());
        var session = await ReadAsync(handle);
        Assert.Equal(Grace, session.EventGrace);
        Assert.Equal(1, session.Told);
        Assert.InRange(session.KeptFor, Kept - TimeSpan.FromMinutes(1), Kept);
    }

    [Fact]
    public async Task WhatWasToldLateTakesNothingBack()
    {
        var (handle, _) = await CreateWithEventsAsync();
        await Events.ToldAsync(handle, 3, end: false, TombstoneKept);

        await Events.ToldAsync(handle, 2, end: false, TombstoneKept);

        Assert.Equal(3, (await UntoldAsync(handle)).Told);
    }

    [Fact]
    public async Task AnEndedSessionLeavesWhatItHeldUntilItsEndWasTold()
    {
        var (handle, last) = await CreateWithEventsAsync(secret: SecretHash.Of([1]));
        await CommitAsync(handle, Next(last, SessionDelta.Empty.Set("@b", [2])) with { User = new BoundUser("ada", 7) });

        var ended = await Storage.DestroyAsync(handle, SessionEndReason.Revoked, TombstoneKept);
        AssertOutcome(StoreOutcome.Written, ended);
        Assert.Equal("ada", ended.User?.Id);

        AssertTombstone(SessionEndReason.Revoked, await ClaimAsync(handle));
        AssertTombstone(SessionEndReason.Revoked, await Storage.PeekAsync(handle));
        AssertTombstone(SessionEndReason.Revoked, await Storage.CommitAsync(handle, Next(last, SessionDelta.Empty)));
        AssertTombstone(SessionEndReason.Revoked, await Storage.CreateAsync(handle, NewCreation(), First(OwnerNonce.New())));
        AssertOutcome(StoreOutcome.AlreadyWritten, await Storage.DestroyAsync(handle, SessionEndReason.Destroyed, TombstoneKept));
        var untold = await UntoldAsync(handle);
        Assert.Equal((SessionEndReason.Revoked, "ada", 0, 1), (untold.Ended, untold.User!.Id, untold.Told, untold.Happened));
        Assert.Equal(["@b", "a"], untold.Properties.Keys.Order(StringComparer.Ordinal));

        AssertOutcome(StoreOutcome.Written, await Events.ToldAsync(handle, 1, end: true, TombstoneKept));

        AssertTombstone(SessionEndReason.Revoked, await Events.UntoldAsync(handle));
        AssertTombstone(SessionEndReason.Revoked, await ClaimAsync(handle));
    }

    [Fact]
    public async Task OneWhoseTimeIsOver_IsMissingToAllButWhoTellsOfIt()
    {
        var (handle, last) = await CreateWithEventsAsync(keepFor: Short);

        await AdvanceAsync(AfterShort);

        AssertOutcome(StoreOutcome.Missing, await ClaimAsync(handle));
        AssertOutcome(StoreOutcome.Missing, await Storage.PeekAsync(handle));
        AssertOutcome(StoreOutcome.Missing, await Storage.CommitAsync(handle, Next(last, SessionDelta.Empty)));
        AssertOutcome(StoreOutcome.Missing, await Storage.TouchAsync(handle, last.Owner, last.ToVersion, Kept));
        AssertOutcome(StoreOutcome.Missing, await Storage.ReleaseAsync(handle, last.Owner, Kept));
        var untold = await UntoldAsync(handle);
        Assert.True(untold.Left <= TimeSpan.Zero, $"{untold.Left} are left");
        Assert.Null(untold.Ended);
        Assert.Equal([1], untold.Properties["a"].ToArray());
        AssertOutcome(StoreOutcome.Written, await Storage.DestroyAsync(handle, SessionEndReason.Idle, TombstoneKept));
        Assert.Equal(SessionEndReason.Idle, (await UntoldAsync(handle)).Ended);
        AssertTombstone(SessionEndReason.Idle, await ClaimAsync(handle));
    }

    [Fact]
    public async Task OneThatIsRenewed_KeepsItsGrace()
    {
        var (handle, last) = await CreateWithEventsAsync();

        AssertOutcome(StoreOutcome.Written, await Storage.TouchAsync(handle, last.Owner, last.ToVersion, 2 * Kept));
        Assert.InRange((await UntoldAsync(handle)).Left, Kept, 2 * Kept);
        await CommitAsync(handle, Next(last, SessionDelta.Empty) with { KeepFor = 4 * Kept });
        Assert.InRange((await UntoldAsync(handle)).Left, 3 * Kept, 4 * Kept);
        AssertOutcome(StoreOutcome.Written, await Storage.ReleaseAsync(handle, last.Owner, Kept));
        Assert.InRange((await UntoldAsync(handle)).Left, Kept / 2, Kept);
    }

    [Fact]
    public async Task OnePastItsLifetime_IsKeptForWhoTellsOfItsEnd()
    {
        var (handle, _) = await CreateWithEventsAsync(lifetime: Short, keepFor: Short);

        await AdvanceAsync(AfterShort);

        AssertOutcome(StoreOutcome.Missing, await ClaimAsync(handle));
        var untold = await UntoldAsync(handle);
        Assert.True(untold.IsPastLifetime);
        Assert.Equal([1], untold.Properties["a"].ToArray());
    }

    [Fact]
    public async Task WhatIsDue_IsTakenByOneOfThoseWhoAsk()
    {
        var handles = Enumerable.Range(0, 5).Select(_ => SessionHandle.New()).ToList();
        foreach (var handle in handles)
        {
            AssertOutcome(StoreOutcome.Written, await Events.ScheduleAsync(handle, Kept));
        }

        Assert.Empty(await TakeDueAsync());
        foreach (var handle in handles)
        {
            await Events.ScheduleAsync(handle, Short);
        }

        await Events.ScheduleAsync(handles[0], Kept);
        await Events.ScheduleAsync(handles[1], null);
        await AdvanceAsync(AfterShort);

        Assert.Equal(handles[2..].ToHashSet(), [.. await TakeDueAsync(hold: Short)]);
        await AdvanceAsync(AfterShort);
        Assert.Equal(handles[2..].ToHashSet(), [.. await TakeDueAsync()]);
        Assert.Empty(await TakeDueAsync());
    }

    [Fact]
    public async Task NoMoreIsTakenThanWasAskedFor()
    {
        var handle = SessionHandle.New();
        Span<byte> bytes = stackalloc byte[SessionHandle.ByteLength];
        handle.CopyTo(bytes);
        bytes[^1] ^= 1;
        // In the same part of the index.
        var other = SessionHandle.FromBytes(bytes);
        var shard = bytes[0] % Events.Shards;
        await Events.ScheduleAsync(handle, Short);
        await Events.ScheduleAsync(other, Short);
        await AdvanceAsync(AfterShort);

        var first = await Events.TakeDueAsync(shard, most: 1, Kept);
        var second = await Events.TakeDueAsync(shard, most: 5, Kept);

        Assert.Equal([handle, other], first.Due.Concat(second.Due).ToHashSet());
        Assert.Single(first.Due);
    }

    [Fact]
    public async Task OneThatIsWrittenBack_HasItsEvents()
    {
        var (restoration, last, handle) = await LostAsync();
        await Storage.DestroyAsync(handle, SessionEndReason.Destroyed, TimeSpan.FromMilliseconds(1));
        await AdvanceAsync(Short);

        AssertOutcome(
            StoreOutcome.Written, await Storage.RestoreAsync(handle, restoration with { EventGrace = Grace, Told = 2 }));

        var untold = await UntoldAsync(handle);
        Assert.Equal(2, untold.Told);
        Assert.InRange(untold.Left, restoration.KeepFor - TimeSpan.FromMinutes(1), restoration.KeepFor);
        Assert.Equal((Grace, last.ToVersion), ((await ReadAsync(handle)).EventGrace, (await ReadAsync(handle)).Version));
    }

    [Fact]
    public async Task OnlyOneWhoseTimeIsOver_Expires()
    {
        var (over, _) = await CreateWithEventsAsync(keepFor: Short);
        var (renewed, last) = await CreateWithEventsAsync();
        var (without, _) = await CreateAsync(SessionDelta.Empty);
        await Storage.TouchAsync(renewed, last.Owner, last.ToVersion, 2 * Kept);
        await AdvanceAsync(AfterShort);

        AssertOutcome(StoreOutcome.Written, await Events.ExpireAsync(over, SessionEndReason.Idle, TombstoneKept));
        AssertOutcome(StoreOutcome.AlreadyWritten, await Events.ExpireAsync(over, SessionEndReason.Lifetime, TombstoneKept));
        AssertOutcome(StoreOutcome.Found, await Events.ExpireAsync(renewed, SessionEndReason.Idle, TombstoneKept));
        AssertOutcome(StoreOutcome.Found, await Events.ExpireAsync(without, SessionEndReason.Idle, TombstoneKept));
        AssertOutcome(StoreOutcome.Missing, await Events.ExpireAsync(SessionHandle.New(), SessionEndReason.Idle, TombstoneKept));

        Assert.Equal(SessionEndReason.Idle, (await UntoldAsync(over)).Ended);
        Assert.Null((await UntoldAsync(renewed)).Ended);
        AssertOutcome(StoreOutcome.Written, await ClaimAsync(renewed));
    }

    [Fact]
    public async Task OneThatIsWrittenBackAsItIs_IsKeptAsLongAsAskedFor()
    {
        var (handle, first) = await CreateWithEventsAsync();
        var claim = OwnerNonce.New();
        var owner = (await ClaimAsync(handle, claim)).Session!.Owner;
        var last = Next(first, SessionDelta.Empty.Set("b", [2])) with { Owner = owner };
        await CommitAsync(handle, last);
        var restoration = RestorationOf((await ClaimAsync(handle, claim)).Session!) with { EventGrace = Grace };
        AssertOutcome(StoreOutcome.Written, await Storage.TouchAsync(handle, owner, last.ToVersion, Short));
        await AdvanceAsync(AfterShort);
        AssertOutcome(StoreOutcome.Missing, await ClaimAsync(handle, claim));

        AssertOutcome(StoreOutcome.AlreadyWritten, await Storage.RestoreAsync(handle, restoration));

        AssertOutcome(StoreOutcome.AlreadyWritten, await ClaimAsync(handle, claim));
        Assert.InRange((await UntoldAsync(handle)).Left, Kept / 2, Kept);
    }

    [Fact]
    public async Task WhatWasSaidOfWhenToLookMeanwhile_IsNotOverwritten()
    {
        var handle = SessionHandle.New();
        var held = await Events.ScheduleAsync(handle, Kept);
        AssertOutcome(StoreOutcome.Written, held);
        AssertOutcome(StoreOutcome.Written, await Events.ScheduleAsync(handle, Short));

        AssertOutcome(StoreOutcome.Fenced, await Events.ScheduleAsync(handle, 2 * Kept, held.Place));
        AssertOutcome(StoreOutcome.Fenced, await Events.ScheduleAsync(handle, null, held.Place));
        await AdvanceAsync(AfterShort);

        Assert.Equal([handle], await TakeDueAsync());
        held = await Events.ScheduleAsync(handle, Kept);
        held = await Events.ScheduleAsync(handle, 2 * Kept, held.Place);
        AssertOutcome(StoreOutcome.Written, held);
        AssertOutcome(StoreOutcome.Written, await Events.ScheduleAsync(handle, null, held.Place));
        AssertOutcome(StoreOutcome.Fenced, await Events.ScheduleAsync(handle, Kept, held.Place));
    }

    private async Task<(SessionHandle Handle, Flush Last)> CreateWithEventsAsync(
        TimeSpan? keepFor = null, SecretHash? secret = null, TimeSpan? lifetime = null)
    {
        var handle = SessionHandle.New();
        var flush = First(OwnerNonce.New(), SessionDelta.Empty.Set("a", [1]), keepFor);
        AssertOutcome(
            StoreOutcome.Written,
            await Storage.CreateAsync(handle, NewCreation(secret, lifetime) with { EventGrace = Grace }, flush));
        return (handle, flush);
    }

    private async Task<UntoldEvents> UntoldAsync(SessionHandle handle)
    {
        var reply = await Events.UntoldAsync(handle);
        AssertOutcome(StoreOutcome.Found, reply);
        return reply.Untold!;
    }

    private async Task<List<SessionHandle>> TakeDueAsync(TimeSpan? hold = null)
    {
        var due = new List<SessionHandle>();
        for (var shard = 0; shard < Events.Shards; shard++)
        {
            var reply = await Events.TakeDueAsync(shard, most: 100, hold ?? Kept);
            AssertOutcome(StoreOutcome.Found, reply);
            due.AddRange(reply.Due);
        }

        return due;
    }
}
