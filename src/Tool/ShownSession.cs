using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace SessionActors;

/// <summary>
/// A session as it is shown. There is no place in it for the secret's hash, the owner's nonce and the ring of requests, so none of them can
/// be printed.
/// </summary>
internal sealed record ShownSession
{
    /// <summary>How all answers are written.</summary>
    public static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    public required string Handle { get; init; }

    public required long Version { get; init; }

    /// <summary>The idle time-out; null where it is the servers' option, which Redis does not know.</summary>
    public required double? TtlSeconds { get; init; }

    public required int Generation { get; init; }

    public string? User { get; init; }

    public string? GoesWith { get; init; }

    /// <summary>Read directly: what owns it.</summary>
    public string? Silo { get; init; }

    /// <summary>Read directly: how long Redis keeps it yet if nobody renews it.</summary>
    public double? KeptForSeconds { get; init; }

    public required ImmutableArray<ShownProperty> Properties { get; init; }

    public static ImmutableArray<ShownProperty> Of(ImmutableDictionary<string, ReadOnlyMemory<byte>> properties, bool values) =>
    [
        .. properties.OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => new ShownProperty(
            p.Key, p.Value.Length, values ? p.Value.ToArray() : null, values ? ShownProperty.TextOf(p.Value.Span) : null)),
    ];

    public void Print()
    {
        (string, string?)[] lines =
        [
            ("session", Handle), ("version", $"{Version}"),
            ("idle time-out", TtlSeconds is { } ttl ? $"{TimeSpan.FromSeconds(ttl)}" : "the servers' SessionActors:Ttl"),
            ("generation", $"{Generation}"), ("user", User ?? "-"), ("goes with", GoesWith), ("silo", Silo),
            ("kept for", KeptForSeconds is { } kept ? $"{TimeSpan.FromSeconds(kept)}" : null),
        ];
        foreach (var (name, value) in lines)
        {
            if (value is not null)
            {
                Console.WriteLine($"{name,-13}  {TextTable.Plain(value)}");
            }
        }

        Console.WriteLine();
        var withValues = Properties.Any(p => p.Value is not null);
        TextTable.Print(
            ["PROPERTY", "BYTES", withValues ? "VALUE" : ""],
            Properties.Select(p => new[] { p.Name, p.Bytes.ToString(CultureInfo.InvariantCulture), p.Shown() }));
    }
}

/// <summary>A property as it is shown.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Bytes">How long its value is.</param>
/// <param name="Value">The value, base64 in JSON; null unless it was asked for.</param>
/// <param name="Text">The same as text; null where it is none.</param>
internal sealed record ShownProperty(string Name, int Bytes, byte[]? Value, string? Text)
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The value as <c>ISession.SetString</c> wrote it; null where it cannot have.</summary>
    public static string? TextOf(ReadOnlySpan<byte> value)
    {
        try
        {
            return Strict.GetString(value) is var text && text.Any(c => char.IsControl(c) && !char.IsWhiteSpace(c)) ? null : text;
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }

    /// <summary>The value for people: text, else a number as <c>ISession.SetInt32</c> and counters write it, else the bytes.</summary>
    public string Shown() => this switch
    {
        { Value: null } => "",
        { Text: { } text } => $"\"{text}\"",
        { Value: { Length: sizeof(int) } four } => BinaryPrimitives.ReadInt32BigEndian(four).ToString(CultureInfo.InvariantCulture),
        { Value: { Length: sizeof(long) } eight } => BinaryPrimitives.ReadInt64BigEndian(eight).ToString(CultureInfo.InvariantCulture),
        _ => $"0x{Convert.ToHexString(Value)}",
    };
}
