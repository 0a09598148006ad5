using System.Buffers.Binary;
using System.Collections.Concurrent;
using CsCheck;

namespace SessionActors;

/// <summary>
/// Many callers at once, of whom some give up, vanish or commit too late: put in the order of their tokens, what those did who succeeded is
/// what one caller after the other would have done.
/// </summary>
public sealed class ParallelLeaseTests
{
    private enum Caller
    {
        /// <summary>Acquires, reads, commits one more, releases.</summary>
        Orderly,

        /// <summary>As orderly, but within the commit's flush another call of the same caller renews and reads.</summary>
        Busy,

        /// <summary>Stops waiting at some time.</summary>
        Impatient,

        /// <summary>Acquires, and is never heard of again.</summary>
        Vanishing,

        /// <summary>Acquires, and commits when its lease is over.</summary>
        Late,

        /// <summary>Changes something else without a lease.</summary>
        Shared,
    }

    [Fact]
    public async Task What_holders_did_is_what_one_after_the_other_would_have_done()
    {
        await using var cluster = await SessionCluster.StartAsync(silos: 2);
        await Gen.Enum<Caller>().Array[2, 12].SampleAsync(callers => new Round(cluster).RunAsync(callers), iter: 60, threads: 1);
    }

    private sealed class Round(SessionCluster cluster)
    {
        private readonly ConcurrentBag<(long Token, int Before)> _done = [];
        private readonly TimeSpan _expiry = new SessionActorsOptions().LockExpiry;
        private int _shared;

        public async Task RunAsync(Caller[] callers)
        {
            var session = await cluster.NewSessionAsync();
            var running = Task.WhenAll(callers.Select((caller, i) => Task.Run(() => TakePartAsync(session, caller, i))));
            await Until.TrueAsync(
                () =>
                {
                    // What waits for somebody who has vanished needs time to pass.
                    cluster.Time.Advance(_expiry / 10);
                    return running.IsCompleted;
                },
                "all callers are through");
            await running;

            var ordered = _done.OrderBy(done => done.Token).ToArray();
            Assert.Equal(Enumerable.Range(0, ordered.Length), ordered.Select(done => done.Before));
            Assert.Equal(ordered.Length, ordered.Select(done => done.Token).Distinct().Count());
            var snapshot = (await session.ReadAsync())!;
            Assert.Equal(ordered.Length, Number(snapshot));
            Assert.Equal(_shared, snapshot.Properties.Keys.Count(name => name.StartsWith("shared", StringComparison.Ordinal)));
        }

        private async Task TakePartAsync(ISessionGrain session, Caller caller, int number)
        {
            switch (caller)
            {
                case Caller.Shared:
                    await session.CommitAsync(SessionDelta.Empty.Set($"shared{number}", "x"u8));
                    Interlocked.Increment(ref _shared);
                    break;
                case Caller.Vanishing:
                    await AcquireAsync(session);
                    break;
                case Caller.Late:
                    var late = await AcquireAsync(session);
                    await Until.TrueAsync(async () => !await IsHeldAsync(session, late), "the lease of a silent holder ends");
                    await Assert.ThrowsAsync<SessionLeaseLostException>(() => CountAsync(session, late));
                    break;
                case Caller.Impatient:
                    using (var giving = new CancellationTokenSource())
                    {
                        var seeking = session.AcquireAsync(giving.Token);
                        await Task.Yield();
                        await giving.CancelAsync();
                        await ReleaseIfGrantedAsync(seeking);
                    }

                    break;
                default:
                    await HoldAsync(session, isBusy: caller == Caller.Busy);
                    break;
            }
        }

        private async Task HoldAsync(ISessionGrain session, bool isBusy)
        {
            var opening = await AcquireAsync(session);
            var beside = isBusy ? session.RenewAsync(opening.Lease!.Id).AsTask() : Task.FromResult(true);
            try
            {
                await CountAsync(session, opening);
                _done.Add((opening.Lease!.Token, Number(opening.Snapshot!)));
            }
            catch (SessionLeaseLostException)
            {
                // The clock ran on faster than this caller did: nothing of it may count.
            }

            await beside;
            await session.ReleaseAsync(opening.Lease!.Id);
        }

        private static async Task<SessionOpening> AcquireAsync(ISessionGrain session) =>
            await session.RetryAsync(SessionRequest.New(), request => session.AcquireAsync(null, true, request));

        private static Task<long> CountAsync(ISessionGrain session, SessionOpening opening)
        {
            var next = new byte[sizeof(int)];
            BinaryPrimitives.WriteInt32BigEndian(next, Number(opening.Snapshot!) + 1);
            var request = SessionRequest.New() with { Lease = opening.Lease!.Id };
            return session.RetryAsync(request, again => session.CommitAsync(SessionDelta.Empty.Set("n", next), again));
        }

        // A release of somebody else's name does nothing, and a commit that changes nothing tells whether the lease is lost.
        private static async Task<bool> IsHeldAsync(ISessionGrain session, SessionOpening opening)
        {
            try
            {
                await session.CommitAsync(SessionDelta.Empty, SessionRequest.New() with { Lease = opening.Lease!.Id });
                return true;
            }
            catch (SessionLeaseLostException)
            {
                return false;
            }
        }

        private static async Task ReleaseIfGrantedAsync(Task<SessionLease> seeking)
        {
            try
            {
                await (await seeking).DisposeAsync();
            }
            catch (OperationCanceledException)
            {
                // It was still waiting.
            }
        }

        private static int Number(SessionSnapshot snapshot) =>
            snapshot.TryGetValue("n", out var bytes) ? BinaryPrimitives.ReadInt32BigEndian(bytes.Value.Span) : 0;
    }
}
