namespace AgencyPlatform.Faults;

/// <summary>A silo that is taken for dead, and comes back.</summary>
internal sealed class SiloFrozen : Fault
{
    private static readonly TimeSpan s_frozen = TimeSpan.FromSeconds(30);
    private DateTimeOffset _since;

    public override string Name => "silo-frozen";

    public override string What => "SIGSTOP of a silo for 30 s: the others vote it out; when it comes back it ends itself with an error, and is started again.";

    public override TimeSpan Bound => TimeSpan.FromSeconds(20);

    public override Task Strike(Scene scene, int time)
    {
        scene.Cluster.Silos[0].Signal(Member.SigStop);
        _since = TimeProvider.System.GetUtcNow();
        return Task.CompletedTask;
    }

    public override async Task Mend(Scene scene, int time)
    {
        var frozen = scene.Cluster.Silos[0];
        if (s_frozen - (TimeProvider.System.GetUtcNow() - _since) is var left && left > TimeSpan.Zero)
        {
            await Task.Delay(left, TimeProvider.System);
        }

        frozen.Signal(Member.SigCont);
        if (await frozen.Ended() == 0)
        {
            scene.Wrong($"{frozen.Name} came back from the dead and ended without an error");
        }

        await scene.Cluster.StartSilo(0);
    }
}
