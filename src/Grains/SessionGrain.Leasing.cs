namespace SessionActors;

/// <content>How a caller has the session to itself.</content>
internal sealed partial class SessionGrain
{
    public async Task<SessionOpening> AcquireAsync(SecretHash? secret, bool slide, SessionRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        using var call = _calls.Enter(request.Id);
        try
        {
            var writes = await _activation.FreshAsync();
            // An old secret does not even stand in the queue.
            var opening = await OpenAsync(writes, secret, slide);
            if (opening.Standing == SessionStanding.Open)
            {
                var lease = await WaitAsync(writes, request);
                opening = Open(writes, secret, slide).With(lease);
                if (opening.Lease is null)
                {
                    writes.Leases.Release(request.Id);
                }
            }

            return opening;
        }
        catch (SessionDestroyedException e)
        {
            return SessionOpening.Ended(e.Reason);
        }
    }

    public ValueTask<bool> RenewAsync(RequestId lease)
    {
        if (_activation.Loaded is not { } writes || !writes.Leases.Renew(lease))
        {
            return new(false);
        }

        _lifetime.Slide(_silo.Now);
        _activation.TouchInBackground(writes);
        return new(true);
    }

    public Task ReleaseAsync(RequestId lease)
    {
        _activation.Loaded?.Leases.Release(lease);
        return Task.CompletedTask;
    }

    private async Task<LeaseGrant> WaitAsync(PendingWrites writes, SessionRequest request)
    {
        using var activity = SessionTelemetry.Start("acquire session", _handle);
        var began = _silo.Now - request.WaitedFor;
        try
        {
            var lease = await writes.Leases.AcquireAsync(request);
            _silo.Metrics.OnLeaseGranted(_silo.Now - began);
            return lease;
        }
        catch (SessionException e) when (e is not SessionLeaseTimeoutException { MayWaitOn: true })
        {
            activity.Fail(e);
            _silo.Metrics.OnLeaseRefused(_silo.Now - began, e);
            throw;
        }
    }
}
