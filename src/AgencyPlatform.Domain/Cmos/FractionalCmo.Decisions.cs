using System.Collections.Immutable;
using AgencyPlatform.Domain.Agencies;
using AgencyPlatform.Domain.Capacity;
using AgencyPlatform.Domain.Clients;
using NodaTime;

namespace AgencyPlatform.Domain.Cmos;

/// <summary>The commands of a CMO.</summary>
public sealed partial record FractionalCmo
{
    public static readonly Duration DefaultHold = Duration.FromMinutes(15);
    public static readonly Duration LongestHold = Duration.FromDays(30);

    // ---- the CMO ----

    public Decision Create(CreateCmo command, Instant now)
    {
        if (Exists)
        {
            return Rejection.AlreadyExists(Kind, command.Id.Value);
        }

        var created = new CmoCreated(command.Id, command.Profile, command.Limits, command.Pattern, command.CostRate, null);
        var decision = command.Holidays is { } holidays
            ? Decision.Accept(created, new HolidaysSet(holidays.Region, holidays.WorkedAnyway, Apply(created).Today(now), Consequences.None))
            : Decision.Accept(created);
        return decision.With(new PersonWrite(command.Profile.Person, command.Details));
    }

    public Decision Update(UpdateCmo command, Instant now) => Known(() =>
    {
        var events = ImmutableArray.CreateBuilder<IEvent>();
        if (command.Profile is not null || command.Details is not null)
        {
            events.Add(new CmoProfileChanged(command.Profile ?? Profile, Profile.ExternalIds));
        }

        if (command.Limits is { } limits && limits != Limits)
        {
            var after = Facts with { MaxClients = limits.MaxClients, MinBlockMinutes = limits.MinBlockMinutes };
            events.Add(new CmoLimitsChanged(limits, Today(now), Reports.Compare(Facts, after, Today(now), Today(now))));
        }

        var decision = Decision.Accept(events.ToImmutable());
        return command.Details is { } details ? decision.With(new PersonWrite((command.Profile ?? Profile).Person, details)) : decision;
    });

    public Decision SetCostRate(CostRate rate) => Known(() => Decision.Accept(new CostRateSet(rate)));

    // ---- facts: never refused for what they do to bookings ----

    public Decision SetWorkingPattern(WorkingPattern pattern, Instant now) => Known(() =>
        Calendar.Patterns.Length >= MostPatterns
            ? Rejection.Invalid(new FieldViolation("working_pattern", $"must be at most {MostPatterns} patterns over time"))
            : Fact(new WorkingPatternSet(pattern, Today(now), Consequences.None), pattern.EffectiveFrom, null));

    /// <summary>
    /// The CMO leaves. What is booked from the date on stands and is told; who waits for days on which the CMO will be gone waits no longer. The same date
    /// again changes nothing.
    /// </summary>
    public Decision Leave(LocalDate from, Instant now) => Known(() =>
    {
        if (Calendar.LeaveDate == from)
        {
            return Decision.Nothing;
        }

        if (from < Today(now))
        {
            return Rejection.Invalid(new FieldViolation("absence.start_date", $"must be today, {Today(now):uuuu-MM-dd}, or later for a CMO who leaves: what was worked until now stands"));
        }

        var decision = Fact(new LeaveSet(from, Today(now), Consequences.None), from, null);
        var calendar = Calendar.WithLeave(from);
        return decision.Then([.. Waitlist.Waiting.ToArray().Where(e => calendar.FirstGone(e.Spec.Dates()) is not null).Select(IEvent (e) => new WaitlistLeft(e.Id, WaitlistExit.CmoLeaves, now))]);
    });

    public Decision SetHolidays(SetHolidays command, Instant now) => Known(() =>
        Fact(new HolidaysSet(command.Region, command.WorkedAnyway, Today(now), Consequences.None), command.Region?.EffectiveFrom ?? Today(now), null));

    public Decision AddTimeOff(TimeOff timeOff, Instant now) => Known(() =>
    {
        if (Calendar.TimeOff.TryGetValue(timeOff.Id, out var same))
        {
            return same == timeOff ? Decision.Nothing : Rejection.AlreadyExists("time_off", timeOff.Id.Value);
        }

        if (Calendar.TimeOff.Values.FirstOrDefault(other => other.Dates.Overlaps(timeOff.Dates)) is { } overlaps)
        {
            return Rejection.Rule(
                Reasons.TimeOffOverlaps, $"The CMO is off {overlaps.Dates} already ('{overlaps.Id}'): cancel that first or choose other days.",
                ("time_off", overlaps.Id.Value), ("start", $"{overlaps.Start:uuuu-MM-dd}"), ("end", $"{overlaps.End:uuuu-MM-dd}"));
        }

        return Calendar.TimeOff.Count >= MostTimeOff
            ? Rejection.Invalid(new FieldViolation("time_off", $"must be at most {MostTimeOff} entries over time"))
            : Fact(new TimeOffAdded(timeOff, Today(now), Consequences.None), timeOff.Start, timeOff.End);
    });

    public Decision CancelTimeOff(TimeOffId id, Instant now) => Known(() =>
        Calendar.TimeOff.TryGetValue(id, out var timeOff)
            ? Fact(new TimeOffCancelled(id, Today(now), Consequences.None), timeOff.Start, timeOff.End)
            : Rejection.NotFound("time_off", id.Value));

    public Decision NotePolicy(AgencyPolicy policy, Instant now) => Known(() =>
        policy.Version <= Policy.Version ? Decision.Nothing : Fact(new PolicyNoted(policy, Today(now), Consequences.None), Today(now), null));

    /// <summary>Only while somebody waits: nobody else is let in by it.</summary>
    private Decision NoteFence(ClientFence fence, Instant now) =>
        Waitlist.Waiting.IsEmpty || !IsNews(fence) ? Decision.Nothing : Fact(new FenceNoted(fence, Today(now), Consequences.None), Today(now), null);

    /// <summary>As if a newer policy of the agency had been noted; nothing is recorded.</summary>
    public FractionalCmo Under(AgencyPolicy? policy) => policy is null || policy.Version <= Policy.Version ? this : this with { Policy = policy };

    /// <summary>A decision that notes a newer policy of the agency first.</summary>
    public Decision Under(AgencyPolicy? policy, Instant now, Func<FractionalCmo, Instant, Decision> decide)
    {
        if (!Exists)
        {
            return NotThere();
        }

        var (state, noted) = Noting(policy, null, now);
        var decision = decide(state, now);
        return decision.Events.IsDefaultOrEmpty ? decision : decision.After(noted);
    }

    /// <summary>
    /// The fact with what it does to standing bookings. A per-period booking's minutes move to weeks before and after it: all are looked at
    /// from today on.
    /// </summary>
    private Decision Fact(ICmoFact fact, LocalDate from, LocalDate? to)
    {
        var perPeriod = Bookings.Values.Any(b => b.Spec.Steps.Any(s => s is PerPeriodStep));
        var consequences = Reports.Compare(Facts, Apply(fact).Facts, perPeriod ? LocalDate.Min(from, fact.Today) : from, perPeriod ? null : to);
        return Decision.Accept(fact switch
        {
            WorkingPatternSet e => e with { Consequences = consequences },
            LeaveSet e => e with { Consequences = consequences },
            HolidaysSet e => e with { Consequences = consequences },
            TimeOffAdded e => e with { Consequences = consequences },
            TimeOffCancelled e => e with { Consequences = consequences },
            TimeOffImported e => e with { Consequences = consequences },
            PolicyNoted e => e with { Consequences = consequences },
            FenceNoted e => (IEvent)(e with { Consequences = consequences }),
            _ => throw new InvalidOperationException($"Unknown fact {fact.GetType().Name}."),
        });
    }

    // ---- bookings of callers ----

    /// <summary>Would this booking fit? Asks the same questions as <see cref="Hold"/>, and changes nothing.</summary>
    /// <param name="priority">With which it would wait.</param>
    public CheckResult Check(BookingSpec spec, BookingFacts facts, Instant now, int priority = 0)
    {
        // What newer facts free is asked of those who wait first.
        var state = Waitlist.Waiting.IsEmpty ? Under(facts.Policy) : Noting(facts.Policy, facts.Fence, now).State;
        var until = spec.Dates().End ?? Feasibility.Horizon(state.Facts, spec);
        var refusal = Feasibility.Check(state.Facts, spec, facts.Fence);
        var mayWait = refusal is { Rule: not CapacityRule.CmoLeaves } && spec.Steps[0].Dates.Start > Today(now) && state.Waitlist.Entries.Count < Waitlist.MostEntries;
        return new CheckResult(refusal, Reports.CutOffs(state.Facts, spec, until), mayWait ? state.Waitlist.PlaceAfter(priority) : null);
    }

    public Decision Hold(HoldBooking command, BookingFacts facts, Instant now)
    {
        var expiry = command.Expiry ?? DefaultHold;
        return expiry <= Duration.Zero || expiry > LongestHold
            ? ExpiryOutOfRange()
            : New(command.Id, command.Spec, facts, now, () => new BookingHeld(command.Id, command.Spec, now, now + expiry, null, facts.Fence));
    }

    public Decision Book(Book command, BookingFacts facts, Instant now) =>
        New(command.Id, command.Spec, facts, now, () => new BookingBooked(command.Id, command.Spec, now, facts.Fence));

    public Decision Confirm(BookingId id, Instant now) => Callers(id, booking =>
        booking.State == BookingState.Confirmed ? Decision.Nothing : Decision.Accept(new BookingConfirmed(id, now)));

    public Decision ExtendHold(BookingId id, Duration expiry, Instant now) => Callers(id, booking =>
        booking.State == BookingState.Confirmed
            ? Rejection.Rule(Reasons.AlreadyConfirmed, $"Booking '{id}' is confirmed: it does not expire.", ("booking", id.Value))
            : expiry <= Duration.Zero || expiry > LongestHold ? ExpiryOutOfRange() : Decision.Accept(new HoldMoved(id, now, now + expiry, null)));

    /// <summary>One atomic check-and-swap: refused, the old booking stands. The age stays.</summary>
    public Decision Change(ChangeBooking command, BookingFacts facts, Instant now) => Callers(command.Id, booking =>
    {
        var spec = booking.Spec with { Steps = command.Steps };
        if (spec.Violations() is { Length: > 0 } wrong)
        {
            return Rejection.Invalid(wrong.AsSpan());
        }

        var (state, noted) = Noting(facts.Policy, facts.Fence, now);
        return Feasibility.Check(state.Facts, spec, facts.Fence, booking) is { } refusal
            ? refusal.ToRejection()
            : Decision.Accept(noted.Add(new BookingChanged(command.Id, spec, now, facts.Fence)));
    });

    public Decision Release(BookingId id, Instant now) => Callers(id, _ => Decision.Accept(new BookingReleased(id, now)));

    // ---- bookings of engagements: idempotent by booking id, asked by the engagement's sagas only ----

    /// <summary>A saga's hold, without a clock expiry.</summary>
    public Decision PlaceFor(EngagementId engagement, Book command, BookingFacts facts, Instant now) =>
        Bookings.TryGetValue(command.Id, out var booking) && booking.Owner == engagement
            ? Decision.Nothing
            : New(command.Id, command.Spec, facts, now, () => new BookingHeld(command.Id, command.Spec, now, null, engagement, facts.Fence));

    /// <summary>Takes a proposal's hold over: from now on it does not expire.</summary>
    public Decision TakeOver(EngagementId engagement, BookingId id, Instant now) => Owned(engagement, id, booking =>
        booking.Owner == engagement ? Decision.Nothing : Decision.Accept(new HoldMoved(id, now, null, engagement)), free: true);

    /// <summary>Gives back what was taken over, a hold with its old expiry; a hold that has expired meanwhile expires at once.</summary>
    public Decision GiveBack(EngagementId engagement, BookingId id, Instant now) => Idempotent(engagement, id, booking =>
        Decision.Accept(new HoldMoved(id, now, booking.GiveBackTo, null)));

    public Decision ConfirmFor(EngagementId engagement, BookingId id, Instant now) => Owned(engagement, id, booking =>
        booking.State == BookingState.Confirmed ? Decision.Nothing : Decision.Accept(new BookingConfirmed(id, now)), free: false);

    public Decision ReleaseFor(EngagementId engagement, BookingId id, Instant now) => Idempotent(engagement, id, _ => Decision.Accept(new BookingReleased(id, now)));

    /// <summary>Releases the hold of a proposal that has ended: a hold for that client which no engagement owns. Anything else is left alone.</summary>
    public Decision FreeFor(ClientCompanyId client, BookingId id, Instant now) => Known(() =>
        Bookings.TryGetValue(id, out var booking) && booking is { State: BookingState.Held, Owner: null } && booking.Spec.Client == client
            ? Decision.Accept(new BookingReleased(id, now))
            : Decision.Nothing);

    /// <summary>Shortens to end on a date; cannot be refused.</summary>
    public Decision EndFor(EngagementId engagement, BookingId id, LocalDate end, Instant now) => Idempotent(engagement, id, booking =>
        booking.Spec.EndAt(end) switch
        {
            null => Decision.Accept(new BookingReleased(id, now)),
            var cut when cut.Dates() == booking.Dates => Decision.Nothing,
            var cut => Decision.Accept(new BookingEnded(id, cut, now)),
        });

    // ---- guards ----

    private Decision Known(Func<Decision> decide) => Exists ? decide() : NotThere();

    private Decision New(BookingId id, BookingSpec spec, BookingFacts facts, Instant now, Func<IEvent> accepted)
    {
        if (!Exists)
        {
            return NotThere();
        }

        if (Taken(id) is { } taken)
        {
            return taken;
        }

        if (spec.Violations() is { Length: > 0 } wrong)
        {
            return Rejection.Invalid(wrong.AsSpan());
        }

        var (state, noted) = Noting(facts.Policy, facts.Fence, now);
        return Feasibility.Check(state.Facts, spec, facts.Fence) is { } refusal ? refusal.ToRejection() : Decision.Accept(noted.Add(accepted()));
    }

    /// <summary>An id is given once, to a booking or to an entry that waits to become one.</summary>
    private Rejection? Taken(BookingId id) =>
        Bookings.ContainsKey(id) ? Rejection.AlreadyExists("booking", id.Value)
        : Waitlist.Entries.ContainsKey(id) ? Rejection.AlreadyExists("waitlist_entry", id.Value)
        : null;

    /// <summary>Newer facts are noted first, in the same decision, and those who wait are offered what they free.</summary>
    private (FractionalCmo State, ImmutableArray<IEvent> Events) Noting(AgencyPolicy? policy, ClientFence? fence, Instant now)
    {
        ImmutableArray<IEvent> events = policy is null ? [] : NotePolicy(policy, now).Events;
        var state = events.IsEmpty ? this : Apply(events[0]);
        if (fence is not null && state.NoteFence(fence, now).Events is [var news])
        {
            events = events.Add(news);
            state = state.Apply(news);
        }

        if (events.IsEmpty)
        {
            return (this, []);
        }

        var offers = Following(events, now);
        return (offers.Aggregate(state, (s, @event) => s.Apply(@event)), [.. events, .. offers]);
    }

    /// <summary>A booking that its caller may still move: there, not expired, and no engagement's.</summary>
    private Decision Callers(BookingId id, Func<Booking, Decision> decide) =>
        !Bookings.TryGetValue(id, out var booking)
            ? Missing(id)
            : booking.Owner is { } owner
                ? Rejection.Rule(
                    Reasons.OwnedByEngagement, $"Booking '{id}' belongs to engagement '{owner}', which alone confirms, changes or releases it.",
                    ("booking", id.Value), ("engagement", owner.Value))
                : NotOfferedYet(id) ?? decide(booking);

    /// <summary>A booking of this engagement; with <paramref name="free"/>, also one that no engagement owns yet.</summary>
    private Decision Owned(EngagementId engagement, BookingId id, Func<Booking, Decision> decide, bool free) =>
        !Bookings.TryGetValue(id, out var booking)
            ? Missing(id)
            : booking.Owner == engagement || (free && booking.Owner is null)
                ? NotOfferedYet(id) ?? decide(booking)
                : Rejection.Rule(Reasons.OwnedByEngagement, $"Booking '{id}' belongs to another engagement.", ("booking", id.Value));

    /// <summary>As <see cref="Owned"/>, for steps that take something back: what is gone already is done.</summary>
    private Decision Idempotent(EngagementId engagement, BookingId id, Func<Booking, Decision> decide) =>
        Bookings.TryGetValue(id, out var booking) && booking.Owner == engagement ? decide(booking) : Decision.Nothing;

    private Rejection NotThere() => Rejection.NotFound(Kind, Id.Value ?? "");

    private Rejection Missing(BookingId id) => Expired.Contains(id)
        ? Rejection.Rule(Reasons.HoldExpired, $"The hold '{id}' has expired and holds nothing any more: hold again.", ("booking", id.Value))
        : Rejection.NotFound("booking", id.Value);

    private static Decision ExpiryOutOfRange() => Rejection.Invalid(new FieldViolation("expiry", "must be above 0 and at most 30 days"));
}
