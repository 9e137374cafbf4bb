using AgencyPlatform.Domain.Agencies;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace AgencyPlatform.Gateway;

/// <summary>Whether the journal can be read: without it nothing is answered.</summary>
internal sealed class StorageHealth(IJournal journal) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            await journal.ReadHead(AgencyListing.Platform, cancellationToken);
            return HealthCheckResult.Healthy();
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            return HealthCheckResult.Unhealthy("The journal cannot be read.", e);
        }
    }
}
