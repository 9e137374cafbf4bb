using Microsoft.Extensions.DependencyInjection;

namespace AgencyPlatform.Client;

/// <summary>Adds the client to a host's services.</summary>
public static class ClientRegistration
{
    /// <summary>One <see cref="AgencyPlatformClient"/> for the process, for its key.</summary>
    public static IServiceCollection AddAgencyPlatformClient(this IServiceCollection services, AgencyPlatformClientOptions options) =>
        services.AddSingleton(_ => new AgencyPlatformClient(options));
}
