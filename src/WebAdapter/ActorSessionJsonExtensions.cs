using System.Text.Json;

namespace SessionActors;

/// <summary>
/// Properties as JSON, with the web defaults of System.Text.Json (camel case, read without regard to case) unless told otherwise. On
/// <see cref="IActorSession"/> alone, so that an application's own extensions of <c>ISession</c> with these names go on working.
/// </summary>
public static class ActorSessionJsonExtensions
{
    /// <summary>Reads a property that <see cref="Set"/> wrote; the type's default where there is none.</summary>
    /// <exception cref="JsonException">The property is no JSON, or not of this type.</exception>
    public static T? Get<T>(this IActorSession session, string name, JsonSerializerOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(session);
        return session.TryGetValue(name, out var json)
            ? JsonSerializer.Deserialize<T>(json, options ?? JsonSerializerOptions.Web)
            : default;
    }

    /// <summary>Sets a property to a value as JSON. A value that gives the same JSON as before is no change.</summary>
    public static void Set<T>(this IActorSession session, string name, T value, JsonSerializerOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(session);
        session.Set(name, JsonSerializer.SerializeToUtf8Bytes(value, options ?? JsonSerializerOptions.Web));
    }
}
