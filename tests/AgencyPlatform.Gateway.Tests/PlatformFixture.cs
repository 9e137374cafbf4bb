using System.Collections.Concurrent;
using System.Net;
using AgencyPlatform.Client;
using AgencyPlatform.Host;
using AgencyPlatform.Protocol.Agencies.V1;
using AgencyPlatform.Protocol.Clients.V1;
using Google.Protobuf.WellKnownTypes;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace AgencyPlatform.Gateway.Tests;

/// <summary>The real host, started once for all tests of the collection, on free loopback ports and a database in a temporary folder.</summary>
public sealed class PlatformFixture : IAsyncLifetime
{
    public const string Collection = "platform";

    private readonly string _directory = Directory.CreateTempSubdirectory("agencyplatform-gateway-").FullName;
    private readonly ConcurrentBag<IDisposable> _clients = [];
    private WebApplication _host = null!;
    private readonly (string Key, string Value)[] _settings;
    private readonly Action<IServiceCollection>? _change;
    private int _agencies;

    public PlatformFixture()
        : this(null)
    {
    }

    /// <summary>A host of a test's own.</summary>
    /// <param name="change">Takes out, or puts in, what the test wants otherwise.</param>
    /// <param name="settings">In place of the fixture's.</param>
    internal PlatformFixture(Action<IServiceCollection>? change, params (string Key, string Value)[] settings) => (_change, _settings) = (change, settings);

    /// <summary>The folder of its database.</summary>
    public string Folder => _directory;

    /// <summary>gRPC over HTTP/2.</summary>
    public Uri Grpc { get; private set; } = null!;

    /// <summary>HTTP/1.1: JSON, gRPC-Web, documents.</summary>
    public Uri Http { get; private set; } = null!;

    /// <summary>The platform's operator.</summary>
    public AgencyPlatformClient Operator { get; private set; } = null!;

    public IServiceProvider Services => _host.Services;

    public async Task InitializeAsync()
    {
        var settings = new Dictionary<string, string?>
        {
            ["AgencyPlatform:Listen:GrpcPort"] = "0",
            ["AgencyPlatform:Listen:HttpPort"] = "0",
            ["AgencyPlatform:Data:Directory"] = _directory,
            ["AgencyPlatform:Gateway:KeyCacheSeconds"] = "0",
            ["AgencyPlatform:Gateway:FailedKeysPerMinute"] = "100000",
            ["AgencyPlatform:Gateway:ConcurrentCallsPerAgency"] = "64",
            ["AgencyPlatform:Webhooks:AllowPrivateAddresses"] = "true",
        };
        foreach (var (key, value) in _settings)
        {
            settings["AgencyPlatform:" + key] = value;
        }

        _host = PlatformHost.Build(settings, "Development", _change);
        await _host.StartAsync();
        (Grpc, Http) = _host.Addresses();
        Operator = Client(GatewayOptions.DevelopmentOperatorKey);
    }

    public async Task DisposeAsync()
    {
        foreach (var client in _clients)
        {
            client.Dispose();
        }

        await _host.StopAsync();
        await _host.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    /// <summary>Stops the host, while its clients are there.</summary>
    public Task Stop() => _host.StopAsync();

    /// <summary>A client with this key.</summary>
    public AgencyPlatformClient Client(string key, int retries = 0)
    {
        var client = new AgencyPlatformClient(new AgencyPlatformClientOptions { Address = Grpc, ApiKey = key, Retries = retries });
        _clients.Add(client);
        return client;
    }

    /// <summary>An HTTP/1.1 client with this key.</summary>
    public HttpClient Json(string key)
    {
        var client = new HttpClient { BaseAddress = Http, DefaultRequestVersion = HttpVersion.Version11 };
        if (key.Length > 0)
        {
            client.DefaultRequestHeaders.Authorization = new("Bearer", key);
        }

        _clients.Add(client);
        return client;
    }

    /// <summary>A fresh agency with one legal entity, <c>main</c>, in dollars and New York; a sandbox whose clock starts at 2026-01-05 09:00 UTC unless told otherwise.</summary>
    public async Task<TestAgency> NewAgency(bool sandbox = true, DateTimeOffset? start = null, Action<CreateAgencyRequest>? change = null)
    {
        var id = $"agency-{Interlocked.Increment(ref _agencies)}";
        var request = new CreateAgencyRequest
        {
            AgencyId = id,
            Agency = new Agency { DisplayName = "Agency " + id, TimeZone = "America/New_York", DefaultCurrency = "USD" },
            LegalEntities = { new LegalEntity { Name = "main", LegalName = "Agency LLC", Country = "US", TimeZone = "America/New_York", Currency = "USD" } },
            Sandbox = sandbox,
            SandboxStartTime = sandbox ? Timestamp.FromDateTimeOffset(start ?? new DateTimeOffset(2026, 1, 5, 9, 0, 0, TimeSpan.Zero)) : null,
        };
        change?.Invoke(request);
        await Operator.Agencies.CreateAgencyAsync(request);
        return new TestAgency(this, id);
    }
}

/// <summary>An agency of a test, with keys of any role.</summary>
public sealed class TestAgency(PlatformFixture platform, string id)
{
    private readonly ConcurrentDictionary<string, Lazy<Task<string>>> _keys = new();

    public string Id => id;

    /// <summary><c>agencies/{id}</c>.</summary>
    public string Name => $"agencies/{id}";

    public PlatformFixture Platform => platform;

    /// <summary>A key of this role; bound to a CMO or client company by the ids, which are made unless they are there.</summary>
    public Task<string> Key(Role role, string cmo = "", string client = "") => _keys.GetOrAdd($"{role}/{cmo}/{client}", _ => new Lazy<Task<string>>(() => Make(role, cmo, client))).Value;

    private async Task<string> Make(Role role, string cmo, string client)
    {
        // The operator hands the agency over to its admin, who makes the other keys.
        var maker = role == Role.AgencyAdmin ? platform.Operator : await Admin();
        if (cmo.Length > 0)
        {
            await UnlessThere(() => ActiveEngagement.CreateCmo(this, cmo));
        }

        if (client.Length > 0)
        {
            await UnlessThere(async () => await maker.Service<ClientsService.ClientsServiceClient>().CreateClientCompanyAsync(new CreateClientCompanyRequest
            {
                Parent = Name,
                ClientCompanyId = client,
                ClientCompany = new ClientCompany { DisplayName = client, TimeZone = "America/New_York" },
            }));
        }

        var key = await maker.Agencies.CreateApiKeyAsync(new CreateApiKeyRequest
        {
            Parent = Name,
            ApiKey = new ApiKey
            {
                DisplayName = "Test " + role,
                Roles = { role },
                Cmo = cmo.Length > 0 ? $"{Name}/cmos/{cmo}" : "",
                ClientCompany = client.Length > 0 ? $"{Name}/clientCompanies/{client}" : "",
            },
        });
        return key.Key;
    }

    private static async Task UnlessThere(Func<Task> create)
    {
        try
        {
            await create();
        }
        catch (ApiException e) when (e.StatusCode == Grpc.Core.StatusCode.AlreadyExists)
        {
            // Made by the test itself.
        }
    }

    /// <summary>A client of this role.</summary>
    public async Task<AgencyPlatformClient> As(Role role, string cmo = "", string client = "") => platform.Client(await Key(role, cmo, client));

    public Task<AgencyPlatformClient> Admin() => As(Role.AgencyAdmin);

    /// <summary>Moves the sandbox's clock; what is due on the way happens.</summary>
    public async Task AdvanceTo(DateTime utc)
    {
        var operation = await (await Admin()).Agencies.AdvanceClockAsync(new AdvanceClockRequest { Name = Name, To = Google.Protobuf.WellKnownTypes.Timestamp.FromDateTime(utc) });
        Xunit.Assert.True(operation.Done);
    }
}

[CollectionDefinition(PlatformFixture.Collection)]
public sealed class PlatformCollection : ICollectionFixture<PlatformFixture>;

/// <summary>What the tests say about errors.</summary>
public static class Refused
{
    /// <summary>The error that a call ends with.</summary>
    public static async Task<ApiException> By<T>(Grpc.Core.AsyncUnaryCall<T> call) => await Assert.ThrowsAsync<ApiException>(async () => await call);
}
