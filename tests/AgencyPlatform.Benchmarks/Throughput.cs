using AgencyPlatform.Benchmarks.Load;
using AgencyPlatform.Benchmarks.Servers;
using Spectre.Console;

namespace AgencyPlatform.Benchmarks;

/// <param name="Engines">Sqlite, Postgres.</param>
/// <param name="WarmUp">For each server, before the first round.</param>
internal sealed record ThroughputOptions(
    int Rounds, TimeSpan Length, IReadOnlyList<int> Callers, TimeSpan WarmUp, int Connections, IReadOnlyList<string> Engines, int Agencies, int Cmos, int Hot, string Data);

/// <summary>
/// Durable calls a second beside a bare echo and a grain without storage, in one run: all servers stand, the rows take turns, round by round,
/// so that whatever else the machine does falls on all of them.
/// </summary>
internal static class Throughput
{
    public const string Echo = "gRPC echo";
    public const string Grain = "gRPC → grain, nothing stored";

    public static async Task<Report> Run(ThroughputOptions options, CancellationToken cancellation)
    {
        var data = Directory.CreateDirectory(Path.Combine(Path.GetFullPath(options.Data), $"run-{Environment.ProcessId}"));
        var disposables = new Stack<object>();
        try
        {
            var bare = Keep(await ServerProcess.Bare(cancellation));
            var toBare = Keep(new Connections(bare.Grpc, options.Connections));
            var groups = new List<List<Subject>>
            {
                new() { new Subject(Echo, bare, new FloorWork(toBare, grain: false)), new Subject(Grain, bare, new FloorWork(toBare, grain: true)) },
            };
            foreach (var engine in options.Engines)
            {
                groups.Add(await Platform(engine));
            }

            foreach (var subject in groups.SelectMany(group => group))
            {
                AnsiConsole.MarkupLineInterpolated($"[grey]warming up {subject.Name}[/]");
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
                        rounds.Add(new Round(round, subject.Name, callers, window));
                        AnsiConsole.MarkupLineInterpolated($"[grey]round {round} of {options.Rounds}, {callers} callers, {subject.Name}: {window.CallsPerSecond:N0} calls/s, p99 {window.P99:N1} ms[/]");
                    }
                }
            }

            return Report.Of(options, rounds);

            async Task<List<Subject>> Platform(string engine)
            {
                var folder = data.CreateSubdirectory(engine.ToLowerInvariant()).FullName;
                Func<TimeSpan>? database = null;
                string[] settings = [];
                if (engine == "Postgres")
                {
                    var postgres = Keep(await PostgresCluster.Start(folder, cancellation));
                    settings = ["Storage:Provider=Postgres", $"Storage:ConnectionString={postgres.ConnectionString}"];
                    database = () => ProcessTimes.OfTree(postgres.Id);
                }

                var server = Keep(await ServerProcess.Platform(folder, bare.Grpc, settings, cancellation));
                var connections = Keep(new Connections(server.Grpc, options.Connections));
                AnsiConsole.MarkupLineInterpolated($"[grey]{engine}: creating {options.Agencies:N0} agencies and {options.Cmos:N0} CMOs[/]");
                var targets = await Population.Create(connections, options.Agencies, options.Cmos, cancellation);
                return
                [
                    new Subject($"{engine}, hot ({options.Hot:N0} CMOs)", server, new PairWork(connections, [.. targets.Take(options.Hot)]), database),
                    new Subject($"{engine}, spread ({options.Cmos:N0} CMOs)", server, new PairWork(connections, targets), database),
                ];
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
                throw new BenchmarkException($"{subject.Name}: {window.Failures.Values.Sum():N0} calls failed, for example {window.Failures.Keys.First()}");
            }
        }
    }
}
