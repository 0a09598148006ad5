using Microsoft.AspNetCore.Mvc;

namespace SessionActors.TestApp;

/// <summary>MVC's TempData over the session: written in <c>Response.OnStarting</c>.</summary>
[Route("temp")]
public sealed class TempController(Gates gates) : Controller
{
    [HttpGet("put/{value}")]
    public IActionResult Put(string value)
    {
        TempData["message"] = value;
        return RedirectToAction(nameof(Take));
    }

    [HttpGet("take")]
    public IActionResult Take() => Content(TempData["message"] as string ?? "-");

    [HttpGet("take-at/{gate}")]
    public async Task<IActionResult> TakeAt(string gate)
    {
        await gates.PassAsync(gate, HttpContext.RequestAborted);
        return Take();
    }

    [HttpGet("peek")]
    public IActionResult Peek() => Content(TempData.Peek("message") as string ?? "-");

    [HttpGet("keep")]
    public IActionResult Keep()
    {
        var message = TempData["message"] as string ?? "-";
        TempData.Keep("message");
        return Content(message);
    }

    /// <summary>Peeks at one message and puts another beside it.</summary>
    [HttpGet("mixed")]
    public IActionResult Mixed()
    {
        TempData["other"] = "new";
        return Content(TempData.Peek("message") as string ?? "-");
    }

    [HttpGet("take-other")]
    public IActionResult TakeOther() => Content(TempData["other"] as string ?? "-");

    [HttpGet("untouched")]
    public IActionResult Untouched() => Content("untouched");

    /// <summary>Reads the property as any code may, and leaves it where it is.</summary>
    [HttpGet("glance")]
    public IActionResult Glance() =>
        Content(HttpContext.Session.TryGetValue("__ControllerTempData", out var value) ? $"{value.Length > 0}" : "-");

    [HttpGet("glance-read-only")]
    [SessionAccess(SessionAccess.ReadOnly)]
    public IActionResult GlanceReadOnly() => Glance();
}
