using AgencyPlatform.Benchmarks.Load;
using AgencyPlatform.Benchmarks.Peer;
using AgencyPlatform.Benchmarks.Servers;
using Spectre.Console;

namespace AgencyPlatform.Benchmarks;

/// <param name="Rows">Of <see cref="Throughput.Rows"/>.</param>
/// <param name="WarmUp">For each server, before the first round.</param>
/// <param name="Cmos">How many CMOs the callers share: a line each for the rows that store.</param>
/// <param name="Pool">The peer's connections to its database.</param>
internal sealed record ThroughputOptions(
    int Rounds, TimeSpan Length, IReadOnlyList<int> Callers, TimeSpan WarmUp, int Connections, IReadOnlyList<string> Rows, int Agencies, IReadOnlyList<int> Cmos,
    int Pool, PeerStyle PeerStyle, string Data);

/// <summary>
/// Durable calls a second beside a bare echo, a grain without storage and a row-lock service, in one run: all servers stand, the rows take turns, round by round,
/// so that whatever else the machine does falls on all of them.
/// </summary>
internal static class Throughput
{
    public const string Echo = "gRPC echo";
    public const string Grain = "gRPC → grain, nothing stored";
    public const string Peer = "Peer";

    /// <summary>What --rows names.</summary>
    public static IReadOnlyList<string> Rows { get; } = ["echo", "grain", "peer", "sqlite", "postgres"];

    public static async Task<Report> Run(ThroughputOptions options, CancellationToken cancellation)
    {
        var data = Directory.CreateDirectory(Path.Combine(Path.GetFullPath(options.Data), $"run-{Environment.ProcessId}"));
        var disposables = new Stack<object>();
        try
        {
            var bare = Keep(await ServerProcess.Bare(cancellation));
            var toBare = Keep(new Connections(bare.Grpc, options.Connections));
            var groups = new List<List<Subject>>();
            var judges = new List<Func<Task>>();
            var population = options.Cmos.Max();
            foreach (var row in options.Rows)
            {
                groups.Add(row switch
                {
                    "echo" => [new Subject(Echo, null, bare, new FloorWork(toBare, grain: false))],
                    "grain" => [new Subject(Grain, null, bare, new FloorWork(toBare, grain: true))],
                    "peer" => await OfPeer(),
                    _ => await Platform(row == "sqlite" ? "Sqlite" : "Postgres"),
                });
            }

            foreach (var subject in groups.SelectMany(group => group))
            {
                AnsiConsole.MarkupLineInterpolated($"[grey]warming up {subject.Title}[/]");
                var share = options.WarmUp / groups.First(g => g.Contains(subject)).Count;
                Check(subject, await LoadGenerator.Run(subject, options.Callers.Max(), TimeSpan.Zero, share, cancellation));
            }

            var rounds = new List<Round>();
            for (var round = 1; round <= options.Rounds; round++)
            {
                foreach (var callers in options.Callers)
                {
                    foreach (var subject in groups.SelectMany(group => group))
                    {
                        var window = await LoadGenerator.Run(subject, callers, TimeSpan.FromMilliseconds(300), options.Length, cancellation);
                        Check(subject, window);
                        rounds.Add(new Round(round, subject.Name, subject.Cmos, callers, window));
                        AnsiConsole.MarkupLineInterpolated($"[grey]round {round} of {options.Rounds}, {callers} callers, {subject.Title}: {window.CallsPerSecond:N0} calls/s, p99 {window.P99:N1} ms[/]");
                    }
                }
            }

            foreach (var judge in judges)
            {
                await judge();
            }

            return Report.Of(options, rounds);

            async Task<List<Subject>> OfPeer()
            {
                var postgres = Keep(await PostgresCluster.Start(
                    data.CreateSubdirectory("peer").FullName, cluster => PeerDatabase.Create(cluster, options.Agencies, population, cancellation), cancellation));
                var server = Keep(await ServerProcess.Peer(postgres.AdminConnectionString, options.Pool, options.PeerStyle, cancellation));
                return Durable(
                    Peer, server, PeerDatabase.Targets(options.Agencies, population), () => ProcessTimes.OfTree(postgres.Id), postgres.Written,
                    acknowledged => PeerDatabase.Judge(postgres, acknowledged, cancellation));
            }

            async Task<List<Subject>> Platform(string engine)
            {
                var folder = data.CreateSubdirectory(engine.ToLowerInvariant()).FullName;
                Func<TimeSpan>? database = null;
                string[] settings = [];
                if (engine == "Postgres")
                {
                    var postgres = Keep(await PostgresCluster.Start(folder, cluster => PlatformTables.Create(cluster, cancellation), cancellation));
                    settings = ["Storage:Provider=Postgres", $"Storage:ConnectionString={postgres.ConnectionString}"];
                    database = () => ProcessTimes.OfTree(postgres.Id);
                }

                var server = Keep(await ServerProcess.Platform(folder, bare.Grpc, settings, cancellation));
                AnsiConsole.MarkupLineInterpolated($"[grey]{engine}: creating {options.Agencies:N0} agencies and {population:N0} CMOs[/]");
                using var connections = new Connections(server.Grpc, options.Connections);
                return Durable(engine, server, await Population.Create(connections, options.Agencies, population, cancellation), database, written: null, judge: null);
            }

            List<Subject> Durable(
                string name, ServerProcess server, IReadOnlyList<Target> targets, Func<TimeSpan>? database,
                Func<CancellationToken, Task<(double Commits, double Rows)>>? written, Func<long, Task>? judge)
            {
                var connections = Keep(new Connections(server.Grpc, options.Connections));
                var works = options.Cmos.ToDictionary(cmos => cmos, cmos => new PairWork(connections, [.. targets.Take(cmos)]));
                judges.Add(async () =>
                {
                    var acknowledged = works.Values.Sum(w => w.Acknowledged) + await Contest.Run(name, connections, targets[0]);
                    if (judge is not null)
                    {
                        await judge(acknowledged);
                    }

                    AnsiConsole.MarkupLineInterpolated($"[grey]{name}: correct after {acknowledged:N0} calls[/]");
                });
                return [.. works.Select(w => new Subject(name, w.Key, server, w.Value, database, written))];
            }
        }
        finally
        {
            while (disposables.TryPop(out var disposable))
            {
                if (disposable is IAsyncDisposable later)
                {
                    await later.DisposeAsync();
                }
                else
                {
                    ((IDisposable)disposable).Dispose();
                }
            }

            data.Delete(recursive: true);
        }

        T Keep<T>(T disposable) where T : class
        {
            disposables.Push(disposable);
            return disposable;
        }

        static void Check(Subject subject, Window window)
        {
            if (window.Failures.Count > 0)
            {
                throw new BenchmarkException($"{subject.Title}: {window.Failures.Values.Sum():N0} calls failed, for example {window.Failures.Keys.First()}");
            }
        }
    }
}
