using System.Collections.Immutable;
using AgencyPlatform.Domain.Capacity;
using AgencyPlatform.Domain.Cmos;
using NodaTime;

namespace AgencyPlatform.Domain.Matching;

/// <summary>Where a shortlist stands.</summary>
public enum ShortlistState
{
    /// <summary>Its options are being held.</summary>
    Holding,

    /// <summary>All are held: one may be chosen.</summary>
    Open,

    /// <summary>One is being confirmed.</summary>
    Choosing,

    /// <summary>One is booked, the others are released.</summary>
    Chosen,

    /// <summary>One of them could not be held, so that none is.</summary>
    Refused,

    /// <summary>Taken back by the agency.</summary>
    Withdrawn,

    /// <summary>Its time ran out, or nothing of it was held any more.</summary>
    Lapsed,
}

/// <summary>What has become of an option's hold.</summary>
public enum OptionState
{
    /// <summary>To be held.</summary>
    Pending,

    /// <summary>Held.</summary>
    Held,

    /// <summary>Booked.</summary>
    Chosen,

    /// <summary>Released, or never held.</summary>
    Released,

    /// <summary>Expired, released or taken by others before it was chosen.</summary>
    Gone,
}

/// <summary>A CMO on a shortlist.</summary>
/// <param name="Id">A letter; what the client knows it by.</param>
/// <param name="Booking">Of the hold; it does not tell who the CMO is.</param>
/// <param name="Profile">What the client sees, as it was when the shortlist was made.</param>
[GenerateSerializer, Immutable, Alias("shortlist.option")]
public sealed record ShortlistOption(string Id, CmoId Cmo, BookingId Booking, CmoExpertise Profile, OptionState State);

/// <summary>What a shortlist's saga does next with one option.</summary>
public enum ShortlistAction { Hold, Confirm, Release }

public sealed record ShortlistStep(ShortlistAction Action, ShortlistOption Option);

// ---- commands ----

/// <param name="Profile">What the client is to see of the CMO.</param>
[GenerateSerializer, Immutable, Alias("shortlist.candidate")]
public sealed record ShortlistCandidate(CmoId Cmo, CmoExpertise Profile);

/// <param name="Intake">The intake whose need it is; null: none.</param>
/// <param name="Options">In the order in which the client sees them; each CMO with what it is to see of them.</param>
/// <param name="Expiry">For how long they are held, above 0 and at most 30 days.</param>
[GenerateSerializer, Immutable, Alias("shortlist.create")]
public sealed record CreateShortlist(
    ShortlistId Id, ClientCompanyId Client, IntakeId? Intake, ImmutableArray<BookingStep> Steps, ImmutableArray<ShortlistCandidate> Options, Duration Expiry);

// ---- events ----

[Event("shortlist.started"), GenerateSerializer, Immutable, Alias("shortlist.started")]
public sealed record ShortlistStarted(
    Guid Request, ShortlistId Id, ClientCompanyId Client, IntakeId? Intake, ImmutableArray<BookingStep> Steps, ImmutableArray<ShortlistOption> Options, Duration Expiry, Instant At) : IEvent;

/// <param name="ExpiresAt">Until when the CMO holds it.</param>
[Event("shortlist.option-held"), GenerateSerializer, Immutable, Alias("shortlist.option-held")]
public sealed record OptionHeld(string Option, Instant ExpiresAt) : IEvent;

/// <summary>One could not be held: those that are held are released next.</summary>
[Event("shortlist.refused"), GenerateSerializer, Immutable, Alias("shortlist.refused")]
public sealed record ShortlistRefused(Guid Request, Rejection Rejection) : IEvent;

/// <summary>All are held.</summary>
[Event("shortlist.opened"), GenerateSerializer, Immutable, Alias("shortlist.opened")]
public sealed record ShortlistOpened(Guid Request) : IEvent;

[Event("shortlist.choice-started"), GenerateSerializer, Immutable, Alias("shortlist.choice-started")]
public sealed record ChoiceStarted(Guid Request, string Option, Instant At) : IEvent;

/// <summary>The chosen one is booked: the others are released next.</summary>
[Event("shortlist.chosen"), GenerateSerializer, Immutable, Alias("shortlist.chosen")]
public sealed record ShortlistChosen(Guid Request, string Option) : IEvent;

/// <summary>What was held for the chosen one is not there any more; the others are held as before.</summary>
[Event("shortlist.choice-refused"), GenerateSerializer, Immutable, Alias("shortlist.choice-refused")]
public sealed record ChoiceRefused(Guid Request, string Option, Rejection Rejection) : IEvent;

[Event("shortlist.withdrawn"), GenerateSerializer, Immutable, Alias("shortlist.withdrawn")]
public sealed record ShortlistWithdrawn(Guid Request, Instant At) : IEvent;

[Event("shortlist.lapsed"), GenerateSerializer, Immutable, Alias("shortlist.lapsed")]
public sealed record ShortlistLapsed(Instant At) : IEvent;

[Event("shortlist.option-released"), GenerateSerializer, Immutable, Alias("shortlist.option-released")]
public sealed record OptionReleased(string Option) : IEvent;

// ---- read models ----

/// <summary>The list of shortlists.</summary>
[RowTable("shortlists", nameof(Id), Indexes = [nameof(Client)])]
public sealed record ShortlistRow(ShortlistId Id, ClientCompanyId Client, IntakeId? Intake, ShortlistState State) : IRow;
