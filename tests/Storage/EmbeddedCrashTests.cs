using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace SessionActors;

/// <summary>A real process writes to a real file and is killed without warning.</summary>
public sealed class EmbeddedCrashTests
{
    internal const string WriterCommand = "write-until-killed";
    private const int Writers = 50, AcknowledgedBeforeKill = 3000;

    [Fact]
    public async Task ProcessKilledInTheMiddle_LosesNothingItAcknowledgedAndHalfWritesNothing()
    {
        var folder = Directory.CreateTempSubdirectory("session-actors-");
        var acknowledged = new Dictionary<string, long>();
        for (var round = 0; round < 3; round++)
        {
            await WriteAndKillAsync(folder.FullName, acknowledged);
            await CheckAsync(folder.FullName, acknowledged);
        }

        folder.Delete(recursive: true);
    }

    /// <summary>The other process: says each version of each session once it was acknowledged.</summary>
    internal static async Task<int> WriteUntilKilledAsync(string folder)
    {
        var time = TimeProvider.System;
        await using var database = new SqliteDatabase(folder, TimeSpan.FromSeconds(10), time);
        var storage = new SqliteSessionStorage(database, time);
        await Task.WhenAll(Enumerable.Range(0, Writers).Select(async _ =>
        {
            var handle = SessionHandle.New();
            var owner = OwnerNonce.New();
            var creation = new Creation { OwnerName = "writer", Secret = null, AbsoluteLifetime = null, StartedAt = time.GetTimestamp() };
            var reply = await storage.CreateAsync(handle, creation, FlushFrom(0, owner));
            for (var version = 1L; reply.Outcome == StoreOutcome.Written; version++)
            {
                Console.WriteLine($"{handle} {version}");
                reply = await storage.CommitAsync(handle, FlushFrom(version, owner));
            }

            throw new InvalidOperationException($"{reply.Outcome}", reply.Error);
        }));
        return 0;
    }

    private static Flush FlushFrom(long version, OwnerNonce owner)
    {
        var value = Encoding.UTF8.GetBytes($"{version + 1}");
        return new Flush
        {
            Owner = owner,
            FromVersion = version,
            Entries = [new RingEntry(RequestId.New(), $"{version + 1}")],
            Delta = SessionDelta.Empty.Set("one", value).Set("other", value),
            KeepFor = TimeSpan.FromHours(1),
        };
    }

    private static async Task WriteAndKillAsync(string folder, Dictionary<string, long> acknowledged)
    {
        using var process = new Process
        {
            StartInfo = new ProcessStartInfo(Environment.ProcessPath!, [.. ArgumentsOfHost(), WriterCommand, folder])
            {
                RedirectStandardOutput = true,
            },
        };
        process.Start();
        for (var lines = 0; await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) is { } line; lines++)
        {
            // The last line may be cut off, which leaves a shorter number: an older version, as true.
            if (line.Split(' ') is [{ Length: SessionHandle.TextLength } handle, var version] && long.TryParse(version, out var number))
            {
                acknowledged[handle] = Math.Max(number, acknowledged.GetValueOrDefault(handle));
            }

            if (lines == AcknowledgedBeforeKill)
            {
                process.Kill();
            }
        }

        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.NotEqual(0, process.ExitCode);
    }

    /// <summary>The path of the tests' assembly where they run under the <c>dotnet</c> host rather than their own.</summary>
    private static string[] ArgumentsOfHost() =>
        Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? [typeof(Program).Assembly.Location] : [];

    private static async Task CheckAsync(string folder, Dictionary<string, long> acknowledged)
    {
        await using var database = new SqliteDatabase(folder, TimeSpan.FromSeconds(10), TimeProvider.System);
        var storage = new SqliteSessionStorage(database, TimeProvider.System);
        Assert.True(acknowledged.Count >= Writers);
        foreach (var (handle, version) in acknowledged)
        {
            var reply = await storage.ClaimAsync(SessionHandle.Parse(handle), OwnerNonce.New(), "reader", TimeSpan.FromSeconds(15));
            Assert.Equal(StoreOutcome.Written, reply.Outcome);
            var session = reply.Session!;
            Assert.InRange(session.Version, version, long.MaxValue);
            var stored = session.Version.ToString(CultureInfo.InvariantCulture);
            Assert.Equal(stored, Encoding.UTF8.GetString(session.Properties["one"].Span));
            Assert.Equal(stored, Encoding.UTF8.GetString(session.Properties["other"].Span));
            Assert.Equal(stored, session.Ring[session.Version].Entry.Result);
            Assert.Equal(Math.Min(session.Version, ISessionStorage.RingSize), session.Ring.Count);
        }
    }
}
