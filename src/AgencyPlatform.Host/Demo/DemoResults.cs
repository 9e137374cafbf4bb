using System.Globalization;
using AgencyPlatform.Protocol.Performance.V1;
using NodaTime;
using static AgencyPlatform.Host.Demo.DemoWire;

namespace AgencyPlatform.Host.Demo;

/// <summary>Did it help the client? In a year every retainer has a scorecard, which is filled in month by month; what misses its target becomes a promise.</summary>
internal sealed class DemoResults(DemoStage stage)
{
    private const int Target = 60;
    private const int TolerancePercent = 10;

    private readonly PerformanceService.PerformanceServiceClient _performance = stage.Platform.Performance;
    private readonly Dictionary<string, List<(LocalDate Month, int Leads, long SpendCents, long RevenueCents)>> _recorded = new(StringComparer.Ordinal);
    private int _kept;

    /// <summary>Writes down what the month that is over has brought, and looks at what was promised before.</summary>
    /// <param name="month">Its first day.</param>
    public async Task<string?> MonthEnd(LocalDate month)
    {
        if (!stage.IsYear)
        {
            return null;
        }

        var (clients, leads, missed) = (0, 0, 0);
        foreach (var work in stage.Work.Where(w => w.Retainer && w.Start < month.PlusMonths(1) && w.IsActiveOn(month.PlusMonths(1).PlusDays(-1))))
        {
            var name = $"{stage.Agency}/scorecards/{Last(work.Name)}";
            if (!_recorded.TryGetValue(name, out var recorded))
            {
                _recorded[name] = recorded = [];
                await _performance.CreateScorecardAsync(new CreateScorecardRequest { Parent = stage.Agency, Scorecard = new Scorecard { Engagement = work.Name } }, cancellationToken: stage.Cancellation);
                await _performance.SetKpiTargetAsync(
                    new SetKpiTargetRequest { Name = name, KpiId = "qualified-leads", Month = Wire(month), Target = Number(Target), TolerancePercent = $"{TolerancePercent}" },
                    cancellationToken: stage.Cancellation);
            }

            var chance = new Random(HashOf(work.Id) + (month.Year * 12) + month.Month);
            var (found, search, social) = (30 + (6 * recorded.Count) + chance.Next(40), 1_500_00L + chance.Next(1_000_00), 500_00L + chance.Next(500_00));
            var (customers, revenue) = (found / 12, found / 12 * 2_400_00L);
            await _performance.RecordKpiValuesAsync(
                new RecordKpiValuesRequest
                {
                    Name = name,
                    Values =
                    {
                        Entry("qualified-leads", Number(found)), Entry("sign-ups", Number(found / 3)), Entry("new-customers", Number(customers)),
                        Entry("spend", new KpiNumber { Amount = Usd(search) }, "search"), Entry("spend", new KpiNumber { Amount = Usd(social) }, "social"),
                        Entry("attributed-revenue", new KpiNumber { Amount = Usd(revenue) }),
                    },
                },
                cancellationToken: stage.Cancellation);
            recorded.Add((month, found, search + social, revenue));
            (clients, leads, missed) = (clients + 1, leads + found, missed + (Misses(found) ? 1 : 0));
            stage.Count(DemoEvent.Measured);

            KpiEntry Entry(string kpi, KpiNumber value, string channel = "") => new()
            {
                KpiId = kpi,
                Month = Wire(month),
                Channel = channel,
                Value = value,
                Attribution = kpi == "attributed-revenue" ? AttributionRule.LastTouch : AttributionRule.Unspecified,
            };
        }

        stage.Count(DemoEvent.Missed, missed);
        await Keep();
        return clients == 0 ? null : $"{clients} scorecards are filled in: {leads} qualified leads, {missed} below target, each with a promise of what will be done";
    }

    /// <summary>What the scorecards say is what was written down, and every miss is a promise.</summary>
    public async Task<IReadOnlyList<DemoCheck>> Check()
    {
        if (!stage.IsYear)
        {
            return [];
        }

        var (wrong, months) = (new List<string>(), 0);
        foreach (var (name, recorded) in _recorded)
        {
            var results = await _performance.GetResultsAsync(
                new GetResultsRequest { Name = name, StartMonth = Wire(recorded[0].Month), EndMonth = Wire(recorded[^1].Month.PlusMonths(1)) }, cancellationToken: stage.Cancellation);
            if (results.Total.Spend.MinorUnits != recorded.Sum(r => r.SpendCents) || results.Total.AttributedRevenue.MinorUnits != recorded.Sum(r => r.RevenueCents))
            {
                wrong.Add($"{Last(name)}'s spend or revenue");
            }

            foreach (var (month, leads, spend, _) in recorded)
            {
                months++;
                var cost = results.Months.Single(m => FromWire(m.Month) == month).Kpis.Single(k => k.KpiId == "cost-per-lead").Value?.Amount?.MinorUnits;
                if (cost != ((spend * 2) + leads) / (leads * 2))
                {
                    wrong.Add($"{Last(name)}'s cost per lead in {Text(month)}");
                }
            }
        }

        var promised = await Promises(CommitmentState.Unspecified);
        var missed = _recorded.Values.Sum(r => r.Count(m => Misses(m.Leads)));
        return
        [
            new("results are what was written down, and a lead costs what was spent for it", wrong.Count == 0, wrong.Count == 0 ? $"{months} months of {_recorded.Count} scorecards" : string.Join(", ", wrong.Take(5))),
            new("every missed target is a promise, once", promised.Count == missed && promised.Count(p => p.State == CommitmentState.Kept) == _kept, $"{missed} missed, {_kept} promises kept"),
        ];
    }

    /// <summary>Two in three of what is due are kept.</summary>
    private async Task Keep()
    {
        foreach (var (i, promise) in (await Promises(CommitmentState.Open)).Where(p => FromWire(p.DueDate) <= stage.Today).OrderBy(p => p.Name, StringComparer.Ordinal).Index().ToList())
        {
            if (i % 3 < 2)
            {
                await _performance.ResolveCommitmentAsync(
                    new ResolveCommitmentRequest { Name = promise.Name, State = CommitmentState.Kept, Note = "Done." }, cancellationToken: stage.Cancellation);
                _kept++;
                stage.Count(DemoEvent.PromiseKept);
            }
        }
    }

    private Task<List<Commitment>> Promises(CommitmentState state) => All<Commitment>(async token =>
    {
        var page = await _performance.ListCommitmentsAsync(new ListCommitmentsRequest { Parent = stage.Agency, State = state, PageSize = 1000, PageToken = token }, cancellationToken: stage.Cancellation);
        return (page.Commitments, page.NextPageToken);
    });

    private static bool Misses(int leads) => leads * 100 < Target * (100 - TolerancePercent);

    private static KpiNumber Number(int value) => new() { Number = value.ToString(CultureInfo.InvariantCulture) };

    /// <summary>The same in every process.</summary>
    private static int HashOf(string id) => id.Aggregate(17, (hash, c) => ((hash * 31) + c) % 100_003);
}
