using System.Diagnostics;
using AgencyPlatform.Benchmarks.Load;
using AgencyPlatform.Benchmarks.Protocol;
using AgencyPlatform.Benchmarks.Reporting;
using AgencyPlatform.Benchmarks.Servers;
using AgencyPlatform.Protocol.Events.V1;
using Grpc.Core;

namespace AgencyPlatform.Benchmarks.FanOut;

/// <param name="Agencies">Over how many the watchers are spread, a line each.</param>
/// <param name="Callers">Who cause the events.</param>
internal sealed record FanOutOptions(int Rounds, TimeSpan Length, TimeSpan WarmUp, IReadOnlyList<int> Agencies, int Watchers, int Callers, int Connections, string Data);

/// <summary>One turn of a row.</summary>
/// <param name="Calls">A second, each of which commits an event; 0: none were committed.</param>
/// <param name="ServerCpu">Processor time of the row's server in the turn, in microseconds; that of the watchers and callers beside it.</param>
internal sealed record FanOutTurn(int Round, string Row, int Agencies, double Seconds, Delivered Delivered, double Calls, double ServerCpu, double GeneratorCpu)
{
    public double EventsPerSecond => Delivered.Events / Seconds;
}

/// <summary>A row over all rounds: medians, and the least and the most.</summary>
/// <param name="OfBare">Events a second ÷ the broadcast's in the same round.</param>
/// <param name="ServerCpu">Microseconds an event that a watcher got.</param>
internal sealed record FanOutLine(
    string Row, int Agencies, double EventsPerSecond, double Least, double Most, double OfBare, double OfBareLeast, double OfBareMost, double MegabytesPerSecond, double EventsPerMessage, double Calls,
    double ServerCpu, double CpuOfBare, double GeneratorCpu);

internal sealed record FanOutReport(DateTimeOffset At, Machine Machine, FanOutOptions Options, string LoadAverage, IReadOnlyList<FanOutLine> Lines, IReadOnlyList<FanOutTurn> Rounds)
{
    private static readonly string[] s_columns =
        ["Row", "Agencies", "Events delivered/s (least–most)", "÷ broadcast (least–most)", "MB/s", "Events a message", "Committed/s", "CPU µs an event delivered: server", "÷ broadcast", "watchers and callers"];

    public static FanOutReport Of(FanOutOptions options, IReadOnlyList<FanOutTurn> turns)
    {
        var bare = turns.Where(t => t.Row == FanOutRun.Bare).ToDictionary(t => (t.Round, t.Agencies));
        var lines = turns.GroupBy(t => (t.Agencies, t.Row)).Select(group =>
        {
            double Median(Func<FanOutTurn, double> figure) => Figures.Median(group.Select(figure));
            double OfBare(FanOutTurn turn) => turn.EventsPerSecond / bare[(turn.Round, turn.Agencies)].EventsPerSecond;
            static double Cpu(FanOutTurn turn) => turn.ServerCpu / turn.Delivered.Events;
            return new FanOutLine(
                group.Key.Row, group.Key.Agencies, Median(t => t.EventsPerSecond), group.Min(t => t.EventsPerSecond), group.Max(t => t.EventsPerSecond), Median(OfBare), group.Min(OfBare), group.Max(OfBare),
                Median(t => t.Delivered.Bytes / t.Seconds / 1e6), Median(t => (double)t.Delivered.Events / t.Delivered.Messages), Median(t => t.Calls), Median(Cpu),
                Median(t => Cpu(t) / Cpu(bare[(t.Round, t.Agencies)])), Median(t => t.GeneratorCpu / t.Delivered.Events));
        });
        return new FanOutReport(TimeProvider.System.GetUtcNow(), Machine.This, options, Machine.LoadAverage, [.. lines], turns);
    }

    public ResultTable Table() => new(
        Machine.Heading(
            At, $"{Options.Rounds} rounds of {Figures.Text(Options.Length.TotalSeconds, "0.#")} s, {Options.Watchers} watchers on {Options.Connections} connections, {Options.Callers} callers", LoadAverage),
        s_columns,
        [.. Lines.Select(Cells)]);

    private static string[] Cells(FanOutLine line)
    {
        static string N(double value, string format) => Figures.Text(value, format);
        return
        [
            line.Row, N(line.Agencies, "N0"), $"{N(line.EventsPerSecond, "N0")} ({N(line.Least, "N0")}–{N(line.Most, "N0")})", $"{N(line.OfBare, "0.00")} ({N(line.OfBareLeast, "0.00")}–{N(line.OfBareMost, "0.00")})",
            N(line.MegabytesPerSecond, "N0"), N(line.EventsPerMessage, "0"), line.Calls > 0 ? N(line.Calls, "N0") : "–", N(line.ServerCpu, "0.0"), N(line.CpuOfBare, "0.00"), N(line.GeneratorCpu, "0.0"),
        ];
    }
}

/// <summary>
/// What watches are sent while events are committed, and when they catch up, beside a bare server stream that sends the same messages, made before, to as many readers as fast as they take them. The three
/// take turns, round by round.
/// </summary>
internal static class FanOutRun
{
    public const string Bare = "Broadcast of the same messages, bare gRPC";
    public const string Live = "Watch, while events are committed";
    public const string Past = "Watch, catching up";

    /// <summary>Of each agency: what is booked and released.</summary>
    private const int Cmos = 8;

    /// <summary>Messages of the watch that the bare server sends.</summary>
    private const int Kept = 1_000;

    private static readonly TimeSpan s_settle = TimeSpan.FromMilliseconds(500);

    public static async Task<FanOutReport> Run(FanOutOptions options, CancellationToken cancellation)
    {
        await using var scope = new RunScope(options.Data);
        var bare = scope.Keep(await ServerProcess.Bare(cancellation));
        var platform = scope.Keep(await ServerProcess.Platform(
            scope.Folder.CreateSubdirectory("sqlite").FullName, bare.Grpc, [$"Gateway:WatchesPerAgency={4 * options.Watchers}"], cancellation));
        var connections = (Platform: scope.Keep(new Connections(platform.Grpc, options.Connections)), Bare: scope.Keep(new Connections(bare.Grpc, options.Connections)));
        var targets = await Population.Create(connections.Platform, options.Agencies.Max(), options.Agencies.Max() * Cmos, cancellation);
        var shapes = options.Agencies.Select(agencies =>
        {
            var own = targets.Take(agencies * Cmos).ToList();
            return new Shape(
                [.. own.Where((_, i) => i % Cmos == 0).Select(t => (t.Cmo[..t.Cmo.IndexOf("/cmos/", StringComparison.Ordinal)], t.Headers))],
                new Subject(Live, null, [platform], new PairWork(connections.Platform, own)));
        }).ToList();

        Figures.Say($"warming up for {options.WarmUp.TotalSeconds:0.#} s; then {options.Rounds} rounds of {shapes.Count * 3} turns");
        var turns = new List<FanOutTurn>();
        for (var round = 0; round <= options.Rounds; round++)
        {
            foreach (var shape in shapes)
            {
                // Round 0 warms up.
                var length = round == 0 ? options.WarmUp / shapes.Count : options.Length;
                var (live, begun, ended, messages) = await WatchLive(round, shape, length);
                await Keep(messages);
                var broadcast = await ReadBroadcast(round, shape, length);
                var past = await WatchPast(round, shape, begun, ended);
                if (round > 0)
                {
                    turns.AddRange([broadcast, live, past]);
                    foreach (var turn in turns[^3..])
                    {
                        Figures.Say($"round {round} of {options.Rounds}, {turn.Agencies} agencies, {turn.Row}: {turn.EventsPerSecond:N0} events/s, {turn.EventsPerSecond / broadcast.EventsPerSecond:0.00} of the broadcast");
                    }
                }
            }
        }

        return FanOutReport.Of(options, turns);

        async Task<(FanOutTurn Turn, IReadOnlyList<string> Begun, IReadOnlyList<string> Ended, List<byte[]> Messages)> WatchLive(int round, Shape shape, TimeSpan length)
        {
            await using var audience = await Audience.Watch(connections.Platform, shape.Agencies, options.Watchers, null, Kept);
            var begun = audience.Cursors(shape.Agencies.Count);
            var load = LoadGenerator.Run(shape.Load, options.Callers, s_settle, length, cancellation);
            await Task.Delay(s_settle, TimeProvider.System, cancellation);
            var turn = await Measure(round, Live, shape, platform, audience, () => Task.Delay(length, TimeProvider.System, cancellation));
            var window = await load;
            shape.Load.Check(window);

            // Every watcher has had every event before anything counts.
            var ended = await Heads(shape);
            await audience.UntilAt(ended);
            return (turn with { Calls = window.CallsPerSecond }, begun, ended, audience.Kept);
        }

        async Task<FanOutTurn> WatchPast(int round, Shape shape, IReadOnlyList<string> begun, IReadOnlyList<string> ended)
        {
            var (started, cpu, own) = (Stopwatch.GetTimestamp(), platform.Cpu, Environment.CpuUsage.TotalTime);
            await using var audience = await Audience.Watch(connections.Platform, shape.Agencies, options.Watchers, begun, 0);
            await audience.UntilAt(ended);
            return new FanOutTurn(
                round, Past, shape.Agencies.Count, Stopwatch.GetElapsedTime(started).TotalSeconds, audience.Delivered, 0, (platform.Cpu - cpu).TotalMicroseconds, (Environment.CpuUsage.TotalTime - own).TotalMicroseconds);
        }

        async Task<FanOutTurn> ReadBroadcast(int round, Shape shape, TimeSpan length)
        {
            await using var audience = Audience.Broadcast(connections.Bare, options.Watchers);
            await Task.Delay(s_settle, TimeProvider.System, cancellation);
            return await Measure(round, Bare, shape, bare, audience, () => Task.Delay(length, TimeProvider.System, cancellation));
        }

        async Task Keep(List<byte[]> messages)
        {
            using var call = new FloorService.FloorServiceClient(connections.Bare.Channels[0]).Keep(cancellationToken: cancellation);
            foreach (var message in messages)
            {
                await call.RequestStream.WriteAsync(WatchResponse.Parser.ParseFrom(message), cancellation);
            }

            await call.RequestStream.CompleteAsync();
            await call;
        }

        async Task<IReadOnlyList<string>> Heads(Shape shape)
        {
            await using var now = await Audience.Watch(connections.Platform, shape.Agencies, shape.Agencies.Count, null, 0);
            return now.Cursors(shape.Agencies.Count);
        }
    }

    private static async Task<FanOutTurn> Measure(int round, string row, Shape shape, ServerProcess server, Audience audience, Func<Task> wait)
    {
        var (started, before, cpu, own) = (Stopwatch.GetTimestamp(), audience.Delivered, server.Cpu, Environment.CpuUsage.TotalTime);
        await wait();
        var delivered = audience.Delivered - before;
        return delivered.Events == 0
            ? throw new BenchmarkException($"{row}: nothing was delivered.")
            : new FanOutTurn(
                round, row, shape.Agencies.Count, Stopwatch.GetElapsedTime(started).TotalSeconds, delivered, 0, (server.Cpu - cpu).TotalMicroseconds, (Environment.CpuUsage.TotalTime - own).TotalMicroseconds);
    }

    /// <summary>Which agencies are watched, and what happens in them.</summary>
    private sealed record Shape(IReadOnlyList<(string Agency, Metadata Headers)> Agencies, Subject Load);
}
