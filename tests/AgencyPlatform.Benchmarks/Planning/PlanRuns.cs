using System.Diagnostics;
using System.Text.RegularExpressions;
using AgencyPlatform.Benchmarks.Reporting;
using AgencyPlatform.Benchmarks.Servers;
using AgencyPlatform.Planning;
using AgencyPlatform.Planning.Instances;
using AgencyPlatform.Planning.Portfolio;

namespace AgencyPlatform.Benchmarks.Planning;

/// <param name="Instances">Files of Generalized Assignment problems.</param>
/// <param name="Maximum">Null: as published.</param>
/// <param name="Rounds">How often each is solved by each of the two.</param>
/// <param name="Limit">For one solving.</param>
/// <param name="Clients">Of the generated portfolio; 0: none.</param>
internal sealed record PlanRunOptions(IReadOnlyList<string> Instances, bool? Maximum, int Rounds, TimeSpan Limit, int Workers, int Seed, int Clients, int Cmos, TimeSpan PortfolioLimit);

/// <summary>One instance: seconds of each round.</summary>
/// <param name="Known">From the folder's README; null: it names none.</param>
internal sealed record GapFigures(string Name, int Agents, int Jobs, long? Known, long? Cost, bool RawProven, bool OursProven, IReadOnlyList<double> Raw, IReadOnlyList<double> Ours);

/// <param name="Facts">Seconds from the agency's facts to the problem.</param>
/// <param name="First">Seconds until the first plan was told, facts included.</param>
/// <param name="Within">The gap after seconds of the whole.</param>
internal sealed record PortfolioFigures(
    int Needs, int Cmos, int Pairs, int Options, PlanModelSize Model, double Facts, double First, double All, PlanStatus Status, long Points, long Bound, double Gap, int Placed, int Moved,
    IReadOnlyList<(double Seconds, double Gap)> Within);

/// <summary>What was measured.</summary>
internal sealed record PlanReport(DateTimeOffset At, Machine Machine, PlanRunOptions Options, string LoadAverage, IReadOnlyList<GapFigures> Gaps, PortfolioFigures? Portfolio)
{
    public IReadOnlyList<ResultTable> Tables()
    {
        var tables = new List<ResultTable>();
        if (Gaps.Count > 0)
        {
            tables.Add(new ResultTable(
                Machine.Heading(At, $"{Options.Rounds} rounds, {Options.Workers} workers, seed {Options.Seed}, at most {N(Options.Limit.TotalSeconds, "0")} s each", LoadAverage),
                ["instance", "agents × jobs", "known", "found", "raw CP-SAT, s (least–most)", "planner, s (least–most)", "planner ÷ raw", "proven by raw, planner"],
                [.. Gaps.Select(Cells), All()]));
        }

        if (Portfolio is { } p)
        {
            tables.Add(new ResultTable(
                $"{p.Needs:N0} clients × {p.Cmos:N0} CMOs with all rules, {Options.Workers} workers, seed {Options.Seed}, at most {N(Options.PortfolioLimit.TotalSeconds, "0")} s",
                ["what", "figure"],
                [
                    ["pairs of need and CMO; of which possible", $"{p.Pairs:N0}; {p.Options:N0}"],
                    ["rows of weeks; of which left", $"{p.Model.CapacityRows:N0}; {p.Model.KeptRows:N0}"],
                    ["variables; groups of competitors", $"{p.Model.Variables:N0}; {p.Model.FenceCliques:N0}"],
                    ["from facts to problem, s", N(p.Facts, "0.00")],
                    ["first plan after, s", N(p.First, "0.0")],
                    .. p.Within.Select(w => (IReadOnlyList<string>)[$"gap after {N(w.Seconds, "0")} s", N(w.Gap * 100, "0.000") + " %"]),
                    ["answer after, s", N(p.All, "0.0")],
                    ["status", p.Status.ToString()],
                    ["points; bound; gap", $"{p.Points:N0}; {p.Bound:N0}; {N(p.Gap * 100, "0.000")} %"],
                    ["needs placed; moved from who has them today", $"{p.Placed:N0}; {p.Moved:N0}"],
                ]));
        }

        return tables;
    }

    private IReadOnlyList<string> Cells(GapFigures g) =>
    [
        g.Name, $"{g.Agents} × {g.Jobs}", g.Known is { } known ? N(known, "0") : "–", g.Cost is { } cost ? N(cost, "0") : "–", Spread(g.Raw), Spread(g.Ours),
        N(Figures.Median(g.Raw.Zip(g.Ours, (raw, ours) => ours / raw)), "0.00"), $"{(g.RawProven ? "yes" : "no")}, {(g.OursProven ? "yes" : "no")}",
    ];

    private IReadOnlyList<string> All()
    {
        double[] Sums(Func<GapFigures, IReadOnlyList<double>> of) => [.. Enumerable.Range(0, Options.Rounds).Select(r => Gaps.Sum(g => of(g)[r]))];
        var (raw, ours) = (Sums(g => g.Raw), Sums(g => g.Ours));
        return ["all", "", "", "", Spread(raw), Spread(ours), N(Figures.Median(raw.Zip(ours, (a, b) => b / a)), "0.00"), $"{Gaps.Count(g => g.RawProven)}, {Gaps.Count(g => g.OursProven)} of {Gaps.Count}"];
    }

    private static string Spread(IReadOnlyList<double> seconds) => $"{N(Figures.Median(seconds), "0.000")} ({N(seconds.Min(), "0.000")}–{N(seconds.Max(), "0.000")})";

    private static string N(double value, string format) => Figures.Text(value, format);
}

/// <summary>
/// Published problems by the planner and by the raw solver, in turn; and a generated portfolio with all rules. A plan that breaks a rule, an answer that is
/// another than the known one, or a proof that contradicts another's ends the run: then there are no figures.
/// </summary>
internal static partial class PlanRuns
{
    public static PlanReport Run(PlanRunOptions options, CancellationToken cancellation)
    {
        var planner = new Planner(TimeProvider.System);
        var gaps = options.Instances.SelectMany(path => Read(path, options.Maximum).Select(g => (Gap: g, Known: Known(path, g.Name)))).ToArray();
        if (gaps.Length > 0)
        {
            // Early calls load the library and compile: not what is compared.
            Solve(planner, gaps[0].Gap, options, cancellation);
            RawCpSat.Solve(gaps[0].Gap, options.Limit, options.Workers, options.Seed);
        }

        var figures = gaps.Select(g => new GapFigures(g.Gap.Name, g.Gap.Agents, g.Gap.Jobs, g.Known, null, true, true, [], [])).ToArray();
        for (var round = 0; round < options.Rounds; round++)
        {
            foreach (var (i, (gap, known)) in gaps.Index())
            {
                cancellation.ThrowIfCancellationRequested();
                (long? Cost, bool IsProven) raw = default, ours = default;
                var (rawSeconds, ourSeconds) = (0.0, 0.0);
                // Who goes first takes turns.
                foreach (var isRaw in (round + i) % 2 == 0 ? (bool[])[true, false] : [false, true])
                {
                    var begun = Stopwatch.GetTimestamp();
                    if (isRaw)
                    {
                        raw = RawCpSat.Solve(gap, options.Limit, options.Workers, options.Seed);
                        rawSeconds = Stopwatch.GetElapsedTime(begun).TotalSeconds;
                    }
                    else
                    {
                        ours = Solve(planner, gap, options, cancellation);
                        ourSeconds = Stopwatch.GetElapsedTime(begun).TotalSeconds;
                    }
                }

                var f = figures[i];
                figures[i] = f with
                {
                    Cost = ours.Cost ?? f.Cost,
                    RawProven = f.RawProven && raw.IsProven,
                    OursProven = f.OursProven && ours.IsProven,
                    Raw = [.. f.Raw, rawSeconds],
                    Ours = [.. f.Ours, ourSeconds],
                };
                Ensure(!raw.IsProven || !ours.IsProven || raw.Cost == ours.Cost, $"{gap.Name}: the raw solver proves {raw.Cost}, the planner {ours.Cost}");
                Ensure(!ours.IsProven || known is null || known == ours.Cost, $"{gap.Name}: the planner proves {ours.Cost}; known is {known}");
                Figures.Say($"{gap.Name}: {ours.Cost}{(ours.IsProven ? " proven" : " not proven")}, planner {ourSeconds:0.000} s, raw {rawSeconds:0.000} s");
            }
        }

        var portfolio = options.Clients > 0 ? Portfolio(planner, options, cancellation) : null;
        return new PlanReport(TimeProvider.System.GetUtcNow(), Machine.This, options, Machine.LoadAverage, figures, portfolio);
    }

    private static (long? Cost, bool IsProven) Solve(Planner planner, GapInstance gap, PlanRunOptions options, CancellationToken cancellation)
    {
        var answer = planner.Plan(gap.ToProblem(), new PlanOptions(options.Limit, options.Workers, options.Seed), cancellation: cancellation);
        if (!answer.HasPlan)
        {
            return (null, false);
        }

        var (cost, wrong) = gap.Check(answer.Assigned);
        Ensure(wrong is null && cost == gap.CostOf(answer.Points), $"{gap.Name}: {wrong ?? $"the plan costs {cost}, and {gap.CostOf(answer.Points)} was said"}");
        return (cost, answer.Status == PlanStatus.Optimal);
    }

    private static PortfolioFigures Portfolio(Planner planner, PlanRunOptions options, CancellationToken cancellation)
    {
        var inputs = GeneratedPortfolio.Of(options.Clients, options.Cmos, options.Seed);
        Figures.Say($"a portfolio of {options.Clients:N0} clients and {options.Cmos:N0} CMOs, for at most {options.PortfolioLimit.TotalSeconds:0} s");
        var begun = Stopwatch.GetTimestamp();
        var problem = PortfolioProblem.Of(inputs);
        var facts = Stopwatch.GetElapsedTime(begun);
        var told = new List<(double Seconds, double Gap)>();
        var answer = planner.Plan(
            problem, new PlanOptions(options.PortfolioLimit - facts, options.Workers, options.Seed),
            p =>
            {
                lock (told)
                {
                    told.Add(((facts + p.Elapsed).TotalSeconds, p.Gap ?? double.NaN));
                }
            },
            cancellation);
        var all = Stopwatch.GetElapsedTime(begun).TotalSeconds;
        Ensure(answer.HasPlan, $"there is no plan: {answer.Status} {answer.Conflict}");
        Ensure(Planner.Broken(problem, answer.Assigned) is null, Planner.Broken(problem, answer.Assigned) ?? "");
        var plans = told.Where(t => !double.IsNaN(t.Gap)).ToArray();
        return new PortfolioFigures(
            problem.Needs.Length, problem.Cmos.Length, problem.Needs.Sum(n => n.Options.Length + n.RuledOut.Length), problem.Needs.Sum(n => n.Options.Length), answer.Model, facts.TotalSeconds,
            plans.Length > 0 ? plans[0].Seconds : all, all, answer.Status, answer.Points, answer.Bound, answer.Gap, answer.Placed,
            problem.Needs.Index().Count(n => n.Item.Current is { } today && answer.Assigned[n.Index] != today),
            [.. new double[] { 5, 10, 20, 40 }.Where(s => s < all && plans.Length > 0 && plans[0].Seconds <= s).Select(s => (s, plans.Last(t => t.Seconds <= s).Gap))]);
    }

    private static IEnumerable<GapInstance> Read(string path, bool? maximum)
    {
        try
        {
            return GapInstance.Read(path, maximum);
        }
        catch (Exception e) when (e is FormatException or IOException or UnauthorizedAccessException)
        {
            throw new BenchmarkException(e.Message);
        }
    }

    /// <summary>The optimum that a README beside the file names in a row of its table: "| instance | … | optimum |".</summary>
    private static long? Known(string path, string name)
    {
        var readme = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, "README.md");
        return File.Exists(readme) && File.ReadLines(readme).Select(l => TableRow().Match(l)).FirstOrDefault(m => m.Success && m.Groups["name"].Value == name) is { } row ? long.Parse(row.Groups["known"].ValueSpan, System.Globalization.CultureInfo.InvariantCulture) : null;
    }

    private static void Ensure(bool holds, string otherwise)
    {
        if (!holds)
        {
            throw new BenchmarkException($"The run is wrong: {otherwise}.");
        }
    }

    [GeneratedRegex(@"^\|\s*(?<name>[^|\s]+)\s*\|.*\|\s*(?<known>-?\d+)\s*\|\s*$")]
    private static partial Regex TableRow();
}
