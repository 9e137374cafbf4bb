using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using AgencyPlatform.Contracts;
using AgencyPlatform.Contracts.Journal;
using AgencyPlatform.Domain;
using AgencyPlatform.Grains.Placement;
using AgencyPlatform.Grains.Webhooks;
using AgencyPlatform.Storage;
using AgencyPlatform.Storage.Snapshots;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using NodaTime;
using Orleans.Configuration;
using Orleans.Core.Internal;
using Orleans.Storage;

namespace AgencyPlatform.Grains.Tests;

/// <summary>A silo with its storage, which can be stopped and started on the same data. What it reads of the journal and writes of snapshots can be seen.</summary>
/// <param name="clock">The product's clock; null: the system's.</param>
public sealed class PlatformSilo(StorageOptions storage, int eventsPerSnapshot = 256, TimeProvider? clock = null) : IAsyncDisposable
{
    private IHost? _host;

    public JournalProbe Reads { get; } = new();

    public SnapshotProbe Snapshots { get; } = new();

    public CallFaults Faults { get; } = new();

    public IServiceProvider Services => _host!.Services;

    public IGrainFactory Grains => Services.GetRequiredService<IGrainFactory>();

    public IJournal Journal => Services.GetRequiredService<IJournal>();

    /// <summary>How it is called in its cluster.</summary>
    public SiloAddress Address => Services.GetRequiredService<ILocalSiloDetails>().SiloAddress;

    /// <summary>The agencies of which an aggregate is active here.</summary>
    internal IReadOnlySet<string> ActiveAgencies => Services.GetRequiredService<ActiveAggregates>().All.Select(a => a.Value).ToHashSet();

    /// <param name="first">Another silo of this process, whose cluster it joins.</param>
    /// <param name="patience">How long a call may wait for its answer; what waits longer is dropped.</param>
    /// <param name="quiet">Where errors are made to happen nobody reads of them.</param>
    public async Task Start(PlatformSilo? first = null, TimeSpan? patience = null, bool quiet = false)
    {
        var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { EnvironmentName = "Test" });
        builder.Logging.SetMinimumLevel(LogLevel.Error);
        if (quiet)
        {
            builder.Logging.ClearProviders();
        }

        builder.Services.AddAgencyPlatformStorage(storage);
        var journal = builder.Services.Last(d => d.ServiceType == typeof(IJournal)).ImplementationType!;
        builder.Services.Replace(ServiceDescriptor.Singleton<IJournal>(sp => Reads.Over((IJournal)ActivatorUtilities.CreateInstance(sp, journal))));
        builder.Services.AddSingleton(new SnapshotOptions(eventsPerSnapshot));
        builder.Services.AddSingleton(new WebhookOptions { SecretKeys = [WebhookOptions.DevelopmentKey], AllowPrivateAddresses = true, Attempts = 2, FirstRetrySeconds = 0 });
        builder.Services.AddKeyedSingleton(GrainServices.ProductClock, clock ?? TimeProvider.System);
        builder.UseOrleans(silo =>
        {
            silo.UseLocalhostClustering(FreePort(), gatewayPort: 0, primarySiloEndpoint: first?.Address.Endpoint, serviceId: "test", clusterId: "test");
            silo.Configure<EndpointOptions>(endpoint => endpoint.AdvertisedIPAddress = IPAddress.Loopback);
            silo.Configure<SiloMessagingOptions>(messaging => messaging.ResponseTimeout = patience ?? messaging.ResponseTimeout);
            silo.AddAgencyPlatformSnapshots("stored");
            silo.AddAgencyPlatformSubscriptions();
            silo.Services.AddKeyedSingleton<IGrainStorage>(GrainServices.SnapshotStorage, (sp, _) => Snapshots.Over(sp.GetRequiredKeyedService<IGrainStorage>("stored")));
            silo.AddAgencyPlatformGrains();
            silo.AddIncomingGrainCallFilter(Faults);
            silo.AddOutgoingGrainCallFilter(TellAgency);
        });
        _host = builder.Build();
        await _host.StartAsync();
    }

    /// <param name="patience">How long it may end what it is at; then it goes all the same, as if it were killed. Null: as long as it takes.</param>
    public async Task Stop(TimeSpan? patience = null)
    {
        if (_host is { } host)
        {
            _host = null;
            using var end = new CancellationTokenSource(patience ?? Timeout.InfiniteTimeSpan);
            try
            {
                await host.StopAsync(end.Token);
            }
            catch (Exception) when (end.IsCancellationRequested)
            {
                // It was not ready to go.
            }

            await ((IAsyncDisposable)host).DisposeAsync();
        }
    }

    public async ValueTask DisposeAsync() => await Stop();

    /// <summary>The aggregate folded from its first event.</summary>
    internal async Task<Folded<TState>> Replayed<TState>(AggregateKey key) where TState : class, IState<TState>
    {
        var folded = Folded<TState>.Initial;
        await foreach (var stored in Journal.ReadStream(key))
        {
            folded = folded.Apply(stored);
        }

        return folded;
    }

    /// <summary>Throws the activation away: the next call folds the aggregate anew.</summary>
    public static Task Forget(IAggregateGrain grain) => grain.AsReference<IGrainManagementExtension>().DeactivateOnIdle().AsTask();

    /// <summary>A test calls for the agency whose grain it asks, as a gateway does for its caller; grains tell what they were told.</summary>
    private static Task TellAgency(IOutgoingGrainCallContext context)
    {
        if (context.SourceContext?.GrainInstance is not IAggregateGrain && RequestContext.Get("agency") is null)
        {
            CallerAgency.Set(new AgencyId(AggregateKey.AgencyOf(context.TargetId.Key.ToString()!)));
        }

        return context.Invoke();
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}

/// <summary>Sees from where on an aggregate was read last (0 is the whole journal), and can stand between an aggregate and its appends.</summary>
public sealed class JournalProbe
{
    private readonly ConcurrentDictionary<AggregateKey, long> _readAfter = new();
    private readonly ConcurrentDictionary<AggregateKey, Func<AppendItem, Func<ValueTask<AppendResult>>, ValueTask<AppendResult>>> _appends = new();

    public long LastReadAfter(AggregateKey key) => _readAfter[key];

    /// <summary>Sets what was seen, where the test itself has read meanwhile.</summary>
    public void Note(AggregateKey key, long after) => _readAfter[key] = after;

    /// <summary>From now on an aggregate's appends go through a test's hands, which may pass them on.</summary>
    public void Take(AggregateKey key, Func<AppendItem, Func<ValueTask<AppendResult>>, ValueTask<AppendResult>> append) => _appends[key] = append;

    /// <summary>Appends go straight to the journal again.</summary>
    public void Release(AggregateKey key) => _appends.TryRemove(key, out _);

    internal IJournal Over(IJournal journal) => new Seen(this, journal);

    private sealed class Seen(JournalProbe probe, IJournal journal) : IJournal
    {
        public ValueTask<AppendResult> Append(AppendItem item) =>
            probe._appends.TryGetValue(item.Key, out var append) ? append(item, () => journal.Append(item)) : journal.Append(item);

        public ValueTask<FenceRead> ReadFence(AggregateKey key, Guid? request) => journal.ReadFence(key, request);

        public IAsyncEnumerable<StoredEvent> ReadStream(AggregateKey key, long after, long upTo, CancellationToken cancellation)
        {
            probe._readAfter[key] = after;
            return journal.ReadStream(key, after, upTo, cancellation);
        }

        public Task<IReadOnlyList<StoredEvent>> ReadFeed(AgencyId agency, long after, int limit, FeedFilter? filter, CancellationToken cancellation, long bytes) =>
            journal.ReadFeed(agency, after, limit, filter, cancellation, bytes);

        public Task<FeedHead> ReadHead(AgencyId agency, CancellationToken cancellation) => journal.ReadHead(agency, cancellation);
    }
}

/// <summary>Sees each write of a snapshot, and can be out of order.</summary>
public sealed class SnapshotProbe
{
    private readonly Channel<bool> _writes = Channel.CreateUnbounded<bool>();

    /// <summary>Every read and write fails.</summary>
    public bool Down { get; set; }

    /// <summary>Whether the next write, or the one just done, succeeded.</summary>
    public async Task<bool> NextWrite()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        return await _writes.Reader.ReadAsync(patience.Token);
    }

    /// <summary>Forgets the writes that nobody asked for.</summary>
    public void Forget()
    {
        while (_writes.Reader.TryRead(out _))
        {
        }
    }

    internal IGrainStorage Over(IGrainStorage storage) => new Seen(this, storage);

    private sealed class Seen(SnapshotProbe probe, IGrainStorage storage) : IGrainStorage
    {
        public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
            probe.Down ? throw new IOException("The test has taken the snapshots away.") : storage.ReadStateAsync(stateName, grainId, grainState);

        public async Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
        {
            var written = false;
            try
            {
                if (probe.Down)
                {
                    throw new IOException("The test has taken the snapshots away.");
                }

                await storage.WriteStateAsync(stateName, grainId, grainState);
                written = true;
            }
            finally
            {
                probe._writes.Writer.TryWrite(written);
            }
        }

        public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) => storage.ClearStateAsync(stateName, grainId, grainState);
    }
}
