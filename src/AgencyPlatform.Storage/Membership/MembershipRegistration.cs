using AgencyPlatform.Storage.Engines;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Orleans.Configuration;

namespace AgencyPlatform.Storage.Membership;

/// <summary>Clustering through the PostgreSQL database that <see cref="StorageServices.AddAgencyPlatformStorage"/> was given.</summary>
public static class MembershipRegistration
{
    private const string Invariant = "Npgsql";

    /// <summary>Makes the silo a member of the cluster that the database keeps.</summary>
    public static ISiloBuilder UseAgencyPlatformMembership(this ISiloBuilder silo)
    {
        silo.UseAdoNetClustering((OptionsBuilder<AdoNetClusteringSiloOptions> options) =>
            options.Configure<Database>((o, database) => (o.Invariant, o.DataSource) = (Invariant, database.ClusterSource)));
        silo.Services.AddSingleton<DepartedMembers>();
        silo.Services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>>(sp => sp.GetRequiredService<DepartedMembers>());
        return silo;
    }

    /// <summary>Lets a process without grains find the silos in the database.</summary>
    public static IClientBuilder UseAgencyPlatformMembership(this IClientBuilder client) =>
        client.UseAdoNetClustering((OptionsBuilder<AdoNetClusteringClientOptions> options) =>
            options.Configure<Database>((o, database) => (o.Invariant, o.DataSource) = (Invariant, database.ClusterSource)));
}
