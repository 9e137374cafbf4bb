using System.Collections.Immutable;
using NodaTime;

namespace AgencyPlatform.Domain.Billing;

/// <summary>What an item charges for.</summary>
public enum Charge
{
    /// <summary>A retainer's fee for the days of a period.</summary>
    Fee,

    /// <summary>Approved minutes beyond the meter, at the overage rate.</summary>
    Overage,

    /// <summary>Approved minutes under hourly terms.</summary>
    Hours,

    /// <summary>Days and half days under a day rate.</summary>
    Days,

    /// <summary>A milestone that was reached.</summary>
    Milestone,

    /// <summary>A block of hours sold up front.</summary>
    Block,

    /// <summary>What is missing to the minimum of a period.</summary>
    Commitment,

    /// <summary>What is taken off: below zero.</summary>
    Discount,
}

/// <summary>
/// What makes two amounts one item, to be summed and then rounded once: (engagement, charge, bill-cycle period, rate). A block, milestone, discount or
/// commitment has its own id in place of the rate. Source: domain §5.
/// </summary>
/// <param name="Period">First day of the bill-cycle period.</param>
/// <param name="Rate">Minor units: the fee of a full period, or the rate of an hour or a day; 0 when <paramref name="Part"/> is in its place.</param>
/// <param name="Part">The id of a block, milestone, discount or commitment; null for all others.</param>
[GenerateSerializer, Immutable, Alias("billing.item-key")]
public readonly record struct ItemKey(
    [property: Id(0)] EngagementId Engagement, [property: Id(1)] LocalDate Period, [property: Id(2)] Charge Charge, [property: Id(3)] long Rate,
    [property: Id(4)] PartId? Part = null) : IComparable<ItemKey>
{
    public ItemKey(EngagementId engagement, LocalDate period, Charge charge, PartId part) : this(engagement, period, charge, 0, part)
    {
    }

    /// <summary>In the order of an invoice: charges, then what is missing to a minimum, then what is taken off; each by engagement and period.</summary>
    public int CompareTo(ItemKey other) =>
        Stage(Charge).CompareTo(Stage(other.Charge)) is not 0 and var stage ? stage
        : Engagement.CompareTo(other.Engagement) is not 0 and var engagement ? engagement
        : Period.CompareTo(other.Period) is not 0 and var period ? period
        : Charge.CompareTo(other.Charge) is not 0 and var charge ? charge
        : Rate.CompareTo(other.Rate) is not 0 and var rate ? rate
        : string.CompareOrdinal(Part?.Value, other.Part?.Value);

    private static int Stage(Charge charge) => charge switch { Charge.Discount => 2, Charge.Commitment => 1, _ => 0 };
}

/// <summary>An item as it ought to be invoiced in all, whatever was invoiced of it before.</summary>
/// <param name="Title">What its line is about: the engagement's title, with the name of a milestone.</param>
/// <param name="Period">The served days of the bill-cycle period.</param>
/// <param name="FullDays">Days of the full period that a fee is prorated against; 0 for everything else.</param>
/// <param name="Due">Whether a bill to the date in question takes it.</param>
/// <param name="Dates">A fee's days in order, apart from each other; of minutes and days, from the first entry's date to the last's; of a part, its days.</param>
/// <param name="Quantity">Days of a fee, half days of a day rate, billed minutes; 1 of everything else.</param>
/// <param name="Entries">The entries that it charges for, in order.</param>
/// <param name="Amount">Below zero for a discount.</param>
/// <param name="Uncapped">What the hours come to without their cap; null: the amount.</param>
public sealed record Item(
    ItemKey Key, string Title, DateRange Period, int FullDays, FeeTiming Timing, bool Due, ImmutableArray<DateRange> Dates, long Quantity, ImmutableArray<TimeItem> Entries, Money Amount,
    Money? Uncapped = null)
{
    /// <summary>How much of it belongs to some days, of how much in all: the share that a discount of those days is for.</summary>
    public (long Part, long Whole) Within(DateRange days) => Key.Charge switch
    {
        Charge.Fee or Charge.Commitment => (Dates.Sum(d => d.Intersect(days) is { } both ? both.Days() : 0L), Dates.Sum(d => (long)d.Days())),
        Charge.Milestone or Charge.Block => (days.Contains(Dates[0].Start) ? 1 : 0, 1),
        _ => (Entries.Where(e => days.Contains(e.Date)).Sum(e => (long)e.Quantity), Quantity),
    };
}

/// <summary>What an item charges for one entry.</summary>
/// <param name="Quantity">Billed minutes; of a day rate half days, which the first entry of a CMO's date has for all of them.</param>
public readonly record struct TimeItem(Time.TimeEntryKey Entry, LocalDate Date, int Quantity);
