using System.Text.Json;
using System.Text.Json.Serialization;

namespace SessionActors;

/// <summary>
/// Properties as JSON, with the web defaults of System.Text.Json (camel case, read without regard to case) unless told otherwise. On
/// <see cref="IActorSession"/> alone, so that an application's own extensions of <c>ISession</c> with these names go on working.
/// </summary>
public static class ActorSessionJsonExtensions
{
    /// <summary>
    /// Reads a property that <see cref="Set"/> wrote; the type's default where there is none. Each call makes another object, and changing
    /// it changes nothing in the session until it is given to <see cref="Set"/>.
    /// </summary>
    /// <exception cref="JsonException">The property is no JSON, or not of this type.</exception>
    public static T? Get<T>(this IActorSession session, string name, JsonSerializerOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(session);
        if (!session.TryGetValue(name, out var json))
        {
            return default;
        }

        var value = JsonSerializer.Deserialize<T>(json, options ?? JsonSerializerOptions.Web);
        (session as ActorSession)?.See(name);
        return value;
    }

    /// <summary>
    /// Sets a property to a value as JSON. Where this request has read the property with <see cref="Get"/>, or set it before, only what is
    /// different since then is sent and merged with what other requests change in it meanwhile; members in it that the type does not have
    /// stay. Without that the whole property is replaced. No difference is no change.
    /// <para>
    /// The commit throws <see cref="SessionConflictException"/> where what was changed is not there any more: the object around it is gone,
    /// or another element is at its place in its array.
    /// </para>
    /// </summary>
    public static void Set<T>(this IActorSession session, string name, T value, JsonSerializerOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(session);
        options ??= JsonSerializerOptions.Web;
        var json = JsonSerializer.SerializeToUtf8Bytes(value, options);
        // Preserved references number the objects of a document, which numbers of another request do not go with.
        var hasNumbers = options.ReferenceHandler is { } references && references != ReferenceHandler.IgnoreCycles;
        if (session is ActorSession actor && !hasNumbers)
        {
            actor.Merge(name, json, seen => Rewrite<T>(seen.Span, options));
        }
        else
        {
            session.Set(name, json);
        }
    }

    /// <summary>
    /// Replaces a property by a value as JSON, with all that is in it: of two requests the last one wins, and neither is refused. A value
    /// that gives the same JSON as before is no change.
    /// </summary>
    public static void Replace<T>(this IActorSession session, string name, T value, JsonSerializerOptions? options = null)
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

    // Another type's JSON may be anything but one of these, and its constructor may say so in its own way: then the whole value is sent.
    private static byte[]? Rewrite<T>(ReadOnlySpan<byte> json, JsonSerializerOptions options)
    {
        try
        {
            return JsonSerializer.SerializeToUtf8Bytes(JsonSerializer.Deserialize<T>(json, options), options);
        }
        catch (Exception)
        {
            return null;
        }
    }
}
