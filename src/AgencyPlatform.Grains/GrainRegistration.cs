using AgencyPlatform.Grains.Clients;
using AgencyPlatform.Grains.Deadlines;
using AgencyPlatform.Grains.Placement;
using AgencyPlatform.Grains.Webhooks;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Orleans.Configuration;

namespace AgencyPlatform.Grains;

public static class GrainRegistration
{
    /// <summary>
    /// Adds what the grains need to a silo: placement by agency, the clock, the deadline scanner, the stream of each agency's events. The journal, the read models, the deadlines and
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
        silo.Services.TryAddSingleton(new WebhookOptions());
        silo.Services.AddSingleton<WebhookSecrets>();
        silo.Services.AddSingleton<WebhookSender>();
        silo.Services.AddSingleton<FeedWakes>();
        silo.Services.AddPlacementDirector<AgencyPlacementStrategy, AgencyPlacementDirector>();
        silo.Services.AddSingleton<ActiveAggregates>();
        silo.Services.AddHostedService<HomeComing>();
        silo.Services.AddHostedService<DeadlineScanner>();
        silo.AddMemoryStreams(FeedStream.Provider, streams => streams.ConfigureCacheEviction(Brief));
        silo.Services.AddHostedService<FeedPublisher>();
        silo.AddIncomingGrainCallFilter<AgencyFilter>();
        return silo;
    }

    /// <summary>What was delivered is kept for subscribers that are a little behind; by itself Orleans would keep five minutes of all events in memory.</summary>
    private static void Brief(OptionsBuilder<StreamCacheEvictionOptions> options) => options.Configure(cache =>
        (cache.DataMinTimeInCache, cache.DataMaxAgeInCache, cache.MetadataMinTimeInCache) = (TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(20)));
}
