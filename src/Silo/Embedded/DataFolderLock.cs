using System.Diagnostics;
using System.Globalization;

namespace SessionActors;

/// <summary>
/// Keeps a second process out of the data folder: <c>sessions.lock</c> is held open with an exclusive lock of the operating system, which
/// dies with the process however it ends. <c>sessions.pid</c> beside it says who holds it, for the message of whoever has to wait; it
/// decides nothing.
/// </summary>
internal sealed class DataFolderLock : IDisposable
{
    private static readonly TimeSpan RetryTime = TimeSpan.FromMilliseconds(100);

    // Windows' ERROR_SHARING_VIOLATION, or the system's EWOULDBLOCK: every other failure will not pass by waiting.
    private static readonly int HeldByAnother =
        OperatingSystem.IsWindows() ? unchecked((int)0x80070020) : OperatingSystem.IsLinux() ? 11 : 35;

    private readonly FileStream _file;

    private DataFolderLock(FileStream file) => _file = file;

    /// <summary>Waits until the lock is free: restarts overlap, so the process before this one may still be on its way out.</summary>
    /// <exception cref="TimeoutException">Somebody held the lock all the time.</exception>
    /// <exception cref="IOException">The folder cannot be written: the disk is full or broken.</exception>
    public static async Task<DataFolderLock> AcquireAsync(
        string dataFolder, TimeSpan timeout, TimeProvider time, CancellationToken cancellationToken)
    {
        var path = Path.Combine(dataFolder, "sessions.lock");
        var started = time.GetTimestamp();
        while (true)
        {
            FileStream? file = null;
            try
            {
                file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException e) when (e.HResult == HeldByAnother)
            {
                if (time.GetElapsedTime(started) >= timeout)
                {
                    throw new TimeoutException(
                        $"The data folder '{dataFolder}' is in use by {Holder(dataFolder)}, and was not given up within {timeout}. "
                        + "The embedded store belongs to one process: stop the other one, give this one another SessionActors:DataFolder, "
                        + "or set SessionActors:Redis, which any number of processes share.",
                        e);
                }
            }

            if (file is not null)
            {
                var held = new DataFolderLock(file);
                held.WritePid(dataFolder);
                return held;
            }

            await Task.Delay(RetryTime, time, cancellationToken);
        }
    }

    public void Dispose() => _file.Dispose();

    private void WritePid(string dataFolder)
    {
        try
        {
            File.WriteAllText(PidPath(dataFolder), Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    private static string PidPath(string dataFolder) => Path.Combine(dataFolder, "sessions.pid");

    private static string Holder(string dataFolder)
    {
        try
        {
            var id = int.Parse(File.ReadAllText(PidPath(dataFolder)), CultureInfo.InvariantCulture);
            using var process = Process.GetProcessById(id);
            return $"process {id} ({process.ProcessName})";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException or OverflowException
            or ArgumentException or InvalidOperationException)
        {
            // It may run in another container or have ended just now: the message does without its name.
            return "another process";
        }
    }
}
