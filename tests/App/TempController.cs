using Microsoft.AspNetCore.Mvc;

namespace SessionActors.TestApp;

/// <summary>MVC's TempData over the session: written in <c>Response.OnStarting</c>.</summary>
[Route("temp")]
public sealed class TempController : Controller
{
    [HttpGet("put/{value}")]
    public IActionResult Put(string value)
    {
        TempData["message"] = value;
        return RedirectToAction(nameof(Take));
    }

    [HttpGet("take")]
    public IActionResult Take() => Content(TempData["message"] as string ?? "-");
}
