using System.Diagnostics;

namespace SessionActors;

/// <content>How what waits is flushed, and what becomes of it by the store's answers.</content>
internal sealed partial class PendingWrites
{
    private async Task PumpAsync()
    {
        // What is flushed is in the traces of its own callers, and not in that of whoever happened to come first.
        Activity.Current = null;
        while (_refresh is not null || (_writes.Waiting.Count > 0 && _behind?.IsDue is not false))
        {
            (_isClaimedBack, var refresh) = (false, _refresh);
            try
            {
                _writes.DropOverdue();
                if (refresh is not null)
                {
                    _refresh = null;
                    await ReloadAsync([]);
                    refresh.TrySetResult();
                }
                else if (await ReadyAsync() is > 0 and var ready)
                {
                    var (batch, sentAt) = (_writes.TakeBatch(ready), silo.Now);
                    if (batch.TrueForAll(write => write.IsNothingToStore))
                    {
                        _writes.Release(batch);
                    }
                    else
                    {
                        await OnAnswerAsync(batch, sentAt, await owner.CommitAsync(Flushed, batch, () => OnTry(batch, sentAt)));
                    }
                }
            }
            catch (Exception e)
            {
                GrainLog.Failed(silo.Logger, session, e);
                if (_writes.InFlight is [{ IsAcknowledged: true }, ..])
                {
                    // What the store has of it is seen then.
                    _writes.Rebase(_writes.InFlight, HasLostLease);
                    WantRefresh();
                    await Reloads.NextAsync();
                }
                else
                {
                    Abandon(_writes.InFlight, SessionUnavailableException.Unknown(session, "writing it failed."));
                }

                refresh?.TrySetResult();
            }

            _writes.BatchIsOver();
            if (!_isClaimedBack || _writes.Waiting.Count == 0)
            {
                owner.Guard?.Leave(GuardUses.Write);
            }
        }
    }

    /// <summary>How many of those that wait may be flushed now.</summary>
    private ValueTask<int> ReadyAsync() =>
        owner.KnowsAll || _writes.OldestAcknowledgedAt is not null ? new(Flush.MaxEntries) : new(Guarded.ReadyAsync());

    private TaskCompletionSource WantRefresh() => _refresh ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    private Task OnAnswerAsync(List<PendingWrite> batch, TimeSpan sentAt, StoreReply reply)
    {
        if (reply.AfterUnknown)
        {
            batch.ForEach(write => write.WentUnanswered(sentAt));
        }

        if (!reply.IsDone)
        {
            return OnRefusalAsync(batch, reply);
        }

        _reloads?.Reset();
        _behind?.OnAnswered();
        _writes.Release(batch);
        return Task.CompletedTask;
    }

    private async Task OnRefusalAsync(List<PendingWrite> batch, StoreReply reply)
    {
        var isLost = reply.Outcome is StoreOutcome.Missing or StoreOutcome.Behind
            || (reply.Outcome == StoreOutcome.Fenced && owner.IsInOwnCluster(reply.OwnerName));
        if (isLost && await HealAsync() is not WriteBack.Forbidden and var healed && !IsOver(batch[0].IsAcknowledged))
        {
            await GoOnAsync(batch, healed);
            return;
        }

        switch (reply.Outcome)
        {
            case StoreOutcome.Missing or StoreOutcome.Tombstone:
                silo.Metrics.OnRefused(reply.Outcome);
                Abandon(batch, new SessionDestroyedException(session, reply.Reason));
                break;
            case StoreOutcome.Fenced when owner.IsInOwnCluster(reply.OwnerName):
                silo.Metrics.OnFenced(sameCluster: true);
                GrainLog.TakenOver(silo.Logger, session, reply.OwnerName);
                await GiveUpAsync(batch);
                break;
            case StoreOutcome.Fenced:
                silo.Metrics.OnFenced(sameCluster: false);
                owner.Guard?.SawRival();
                GrainLog.Reloading(silo.Logger, session, reply.OwnerName, batch.Count + _writes.Waiting.Count);
                await ReloadAsync(batch);
                break;
            case StoreOutcome.Behind or StoreOutcome.Ahead:
                GrainLog.VersionsDiffer(silo.Logger, session, Flushed.Version, reply.Outcome);
                await ReloadAsync(batch);
                break;
            case StoreOutcome.Unknown:
                silo.Metrics.OnUnknown();
                GrainLog.Unknown(silo.Logger, session, batch.Count, reply.Error);
                Abandon(batch, reply.ToException(session));
                break;
            default:
                // Certainly not written, so what is in memory still holds: only these callers fail, and what they would have changed goes.
                GrainLog.NotWritten(silo.Logger, session, batch.Count, reply.Error);
                PendingWrite.FailAll(batch, reply.ToException(session));
                _writes.Rebase([], HasLostLease);
                break;
        }
    }

    // What the store has lost, or lacks still, stays in memory.
    private async Task GoOnAsync(List<PendingWrite> batch, WriteBack healed)
    {
        if (healed == WriteBack.NotYet && !batch[0].IsAcknowledged)
        {
            PendingWrite.FailAll(batch, NotYetBack());
            batch = [];
        }

        _writes.Rebase(batch, HasLostLease);
        if (healed == WriteBack.NotYet && batch.Count > 0)
        {
            await Reloads.NextAsync();
        }
    }

    /// <summary>Claims the session back and applies what is pending to what is there now, in order, each change once.</summary>
    private async Task ReloadAsync(List<PendingWrite> batch)
    {
        var isAcknowledged = batch is [{ IsAcknowledged: true }, ..];
        if (IsOver(isAcknowledged) || (batch.Count > 0 && _reloads?.AreExhausted is true && !isAcknowledged))
        {
            Abandon(batch, _stopped ?? SessionUnavailableException.NotApplied(
                session, $"another cluster claimed it {ReloadPauses.Most} times while it was to be written."));
            return;
        }

        try
        {
            if (batch.Count > 0)
            {
                silo.Metrics.OnReloaded();
                await Reloads.NextAsync();
            }

            var sentAt = silo.Now;
            var claimed = isAcknowledged
                ? await owner.ClaimAsync(StoreRetry.Endless, () => OnTry(batch, sentAt))
                : await owner.ClaimAsync();
            _epoch = !IsOver(isAcknowledged) ? claimed.Epoch : throw _stopped!;
            (_nonce, _isClaimedBack) = (owner.Nonce, true);
            _leases?.Lose(_epoch, unchanged: claimed.State.Version == Flushed.Version);
            _writes.Rebase(batch, HasLostLease, claimed);
            _leases?.Pass();
        }
        catch (SessionException e)
        {
            Abandon(batch, e);
        }
    }

    /// <summary>
    /// Another silo of this cluster has the session, and all callers go there. What they were told already is stored first, on top of what
    /// is stored by then; the session is claimed back for as long as that takes.
    /// </summary>
    private async Task GiveUpAsync(List<PendingWrite> batch)
    {
        if (batch[0].IsAcknowledged)
        {
            Stop(SessionUnavailableException.TakenOver(session));
            await ReloadAsync(batch);
        }
        else
        {
            Abandon(batch, SessionUnavailableException.TakenOver(session));
        }
    }

    // What is acknowledged goes on when all else has stopped, unless the session has ended.
    private bool IsOver(bool isAcknowledged) => isAcknowledged ? _stopped is SessionDestroyedException : _stopped is not null;

    private void OnTry(List<PendingWrite> batch, TimeSpan sentAt)
    {
        _writes.TellTheOverdue(batch);
        if (batch[0].IsAcknowledged)
        {
            _behind!.OnTry(sentAt);
        }
    }

    private bool HasLostLease(PendingWrite write) => write.Lease is { } lease && _leases?.IsHeldBy(lease, write.LeaseToken) is not true;

    private void Abandon(List<PendingWrite> batch, SessionException why)
    {
        PendingWrite.FailAll(batch, why);
        // Those who only waited behind the batch may be told to come again: nothing of theirs was sent.
        Stop(why is SessionUnavailableException ? SessionUnavailableException.TakenOver(session) : why);
    }
}
