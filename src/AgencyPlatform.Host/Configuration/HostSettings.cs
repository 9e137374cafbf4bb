using System.Net;
using AgencyPlatform.Gateway;
using AgencyPlatform.Grains.Webhooks;
using AgencyPlatform.Storage;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace AgencyPlatform.Host.Configuration;

/// <summary>
/// What the host is told: the section <c>AgencyPlatform</c> of appsettings, of the environment (<c>AGENCYPLATFORM__LISTEN__GRPCPORT</c>) and of the
/// command line (<c>--set Listen:GrpcPort=6081</c>), later ones winning. The table of docs/operations.md is checked against <see cref="Known"/>.
/// </summary>
public sealed record HostSettings
{
    public const string Section = "AgencyPlatform";

    /// <summary>Every setting: its key under the section, its default as shown, what it means.</summary>
    public static IReadOnlyList<(string Key, string Default, string Meaning)> Known { get; } =
    [
        ("Role", "all", "`all`: API and grains in one process. `silo`: grains only. `gateway`: API only; needs PostgreSQL and silos."),
        ("Listen:Address", "127.0.0.1", "IP address that the two ports are opened on."),
        ("Listen:GrpcPort", "5081", "HTTP/2 without TLS (h2c): gRPC. 0 takes a free port."),
        ("Listen:HttpPort", "5080", "HTTP/1.1: JSON, gRPC-Web, OpenAPI page, health, metrics. 0 takes a free port."),
        ("Data:Directory", "data", "Folder of the embedded database."),
        ("Storage:Provider", "Sqlite", "`Sqlite` (embedded, one process) or `Postgres` (15 or later)."),
        ("Storage:ConnectionString", "", "PostgreSQL: an Npgsql connection string, required. SQLite: empty takes `agencyplatform.db` in the data folder."),
        ("Storage:MaxWaiting", "20000", "Items that may wait for a process's journal, 1 to 1000000; the next are answered UNAVAILABLE at once."),
        ("Silo:Port", "0", "Port at which silos reach each other (SQLite: on loopback, for itself). 0 takes a free port."),
        ("Silo:GatewayPort", "0", "Port at which gateways reach this silo (PostgreSQL). 0 takes a free port."),
        ("Cluster:Id", "agencyplatform", "Name of the cluster: who has the same one in the same database belongs together."),
        ("Cluster:ServiceId", "agencyplatform", "Name under which snapshots are kept; the same for ever."),
        ("Cluster:AdvertisedAddress", "", "IP address at which other silos and gateways reach this silo. Empty: Listen:Address; where that is any address, the machine's first that is no loopback."),
        ("Cluster:ConnectSeconds", "60", "For how long a gateway looks for its first silo before it gives up, 1 to 3600."),
        ("Tls:TerminatedBy", "", "Outside Development it must say `proxy`: that something in front of the two ports terminates TLS."),
        ("Telemetry:OtlpEndpoint", "", "OTLP receiver of traces, metrics and logs, for example `http://127.0.0.1:4317`. `OTEL_EXPORTER_OTLP_ENDPOINT` does the same."),
        ("Telemetry:TraceRatio", "0.01", "Share of the calls that are traced, 0 to 1. A call that brings a sampled trace is always traced."),
        ("Dashboard:KeysFolder", "", "Folder of the keys that sign-in cookies are encrypted with; processes that serve the same people share it. Empty: `dashboard-keys` beside the embedded database; else in memory, and everybody signs in anew after a restart."),
        ("Gateway:OperatorKeyHash", "", "SHA-256 (64 hexadecimal digits) of the key of the platform's operator, who creates agencies. Empty: there is no operator; in Development the key is `apo_development`."),
        ("Gateway:KeyCacheSeconds", "30", "For how long a key found good is believed, 0 to 30: a revocation is heeded within it."),
        ("Gateway:ConcurrentCallsPerAgency", "1024", "Calls of one agency at the same time; more get RESOURCE_EXHAUSTED."),
        ("Gateway:ConcurrentCalls", "512", "Calls of all agencies at the same time; then an agency with its even share of them or more gets RESOURCE_EXHAUSTED."),
        ("Gateway:WatchesPerAgency", "200", "Watches of one agency at the same time; more get RESOURCE_EXHAUSTED. They do not count as calls."),
        ("Gateway:HeartbeatSeconds", "10", "Seconds between the heartbeats of a watch, 1 to 60."),
        ("Gateway:CallsPerSecondPerAgency", "50000", "Calls of one agency a second; more get RESOURCE_EXHAUSTED."),
        ("Gateway:BurstMillisecondsPerAgency", "2000", "How many milliseconds' worth of CallsPerSecondPerAgency an agency that was still may call at once."),
        ("Gateway:FailedKeysPerMinute", "60", "Bad keys of one remote address a minute; beyond it, keys not known to be good get RESOURCE_EXHAUSTED unseen."),
        ("Gateway:MaxRequestBytes", "4194304", "Largest request, in bytes."),
        ("Webhooks:SecretKeys", "", "Keys that webhooks' secrets are made with, 64 hexadecimal digits each, separated by commas, the same on every silo: the first makes new ones, all sign. Empty: no webhooks; in Development a known key."),
        ("Webhooks:AllowPrivateAddresses", "false", "`true`: endpoints may be of this machine, of private networks and without TLS."),
        ("Webhooks:TimeoutSeconds", "10", "For how long an endpoint may take to answer, 1 to 60."),
        ("Webhooks:ConcurrentDeliveries", "64", "Requests to endpoints of all agencies at the same time in a silo, 1 to 10000."),
        ("Webhooks:ConcurrentDeliveriesPerAgency", "8", "Requests to endpoints of one agency at the same time in a silo, 1 to 20."),
        ("Webhooks:Attempts", "10", "How often an event is tried before it is given up, 1 to 50."),
        ("Webhooks:FirstRetrySeconds", "5", "Seconds before the second attempt, 1 to 3600; four times as long before each further one, an hour at most."),
        ("Webhooks:DisableAfterHours", "72", "An endpoint to which nothing came through for so long is disabled, 1 to 8760."),
    ];

    public required IPAddress Address { get; init; }
    public required int GrpcPort { get; init; }
    public required int HttpPort { get; init; }
    public required HostRole Role { get; init; }
    public required int SiloPort { get; init; }
    public required int SiloGatewayPort { get; init; }
    public required string ClusterId { get; init; }
    public required string ServiceId { get; init; }

    /// <summary>Where others reach this silo.</summary>
    public required IPAddress AdvertisedAddress { get; init; }

    /// <summary>For how long a gateway process looks for its first silo.</summary>
    public required int ConnectSeconds { get; init; }

    /// <summary>Absolute path.</summary>
    public required string DataDirectory { get; init; }

    /// <summary>Absolute path of the folder of the keys that sign-in cookies are encrypted with; null: they are kept in memory.</summary>
    public required string? DashboardKeys { get; init; }

    public required StorageOptions Storage { get; init; }
    public required WebhookOptions Webhooks { get; init; }
    public required Uri? OtlpEndpoint { get; init; }
    public required double TraceRatio { get; init; }

    /// <summary>Something in front terminates TLS and says in X-Forwarded-For who calls.</summary>
    public required bool BehindProxy { get; init; }

    public required bool IsDevelopment { get; init; }

    /// <summary>Reads and validates everything.</summary>
    /// <exception cref="SettingsException">Names every wrong setting at once.</exception>
    public static HostSettings Read(IConfiguration configuration, IHostEnvironment environment)
    {
        var read = new SettingsReader(configuration.GetSection(Section), Known.Select(k => k.Key));
        var address = read.Get<IPAddress?>("Listen:Address", "an IP address, for example 127.0.0.1", IPAddress.TryParse, IPAddress.Loopback)!;
        var grpcPort = read.Port("Listen:GrpcPort", 5081);
        var httpPort = read.Port("Listen:HttpPort", 5080);
        var role = read.Get("Role", "all, silo or gateway", (string value, out HostRole known) => Enum.TryParse(value, ignoreCase: true, out known) && !char.IsDigit(value[0]), HostRole.All);
        var siloPort = read.Port("Silo:Port", 0);
        var siloGatewayPort = read.Port("Silo:GatewayPort", 0);
        var advertised = read.Get<IPAddress?>("Cluster:AdvertisedAddress", "an IP address that others can reach, for example 10.0.0.5", TryReachable, fallback: null);
        var connectSeconds = read.Number("Cluster:ConnectSeconds", 60);
        var dataDirectory = Path.GetFullPath(read.Text("Data:Directory") ?? "data");
        var provider = read.Get<StorageProvider>("Storage:Provider", "Sqlite or Postgres", TryProvider, StorageProvider.Sqlite);
        var connectionString = read.Text("Storage:ConnectionString");
        var maxWaiting = read.Number("Storage:MaxWaiting", 20_000);
        var otlp = read.Get<Uri?>(
            "Telemetry:OtlpEndpoint", "an absolute http or https address, for example http://127.0.0.1:4317", TryHttp, fallback: null);
        var ratio = read.Get<double>("Telemetry:TraceRatio", "a number from 0 to 1", TryRatio, 0.01);
        var tls = read.Text("Tls:TerminatedBy");

        if (configuration["OTEL_EXPORTER_OTLP_ENDPOINT"] is { Length: > 0 } standard && otlp is null && !TryHttp(standard, out otlp))
        {
            read.Problem("OTEL_EXPORTER_OTLP_ENDPOINT", $"\"{standard}\" is not an absolute http or https address");
        }

        if (grpcPort != 0 && grpcPort == httpPort)
        {
            read.Wrong("Listen:HttpPort", $"{httpPort} is the gRPC port already; the two need a port each");
        }

        if (role == HostRole.Gateway && provider == StorageProvider.Sqlite)
        {
            read.Wrong("Role", "\"gateway\" needs Storage:Provider=Postgres: on SQLite one process is everything (Role=all)");
        }

        if (siloPort != 0 && siloPort == siloGatewayPort)
        {
            read.Wrong("Silo:GatewayPort", $"{siloGatewayPort} is the silo's port already; the two need a port each");
        }

        if (connectSeconds is < 1 or > 3600)
        {
            read.Wrong("Cluster:ConnectSeconds", $"must be 1 to 3600; it is {connectSeconds}");
        }

        if (maxWaiting is < 1 or > 1_000_000)
        {
            read.Wrong("Storage:MaxWaiting", $"must be 1 to 1000000; it is {maxWaiting}");
        }

        if (provider == StorageProvider.Postgres && connectionString is null)
        {
            read.Wrong("Storage:ConnectionString", "is needed with Storage:Provider=Postgres, for example \"Host=127.0.0.1;Database=agencyplatform;Username=agencyplatform\"");
        }

        if (connectionString is not null && NotUnderstood(provider, connectionString) is { } why)
        {
            read.Wrong("Storage:ConnectionString", $"is no connection string of Storage:Provider={provider}: {why}");
        }

        if (tls is not null && tls != "proxy")
        {
            read.Wrong("Tls:TerminatedBy", $"\"{tls}\" is not known; it is \"proxy\" or empty");
        }

        if (!environment.IsDevelopment())
        {
            if (tls is null)
            {
                read.Wrong("Tls:TerminatedBy", $"must say \"proxy\" outside Development (this is {environment.EnvironmentName}): keys travel with every call, so something in front must terminate TLS. To try things out, run with --environment Development");
            }
        }

        ReadGateway(read, environment);
        var webhooks = ReadWebhooks(read, environment);
        read.ThrowIfWrong();
        return new HostSettings
        {
            Address = address,
            GrpcPort = grpcPort,
            HttpPort = httpPort,
            Role = role,
            SiloPort = siloPort,
            SiloGatewayPort = siloGatewayPort,
            ClusterId = read.Text("Cluster:Id") ?? "agencyplatform",
            ServiceId = read.Text("Cluster:ServiceId") ?? "agencyplatform",
            AdvertisedAddress = advertised ?? Cluster.Advertised(address),
            ConnectSeconds = connectSeconds,
            DataDirectory = dataDirectory,
            DashboardKeys = read.Text("Dashboard:KeysFolder") is { } keys ? Path.GetFullPath(keys) : connectionString is null ? Path.Combine(dataDirectory, "dashboard-keys") : null,
            Storage = new StorageOptions
            {
                Provider = provider,
                ConnectionString = connectionString ?? $"Data Source={Path.Combine(dataDirectory, "agencyplatform.db")}",
                MaxWaiting = maxWaiting,
                RequireRowSecurity = !environment.IsDevelopment(),
            },
            Webhooks = webhooks,
            OtlpEndpoint = otlp,
            TraceRatio = ratio,
            BehindProxy = tls == "proxy",
            IsDevelopment = environment.IsDevelopment(),
        };
    }

    /// <summary>The gateway reads and judges its own section; what cannot even be read is named here.</summary>
    private static void ReadGateway(SettingsReader read, IHostEnvironment environment)
    {
        var gateway = new GatewayOptions { OperatorKeyHash = read.Text("Gateway:OperatorKeyHash") ?? "" };
        gateway.KeyCacheSeconds = read.Number("Gateway:KeyCacheSeconds", gateway.KeyCacheSeconds);
        gateway.ConcurrentCallsPerAgency = read.Number("Gateway:ConcurrentCallsPerAgency", gateway.ConcurrentCallsPerAgency);
        gateway.ConcurrentCalls = read.Number("Gateway:ConcurrentCalls", gateway.ConcurrentCalls);
        gateway.WatchesPerAgency = read.Number("Gateway:WatchesPerAgency", gateway.WatchesPerAgency);
        gateway.HeartbeatSeconds = read.Number("Gateway:HeartbeatSeconds", gateway.HeartbeatSeconds);
        gateway.BurstMillisecondsPerAgency = read.Number("Gateway:BurstMillisecondsPerAgency", gateway.BurstMillisecondsPerAgency);
        gateway.CallsPerSecondPerAgency = read.Number("Gateway:CallsPerSecondPerAgency", gateway.CallsPerSecondPerAgency);
        gateway.FailedKeysPerMinute = read.Number("Gateway:FailedKeysPerMinute", gateway.FailedKeysPerMinute);
        gateway.MaxRequestBytes = read.Number("Gateway:MaxRequestBytes", gateway.MaxRequestBytes);
        foreach (var problem in gateway.Problems(environment.IsDevelopment()))
        {
            read.Wrong(problem);
        }
    }

    private static WebhookOptions ReadWebhooks(SettingsReader read, IHostEnvironment environment)
    {
        var keys = (read.Text("Webhooks:SecretKeys") ?? (environment.IsDevelopment() ? WebhookOptions.DevelopmentKey : "")).Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (keys.Any(key => key.Length != 64 || !key.All(char.IsAsciiHexDigit)))
        {
            read.Wrong("Webhooks:SecretKeys", "must be keys of 64 hexadecimal digits, separated by commas, for example of \"openssl rand -hex 32\"");
        }
        else if (!environment.IsDevelopment() && keys.Contains(WebhookOptions.DevelopmentKey, StringComparer.OrdinalIgnoreCase))
        {
            read.Wrong("Webhooks:SecretKeys", "has the development key, which only Development accepts");
        }

        var standard = new WebhookOptions();
        return new WebhookOptions
        {
            SecretKeys = [.. keys],
            AllowPrivateAddresses = read.Get<bool>("Webhooks:AllowPrivateAddresses", "true or false", bool.TryParse, false),
            TimeoutSeconds = Bounded("Webhooks:TimeoutSeconds", standard.TimeoutSeconds, 60),
            ConcurrentDeliveries = Bounded("Webhooks:ConcurrentDeliveries", standard.ConcurrentDeliveries, 10_000),
            ConcurrentDeliveriesPerAgency = Bounded("Webhooks:ConcurrentDeliveriesPerAgency", standard.ConcurrentDeliveriesPerAgency, 20),
            Attempts = Bounded("Webhooks:Attempts", standard.Attempts, 50),
            FirstRetrySeconds = Bounded("Webhooks:FirstRetrySeconds", standard.FirstRetrySeconds, 3600),
            DisableAfterHours = Bounded("Webhooks:DisableAfterHours", standard.DisableAfterHours, 8760),
        };

        int Bounded(string key, int fallback, int most)
        {
            var number = read.Number(key, fallback);
            if (number < 1 || number > most)
            {
                read.Wrong(key, $"must be 1 to {most}; it is {number}");
            }

            return number;
        }
    }

    /// <summary>Why a connection string is none of this provider; null when it is.</summary>
    private static string? NotUnderstood(StorageProvider provider, string connectionString)
    {
        try
        {
            return provider switch
            {
                StorageProvider.Sqlite when new SqliteConnectionStringBuilder(connectionString).DataSource.Length == 0 => "it names no file (Data Source=path/to/file.db)",
                StorageProvider.Postgres when string.IsNullOrEmpty(new NpgsqlConnectionStringBuilder(connectionString).Host) => "it names no Host",
                _ => null,
            };
        }
        catch (Exception e) when (e is ArgumentException or FormatException or KeyNotFoundException or InvalidCastException)
        {
            return e.Message.Split(". For a possible", 2)[0].TrimEnd('.');
        }
    }

    private static bool TryProvider(string value, out StorageProvider provider) =>
        Enum.TryParse(value, ignoreCase: true, out provider) && Enum.IsDefined(provider) && !char.IsDigit(value[0]);

    private static bool TryReachable(string value, out IPAddress? address) =>
        IPAddress.TryParse(value, out address) && !address.Equals(IPAddress.Any) && !address.Equals(IPAddress.IPv6Any);

    private static bool TryHttp(string value, out Uri? uri) => Uri.TryCreate(value, UriKind.Absolute, out uri) && uri.Scheme is "http" or "https";

    private static bool TryRatio(string value, out double ratio) =>
        double.TryParse(value, System.Globalization.NumberStyles.Float, System.Globalization.CultureInfo.InvariantCulture, out ratio) && ratio is >= 0 and <= 1;
}
