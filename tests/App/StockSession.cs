using Microsoft.AspNetCore.DataProtection;

namespace SessionActors.TestApp;

/// <summary>
/// The application as it was before: ASP.NET Core's own session on a Redis cache, with keys of Data Protection in a folder. And what of it
/// the application keeps when its sessions are brought over.
/// </summary>
internal static class StockSession
{
    private const string Seconds = "OldIdleSeconds";

    public static void RunStock(this WebApplicationBuilder builder)
    {
        builder.AddStockCache();
        builder.Services.AddSession(options =>
        {
            options.Cookie.Name = builder.Configuration["OldCookie"] ?? options.Cookie.Name;
            options.IdleTimeout = TimeSpan.FromSeconds(builder.Configuration.GetValue(Seconds, 1200));
        });
        var app = builder.Build();
        app.UseSession();
        app.MapGet("/set/{name}/{value}", (HttpContext http, string name, string value) => http.Session.SetString(name, value));
        app.MapGet("/set-number/{name}/{value:int}", (HttpContext http, string name, int value) => http.Session.SetInt32(name, value));
        app.MapGet("/large/{bytes:int}", (HttpContext http, int bytes) => http.Session.Set("large", new byte[bytes]));
        app.MapGet("/get/{name}", (HttpContext http, string name) => http.Session.GetString(name) ?? "-");
        app.Run();
    }

    public static void AddImport(this WebApplicationBuilder builder)
    {
        builder.AddStockCache();
        builder.Services.AddActorSession(options =>
        {
            options.ImportFrom = new SessionImportOptions();
            options.ImportFrom.Cookie.Name = builder.Configuration["OldCookie"] ?? options.ImportFrom.Cookie.Name;
        });
    }

    private static void AddStockCache(this WebApplicationBuilder builder)
    {
        builder.Services.AddStackExchangeRedisCache(options =>
            (options.Configuration, options.InstanceName) = (builder.Configuration["OldRedis"], "old:"));
        builder.Services.AddDataProtection().SetApplicationName("shop")
            .PersistKeysToFileSystem(new DirectoryInfo(builder.Configuration["OldKeys"]!));
    }
}
