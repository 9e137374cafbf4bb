using System.Globalization;

namespace AgencyPlatform.Faults;

/// <summary>Somebody hostile at a gateway's ports while the load runs: nobody else may notice, and the process may not grow.</summary>
internal abstract class HostileFault : Fault
{
    /// <summary>What a gateway may have in memory more than before, at any moment: a tenth of a small machine's.</summary>
    private const long MostMore = 512L * 1024 * 1024;

    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(250);

    public override IReadOnlyList<Engine> Engines => [Engine.Postgres, Engine.PostgresAlone, Engine.Sqlite];

    public override async Task Strike(Scene scene, int time)
    {
        var gateway = scene.Cluster.Gateways[0];
        var (before, most) = (gateway.Memory, gateway.Memory);
        using var over = new CancellationTokenSource();
        var watch = Task.Run(async () =>
        {
            using var tick = new PeriodicTimer(s_look);
            while (!over.IsCancellationRequested && await tick.WaitForNextTickAsync())
            {
                most = Math.Max(most, gateway.HasEnded ? most : gateway.Memory);
            }
        });
        await Attack(scene, gateway);
        await over.CancelAsync();
        await watch;
        scene.Note(string.Create(CultureInfo.InvariantCulture, $"the gateway had {before >> 20} MB before, at most {most >> 20} MB meanwhile"));
        if (most - before > MostMore)
        {
            scene.Wrong(string.Create(CultureInfo.InvariantCulture, $"the gateway grew by {(most - before) >> 20} MB; {MostMore >> 20} are allowed"));
        }
    }

    protected abstract Task Attack(Scene scene, Member gateway);
}
