using System.Reflection;
using AgencyPlatform.Gateway.OpenApi;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
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
        services.AddGrpcHealthChecks().AddCheck<StorageHealth>("storage");
        return services;
    }

    /// <summary>Maps every gRPC service of this assembly, with gRPC-Web, reflection, health, the OpenAPI document (/openapi/v1.json) and its page (/docs).</summary>
    public static WebApplication MapAgencyPlatformGateway(this WebApplication app)
    {
        var most = app.Services.GetRequiredService<IOptions<GatewayOptions>>().Value.MaxRequestBytes;
        app.Use((http, next) => LimitBody(http, next, most));
        app.UseGrpcWeb(new GrpcWebOptions { DefaultEnabled = true });
        var map = typeof(GrpcEndpointRouteBuilderExtensions).GetMethods().Single(m => m.Name == nameof(GrpcEndpointRouteBuilderExtensions.MapGrpcService) && m.GetParameters().Length == 1);
        foreach (var service in Services())
        {
            map.MakeGenericMethod(service).Invoke(null, [app]);
        }

        app.MapGrpcReflectionService();
        app.MapGrpcHealthChecksService();

        var document = new Lazy<Task<string>>(ApiDocument.Json);
        app.MapGet("/openapi/v1.json", async (HttpContext http) =>
        {
            http.Response.ContentType = "application/json";
            await http.Response.WriteAsync(await document.Value, http.RequestAborted);
        });
        app.MapScalarApiReference("/docs", page => page.WithTitle("AgencyPlatform API").WithOpenApiRoutePattern("/openapi/{documentName}.json").AddDocument("v1"));
        return app;
    }

    /// <summary>gRPC counts the bytes of its own messages; JSON is counted here, before anything of it is parsed.</summary>
    private static async Task LimitBody(HttpContext http, RequestDelegate next, int most)
    {
        if (http.Request.ContentType?.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase) is true)
        {
            await next(http);
            return;
        }

        if (http.Request.ContentLength is null && http.Request.Body is { } body && http.Features.Get<IHttpRequestBodyDetectionFeature>() is { CanHaveBody: true })
        {
            // A body whose length is not told is read here, no further than it may go. The server reads on what is left, so that the sender hears the answer.
            var read = new MemoryStream();
            var buffer = new byte[16 * 1024];
            for (int count; (count = await body.ReadAsync(buffer, http.RequestAborted)) > 0;)
            {
                if (read.Length + count > most)
                {
                    await RefuseBody(http, most);
                    return;
                }

                read.Write(buffer, 0, count);
            }

            read.Position = 0;
            http.Request.Body = read;
        }
        else if (http.Request.ContentLength > most)
        {
            await RefuseBody(http, most);
            return;
        }

        await next(http);
    }

    private static async Task RefuseBody(HttpContext http, int most)
    {
        http.Response.StatusCode = StatusCodes.Status413PayloadTooLarge;
        http.Response.ContentType = "application/json";
        await http.Response.WriteAsync(Errors.TooLarge(most), http.RequestAborted);
    }

    /// <summary>The gRPC services of this assembly.</summary>
    internal static IEnumerable<System.Type> Services() =>
        typeof(GatewayRegistration).Assembly.GetTypes().Where(t => t is { IsAbstract: false, BaseType: { } b } && b.GetCustomAttribute<BindServiceMethodAttribute>() is not null);
}
