namespace AgencyPlatform.Faults;

/// <summary>The control: what the others are to be compared with.</summary>
internal sealed class NoFault : Fault
{
    public override string Name => "none";

    public override string What => "Nothing: what the others are to be compared with.";

    public override TimeSpan Bound => TimeSpan.FromSeconds(5);

    public override IReadOnlyList<Engine> Engines => [Engine.Postgres, Engine.PostgresAlone, Engine.Sqlite];

    public override Task Strike(Scene scene, int time) => Task.CompletedTask;
}
