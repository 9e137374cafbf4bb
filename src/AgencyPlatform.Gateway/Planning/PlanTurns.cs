namespace AgencyPlatform.Gateway.Planning;

/// <summary>
/// Plans are looked for a few at a time: each takes whole processors for as long as it may. Who comes when all turns are taken is refused at once.
/// </summary>
internal sealed class PlanTurns : IDisposable
{
    /// <summary>In this process.</summary>
    private const int AtOnce = 2;

    private static readonly TimeSpan s_wait = TimeSpan.FromSeconds(5);

    private readonly SemaphoreSlim _turns = new(AtOnce);

    /// <summary>Threads of one search: the process has other callers too.</summary>
    public static int Workers => Math.Max(1, Environment.ProcessorCount / AtOnce);

    /// <summary>A turn, which lasts until what is returned is disposed.</summary>
    public IDisposable Take() => _turns.Wait(0) ? new Turn(_turns) : throw Errors.Exhausted("platform", "plans at the same time", AtOnce, s_wait);

    public void Dispose() => _turns.Dispose();

    private sealed class Turn(SemaphoreSlim turns) : IDisposable
    {
        public void Dispose() => turns.Release();
    }
}
