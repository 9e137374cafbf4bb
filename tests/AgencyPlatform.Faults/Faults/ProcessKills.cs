namespace AgencyPlatform.Faults;

/// <summary>A silo that is gone from one moment to the next, again and again.</summary>
internal sealed class SiloKilled : Fault
{
    public override string Name => "silo-killed";

    public override string What => "kill -9 of a silo, three times, each time another one, which is started again once all agencies are answered.";

    public override TimeSpan Bound => TimeSpan.FromSeconds(10);

    public override int Times => 3;

    public override Task Strike(Scene scene, int time) => scene.Cluster.Silos[time].Kill();

    public override Task Mend(Scene scene, int time) => scene.Cluster.StartSilo(time);
}
