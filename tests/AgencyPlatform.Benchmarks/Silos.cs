using AgencyPlatform.Benchmarks.Load;
using AgencyPlatform.Benchmarks.Reporting;
using AgencyPlatform.Benchmarks.Servers;
using AgencyPlatform.Protocol.Clients.V1;
using AgencyPlatform.Protocol.Cmos.V1;
using Grpc.Core;

namespace AgencyPlatform.Benchmarks;

/// <param name="Gateways">How many processes of role gateway; 0: the silos are of role all and take calls themselves.</param>
internal sealed record SilosOptions(
    int Rounds, TimeSpan Length, TimeSpan WarmUp, IReadOnlyList<int> Silos, IReadOnlyList<int> Gateways, int Callers, int Connections, int Agencies, int Cmos, string Data);

/// <summary>A cluster's processes.</summary>
internal sealed record ClusterShape(int Silos, int Gateways)
{
    public string Title => Gateways == 0 ? $"{Silos} × all" : $"{Silos} × silo, {Gateways} × gateway";

    public int Processes => Silos + Gateways;
}

/// <param name="GatewayCpu">Processor time of the gateways alone, in microseconds; 0 without them. The window's is of all processes.</param>
internal sealed record SilosRound(int Number, ClusterShape Shape, Window Window, double GatewayCpu);

/// <summary>A shape over all rounds: medians.</summary>
/// <param name="OfOne">Calls a second ÷ those of the least silos behind as many gateways in the same round.</param>
/// <param name="CpuOfOne">The same of the processor time a call, database included.</param>
internal sealed record SilosLine(
    ClusterShape Shape, double CallsPerSecond, double Least, double Most, double OfOne, double P50, double P99, double P999, double SiloCpu, double GatewayCpu, double DatabaseCpu, double GeneratorCpu,
    double CpuOfOne, double RowsPerCommit);

internal sealed record SilosReport(DateTimeOffset At, Machine Machine, SilosOptions Options, string LoadAverage, IReadOnlyList<SilosLine> Lines, IReadOnlyList<SilosRound> Rounds)
{
    private static readonly string[] s_columns =
        ["Processes", "Calls/s (least–most)", "÷ fewest silos", "p50 ms", "p99 ms", "p99.9 ms", "CPU µs a call: silos", "gateways", "database", "generator", "CPU ÷ fewest silos", "Rows a commit"];

    public static SilosReport Of(SilosOptions options, IReadOnlyList<SilosRound> rounds)
    {
        var lines = rounds.GroupBy(r => r.Shape).Select(group =>
        {
            double Median(Func<SilosRound, double> figure) => Figures.Median(group.Select(figure));
            double OfOne(Func<SilosRound, double> figure) =>
                Median(r => figure(r) / figure(rounds.Where(o => o.Number == r.Number && o.Shape.Gateways == r.Shape.Gateways).MinBy(o => o.Shape.Silos)!));
            static double Cpu(SilosRound r) => (r.Window.ServerCpu + r.Window.DatabaseCpu) / Math.Max(1, r.Window.Calls);
            var rates = group.Select(r => r.Window.CallsPerSecond).ToArray();
            return new SilosLine(
                group.Key, Figures.Median(rates), rates.Min(), rates.Max(), OfOne(r => r.Window.CallsPerSecond),
                Median(r => r.Window.P50), Median(r => r.Window.P99), Median(r => r.Window.P999),
                Median(r => (r.Window.ServerCpu - r.GatewayCpu) / Math.Max(1, r.Window.Calls)), Median(r => r.GatewayCpu / Math.Max(1, r.Window.Calls)),
                Median(r => r.Window.DatabaseCpu / Math.Max(1, r.Window.Calls)), Median(r => r.Window.GeneratorCpu / Math.Max(1, r.Window.Calls)),
                OfOne(Cpu), Median(r => r.Window.Rows / Math.Max(1, r.Window.Commits)));
        });
        return new SilosReport(TimeProvider.System.GetUtcNow(), Machine.This, options, Machine.LoadAverage, [.. lines], rounds);
    }

    public ResultTable Table() => new(
        Machine.Heading(
            At,
            $"{Options.Rounds} rounds of {Figures.Text(Options.Length.TotalSeconds, "0.#")} s, {Options.Callers} callers over {Figures.Text(Options.Cmos, "N0")} CMOs in {Figures.Text(Options.Agencies, "N0")} agencies",
            LoadAverage),
        s_columns,
        [.. Lines.Select(Cells)]);

    private static string[] Cells(SilosLine line)
    {
        static string N(double? value, string format) => Figures.Text(value, format);
        return
        [
            line.Shape.Title, $"{N(line.CallsPerSecond, "N0")} ({N(line.Least, "N0")}–{N(line.Most, "N0")})", N(line.OfOne, "0.00"), N(line.P50, "0.0"), N(line.P99, "0.0"), N(line.P999, "0.0"),
            N(line.SiloCpu, "0"), N(line.GatewayCpu > 0 ? line.GatewayCpu : null, "0"), N(line.DatabaseCpu, "0"), N(line.GeneratorCpu, "0"), N(line.CpuOfOne, "0.00"), N(line.RowsPerCommit, "0"),
        ];
    }
}

/// <summary>
/// One silo against several on one PostgreSQL, through gateways and without. The shapes take turns, round by round; only one stands at a time, since idle
/// processes take processor time too. All work on the same agencies in the same database, each start as a cluster of its own.
/// </summary>
internal static class Silos
{
    private static readonly TimeSpan s_settle = TimeSpan.FromMilliseconds(500);

    public static async Task<SilosReport> Run(SilosOptions options, CancellationToken cancellation)
    {
        await using var scope = new RunScope(options.Data);
        ClusterShape[] shapes = [.. options.Gateways.SelectMany(gateways => options.Silos.Select(silos => new ClusterShape(silos, gateways)))];
        var starts = TimeSpan.FromSeconds(4 * shapes.Sum(s => s.Processes));
        var expected = TimeSpan.FromSeconds(30) + (options.Rounds * (starts + (shapes.Length * (options.WarmUp + options.Length + s_settle))));
        Figures.Say($"{options.Rounds} rounds of {shapes.Length} shapes, {shapes.Max(s => s.Processes)} processes at most: about {Math.Ceiling(expected.TotalMinutes)} minutes");
        var bare = scope.Keep(await ServerProcess.Bare(cancellation));
        var folder = scope.Folder.CreateSubdirectory("postgres").FullName;
        var postgres = scope.Keep(await PostgresCluster.Start(folder, cluster => PlatformTables.Create(cluster, cancellation), cancellation));
        IReadOnlyList<Target> targets;
        Figures.Say($"creating {options.Agencies:N0} agencies and {options.Cmos:N0} CMOs");
        await using (var server = await ServerProcess.Platform(folder, bare.Grpc, postgres.Settings, cancellation))
        {
            using var connections = new Connections(server.Grpc, options.Connections);
            targets = await Population.Create(connections, options.Agencies, options.Cmos, cancellation);
        }

        // As autovacuum would have after a minute: without statistics PostgreSQL reads whole tables.
        await postgres.Execute("ANALYZE", cancellation);

        var rounds = new List<SilosRound>();
        for (var round = 1; round <= options.Rounds; round++)
        {
            foreach (var shape in shapes)
            {
                var measured = await Measure(options, round, shape, folder, bare.Grpc, postgres, targets, cancellation);
                rounds.Add(measured);
                Figures.Say($"round {round} of {options.Rounds}, {shape.Title}: {measured.Window.CallsPerSecond:N0} calls/s, p99 {measured.Window.P99:N1} ms");
            }
        }

        return SilosReport.Of(options, rounds);
    }

    private static async Task<SilosRound> Measure(
        SilosOptions options, int round, ClusterShape shape, string folder, Uri telemetry, PostgresCluster postgres, IReadOnlyList<Target> targets, CancellationToken cancellation)
    {
        var silos = new List<ServerProcess>();
        var gateways = new List<ServerProcess>();
        try
        {
            string[] settings = [.. postgres.Settings, $"Cluster:Id=round-{round}-{shape.Silos}-{shape.Gateways}"];
            for (var i = 0; i < shape.Silos; i++)
            {
                silos.Add(await ServerProcess.Platform(folder, telemetry, [.. settings, $"Role={(shape.Gateways == 0 ? "all" : "silo")}"], cancellation));
            }

            for (var i = 0; i < shape.Gateways; i++)
            {
                gateways.Add(await ServerProcess.Platform(folder, telemetry, [.. settings, "Role=gateway"], cancellation));
            }

            using var connections = new Connections([.. (shape.Gateways == 0 ? silos : gateways).Select(s => s.Grpc)], options.Connections);
            var work = new PairWork(connections, targets);
            var subject = new Subject(shape.Title, null, [.. silos, .. gateways], work, () => ProcessTimes.OfTree(postgres.Id));

            await Touch(connections, targets, cancellation);

            // Not checked: in a cluster that has just formed aggregates move home, and a call that meets that may be answered UNAVAILABLE, which a client repeats.
            await LoadGenerator.Run(subject, options.Callers, TimeSpan.Zero, options.WarmUp, cancellation);
            var before = Cpu(gateways);
            var window = await LoadGenerator.Run(subject, options.Callers, TimeSpan.Zero, options.Length, cancellation);
            var spent = Cpu(gateways) - before;
            subject.Check(window);
            if (round == 1)
            {
                await Contest.Run(shape.Title, connections, targets[0]);
            }

            return new SilosRound(round, shape, window, spent.TotalMicroseconds);
        }
        finally
        {
            // The gateways first: a gateway without silos would look for some.
            foreach (var process in gateways.Concat(silos))
            {
                await process.DisposeAsync();
            }
        }

        // Whoever is asked for the first time is read from the journal: several times the price of a call, and not what is compared.
        static Task Touch(Connections connections, IReadOnlyList<Target> targets, CancellationToken cancellation) =>
            Parallel.ForEachAsync(targets, new ParallelOptions { MaxDegreeOfParallelism = 32, CancellationToken = cancellation }, async (target, _) =>
            {
                var channel = connections.Channels[Random.Shared.Next(connections.Channels.Count)];
                try
                {
                    await new CmosService.CmosServiceClient(channel).GetCmoAsync(new GetCmoRequest { Name = target.Cmo }, target.Headers);
                    foreach (var client in target.Clients)
                    {
                        await new ClientsService.ClientsServiceClient(channel).GetClientCompanyAsync(new GetClientCompanyRequest { Name = client }, target.Headers);
                    }
                }
                catch (RpcException e) when (e.StatusCode == StatusCode.Unavailable)
                {
                    // Aggregates move home in a cluster that has just formed.
                }
            });

        static TimeSpan Cpu(IEnumerable<ServerProcess> processes) => TimeSpan.FromTicks(processes.Sum(p => p.Cpu.Ticks));
    }
}
