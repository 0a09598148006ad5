using System.CommandLine;
using System.CommandLine.Parsing;

namespace SessionActors;

/// <summary>What can be asked, and how it is written.</summary>
internal static class ToolCommands
{
    private const string About =
        """
        Shows, lists, ends and counts sessions, and examines the Redis that keeps them.

        Where they are is said by --redis, --prefix and --cluster, else by the environment variables of the servers:
        SessionActors__Redis (which keeps a password out of the list of processes), SessionActors__KeyPrefix and
        SessionActors__ClusterId. A silo with the embedded store is reached by --gateway.

        Exit codes: 0 done; 1 what was asked for is not there, or doctor has found an error; 2 wrong usage;
        3 the cluster or Redis is out of reach or refuses, or has not answered in time.
        """;

    private static readonly Option<string> Redis = new("--redis")
    {
        Recursive = true, HelpName = "text", Description = "The silos' SessionActors:Redis, as StackExchange.Redis writes it.",
    };

    private static readonly Option<string> Prefix = new("--prefix")
    {
        Recursive = true, HelpName = "prefix", Description = "The silos' SessionActors:KeyPrefix. Not given: session:",
    };

    private static readonly Option<string> Cluster = new("--cluster")
    {
        Recursive = true, HelpName = "id",
        Description = "The silos' SessionActors:ClusterId. Not given: the prefix without its last colons.",
    };

    private static readonly Option<string> Gateway = new("--gateway")
    {
        Recursive = true, HelpName = "host:port", Description = "One silo's gateway, instead of looking for silos in Redis.",
    };

    private static readonly Option<bool> Json = new("--json") { Recursive = true, Description = "Answers in JSON, for scripts." };

    public static RootCommand Create() => new(About)
    {
        Redis, Prefix, Cluster, Gateway, Json, Show(), List(), End(), Count(), Examine(),
    };

    private static Command Show()
    {
        var handle = new Argument<SessionHandle>("handle") { CustomParser = Handle, Description = "The session's public name." };
        var values = new Option<bool>("--values") { Description = "Shows the values too, which may be personal data." };
        var direct = new Option<bool>("--direct") { Description = "Reads Redis itself, without a silo. Changes nothing." };
        var command = new Command("show", "Shows a session: what it is, and its properties' names and sizes. Does not renew it.")
        {
            handle, values, direct,
        };
        command.SetAction(async (asked, _) =>
        {
            var (place, session) = (PlaceOf(asked), asked.GetValue(handle));
            var shown = asked.GetValue(direct)
                ? await RedisSessions.ReadAsync(place, session, asked.GetValue(values))
                : await ClusterSessions.ReadAsync(place, session, asked.GetValue(values));
            return Answer(asked, shown, shown.Print);
        });
        return command;
    }

    private static Command List()
    {
        var user = User("Whose sessions.", isRequired: true);
        var command = new Command("list", "Lists a user's sessions; none is an answer, too (0).") { user };
        command.SetAction(async (asked, _) =>
        {
            var sessions = await ClusterSessions.ListAsync(PlaceOf(asked), asked.GetValue(user)!);
            return Answer(
                asked,
                sessions.Select(s => new { Handle = s.Handle.ToString(), s.BoundAt, s.SeenAt, s.Address, s.Device }),
                () => TextTable.Print(
                    ["HANDLE", "BOUND", "SEEN", "ADDRESS", "DEVICE"],
                    sessions.Select(s => new[] { s.Handle, $"{s.BoundAt:u}", $"{s.SeenAt:u}", s.Address ?? "", s.Device ?? "" })));
        });
        return command;
    }

    private static Command End()
    {
        var handle = new Argument<SessionHandle?>("handle")
        {
            Arity = ArgumentArity.ZeroOrOne, CustomParser = result => Handle(result), Description = "The session, and what goes with it.",
        };
        var user = User("All of this user's sessions, in memory or not.", isRequired: false);
        var but = new Option<SessionHandle?>("--but")
        {
            HelpName = "handle", CustomParser = result => Handle(result), Description = "With --user: all but this one of theirs.",
        };
        var command = new Command("end", "Ends a session, or a user's, for good. Nothing brings it back.") { handle, user, but };
        command.Validators.Add(asked =>
        {
            if (asked.GetResult(handle) is { Tokens.Count: > 0 } == asked.GetResult(user) is not null)
            {
                asked.AddError("Say which session to end: a handle, or --user.");
            }
            else if (asked.GetResult(but) is not null && asked.GetResult(user) is null)
            {
                asked.AddError("--but goes with --user.");
            }
        });
        command.SetAction(async (asked, _) =>
        {
            var place = PlaceOf(asked);
            if (asked.GetValue(user) is { } id)
            {
                var kept = asked.GetValue(but);
                await ClusterSessions.EndAsync(place, id, kept);
                return Answer(asked, new { Ended = "all", User = id, But = kept?.ToString() }, () => Console.WriteLine(
                    kept is null ? "All sessions of the user have ended." : "All sessions of the user but that one have ended."));
            }

            var session = asked.GetValue(handle)!.Value;
            await ClusterSessions.EndAsync(place, session);
            return Answer(asked, new { Ended = session.ToString() }, () => Console.WriteLine("The session has ended."));
        });
        return command;
    }

    private static Command Count()
    {
        var command = new Command("count", "Counts the live sessions in Redis, by SCAN. Not for the embedded store.");
        command.SetAction(async (asked, _) =>
        {
            var sessions = await RedisSessions.CountAsync(PlaceOf(asked));
            return Answer(asked, new { Sessions = sessions }, () => Console.WriteLine(sessions));
        });
        return command;
    }

    private static Command Examine()
    {
        var command = new Command("doctor", "Examines a Redis as a silo does when it starts, and some more, and says the mends.");
        command.SetAction(async (asked, _) =>
        {
            var findings = await Doctor.ExamineAsync(PlaceOf(asked));
            Answer(
                asked,
                findings.Select(f => new { f.Check, Level = f.Said, f.Text }),
                () => TextTable.Print(["LEVEL", "CHECK", "FOUND"], findings.Select(f => new[] { f.Said, f.Check, f.Text })));
            return (int)(!findings.Any(f => f.Level == FindingLevel.Error) ? ExitCode.Done
                : findings.Count == 1 ? ExitCode.OutOfReach : ExitCode.NotThere);
        });
        return command;
    }

    private static Option<string> User(string description, bool isRequired)
    {
        var user = new Option<string>("--user") { HelpName = "id", Description = description, Required = isRequired };
        user.Validators.Add(asked =>
        {
            if (asked.Tokens is [{ Value.Length: 0 or > UserBinding.MaxUserIdLength }])
            {
                asked.AddError($"A user's id has 1 to {UserBinding.MaxUserIdLength} characters.");
            }
        });
        return user;
    }

    private static SessionHandle Handle(ArgumentResult result)
    {
        if (!SessionHandle.TryParse(result.Tokens[0].Value, out var handle))
        {
            result.AddError($"'{result.Tokens[0].Value}' is no session handle: that is 22 characters of letters, digits, - and _.");
        }

        return handle;
    }

    private static Place PlaceOf(ParseResult asked) => Place.From(
        asked.GetValue(Redis), asked.GetValue(Prefix), asked.GetValue(Cluster), asked.GetValue(Gateway));

    private static int Answer(ParseResult asked, object json, Action print)
    {
        if (asked.GetValue(Json))
        {
            Console.WriteLine(System.Text.Json.JsonSerializer.Serialize(json, ShownSession.Json));
        }
        else
        {
            print();
        }

        return (int)ExitCode.Done;
    }
}
