using AgencyPlatform.Contracts;
using AgencyPlatform.Contracts.Journal;
using AgencyPlatform.Domain;
using AgencyPlatform.Domain.Cmos;
using AgencyPlatform.Host;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace AgencyPlatform.Benchmarks.Servers;

/// <summary>
/// The platform with everything on, but for one thing: what a CMO decides is acknowledged and stored nowhere. What a durable call costs more than a call here
/// is the price of durability, feed, idempotency across restarts and lists.
/// </summary>
internal static class UnstoredServer
{
    /// <param name="settings">As the platform's own command line takes them, Key=Value.</param>
    public static async Task<int> Run(string data, IEnumerable<string> settings, CancellationToken cancellation)
    {
        var overrides = settings.Select(s => s.Split('=', 2)).Append(["Storage:ConnectionString", $"Data Source={Path.Combine(data, "unstored.db")}"])
            .Concat([["Listen:GrpcPort", "0"], ["Listen:HttpPort", "0"]])
            .ToDictionary(s => "AgencyPlatform:" + s[0], s => (string?)s[1]);
        await using var app = PlatformHost.Build(overrides, "Production", services =>
        {
            var stored = services.Single(s => s.ServiceType == typeof(IJournal));
            services.Replace(ServiceDescriptor.Singleton<IJournal>(s => new UnstoredJournal((IJournal)ActivatorUtilities.CreateInstance(s, stored.ImplementationType!))));
        });
        await app.StartAsync(cancellation);
        Console.WriteLine($"gRPC (HTTP/2, reflection)   {app.Addresses().Grpc.Authority}");
        Console.WriteLine("Ctrl+C stops it.");
        await app.WaitForShutdownAsync(cancellation);
        return 0;
    }

    /// <summary>Stores the creation of a CMO and all that is of others, so that who calls, agencies and clients are what they are.</summary>
    private sealed class UnstoredJournal(IJournal stored) : IJournal
    {
        public ValueTask<AppendResult> Append(AppendItem item) => item.Key.Kind == FractionalCmo.Kind && item.ExpectedVersion > 0
            ? ValueTask.FromResult<AppendResult>(new AppendResult.Appended(item.ExpectedVersion + 1, item.Events[0].OccurredAt))
            : stored.Append(item);

        public ValueTask<FenceRead> ReadFence(AggregateKey key, Guid? request) => stored.ReadFence(key, request);

        public IAsyncEnumerable<StoredEvent> ReadStream(AggregateKey key, long after, long upTo, CancellationToken cancellation) => stored.ReadStream(key, after, upTo, cancellation);

        public Task<IReadOnlyList<StoredEvent>> ReadFeed(AgencyId agency, long after, int limit, FeedFilter? filter, CancellationToken cancellation, long bytes) =>
            stored.ReadFeed(agency, after, limit, filter, cancellation, bytes);

        public Task<FeedHead> ReadHead(AgencyId agency, CancellationToken cancellation) => stored.ReadHead(agency, cancellation);
    }
}
