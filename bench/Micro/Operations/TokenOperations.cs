using System.Security.Cryptography;

namespace SessionActors.MicroBench;

/// <summary>What is done to a session's cookie.</summary>
internal static class TokenOperations
{
    private static readonly DateTimeOffset Now = new(2026, 5, 4, 3, 2, 1, TimeSpan.Zero);

    public static IEnumerable<PureOperation> All
    {
        get
        {
            var key = new CookieKey { Id = 1, Secret = [.. RandomNumberGenerator.GetBytes(32)] };
            var ring = new CookieKeyRing { Keys = [key] };
            var token = SessionToken.New(SessionHandle.New()).Created(Now, TimeSpan.FromHours(12));
            var genuine = token.Write(key);
            var forged = genuine[..^1] + (genuine[^1] == 'A' ? 'B' : 'A');
            // As long as a genuine one, and wrong in the last letter only.
            var malformed = genuine[..^1] + '!';
            var hash = token.Hash;
            return
            [
                new("token: read, genuine", null, () => Read(genuine, TokenReading.Genuine)),
                new("token: read, forged", null, () => Read(forged, TokenReading.Forged)),
                new("token: read, malformed", null, () => Read(malformed, TokenReading.Malformed)),
                new("token: hash", null, () => token.Hash.Matches(hash) ? null : throw new InvalidOperationException("Another hash.")),
                new("token: write", null, () => token.Write(key)),
            ];

            object? Read(string text, TokenReading expected)
            {
                var reading = SessionToken.Read(text, ring, Now, out var read);
                return reading != expected ? throw new InvalidOperationException($"A token is {reading}, not {expected}.")
                    : reading == TokenReading.Genuine ? (string)read.Handle
                    : null;
            }
        }
    }
}
