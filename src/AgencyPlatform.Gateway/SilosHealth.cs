using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace AgencyPlatform.Gateway;

/// <summary>Whether a silo answers. Asking is what connects a gateway again whose silos were all gone.</summary>
internal sealed class SilosHealth(IGrainFactory grains) : IHealthCheck
{
    /// <summary>Each key has a way of its own to the silos: one that stands still does not hide the others.</summary>
    private const int Ways = 3;

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var asked = Enumerable.Range(0, Ways).Select(Ask).ToList();
        while (true)
        {
            var first = await Task.WhenAny(asked).WaitAsync(cancellationToken);
            asked.Remove(first);
            if (await first is not { } trouble)
            {
                return HealthCheckResult.Healthy();
            }

            if (asked.Count == 0)
            {
                return HealthCheckResult.Unhealthy("No silo answers.", trouble);
            }
        }
    }

    private async Task<Exception?> Ask(int way)
    {
        try
        {
            await grains.GetGrain<ISiloGrain>(way).Answer();
            return null;
        }
        catch (Exception e)
        {
            return e;
        }
    }
}
