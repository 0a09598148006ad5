using System.Net;
using StackExchange.Redis;

namespace SessionActors.Backoffice;

/// <summary>What the user asked for.</summary>
internal sealed record CommandLine
{
    public const string Usage =
        """
        Reads and changes sessions from outside the web application, by the handle that its pages show.

          Backoffice [options] show <handle>                 prints the session
          Backoffice [options] set <handle> <name> <value>   sets one property: a whole number as SetInt32 does, else as SetString does
          Backoffice [options] destroy <handle>              ends the session for good

        Options:
          --gateway=<address>:<port>   a silo's gateway; default 127.0.0.1:30000
          --redis=<address>:<port>     finds the silos through their Redis instead
          --prefix=<prefix>            with --redis: the silos' SessionActors:KeyPrefix; default session:
          --cluster=<id>               the silos' SessionActors:ClusterId, and ServiceId; default: the prefix without its last colons
        """;

    private static readonly Dictionary<string, int> Operands = new() { ["show"] = 1, ["set"] = 3, ["destroy"] = 1 };

    public required string Verb { get; init; }

    public required SessionHandle Handle { get; init; }

    public required string Name { get; init; }

    public required string Value { get; init; }

    public required IPEndPoint Gateway { get; init; }

    public required string? Redis { get; init; }

    public required string Prefix { get; init; }

    public required string Cluster { get; init; }

    /// <exception cref="FormatException">The arguments make no sense; the message says which.</exception>
    public static CommandLine Parse(string[] args)
    {
        // Only up to the verb: a property's name or value may look like an option.
        var options = args.TakeWhile(a => a.StartsWith("--", StringComparison.Ordinal)).Select(a => a[2..].Split('=', 2)).ToList();
        if (options.FirstOrDefault(o => o.Length < 2 || o[0] is not ("gateway" or "redis" or "prefix" or "cluster")) is { } unknown)
        {
            throw new FormatException($"There is no option '--{string.Join('=', unknown)}'.");
        }

        if (options.FirstOrDefault(o => o[1].Trim(' ', ':').Length == 0) is { } empty)
        {
            throw new FormatException($"--{empty[0]}={empty[1]} says nothing. Give it a value, or leave it out.");
        }

        var operands = args[options.Count..];
        if (operands.Length == 0 || !Operands.TryGetValue(operands[0], out var count))
        {
            throw new FormatException(operands.Length == 0 ? "Say what to do." : $"There is no command '{operands[0]}'.");
        }

        if (operands.Length != count + 1)
        {
            throw new FormatException($"'{operands[0]}' takes {count} argument(s), not {operands.Length - 1}.");
        }

        if (!SessionHandle.TryParse(operands[1], out var handle))
        {
            throw new FormatException($"'{operands[1]}' is no session handle: that is 22 characters of letters, digits, - and _.");
        }

        string? Option(string name) => options.LastOrDefault(o => o[0] == name)?[1];
        var gateway = Option("gateway") ?? "127.0.0.1:30000";
        var prefix = Option("prefix") ?? "session:";
        var redis = Option("redis");
        if (redis is not null && !NamesServer(redis))
        {
            // Not repeated: it may hold a password.
            throw new FormatException("--redis names no server, or cannot be read. Write it as StackExchange.Redis does: 127.0.0.1:6379.");
        }

        return new CommandLine
        {
            Verb = operands[0],
            Handle = handle,
            Name = operands.ElementAtOrDefault(2) ?? "",
            Value = operands.ElementAtOrDefault(3) ?? "",
            Gateway = IPEndPoint.TryParse(gateway, out var endPoint) && endPoint.Port > 0
                ? endPoint
                : throw new FormatException($"--gateway={gateway} is no IP address and port, such as 127.0.0.1:30000."),
            Redis = redis,
            Prefix = prefix,
            Cluster = Option("cluster") ?? prefix.TrimEnd(':'),
        };
    }

    private static bool NamesServer(string redis)
    {
        try
        {
            return ConfigurationOptions.Parse(redis).EndPoints.Count > 0;
        }
        catch (Exception e) when (e is ArgumentException or FormatException)
        {
            return false;
        }
    }
}
