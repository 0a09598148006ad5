using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Session;

namespace SessionActors;

/// <summary>Keeps the sessions of ASP.NET Core's own middleware as actors.</summary>
internal sealed class ActorSessionStore(SessionDoor door) : ISessionStore
{
    public ISession Create(
        string sessionKey, TimeSpan idleTimeout, TimeSpan ioTimeout, Func<bool> tryEstablishSession, bool isNewSessionKey)
    {
        ArgumentException.ThrowIfNullOrEmpty(sessionKey);
        ArgumentNullException.ThrowIfNull(tryEstablishSession);
        return new KeyedSession(door, SessionKey.Of(sessionKey), idleTimeout, ioTimeout, tryEstablishSession, isNewSessionKey);
    }
}

/// <summary>
/// What becomes of the middleware's key, which is all that opens a session there, and so a secret: nothing that is stored or logged leads
/// back to it. Prints as stars.
/// </summary>
internal readonly struct SessionKey
{
    private readonly byte[] _secret;

    private SessionKey(SessionHandle index, byte[] secret)
    {
        _secret = secret;
        Index = SessionToken.Of(index, secret);
    }

    /// <summary>What says which session is the present one.</summary>
    public SessionToken Index { get; }

    /// <summary>The hash of the secret: all that leaves the web side.</summary>
    public SecretHash Hash => Index.Hash;

    public static SessionKey Of(string key)
    {
        var text = Encoding.UTF8.GetBytes(key);
        var index = SHA256.HashData([.. "SessionActors store, index: "u8, .. text]);
        var secret = SHA256.HashData([.. "SessionActors store, secret: "u8, .. text]);
        return new SessionKey(SessionHandle.FromBytes(index.AsSpan(0, SessionHandle.ByteLength)), secret);
    }

    /// <summary>One of the sessions, under the key's secret.</summary>
    public SessionToken TokenOf(SessionHandle session) => SessionToken.Of(session, _secret);

    /// <summary>Stars.</summary>
    public override string ToString() => "***";
}
