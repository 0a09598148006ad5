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

    /// <summary><see cref="IActorSession.TakeAsync"/> of a property as JSON; the type's default where there is none.</summary>
    /// <exception cref="JsonException">The property is no JSON, or not of this type. It was removed all the same.</exception>
    /// <exception cref="InvalidOperationException">As for <see cref="IActorSession.IncrementAsync"/>.</exception>
    public static async Task<T?> TakeAsync<T>(this IActorSession session, string name, JsonSerializerOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(session);
        return await session.TakeAsync(name) is { } json
            ? JsonSerializer.Deserialize<T>(json, options ?? JsonSerializerOptions.Web)
            : default;
    }

    /// <summary><see cref="IActorSession.GetOrSetAsync"/> of a property as JSON.</summary>
    /// <exception cref="JsonException">What is there is no JSON, or not of this type.</exception>
    /// <exception cref="InvalidOperationException">As for <see cref="IActorSession.IncrementAsync"/>.</exception>
    public static async Task<T?> GetOrSetAsync<T>(
        this IActorSession session, string name, T value, JsonSerializerOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(session);
        var json = JsonSerializer.SerializeToUtf8Bytes(value, options ?? JsonSerializerOptions.Web);
        return JsonSerializer.Deserialize<T>(await session.GetOrSetAsync(name, json), options ?? JsonSerializerOptions.Web);
    }

    /// <summary><see cref="IActorSession.UpdateAsync"/> of a property as JSON; returns the new value.</summary>
    /// <param name="session">The session.</param>
    /// <param name="name">The property.</param>
    /// <param name="update">
    /// Makes the new value: given the type's default where there is none, and null removes the property. It is called again after each
    /// round that was lost, so it must do nothing besides.
    /// </param>
    /// <param name="options">How values become JSON. Default: the web defaults.</param>
    /// <exception cref="SessionConflictException">Other requests were faster 20 times in a row. Nothing was changed.</exception>
    /// <exception cref="JsonException">The property is no JSON, or not of this type.</exception>
    /// <exception cref="InvalidOperationException">As for <see cref="IActorSession.IncrementAsync"/>.</exception>
    public static async Task<T?> UpdateAsync<T>(
        this IActorSession session, string name, Func<T?, T?> update, JsonSerializerOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(session);
        ArgumentNullException.ThrowIfNull(update);
        T? value = default;
        await session.UpdateAsync(name, json =>
        {
            value = update(json is null ? default : JsonSerializer.Deserialize<T>(json, options ?? JsonSerializerOptions.Web));
            return value is null ? null : JsonSerializer.SerializeToUtf8Bytes(value, options ?? JsonSerializerOptions.Web);
        });
        return value;
    }
}
