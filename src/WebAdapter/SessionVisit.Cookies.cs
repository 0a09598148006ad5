namespace SessionActors;

/// <content>Which cookie, or header, goes out with the response.</content>
internal sealed partial class SessionVisit
{
    /// <summary>The cookie of ASP.NET Core's own session that the request came with; null without one, and where none is wanted.</summary>
    public string? OldCookie => _carrier == door.Cookie ? door.Import?.ReadCookie(context) : null;

    /// <summary>
    /// Whether the session that the old cookie names has been made ours, or has ended. One that nobody could read stays: perhaps somebody
    /// can with the next request.
    /// </summary>
    public bool HasUsedOldCookie { get; set; }

    // The newest cookie is another request's where that has given the session its secret.
    private void SendCookie() => _cookie = _connection is { IsOvertaken: true } ? CookieChange.None : CookieChange.Send;

    // With a new lifetime and the secret of before, which another request may have rotated.
    private void RenewCookie() => _cookie = _cookie == CookieChange.Send ? CookieChange.Send
        : _connection is { IsOvertaken: true } ? CookieChange.None : CookieChange.SendAgain;

    /// <summary>Puts the cookie, if one is due, among the headers that leave now.</summary>
    public Task SendCookieAsync()
    {
        if (_headersAreGone)
        {
            return Task.CompletedTask;
        }

        _headersAreGone = true;
        if (IsUsed && door.ForbidsCaching)
        {
            SessionCarrier.ForbidCaching(context);
        }

        switch (_cookie)
        {
            // Until it is the user's that it began for, no cookie leads to it.
            case CookieChange.Send when !_isToFollow:
                Send();
                break;
            case CookieChange.SendAgain:
                return SendCookieAgainAsync();
            case CookieChange.Delete:
                DeleteOldCookie();
                _carrier.Delete(context);
                break;
            case CookieChange.None when Phase == VisitPhase.New && HasUsedOldCookie:
                DeleteOldCookie();
                break;
        }

        return Task.CompletedTask;
    }

    private void Send()
    {
        // The old one first: deleting takes back what was to be sent under the same name. Without consent it goes on leading here.
        if (HasUsedOldCookie && IsCookieAllowed)
        {
            DeleteOldCookie();
        }

        _carrier.Send(context, Connection.Cookie, Overlay.OwnTtl);
    }

    private void DeleteOldCookie()
    {
        if (OldCookie is not null)
        {
            door.Import!.DeleteCookie(context);
        }
    }

    private async Task SendCookieAgainAsync()
    {
        // The secret may have been rotated while this request ran, and then this cookie would overwrite the newer one.
        try
        {
            var opening = await Connection.OpenAsync(slide: false);
            if (opening is { Standing: SessionStanding.Open, IsUnderOldSecret: false })
            {
                Send();
            }
        }
        catch (SessionUnavailableException e)
        {
            // The cookie is good for the next request too, which sends it again.
            door.Log.OpeningFailed(e);
        }
    }
}
