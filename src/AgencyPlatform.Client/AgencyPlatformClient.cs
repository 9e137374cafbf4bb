using AgencyPlatform.Protocol.Absences.V1;
using AgencyPlatform.Protocol.Agencies.V1;
using AgencyPlatform.Protocol.Billing.V1;
using AgencyPlatform.Protocol.Calendars.V1;
using AgencyPlatform.Protocol.Capacity.V1;
using AgencyPlatform.Protocol.Clients.V1;
using AgencyPlatform.Protocol.Cmos.V1;
using AgencyPlatform.Protocol.Engagements.V1;
using AgencyPlatform.Protocol.Events.V1;
using AgencyPlatform.Protocol.Time.V1;
using AgencyPlatform.Protocol.Webhooks.V1;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;
using Grpc.Net.Client.Balancer;
using Grpc.Net.Client.Configuration;

namespace AgencyPlatform.Client;

/// <summary>
/// The typed client of the platform's public API. Every call carries the key; every mutation without a request id gets one (UUIDv7); what may
/// be repeated safely is, with the same id; what fails throws <see cref="ApiException"/>. Safe for concurrent use; keep one per key.
/// </summary>
/// <example>
/// <code>
/// using var platform = new AgencyPlatformClient(new() { Address = new("https://platform.example"), ApiKey = key });
/// var agency = await platform.Agencies.GetAgencyAsync(new() { Name = "agencies/acme" });
/// </code>
/// </example>
public sealed class AgencyPlatformClient : IDisposable
{
    private readonly GrpcChannel _channel;
    private readonly CallInvoker _invoker;
    private readonly AgencyPlatformClientOptions _options;

    public AgencyPlatformClient(AgencyPlatformClientOptions options)
    {
        _options = options;
        Uri[] addresses = [options.Address, .. options.OtherAddresses];
        foreach (var address in addresses)
        {
            if (address.Scheme is not ("http" or "https"))
            {
                throw new ArgumentException($"The address must begin with http:// or https://; it is {address}.", nameof(options));
            }

            if (address.Scheme != options.Address.Scheme)
            {
                throw new ArgumentException($"All addresses must begin with {options.Address.Scheme}://; one is {address}.", nameof(options));
            }

            // A Uri is parsed when it is first asked: two threads that ask the same one at the same time may be told that 127.0.0.1 is no loopback. This one is ours.
            if (address.Scheme == "http" && !new Uri(address.OriginalString).IsLoopback && !options.AllowPlaintext)
            {
                throw new ArgumentException($"{address} would send the key in the clear: use https, or set AllowPlaintext on a private network.", nameof(options));
            }
        }

        if (addresses.Length > 1 && options.HttpHandler is not null)
        {
            throw new ArgumentException("OtherAddresses need the default HttpHandler.", nameof(options));
        }

        if (options.Retries is < 0 or > 100)
        {
            throw new ArgumentException($"Retries must be 0 to 100; they are {options.Retries}.", nameof(options));
        }

        var channel = new GrpcChannelOptions
        {
            HttpHandler = options.HttpHandler ?? new SocketsHttpHandler
            {
                EnableMultipleHttp2Connections = true,
                KeepAlivePingDelay = TimeSpan.FromSeconds(20),
                KeepAlivePingTimeout = TimeSpan.FromSeconds(10),
                ConnectTimeout = TimeSpan.FromSeconds(10),
            },
            DisposeHttpClient = true,
            MaxReceiveMessageSize = 64 * 1024 * 1024,

            // gRPC's own waits grow to two minutes: a service that is back would not be noticed for as long.
            InitialReconnectBackoff = TimeSpan.FromMilliseconds(100),
            MaxReconnectBackoff = TimeSpan.FromSeconds(1),

            // Repeats are this library's own, with the request id in view.
            MaxRetryAttempts = null,
        };
        if (addresses.Length > 1)
        {
            channel.Credentials = options.Address.Scheme == "https" ? ChannelCredentials.SecureSsl : ChannelCredentials.Insecure;
            channel.ServiceProvider = new Gateways(addresses);
            channel.ServiceConfig = new ServiceConfig { LoadBalancingConfigs = { new RoundRobinConfig() } };
        }

        _channel = addresses.Length > 1 ? GrpcChannel.ForAddress("static:///gateways", channel) : GrpcChannel.ForAddress(options.Address, channel);
        _invoker = _channel.Intercept(new SafeCalls(options));
        Agencies = Service<AgenciesService.AgenciesServiceClient>();
        Clients = Service<ClientsService.ClientsServiceClient>();
        Cmos = Service<CmosService.CmosServiceClient>();
        Capacity = Service<CapacityService.CapacityServiceClient>();
        Calendars = Service<CalendarsService.CalendarsServiceClient>();
        Engagements = Service<EngagementsService.EngagementsServiceClient>();
        Absences = Service<AbsencesService.AbsencesServiceClient>();
        Time = Service<TimeService.TimeServiceClient>();
        Billing = Service<BillingService.BillingServiceClient>();
        BillingRuns = Service<BillingRunsService.BillingRunsServiceClient>();
        Payables = Service<PayablesService.PayablesServiceClient>();
        Books = Service<BooksService.BooksServiceClient>();
        Explanations = Service<ExplanationsService.ExplanationsServiceClient>();
        Events = Service<EventsService.EventsServiceClient>();
        Webhooks = Service<WebhooksService.WebhooksServiceClient>();
    }

    /// <summary>Agencies, their legal entities, holiday calendars and keys; a sandbox's clock.</summary>
    public AgenciesService.AgenciesServiceClient Agencies { get; }

    /// <summary>Client companies, their decision makers and competitors.</summary>
    public ClientsService.ClientsServiceClient Clients { get; }

    /// <summary>CMOs: working pattern, time off, limits, cost rates.</summary>
    public CmosService.CmosServiceClient Cmos { get; }

    /// <summary>Bookings and holds, availability, utilisation, who fits.</summary>
    public CapacityService.CapacityServiceClient Capacity { get; }

    /// <summary>Links at which calendar programs subscribe.</summary>
    public CalendarsService.CalendarsServiceClient Calendars { get; }

    /// <summary>Engagements from draft to end.</summary>
    public EngagementsService.EngagementsServiceClient Engagements { get; }

    /// <summary>A CMO who is ill or leaves: who is concerned, and who would fit.</summary>
    public AbsencesService.AbsencesServiceClient Absences { get; }

    /// <summary>Timesheets, approval, the retainer's meter.</summary>
    public TimeService.TimeServiceClient Time { get; }

    /// <summary>Invoices and the ledger.</summary>
    public BillingService.BillingServiceClient Billing { get; }

    /// <summary>One call bills a whole agency to a date.</summary>
    public BillingRunsService.BillingRunsServiceClient BillingRuns { get; }

    /// <summary>What CMOs have earned and were paid; the agency's margin.</summary>
    public PayablesService.PayablesServiceClient Payables { get; }

    /// <summary>Closing months; what engagements have earned to a date.</summary>
    public BooksService.BooksServiceClient Books { get; }

    /// <summary>Why an amount of an invoice or of the ledger is what it is.</summary>
    public ExplanationsService.ExplanationsServiceClient Explanations { get; }

    /// <summary>What happened, in order.</summary>
    public EventsService.EventsServiceClient Events { get; }

    /// <summary>Endpoints that what happens is delivered to.</summary>
    public WebhooksService.WebhooksServiceClient Webhooks { get; }

    /// <summary>
    /// What happens in an agency from now on, or after the request's cursor: each event once, in order, until cancelled. After a lost connection, a restart or a failover it goes on by itself where it
    /// was. A message without events is a heartbeat. Keep the last cursor to go on another time.
    /// </summary>
    /// <exception cref="ApiException">The key, the request or the cursor is refused.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public IAsyncEnumerable<WatchResponse> Watch(WatchRequest request, CancellationToken cancellation = default) => new Watching(Events, _options).Watch(request, cancellation);

    /// <summary>The stub of any service of the API, with the same key, request ids, repeats and errors.</summary>
    public TClient Service<TClient>() where TClient : ClientBase<TClient> => (TClient)Activator.CreateInstance(typeof(TClient), _invoker)!;

    public void Dispose() => _channel.Dispose();

    /// <summary>All that gRPC's balancer asks for: where the gateways are.</summary>
    private sealed class Gateways(IEnumerable<Uri> addresses) : IServiceProvider
    {
        public object? GetService(Type serviceType) => serviceType == typeof(IEnumerable<ResolverFactory>)
            ? new ResolverFactory[] { new StaticResolverFactory(_ => addresses.Select(a => new BalancerAddress(a.Host, a.Port))) }
            : null;
    }
}
