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

/// <summary>One of two gateways gone; callers go to the other one.</summary>
internal sealed class GatewayKilled : Fault
{
    public override string Name => "gateway-killed";

    public override string What => "kill -9 of a gateway, of each in turn, which is started again on its ports once all agencies are answered by the other.";

    public override TimeSpan Bound => TimeSpan.FromSeconds(10);

    public override int Times => 2;

    public override Task Strike(Scene scene, int time) => scene.Cluster.Gateways[time].Kill();

    public override Task Mend(Scene scene, int time) => scene.Cluster.StartGateway(time);
}

/// <summary>A power cut without the database.</summary>
internal sealed class AllKilled : Fault
{
    public override string Name => "all-killed";

    public override string What => "kill -9 of every process at once; over when all are started again and serve.";

    public override TimeSpan Bound => TimeSpan.FromSeconds(15);

    public override IReadOnlyList<Engine> Engines => [Engine.Postgres, Engine.PostgresAlone, Engine.Sqlite];

    public override async Task Strike(Scene scene, int time)
    {
        await scene.Cluster.KillAll();
        await scene.Cluster.StartAll();
    }
}
