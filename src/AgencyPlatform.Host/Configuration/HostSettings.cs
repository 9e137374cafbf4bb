using System.Net;
using AgencyPlatform.Gateway;
using AgencyPlatform.Storage;

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
        ("Listen:Address", "127.0.0.1", "IP address that the two ports are opened on."),
        ("Listen:GrpcPort", "5081", "HTTP/2 without TLS (h2c): gRPC. 0 takes a free port."),
        ("Listen:HttpPort", "5080", "HTTP/1.1: JSON, gRPC-Web, OpenAPI page, health, metrics. 0 takes a free port."),
        ("Data:Directory", "data", "Folder of the embedded database."),
        ("Storage:Provider", "Sqlite", "`Sqlite` (embedded, one process) or `Postgres` (15 or later)."),
        ("Storage:ConnectionString", "", "PostgreSQL: an Npgsql connection string, required. SQLite: empty takes `agencyplatform.db` in the data folder."),
        ("Silo:Port", "0", "Loopback port of the grain host. 0 takes a free port."),
        ("Tls:TerminatedBy", "", "Outside Development it must say `proxy`: that something in front of the two ports terminates TLS."),
        ("Telemetry:OtlpEndpoint", "", "OTLP receiver of traces, metrics and logs, for example `http://127.0.0.1:4317`. `OTEL_EXPORTER_OTLP_ENDPOINT` does the same."),
        ("Telemetry:TraceRatio", "0.01", "Share of the calls that are traced, 0 to 1. A call that brings a sampled trace is always traced."),
        ("Gateway:OperatorKeyHash", "", "SHA-256 (64 hexadecimal digits) of the key of the platform's operator, who creates agencies. Empty: there is no operator; in Development the key is `apo_development`."),
        ("Gateway:KeyCacheSeconds", "30", "For how long a key found good is believed, 0 to 30: a revocation is heeded within it."),
        ("Gateway:ConcurrentCallsPerAgency", "1024", "Calls of one agency at the same time; more get RESOURCE_EXHAUSTED."),
        ("Gateway:CallsPerSecondPerAgency", "50000", "Calls of one agency a second; more get RESOURCE_EXHAUSTED."),
        ("Gateway:MaxRequestBytes", "4194304", "Largest request, in bytes."),
    ];

    public required IPAddress Address { get; init; }
    public required int GrpcPort { get; init; }
    public required int HttpPort { get; init; }
    public required int SiloPort { get; init; }

    /// <summary>Absolute path.</summary>
    public required string DataDirectory { get; init; }
    public required StorageOptions Storage { get; init; }
    public required Uri? OtlpEndpoint { get; init; }
    public required double TraceRatio { get; init; }

    public required bool IsDevelopment { get; init; }

    /// <summary>Reads and validates everything.</summary>
    /// <exception cref="SettingsException">Names every wrong setting at once.</exception>
    public static HostSettings Read(IConfiguration configuration, IHostEnvironment environment)
    {
        var read = new SettingsReader(configuration.GetSection(Section), Known.Select(k => k.Key));
        var address = read.Get<IPAddress?>("Listen:Address", "an IP address, for example 127.0.0.1", IPAddress.TryParse, IPAddress.Loopback)!;
        var grpcPort = read.Port("Listen:GrpcPort", 5081);
        var httpPort = read.Port("Listen:HttpPort", 5080);
        var siloPort = read.Port("Silo:Port", 0);
        var dataDirectory = Path.GetFullPath(read.Text("Data:Directory") ?? "data");
        var provider = read.Get<StorageProvider>("Storage:Provider", "Sqlite or Postgres", TryProvider, StorageProvider.Sqlite);
        var connectionString = read.Text("Storage:ConnectionString");
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

        if (provider == StorageProvider.Postgres && connectionString is null)
        {
            read.Wrong("Storage:ConnectionString", "is needed with Storage:Provider=Postgres, for example \"Host=127.0.0.1;Database=agencyplatform;Username=agencyplatform\"");
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
        read.ThrowIfWrong();
        return new HostSettings
        {
            Address = address,
            GrpcPort = grpcPort,
            HttpPort = httpPort,
            SiloPort = siloPort,
            DataDirectory = dataDirectory,
            Storage = new StorageOptions
            {
                Provider = provider,
                ConnectionString = connectionString ?? $"Data Source={Path.Combine(dataDirectory, "agencyplatform.db")}",
                RequireRowSecurity = !environment.IsDevelopment(),
            },
            OtlpEndpoint = otlp,
            TraceRatio = ratio,
            IsDevelopment = environment.IsDevelopment(),
        };
    }

    /// <summary>The gateway reads and judges its own section; what cannot even be read is named here.</summary>
    private static void ReadGateway(SettingsReader read, IHostEnvironment environment)
    {
        var gateway = new GatewayOptions { OperatorKeyHash = read.Text("Gateway:OperatorKeyHash") ?? "" };
        gateway.KeyCacheSeconds = read.Number("Gateway:KeyCacheSeconds", gateway.KeyCacheSeconds);
        gateway.ConcurrentCallsPerAgency = read.Number("Gateway:ConcurrentCallsPerAgency", gateway.ConcurrentCallsPerAgency);
        gateway.CallsPerSecondPerAgency = read.Number("Gateway:CallsPerSecondPerAgency", gateway.CallsPerSecondPerAgency);
        gateway.MaxRequestBytes = read.Number("Gateway:MaxRequestBytes", gateway.MaxRequestBytes);
        foreach (var problem in gateway.Problems(environment.IsDevelopment()))
        {
            read.Wrong(problem);
        }
    }

    private static bool TryProvider(string value, out StorageProvider provider) =>
        Enum.TryParse(value, ignoreCase: true, out provider) && Enum.IsDefined(provider) && !char.IsDigit(value[0]);

    private static bool TryHttp(string value, out Uri? uri) => Uri.TryCreate(value, UriKind.Absolute, out uri) && uri.Scheme is "http" or "https";

    private static bool TryRatio(string value, out double ratio) =>
        double.TryParse(value, System.Globalization.NumberStyles.Float, System.Globalization.CultureInfo.InvariantCulture, out ratio) && ratio is >= 0 and <= 1;
}
