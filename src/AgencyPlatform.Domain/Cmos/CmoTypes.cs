using System.Collections.Immutable;
using AgencyPlatform.Domain.Agencies;
using AgencyPlatform.Domain.Capacity;
using AgencyPlatform.Domain.Clients;
using NodaTime;

namespace AgencyPlatform.Domain.Cmos;

/// <summary>What a fractional CMO is apart from their capacity. The name is in the people vault.</summary>
/// <param name="Role"><c>CMO</c> unless said otherwise: CFO and other fractional roles are the same record.</param>
/// <param name="TimeZone">IANA id; what today is for the CMO.</param>
/// <param name="WaivesAgreement">The CMO's terms with the agency waive their agreement to an engagement.</param>
[GenerateSerializer, Immutable, Alias("cmo.profile")]
public sealed record CmoProfile(
    PersonId Person, string Role, string TimeZone, ImmutableSortedDictionary<string, string> Labels, ImmutableSortedDictionary<string, string> ExternalIds,
    bool WaivesAgreement = false);

/// <summary>What the CMO's time costs the agency, from a date on.</summary>
/// <param name="HourlyMinor">Minor units an hour, ≥ 0.</param>
[GenerateSerializer, Immutable, Alias("cmo.cost-rate")]
public sealed record CostRate(LocalDate EffectiveFrom, long HourlyMinor, Currency Currency);

/// <param name="MaxClients">At most so many distinct client companies on any day, 1–100.</param>
/// <param name="MinBlockMinutes">The least agreed per week, day or period, 0–10,080.</param>
[GenerateSerializer, Immutable, Alias("cmo.limits")]
public sealed record CmoLimits(int MaxClients, int MinBlockMinutes);

// ---- commands ----

[GenerateSerializer, Immutable, Alias("cmo.create")]
public sealed record CreateCmo(CmoId Id, CmoProfile Profile, PersonDetails Details, CmoLimits Limits, WorkingPattern Pattern, CostRate? CostRate, SetHolidays? Holidays);

/// <summary>Null leaves a part as it is.</summary>
[GenerateSerializer, Immutable, Alias("cmo.update")]
public sealed record UpdateCmo(CmoProfile? Profile, PersonDetails? Details, CmoLimits? Limits);

[GenerateSerializer, Immutable, Alias("cmo.set-holidays")]
public sealed record SetHolidays(HolidayRegion? Region, ImmutableSortedSet<LocalDate>? WorkedAnyway);

/// <summary>Time off as a calendar file has it, all or nothing.</summary>
/// <param name="Within">The days that are looked at; it has an end.</param>
/// <param name="Events">One for each source, in the file's order. No day is in two.</param>
[GenerateSerializer, Immutable, Alias("cmo.import-time-off")]
public sealed record ImportTimeOff(DateRange Within, ImmutableArray<ImportedTimeOff> Events);

/// <param name="Source">The event that it comes from: 16 hexadecimal digits that its time off has in its ids.</param>
/// <param name="Days">Minutes off by day, 1–1,440, of which 1,440 are the whole day; empty: it is no time off, or no more.</param>
[GenerateSerializer, Immutable, Alias("cmo.imported-time-off")]
public sealed record ImportedTimeOff(string Source, ImmutableSortedDictionary<LocalDate, int> Days);

/// <summary>What an event of a calendar file did.</summary>
public enum ImportOutcome
{
    /// <summary>It has no days, and had none.</summary>
    Nothing,

    Added,
    Changed,
    Unchanged,
    Removed,

    /// <summary>All its days are off by something else.</summary>
    AlreadyOff,
}

/// <param name="Expiry">How long the hold stands, at most 30 days; null: 15 minutes.</param>
[GenerateSerializer, Immutable, Alias("cmo.hold")]
public sealed record HoldBooking(BookingId Id, BookingSpec Spec, Duration? Expiry);

[GenerateSerializer, Immutable, Alias("cmo.book")]
public sealed record Book(BookingId Id, BookingSpec Spec);

/// <summary>Resize, move, shorten or prolong: one atomic check-and-swap.</summary>
[GenerateSerializer, Immutable, Alias("cmo.change-booking")]
public sealed record ChangeBooking(BookingId Id, ImmutableArray<BookingStep> Steps);

/// <summary>What other aggregates know that a booking is decided on: brought by the command, recorded in its event.</summary>
/// <param name="Policy">The agency's policy when it is newer than the one noted; else null.</param>
[GenerateSerializer, Immutable, Alias("cmo.booking-facts")]
public sealed record BookingFacts(ClientFence Fence, AgencyPolicy? Policy);

/// <summary>Would it fit? Null refusal: yes.</summary>
/// <param name="CutOffs">Fixed and dated minutes that availability cuts off.</param>
/// <param name="WaitlistPlace">The place at which a refused one would wait, from 1; null: it fits, or cannot wait.</param>
[GenerateSerializer, Immutable, Alias("cmo.check-result")]
public sealed record CheckResult(CapacityRefusal? Refusal, ImmutableArray<CutOff> CutOffs, int? WaitlistPlace = null);

/// <summary>The CMO after a new fact, and what the fact did to standing bookings.</summary>
[GenerateSerializer, Immutable, Alias("cmo.fact-result")]
public sealed record FactResult(FractionalCmo Cmo, Consequences Consequences);

/// <summary>The CMO after an imported calendar file.</summary>
/// <param name="Outcomes">By source; of who is missing, <see cref="ImportOutcome.Nothing"/>.</param>
[GenerateSerializer, Immutable, Alias("cmo.import-result")]
public sealed record ImportResult(FractionalCmo Cmo, Consequences Consequences, ImmutableSortedDictionary<string, ImportOutcome> Outcomes);

// ---- events ----

/// <param name="HolidayRegion">No longer written: holidays that a CMO starts with are an event of their own, <see cref="HolidaysSet"/>.</param>
[Event("cmo.created"), GenerateSerializer, Immutable, Alias("cmo.created")]
public sealed record CmoCreated(CmoId Id, CmoProfile Profile, CmoLimits Limits, WorkingPattern Pattern, CostRate? CostRate, string? HolidayRegion) : IEvent;

/// <summary>The profile changed; of a renaming the journal holds no name.</summary>
/// <param name="Before">The external ids that it had.</param>
[Event("cmo.profile-changed"), GenerateSerializer, Immutable, Alias("cmo.profile-changed")]
public sealed record CmoProfileChanged(CmoProfile Profile, ImmutableSortedDictionary<string, string> Before) : IEvent;

/// <summary>A fact that stands whatever is booked; what it did is recorded with it.</summary>
public interface ICmoFact : IEvent
{
    /// <summary>The CMO's date when it was recorded: weeks over by then keep their shares.</summary>
    LocalDate Today { get; }
    Consequences Consequences { get; }
}

[Event("cmo.limits-changed"), GenerateSerializer, Immutable, Alias("cmo.limits-changed")]
public sealed record CmoLimitsChanged(CmoLimits Limits, LocalDate Today, Consequences Consequences) : ICmoFact;

[Event("cmo.pattern-set"), GenerateSerializer, Immutable, Alias("cmo.pattern-set")]
public sealed record WorkingPatternSet(WorkingPattern Pattern, LocalDate Today, Consequences Consequences) : ICmoFact;

/// <summary>The CMO leaves: from the date on nothing is available, until a working pattern that is set for a later return.</summary>
[Event("cmo.leave-set"), GenerateSerializer, Immutable, Alias("cmo.leave-set")]
public sealed record LeaveSet(LocalDate From, LocalDate Today, Consequences Consequences) : ICmoFact;

[Event("cmo.holidays-set"), GenerateSerializer, Immutable, Alias("cmo.holidays-set")]
public sealed record HolidaysSet(HolidayRegion? Region, ImmutableSortedSet<LocalDate>? WorkedAnyway, LocalDate Today, Consequences Consequences) : ICmoFact;

[Event("cmo.time-off-added"), GenerateSerializer, Immutable, Alias("cmo.time-off-added")]
public sealed record TimeOffAdded(TimeOff TimeOff, LocalDate Today, Consequences Consequences) : ICmoFact;

[Event("cmo.time-off-cancelled"), GenerateSerializer, Immutable, Alias("cmo.time-off-cancelled")]
public sealed record TimeOffCancelled(TimeOffId Id, LocalDate Today, Consequences Consequences) : ICmoFact;

/// <summary>A calendar file was imported: what it puts in place of what it made before.</summary>
/// <param name="Put">New time off, and time off that has other days under its id now.</param>
/// <param name="Outcomes">By the events' source, see <see cref="ImportedTimeOff"/>; of who is missing, <see cref="ImportOutcome.Nothing"/>.</param>
[Event("cmo.time-off-imported"), GenerateSerializer, Immutable, Alias("cmo.time-off-imported")]
public sealed record TimeOffImported(
    ImmutableArray<TimeOff> Put, ImmutableArray<TimeOffId> Removed, ImmutableSortedDictionary<string, ImportOutcome> Outcomes, LocalDate Today, Consequences Consequences) : ICmoFact;

/// <summary>A newer policy of the agency came with a command.</summary>
[Event("cmo.policy-noted"), GenerateSerializer, Immutable, Alias("cmo.policy-noted")]
public sealed record PolicyNoted(AgencyPolicy Policy, LocalDate Today, Consequences Consequences) : ICmoFact;

[Event("cmo.cost-rate-set"), GenerateSerializer, Immutable, Alias("cmo.cost-rate-set")]
public sealed record CostRateSet(CostRate Rate) : IEvent;

/// <param name="ExpiresAt">Null: a saga's hold, which its owner confirms or releases.</param>
/// <param name="Replaces">The booking of the same engagement in whose place it was checked; null: it was checked beside all others.</param>
[Event("cmo.booking-held"), GenerateSerializer, Immutable, Alias("cmo.booking-held")]
public sealed record BookingHeld(BookingId Id, BookingSpec Spec, Instant At, Instant? ExpiresAt, EngagementId? Owner, ClientFence Fence, BookingId? Replaces = null) : IEvent;

[Event("cmo.booking-booked"), GenerateSerializer, Immutable, Alias("cmo.booking-booked")]
public sealed record BookingBooked(BookingId Id, BookingSpec Spec, Instant At, ClientFence Fence) : IEvent;

[Event("cmo.booking-confirmed"), GenerateSerializer, Immutable, Alias("cmo.booking-confirmed")]
public sealed record BookingConfirmed(BookingId Id, Instant At) : IEvent;

[Event("cmo.booking-changed"), GenerateSerializer, Immutable, Alias("cmo.booking-changed")]
public sealed record BookingChanged(BookingId Id, BookingSpec Spec, Instant At, ClientFence Fence) : IEvent;

/// <summary>The expiry moved; with an owner, the engagement took the hold over (or, without, gave it back).</summary>
[Event("cmo.hold-moved"), GenerateSerializer, Immutable, Alias("cmo.hold-moved")]
public sealed record HoldMoved(BookingId Id, Instant At, Instant? ExpiresAt, EngagementId? Owner) : IEvent;

[Event("cmo.booking-released"), GenerateSerializer, Immutable, Alias("cmo.booking-released")]
public sealed record BookingReleased(BookingId Id, Instant At) : IEvent;

[Event("cmo.hold-expired"), GenerateSerializer, Immutable, Alias("cmo.hold-expired")]
public sealed record HoldExpired(BookingId Id, Instant At) : IEvent;

/// <summary>Ended on a date: what lies on or after it is free again.</summary>
[Event("cmo.booking-ended"), GenerateSerializer, Immutable, Alias("cmo.booking-ended")]
public sealed record BookingEnded(BookingId Id, BookingSpec Spec, Instant At) : IEvent;
