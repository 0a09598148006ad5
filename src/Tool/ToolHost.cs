using System.CommandLine;

namespace SessionActors;

/// <summary>The command <c>sessionactors</c>: what it is asked goes to standard output, what went wrong to standard error.</summary>
internal static class ToolHost
{
    public static async Task<int> Main(string[] args)
    {
        // A user's id may begin with '@', which would name a file of arguments; a handle with '-', which would be a bundle of options.
        var asked = ToolCommands.Create().Parse(
            args, new ParserConfiguration { EnablePosixBundling = false, ResponseFileTokenReplacer = null });
        try
        {
            if (asked.Errors.Count > 0)
            {
                throw new ToolException(
                    ExitCode.Usage, string.Join('\n', asked.Errors.Select(error => error.Message)) + "\n'sessionactors --help' says more.");
            }

            return await asked.InvokeAsync(
                new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
        }
        catch (ToolException e)
        {
            await Console.Error.WriteLineAsync(e.Message);
            return (int)e.ExitCode;
        }
    }
}
