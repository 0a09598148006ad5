namespace SessionActors;

/// <summary>
/// What <see cref="ISessionStorage"/> promises, run unchanged over every store. This part: create, claim, and what the tests are written
/// in; <c>StorageContractWrites</c> has commit, touch and release, <c>StorageContractEnds</c> every way to end,
/// <c>StorageContractEvents</c> what is remembered of events.
/// </summary>
public abstract partial class StorageContract
{
    private protected static readonly TimeSpan Kept = TimeSpan.FromMinutes(20);
    private protected static readonly TimeSpan TombstoneKept = TimeSpan.FromSeconds(15);
    private protected static readonly TimeSpan Short = TimeSpan.FromMilliseconds(200);
    private protected static readonly TimeSpan AfterShort = TimeSpan.FromMilliseconds(300);

    private protected abstract ISessionStorage Storage { get; }

    private protected abstract IEventStorage Events { get; }

    /// <summary>Whether several silos may use the store, and have to hear of each other.</summary>
    protected virtual bool IsShared => true;

    /// <summary>Lets this much time of the store pass.</summary>
    protected abstract Task AdvanceAsync(TimeSpan time);

    /// <summary>What the store's clock's <see cref="TimeProvider.GetTimestamp"/> was so long ago.</summary>
    protected abstract long TimestampAgo(TimeSpan age);

    [Fact]
    public async Task CreateOfAbsent_StoresTheFirstDeltaAsVersionOne()
    {
        var secret = SecretHash.Of([1, 2, 3]);
        var handle = SessionHandle.New();
        var delta = SessionDelta.Empty.Set("a", [1]).Set("b", [2]).WithTtl(TimeSpan.FromDays(7));
        var flush = First(OwnerNonce.New(), delta);

        AssertOutcome(StoreOutcome.Written, await Storage.CreateAsync(handle, NewCreation(secret, TimeSpan.FromHours(8)), flush));

        var session = await ReadAsync(handle);
        Assert.Equal(["a", "b"], session.Properties.Keys.Order());
        Assert.Equal([1], session.Properties["a"].ToArray());
        Assert.Equal(1, session.Version);
        Assert.Equal(2, session.Epoch);
        Assert.Equal(TimeSpan.FromDays(7), session.OwnTtl);
        Assert.InRange(session.LifetimeLeft!.Value, TimeSpan.FromHours(7), TimeSpan.FromHours(8));
        Assert.InRange(session.KeptFor, Kept - TimeSpan.FromMinutes(1), Kept);
        Assert.True(session.Secret!.Value.Matches(secret));
        Assert.Equal(1, session.Generation);
        Assert.Equal(flush.Entries[0], Assert.Single(session.Ring).Value.Entry);
        Assert.Null(session.RingReach);
        Assert.Equal("silo-1", session.PreviousOwnerName);
        Assert.False(session.Released);
    }

    [Fact]
    public async Task CreateWithoutSecretTtlOrLifetime_HasNone()
    {
        var (handle, _) = await CreateAsync(SessionDelta.Empty);

        var session = await ReadAsync(handle);

        Assert.Empty(session.Properties);
        Assert.Null(session.Secret);
        Assert.Equal(0, session.Generation);
        Assert.Null(session.OwnTtl);
        Assert.Null(session.LifetimeLeft);
    }

    [Fact]
    public async Task CreateResent_IsAlreadyWrittenAlsoAfterAnotherClaimed()
    {
        var handle = SessionHandle.New();
        var flush = First(OwnerNonce.New(), SessionDelta.Empty.Set("a", [1]));
        AssertOutcome(StoreOutcome.Written, await Storage.CreateAsync(handle, NewCreation(), flush));

        AssertOutcome(StoreOutcome.AlreadyWritten, await Storage.CreateAsync(handle, NewCreation(), flush));
        AssertOutcome(StoreOutcome.AlreadyWritten, await Storage.CommitAsync(handle, flush));
        await ReadAsync(handle);
        AssertOutcome(StoreOutcome.AlreadyWritten, await Storage.CreateAsync(handle, NewCreation(), flush));
        Assert.Equal(1, (await ReadAsync(handle)).Version);
    }

    [Fact]
    public async Task CreateOfTaken_IsRefusedAndChangesNothing()
    {
        var (handle, _) = await CreateAsync(SessionDelta.Empty.Set("a", [1]));

        var reply = await Storage.CreateAsync(handle, NewCreation(), First(OwnerNonce.New(), SessionDelta.Empty.Set("a", [2])));

        AssertOutcome(StoreOutcome.Exists, reply);
        Assert.Equal([1], (await ReadAsync(handle)).Properties["a"].ToArray());
    }

    [Fact]
    public async Task CreateThatArrivesElevenSecondsLate_IsRefused()
    {
        var handle = SessionHandle.New();

        var reply = await Storage.CreateAsync(handle, NewCreation(age: TimeSpan.FromSeconds(11)), First(OwnerNonce.New()));

        AssertOutcome(StoreOutcome.Late, reply);
        AssertOutcome(StoreOutcome.Missing, await ClaimAsync(handle));
    }

    [Fact]
    public async Task CreateThatIsFiveSecondsOld_IsWritten()
    {
        var reply = await Storage.CreateAsync(
            SessionHandle.New(), NewCreation(age: TimeSpan.FromSeconds(5)), First(OwnerNonce.New()));

        AssertOutcome(StoreOutcome.Written, reply);
    }

    [Fact]
    public async Task ClaimOfMissing_SaysSo() => AssertOutcome(StoreOutcome.Missing, await ClaimAsync(SessionHandle.New()));

    [Fact]
    public async Task Claim_ReturnsEverythingAndCountsTheEpochUp()
    {
        var (handle, last) = await CreateAsync(SessionDelta.Empty.Set("a", [1]));
        last = await CommitAsync(handle, Next(last, SessionDelta.Empty.Set("b", [2]), "41"));

        var first = await ClaimAsync(handle, ownerName: "silo-2");
        var second = await ClaimAsync(handle, ownerName: "silo-3");

        AssertOutcome(StoreOutcome.Written, first);
        Assert.Equal(2, first.Session!.Epoch);
        Assert.Equal("silo-1", first.Session.PreviousOwnerName);
        Assert.Equal([1L, 2L], first.Session.Ring.Keys.Order());
        Assert.Equal(new RingEntry(last.Id, "41"), first.Session.Ring[2].Entry);
        Assert.Equal(3, second.Session!.Epoch);
        Assert.Equal("silo-2", second.Session.PreviousOwnerName);
        Assert.Equal(["a", "b"], second.Session.Properties.Keys.Order());
    }

    [Fact]
    public async Task ClaimResent_IsAlreadyWrittenAndKeepsTheEpoch()
    {
        var (handle, _) = await CreateAsync(SessionDelta.Empty.Set("a", [1]));
        var owner = OwnerNonce.New();
        AssertOutcome(StoreOutcome.Written, await ClaimAsync(handle, owner));

        var again = await ClaimAsync(handle, owner);

        AssertOutcome(StoreOutcome.AlreadyWritten, again);
        Assert.Equal(2, again.Session!.Epoch);
        Assert.Null(again.Session.PreviousOwnerName);
        Assert.Equal([1], again.Session.Properties["a"].ToArray());
    }

    [Fact]
    public async Task ClaimThatComesInAgainAfterAnotherOne_MakesNobodyTheOwnerOfWhatWasItsOwn()
    {
        var (handle, last) = await CreateAsync(SessionDelta.Empty);
        var claim = OwnerNonce.New();
        var owner = (await ClaimAsync(handle, claim)).Session!.Owner;
        await ClaimAsync(handle, ownerName: "silo-3");

        AssertOutcome(StoreOutcome.Written, await ClaimAsync(handle, claim));

        var flush = Next(last, SessionDelta.Empty.Set("a", [1])) with { Owner = owner };
        AssertOutcome(StoreOutcome.Fenced, await Storage.CommitAsync(handle, flush));
        AssertOutcome(StoreOutcome.Fenced, await Storage.TouchAsync(handle, owner, 1, Kept));
        AssertOutcome(StoreOutcome.Fenced, await Storage.ReleaseAsync(handle, owner, Kept));
        AssertOutcome(StoreOutcome.Fenced, await Storage.DestroyAsync(handle, SessionEndReason.Idle, TombstoneKept, owner));
        Assert.NotEqual(owner, (await Storage.PeekAsync(handle)).Mark!.Owner);
    }

    [Fact]
    public async Task ClaimAfterRelease_SaysReleasedOnce()
    {
        var (handle, last) = await CreateAsync(SessionDelta.Empty);
        AssertOutcome(StoreOutcome.Written, await Storage.ReleaseAsync(handle, last.Owner, Kept));

        Assert.True((await ReadAsync(handle)).Released);
        Assert.False((await ReadAsync(handle)).Released);
    }

    [Fact]
    public async Task Claim_TellsWhomItWasTakenFromSinceTheLastHandOver_AlsoWhenResent()
    {
        var (handle, _) = await CreateAsync(SessionDelta.Empty);
        var owner = OwnerNonce.New();
        await ClaimAsync(handle, owner, ownerName: "silo-2");

        AssertTakenFrom(["silo-1"], await ClaimAsync(handle, owner, ownerName: "silo-2"));
        AssertTakenFrom(["silo-2", "silo-1"], await ClaimAsync(handle, ownerName: "silo-1"));
        AssertTakenFrom(["silo-2", "silo-1"], await ClaimAsync(handle, ownerName: "silo-3"));
        AssertTakenFrom(["silo-3", "silo-2", "silo-1"], await ClaimAsync(handle, ownerName: "silo-4"));
        AssertTakenFrom(["silo-4", "silo-3", "silo-2", "silo-1"], await ClaimAsync(handle, ownerName: "silo-5"));
        var last = await ClaimAsync(handle, owner, ownerName: "silo-6");
        AssertTakenFrom(["silo-5", "silo-4", "silo-3", "silo-2"], last);

        AssertOutcome(StoreOutcome.Written, await Storage.ReleaseAsync(handle, last.Session!.Owner, Kept));
        AssertTakenFrom([], await ClaimAsync(handle, ownerName: "silo-7"));
        AssertTakenFrom(["silo-7"], await ClaimAsync(handle, ownerName: "silo-8"));

        void AssertTakenFrom(string[] names, StoreReply reply) => Assert.Equal(IsShared ? names : [], reply.Session!.TakenFrom);
    }

    [Fact]
    public async Task Warning_IsFoundByTheOwnerThatItIsFor()
    {
        var (one, other) = ($"silo {SessionHandle.New()}", $"silo {SessionHandle.New()}");
        var before = await WarningOf(one);

        AssertOutcome(StoreOutcome.Written, await Storage.WarnAsync(one));
        var first = await WarningOf(one);
        AssertOutcome(StoreOutcome.Written, await Storage.WarnAsync(one));

        Assert.Null(before);
        Assert.Equal(IsShared, first is not null);
        Assert.Equal(IsShared, await WarningOf(one) != first);
        Assert.Null(await WarningOf(other));

        async Task<string?> WarningOf(string owner) => (await Storage.ProbeAsync(owner)).Warning;
    }

    [Fact]
    public async Task Announcement_IsFoundByWhoeverAsks()
    {
        var before = await PartsAsync("one");

        AssertOutcome(StoreOutcome.Written, await Storage.AnnounceAsync(7));
        var first = await PartsAsync("other");
        AssertOutcome(StoreOutcome.Written, await Storage.AnnounceAsync(7));
        AssertOutcome(StoreOutcome.Written, await Storage.AnnounceAsync(ISessionStorage.UserParts - 1));
        var second = await PartsAsync("one");

        Assert.NotEqual(before.GetValueOrDefault(7), first[7]);
        Assert.NotEqual(first[7], second[7]);
        Assert.Equal(first.GetValueOrDefault(8), second.GetValueOrDefault(8));
        Assert.True(second.ContainsKey(ISessionStorage.UserParts - 1));

        async Task<IReadOnlyDictionary<int, string>> PartsAsync(string owner) => (await Storage.ProbeAsync(owner)).Marks!;
    }

    [Fact]
    public async Task Peek_TellsVersionAndOwnerAndChangesNothing()
    {
        var (handle, last) = await CreateAsync(SessionDelta.Empty.Set("a", [1]));
        Assert.Equal(new SessionMark(1, last.Owner, "silo-1"), (await Storage.PeekAsync(handle)).Mark);
        var owner = await OwnedAsync(handle);
        last = await CommitAsync(handle, Next(last, SessionDelta.Empty.Set("b", [2])) with { Owner = owner });

        AssertOutcome(StoreOutcome.Found, await Storage.PeekAsync(handle));
        Assert.Equal(new SessionMark(2, owner, "silo-2"), (await Storage.PeekAsync(handle)).Mark);

        await CommitAsync(handle, Next(last, SessionDelta.Empty.Set("c", [3])));
        Assert.Equal(3, (await ReadAsync(handle)).Epoch);
    }

    [Fact]
    public async Task Peek_TellsThatTheOwnerHasReleasedUntilTheNextOneClaims()
    {
        var (handle, last) = await CreateAsync(SessionDelta.Empty);
        await Storage.ReleaseAsync(handle, last.Owner, Kept);
        Assert.Equal(new SessionMark(1, last.Owner, "silo-1", Released: true), (await Storage.PeekAsync(handle)).Mark);

        var next = await OwnedAsync(handle);

        Assert.Equal(new SessionMark(1, next, "silo-2"), (await Storage.PeekAsync(handle)).Mark);
    }

    [Fact]
    public async Task PeekOfWhatIsNotThere_SaysWhy()
    {
        AssertOutcome(StoreOutcome.Missing, await Storage.PeekAsync(SessionHandle.New()));
        var (handle, _) = await CreateAsync(SessionDelta.Empty);
        await Storage.DestroyAsync(handle, SessionEndReason.Destroyed, TombstoneKept);

        AssertTombstone(SessionEndReason.Destroyed, await Storage.PeekAsync(handle));
    }

    [Fact]
    public async Task PeekOfExpired_SaysMissing()
    {
        var (handle, _) = await CreateAsync(SessionDelta.Empty, keepFor: Short);

        await AdvanceAsync(AfterShort);

        AssertOutcome(StoreOutcome.Missing, await Storage.PeekAsync(handle));
    }

    [Fact]
    public async Task TwoSessions_NeverMeet()
    {
        var (one, lastOne) = await CreateAsync(SessionDelta.Empty.Set("a", [1]));
        var (two, lastTwo) = await CreateAsync(SessionDelta.Empty.Set("a", [2]).Set("b", [2]));

        AssertOutcome(StoreOutcome.Fenced, await Storage.CommitAsync(one, Next(lastTwo, SessionDelta.Empty.Set("a", [3]))));
        await CommitAsync(one, Next(lastOne, SessionDelta.Empty.Clear()));
        AssertOutcome(StoreOutcome.Written, await Storage.DestroyAsync(one, SessionEndReason.Destroyed, TombstoneKept));

        var session = await ReadAsync(two);
        Assert.Equal([2], session.Properties["a"].ToArray());
        Assert.Equal([2], session.Properties["b"].ToArray());
        Assert.Equal(1, session.Version);
    }

    private protected Creation NewCreation(
        SecretHash? secret = null, TimeSpan? lifetime = null, TimeSpan age = default, string ownerName = "silo-1") => new()
        {
            OwnerName = ownerName,
            Secret = secret,
            AbsoluteLifetime = lifetime,
            StartedAt = TimestampAgo(age),
        };

    private protected static Flush First(OwnerNonce owner, SessionDelta? delta = null, TimeSpan? keepFor = null) => new()
    {
        Owner = owner,
        FromVersion = 0,
        Entries = [NewEntry()],
        Delta = delta ?? SessionDelta.Empty,
        KeepFor = keepFor ?? Kept,
    };

    /// <summary>The flush that the owner of <paramref name="last"/> sends next, with one entry for each of the results.</summary>
    private protected static Flush Next(Flush last, SessionDelta delta, params string[] results) => new()
    {
        Owner = last.Owner,
        FromVersion = last.ToVersion,
        Entries = results is [] ? [NewEntry()] : [.. results.Select(NewEntry)],
        Delta = delta,
    };

    private protected static RingEntry NewEntry(string result = "") => new(RequestId.New(), result);

    /// <summary>A new session, and the flush that made it.</summary>
    private protected async Task<(SessionHandle Handle, Flush Last)> CreateAsync(
        SessionDelta delta, TimeSpan? keepFor = null, TimeSpan? lifetime = null)
    {
        var handle = SessionHandle.New();
        var flush = First(OwnerNonce.New(), delta, keepFor);
        AssertOutcome(StoreOutcome.Written, await Storage.CreateAsync(handle, NewCreation(lifetime: lifetime), flush));
        return (handle, flush);
    }

    /// <summary>Commits a flush, which must be written.</summary>
    private protected async Task<Flush> CommitAsync(SessionHandle handle, Flush flush)
    {
        AssertOutcome(StoreOutcome.Written, await Storage.CommitAsync(handle, flush));
        return flush;
    }

    /// <summary>Claims a session, and returns who owns it then.</summary>
    private protected async Task<OwnerNonce> OwnedAsync(SessionHandle handle) => (await ClaimAsync(handle)).Session!.Owner;

    private protected Task<StoreReply> ClaimAsync(SessionHandle handle, OwnerNonce? owner = null, string ownerName = "silo-2") =>
        Storage.ClaimAsync(handle, owner ?? OwnerNonce.New(), ownerName, TombstoneKept);

    /// <summary>What is stored, read by a new owner.</summary>
    private protected async Task<StoredSession> ReadAsync(SessionHandle handle)
    {
        var reply = await ClaimAsync(handle);
        AssertOutcome(StoreOutcome.Written, reply);
        return reply.Session!;
    }

    private protected static void AssertOutcome(StoreOutcome expected, StoreReply reply) =>
        Assert.True(expected == reply.Outcome, $"expected {expected}, not {reply.Outcome} ({reply.Error})");

    private protected static void AssertTombstone(SessionEndReason reason, StoreReply reply)
    {
        AssertOutcome(StoreOutcome.Tombstone, reply);
        Assert.Equal(reason, reply.Reason);
    }
}
