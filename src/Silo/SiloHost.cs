namespace SessionActors;

/// <summary>A silo that runs alone: the sessions' actors for web servers that are only clients.</summary>
internal static class SiloHost
{
    public static async Task Main(string[] args)
    {
        var builder = WebApplication.CreateBuilder(args);
        builder.AddSessionSilo();
        var app = builder.Build();
        app.MapSessionHealth();
        await app.RunAsync();
    }
}
