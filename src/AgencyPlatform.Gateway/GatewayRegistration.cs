using System.Reflection;
using AgencyPlatform.Gateway.Calendars;
using AgencyPlatform.Gateway.Events;
using AgencyPlatform.Gateway.Json;
using AgencyPlatform.Gateway.OpenApi;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Scalar.AspNetCore;

namespace AgencyPlatform.Gateway;

/// <summary>Adds the public API to a web application.</summary>
public static class GatewayRegistration
{
    /// <summary>
    /// Services of the public API: gRPC, JSON transcoding, gRPC-Web, reflection, health. They use the host's <see cref="IGrainFactory"/>,
    /// <see cref="IReadModels"/>, <see cref="IPeopleVault"/> and <see cref="IJournal"/>. Settings: section <see cref="GatewayOptions.Section"/>.
    /// </summary>
    public static IServiceCollection AddAgencyPlatformGateway(this IServiceCollection services, IConfiguration configuration)
    {
        services.Configure<GatewayOptions>(configuration.GetSection(GatewayOptions.Section));
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<ActiveFacts>();
        services.AddSingleton<FailedKeys>();
        services.AddSingleton<Authenticator>();
        services.AddSingleton<AgencyLimits>();
        services.AddSingleton<EventWire>();
        services.AddSingleton<FeedSight>();
        services.AddSingleton<FeedTurns>();
        services.AddSingleton<FeedTails>();
        services.AddHostedService(provider => provider.GetRequiredService<FeedTails>());
        services.AddSingleton<CalendarFeed>();
        services.AddSingleton<Calls>();
        services.AddSingleton<GatewayInterceptor>();
        services.AddGrpc(grpc =>
        {
            grpc.Interceptors.Add<GatewayInterceptor>();
            grpc.MaxReceiveMessageSize = configuration.GetSection(GatewayOptions.Section).GetValue<int?>(nameof(GatewayOptions.MaxRequestBytes)) ?? new GatewayOptions().MaxRequestBytes;
        }).AddJsonTranscoding(json =>
        {
            json.TypeRegistry = ProtocolFiles.Types;
            json.JsonSettings.WriteInt64sAsStrings = true;
        });
        services.AddGrpcReflection();
        services.AddGrpcHealthChecks().AddCheck<StorageHealth>("storage").AddCheck<SilosHealth>("silos");
        return services;
    }

    /// <summary>Maps every gRPC service of this assembly, with gRPC-Web, reflection, health, the OpenAPI document (/openapi/v1.json) and its page (/docs).</summary>
    public static WebApplication MapAgencyPlatformGateway(this WebApplication app)
    {
        var most = app.Services.GetRequiredService<IOptions<GatewayOptions>>().Value.MaxRequestBytes;
        app.UseMiddleware<JsonRequests>(most);
        app.UseGrpcWeb(new GrpcWebOptions { DefaultEnabled = true });
        app.UseMiddleware<UnreadGrpcRequests>(most);
        var map = typeof(GrpcEndpointRouteBuilderExtensions).GetMethods().Single(m => m.Name == nameof(GrpcEndpointRouteBuilderExtensions.MapGrpcService) && m.GetParameters().Length == 1);
        foreach (var service in Services())
        {
            map.MakeGenericMethod(service).Invoke(null, [app]);
        }

        app.MapGrpcReflectionService();
        app.MapGrpcHealthChecksService();

        app.MapMethods(CalendarFeed.Route, ["GET", "HEAD"], (HttpContext http, string secret) => app.Services.GetRequiredService<CalendarFeed>().Answer(http, secret));

        var document = new Lazy<Task<string>>(ApiDocument.Json);
        app.MapGet("/openapi/v1.json", async (HttpContext http) =>
        {
            http.Response.ContentType = "application/json";
            await http.Response.WriteAsync(await document.Value, http.RequestAborted);
        });
        // The page's own services (an agent, telemetry, developer tools) would call others than this host.
        app.MapScalarApiReference("/docs", page => page
            .WithTitle("AgencyPlatform API").WithOpenApiRoutePattern("/openapi/{documentName}.json").AddDocument("v1")
            .DisableAgent().DisableMcp().DisableTelemetry().HideDeveloperTools().DisableDefaultFonts());
        return app;
    }

    /// <summary>The gRPC services of this assembly.</summary>
    internal static IEnumerable<System.Type> Services() =>
        typeof(GatewayRegistration).Assembly.GetTypes().Where(t => t is { IsAbstract: false, BaseType: { } b } && b.GetCustomAttribute<BindServiceMethodAttribute>() is not null);
}
