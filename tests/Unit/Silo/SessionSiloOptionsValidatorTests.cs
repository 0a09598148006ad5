using Microsoft.Extensions.Options;

namespace SessionActors.UnitTests.Silo;

public sealed class SessionSiloOptionsValidatorTests
{
    [Fact]
    public void The_defaults_are_valid() => Assert.True(Check(_ => { }).Succeeded);

    public static TheoryData<string, Action<SessionSiloOptions>> OutOfRange => new()
    {
        { "SessionActors:DataFolder = ''", o => o.DataFolder = "" },
        { "SessionActors:ClusterId = 'a b'", o => o.ClusterId = "a b" },
        { "SessionActors:ServiceId = ''", o => o.ServiceId = "" },
        { "SessionActors:SiloPort = '0'", o => o.SiloPort = 0 },
        { "SessionActors:GatewayPort = '65536'", o => o.GatewayPort = 65_536 },
        { "SessionActors:SiloPort = '11111' and SessionActors:GatewayPort = '11111'", o => o.SiloPort = o.GatewayPort = 11_111 },
        { "SessionActors:AdvertisedAddress = 'localhost'", o => o.AdvertisedAddress = "localhost" },
        { "SessionActors:AdvertisedAddress = '0.0.0.0'", o => o.AdvertisedAddress = "0.0.0.0" },
        { "SessionActors:AllowUnprotectedNetwork=true", o => o.AdvertisedAddress = "10.0.0.5" },
    };

    [Theory]
    [MemberData(nameof(OutOfRange))]
    public void An_option_out_of_range_is_refused_by_its_path_and_value(string said, Action<SessionSiloOptions> change) =>
        Assert.Contains(said, Assert.Single(Check(change).Failures!), StringComparison.Ordinal);

    [Fact]
    public void Another_address_is_accepted_once_its_network_is_said_to_be_private() => Assert.True(Check(o =>
    {
        o.AdvertisedAddress = "10.0.0.5";
        o.AllowUnprotectedNetwork = true;
    }).Succeeded);

    private static ValidateOptionsResult Check(Action<SessionSiloOptions> change)
    {
        var options = new SessionSiloOptions();
        change(options);
        return new SessionSiloOptionsValidator(Options.Create(options)).Validate(null, new SessionActorsOptions());
    }
}
