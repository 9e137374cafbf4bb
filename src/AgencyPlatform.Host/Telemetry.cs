using AgencyPlatform.Host.Configuration;
using Npgsql;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace AgencyPlatform.Host;

/// <summary>Traces, metrics and logs: over OTLP when an endpoint is set, metrics for Prometheus at /metrics always.</summary>
internal static class Telemetry
{
    public static void AddTelemetry(this WebApplicationBuilder builder, HostSettings settings)
    {
        var telemetry = builder.Services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService("agencyplatform", serviceVersion: typeof(Telemetry).Assembly.GetName().Version?.ToString()))
            .WithMetrics(metrics => metrics
                // Requests and connections. Not every meter of ASP.NET Core: its memory pools, routing and queues count several times a call.
                .AddMeter("Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel")
                .AddView("kestrel.queued_requests", MetricStreamConfiguration.Drop)
                .AddView("http.server.active_requests", MetricStreamConfiguration.Drop)
                .AddRuntimeInstrumentation()
                .AddMeter("Microsoft.Orleans", "Npgsql", "AgencyPlatform.*")
                .AddPrometheusExporter());
        if (settings.OtlpEndpoint is not { } endpoint)
        {
            return;
        }

        telemetry.WithTracing(tracing => tracing
            .SetSampler(new ParentBasedSampler(new TraceIdRatioBasedSampler(settings.TraceRatio)))
            // A calendar's path is its secret.
            .AddAspNetCoreInstrumentation(web => web.Filter = http => !http.Request.Path.StartsWithSegments("/calendars"))
            .AddSource("Microsoft.Orleans.*", "AgencyPlatform.*")
            .AddNpgsql());
        telemetry.WithLogging(null, logs => logs.IncludeScopes = true);
        telemetry.UseOtlpExporter(OpenTelemetry.Exporter.OtlpExportProtocol.Grpc, endpoint);
    }
}
