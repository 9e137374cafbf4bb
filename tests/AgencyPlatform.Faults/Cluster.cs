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
    private readonly PostgresServer? _database;
    private readonly PostgresRoles? _roles;
    private readonly CuttingProxy? _proxy;
    private readonly List<Member> _all = [];
    private int _started;

    private Cluster(string folder, Engine engine, Surroundings surroundings, string[] storage, string[] asOwner, PostgresServer? database, PostgresRoles? roles, CuttingProxy? proxy)
    {
        (Folder, Engine, Surroundings, _storage, _asOwner, _database, _roles, _proxy) = (folder, engine, surroundings, storage, asOwner, database, roles, proxy);
        (Silos, Gateways) = engine == Engine.Postgres ? (new Member[3], new Member[2]) : ([], new Member[1]);
    }

    public Engine Engine { get; }

    public PostgresServer Database => _database ?? throw new InvalidOperationException("There is no PostgreSQL.");

    /// <summary>PostgreSQL's database, as each role reaches it without the proxy.</summary>
    public PostgresRoles Roles => _roles ?? throw new InvalidOperationException("There is no PostgreSQL.");

    /// <summary>What the processes are in.</summary>
    public Surroundings Surroundings { get; }

    /// <summary>Between all processes and PostgreSQL.</summary>
    public CuttingProxy Proxy => _proxy ?? throw new InvalidOperationException("There is no PostgreSQL.");

    public Member[] Silos { get; }

    public Member[] Gateways { get; }

    /// <summary>Where the API is served: the gateways keep their ports when they are started again.</summary>
    public IEnumerable<Uri> Addresses => Gateways.Select((g, i) => Surroundings.Reached(i, g.Grpc!));

    public string Folder { get; }

    /// <summary>Processes that ended though nobody told them to: a silo that was voted out while it lived, above all.</summary>
    public IEnumerable<string> EndedByThemselves => Silos.Concat(Gateways).Where(m => m.HasEnded).Select(m => m.Name);

    /// <param name="surroundings">The cluster's from now on; null: the machine as it is.</param>
    public static async Task<Cluster> Start(string folder, Engine engine = Engine.Postgres, Surroundings? surroundings = null)
    {
        Directory.CreateDirectory(folder);
        surroundings ??= new Surroundings();
        string[] data = ["--data", Path.Combine(folder, "data")];
        Cluster cluster;
        try
        {
            cluster = engine == Engine.Postgres ? await OnPostgres(folder, surroundings) : new Cluster(folder, engine, surroundings, data, data, null, null, null);
        }
        catch
        {
            await surroundings.DisposeAsync();
            throw;
        }

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

    public async Task StartSilo(int i) => Silos[i] = Kept(await Member.Serve("silo", $"silo-{Interlocked.Increment(ref _started)}", Folder, _storage, Surroundings.Silo(i)));

    /// <summary>On the ports of the one that was there.</summary>
    public async Task StartGateway(int i) => Gateways[i] = Kept(await Member.Serve(
        Engine == Engine.Postgres ? "gateway" : "all", $"gateway-{Interlocked.Increment(ref _started)}", Folder, _storage, Surroundings.Gateway(i), Gateways[i]));

    /// <summary>Every process.</summary>
    public async Task StartAll()
    {
        await Task.WhenAll(Enumerable.Range(0, Silos.Length).Select(StartSilo));
        await Task.WhenAll(Enumerable.Range(0, Gateways.Length).Select(StartGateway));
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
        await Surroundings.DisposeAsync();
    }

    private static async Task<Cluster> OnPostgres(string folder, Surroundings surroundings)
    {
        var database = await PostgresServer.Start(durable: true);
        var roles = await PostgresRoles.NewDatabase(database);
        await surroundings.Prepare(roles);
        var proxy = new CuttingProxy(database.Port, surroundings.Database);
        string[] As(string connection) => ["--set", "Storage:Provider=Postgres", "--set", $"Storage:ConnectionString={connection}"];
        var throughProxy = new Npgsql.NpgsqlConnectionStringBuilder(roles.Application) { Host = surroundings.Database.ToString(), Port = proxy.Port }.ConnectionString;
        var cluster = new Cluster(folder, Engine.Postgres, surroundings, As(throughProxy), As(roles.Owner), database, roles, proxy);
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
