using System.Threading.RateLimiting;
using AgencyPlatform.Dashboard.Session;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using MudBlazor.Services;

namespace AgencyPlatform.Dashboard;

/// <summary>How the dashboard is served.</summary>
public sealed class DashboardOptions
{
    /// <summary>Where the platform's gRPC API listens. Asked when the first page needs it, as a host that takes free ports knows them only then.</summary>
    public required Func<Uri> Api { get; init; }

    /// <summary>Folder of the keys that sign-in cookies are encrypted with. Processes that serve the same people share it; null: they are kept in memory, and everybody signs in anew after a restart.</summary>
    public required string? KeysFolder { get; init; }
}

/// <summary>Adds the dashboard to a web application.</summary>
public static class DashboardRegistration
{
    private const string SignInLimit = "sign-in";

    /// <summary>Services of the dashboard.</summary>
    public static IServiceCollection AddAgencyPlatformDashboard(this IServiceCollection services, DashboardOptions options)
    {
        services.AddSingleton(options);
        services.TryAddSingleton(TimeProvider.System);
        services.AddRazorComponents().AddInteractiveServerComponents();
        services.AddMudServices(mud => mud.SnackbarConfiguration.PreventDuplicates = false);
        var protection = services.AddDataProtection().SetApplicationName("agencyplatform");
        _ = options.KeysFolder is { } folder ? protection.PersistKeysToFileSystem(new DirectoryInfo(folder)) : protection.UseEphemeralDataProtectionProvider();
        services.AddAuthentication(CookieAuthenticationDefaults.AuthenticationScheme).AddCookie(cookie =>
        {
            cookie.Cookie.Name = "agencyplatform";
            cookie.Cookie.SameSite = SameSiteMode.Lax;
            cookie.LoginPath = SignInPage.Path;
            cookie.ReturnUrlParameter = "to";
            cookie.ExpireTimeSpan = TimeSpan.FromHours(12);
            cookie.SlidingExpiration = true;
        });
        services.AddAuthorization();
        services.AddCascadingAuthenticationState();
        services.AddHttpContextAccessor();
        services.AddSingleton<Watches>();
        services.AddScoped<AgencySession>();
        services.AddScoped<LiveFeed>();
        // Keys are long and random; this keeps whoever tries from using up what the API allows the dashboard.
        services.AddRateLimiter(limiter =>
        {
            limiter.RejectionStatusCode = StatusCodes.Status429TooManyRequests;
            limiter.AddPolicy(SignInLimit, http => HttpMethods.IsPost(http.Request.Method)
                ? RateLimitPartition.GetFixedWindowLimiter(http.Connection.RemoteIpAddress?.ToString() ?? "", _ => new() { PermitLimit = 20, Window = TimeSpan.FromMinutes(1) })
                : RateLimitPartition.GetNoLimiter(""));
        });
        return services;
    }

    /// <summary>Maps the pages, from <c>/</c> on.</summary>
    public static WebApplication MapAgencyPlatformDashboard(this WebApplication app)
    {
        // Addresses that are nobody's: a person gets a sentence, a program the bare status.
        app.UseWhen(http => HttpMethods.IsGet(http.Request.Method) && http.Request.GetTypedHeaders().Accept.Any(a => a.MediaType == "text/html"), browser => browser.UseStatusCodePages(async context =>
        {
            if (context.HttpContext.Response.StatusCode == StatusCodes.Status404NotFound)
            {
                context.HttpContext.Response.ContentType = "text/html; charset=utf-8";
                await context.HttpContext.Response.WriteAsync(Pages.NotFound.Page);
            }
        }));
        app.UseAuthentication();
        app.UseAuthorization();
        app.UseRateLimiter();
        app.UseAntiforgery();
        // The host's own; a process that only borrows the host, as tests of the API do, has no files for pages.
        var files = Path.Combine(AppContext.BaseDirectory, $"{app.Environment.ApplicationName}.staticwebassets.endpoints.json");
        if (File.Exists(files))
        {
            app.MapStaticAssets(files);
        }

        app.MapRazorComponents<App>().AddInteractiveServerRenderMode().Add(endpoint =>
        {
            if (endpoint is Microsoft.AspNetCore.Routing.RouteEndpointBuilder { RoutePattern.RawText: SignInPage.Path })
            {
                endpoint.Metadata.Add(new EnableRateLimitingAttribute(SignInLimit));
            }
        });
        app.MapPost("/sign-out", SignInPage.SignOut);
        return app;
    }
}
