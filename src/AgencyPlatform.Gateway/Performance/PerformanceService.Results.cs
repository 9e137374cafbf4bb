using System.Globalization;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Domain.Performance;
using CsvHelper;
using Google.Api;
using Google.Protobuf;
using NodaTime.Text;
using V1 = AgencyPlatform.Protocol.Performance.V1;

namespace AgencyPlatform.Gateway.Performance;

/// <summary>What months of an engagement came to.</summary>
internal sealed partial class PerformanceService
{
    private const int MostMonths = 36;

    private static readonly string[] s_columns = ["month", "figure", "channel", "value", "unit", "budget", "target", "benchmark", "on_target", "no_value"];

    public override async Task<V1.Results> GetResults(V1.GetResultsRequest request, ServerCallContext context)
    {
        var (scorecard, results) = await Results(request, request.Name, request.StartMonth, request.EndMonth, context);
        return new V1.Results
        {
            Name = request.Name,
            Months =
            {
                results.Months.Select(m => new V1.MonthResults
                {
                    Month = m.Month.ToWire(),
                    Summary = PerformanceWire.ToWire(m.Results, scorecard.Currency),
                    Kpis = { m.Kpis.Select(k => PerformanceWire.ToWire(k)) },
                }),
            },
            Total = PerformanceWire.ToWire(results.Total, scorecard.Currency),
        };
    }

    public override async Task<HttpBody> ExportResults(V1.ExportResultsRequest request, ServerCallContext context)
    {
        var (scorecard, results) = await Results(request, request.Name, request.StartMonth, request.EndMonth, context);
        using var buffer = new MemoryStream();

        // A text that a sheet would take for a formula is escaped; numbers are written as such.
        using (var csv = CsvWriter.Create(buffer, new CsvWriterOptions { Injection = CsvInjection.Escape }, true))
        {
            csv.WriteHeader(s_columns);
            foreach (var month in results.Months)
            {
                Write(csv, Scorecard.MonthText(month.Month), month.Results, scorecard.Currency);
                foreach (var kpi in month.Kpis)
                {
                    Row(
                        csv, Scorecard.MonthText(month.Month), kpi.Kpi.Id.Value, "", Number(kpi.Outcome.Value, kpi.Kpi.Decimals), kpi.Kpi.Unit switch { KpiUnit.Money => kpi.Kpi.Currency!.Value.Code, KpiUnit.Percent => "%", _ => "" },
                        null, Number(kpi.Target?.Target, kpi.Kpi.Decimals), Number(kpi.Target?.Benchmark, kpi.Kpi.Decimals), kpi.OnTarget switch { true => "yes", false => "no", _ => "" }, kpi.Outcome.Why);
                }
            }

            Write(csv, "", results.Total, scorecard.Currency);
        }

        return new HttpBody { ContentType = "text/csv; charset=utf-8", Data = ByteString.CopyFrom(buffer.ToArray()) };
    }

    private async Task<(Scorecard Scorecard, EngagementResults Results)> Results(IMessage request, string name, Google.Type.Date startMonth, Google.Type.Date endMonth, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, id) = Name("name", name, fields);
        var (start, end) = (fields.Month("start_month", startMonth), fields.Month("end_month", endMonth));
        fields.Require(
            fields.Has("start_month") || fields.Has("end_month") || (end > start && end <= start.PlusMonths(MostMonths)), "end_month",
            $"must be 1 to {MostMonths} months after start_month (the end is exclusive)");
        var read = await calls.Read(context, request, fields, agency);
        await EnsureSeen(context, read, id);
        var scorecard = (await Grain(agency, id).Get(read)).OrThrow().Value;
        var filters = new Filters()
            .Equal(nameof(PostingRow.Account), LedgerAccount.Revenue).Equal(nameof(PostingRow.Engagement), id).Between(nameof(PostingRow.Date), start, end).Known(nameof(PostingRow.KnownAt), read.ReadTime);
        var fees = (await readModels.Sum<PostingRow>(
                agency, [.. filters.All], nameof(PostingRow.Amount), [nameof(PostingRow.Currency), GroupBy.MonthOf(nameof(PostingRow.Date))], context.CancellationToken))
            .ToLookup(s => YearMonthPattern.Iso.Parse((string)s.Group[1]!).Value.OnDayOfMonth(1), s => new Money(-s.Sum, new Currency((string)s.Group[0]!)));
        return (scorecard, EngagementResults.Of(scorecard, fees, start, Period.Between(start, end, PeriodUnits.Months).Months));
    }

    private static void Write(CsvWriter csv, string month, ResultsOf results, Currency currency)
    {
        foreach (var channel in results.Channels)
        {
            Row(csv, month, "spend", channel.Channel, Number(channel.Spend, currency.Decimals), currency.Code, Number(channel.Budget, currency.Decimals));
        }

        Row(csv, month, "spend-total", "", Number(results.Spend, currency.Decimals), currency.Code, Number(results.Budget, currency.Decimals));
        foreach (var fee in results.Fees)
        {
            Row(csv, month, "fees", "", Number(fee.Minor, fee.Currency.Decimals), fee.Currency.Code);
        }

        Row(csv, month, "revenue", string.Join(' ', results.Attributions.Select(a => a.ToString().ToLowerInvariant())), Number(results.Revenue, currency.Decimals), currency.Code);
        Row(csv, month, "roi", "", Number(results.RoiPercent.Value, 2), "%", why: results.RoiPercent.Why);
    }

    private static decimal? Number(long? value, int decimals) => value is { } known ? decimal.Parse(DecimalText.Of(known, decimals), CultureInfo.InvariantCulture) : null;

    private static void Row(
        CsvWriter csv, string month, string figure, string channel, decimal? value, string unit, decimal? budget = null, decimal? target = null, decimal? benchmark = null, string onTarget = "",
        NoValue why = NoValue.None)
    {
        csv.WriteField(month);
        csv.WriteField(figure);
        csv.WriteField(channel);
        Number(value);
        csv.WriteField(unit);
        Number(budget);
        Number(target);
        Number(benchmark);
        csv.WriteField(onTarget);
        csv.WriteField(why == NoValue.None ? "" : why.ToString());
        csv.EndRecord();

        void Number(decimal? number)
        {
            if (number is { } known)
            {
                csv.WriteField(known, null, CultureInfo.InvariantCulture);
            }
            else
            {
                csv.WriteField("");
            }
        }
    }
}
