using Orleans.Storage;

namespace SessionActors;

/// <summary>
/// The list of a user's sessions: one value in the store while they are few, and beyond that a tree of pages, so that a sign-in writes one
/// page however many sessions there are. A page that is full is split by the next hexadecimal digit of its handles, which are random.
/// <para>
/// A page is read when it is needed, and those that were needed last are remembered. Two activations that write the same page find out by
/// its etag.
/// </para>
/// </summary>
internal sealed class UserSessionPages(GrainId user, IGrainStorage storage, TimeProvider time)
{
    // Often enough for what is kept for so many days.
    private static readonly TimeSpan RenewedWithin = TimeSpan.FromDays(1);

    /// <summary>The Orleans storage that keeps the pages.</summary>
    public const string StorageName = "SessionActors.Users";

    /// <summary>
    /// How long a page is kept that is not written: as long as none of its sessions, nor of the pages below it, is used, and nobody signs
    /// in. One that is used later
    /// comes back to the list. Marks are kept for ever: what has ended must not come back.
    /// </summary>
    public static readonly TimeSpan KeptUnused = TimeSpan.FromDays(30);

    /// <summary>The name of the state that the first page is; the others have their digits behind it.</summary>
    public const string StateName = "usersessions";

    /// <summary>About 10 KB.</summary>
    public const int MostInPage = 64;

    private const int MostRemembered = 64;
    private const string Digits = "0123456789abcdef";

    private readonly Dictionary<string, Page> _pages = [];

    /// <summary>Whether a text can be the name of a page.</summary>
    public static bool IsPath(string text) => text.Length <= 2 * SessionHandle.ByteLength && text.All(Digits.Contains);

    /// <summary>The first page that holds sessions, after another one or from the beginning; null where there is none.</summary>
    public async Task<string?> NextAsync(string? after)
    {
        var path = after is null ? "" : Following(after);
        while (path is not null)
        {
            if (!(await PageAsync(path)).Content.IsSplit)
            {
                return path;
            }

            path += Digits[0];
        }

        return null;
    }

    /// <summary>Reads everything anew.</summary>
    public void Forget() => _pages.Clear();

    /// <summary>What is on a page.</summary>
    public async Task<IReadOnlyList<UserSessionEntry>> ReadAsync(string path) => (await PageAsync(path)).Content.Entries;

    /// <summary>What is known of a session; null where nothing is.</summary>
    public async Task<UserSessionEntry?> FindAsync(SessionHandle session)
    {
        var (_, page) = await LeafAsync(session);
        return page.Content.Entries.FirstOrDefault(entry => entry.Session == session.ToString());
    }

    /// <summary>Adds a session, or replaces what is known of it.</summary>
    /// <param name="entry">The session.</param>
    /// <param name="isOver">Which of those on the same page have ended and go.</param>
    public async Task SetAsync(UserSessionEntry entry, Func<UserSessionEntry, bool> isOver)
    {
        var (path, page) = await LeafAsync(SessionHandle.Parse(entry.Session));
        await WriteAsync(path, page, [.. page.Content.Entries.Where(other => other.Session != entry.Session && !isOver(other)), entry]);
    }

    /// <summary>Takes those off a page that have ended.</summary>
    public async Task RemoveAsync(string path, Func<UserSessionEntry, bool> isOver)
    {
        var page = await PageAsync(path);
        if (page.Content.Entries.Any(isOver))
        {
            await WriteAsync(path, page, [.. page.Content.Entries.Where(entry => !isOver(entry))]);
        }
    }

    /// <summary>Takes a session off the list.</summary>
    public async Task RemoveAsync(SessionHandle session)
    {
        var (path, _) = await LeafAsync(session);
        await RemoveAsync(path, entry => entry.Session == session.ToString());
    }

    private async Task WriteAsync(string path, Page page, UserSessionEntry[] entries)
    {
        if (entries.Length > MostInPage)
        {
            // The new pages first: until this one says so nobody looks at them, and the next try writes them again.
            foreach (var part in entries.GroupBy(entry => DigitOf(SessionHandle.Parse(entry.Session), path.Length)))
            {
                await WriteAsync(path + part.Key, await PageAsync(path + part.Key), [.. part]);
            }

            await StoreAsync(path, page, new UserSessionsPageState { IsSplit = true });
        }
        else
        {
            await RenewAboveAsync(path);
            await StoreAsync(path, page, new UserSessionsPageState { Entries = [.. entries] });
        }
    }

    // The signs that there are pages below are kept as long as these are.
    private async Task RenewAboveAsync(string path)
    {
        for (var length = 0; length < path.Length; length++)
        {
            var above = await PageAsync(path[..length]);
            if (above.Content.IsSplit && (above.WrittenAt is not { } writtenAt || time.GetElapsedTime(writtenAt) > RenewedWithin))
            {
                await StoreAsync(path[..length], above, above.Content);
            }
        }
    }

    private async Task StoreAsync(string path, Page page, UserSessionsPageState next)
    {
        var before = page.Stored.State;
        try
        {
            page.Stored.State = next;
            await (next is { IsSplit: false, Entries: [] }
                ? storage.ClearStateAsync(StateName + path, user, page.Stored)
                : storage.WriteStateAsync(StateName + path, user, page.Stored));
            page.WrittenAt = time.GetTimestamp();
            // It may have been forgotten meanwhile, and read again as it was before.
            _pages[path] = page;
        }
        catch
        {
            // What is stored is read again.
            page.Stored.State = before;
            _pages.Remove(path);
            throw;
        }
    }

    private async Task<(string Path, Page Page)> LeafAsync(SessionHandle session)
    {
        var path = "";
        while (true)
        {
            var page = await PageAsync(path);
            if (!page.Content.IsSplit)
            {
                return (path, page);
            }

            path += DigitOf(session, path.Length);
        }
    }

    private async ValueTask<Page> PageAsync(string path)
    {
        if (_pages.TryGetValue(path, out var known))
        {
            return known;
        }

        if (_pages.Count >= MostRemembered)
        {
            _pages.Clear();
        }

        var page = new Page(new GrainState<UserSessionsPageState>());
        await storage.ReadStateAsync(StateName + path, user, page.Stored);
        return _pages[path] = page;
    }

    // The next page in the order of the digits that is not below this one.
    private static string? Following(string path)
    {
        while (path.Length > 0)
        {
            var digit = Digits.IndexOf(path[^1], StringComparison.Ordinal);
            if (digit < Digits.Length - 1)
            {
                return path[..^1] + Digits[digit + 1];
            }

            path = path[..^1];
        }

        return null;
    }

    private static char DigitOf(SessionHandle session, int place)
    {
        Span<byte> bytes = stackalloc byte[SessionHandle.ByteLength];
        session.CopyTo(bytes);
        return Digits[place % 2 == 0 ? bytes[place / 2] >> 4 : bytes[place / 2] & 15];
    }

    /// <summary>A page as it was read or written last.</summary>
    private sealed record Page(GrainState<UserSessionsPageState> Stored)
    {
        private static readonly UserSessionsPageState Empty = new();

        /// <summary>When it was written last, by this activation.</summary>
        public long? WrittenAt { get; set; }

        public UserSessionsPageState Content => Stored.State ?? Empty;
    }
}
