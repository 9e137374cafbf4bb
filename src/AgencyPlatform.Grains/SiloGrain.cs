using Orleans.Concurrency;

namespace AgencyPlatform.Grains;

/// <inheritdoc cref="ISiloGrain"/>
[StatelessWorker]
internal sealed class SiloGrain : Grain, ISiloGrain
{
    public Task Answer() => Task.CompletedTask;
}
