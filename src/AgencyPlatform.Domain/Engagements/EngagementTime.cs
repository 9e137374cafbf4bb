using System.Collections.Immutable;
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
    public int CompareTo(AccrualKey other) => string.CompareOrdinal(Value, other.Value);
    public override string ToString() => Value;
}

/// <summary>An approved entry as the engagement holds it.</summary>
[GenerateSerializer, Immutable, Alias("engagement.approved-time")]
public sealed record ApprovedTime(CmoId Cmo, LocalDate Date, int Minutes, bool Billable, bool Paid, TimeParts Parts);

/// <summary>What an engagement knows of worked time: approved entries, what they drew of each grant, and the minutes accrued by key. Source: domain §4.</summary>
/// <param name="Drawn">By grant. A period's included grant is computed from the terms, never below what is drawn of it.</param>
/// <param name="Accrued">Minutes by key, of which the amount posted so far is computed.</param>
[GenerateSerializer, Immutable, Alias("engagement.time")]
public sealed record EngagementTime(
    ImmutableSortedDictionary<TimeEntryKey, ApprovedTime> Approved, ImmutableSortedDictionary<GrantId, int> Drawn, ImmutableSortedDictionary<AccrualKey, long> Accrued)
{
    public static EngagementTime Initial { get; } = new(
        ImmutableSortedDictionary<TimeEntryKey, ApprovedTime>.Empty, Meter.NothingDrawn, ImmutableSortedDictionary<AccrualKey, long>.Empty);

    public EngagementTime Apply(IEngagementTimeEvent @event) => @event switch
    {
        TimeDrawn e => this with
        {
            Approved = Approved.SetItem(e.Entry, new ApprovedTime(e.Cmo, e.Date, e.Minutes, e.Billable, e.Paid, e.Parts)),
            Drawn = Meter.Taken(Drawn, e.Parts.Drawn),
        },
        TimePosted e => this with { Accrued = e.Accruals.Aggregate(Accrued, (all, a) => all.SetItem(a.Key, all.GetValueOrDefault(a.Key) + a.Minutes)) },
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
[GenerateSerializer, Immutable, Alias("engagement.meter-view")]
public sealed record MeterView(
    EngagementId Engagement, LocalDate Date, DateRange? Period, ImmutableArray<GrantLeft> Grants, int Remaining, int Overage, int Parked, int Charged);

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
public sealed record TimePosted(TimeEntryKey Entry, LegalEntityId LegalEntity, LocalDate PostingDate, ImmutableArray<Accrual> Accruals, Posting Posting)
    : IEngagementTimeEvent, IPosting;
