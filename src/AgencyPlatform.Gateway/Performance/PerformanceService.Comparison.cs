using System.Collections.Immutable;
using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Engagements;
using AgencyPlatform.Domain.Performance;
using AgencyPlatform.Domain.Time;
using NodaTime.Text;
using V1 = AgencyPlatform.Protocol.Performance.V1;

namespace AgencyPlatform.Gateway.Performance;

/// <summary>A full-time hire beside an engagement, and which kind of service fits.</summary>
internal sealed partial class PerformanceService
{
    private const int MostPrices = 10;
    private const int MonthsWatched = 3;

    public override async Task<V1.CostComparison> CompareCosts(V1.CompareCostsRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var agency = fields.Agency("parent", request.Parent);
        fields.Require(request.Prices.Count is >= 1 and <= MostPrices, "prices", $"must be 1 to {MostPrices}; they are {request.Prices.Count}");
        var prices = request.Prices.Take(MostPrices).Select((p, i) => Price($"prices[{i}]", p, fields)).ToImmutableArray();
        var hire = Hire(request.Hire ?? new V1.HireAssumptions(), request.Senior, prices, fields);
        var engagement = fields.OptionalReference<EngagementId>("engagement", request.Engagement, agency, "engagements");
        var read = await calls.Read(context, request, fields, agency);
        var comparison = CostComparison.Of(hire, prices);
        var wire = new V1.CostComparison
        {
            Lines = { comparison.Lines.Select(l => new V1.HireCostLine { Cost = l.Cost.ToWire<V1.HireCost>(), Yearly = l.Yearly.ToWire() }) },
            HireYearly = comparison.HireYearly.ToWire(),
            Prices =
            {
                comparison.Prices.Select((p, i) => new V1.PriceComparison
                {
                    Price = request.Prices[i],
                    Yearly = p.Yearly.ToWire(),
                    Saving = p.Saving.ToWire(),
                    HourlyRate = p.HourlyRate.ToWire(),
                    Band = p.Band.ToWire<V1.RateBand>(),
                    BreakEvenMinutes = p.BreakEvenMinutes ?? 0,
                }),
            },
        };
        if (engagement is { } id)
        {
            (await grains.Of<IEngagementGrain>(agency, id.Value).Get(read)).OrThrow();
            var today = (read.SandboxNow ?? Instant.FromDateTimeOffset(system.GetUtcNow())).InUtc().Date;
            var end = today.PlusDays(1 - today.Day);
            var approved = (await readModels.Sum<TimeEntryRow>(
                    agency,
                    [
                        .. new Filters().Equal(nameof(TimeEntryRow.Engagement), id).Equal(nameof(TimeEntryRow.State), TimeEntryState.Approved)
                            .Between(nameof(TimeEntryRow.Date), end.PlusMonths(-MonthsWatched), end).All,
                    ],
                    nameof(TimeEntryRow.Minutes), [GroupBy.MonthOf(nameof(TimeEntryRow.Date))], context.CancellationToken))
                .ToDictionary(s => YearMonthPattern.Iso.Parse((string)s.Group[0]!).Value.OnDayOfMonth(1), s => s.Sum);
            var months = Enumerable.Range(1, MonthsWatched).Select(i => end.PlusMonths(i - MonthsWatched - 1)).Select(m => (Month: m, Minutes: approved.GetValueOrDefault(m))).ToList();
            wire.Months.AddRange(months.Select(m => new V1.MonthMinutes { Month = m.Month.ToWire(), Minutes = m.Minutes }));
            wire.HiringIsCheaper = CostComparison.Crossed(comparison.Prices[0], [.. months.Select(m => m.Minutes)]);
        }

        return wire;
    }

    public override async Task<V1.SuggestServiceTypeResponse> SuggestServiceType(V1.SuggestServiceTypeRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var agency = fields.Agency("parent", request.Parent);
        var need = new ServiceNeed(
            fields.Enum<V1.MarketingLead, MarketingLead>("lead", request.Lead), fields.Number("hours_per_week", request.HoursPerWeek, 0, 60, "hours"),
            fields.Number("limited_months", request.LimitedMonths, 0, 60, "months"), request.HasTeam, request.NeedsStrategy, request.NeedsLeadership, request.NeedsExecution, request.WantsToLearn);
        await calls.Read(context, request, fields, agency);
        return new V1.SuggestServiceTypeResponse
        {
            Suggestions =
            {
                ServiceTypeGuide.Suggest(need).Select(s => new V1.ServiceSuggestion
                {
                    ServiceType = s.Type.ToWire<Protocol.Engagements.V1.ServiceType>(),
                    Points = s.Points,
                    Reasons = { s.Reasons.Select(r => new V1.ServiceReason { Rule = r.Rule, Points = r.Points, Text = r.Text }) },
                }),
            },
        };
    }

    private static FractionalPrice Price(string path, V1.FractionalPrice wire, Fields fields)
    {
        var minutes = fields.Number(path + ".minutes_per_month", wire.MinutesPerMonth, 1, CostComparison.MostMinutesPerMonth, "minutes");
        switch (wire.PriceCase)
        {
            case V1.FractionalPrice.PriceOneofCase.HourlyRate:
                return new FractionalPrice(true, fields.Money(path + ".hourly_rate", wire.HourlyRate, 1), minutes);
            case V1.FractionalPrice.PriceOneofCase.MonthlyFee:
                return new FractionalPrice(false, fields.Money(path + ".monthly_fee", wire.MonthlyFee, 1), minutes);
            default:
                fields.Add(path + ".hourly_rate", "is required, or monthly_fee");
                return new FractionalPrice(true, default, minutes);
        }
    }

    /// <summary>What the request says, and for the rest the defaults, of which the amounts are in US dollars.</summary>
    private static HireAssumptions Hire(V1.HireAssumptions wire, bool senior, ImmutableArray<FractionalPrice> prices, Fields fields)
    {
        var standard = senior ? HireAssumptions.Senior : HireAssumptions.Average;
        var currency = prices.IsEmpty ? standard.Salary.Currency : prices[0].Amount.Currency;
        for (var i = 1; i < prices.Length; i++)
        {
            var path = $"prices[{i}].{(prices[i].ByTheHour ? "hourly_rate" : "monthly_fee")}";
            fields.Require(fields.Any || prices[i].Amount.Currency == currency, path, $"must be in {currency} as the first price");
        }

        var (lowest, highest) = (Amount("lowest_rate", wire.LowestRate, standard.LowestRate, 0), Amount("highest_rate", wire.HighestRate, standard.HighestRate, 0));
        fields.Require(fields.Any || lowest.Minor <= highest.Minor, "hire.highest_rate", "must be at least the lowest rate");
        return new HireAssumptions(
            Amount("salary", wire.Salary, standard.Salary, 1), Percent("benefits_percent", wire.BenefitsPercent, standard.BenefitsPpm), Percent("recruiting_percent", wire.RecruitingPercent, standard.RecruitingPpm),
            Amount("signing_bonus", wire.SigningBonus, Money.Zero(currency), 0), wire.HasRampUpMonths ? fields.Number("hire.ramp_up_months", wire.RampUpMonths, 0, 24, "months") : standard.RampUpMonths,
            Percent("ramp_up_loss_percent", wire.RampUpLossPercent, standard.RampUpLossPpm),
            Amount("training", wire.Training, currency == standard.Training.Currency ? standard.Training : Money.Zero(currency), 0),
            wire.TenureMonths == 0 ? standard.TenureMonths : fields.Number("hire.tenure_months", wire.TenureMonths, 1, 240, "months"), lowest, highest);

        int Percent(string name, string value, int otherwise) => value.Length == 0 ? otherwise : fields.Percent("hire." + name, value);

        Money Amount(string name, Protocol.Type.V1.Money? money, Money otherwise, long least)
        {
            var path = "hire." + name;
            var amount = money is null ? otherwise : fields.Money(path, money, least);
            fields.Require(fields.Any || amount.Currency == currency, path, money is null ? $"is required, since the default is in {otherwise.Currency}" : $"must be in {currency} as the first price");
            return amount;
        }
    }
}
