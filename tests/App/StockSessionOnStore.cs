using Microsoft.AspNetCore.DataProtection;

namespace SessionActors.TestApp;

/// <summary>An application that keeps ASP.NET Core's own session, cookie and middleware, with its sessions in grains.</summary>
internal static class StockSessionOnStore
{
    public static void RunStockOnStore(this WebApplicationBuilder builder)
    {
        var settings = builder.Configuration;
        if (!settings.GetValue<bool>("WithoutSilo"))
        {
            builder.AddSessionSilo();
        }

        builder.Services.AddDataProtection().SetApplicationName("shop").PersistKeysToFileSystem(new DirectoryInfo(settings["OldKeys"]!));
        if (settings.GetValue<bool>("StoreLast"))
        {
            builder.Services.AddSession().AddActorSessionStore();
        }
        else
        {
            builder.Services.AddActorSessionStore().AddSession();
        }

        builder.Services.Configure<SessionOptions>(options =>
        {
            options.IdleTimeout = TimeSpan.FromMinutes(7);
            options.IOTimeout = TimeSpan.FromSeconds(settings.GetValue("OldIOSeconds", 60));
        });
        builder.Services.AddSingleton<Gates>();
        var app = builder.Build();
        // The middleware commits when the endpoint has ended: so its answers wait for that.
        app.Use(WithoutHasteAsync);
        app.UseSession();
        if (!settings.GetValue<bool>("LooksSynchronously"))
        {
            app.UseActorSessionStore();
        }

        app.MapGet("/id", (HttpContext http) => http.Session.Id);
        app.MapGet("/available", (HttpContext http) => $"{http.Session.IsAvailable}");
        app.MapGet("/keys", (HttpContext http) => string.Join(' ', http.Session.Keys.Order(StringComparer.Ordinal)));
        app.MapGet("/get/{name}", (HttpContext http, string name) => http.Session.GetString(name) ?? "-");
        app.MapGet("/number/{name}", (HttpContext http, string name) => $"{http.Session.GetInt32(name)}");
        app.MapGet("/set/{name}/{value}", (HttpContext http, string name, string value) => http.Session.SetString(name, value));
        app.MapGet("/set-number/{name}/{value:int}", (HttpContext http, string name, int value) => http.Session.SetInt32(name, value));
        app.MapGet("/remove/{name}", (HttpContext http, string name) => http.Session.Remove(name));
        app.MapGet("/clear", (HttpContext http) => http.Session.Clear());
        app.MapGet("/not-looked-at", () => "");
        app.MapGet("/load", (HttpContext http) => http.Session.LoadAsync());
        app.MapGet("/slow/{gate}/{what}", async (HttpContext http, Gates gates, string gate, string what, string name, string value) =>
        {
            await http.Session.LoadAsync();
            await gates.PassAsync(gate, http.RequestAborted);
            http.Session.SetString(name, value);
            if (what == "commit")
            {
                await http.Session.CommitAsync();
            }
        });
        app.MapGet("/end", (HttpContext http, IGrainFactory grains) => grains.GetGrain<ISessionGrain>(http.Session.Id).DestroyAsync());
        app.MapGet("/hurry/{seconds:int}", (HttpContext http, IGrainFactory grains, int seconds) => grains.GetGrain<ISessionGrain>(
            http.Session.Id).CommitAsync(SessionDelta.Empty.WithTtl(TimeSpan.FromSeconds(seconds))));
        app.MapGet("/gates/{gate}/arrived", (HttpContext http, Gates gates, string gate) => gates.ArrivedAsync(gate, http.RequestAborted));
        app.MapGet("/gates/{gate}/open", (Gates gates, string gate) => gates.Open(gate));
        app.Run();
    }

    private static async Task WithoutHasteAsync(HttpContext http, RequestDelegate next)
    {
        var body = http.Response.Body;
        using var page = new MemoryStream();
        http.Response.Body = page;
        try
        {
            await next(http);
        }
        finally
        {
            http.Response.Body = body;
        }

        await body.WriteAsync(page.ToArray());
    }
}
