using Microsoft.Extensions.Options;
using SessionActors;
using SessionActors.Cart;

var builder = WebApplication.CreateBuilder(args);
builder.AddSessionSilo();
builder.Services.AddActorSession();

var app = builder.Build();
app.UseActorSession();
app.MapSessionHealth();

app.MapGet("/", async (HttpContext http) =>
{
    var session = http.GetActorSession();
    var visits = await session.IncrementAsync("visits");
    return Results.Content(ShopPage.Render(session, visits), "text/html; charset=utf-8");
});

// Each article is a property of its own, and an increment is atomic: tabs that add at the same time all keep what they added.
app.MapPost("/cart/{sku}/more", async (HttpContext http, string sku) =>
{
    if (Article.Find(sku) is null)
    {
        return Results.NotFound($"There is no article '{sku}'.");
    }

    await http.GetActorSession().IncrementAsync(Article.Property(sku));
    return Results.Redirect("/");
});

// What reads, computes and then sets or removes has the session to itself meanwhile.
app.MapPost("/cart/{sku}/less", (HttpContext http, string sku) =>
{
    Article.TakeOneOut(http.Session, sku);
    return Results.Redirect("/");
}).WithSessionAccess(SessionAccess.Exclusive);

app.MapPost("/cart/{sku}/remove", (HttpContext http, string sku) =>
{
    http.Session.Remove(Article.Property(sku));
    return Results.Redirect("/");
});

app.MapPost("/note", async (HttpContext http) =>
{
    var form = await http.Request.ReadFormAsync();
    http.Session.SetString("note", form["note"].ToString());
    return Results.Redirect("/");
});

app.MapPost("/logout", async (HttpContext http) =>
{
    await http.GetActorSession().DestroyAsync();
    return Results.Redirect("/");
});

try
{
    await app.RunAsync();
    return 0;
}
catch (Exception e) when (e is OptionsValidationException or InvalidOperationException or IOException or TimeoutException)
{
    // What stops the start says what is wrong and how to mend it; a stack trace would hide that.
    await Console.Error.WriteLineAsync($"fail: {e.Message}");
    return 1;
}
