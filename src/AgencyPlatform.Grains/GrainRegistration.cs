using AgencyPlatform.Grains.Clients;
using AgencyPlatform.Grains.Deadlines;
using AgencyPlatform.Grains.Placement;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace AgencyPlatform.Grains;

public static class GrainRegistration
{
    /// <summary>
    /// Adds what the grains need to a silo: placement by agency, the clock, the deadline scanner. The journal, the read models, the deadlines and
    /// the grain storage named <see cref="GrainServices.SnapshotStorage"/> come from Storage.
    /// </summary>
    public static ISiloBuilder AddAgencyPlatformGrains(this ISiloBuilder silo)
    {
        silo.Services.TryAddSingleton(TimeProvider.System);
        silo.Services.TryAddKeyedSingleton(GrainServices.ProductClock, TimeProvider.System);
        silo.Services.TryAddSingleton(new SnapshotOptions());
        silo.Services.TryAddSingleton<ActiveFacts>();
        silo.Services.AddSingleton<Competitors>();
        silo.Services.AddSingleton<GrainServices>();
        silo.Services.AddPlacementDirector<AgencyPlacementStrategy, AgencyPlacementDirector>();
        silo.Services.AddSingleton<ActiveAggregates>();
        silo.Services.AddHostedService<HomeComing>();
        silo.Services.AddHostedService<DeadlineScanner>();
        silo.AddIncomingGrainCallFilter<AgencyFilter>();
        return silo;
    }
}
