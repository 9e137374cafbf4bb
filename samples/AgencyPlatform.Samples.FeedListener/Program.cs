using AgencyPlatform.Client;
using AgencyPlatform.Contracts.Journal;
using AgencyPlatform.Domain;
using AgencyPlatform.Samples.FeedListener;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;
using Orleans.Streams;

// --connection "Host=…" --address http://… --key apk_… --agency acme [--clusterId agencyplatform] [--serviceId agencyplatform]
var builder = Host.CreateApplicationBuilder(args);
string Setting(string name, string? otherwise = null) => builder.Configuration[name] ?? otherwise ?? throw new ArgumentException($"--{name} is missing.");
var (agency, address, key) = (Setting("agency"), Setting("address"), Setting("key"));
builder.Logging.SetMinimumLevel(LogLevel.Warning);
builder.UseOrleansClient(client =>
{
    client.UseAdoNetClustering(options => (options.Invariant, options.ConnectionString) = ("Npgsql", Setting("connection")));
    client.Configure<ClusterOptions>(options => (options.ClusterId, options.ServiceId) = (Setting("clusterId", "agencyplatform"), Setting("serviceId", "agencyplatform")));
    client.AddMemoryStreams(FeedStream.Provider);
});
using var host = builder.Build();
await host.StartAsync();

using var platform = new AgencyPlatformClient(new AgencyPlatformClientOptions { Address = new Uri(address), ApiKey = key });
var listener = new Listener(platform, $"agencies/{agency}", line => Console.WriteLine(line));
await listener.Begin();
await FeedStream.Of(host.Services.GetRequiredService<IClusterClient>().GetStreamProvider(FeedStream.Provider), new AgencyId(agency)).SubscribeAsync((events, _) => listener.Hear(events));
Console.WriteLine("Listening.");

// A stream is best effort: what its last message would have told is found by looking now and then.
using var look = new PeriodicTimer(TimeSpan.FromSeconds(5));
var stopping = host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
try
{
    while (await look.WaitForNextTickAsync(stopping))
    {
        await listener.Look();
    }
}
catch (OperationCanceledException)
{
    await host.StopAsync();
}
