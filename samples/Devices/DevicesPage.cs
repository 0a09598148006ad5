using System.Globalization;
using System.Text.Encodings.Web;

namespace SessionActors.Devices;

/// <summary>A session of the user's.</summary>
/// <param name="Session">What is known of it.</param>
/// <param name="IsThis">Whether it is the one that looks.</param>
internal sealed record Device(UserSession Session, bool IsThis);

/// <summary>The only page: a log-in, or where one is logged in.</summary>
internal static class DevicesPage
{
    private const string Style =
        """
        :root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 15%, transparent); --accent: #0a7d62; }
        body { font: 16px/1.5 system-ui, sans-serif; max-width: 44rem; margin: 0 auto; padding: 1.5rem; }
        h1 { margin: 0 0 .25rem; } p { margin: .25rem 0 1rem; }
        section { border: 1px solid var(--line); border-radius: .75rem; padding: 1.25rem; margin-bottom: 1rem; }
        ul { list-style: none; margin: 0 0 1rem; padding: 0; }
        li { display: flex; gap: 1rem; align-items: center; padding: .6rem 0; border-bottom: 1px solid var(--line); }
        li div { flex: 1; } small { display: block; opacity: .7; } form { display: inline; margin: 0; }
        button { font: inherit; border: 1px solid var(--line); border-radius: .5rem; padding: .15rem .7rem; background: none; }
        button.main { background: var(--accent); border-color: var(--accent); color: #fff; } button:hover { border-color: var(--accent); }
        input { font: inherit; padding: .15rem .5rem; border: 1px solid var(--line); border-radius: .5rem; }
        #over { border-color: #b3261e; } #over[hidden] { display: none; }
        """;

    private const string Script =
        """
        const live = new EventSource('/live');
        live.addEventListener('session', event => {
          if (event.data !== '') {
            live.close();
            clearInterval(looking);
            document.getElementById('in').hidden = true;
            document.getElementById('over').hidden = false;
            document.getElementById('reason').textContent = event.data;
          }
        });
        const looking = setInterval(async () => {
          const response = await fetch('/devices/', { redirect: 'error' }).catch(() => null);
          if (response?.ok) {
            document.getElementById('devices').innerHTML = await response.text();
          }
        }, 2000);
        """;

    public static string Render(string? user, long visits, IReadOnlyList<Device> devices) => $$"""
        <!doctype html>
        <html lang="en">
        <head>
          <meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
          <title>Where you are logged in</title><link rel="icon" href="data:,"><style>{{Style}}</style>
        </head>
        <body>
          <h1>Where you are logged in</h1>
          {{(user is null ? LogIn : LoggedIn(user, devices))}}
          <p>Visit <b id="visits">{{visits}}</b> of this session.</p>
        </body>
        </html>
        """;

    public static string List(IReadOnlyList<Device> devices) => string.Concat(devices.Select(device =>
        $"<li><div>{Text(NameOf(device.Session.Device ?? ""))}{(device.IsThis ? " <b>(this one)</b>" : "")}"
        + $"<small>{Text(device.Session.Address ?? "")}, since {Time(device.Session.BoundAt)}, last seen {Time(device.Session.SeenAt)}"
        + "</small></div>"
        + $"<form method=\"post\" action=\"/devices/{device.Session.Handle}/end\"><button>End</button></form></li>"));

    private const string LogIn =
        """
        <p>Log in with the same name in two browsers, or in a private window beside this one.</p>
        <section>
          <form method="post" action="/log-in">
            <input name="name" maxlength="40" required autofocus placeholder="Any name"> <button class="main">Log in</button>
          </form>
        </section>
        """;

    private static string LoggedIn(string user, IReadOnlyList<Device> devices) => $"""
        <section id="over" hidden>
          <p>This session has ended: <b id="reason"></b>. Nothing was asked for; the page was told.</p>
          <form action="/"><button class="main">Log in again</button></form>
        </section>
        <section id="in">
          <p>You are <b id="user">{Text(user)}</b>. Open this page in a second tab, and end the session in the first.</p>
          <ul id="devices">{List(devices)}</ul>
          <form method="post" action="/devices/end-others"><button>End all others</button></form>
          <form method="post" action="/log-out"><button id="log-out">Log out</button></form>
        </section>
        <script>{Script}</script>
        """;

    // What a browser says of itself names many others; the first of these is meant.
    private static string NameOf(string userAgent)
    {
        var browser = Array.Find(["Edg", "Firefox", "Chrome", "Safari"], userAgent.Contains) ?? "A browser";
        var system = Array.Find(["iPhone", "iPad", "Android", "Windows", "Mac OS", "Linux"], userAgent.Contains);
        return (browser == "Edg" ? "Edge" : browser) + (system is null ? "" : $" on {system}");
    }

    private static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("HH:mm:ss 'UTC'", CultureInfo.InvariantCulture);

    private static string Text(string text) => HtmlEncoder.Default.Encode(text);
}
