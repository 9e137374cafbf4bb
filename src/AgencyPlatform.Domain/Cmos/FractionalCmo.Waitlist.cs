using System.Collections.Immutable;
using AgencyPlatform.Domain.Capacity;
using AgencyPlatform.Domain.Clients;
using NodaTime;

namespace AgencyPlatform.Domain.Cmos;

/// <summary>
/// The waitlist. After whatever may have freed capacity, no entry that waits fits: so no later request overtakes one that does.
/// Source: domain §2, "Waitlist".
/// </summary>
public sealed partial record FractionalCmo
{
    /// <summary>Puts a request on the list. One that fits is offered its hold at once.</summary>
    public Decision JoinWaitlist(JoinWaitlist command, BookingFacts facts, Instant now) => Known(() =>
    {
        if (Taken(command.Id) is { } taken)
        {
            return taken;
        }

        var wrong = command.Spec.Violations();
        if (command.Priority is < 0 or > Waitlist.HighestPriority)
        {
            wrong = wrong.Add(new FieldViolation("priority", $"must be 0 to {Waitlist.HighestPriority}"));
        }

        if (command.OfferExpiry <= Duration.Zero || command.OfferExpiry > LongestHold)
        {
            wrong = wrong.Add(new FieldViolation("offer_expiry", "must be above 0 and at most 30 days"));
        }

        if (wrong.Length > 0)
        {
            return Rejection.Invalid(wrong.AsSpan());
        }

        var start = command.Spec.Steps[0].Dates.Start;
        if (start <= Today(now))
        {
            return Rejection.Rule(
                Reasons.StartHasCome, $"The booking would start on {start:uuuu-MM-dd}, and it is {Today(now):uuuu-MM-dd} for the CMO: an entry waits until its start at the longest.",
                ("start", $"{start:uuuu-MM-dd}"), ("today", $"{Today(now):uuuu-MM-dd}"));
        }

        if (Calendar.FirstGone(command.Spec.Dates()) is { } gone)
        {
            return CapacityRefusal.Of(CapacityRule.CmoLeaves, gone).ToRejection();
        }

        return Waitlist.Entries.Count >= Waitlist.MostEntries
            ? Rejection.Rule(
                Reasons.WaitlistFull, $"The CMO's waitlist has its {Waitlist.MostEntries} entries: choose another CMO, or wait until some have left.",
                ("maximum", $"{Waitlist.MostEntries}"))
            : Decision.Accept(new WaitlistJoined(command.Id, command.Spec, facts.Fence, command.Priority, command.OfferExpiry, now, command.Request)).After(Noting(facts.Policy, facts.Fence, now).Events);
    });

    /// <summary>Takes an entry off the list. One that has been offered a hold declines it.</summary>
    public Decision LeaveWaitlist(BookingId id, Instant now) => Known(() =>
        !Waitlist.Entries.TryGetValue(id, out var entry) ? Rejection.NotFound("waitlist_entry", id.Value)
        : entry.Offered ? Release(id, now)
        : Decision.Accept(new WaitlistLeft(id, WaitlistExit.Withdrawn, now)));

    /// <summary>An entry and where it stands; null: it is not on the list.</summary>
    public WaitlistPlace? PlaceOf(BookingId id) =>
        Waitlist.Entries.TryGetValue(id, out var entry) ? new WaitlistPlace(entry, Waitlist.PlaceOf(entry), entry.Offered ? Bookings[id] : null, Waitlist.Reserved.ContainsKey(id)) : null;

    /// <summary>The whole list: offered ones first, then those that wait, in order.</summary>
    public ImmutableArray<WaitlistPlace> Places() =>
        [.. Waitlist.Entries.Values.Select(entry => PlaceOf(entry.Id)!).OrderBy(place => place.Place).ThenBy(place => place.Entry.Arrival)];

    // ---- entries of requests for any of several CMOs: idempotent, asked by the request's saga only ----

    /// <summary>Puts the request's entry on the list; one that is there already is done.</summary>
    public Decision JoinFor(JoinWaitlist command, BookingFacts facts, Instant now) =>
        Waitlist.Entries.TryGetValue(command.Id, out var entry) && entry.Request == command.Request ? Decision.Nothing : JoinWaitlist(command, facts, now);

    /// <summary>Takes the request's entry off, waiting or reserved; one that is gone, or was offered for good, is done.</summary>
    public Decision LeaveFor(CapacityRequestId request, Instant now) =>
        !Waitlist.Entries.TryGetValue(request.Booking, out var entry) || entry.Request != request ? Decision.Nothing
        : !entry.Offered ? Decision.Accept(new WaitlistLeft(entry.Id, WaitlistExit.RequestOver, now))
        : Waitlist.Reserved.ContainsKey(entry.Id) ? Decision.Accept(new BookingReleased(entry.Id, now))
        : Decision.Nothing;

    /// <summary>The next entry whose request is to be asked who was first.</summary>
    public CapacityRequestId? NextToAsk() => Waitlist.Reserved.IsEmpty ? null : Waitlist.Entries[Waitlist.Reserved.First().Key].Request;

    /// <summary>What the request has answered: this CMO was first, and the hold is offered from now on; or another was, and it is given back.</summary>
    public Decision Answer(CapacityRequestId request, bool first, Instant now) =>
        !Waitlist.Reserved.ContainsKey(request.Booking) ? Decision.Nothing
        : !first ? Decision.Accept(new BookingReleased(request.Booking, now))
        : Decision.Accept(
            new WaitlistOffered(request.Booking, now, now + Waitlist.Entries[request.Booking].OfferExpiry),
            new HoldMoved(request.Booking, now, now + Waitlist.Entries[request.Booking].OfferExpiry, null));

    /// <summary>A hold that its request has not offered yet is nobody's to move.</summary>
    private Rejection? NotOfferedYet(BookingId id) => Waitlist.Reserved.ContainsKey(id)
        ? Rejection.Rule(Reasons.OfferUnderWay, $"The hold '{id}' is kept until its request says whether another CMO was first: repeat shortly.", ("booking", id.Value))
        : null;

    // ---- newer facts ----

    /// <summary>Whether somebody waits whom newer facts may let in.</summary>
    public bool Awaits(BookingFacts facts) => !Waitlist.Waiting.IsEmpty && (facts.Policy?.Version > Policy.Version || IsNews(facts.Fence));

    /// <summary>Notes newer facts by themselves, with the offers that follow: whatever becomes of the command that brought them.</summary>
    public Decision NoteFacts(BookingFacts facts, Instant now) => Known(() => Decision.Accept(Noting(facts.Policy, facts.Fence, now).Events));

    /// <summary>Whether a fence says something else than what is known of its client here, and not something older.</summary>
    private bool IsNews(ClientFence fence)
    {
        foreach (var booking in Standing.All)
        {
            if (booking.Spec.Client == fence.Client && IsNewer(fence, booking.Fence))
            {
                return true;
            }
        }

        foreach (var entry in Waitlist.Waiting)
        {
            if (entry.Spec.Client == fence.Client && IsNewer(fence, entry.Fence))
            {
                return true;
            }
        }

        return false;

        static bool IsNewer(ClientFence fence, ClientFence known) =>
            fence.Version >= known.Version && !(fence.Names.SetEquals(known.Names) && fence.NamedBy.SetEquals(known.NamedBy));
    }

    private FractionalCmo WithFence(ClientFence fence)
    {
        var state = this;
        foreach (var booking in Bookings.Values.Where(b => b.Spec.Client == fence.Client))
        {
            state = state.With(booking with { Fence = fence });
        }

        var waitlist = Waitlist;
        foreach (var entry in Waitlist.Entries.Values.Where(e => e.Spec.Client == fence.Client))
        {
            waitlist = waitlist.With(entry with { Fence = fence });
        }

        return state with { Waitlist = waitlist };
    }

    // ---- offers ----

    /// <summary>
    /// What may have freed capacity is followed by the offers that it allows: once down the list, each entry that fits beside what was given before it
    /// gets a hold, whose expiry counts from now.
    /// </summary>
    public ImmutableArray<IEvent> Following(ImmutableArray<IEvent> events, Instant now)
    {
        var (freed, joined) = (false, false);
        foreach (var @event in events)
        {
            freed |= @event is BookingReleased or HoldExpired or BookingChanged or BookingEnded or BookingSwapped or ICmoFact;
            joined |= @event is WaitlistJoined;
        }

        if (!joined && (!freed || Waitlist.Waiting.IsEmpty))
        {
            return [];
        }

        var after = events.Aggregate(this, (state, @event) => state.Apply(@event));
        if (freed)
        {
            return after.Offers(after.Waitlist.Waiting, now);
        }

        // Of those that waited before none fits, nothing having been freed.
        var came = events.OfType<WaitlistJoined>().Select(e => after.Waitlist.Entries.GetValueOrDefault(e.Id)).OfType<WaitlistEntry>().Where(e => !e.Offered);
        return after.Offers([.. came], now);
    }

    private ImmutableArray<IEvent> Offers(ReadOnlySpan<WaitlistEntry> waiting, Instant now)
    {
        var offers = ImmutableArray.CreateBuilder<IEvent>();
        var today = Today(now);
        var (state, facts) = (this, Facts);
        foreach (var entry in waiting)
        {
            if (entry.Start <= today || !Feasibility.Fits(facts, entry))
            {
                continue;
            }

            // Of a request for several CMOs another may be first: until it is known, the hold is a saga's, without an expiry by the clock.
            Instant? expiresAt = entry.Request is null ? now + entry.OfferExpiry : null;
            IEvent given = entry.Request is { } request ? new WaitlistReserved(entry.Id, request, now) : new WaitlistOffered(entry.Id, now, expiresAt!.Value);
            var held = new BookingHeld(entry.Id, entry.Spec, now, expiresAt, null, entry.Fence);
            offers.Add(given);
            offers.Add(held);
            state = state.Apply(given).Apply(held);
            facts = state.Facts;
        }

        return offers.ToImmutable();
    }

    /// <summary>When the day comes on which the first of those that wait would start.</summary>
    private Instant? NextStart => Waitlist.NextStart is { } start ? StartOf(start) : null;

    private Instant StartOf(LocalDate day) => day.AtStartOfDayInZone(DateTimeZoneProviders.Tzdb[Profile.TimeZone]).ToInstant();

    private IEnumerable<IEvent> Starts(Instant due)
    {
        if (Waitlist.NextStart is not { } start || StartOf(start) > due)
        {
            return [];
        }

        var today = Today(due);
        return Waitlist.Waiting.ToArray().Where(entry => entry.Start <= today).Select(IEvent (entry) => new WaitlistLeft(entry.Id, WaitlistExit.StartCame, due));
    }
}
