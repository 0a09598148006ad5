namespace SessionActors;

/// <summary>
/// The options of a silo that <c>AddSessionSilo</c> sets up, read from the configuration section <c>SessionActors</c> beside
/// <see cref="SessionActorsOptions"/>. All of them are checked when the host starts.
/// </summary>
public sealed class SessionSiloOptions
{
    /// <summary>
    /// The folder of the embedded store; relative to the application's content root. Default <c>App_Data/sessions</c>;
    /// <c>:memory:</c> keeps nothing, for tests. One process at a time can use a folder. Not used with Redis.
    /// </summary>
    public string DataFolder { get; set; } = "App_Data/sessions";

    /// <summary>
    /// The cluster this silo joins. Default null: derived from <see cref="SessionActorsOptions.KeyPrefix"/>, <c>session</c> for
    /// <c>session:</c>. Clients must have the same.
    /// </summary>
    public string? ClusterId { get; set; }

    /// <summary>
    /// The Orleans service that the cluster runs, the same for all clusters of one service. Default null: derived from
    /// <see cref="SessionActorsOptions.KeyPrefix"/>, whatever <see cref="ClusterId"/> is. Clients must have the same.
    /// </summary>
    public string? ServiceId { get; set; }

    /// <summary>
    /// The port other silos reach this one at. Default null: any free one on loopback, 11111 on any other <see cref="AdvertisedAddress"/>.
    /// </summary>
    public int? SiloPort { get; set; }

    /// <summary>
    /// The port clients reach this silo at. Default null: any free one on loopback, 30000 on any other <see cref="AdvertisedAddress"/>.
    /// </summary>
    public int? GatewayPort { get; set; }

    /// <summary>
    /// The IP address that the silo listens at and tells others. Default <c>127.0.0.1</c>. Any address that is not loopback needs
    /// <see cref="AllowUnprotectedNetwork"/>.
    /// </summary>
    public string AdvertisedAddress { get; set; } = "127.0.0.1";

    /// <summary>
    /// Says that the network of <see cref="AdvertisedAddress"/> is private. Default false. The silo's ports ask for no password and know
    /// nothing of cookies: whoever reaches them reads and changes every session.
    /// </summary>
    public bool AllowUnprotectedNetwork { get; set; }
}
