using System.Collections.Immutable;
using System.Globalization;
using System.Numerics;
using NodaTime;
using NodaTime.Text;

namespace AgencyPlatform.Domain.Billing;

/// <summary>An amount that is earned in equal parts by the days that it is for. Source: domain §5.</summary>
/// <param name="Amount">Minor units in all.</param>
/// <param name="Dates">In order, apart from each other, each with an end; none: it is earned at once.</param>
public readonly record struct Earning(long Amount, ImmutableArray<DateRange> Dates)
{
    /// <summary>The first day after its last; null: it has no days.</summary>
    public LocalDate? End => Dates.IsEmpty ? null : Dates[^1].End;

    /// <summary>What the days before a date have earned: amount × days elapsed ÷ days, rounded once; after the last day exactly all of it.</summary>
    public long Before(LocalDate date) => ElapsedBefore(date) is var (elapsed, days) ? Rounding.HalfAwayFromZero((BigInteger)Amount * elapsed, days) : Amount;

    /// <summary>How many of its days have elapsed before a date, and how many they are; null: it has none, or all have.</summary>
    public (long Elapsed, long Days)? ElapsedBefore(LocalDate date)
    {
        if (End is not { } end || end <= date)
        {
            return null;
        }

        var (elapsed, days) = (0L, 0L);
        foreach (var range in Dates)
        {
            days += range.Days();
            elapsed += range.Intersect(new DateRange(LocalDate.MinIsoValue, date)) is { } passed ? passed.Days() : 0;
        }

        return (elapsed, days);
    }
}

/// <summary>When what days earn is posted by itself.</summary>
public static class RecognitionDates
{
    /// <summary>The next month's first day: what the days before it have earned is posted on the last of them.</summary>
    public static LocalDate NextMonth(LocalDate date) => new YearMonth(date.Year, date.Month).PlusMonths(1).OnDayOfMonth(1);
}

/// <summary>
/// How much a fee is for its days, and up to which of them its revenue is posted. On a date the row holds that was written last of those from that date or an earlier one. Reports compute
/// the days since.
/// </summary>
/// <param name="Item">
/// The fee's item, <c>{first day of its bill-cycle period}/{rate}</c>, and <c>/arrears</c> where it is billed in arrears; of what was deferred at a cut-over its first day and <c>/opening-{number}</c>.
/// </param>
/// <param name="From">The posting date.</param>
/// <param name="Timing">Billed in advance: out of deferred revenue. In arrears: into unbilled receivable.</param>
/// <param name="Amount">Minor units in all.</param>
/// <param name="Dates">Its days, <c>2026-05-01/2026-05-16</c> half-open, separated by a blank.</param>
/// <param name="Before">What the days before it have earned is posted.</param>
/// <param name="Until">The first day after the last that it ever had: no row of it has a later one.</param>
/// <param name="KnownAt">When it was written, by the agency's clock.</param>
/// <param name="Version">Of the engagement for fees in arrears, else of the billing account: it tells what was written last.</param>
[RowTable("recognitions", nameof(LegalEntity), nameof(Engagement), nameof(Currency), nameof(Item), nameof(From), nameof(Version), Indexes = [nameof(Until)])]
public sealed record RecognitionRow(
    LegalEntityId LegalEntity, EngagementId Engagement, string Currency, string Item, LocalDate From, ClientCompanyId Client, FeeTiming Timing, long Amount, string Dates, LocalDate Before,
    LocalDate Until, Instant KnownAt, long Version) : IRow
{
    public static RecognitionRow Of(
        LegalEntityId entity, EngagementId engagement, Currency currency, string item, LocalDate from, ClientCompanyId client, FeeTiming timing, Earning earning, LocalDate before, LocalDate until, EventInfo info) => new(
        entity, engagement, currency.Code, item, from, client, timing, earning.Amount,
        string.Join(' ', earning.Dates.Select(d => $"{LocalDatePattern.Iso.Format(d.Start)}/{LocalDatePattern.Iso.Format(d.End!.Value)}")), before, until, info.OccurredAt, info.Version);

    /// <summary>The item of a fee.</summary>
    public static string ItemOf(LocalDate period, long rate, string more = "") => string.Create(CultureInfo.InvariantCulture, $"{period:uuuu-MM-dd}/{rate}{more}");

    /// <summary>What its days up to and with a date have earned that is not posted yet.</summary>
    public long PendingOn(LocalDate date)
    {
        var earning = new Earning(Amount, [.. Dates.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(Range)]);
        return date < Before ? 0 : earning.Before(date.PlusDays(1)) - earning.Before(Before);
    }

    private static DateRange Range(string text)
    {
        var dates = text.Split('/');
        return new DateRange(LocalDatePattern.Iso.Parse(dates[0]).Value, LocalDatePattern.Iso.Parse(dates[1]).Value);
    }
}
