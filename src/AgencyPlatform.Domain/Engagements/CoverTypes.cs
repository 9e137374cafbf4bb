using System.Collections.Immutable;
using AgencyPlatform.Domain.Capacity;
using NodaTime;

namespace AgencyPlatform.Domain.Engagements;

/// <summary>Id of a cover within its engagement.</summary>
[GenerateSerializer, Immutable, Alias("id.cover")]
public readonly record struct CoverId([property: Id(0)] string Value) : IId<CoverId>, IComparable<CoverId>
{
    public static CoverId Of(string value) => new(value);
    public int CompareTo(CoverId other) => string.CompareOrdinal(Value, other.Value);
    public override string ToString() => Value;
}

/// <summary>Where a cover stands.</summary>
public enum CoverState
{
    /// <summary>The client is asked for consent, and the covering CMO for agreement.</summary>
    Requested,

    /// <summary>The covering CMO is booked on the dates.</summary>
    Booked,

    /// <summary>Refused by the client or the covering CMO, or taken back by the agency.</summary>
    Declined,

    /// <summary>Given up after it was booked, with all of its dates.</summary>
    Cancelled,
}

/// <summary>Another CMO takes named dates while a member is away; the hours draw the same meter.</summary>
/// <param name="Away">The member who is away.</param>
/// <param name="Minutes">By date, each 1–1,440.</param>
/// <param name="AgreementWaived">The covering CMO's own terms waive their agreement.</param>
/// <param name="ConsentOf">The client's decision maker who consented; null: nobody yet.</param>
/// <param name="Booking">The covering CMO's booking; null: none stands.</param>
/// <param name="CloseReason">Why it was declined; may be empty.</param>
[GenerateSerializer, Immutable, Alias("engagement.cover")]
public sealed record Cover(
    CoverId Id, CmoId Away, CmoId Covering, ImmutableSortedDictionary<LocalDate, int> Minutes, bool AgreementWaived, string Reason, CoverState State,
    Signature? ConsentOf, Instant? AgreedAt, BookingId? Booking, string CloseReason)
{
    public const int MostDates = 100;

    /// <summary>From the first date to the day after the last.</summary>
    internal ImmutableArray<BookingStep> Steps() => [new DatedStep(new DateRange(Minutes.Keys.First(), Minutes.Keys.Last().PlusDays(1)), Minutes)];

    /// <summary>The same without the dates from one on.</summary>
    internal Cover CutAt(LocalDate date) => Minutes.Where(m => m.Key < date).ToImmutableSortedDictionary() is { IsEmpty: false } left
        ? this with { Minutes = left }
        : this with { Booking = null, State = CoverState.Cancelled };
}

// ---- commands ----

/// <param name="Reason">For the record; no personal data; may be empty.</param>
[GenerateSerializer, Immutable, Alias("engagement.request-cover")]
public sealed record RequestCover(CoverId Id, CmoId Away, CmoId Covering, ImmutableSortedDictionary<LocalDate, int> Minutes, bool AgreementWaived, string Reason);

/// <param name="Person">The client's decision maker who consents.</param>
[GenerateSerializer, Immutable, Alias("engagement.consent-to-cover")]
public sealed record ConsentToCover(CoverId Id, PersonId Person, PersonId? By = null);

[GenerateSerializer, Immutable, Alias("engagement.agree-to-cover")]
public sealed record AgreeToCover(CoverId Id, CmoId Cmo);

/// <param name="Reason">For the record; no personal data; may be empty.</param>
[GenerateSerializer, Immutable, Alias("engagement.decline-cover")]
public sealed record DeclineCover(CoverId Id, string Reason);

[GenerateSerializer, Immutable, Alias("engagement.book-cover")]
public sealed record BookCover(CoverId Id);

/// <param name="From">The first date that is no longer covered.</param>
[GenerateSerializer, Immutable, Alias("engagement.cancel-cover")]
public sealed record CancelCover(CoverId Id, LocalDate From);

// ---- events ----

[Event("engagement.cover-requested"), GenerateSerializer, Immutable, Alias("engagement.cover-requested")]
public sealed record CoverRequested(CoverId Id, CmoId Away, CmoId Covering, ImmutableSortedDictionary<LocalDate, int> Minutes, bool AgreementWaived, string Reason) : IRunningEvent;

[Event("engagement.cover-consented"), GenerateSerializer, Immutable, Alias("engagement.cover-consented")]
public sealed record CoverConsented(CoverId Id, PersonId Person, Instant At, long ClientVersion) : IRunningEvent;

[Event("engagement.cover-agreed"), GenerateSerializer, Immutable, Alias("engagement.cover-agreed")]
public sealed record CoverAgreed(CoverId Id, Instant At) : IRunningEvent;

[Event("engagement.cover-declined"), GenerateSerializer, Immutable, Alias("engagement.cover-declined")]
public sealed record CoverDeclined(CoverId Id, string Reason) : IRunningEvent;

/// <summary>The covering CMO is booked on the dates.</summary>
[Event("engagement.cover-booked"), GenerateSerializer, Immutable, Alias("engagement.cover-booked")]
public sealed record CoverBooked(Guid Request, CoverId Id) : MoveEnd(Request);

/// <summary>The covering CMO is free from a date on.</summary>
[Event("engagement.cover-cancelled"), GenerateSerializer, Immutable, Alias("engagement.cover-cancelled")]
public sealed record CoverCancelled(Guid Request, CoverId Id, LocalDate From) : MoveEnd(Request);

/// <summary>Cut off at the engagement's end.</summary>
[Event("engagement.cover-ended"), GenerateSerializer, Immutable, Alias("engagement.cover-ended")]
public sealed record CoverEnded(CoverId Id, LocalDate End) : IRunningEvent;
