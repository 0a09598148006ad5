using System.Globalization;
using System.Text.Encodings.Web;

namespace SessionActors.Cart;

/// <summary>The shop's only page: the shelf, the cart, and the session they live in.</summary>
internal static class ShopPage
{
    private const string Style =
        """
        :root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 15%, transparent); --accent: #0a7d62; }
        body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1.5rem; }
        h1 { margin: 0 0 .25rem; } h2 { margin: 0 0 .75rem; font-size: 1.1rem; } p { margin: .25rem 0 1rem; }
        main { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(18rem, 100%), 1fr)); gap: 1.5rem; align-items: start; }
        section, footer { border: 1px solid var(--line); border-radius: .75rem; padding: 1.25rem; }
        footer { margin-top: 1.5rem; font-size: .9rem; }
        ul { list-style: none; margin: 0; padding: 0; }
        li { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; padding: .4rem 0; border-bottom: 1px solid var(--line); }
        li span:nth-of-type(2) { flex: 1; } form { display: inline; margin: 0; }
        button { font: inherit; border: 1px solid var(--line); border-radius: .5rem; padding: .15rem .7rem; background: none; }
        button.main { background: var(--accent); border-color: var(--accent); color: #fff; }
        button:hover { border-color: var(--accent); }
        input { font: inherit; width: 60%; padding: .15rem .5rem; }
        .total { font-weight: 600; text-align: right; margin: .75rem 0; } code { user-select: all; word-break: break-all; }
        """;

    public static string Render(IActorSession session, long visits)
    {
        var shelf = string.Concat(Article.All.Select(a =>
            $"<li><span>{a.Picture}</span><span>{Text(a.Name)}</span><span>{Money(a.Price)}</span>"
            + Button($"/cart/{a.Sku}/more", "Add", "main") + "</li>"));
        var lines = Article.All.Select(a => (Article: a, Count: session.GetInt32(Article.Property(a.Sku)) ?? 0))
            .Where(l => l.Count > 0).ToList();
        var cart = lines.Count == 0 ? "<p>Nothing yet.</p>" : "<ul>" + string.Concat(lines.Select(l =>
            $"<li><span>{l.Article.Picture}</span><span>{Text(l.Article.Name)}</span>"
            + Button($"/cart/{l.Article.Sku}/less", "−") + $"<b id=\"{l.Article.Sku}\">{l.Count}</b>"
            + Button($"/cart/{l.Article.Sku}/more", "+") + Button($"/cart/{l.Article.Sku}/remove", "Remove") + "</li>")) + "</ul>";
        return $$"""
            <!doctype html>
            <html lang="en">
            <head>
              <meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
              <title>The tea shop</title><link rel="icon" href="data:,"><style>{{Style}}</style>
            </head>
            <body>
              <h1>The tea shop</h1>
              <p>Visit <b id="visits">{{visits}}</b> of this session. Add something else in a second tab: both tabs keep theirs.</p>
              <main>
                <section><h2>On the shelf</h2><ul>{{shelf}}</ul></section>
                <section>
                  <h2>Your cart</h2>{{cart}}
                  <p class="total">Total <span id="total">{{Money(lines.Sum(l => l.Count * l.Article.Price))}}</span></p>
                  <form method="post" action="/note">
                    <input name="note" maxlength="200" placeholder="A note to the shop" value="{{Text(session.GetString("note") ?? "")}}">
                    <button>Keep</button>
                  </form>
                </section>
              </main>
              <footer>
                Session <code id="session">{{session.Handle}}</code>, version {{session.Version}}.
                From another service: <code>dotnet run --project samples/Backoffice -- show {{session.Handle}}</code>
                <p></p>{{Button("/logout", "Log out: end this session")}}
              </footer>
            </body>
            </html>
            """;
    }

    private static string Button(string action, string text, string kind = "") =>
        $"<form method=\"post\" action=\"{action}\"><button class=\"{kind}\">{text}</button></form>";

    private static string Money(decimal amount) => amount.ToString("0.00 €", CultureInfo.InvariantCulture);

    private static string Text(string text) => HtmlEncoder.Default.Encode(text);
}
