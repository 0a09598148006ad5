using System.Text.Json.Serialization;

namespace SessionActors.RaceLab;

/// <summary>One for ASP.NET Core's own session, one for SessionActors.</summary>
internal sealed record Pair<T>(T Stock, T Ours);

/// <summary>What the page shows. As JSON it is the answer of <c>/state</c>, and each event of <c>/live</c>.</summary>
internal sealed class LabState
{
    public bool Ready { get; set; }

    /// <summary>The race that runs; null where none does.</summary>
    public string? Running { get; set; }

    /// <summary>How many have ended.</summary>
    public int Ended { get; set; }

    /// <summary>What happens, or has happened last.</summary>
    public string Status { get; set; } = "Starting two redis-servers, one shop on ASP.NET Core's session, two on SessionActors …";

    /// <summary>Whether <see cref="Status"/> is of something that went wrong.</summary>
    public bool Failed { get; set; }

    public Pair<UpdatesResult>? Updates { get; set; }

    public Pair<LogOutResult>? LogOut { get; set; }

    public KillResult? Kill { get; set; }

    public Pair<IReadOnlyList<Server>>? Servers { get; set; }

    /// <summary>Since the shops are ready.</summary>
    public Pair<Total>? Totals { get; set; }

    /// <summary>What was asked per request, a point of time after the other.</summary>
    public List<Pair<PerRequest?>> Chart { get; } = [];
}

/// <summary>What was answered, and what Redis was asked for it.</summary>
internal readonly record struct Total(long Requests, Usage Redis)
{
    public static Total operator -(Total later, Total earlier) => new(later.Requests - earlier.Requests, later.Redis - earlier.Redis);

    [JsonIgnore]
    public PerRequest? PerRequest => Requests == 0
        ? null
        : new(Math.Round((double)Redis.Commands / Requests, 2), Math.Round((double)Redis.Bytes / Requests));
}

internal sealed record PerRequest(double Commands, double Bytes);

internal sealed class UpdatesResult
{
    private readonly char[] _cells = new string('.', Lab.Parallel).ToCharArray();

    /// <summary>A letter for each request: <c>.</c> under way, <c>a</c> acknowledged; in the end <c>k</c> kept, <c>l</c> lost.</summary>
    public string Cells => new(_cells);

    public int Acknowledged => _cells.Count(cell => cell != '.');

    public int Lost => _cells.Count(cell => cell == 'l');

    public bool Done { get; set; }

    public int Milliseconds { get; set; }

    public Usage Redis { get; set; }

    public void Mark(int request, char letter) => _cells[request] = letter;
}

internal sealed class LogOutResult
{
    /// <summary>How many of the steps are done: logged in, slow request under way, log-out answered, slow request answered.</summary>
    public int Steps { get; set; }

    public bool Done { get; set; }

    /// <summary>Who is logged in afterwards, by the cookie from before; empty where nobody is.</summary>
    public string User { get; set; } = "";
}

internal sealed class KillResult
{
    public const int BeatMilliseconds = 100;

    public int Acknowledged { get; set; }

    /// <summary>Tries that failed, and were made again at the other server.</summary>
    public int Vain { get; set; }

    public int Lost { get; set; }

    public bool Done { get; set; }

    /// <summary>The one that is killed, and the other.</summary>
    public required int[] Processes { get; init; }

    /// <summary>The beat of the kill.</summary>
    public int? KilledAt { get; set; }

    /// <summary>Milliseconds between two answers, where they were furthest apart.</summary>
    public int LongestPause { get; set; }

    /// <summary>What each server has acknowledged in each tenth of a second.</summary>
    public List<int[]> Beats { get; } = [];
}
