using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace SessionActors;

/// <summary>
/// Checks everything that is to be checked when the host starts (<c>ValidateOnStart</c>), ours or not, as soon as it is made. The host does
/// the same, but makes its hosted services first; the silo reads options while it is made, and would tell what is wrong with those alone.
/// </summary>
internal sealed class OptionsCheckAtStart : IHostedService
{
    /// <exception cref="OptionsValidationException">Options are wrong. The message says all that is.</exception>
    public OptionsCheckAtStart(IStartupValidator options)
    {
        try
        {
            options.Validate();
        }
        catch (AggregateException e) when (e.InnerExceptions.All(inner => inner is OptionsValidationException))
        {
            var wrong = e.InnerExceptions.Cast<OptionsValidationException>().ToList();
            throw new OptionsValidationException(wrong[0].OptionsName, wrong[0].OptionsType, wrong.SelectMany(inner => inner.Failures));
        }
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
