using System.Collections.Immutable;
using System.Text.Json.Serialization;
using AgencyPlatform.Domain.Agencies;
using AgencyPlatform.Domain.Capacity;
using AgencyPlatform.Domain.Clients;
using NodaTime;

namespace AgencyPlatform.Domain.Cmos;

/// <summary>A request that waits for capacity of a CMO, or has been offered it. Source: domain §2, "Waitlist".</summary>
/// <param name="Id">Of the entry, and of the hold that it is given: nobody else takes the id meanwhile.</param>
/// <param name="Fence">Whom the client names and who names it, as far as a command has brought it here.</param>
/// <param name="Priority">0–100, the highest first.</param>
/// <param name="OfferExpiry">How long an offer stands, above 0 and at most 30 days.</param>
/// <param name="Arrival">Within a priority the earlier one comes first.</param>
/// <param name="Offered">Its hold stands; it leaves the list when that is confirmed, released or expires.</param>
/// <param name="Request">The request for any of several CMOs that it belongs to; null: none.</param>
[GenerateSerializer, Immutable, Alias("cmo.waitlist-entry")]
public sealed record WaitlistEntry(
    BookingId Id, BookingSpec Spec, ClientFence Fence, int Priority, Duration OfferExpiry, long Arrival, Instant JoinedAt, bool Offered, CapacityRequestId? Request = null)
{
    private Kept<Demand> _demand;
    private Kept<Obstacle> _obstacle;

    private sealed record Obstacle(LocalDate Monday);

    /// <summary>A week that refused it when it was last asked, if one did: a hint where to look first, and no more.</summary>
    internal LocalDate? RefusedIn
    {
        get => _obstacle.Value?.Monday;
        set => _obstacle.Value = value is { } monday ? new Obstacle(monday) : null;
    }

    [JsonIgnore]
    public LocalDate Start => Spec.Steps[0].Dates.Start;

    /// <summary>What it would ask of any week.</summary>
    internal Demand DemandUnder(WorkCalendar calendar, AgencyPolicy policy) =>
        _demand.Value is { } kept && kept.IsOf(Spec, null, calendar, policy) ? kept : _demand.Value = new Demand(Spec, null, calendar, policy);
}

/// <summary>The entries of one CMO, at most <see cref="MostEntries"/>.</summary>
/// <param name="Arrivals">How many entries ever came: the next one's arrival.</param>
/// <param name="Reserved">Those whose hold is kept, since when, until their request says whether another CMO was first.</param>
[GenerateSerializer, Immutable, Alias("cmo.waitlist")]
public sealed record Waitlist(ImmutableSortedDictionary<BookingId, WaitlistEntry> Entries, long Arrivals, ImmutableSortedDictionary<BookingId, Instant> Reserved)
{
    public const int MostEntries = 1_000;
    public const int HighestPriority = 100;

    private Kept<Order> _order;

    public static Waitlist Empty { get; } = new(ImmutableSortedDictionary<BookingId, WaitlistEntry>.Empty, 0, ImmutableSortedDictionary<BookingId, Instant>.Empty);

    /// <summary>Those that wait, in order: the highest priority first, then the first to come.</summary>
    [JsonIgnore]
    public ReadOnlySpan<WaitlistEntry> Waiting => InOrder.Waiting;

    /// <summary>The first start among those that wait.</summary>
    [JsonIgnore]
    public LocalDate? NextStart => InOrder.NextStart;

    /// <summary>At which place of the order it waits, from 1; 0: it does not wait.</summary>
    public int PlaceOf(WaitlistEntry entry) => entry.Offered ? 0 : Index(Waiting, entry) + 1;

    /// <summary>At which place a new entry would wait.</summary>
    public int PlaceAfter(int priority)
    {
        var place = 1;
        foreach (var entry in Waiting)
        {
            place += entry.Priority >= priority ? 1 : 0;
        }

        return place;
    }

    internal Waitlist With(WaitlistEntry entry)
    {
        var before = Entries.GetValueOrDefault(entry.Id);
        return Changed(Entries.SetItem(entry.Id, entry), before, entry, before is null ? Arrivals + 1 : Arrivals, Reserved);
    }

    internal Waitlist Without(BookingId id) => Entries.TryGetValue(id, out var entry) ? Changed(Entries.Remove(id), entry, null, Arrivals, Reserved.Remove(id)) : this;

    private Waitlist Changed(
        ImmutableSortedDictionary<BookingId, WaitlistEntry> entries, WaitlistEntry? before, WaitlistEntry? after, long arrivals, ImmutableSortedDictionary<BookingId, Instant> reserved) =>
        new(entries, arrivals, reserved) { _order = new Kept<Order> { Value = _order.Value?.After(before, after) } };

    private Order InOrder => _order.Value ??= new Order([.. Entries.Values.Where(e => !e.Offered).OrderBy(e => -e.Priority).ThenBy(e => e.Arrival)]);

    /// <summary>Where the entry stands among those that wait, or would stand.</summary>
    private static int Index(ReadOnlySpan<WaitlistEntry> waiting, WaitlistEntry entry)
    {
        var (low, high) = (0, waiting.Length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            var other = waiting[middle];
            if (other.Priority > entry.Priority || (other.Priority == entry.Priority && other.Arrival < entry.Arrival))
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }

    /// <summary>The order of those that wait, kept beside the state: one that comes or goes moves the others up or down.</summary>
    private sealed class Order
    {
        private readonly WaitlistEntry[] _waiting;

        public Order(WaitlistEntry[] waiting)
        {
            _waiting = waiting;
            foreach (var entry in waiting)
            {
                NextStart = NextStart is { } next && next <= entry.Start ? next : entry.Start;
            }
        }

        public ReadOnlySpan<WaitlistEntry> Waiting => _waiting;

        public LocalDate? NextStart { get; }

        public Order After(WaitlistEntry? before, WaitlistEntry? after)
        {
            var waiting = new List<WaitlistEntry>(_waiting.Length + 1);
            waiting.AddRange(_waiting);
            if (before is { Offered: false })
            {
                waiting.RemoveAt(Index(_waiting, before));
            }

            if (after is { Offered: false })
            {
                waiting.Insert(Index(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(waiting), after), after);
            }

            return new Order([.. waiting]);
        }
    }
}

/// <summary>An entry and where it stands.</summary>
/// <param name="Place">Among those that wait, from 1; 0: it has a hold.</param>
/// <param name="Offer">The hold that it has been offered.</param>
/// <param name="Reserved">Its hold is kept until its request says whether another CMO was first.</param>
[GenerateSerializer, Immutable, Alias("cmo.waitlist-place")]
public sealed record WaitlistPlace(WaitlistEntry Entry, int Place, Booking? Offer, bool Reserved);

/// <summary>Why an entry left the list otherwise than by what became of its hold.</summary>
public enum WaitlistExit
{
    /// <summary>Its caller took it off.</summary>
    Withdrawn,

    /// <summary>The day on which its booking would start has come.</summary>
    StartCame,

    /// <summary>Its request is over: another CMO was first, or it was withdrawn.</summary>
    RequestOver,

    /// <summary>The CMO leaves, and would be gone on some of its days.</summary>
    CmoLeaves,
}

// ---- commands ----

/// <param name="Priority">0–100, the highest first.</param>
/// <param name="OfferExpiry">How long an offer stands, above 0 and at most 30 days.</param>
/// <param name="Request">The request for any of several CMOs that asks; null: none.</param>
[GenerateSerializer, Immutable, Alias("cmo.join-waitlist")]
public sealed record JoinWaitlist(BookingId Id, BookingSpec Spec, int Priority, Duration OfferExpiry, CapacityRequestId? Request = null);

// ---- events ----

[Event("cmo.waitlist-joined"), GenerateSerializer, Immutable, Alias("cmo.waitlist-joined")]
public sealed record WaitlistJoined(BookingId Id, BookingSpec Spec, ClientFence Fence, int Priority, Duration OfferExpiry, Instant At, CapacityRequestId? Request = null) : IEvent;

/// <summary>An entry of a request for any of several CMOs fits: a hold without expiry, which is the next event, is kept until the request says who was first.</summary>
[Event("cmo.waitlist-reserved"), GenerateSerializer, Immutable, Alias("cmo.waitlist-reserved")]
public sealed record WaitlistReserved(BookingId Id, CapacityRequestId Request, Instant At) : IEvent;

/// <summary>An entry is offered a hold, of which the next event tells. What becomes of the hold becomes of the entry.</summary>
[Event("cmo.waitlist-offered"), GenerateSerializer, Immutable, Alias("cmo.waitlist-offered")]
public sealed record WaitlistOffered(BookingId Id, Instant At, Instant ExpiresAt) : IEvent;

[Event("cmo.waitlist-left"), GenerateSerializer, Immutable, Alias("cmo.waitlist-left")]
public sealed record WaitlistLeft(BookingId Id, WaitlistExit Why, Instant At) : IEvent;

/// <summary>A newer fence of a client came while somebody waits: it counts for the client's standing bookings and entries from now on.</summary>
[Event("cmo.fence-noted"), GenerateSerializer, Immutable, Alias("cmo.fence-noted")]
public sealed record FenceNoted(ClientFence Fence, LocalDate Today, Consequences Consequences) : ICmoFact;
