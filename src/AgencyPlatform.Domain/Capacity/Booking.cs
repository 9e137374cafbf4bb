using System.Collections.Immutable;
using System.Text.Json.Serialization;
using NodaTime;

namespace AgencyPlatform.Domain.Capacity;

/// <summary>What a booking asks for: capacity of one CMO, for one client, as dated steps checked as one. Source: domain §2.</summary>
/// <param name="Client">The client company that the work is for: maximum clients and the competitor fence look at it.</param>
/// <param name="Engagement">The engagement that the booking is for; null for a caller's own booking.</param>
/// <param name="Steps">One or more, in order of start, not overlapping; only the last may have an open end.</param>
[GenerateSerializer, Immutable, Alias("capacity.booking-spec")]
public sealed record BookingSpec(ClientCompanyId Client, EngagementId? Engagement, ImmutableArray<BookingStep> Steps);

/// <summary>One dated step of a booking, in one of four forms.</summary>
/// <param name="Dates">The days covered, half-open; the end may be open.</param>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "form")]
[JsonDerivedType(typeof(FlexibleStep), "flexible")]
[JsonDerivedType(typeof(FixedDaysStep), "fixed-days")]
[JsonDerivedType(typeof(DatedStep), "dated")]
[JsonDerivedType(typeof(PerPeriodStep), "per-period")]
[GenerateSerializer, Immutable, Alias("capacity.step")]
public abstract record BookingStep(DateRange Dates);

/// <summary>Minutes a week, worked on any days of the ISO week (Monday first).</summary>
[GenerateSerializer, Immutable, Alias("capacity.flexible")]
public sealed record FlexibleStep(DateRange Dates, int WeeklyMinutes) : BookingStep(Dates);

/// <summary>Minutes on given weekdays, every n weeks (1–8) counted from the ISO week in which the step starts.</summary>
/// <param name="Weekdays">Minutes by weekday.</param>
[GenerateSerializer, Immutable, Alias("capacity.fixed-days")]
public sealed record FixedDaysStep(DateRange Dates, WeekdayMinutes Weekdays, int EveryWeeks) : BookingStep(Dates);

/// <summary>Minutes on named dates, which are its days (cover uses it). The range runs from the first date to the day after the last.</summary>
[GenerateSerializer, Immutable, Alias("capacity.dated")]
public sealed record DatedStep(DateRange Dates, ImmutableSortedDictionary<LocalDate, int> Minutes) : BookingStep(Dates);

/// <summary>Minutes per bill-cycle period, for example 40 h a month, spread over the period's weeks.</summary>
[GenerateSerializer, Immutable, Alias("capacity.per-period")]
public sealed record PerPeriodStep(DateRange Dates, int PeriodMinutes, Billing.BillCycle Cycle) : BookingStep(Dates);

/// <summary>Minutes for each weekday, each 0–1,440.</summary>
[GenerateSerializer, Immutable, Alias("capacity.weekday-minutes")]
public sealed record WeekdayMinutes(int Monday, int Tuesday, int Wednesday, int Thursday, int Friday, int Saturday, int Sunday)
{
    public int On(IsoDayOfWeek day) => day switch
    {
        IsoDayOfWeek.Monday => Monday,
        IsoDayOfWeek.Tuesday => Tuesday,
        IsoDayOfWeek.Wednesday => Wednesday,
        IsoDayOfWeek.Thursday => Thursday,
        IsoDayOfWeek.Friday => Friday,
        IsoDayOfWeek.Saturday => Saturday,
        IsoDayOfWeek.Sunday => Sunday,
        _ => throw new ArgumentOutOfRangeException(nameof(day), day, "Not a weekday."),
    };

    [JsonIgnore]
    public int Week => Monday + Tuesday + Wednesday + Thursday + Friday + Saturday + Sunday;
}
