using AgencyPlatform.Testing;

namespace AgencyPlatform.Faults;

/// <summary>Which database the service is on.</summary>
internal enum Engine
{
    /// <summary>Three silos and two gateways.</summary>
    Postgres,

    /// <summary>One process that is both.</summary>
    Sqlite,
}

/// <summary>
/// The service on loopback. On PostgreSQL: three silos and two gateways, and a PostgreSQL of their own that is as durable as a real one, with the roles
/// of deploy/postgresql. On SQLite: one process, which stands with the gateways.
/// </summary>
internal sealed class Cluster : IAsyncDisposable
{
    private readonly string[] _storage;
    private readonly string[] _asOwner;
    private readonly CuttingProxy? _proxy;
    private PostgresServer? _database;
    private readonly List<Member> _all = [];
    private int _started;

    private Cluster(string folder, Engine engine, string[] storage, string[] asOwner, PostgresServer? database, CuttingProxy? proxy)
    {
        (Folder, Engine, _storage, _asOwner, _database, _proxy) = (folder, engine, storage, asOwner, database, proxy);
        (Silos, Gateways) = engine == Engine.Postgres ? (new Member[3], new Member[2]) : ([], new Member[1]);
    }

    public Engine Engine { get; }

    public PostgresServer Database => _database ?? throw new InvalidOperationException("There is no PostgreSQL.");

    /// <summary>Between all processes and PostgreSQL.</summary>
    public CuttingProxy Proxy => _proxy ?? throw new InvalidOperationException("There is no PostgreSQL.");

    public Member[] Silos { get; }

    public Member[] Gateways { get; }

    /// <summary>Where the API is served: the gateways keep their ports when they are started again.</summary>
    public IEnumerable<Uri> Addresses => Gateways.Select(g => g.Grpc!);

    public string Folder { get; }

    /// <summary>Processes that ended though nobody told them to: a silo that was voted out while it lived, above all.</summary>
    public IEnumerable<string> EndedByThemselves => Silos.Concat(Gateways).Where(m => m.HasEnded).Select(m => m.Name);

    public static async Task<Cluster> Start(string folder, Engine engine = Engine.Postgres)
    {
        Directory.CreateDirectory(folder);
        var cluster = engine == Engine.Postgres ? await OnPostgres(folder) : new Cluster(folder, engine, ["--data", Path.Combine(folder, "data")], ["--data", Path.Combine(folder, "data")], null, null);
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

    public async Task StartSilo(int i) => Silos[i] = Kept(await Member.Serve("silo", $"silo-{Interlocked.Increment(ref _started)}", Folder, _storage));

    /// <summary>On the ports of the one that was there.</summary>
    public async Task StartGateway(int i) => Gateways[i] = Kept(await Member.Serve(
        Engine == Engine.Postgres ? "gateway" : "all", $"gateway-{Interlocked.Increment(ref _started)}", Folder, _storage, Gateways[i]));

    /// <summary>Every process.</summary>
    public async Task StartAll()
    {
        await Task.WhenAll(Enumerable.Range(0, Silos.Length).Select(StartSilo));
        await Task.WhenAll(Enumerable.Range(0, Gateways.Length).Select(StartGateway));
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
        using var program = Member.Start("AgencyPlatform.Host", string.Join("-", command), Folder, [.. command, .. _asOwner]);
        return await program.Ended();
    }

    public async ValueTask DisposeAsync()
    {
        _all.ForEach(m => m.Dispose());
        if (_proxy is not null)
        {
            await _proxy.DisposeAsync();
        }

        _database?.Stop();
    }

    private static async Task<Cluster> OnPostgres(string folder)
    {
        var database = await PostgresServer.Start(durable: true);
        var roles = await PostgresRoles.NewDatabase(database);
        var proxy = new CuttingProxy(database.Port);
        string[] As(string connection) => ["--set", "Storage:Provider=Postgres", "--set", $"Storage:ConnectionString={connection}"];
        string Through(string connection) => new Npgsql.NpgsqlConnectionStringBuilder(connection) { Port = proxy.Port }.ConnectionString;
        var cluster = new Cluster(folder, Engine.Postgres, As(Through(roles.Application)), As(Through(roles.Owner)), database, proxy);
        if (await cluster.Command("migrate") != 0)
        {
            throw new InvalidOperationException($"The database cannot be made: see {folder}");
        }

        await roles.Set();
        return cluster;
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
