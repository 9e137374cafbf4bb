using System.Diagnostics;
using AgencyPlatform.Benchmarks.Load;
using AgencyPlatform.Benchmarks.Reporting;
using AgencyPlatform.Benchmarks.Servers;

namespace AgencyPlatform.Benchmarks.Growth;

/// <param name="Sizes">Client companies, ascending.</param>
/// <param name="Events">Of the line with a long history; 0: there is none.</param>
internal sealed record GrowthOptions(
    IReadOnlyList<int> Sizes, long Events, int LongHistory, IReadOnlyList<string> Engines, int Rounds, TimeSpan Length, TimeSpan WarmUp, int Callers, int Connections, string Data)
{
    public IReadOnlyList<GrowthSize> All =>
        [.. Sizes.Select(clients => new GrowthSize(clients, 0, LongHistory)), .. Events > 0 ? [new GrowthSize(Sizes[^1], Events, LongHistory)] : Array.Empty<GrowthSize>()];
}

/// <summary>
/// The same work on ever more data. Of one engine all sizes' servers stand at the same time and take turns, round by round; before that each is started on a copy
/// of its database and asked, cold, for what only a cold one tells.
/// </summary>
internal static class GrowthRun
{
    /// <summary>The callers share as many CMOs whatever the size: what growth alone does.</summary>
    public const int FewCmos = 10;

    private static readonly TimeSpan s_settle = TimeSpan.FromMilliseconds(300);

    public static async Task Seed(GrowthOptions options, CancellationToken cancellation)
    {
        EnsureRoom(options);
        foreach (var engine in options.Engines)
        {
            foreach (var size in options.All)
            {
                await SeededDatabase.Get(options.Data, engine, size, cancellation);
            }
        }
    }

    public static async Task<GrowthReport> Run(GrowthOptions options, CancellationToken cancellation)
    {
        var expected = options.Engines.Count * options.All.Count * (TimeSpan.FromSeconds(30) + options.WarmUp + (2 * options.Rounds * (options.Length + s_settle)));
        var touching = TimeSpan.FromSeconds(options.Engines.Count * ((options.Sizes.Sum() / 4_000) + (options.Events / 60_000)));
        Figures.Say($"{options.Engines.Count} engines, {options.All.Count} sizes, {options.Rounds} rounds of {options.Length.TotalSeconds:0.#} s: about {Math.Ceiling((expected + touching).TotalMinutes)} minutes, and a minute for each million events to be seeded first");
        await Seed(options, cancellation);
        await using var scope = new RunScope(options.Data);
        var bare = await ServerProcess.Bare(cancellation);
        await using (bare)
        {
            var rounds = new List<GrowthRound>();
            var colds = new List<ColdFigures>();
            foreach (var engine in options.Engines)
            {
                try
                {
                    await Run(options, engine, scope, bare.Grpc, rounds, colds, cancellation);
                }
                finally
                {
                    await scope.Stop();
                }
            }

            return GrowthReport.Of(options, rounds, colds);
        }
    }

    private static async Task Run(
        GrowthOptions options, string engine, RunScope scope, Uri telemetry, List<GrowthRound> rounds, List<ColdFigures> colds, CancellationToken cancellation)
    {
        var subjects = new List<(GrowthSize Size, Subject Subject)>();
        foreach (var size in options.All)
        {
            var seeded = await SeededDatabase.Get(options.Data, engine, size, cancellation);
            var folder = Path.Combine(scope.Folder.FullName, $"{engine}-{size.Clients}-{size.Events}");
            Figures.Say($"{engine}, {size.Title}: copying {seeded.Facts.Bytes:N0} bytes");
            await seeded.CopyTo(folder, cancellation);
            Func<TimeSpan>? database = null;
            string[] settings = [];
            if (engine == "postgres")
            {
                var postgres = scope.Keep(await PostgresCluster.Start(folder, _ => Task.CompletedTask, cancellation));
                settings = postgres.Settings;
                database = () => ProcessTimes.OfTree(postgres.Id);
            }

            ColdTimes without;
            double start, idle;
            await using (var fresh = await ServerProcess.Platform(folder, telemetry, settings, cancellation))
            {
                (start, idle) = (fresh.StartUp.TotalSeconds, fresh.ResidentMebibytes);
                without = await ColdTimes.Measure(fresh, size, lists: true, cancellation);
            }

            // Now there are snapshots: of all that was activated and had a history.
            var server = scope.Keep(await ServerProcess.Platform(folder, telemetry, settings, cancellation));
            var with = await ColdTimes.Measure(server, size, lists: false, cancellation);
            var connections = scope.Keep(new Connections(server.Grpc, options.Connections));
            var began = Stopwatch.GetTimestamp();
            await Reads.TouchAll(connections, size, cancellation);
            var touched = Stopwatch.GetElapsedTime(began).TotalSeconds;
            colds.Add(new ColdFigures(engine, size, seeded.Facts, start, idle, server.ResidentMebibytes, touched, without, with));
            Figures.Say($"{engine}, {size.Title}: started in {start:N1} s, {idle:N0} MiB; all touched in {touched:N0} s, {server.ResidentMebibytes:N0} MiB; a CMO of {size.LongHistory:N0} events active in {without.Cmo:N1} ms, from a snapshot in {with.Cmo:N1} ms");

            var targets = Reads.Targets(size);
            foreach (var few in new[] { true, false })
            {
                var chosen = few ? targets.Take(FewCmos).ToArray() : targets;
                var subject = new Subject($"{engine}, {size.Title}", chosen.Count, [server], new PairWork(connections, chosen), database);
                subjects.Add((size, subject));
                subject.Check(await LoadGenerator.Run(subject, options.Callers, TimeSpan.Zero, options.WarmUp / 2, cancellation));
                if (chosen.Count == targets.Count && few)
                {
                    break;
                }
            }
        }

        for (var round = 1; round <= options.Rounds; round++)
        {
            foreach (var (size, subject) in subjects)
            {
                var window = await LoadGenerator.Run(subject, options.Callers, s_settle, options.Length, cancellation);
                subject.Check(window);
                rounds.Add(new GrowthRound(round, engine, size, subject.Cmos!.Value, window));
                Figures.Say($"round {round} of {options.Rounds}, {subject.Title}: {window.CallsPerSecond:N0} calls/s, {(window.ServerCpu + window.DatabaseCpu) / Math.Max(1, window.Calls):N0} µs a call, p99 {window.P99:N1} ms");
            }
        }
    }

    /// <summary>What is seeded stays; copies of one engine's sizes stand beside it at the same time.</summary>
    private static void EnsureRoom(GrowthOptions options)
    {
        var rooms = options.Engines.SelectMany(engine => options.All.Select(size => (Engine: engine, Room: SeededDatabase.Room(options.Data, engine, size)))).ToArray();
        var need = rooms.Sum(r => r.Room.ToMake) + rooms.GroupBy(r => r.Engine).Max(g => g.Sum(r => r.Room.ToCopy));
        Directory.CreateDirectory(options.Data);
        var free = new DriveInfo(Path.GetFullPath(options.Data)).AvailableFreeSpace;
        Figures.Say($"at most {need >> 20:N0} MiB of disk are needed, {free >> 20:N0} MiB are free");
        if (need > free)
        {
            throw new BenchmarkException($"{options.Data} has {free >> 20:N0} MiB free and at most {need >> 20:N0} MiB may be needed: choose another --data, one engine at a time (--engines), or fewer --events.");
        }
    }
}
