using AgencyPlatform.Benchmarks.Load;
using AgencyPlatform.Benchmarks.Peer;
using AgencyPlatform.Benchmarks.Reporting;

namespace AgencyPlatform.Benchmarks.Servers;

/// <param name="Rows">Of <see cref="Contenders.Rows"/>.</param>
/// <param name="WarmUp">For each server, before the first round: the just-in-time compiler makes early calls several times as dear.</param>
/// <param name="Cmos">How many CMOs the callers share: a subject each for the rows that store.</param>
/// <param name="Pool">The peer's connections to its database.</param>
internal sealed record ContenderOptions(
    IReadOnlyList<string> Rows, TimeSpan WarmUp, int Connections, int Agencies, IReadOnlyList<int> Cmos, int Pool, PeerStyle PeerStyle, string Data);

/// <summary>The servers that are compared, all standing at the same time, so that whatever else the machine does falls on all of them.</summary>
internal sealed class Contenders
{
    public const string Echo = "gRPC echo";
    public const string Grain = "gRPC → grain, nothing stored";
    public const string Peer = "Peer";
    public const string Unstored = "The same call, nothing stored";

    private readonly RunScope _scope;
    private readonly ContenderOptions _options;
    private readonly List<List<Subject>> _groups = [];
    private readonly List<Func<Task>> _judges = [];

    private Contenders(RunScope scope, ContenderOptions options) => (_scope, _options) = (scope, options);

    /// <summary>What --rows names.</summary>
    public static IReadOnlyList<string> Rows { get; } = ["echo", "grain", "unstored", "peer", "sqlite", "postgres"];

    public IEnumerable<Subject> All => _groups.SelectMany(group => group);

    /// <summary>Starts them, fills them with agencies and CMOs, and warms them up with so many callers.</summary>
    public static async Task<Contenders> Start(RunScope scope, ContenderOptions options, int callers, CancellationToken cancellation)
    {
        var started = new Contenders(scope, options);
        var bare = scope.Keep(await ServerProcess.Bare(cancellation));
        var toBare = scope.Keep(new Connections(bare.Grpc, options.Connections));
        foreach (var row in options.Rows)
        {
            started._groups.Add(row switch
            {
                "echo" => [new Subject(Echo, null, [bare], new FloorWork(toBare, grain: false))],
                "grain" => [new Subject(Grain, null, [bare], new FloorWork(toBare, grain: true))],
                "peer" => await started.OfPeer(cancellation),
                "unstored" => await started.OfUnstored(bare.Grpc, cancellation),
                _ => await started.OfPlatform(row == "sqlite" ? "Sqlite" : "Postgres", bare.Grpc, cancellation),
            });
        }

        foreach (var group in started._groups)
        {
            foreach (var subject in group)
            {
                Figures.Say($"warming up {subject.Title}");
                subject.Check(await LoadGenerator.Run(subject, callers, TimeSpan.Zero, options.WarmUp / group.Count, cancellation));
            }
        }

        return started;
    }

    /// <summary>Whether what was stored is right.</summary>
    /// <exception cref="BenchmarkException">It is not.</exception>
    public async Task Judge()
    {
        foreach (var judge in _judges)
        {
            await judge();
        }
    }

    private async Task<List<Subject>> OfPeer(CancellationToken cancellation)
    {
        var population = _options.Cmos.Max();
        var postgres = _scope.Keep(await PostgresCluster.Start(
            _scope.Folder.CreateSubdirectory("peer").FullName, cluster => PeerDatabase.Create(cluster, _options.Agencies, population, cancellation), cancellation));
        var server = _scope.Keep(await ServerProcess.Peer(postgres.AdminConnectionString, _options.Pool, _options.PeerStyle, cancellation));
        return Durable(
            Peer, server, PeerDatabase.Targets(_options.Agencies, population), () => ProcessTimes.OfTree(postgres.Id), postgres.Written,
            acknowledged => PeerDatabase.Judge(postgres, acknowledged, cancellation));
    }

    private async Task<List<Subject>> OfUnstored(Uri telemetry, CancellationToken cancellation)
    {
        var server = _scope.Keep(await ServerProcess.Unstored(_scope.Folder.CreateSubdirectory("unstored").FullName, telemetry, cancellation));
        return await Filled(Unstored, server, database: null, cancellation);
    }

    private async Task<List<Subject>> OfPlatform(string engine, Uri telemetry, CancellationToken cancellation)
    {
        var folder = _scope.Folder.CreateSubdirectory(engine.ToLowerInvariant()).FullName;
        Func<TimeSpan>? database = null;
        string[] settings = [];
        if (engine == "Postgres")
        {
            var postgres = _scope.Keep(await PostgresCluster.Start(folder, cluster => PlatformTables.Create(cluster, cancellation), cancellation));
            settings = postgres.Settings;
            database = () => ProcessTimes.OfTree(postgres.Id);
        }

        var server = _scope.Keep(await ServerProcess.Platform(folder, telemetry, settings, cancellation));
        return await Filled(engine, server, database, cancellation);
    }

    private async Task<List<Subject>> Filled(string name, ServerProcess server, Func<TimeSpan>? database, CancellationToken cancellation)
    {
        var population = _options.Cmos.Max();
        Figures.Say($"{name}: creating {_options.Agencies:N0} agencies and {population:N0} CMOs");
        using var connections = new Connections(server.Grpc, _options.Connections);
        return Durable(name, server, await Population.Create(connections, _options.Agencies, population, cancellation), database, written: null, judge: null);
    }

    private List<Subject> Durable(
        string name, ServerProcess server, IReadOnlyList<Target> targets, Func<TimeSpan>? database,
        Func<CancellationToken, Task<(double Commits, double Rows)>>? written, Func<long, Task>? judge)
    {
        var connections = _scope.Keep(new Connections(server.Grpc, _options.Connections));
        var works = _options.Cmos.ToDictionary(cmos => cmos, cmos => new PairWork(connections, [.. targets.Take(cmos)]));
        _judges.Add(async () =>
        {
            foreach (var work in works.Values)
            {
                await work.ReleaseRest();
            }

            var acknowledged = works.Values.Sum(w => w.Acknowledged) + await Contest.Run(name, connections, targets[0]);
            if (judge is not null)
            {
                await judge(acknowledged);
            }

            Figures.Say($"{name}: correct after {acknowledged:N0} calls");
        });
        return [.. works.Select(w => new Subject(name, w.Key, [server], w.Value, database, written))];
    }
}
