using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json.Serialization;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Domain.Cmos;
using AgencyPlatform.Domain.Time;
using NodaTime;

namespace AgencyPlatform.Domain.Engagements;

/// <summary>What accrues together: a charge, a bill-cycle period and a rate; or a CMO's cost, a month and a rate.</summary>
[GenerateSerializer, Immutable, Alias("id.accrual")]
public readonly record struct AccrualKey([property: Id(0)] string Value) : IId<AccrualKey>, IComparable<AccrualKey>
{
    public static AccrualKey Of(string value) => new(value);

    /// <summary>What a CMO costs in a month, <c>cost/{cmo}/{month}/{rate}-{currency}</c>.</summary>
    public static AccrualKey Cost(CmoId cmo, LocalDate date, CostRate rate) =>
        new(string.Create(CultureInfo.InvariantCulture, $"{CostPrefix}{cmo}/{date:uuuu-MM}/{rate.HourlyMinor}-{rate.Currency.Code}"));

    /// <summary>What is charged in a bill-cycle period under terms without a meter, <c>hourly/{first day}/{rate}</c>.</summary>
    public static AccrualKey Hours(LocalDate period, long rate) => new(string.Create(CultureInfo.InvariantCulture, $"hourly/{period:uuuu-MM-dd}/{rate}"));

    /// <summary>What is charged beyond the meter in a bill-cycle period, <c>overage/{first day}/{rate}</c>.</summary>
    public static AccrualKey Overage(LocalDate period, long rate) => new(string.Create(CultureInfo.InvariantCulture, $"overage/{period:uuuu-MM-dd}/{rate}"));

    /// <summary>What is charged by the day in a bill-cycle period, <c>days/{first day}/{rate}</c>; a day counts as 60 minutes, so that the rate is of 60 minutes here too.</summary>
    public static AccrualKey Days(LocalDate period, long rate) => new(string.Create(CultureInfo.InvariantCulture, $"{DaysPrefix}{period:uuuu-MM-dd}/{rate}"));

    /// <summary>The days of a fee that a seller bills in arrears, <c>fee/{seller}/{currency}/{first day}/{rate}</c>.</summary>
    public static AccrualKey Fee(LegalEntityId seller, Currency currency, LocalDate period, long rate) =>
        new(string.Create(CultureInfo.InvariantCulture, $"fee/{seller}/{currency.Code}/{period:uuuu-MM-dd}/{rate}"));

    /// <summary>Whether it is a fee in the books of a seller.</summary>
    public bool IsFeeOf(LegalEntityId seller) => Value.StartsWith($"fee/{seller}/", StringComparison.Ordinal);

    /// <summary>What half a day counts as in a key of days.</summary>
    public const int HalfDay = 30;

    /// <summary>Whether it is charged by the day: what an entry gained depends on the others of its date.</summary>
    public bool IsDays => Value.StartsWith(DaysPrefix, StringComparison.Ordinal);

    /// <summary>Whether it is a CMO's cost, and not a charge.</summary>
    public bool IsCost => Value.StartsWith(CostPrefix, StringComparison.Ordinal);

    /// <summary>Minor units an hour.</summary>
    public long Rate => long.Parse(Value.AsSpan(Value.LastIndexOf('/') + 1).ToString().Split('-')[0], CultureInfo.InvariantCulture);

    /// <summary>The currency of a cost; a charge has that of its terms.</summary>
    public Currency? CostCurrency => IsCost ? new Currency(Value[^3..]) : null;

    private const string CostPrefix = "cost/";
    private const string DaysPrefix = "days/";

    public int CompareTo(AccrualKey other) => string.CompareOrdinal(Value, other.Value);
    public override string ToString() => Value;
}

/// <summary>An approved entry as the engagement holds it.</summary>
/// <param name="Accruals">What it gained each key: a reversal takes exactly that back, whatever the terms say by then.</param>
/// <param name="Seller">In whose books it is posted; null: nothing was.</param>
/// <param name="Dispute">The dispute that it is under: it stays drawn and goes on no new invoice; null: none.</param>
/// <param name="Disputes">Every dispute it ever was under, so that a late repeat of one that is over begins none.</param>
[GenerateSerializer, Immutable, Alias("engagement.approved-time")]
public sealed record ApprovedTime(
    CmoId Cmo, LocalDate Date, int Minutes, bool Billable, bool Paid, TimeParts Parts, ImmutableArray<Accrual> Accruals, LegalEntityId? Seller, Guid? Dispute, ImmutableArray<Guid> Disputes)
{
    /// <summary>Minutes that wait for a consent; what is disputed waits for the end of the dispute first.</summary>
    [JsonIgnore]
    public int Consentable => Dispute is null ? Parts.Parked : 0;

    /// <summary>So many of the parked minutes are drawn now.</summary>
    public ApprovedTime Served(GrantDraw draw) => this with { Parts = Parts with { Parked = Parts.Parked - draw.Minutes, Drawn = Parts.Drawn.Add(draw) } };

    /// <summary>So many of the parked minutes are overage now.</summary>
    public ApprovedTime Consented(int minutes) => this with { Parts = Parts with { Parked = Parts.Parked - minutes, Overage = Parts.Overage + minutes } };
}

/// <summary>What an engagement knows of worked time: approved entries, what they drew of each grant, and the minutes accrued by key. Source: domain §4.</summary>
/// <param name="Drawn">By grant. A period's included grant is computed from the terms, never below what is drawn of it.</param>
/// <param name="Accrued">Minutes by key, of which the amount posted so far is computed.</param>
/// <param name="Carried">What closed periods carried, expired ones too: a late entry may still draw on the carry of its own period.</param>
/// <param name="CarriedOut">Minutes that went from a grant into a carry, by grant.</param>
/// <param name="Thresholds">The highest threshold reached, percent, by the period's first day.</param>
/// <param name="MeterAt">The last first day of a period, or day after the last, up to which time has moved the meter; null: before the first.</param>
/// <param name="TimeZone">The seller's, IANA; null: UTC.</param>
/// <param name="LastConsent">What the newest consent made of which entries.</param>
/// <param name="Reversed">Entries that were drawn and given back, as they were: none of them is ever drawn again.</param>
/// <param name="Blocks">Prepaid blocks that were sold, in the order of their sale; null: none.</param>
/// <param name="Waiting">Blocks that were sold for later and are not there yet; null: none.</param>
/// <param name="Lapsed">Blocks that expired with minutes left, once that was told; null: none.</param>
/// <param name="Fees">What is posted of each fee that is billed in arrears; null: nothing.</param>
/// <param name="FeesBefore">What the days before it have earned of these fees is posted; null: nothing was.</param>
/// <param name="Opening">The meter as an import of open books has found it; null: it began with the engagement.</param>
/// <param name="BlockCredits">What credit notes by hand have given back of blocks; null: nothing.</param>
/// <param name="FeesCorrectedOn">The latest day on which posted days of these fees were corrected; null: never.</param>
[GenerateSerializer, Immutable, Alias("engagement.time")]
public sealed record EngagementTime(
    ImmutableSortedDictionary<TimeEntryKey, ApprovedTime> Approved,
    ImmutableSortedDictionary<GrantId, int> Drawn,
    ImmutableSortedDictionary<AccrualKey, long> Accrued,
    ImmutableArray<Grant> Carried,
    ImmutableSortedDictionary<GrantId, int> CarriedOut,
    ImmutableSortedDictionary<LocalDate, int> Thresholds,
    LocalDate? MeterAt,
    string? TimeZone,
    ImmutableArray<ConsentedEntry> LastConsent,
    ImmutableSortedDictionary<TimeEntryKey, ApprovedTime> Reversed,
    ImmutableArray<PrepaidBlock>? Blocks = null,
    ImmutableSortedSet<GrantId>? Waiting = null,
    ImmutableSortedSet<GrantId>? Lapsed = null,
    ImmutableSortedDictionary<AccrualKey, FeeAccrual>? Fees = null,
    LocalDate? FeesBefore = null,
    OpeningMeter? Opening = null,
    ImmutableArray<BlockCredited>? BlockCredits = null,
    LocalDate? FeesCorrectedOn = null)
{
    public static EngagementTime Initial { get; } = new(
        ImmutableSortedDictionary<TimeEntryKey, ApprovedTime>.Empty, Meter.NothingDrawn, ImmutableSortedDictionary<AccrualKey, long>.Empty,
        [], Meter.NothingDrawn, ImmutableSortedDictionary<LocalDate, int>.Empty, null, null, [], ImmutableSortedDictionary<TimeEntryKey, ApprovedTime>.Empty);

    public EngagementTime Apply(IEngagementTimeEvent @event) => @event switch
    {
        TimeDrawn e => this with
        {
            Approved = Approved.SetItem(e.Entry, new ApprovedTime(e.Cmo, e.Date, e.Minutes, e.Billable, e.Paid, e.Parts, [], null, null, [])),
            Drawn = Meter.Taken(Drawn, e.Parts.Drawn),
        },
        PeriodOpened e => this with { MeterAt = e.Start },
        MeterEnded e => this with { MeterAt = e.End },
        MinutesCarried e => this with { Carried = Carried.Add(e.Grant), CarriedOut = Meter.Taken(CarriedOut, e.From) },
        GrantExpired e => Blocks?.Any(b => b.Grant.Id == e.Grant) == true ? this with { Lapsed = (Lapsed ?? []).Add(e.Grant) } : this,
        BlockSold e => this with { Blocks = (Blocks ?? []).Add(e.Block), Waiting = e.ForLater == true ? (Waiting ?? []).Add(e.Block.Grant.Id) : Waiting },
        OpeningGrantsImported e => this with
        {
            Opening = new OpeningMeter(Opening?.On ?? e.On, [.. Opening?.Imports ?? [], e.Import], [.. Opening?.Grants ?? [], .. e.Grants], [.. Opening?.Blocks ?? [], .. e.Blocks.Select(b => b.Id)]),
            Blocks = e.Blocks.IsEmpty ? Blocks : [.. Blocks ?? [], .. e.Blocks],
        },
        BlockOpened e => this with { Waiting = Waiting?.Remove(e.Grant) },
        ThresholdReached e => this with { Thresholds = Thresholds.SetItem(e.PeriodStart, e.Percent) },
        MeterExhausted => this,
        OverageConsented e => this with { Approved = e.Entries.Aggregate(Approved, (all, c) => all.SetItem(c.Entry, all[c.Entry].Consented(c.Minutes))), LastConsent = e.Entries },
        ParkedServed e => this with
        {
            Approved = e.Entries.Aggregate(Approved, (all, s) => all.SetItem(s.Entry, all[s.Entry].Served(s.Draw))),
            Drawn = Meter.Taken(Drawn, [.. e.Entries.Select(s => s.Draw)]),
        },
        TimePosted e => this with
        {
            Accrued = e.Accruals.Aggregate(Accrued, (all, a) => all.SetItem(a.Key, all.GetValueOrDefault(a.Key) + a.Minutes)),
            Approved = Approved.TryGetValue(e.Entry, out var posted)
                ? Approved.SetItem(e.Entry, posted with { Accruals = posted.Accruals.AddRange(e.Accruals), Seller = e.LegalEntity })
                : Approved,
        },
        FeesAccrued e => this with
        {
            FeesBefore = e.Before,
            FeesCorrectedOn = e.Posting.Lines.IsEmpty || e.PostingDate < e.Before || e.PostingDate < FeesCorrectedOn ? FeesCorrectedOn : e.PostingDate,
            Fees = e.Fees.Aggregate(Fees ?? ImmutableSortedDictionary<AccrualKey, FeeAccrual>.Empty, (all, f) => all.SetItem(f.Key(e.LegalEntity), f)),
        },
        PrepaidEarned => this,
        BlockCredited e => this with { BlockCredits = [.. BlockCredits ?? [], e] },
        TimeReversed e => this with
        {
            Approved = Approved.Remove(e.Entry),
            Drawn = Meter.GivenBack(Drawn, e.Parts.Drawn),
            Reversed = Reversed.SetItem(e.Entry, Approved[e.Entry]),
        },
        TimeDisputed e => this with { Approved = Approved.SetItem(e.Entry, Approved[e.Entry] with { Dispute = e.Dispute, Disputes = Approved[e.Entry].Disputes.Add(e.Dispute) }) },
        TimeDisputeEnded e => this with { Approved = Approved.SetItem(e.Entry, Approved[e.Entry] with { Dispute = null }) },
        _ => throw new InvalidOperationException($"An engagement's time does not know {@event.GetType().Name}."),
    };
}

/// <summary>Draws an entry on the engagement: the approval's step. Repeated, it changes nothing.</summary>
/// <param name="ApprovedBy">The actor who approved.</param>
[GenerateSerializer, Immutable, Alias("engagement.draw-time")]
public sealed record DrawTime(TimeEntryKey Entry, CmoId Cmo, LocalDate Date, int Minutes, bool Billable, bool Paid, string ApprovedBy);

/// <summary>Minutes that a key gained.</summary>
[GenerateSerializer, Immutable, Alias("engagement.accrual")]
public sealed record Accrual(AccrualKey Key, int Minutes);

/// <summary>The meter on a date.</summary>
/// <param name="Grants">Alive on the date, in burn order, each with what is left of it.</param>
/// <param name="Remaining">What an entry of the date could still draw.</param>
/// <param name="Overage">Of the bill-cycle period that the date is in; so are the next two.</param>
/// <param name="ParkedInAll">Parked minutes of every period: what a consent may name at most.</param>
[GenerateSerializer, Immutable, Alias("engagement.meter-view")]
public sealed record MeterView(
    EngagementId Engagement, LocalDate Date, DateRange? Period, ImmutableArray<GrantLeft> Grants, int Remaining, int Overage, int Parked, int Charged, int ParkedInAll);

[GenerateSerializer, Immutable, Alias("engagement.grant-left")]
public sealed record GrantLeft(Grant Grant, int Drawn, int Remaining);

/// <summary>An event of the meter or of a draw: folded by <see cref="EngagementTime"/>.</summary>
public interface IEngagementTimeEvent : IEvent;

/// <summary>An approved entry, split into its parts.</summary>
/// <param name="CostRate">The CMO's at the date; null: none was in force, and the time costs nothing.</param>
[Event("engagement.time-drawn"), GenerateSerializer, Immutable, Alias("engagement.time-drawn")]
public sealed record TimeDrawn(
    TimeEntryKey Entry, CmoId Cmo, LocalDate Date, int Minutes, bool Billable, bool Paid, TimeParts Parts, CostRate? CostRate, string ApprovedBy) : IEngagementTimeEvent;

/// <summary>What an approved entry posts: cost of service to the CMO's payable, and charged minutes to unbilled receivable and revenue.</summary>
[Event("engagement.time-posted")]
public sealed record TimePosted(TimeEntryKey Entry, LegalEntityId LegalEntity, LocalDate PostingDate, ImmutableArray<Accrual> Accruals, Posting Posting, LocalDate? Effective = null)
    : IEngagementTimeEvent, IPosting
{
    public IPosting PostedOn(LocalDate date) => this with { PostingDate = date, Effective = Effective ?? PostingDate };
}

/// <summary>A client consents to overage: parked minutes become overage, oldest entry first.</summary>
/// <param name="Minutes">1 or more, and at most what is parked.</param>
/// <param name="Note">Why, or by whom it was told; no personal data; may be empty.</param>
[GenerateSerializer, Immutable, Alias("engagement.consent-to-overage")]
public sealed record ConsentToOverage(int Minutes, string Note);

/// <summary>What a consent made of one entry's parked minutes.</summary>
[GenerateSerializer, Immutable, Alias("engagement.consented-entry")]
public sealed record ConsentedEntry(TimeEntryKey Entry, int Minutes);

/// <summary>What a consent came to.</summary>
/// <param name="Parked">Minutes that still wait for a consent.</param>
[GenerateSerializer, Immutable, Alias("engagement.consent-result")]
public sealed record ConsentResult(ImmutableArray<ConsentedEntry> Entries, int Parked);

// ---- what time does to the meter; each event once, whoever asks or nobody ----

/// <summary>A period has begun: its included minutes are there.</summary>
/// <param name="Grant">The period's included grant.</param>
/// <param name="Included">Minutes that it gives; 0 under terms without a meter.</param>
[Event("engagement.period-opened"), GenerateSerializer, Immutable, Alias("engagement.period-opened")]
public sealed record PeriodOpened(LocalDate Start, LocalDate End, GrantId Grant, int Included) : IEngagementTimeEvent;

/// <summary>The last period is over, since the engagement is.</summary>
/// <param name="End">The first day that was not served.</param>
[Event("engagement.meter-ended"), GenerateSerializer, Immutable, Alias("engagement.meter-ended")]
public sealed record MeterEnded(LocalDate End) : IEngagementTimeEvent;

/// <summary>A closed period left minutes to those after it.</summary>
/// <param name="From">The grants that they come from, the period's included one first; the minutes are theirs no more.</param>
[Event("engagement.minutes-carried"), GenerateSerializer, Immutable, Alias("engagement.minutes-carried")]
public sealed record MinutesCarried(ImmutableArray<GrantDraw> From, Grant Grant) : IEngagementTimeEvent;

/// <summary>A grant is over with minutes left, which only entries dated in its time can still draw. One that was used up ends without an event.</summary>
/// <param name="Left">Minutes neither drawn nor carried, above 0.</param>
[Event("engagement.grant-expired"), GenerateSerializer, Immutable, Alias("engagement.grant-expired")]
public sealed record GrantExpired(GrantId Grant, int Left) : IEngagementTimeEvent;

/// <summary>So many percent of the minutes drawable in a period are drawn.</summary>
/// <param name="Percent">50, 75, 90 or 100.</param>
[Event("engagement.threshold-reached"), GenerateSerializer, Immutable, Alias("engagement.threshold-reached")]
public sealed record ThresholdReached(LocalDate PeriodStart, int Percent, int Drawn, int Drawable) : IEngagementTimeEvent;

/// <summary>Nothing is left that an entry of the period could draw.</summary>
[Event("engagement.meter-exhausted"), GenerateSerializer, Immutable, Alias("engagement.meter-exhausted")]
public sealed record MeterExhausted(LocalDate PeriodStart, int Drawable) : IEngagementTimeEvent;

/// <summary>What a grant that grew gives to one entry's parked minutes.</summary>
[GenerateSerializer, Immutable, Alias("engagement.served-entry")]
public sealed record ServedEntry(TimeEntryKey Entry, GrantDraw Draw);

/// <summary>A move made a period's included minutes more: parked minutes draw on what was added, oldest entry first, and need no consent any more.</summary>
[Event("engagement.parked-served"), GenerateSerializer, Immutable, Alias("engagement.parked-served")]
public sealed record ParkedServed(ImmutableArray<ServedEntry> Entries) : IEngagementTimeEvent;

/// <summary>Parked minutes became overage by the client's consent.</summary>
[Event("engagement.overage-consented"), GenerateSerializer, Immutable, Alias("engagement.overage-consented")]
public sealed record OverageConsented(int Minutes, string Note, ImmutableArray<ConsentedEntry> Entries) : IEngagementTimeEvent;
