using CsCheck;

namespace SessionActors;

/// <summary>What holds for the queue of a lease whatever happens in whatever order.</summary>
public sealed class LeaseQueueLaws
{
    private const int MaxWaiters = 4;

    private static readonly LeaseTimes Times = new(Expiry: TimeSpan.FromSeconds(10), Longest: TimeSpan.FromSeconds(30));
    private static readonly RequestId[] Ids = [.. Enumerable.Range(0, 7).Select(i => new RequestId((ulong)i, 7))];

    private enum Step
    {
        Enter,
        EnterAgain,
        Leave,
        Renew,
        Release,
        Wait,
        Lose,
    }

    private static readonly Gen<(Step What, int Who, int Seconds)[]> Histories =
        Gen.Select(Gen.Enum<Step>(), Gen.Int[0, Ids.Length - 1], Gen.Int[0, 12]).Array[1, 80];

    [Fact]
    public void The_lease_goes_to_the_first_who_has_not_gone_with_a_higher_token_each_time() => Histories.Sample(history =>
    {
        var run = new Run();
        foreach (var step in history)
        {
            run.Take(step.What, Ids[step.Who], TimeSpan.FromSeconds(step.Seconds));
        }
    });

    [Fact]
    public void A_holder_that_renews_in_time_keeps_the_lease_for_its_longest_time_and_no_longer() =>
        Gen.Int[1, 9].Array[1, 60].Sample(pauses =>
        {
            var (queue, now) = (new LeaseQueue(Times, MaxWaiters, epoch: 1), TimeSpan.Zero);
            var holder = queue.Enter(Ids[0], now)!;
            queue.GrantNext(now);
            queue.Leave(holder, now);
            foreach (var pause in pauses)
            {
                now += TimeSpan.FromSeconds(pause);
                Assert.Equal(now >= Times.Longest, queue.Expire(now) || !queue.IsHeld);
                Assert.Equal(now < Times.Longest, queue.Renew(Ids[0], now));
            }
        });

    /// <summary>Goes through a history, and looks after each step at what the queue did.</summary>
    private sealed class Run
    {
        private readonly LeaseQueue _queue = new(Times, MaxWaiters, epoch: 3);
        private readonly List<LeaseSeeker> _waiting = [];
        private readonly List<LeaseSeeker> _present = [];
        private LeaseSeeker? _holder;
        private TimeSpan _now;
        private TimeSpan _heardAt;
        private long _lastToken;

        public void Take(Step step, RequestId id, TimeSpan time)
        {
            switch (step)
            {
                case Step.Enter:
                case Step.EnterAgain:
                    Enter(id);
                    break;
                case Step.Leave when _present.FindLast(seeker => seeker.Id == id) is { } leaving:
                    leaving.WasTold |= leaving == _holder;
                    _present.Remove(leaving);
                    _queue.Leave(leaving, _now);
                    _heardAt = leaving == _holder ? _now : _heardAt;
                    break;
                case Step.Renew:
                    Assert.Equal(_holder?.Id == id, _queue.Renew(id, _now));
                    _heardAt = _holder?.Id == id ? _now : _heardAt;
                    break;
                case Step.Release:
                    Assert.Equal(_holder?.Id == id || _waiting.Exists(seeker => seeker.Id == id), _queue.Release(id));
                    _waiting.RemoveAll(seeker => seeker.Id == id);
                    _holder = _holder?.Id == id ? null : _holder;
                    break;
                case Step.Wait:
                    _now += time;
                    break;
                case Step.Lose:
                    var isUntold = _holder is not null && _present.Contains(_holder) && !_holder.WasTold;
                    Assert.Equal(_holder is not null && !isUntold, _queue.Lose(newEpoch: 3));
                    _lastToken = isUntold ? _holder!.Token : _lastToken;
                    _holder = isUntold ? _holder : null;
                    break;
            }

            ExpireAndGrant();
        }

        private void Enter(RequestId id)
        {
            Drop();
            var known = _holder?.Id == id ? _holder : _waiting.Find(seeker => seeker.Id == id);
            var seeker = _queue.Enter(id, _now);
            Assert.Equal(known is null && _waiting.Count == MaxWaiters, seeker is null);
            if (seeker is not null)
            {
                Assert.True(known is null || known == seeker, "One call more of somebody who is there already is no new seeker.");
                _present.Add(seeker);
                _waiting.AddRange(known is null ? [seeker] : []);
            }
        }

        private void ExpireAndGrant()
        {
            var isSilent = _holder is not null && !_present.Contains(_holder);
            var isOver = isSilent && (_now >= _heardAt + Times.Expiry || _now >= _holder!.LatestEnd);
            Assert.Equal(isOver, _queue.Expire(_now));
            _holder = isOver ? null : _holder;
            var wasHeld = _holder is not null;

            _queue.GrantNext(_now);

            Drop();
            if (!wasHeld && _waiting.Count > 0)
            {
                (_holder, _heardAt) = (_waiting[0], _now);
                _waiting.RemoveAt(0);
                Assert.True(_holder.Granted.IsCompletedSuccessfully, "The first in line is told.");
                Assert.True(_holder.Token > _lastToken, "Tokens grow.");
                _lastToken = _holder.Token;
            }

            Assert.Equal(_waiting.Count, _queue.Waiting);
            Assert.All(Ids, id => Assert.Equal(_holder?.Id == id, _queue.IsHeldBy(id)));
            Assert.All(_waiting, waiting => Assert.False(waiting.Granted.IsCompleted));
        }

        private void Drop() => _waiting.RemoveAll(seeker => !_present.Contains(seeker) && _now - seeker.LeftAt > Times.Absence);
    }
}
