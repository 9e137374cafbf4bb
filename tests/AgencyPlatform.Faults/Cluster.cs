using System.Diagnostics;
using AgencyPlatform.Testing;
using Npgsql;

namespace AgencyPlatform.Faults;

/// <summary>Which database the service is on, and in how many processes.</summary>
internal enum Engine
{
    /// <summary>Three silos and two gateways on PostgreSQL.</summary>
    Postgres,

    /// <summary>One process that is both, on PostgreSQL: for the database's faults on a machine that five processes are too many for.</summary>
    PostgresAlone,

    /// <summary>One process that is both, on SQLite.</summary>
    Sqlite,
}

/// <summary>
/// The service on loopback. On PostgreSQL: three silos and two gateways, and a PostgreSQL of their own that is as durable as a real one, with the roles
/// of deploy/postgresql. Where there is one process only, it stands with the gateways.
/// </summary>
internal sealed class Cluster : IAsyncDisposable
{
    private readonly string[] _storage;
    private readonly string[] _asOwner;
    private readonly CuttingProxy? _proxy;
    private readonly bool _ownsDatabase;
    private PostgresServer? _database;
    private readonly PostgresRoles? _roles;
    private readonly List<Member> _all = [];
    private string? _programs;
    private int _started;

    private Cluster(string folder, string[] storage, Surroundings surroundings)
    {
        (Folder, Engine, Surroundings, _storage, _asOwner) = (folder, Engine.Sqlite, surroundings, storage, storage);
        (Silos, Gateways) = ([], new Member[1]);
    }

    private Cluster(string folder, Engine engine, PostgresServer database, bool ownsDatabase, PostgresRoles roles, Surroundings surroundings)
    {
        var proxy = new CuttingProxy(database.Port, surroundings.Database);
        string[] As(string connection) =>
            ["--set", "Storage:Provider=Postgres", "--set", $"Storage:ConnectionString={new NpgsqlConnectionStringBuilder(connection) { Host = surroundings.Database.ToString(), Port = proxy.Port }.ConnectionString}"];
        (Folder, Engine, Surroundings, _storage, _asOwner) = (folder, engine, surroundings, As(roles.Application), As(roles.Owner));
        (_database, _ownsDatabase, _roles, _proxy) = (database, ownsDatabase, roles, proxy);
        (Silos, Gateways) = engine == Engine.Postgres ? (new Member[3], new Member[2]) : ([], new Member[1]);
    }

    public Engine Engine { get; }

    /// <summary>What the processes are in.</summary>
    public Surroundings Surroundings { get; }

    public PostgresServer Database => _database ?? throw new InvalidOperationException("There is no PostgreSQL.");

    /// <summary>PostgreSQL's database as each role reaches it, without the proxy.</summary>
    public PostgresRoles Roles => _roles ?? throw new InvalidOperationException("There is no PostgreSQL.");

    /// <summary>Between all processes and PostgreSQL.</summary>
    public CuttingProxy Proxy => _proxy ?? throw new InvalidOperationException("There is no PostgreSQL.");

    public Member[] Silos { get; }

    public Member[] Gateways { get; }

    /// <summary>Where the API is served: the gateways keep their ports when they are started again.</summary>
    public IEnumerable<Uri> Addresses => Gateways.Select((g, i) => Surroundings.Reached(i, g.Grpc!));

    public string Folder { get; }

    /// <summary>Processes that ended though nobody told them to: a silo that was voted out while it lived, above all.</summary>
    public IEnumerable<string> EndedByThemselves => _all.Where(m => m.EndedByItself).Select(m => m.Name);

    /// <param name="programs">A folder of another build's programs, to start with; null: this one's.</param>
    /// <param name="surroundings">The cluster's from now on; null: the machine as it is.</param>
    public static async Task<Cluster> Start(string folder, Engine engine = Engine.Postgres, string? programs = null, Surroundings? surroundings = null)
    {
        Directory.CreateDirectory(folder);
        surroundings ??= new Surroundings();
        Cluster cluster;
        try
        {
            cluster = engine == Engine.Sqlite ? new Cluster(folder, At(Path.Combine(folder, "data")), surroundings) : await OnPostgres(folder, engine, programs, surroundings);
        }
        catch
        {
            await surroundings.DisposeAsync();
            throw;
        }

        return await Started(cluster);
    }

    public async Task StartSilo(int i) => Silos[i] = Kept(await Member.Serve("silo", $"silo-{Interlocked.Increment(ref _started)}", Folder, _storage, Surroundings.Silo(i), programs: _programs));

    /// <summary>On the ports of the one that was there.</summary>
    public async Task StartGateway(int i) => Gateways[i] = Kept(await Member.Serve(
        Silos.Length > 0 ? "gateway" : "all", $"gateway-{Interlocked.Increment(ref _started)}", Folder, _storage, Surroundings.Gateway(i), Gateways[i], _programs));

    /// <summary>Every process: one silo after the other, so that on a small machine none is taken for dead while the next one starts; then the gateways.</summary>
    public async Task StartAll()
    {
        for (var i = 0; i < Silos.Length; i++)
        {
            await StartSilo(i);
        }

        await Task.WhenAll(Enumerable.Range(0, Gateways.Length).Select(StartGateway));
    }

    /// <summary>kill -9.</summary>
    public Task KillAll() => Task.WhenAll(Silos.Concat(Gateways).Select(m => m.Kill()));

    /// <summary>Brings the database to this build's version; processes are this build's from now on. The exit code of <c>migrate</c>.</summary>
    public async Task<int> Upgrade()
    {
        _programs = null;
        var code = await Command("migrate");
        await (_roles?.Set() ?? Task.CompletedTask);
        return code;
    }

    /// <summary>Silos that are members and said within a minute that they live.</summary>
    public async Task<int> Heard() => (int)(long)(await Database.Execute(
        """
        SELECT count(*) FROM OrleansMembership m LEFT JOIN OrleansHeartbeat h USING (deploymentid, address, port, generation)
        WHERE m.status = 3 AND greatest(m.iamalivetime, h.heard_at) > now() - interval '1 minute'
        """,
        new NpgsqlConnectionStringBuilder(_roles!.Superuser).Database!))!;

    /// <summary>As docs/operations.md says, beside what runs.</summary>
    public async Task BackUp(string file)
    {
        if (_roles is not null)
        {
            await Tool("pg_dump", _roles.Owner, "--format=custom", $"--file={file}");
        }
        else if (await Command("backup", "--to", file) != 0)
        {
            throw new InvalidOperationException($"The backup fails: see {Folder}");
        }
    }

    /// <summary>Another service on a restored backup of this one, which is stopped.</summary>
    public async Task<Cluster> Restore(string file, string folder)
    {
        Directory.CreateDirectory(folder);
        Cluster restored;
        if (_roles is not null)
        {
            var roles = await PostgresRoles.NewDatabase(Database);
            await Tool("pg_restore", roles.Owner, "--no-owner", "--exit-on-error", file);
            restored = new Cluster(folder, Engine, Database, ownsDatabase: false, roles, new Surroundings());
        }
        else
        {
            restored = new Cluster(folder, At(Path.Combine(folder, "data")), new Surroundings());
        }

        if (await restored.Command(["restore", .. _roles is null ? ["--from", file] : (string[])["--adopt"]]) != 0)
        {
            await restored.DisposeAsync();
            throw new InvalidOperationException($"The backup is not adopted: see {folder}");
        }

        return await Started(restored);
    }

    /// <summary>From now on this is the database, the standby of the one that was.</summary>
    public async Task MoveTo(PostgresServer database)
    {
        Database.Stop();
        _database = database;
        Proxy.Target = database.Port;
        await Proxy.CutAll();
    }

    /// <summary>A command of the operator; its exit code.</summary>
    public async Task<int> Command(params string[] command)
    {
        using var program = Member.Start("AgencyPlatform.Host", string.Join("-", command.Where(c => c.All(char.IsAsciiLetter))), Folder, _programs, [.. command, .. _asOwner]);
        return await program.Ended();
    }

    public async ValueTask DisposeAsync()
    {
        _all.ForEach(m => m.Dispose());
        if (_proxy is not null)
        {
            await _proxy.DisposeAsync();
        }

        if (_ownsDatabase)
        {
            Database.Stop();
        }

        await Surroundings.DisposeAsync();
    }

    private static string[] At(string folder) => ["--data", folder];

    private static async Task<Cluster> Started(Cluster cluster)
    {
        try
        {
            await cluster.StartAll();
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    private static async Task<Cluster> OnPostgres(string folder, Engine engine, string? programs, Surroundings surroundings)
    {
        var database = await PostgresServer.Start(durable: true);
        var roles = await PostgresRoles.NewDatabase(database);
        await surroundings.Prepare(roles);
        var cluster = new Cluster(folder, engine, database, ownsDatabase: true, roles, surroundings) { _programs = programs };
        if (await cluster.Command("migrate") != 0)
        {
            await cluster.DisposeAsync();
            throw new InvalidOperationException($"The database cannot be made: see {folder}");
        }

        await roles.Set();
        return cluster;
    }

    private static async Task Tool(string tool, string connection, params string[] arguments)
    {
        var to = new NpgsqlConnectionStringBuilder(connection);
        using var process = Process.Start(new ProcessStartInfo(
            Path.Combine(PostgresServer.Binaries, tool), [$"--host={to.Host}", $"--port={to.Port}", $"--username={to.Username}", $"--dbname={to.Database}", .. arguments])
        { RedirectStandardError = true })!;
        var error = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"{tool}: {error}");
        }
    }

    private Member Kept(Member member)
    {
        lock (_all)
        {
            _all.Add(member);
        }

        return member;
    }
}
