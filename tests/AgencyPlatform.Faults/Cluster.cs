using AgencyPlatform.Testing;

namespace AgencyPlatform.Faults;

/// <summary>Three silos and two gateways on loopback, and a PostgreSQL of their own that is as durable as a real one, with the roles of deploy/postgresql.</summary>
internal sealed class Cluster : IAsyncDisposable
{
    private readonly string _folder;
    private readonly string[] _storage;
    private readonly string[] _asOwner;
    private readonly List<Member> _all = [];
    private int _started;

    private Cluster(string folder, PostgresServer database, string[] storage, string[] asOwner, CuttingProxy proxy) =>
        (_folder, Database, _storage, _asOwner, Proxy) = (folder, database, storage, asOwner, proxy);

    public PostgresServer Database { get; }

    /// <summary>Between all processes and the database.</summary>
    public CuttingProxy Proxy { get; }

    public Member[] Silos { get; } = new Member[3];

    public Member[] Gateways { get; } = new Member[2];

    public string Folder => _folder;

    /// <summary>Processes that ended though nobody told them to: a silo that was voted out while it lived, above all.</summary>
    public IEnumerable<string> EndedByThemselves => Silos.Concat(Gateways).Where(m => m.HasEnded).Select(m => m.Name);

    public static async Task<Cluster> Start(string folder)
    {
        Directory.CreateDirectory(folder);
        var database = await PostgresServer.Start(durable: true);
        var roles = await PostgresRoles.NewDatabase(database);
        var proxy = new CuttingProxy(database.Port);
        string[] As(string connection) => ["--set", "Storage:Provider=Postgres", "--set", $"Storage:ConnectionString={connection}"];
        var throughProxy = new Npgsql.NpgsqlConnectionStringBuilder(roles.Application) { Port = proxy.Port }.ConnectionString;
        var cluster = new Cluster(folder, database, As(throughProxy), As(roles.Owner), proxy);
        if (await cluster.Command("migrate") != 0)
        {
            throw new InvalidOperationException($"The database cannot be made: see {folder}");
        }

        await roles.Set();
        await Task.WhenAll(Enumerable.Range(0, cluster.Silos.Length).Select(cluster.StartSilo));
        await Task.WhenAll(Enumerable.Range(0, cluster.Gateways.Length).Select(cluster.StartGateway));
        return cluster;
    }

    public async Task StartSilo(int i) => Silos[i] = Kept(await Member.Serve("silo", $"silo-{Interlocked.Increment(ref _started)}", _folder, _storage));

    /// <summary>On the ports of the one that was there.</summary>
    public async Task StartGateway(int i) => Gateways[i] = Kept(await Member.Serve("gateway", $"gateway-{Interlocked.Increment(ref _started)}", _folder, _storage, Gateways[i]));

    /// <summary>A command of the operator; its exit code.</summary>
    public async Task<int> Command(params string[] command)
    {
        using var program = Member.Start("AgencyPlatform.Host", string.Join("-", command), _folder, [.. command, .. _asOwner]);
        return await program.Ended();
    }

    public async ValueTask DisposeAsync()
    {
        _all.ForEach(m => m.Dispose());
        await Proxy.DisposeAsync();
        Database.Stop();
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
