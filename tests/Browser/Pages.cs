using PuppeteerSharp;

namespace SessionActors;

/// <summary>What is done with a page, and seen on it.</summary>
internal static class Pages
{
    /// <summary>Clicks what leads to another page. Not by the mouse, which waits for a tab in the background to be painted.</summary>
    public static async Task ClickAsync(IPage page, string element)
    {
        var navigated = page.WaitForNavigationAsync();
        await page.EvaluateExpressionAsync($"{element}.click()");
        await navigated;
    }

    public static Task<string> TextAsync(IPage page, string expression) => page.EvaluateExpressionAsync<string>(expression);

    public static Task SeesAsync(IPage page, string expression) => Until.TrueAsync(
        async () =>
        {
            try
            {
                return await page.EvaluateExpressionAsync<bool>($"Boolean({expression})");
            }
            catch (EvaluationFailedException e) when (e.Message.Contains("context was destroyed", StringComparison.Ordinal))
            {
                // It goes to another page just now.
                return false;
            }
        },
        $"the page says {expression}");
}
