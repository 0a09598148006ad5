using System.Diagnostics;
using Microsoft.AspNetCore.DataProtection;

namespace SessionActors.RaceLab;

/// <summary>
/// The shop, on ASP.NET Core's own session or on SessionActors. All endpoints but the log-out are the same code for both: the standard
/// <see cref="ISession"/>.
/// </summary>
internal static class Shop
{
    public const string Item = "item:";

    // What a session of some age holds besides: addresses, preferences, what was looked at last.
    private const int ProfileLength = 4096;

    public static async Task RunAsync(bool stock, string[] args)
    {
        EndWithTheLab();
        var builder = WebApplication.CreateBuilder(args);
        if (stock)
        {
            builder.Services.AddStackExchangeRedisCache(options => options.Configuration = builder.Configuration["SessionActors:Redis"]);
            builder.Services.AddSession();
            // The cookie's keys are of no use to anybody after the lab.
            builder.Services.AddDataProtection().UseEphemeralDataProtectionProvider();
        }
        else
        {
            builder.AddSessionSilo();
            builder.Services.AddActorSession();
        }

        var app = builder.Build();
        _ = stock ? app.UseSession() : app.UseActorSession();
        // Without it ASP.NET Core's session would be loaded by a call that blocks the thread; nothing to do for SessionActors.
        app.Use(async (http, next) =>
        {
            await http.Session.LoadAsync(http.RequestAborted);
            await next();
        });

        app.MapPost("/log-in/{user}", (HttpContext http, string user) =>
        {
            http.Session.SetString("user", user);
            http.Session.SetString("profile", new string('.', ProfileLength));
        });
        app.MapGet("/user", (HttpContext http) => Results.Json(http.Session.GetString("user") ?? ""));
        app.MapPost("/cart/{article}", (HttpContext http, string article) =>
            http.Session.SetInt32(Item + article, (http.Session.GetInt32(Item + article) ?? 0) + 1));
        app.MapGet("/cart", (HttpContext http) =>
            Results.Json(http.Session.Keys.Where(key => key.StartsWith(Item, StringComparison.Ordinal)).Select(key => key[Item.Length..])));
        // Takes as long as the browser takes to send it.
        app.MapPost("/photo", async (HttpContext http) =>
        {
            await http.Request.Body.CopyToAsync(Stream.Null, http.RequestAborted);
            http.Session.SetString("photo", "kept");
        });
        app.MapPost("/log-out", (HttpContext http) =>
        {
            if (stock)
            {
                http.Session.Clear();
                return Task.CompletedTask;
            }

            return http.GetActorSession().DestroyAsync();
        });
        await app.RunAsync();
    }

    // Standard input is a pipe whose other end only the lab has, so it ends with the lab, also with one that is killed.
    private static void EndWithTheLab() => new Thread(() =>
    {
        _ = Console.In.ReadToEnd();
        Process.GetCurrentProcess().Kill();
    }) { IsBackground = true }.Start();
}
