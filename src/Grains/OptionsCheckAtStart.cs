using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace SessionActors;

/// <summary>
/// Checks everything that is to be checked when the host starts (<c>ValidateOnStart</c>), ours or not, as soon as it is made. The host does
/// the same, but makes its hosted services first; the silo reads options while it is made, and would tell what is wrong with those alone.
/// </summary>
internal sealed class OptionsCheckAtStart : IHostedService
{
    public OptionsCheckAtStart(IStartupValidator options) => options.Validate();

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
