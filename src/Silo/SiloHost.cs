using Microsoft.Extensions.Options;

namespace SessionActors;

/// <summary>A silo that runs alone: the sessions' actors for web servers that are only clients.</summary>
internal static class SiloHost
{
    public static async Task<int> Main(string[] args)
    {
        var builder = WebApplication.CreateBuilder(args);
        builder.AddSessionSilo();
        if (SiloExport.IsAskedFor(builder.Configuration))
        {
            SiloExport.Add(builder);
        }

        var app = builder.Build();
        app.MapSessionHealth();
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
    }
}
