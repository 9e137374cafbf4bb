using AgencyPlatform.Testing;
using Npgsql;

namespace AgencyPlatform.Faults;

/// <summary>Something that happens to PostgreSQL or on the way to it.</summary>
internal abstract class DatabaseFault : Fault
{
    public override IReadOnlyList<Engine> Engines => [Engine.Postgres, Engine.PostgresAlone];
}

/// <summary>PostgreSQL ends, with or without time to say so, and is started again at once as by a supervisor.</summary>
internal sealed class DatabaseRestarted(string name, string how, int signal) : DatabaseFault
{
    public override string Name => name;

    public override string What => $"PostgreSQL is ended by {how} and started again at once; over when it takes connections again.";

    public override TimeSpan Bound => TimeSpan.FromSeconds(15);

    public override async Task Strike(Scene scene, int time)
    {
        var first = (await scene.Cluster.Database.Processes())[0];
        Member.Signal(first, signal);

        // What its last checkpoint and its recovery take is not the platform's time.
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        while ((Directory.Exists($"/proc/{first}") || !await Answers(scene.Cluster.Database)) && await tick.WaitForNextTickAsync())
        {
        }
    }

    private static async Task<bool> Answers(PostgresServer database)
    {
        try
        {
            await database.Execute("SELECT 1");
            return true;
        }
        catch (NpgsqlException)
        {
            return false;
        }
    }
}

/// <summary>PostgreSQL holds its connections and its locks, and answers nothing.</summary>
internal sealed class DatabaseFrozen : DatabaseFault
{
    private static readonly TimeSpan s_frozen = TimeSpan.FromSeconds(12);

    public override string Name => "database-frozen";

    public override string What => "SIGSTOP of all of PostgreSQL's processes for 12 s; over when they run on.";

    public override TimeSpan Bound => TimeSpan.FromSeconds(15);

    public override async Task Strike(Scene scene, int time)
    {
        var processes = await scene.Cluster.Database.Processes();
        foreach (var process in processes)
        {
            Member.Signal(process, Member.SigStop);
        }

        try
        {
            await Task.Delay(s_frozen, TimeProvider.System);
        }
        finally
        {
            foreach (var process in processes)
            {
                Member.Signal(process, Member.SigCont);
            }
        }
    }
}

/// <summary>Every connection to PostgreSQL is reset, which both sides see.</summary>
internal sealed class ConnectionsDropped : DatabaseFault
{
    public override string Name => "connections-dropped";

    public override string What => "All connections to PostgreSQL are closed in the middle, three times; new ones are whole.";

    public override TimeSpan Bound => TimeSpan.FromSeconds(10);

    public override int Times => 3;

    public override Task Strike(Scene scene, int time) => scene.Cluster.Proxy.CutAll();
}

/// <summary>Every connection to PostgreSQL carries nothing any more, which neither side sees: as behind a firewall that has forgotten them.</summary>
internal sealed class ConnectionsHalfOpen : DatabaseFault
{
    public override string Name => "connections-half-open";

    public override string What => "All connections to PostgreSQL stay open and carry nothing any more; new ones are whole.";

    public override TimeSpan Bound => TimeSpan.FromSeconds(45);

    public override Task Strike(Scene scene, int time) => scene.Cluster.Proxy.SilenceAll();
}

/// <summary>The primary is lost for good; the synchronous standby has all that was acknowledged.</summary>
internal sealed class StandbyPromoted : DatabaseFault
{
    private PostgresServer? _standby;

    public override string Name => "standby-promoted";

    public override string What => "A synchronous standby; kill -9 of the primary for good; the standby is promoted and the way to the database leads to it, which ends the fault.";

    public override TimeSpan Bound => TimeSpan.FromSeconds(15);

    public override async Task<Cluster> Start(string folder, Engine engine)
    {
        var cluster = await Cluster.Start(folder, engine);
        try
        {
            _standby = await cluster.Database.StartStandby();
            await cluster.Database.Execute("ALTER SYSTEM SET synchronous_standby_names = '*'");
            await cluster.Database.Execute("SELECT pg_reload_conf()");
            using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(200));
            while (await cluster.Database.Execute("SELECT sync_state FROM pg_stat_replication") is not "sync" && await tick.WaitForNextTickAsync())
            {
            }

            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    public override async Task Strike(Scene scene, int time)
    {
        var processes = await scene.Cluster.Database.Processes();
        await scene.Cluster.Database.LeaveAlone();
        foreach (var process in processes)
        {
            Member.Signal(process, Member.SigKill);
        }

        await _standby!.Execute("SELECT pg_promote()");
        await scene.Cluster.MoveTo(_standby);
    }
}
