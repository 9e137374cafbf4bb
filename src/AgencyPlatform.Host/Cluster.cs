using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using AgencyPlatform.Contracts.Journal;
using AgencyPlatform.Grains;
using AgencyPlatform.Host.Configuration;
using AgencyPlatform.Storage;
using AgencyPlatform.Storage.Membership;
using AgencyPlatform.Storage.Snapshots;
using Orleans.Configuration;

namespace AgencyPlatform.Host;

/// <summary>The cluster could not be reached; the message says for how long and what to do.</summary>
internal sealed class ClusterException(string message) : Exception(message);

/// <summary>How a process takes part in the cluster, and how soon the cluster notices who is gone. See docs/adr/0008-cluster.md.</summary>
internal static class Cluster
{
    /// <summary>
    /// A call of a gateway process that a silo has not answered by then is answered UNAVAILABLE: a client of the cluster is not told when a silo
    /// dies with its call. Calls that work longer say so themselves.
    /// </summary>
    private static readonly TimeSpan s_gatewayPatience = TimeSpan.FromSeconds(3);

    /// <summary>How long after a silo's end a gateway process may still see it in its list.</summary>
    private static readonly TimeSpan s_gatewayListRefresh = TimeSpan.FromSeconds(2);

    /// <summary>Grains, as a member of the cluster: of PostgreSQL's, or (SQLite) of one that is this process alone.</summary>
    public static void AddSilo(this WebApplicationBuilder builder, HostSettings settings) => builder.Host.UseOrleans(silo =>
    {
        var port = settings.SiloPort == 0 ? FreePort(settings.AdvertisedAddress) : settings.SiloPort;
        if (settings.Storage.Provider == StorageProvider.Sqlite)
        {
            silo.UseLocalhostClustering(port, gatewayPort: 0, primarySiloEndpoint: null, settings.ServiceId, settings.ClusterId);
            silo.Configure<EndpointOptions>(endpoint => endpoint.AdvertisedIPAddress = IPAddress.Loopback);
        }
        else
        {
            silo.UseAgencyPlatformMembership();
            silo.Configure<ClusterOptions>(cluster => (cluster.ClusterId, cluster.ServiceId) = (settings.ClusterId, settings.ServiceId));
            silo.Configure<EndpointOptions>(endpoint =>
            {
                endpoint.AdvertisedIPAddress = settings.AdvertisedAddress;
                endpoint.SiloPort = port;
                endpoint.GatewayPort = settings.SiloGatewayPort == 0 ? FreePort(settings.AdvertisedAddress) : settings.SiloGatewayPort;
            });
            silo.Configure<ClusterMembershipOptions>(NoticeSoon);
        }

        if (settings.OtlpEndpoint is not null)
        {
            silo.AddSampledActivityPropagation();
        }

        silo.Services.AddSingleton<ClockGuard>();
        silo.Services.AddHostedService(services => services.GetRequiredService<ClockGuard>());
        silo.AddAgencyPlatformSnapshots(GrainServices.SnapshotStorage);
        silo.AddAgencyPlatformSubscriptions();
        silo.Services.AddSingleton(settings.Webhooks);
        silo.AddAgencyPlatformGrains();
    });

    /// <summary>No grains: a client of the cluster that the database names.</summary>
    public static void AddClusterClient(this WebApplicationBuilder builder, HostSettings settings) => builder.Host.UseOrleansClient(client =>
    {
        client.UseAgencyPlatformMembership();
        client.Configure<ClusterOptions>(cluster => (cluster.ClusterId, cluster.ServiceId) = (settings.ClusterId, settings.ServiceId));
        client.Configure<Orleans.Configuration.GatewayOptions>(gateways => gateways.GatewayListRefreshPeriod = s_gatewayListRefresh);
        client.Configure<ClientMessagingOptions>(messaging => messaging.ResponseTimeout = s_gatewayPatience);
        client.AddMemoryStreams(FeedStream.Provider);
        client.UseConnectionRetryFilter(new FirstConnection(settings).TryAgain);
    });

    /// <summary>
    /// A killed silo refuses connections: two missed probes, one a second, and its neighbours vote it out. A frozen one keeps its connections,
    /// and is voted out only once nothing was heard from it for twice the longest probe: a machine that is merely busy is not.
    /// </summary>
    private static void NoticeSoon(ClusterMembershipOptions membership)
    {
        membership.ProbeTimeout = TimeSpan.FromSeconds(1);
        membership.MinProbeTimeout = TimeSpan.FromSeconds(1);
        membership.MaxProbeTimeout = TimeSpan.FromSeconds(4);
        membership.NumMissedProbesLimit = 2;
        membership.NumVotesForDeathDeclaration = 2;
        membership.EnableConnectionLivenessCheck = true;
        membership.EnableIndirectProbes = true;

        // What gossip has not told: a silo that returns from a freeze reads here that it is dead, and ends.
        membership.TableRefreshTimeout = TimeSpan.FromSeconds(5);
        membership.IAmAliveTablePublishTimeout = TimeSpan.FromSeconds(5);
        membership.NumMissedTableIAmAliveLimit = 3;
        membership.MaxJoinAttemptTime = TimeSpan.FromSeconds(60);
        membership.DefunctSiloExpiration = TimeSpan.FromHours(1);
    }

    /// <summary>The address that other machines reach this one at, where none was set: the one that it listens on, else its first that is no loopback.</summary>
    public static IPAddress Advertised(IPAddress listen) =>
        !listen.Equals(IPAddress.Any) && !listen.Equals(IPAddress.IPv6Any)
            ? listen
            : NetworkInterface.GetAllNetworkInterfaces()
                .Where(network => network.OperationalStatus == OperationalStatus.Up && network.NetworkInterfaceType != NetworkInterfaceType.Loopback)
                .SelectMany(network => network.GetIPProperties().UnicastAddresses)
                .Select(unicast => unicast.Address)
                .FirstOrDefault(address => address.AddressFamily == AddressFamily.InterNetwork) ?? IPAddress.Loopback;

    private static int FreePort(IPAddress address)
    {
        using var listener = new TcpListener(address, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>The first connection is tried until the cluster is there, for a bounded time.</summary>
    private sealed class FirstConnection(HostSettings settings)
    {
        private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(500);
        private readonly long _begun = TimeProvider.System.GetTimestamp();

        public async Task<bool> TryAgain(Exception why, CancellationToken cancellation)
        {
            if (TimeProvider.System.GetElapsedTime(_begun).TotalSeconds > settings.ConnectSeconds)
            {
                throw new ClusterException(
                    $"No silo of the cluster {settings.ClusterId} could be reached in {settings.ConnectSeconds} s ({why.Message}) Start one with --role silo on the same database, or wait longer with Cluster:ConnectSeconds.");
            }

            await Task.Delay(s_pause, TimeProvider.System, cancellation);
            return true;
        }
    }
}
