using System.Net;
using AgencyPlatform.Dashboard;
using AgencyPlatform.Gateway;
using AgencyPlatform.Host.Configuration;
using AgencyPlatform.Storage;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace AgencyPlatform.Host;

/// <summary>The one composition: gateway, grains and storage, as the process's role has them.</summary>
public static class PlatformHost
{
    /// <summary>Builds the host; nothing is started.</summary>
    /// <param name="overrides">Settings of the command line, by full key (<c>AgencyPlatform:Listen:GrpcPort</c>); they win over files and environment.</param>
    /// <param name="environment">Development, Production, …; null: what DOTNET_ENVIRONMENT says, else Production.</param>
    /// <param name="change">Changes what was registered, at last: how tests take a layer out.</param>
    /// <exception cref="SettingsException">Names every wrong setting at once.</exception>
    public static WebApplication Build(IReadOnlyDictionary<string, string?> overrides, string? environment = null, Action<IServiceCollection>? change = null)
    {
        var builder = Configured(overrides, environment, out var settings);
        builder.Services.AddSingleton(settings);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            // gRPC without TLS needs a port that speaks nothing but HTTP/2.
            if (settings.Role != HostRole.Silo)
            {
                kestrel.Listen(settings.Address, settings.GrpcPort, listen => listen.Protocols = HttpProtocols.Http2);
            }

            kestrel.Listen(settings.Address, settings.HttpPort, listen => listen.Protocols = HttpProtocols.Http1);
        });
        WebApplication? app = null;
        builder.AddTelemetry(settings);
        builder.Services.AddAgencyPlatformStorage(settings.Storage);
        if (settings.Role != HostRole.Silo)
        {
            builder.Services.AddAgencyPlatformGateway(builder.Configuration.GetSection(HostSettings.Section));
            // Files of the pages stand in the projects until the host is published.
            builder.WebHost.UseStaticWebAssets();
            builder.Services.AddAgencyPlatformDashboard(new DashboardOptions { Api = () => OwnApi(app!), KeysFolder = settings.DashboardKeys });
        }

        if (settings.Role == HostRole.Gateway)
        {
            builder.AddClusterClient(settings);
        }
        else
        {
            builder.AddSilo(settings);
        }

        change?.Invoke(builder.Services);
        app = builder.Build();
        if (settings.BehindProxy)
        {
            // The last address is the one that the proxy in front has seen itself.
            var forwarded = new ForwardedHeadersOptions { ForwardedHeaders = ForwardedHeaders.XForwardedFor, ForwardLimit = 1 };
            forwarded.KnownProxies.Clear();
            forwarded.KnownIPNetworks.Clear();
            app.UseForwardedHeaders(forwarded);
        }

        app.MapPrometheusScrapingEndpoint();
        app.MapGet("/health", () => Results.Text("serving\n"));
        if (settings.Role != HostRole.Silo)
        {
            app.MapAgencyPlatformGateway();
            app.MapAgencyPlatformDashboard();
        }

        return app;
    }

    /// <summary>The builder with all sources of configuration, and the settings read from it. Commands without a host use it too.</summary>
    internal static WebApplicationBuilder Configured(IReadOnlyDictionary<string, string?> overrides, string? environment, out HostSettings settings)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions
        {
            EnvironmentName = environment ?? Environment.GetEnvironmentVariable("DOTNET_ENVIRONMENT") ?? Environment.GetEnvironmentVariable("ASPNETCORE_ENVIRONMENT"),
            ContentRootPath = AppContext.BaseDirectory,
        });
        builder.Configuration.AddInMemoryCollection(overrides);
        settings = HostSettings.Read(builder.Configuration, builder.Environment);
        return builder;
    }

    /// <summary>Where the pages reach the gRPC API of their own process.</summary>
    private static Uri OwnApi(WebApplication app)
    {
        var grpc = new UriBuilder(app.Addresses().Grpc);
        grpc.Host = IPAddress.TryParse(grpc.Host.Trim('[', ']'), out var address) && (address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any)) ? "127.0.0.1" : grpc.Host;
        return grpc.Uri;
    }

    /// <summary>Where a started host answers, also when it was told to take free ports. A silo alone has no gRPC: its address is said twice.</summary>
    public static (Uri Grpc, Uri Http) Addresses(this WebApplication app)
    {
        // In the order of the Listen calls.
        var addresses = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Select(a => new Uri(a)).ToArray();
        return (addresses[0], addresses[^1]);
    }
}
