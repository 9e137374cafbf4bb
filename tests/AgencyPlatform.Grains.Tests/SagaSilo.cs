using System.Collections.Concurrent;
using AgencyPlatform.Contracts;
using AgencyPlatform.Contracts.Journal;
using AgencyPlatform.Domain;
using AgencyPlatform.Storage;
using AgencyPlatform.Storage.Snapshots;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Configuration;

namespace AgencyPlatform.Grains.Tests;

/// <summary>A silo over a SQLite file of its own, whose calls between grains can be made to fail.</summary>
public sealed class SagaSilo : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("agencyplatform-saga").FullName;
    private IHost? _host;

    public CallFaults Faults { get; } = new();

    public IGrainFactory Grains => _host!.Services.GetRequiredService<IGrainFactory>();

    public IReadModels ReadModels => _host!.Services.GetRequiredService<IReadModels>();

    public async Task InitializeAsync()
    {
        var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { EnvironmentName = "Test" });
        builder.Services.AddAgencyPlatformStorage(new StorageOptions { Provider = StorageProvider.Sqlite, ConnectionString = $"Data Source={Path.Combine(_folder, "journal.db")}" });
        builder.UseOrleans(silo =>
        {
            silo.UseLocalhostClustering(FreePort(), gatewayPort: 0, primarySiloEndpoint: null, serviceId: "test", clusterId: "test");
            silo.Configure<EndpointOptions>(endpoint => endpoint.AdvertisedIPAddress = System.Net.IPAddress.Loopback);
            silo.AddAgencyPlatformSnapshots(GrainServices.SnapshotStorage);
            silo.AddAgencyPlatformGrains();
            silo.AddIncomingGrainCallFilter(Faults);
        });
        _host = builder.Build();
        await _host.StartAsync();
    }

    public async Task DisposeAsync()
    {
        await _host!.StopAsync();
        _host.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private static int FreePort()
    {
        using var listener = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        return ((System.Net.IPEndPoint)listener.LocalEndpoint).Port;
    }
}

/// <summary>Makes the n-th call of a method in an agency fail once: before it reaches the grain, or after, so that only its answer is lost.</summary>
public sealed class CallFaults : IIncomingGrainCallFilter
{
    private readonly ConcurrentDictionary<string, (string Method, int Step, bool After, int Seen)> _faults = new();

    public void Arm(AgencyId agency, string method, int step, bool after) => _faults[agency.Value] = (method, step, after, 0);

    public bool Fired(AgencyId agency) => _faults[agency.Value] is var fault && fault.Seen > fault.Step;

    public async Task Invoke(IIncomingGrainCallContext context)
    {
        var agency = AggregateKey.AgencyOf(context.TargetId.Key.ToString()!);
        if (!_faults.TryGetValue(agency, out var fault) || fault.Method != context.MethodName)
        {
            await context.Invoke();
            return;
        }

        _faults[agency] = fault with { Seen = fault.Seen + 1 };
        if (fault.Seen != fault.Step || fault.After)
        {
            await context.Invoke();
        }

        if (fault.Seen == fault.Step)
        {
            throw new UnavailableException("The test lets this call fail.");
        }
    }
}
