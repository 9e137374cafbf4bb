using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using AgencyPlatform.Domain.Agencies;
using AgencyPlatform.Domain.Capacity;
using NodaTime;

namespace AgencyPlatform.Domain.Cmos;

/// <summary>
/// A fractional CMO and their capacity: who has room, and what is promised. What is released, expired or never was is not in the state;
/// confirmed bookings stay when they are over, since the cooling-off time looks back at them. Source: domain §2.
/// </summary>
/// <param name="Ages">How many bookings were ever made: the next one's age.</param>
/// <param name="Expired">Holds that expired lately, so that a late confirmation hears why.</param>
/// <param name="LastConsequences">What the newest fact did to the bookings that stood.</param>
/// <param name="LastImport">What the events of the last imported calendar file did, by source; null: none was imported.</param>
/// <param name="Waitlist">Who waits for capacity, or has been offered it.</param>
[GenerateSerializer, Immutable, Alias("cmo")]
public sealed partial record FractionalCmo(
    CmoId Id,
    CmoProfile Profile,
    CmoLimits Limits,
    WorkCalendar Calendar,
    ImmutableArray<CostRate> CostRates,
    AgencyPolicy Policy,
    ImmutableSortedDictionary<BookingId, Booking> Bookings,
    long Ages,
    ImmutableArray<BookingId> Expired,
    Consequences LastConsequences,
    Waitlist Waitlist,
    ImmutableSortedDictionary<string, ImportOutcome>? LastImport = null) : IState<FractionalCmo>
{
    public const int MostExpired = 64;
    public const int MostPatterns = 200;
    public const int MostTimeOff = 1_000;

    /// <summary>How long a request may take to answer before it is asked anew.</summary>
    private static readonly Duration s_sagaPatience = Duration.FromSeconds(30);

    public static string Kind => "cmo";

    public static int FoldVersion => 3;

    public static FractionalCmo Initial { get; } = new(
        default,
        new CmoProfile(default, "", "", ImmutableSortedDictionary<string, string>.Empty, ImmutableSortedDictionary<string, string>.Empty),
        new CmoLimits(0, 0), WorkCalendar.Empty, [], AgencyPolicy.None, ImmutableSortedDictionary<BookingId, Booking>.Empty, 0, [], Consequences.None, Waitlist.Empty);

    [JsonIgnore]
    public bool Exists => Id.Value is not null;

    [JsonIgnore]
    public CapacityFacts Facts => new(Calendar, Policy, Bookings, Limits.MaxClients, Limits.MinBlockMinutes, Standing);

    private Kept<Standing> _standing;

    private Standing Standing => Current ?? (_standing.Value = new Standing(Calendar, Policy, Bookings));

    /// <summary>What is kept, if it is of this state.</summary>
    private Standing? Current => _standing.Value is { } kept && kept.IsOf(Calendar, Policy, Bookings) ? kept : null;

    /// <summary>What time does next, and the wake-up for entries whose request has not answered yet.</summary>
    [JsonIgnore]
    public Instant? NextDue => Waitlist.Reserved.IsEmpty ? NextOfTime
        : Waitlist.Reserved.Values.Min() + s_sagaPatience is var wake && NextOfTime is { } due && due < wake ? due
        : wake;

    /// <summary>The next hold's expiry, or the next start of an entry that waits.</summary>
    private Instant? NextOfTime
    {
        get
        {
            var next = NextStart;
            foreach (var booking in Standing.All)
            {
                if (booking.ExpiresAt is { } at && (next is null || at < next))
                {
                    next = at;
                }
            }

            return next;
        }
    }

    public ImmutableArray<IEvent> Settle(Instant now)
    {
        if (NextOfTime is not { } due || due > now)
        {
            return [];
        }

        ImmutableArray<IEvent> events = [.. Bookings.Values.Where(b => b.ExpiresAt == due).Select(IEvent (b) => new HoldExpired(b.Id, due)), .. Starts(due)];
        return [.. events, .. Following(events, now)];
    }

    public LocalDate Today(Instant now) => now.InZone(DateTimeZoneProviders.Tzdb[Profile.TimeZone]).Date;

    /// <summary>The cost rate in force on a date; null where none is.</summary>
    public CostRate? CostRateOn(LocalDate date) => CostRates.LastOrDefault(rate => rate.EffectiveFrom <= date);

    // ---- fold ----

    public FractionalCmo Apply(IEvent @event) => @event switch
    {
        CmoCreated e => this with
        {
            Id = e.Id,
            Profile = e.Profile,
            Limits = e.Limits,
            Calendar = Calendar with { Patterns = [e.Pattern], Regions = e.HolidayRegion is { } region ? [new HolidayRegion(e.Pattern.EffectiveFrom, region)] : [] },
            CostRates = e.CostRate is { } rate ? [rate] : [],
        },
        CmoProfileChanged e => this with { Profile = e.Profile },
        CostRateSet e => this with { CostRates = From(CostRates, e.Rate, r => r.EffectiveFrom) },
        ICmoFact e => Frozen(e.Today).ApplyFact(e) with { LastConsequences = e.Consequences },
        BookingHeld e => WithNew(new Booking(
            e.Id, e.Spec, BookingState.Held, e.ExpiresAt, e.Owner, Ages, e.At, e.At, e.Fence,
            e.Replaces is { } replaced && Bookings.TryGetValue(replaced, out var booking) ? Demand.StillFrozen(booking, e.Spec) : null)),
        BookingBooked e => WithNew(new Booking(e.Id, e.Spec, BookingState.Confirmed, null, null, Ages, e.At, e.At, e.Fence)),
        BookingConfirmed e => With(Bookings[e.Id] with { State = BookingState.Confirmed, ExpiresAt = null, GiveBackTo = null, UpdatedAt = e.At }).Left(e.Id),
        BookingChanged e => With(Bookings[e.Id] with { Spec = e.Spec, Fence = e.Fence, Frozen = Demand.StillFrozen(Bookings[e.Id], e.Spec), UpdatedAt = e.At }),
        HoldMoved e => With(Bookings[e.Id] with
        {
            ExpiresAt = e.ExpiresAt,
            Owner = e.Owner,
            GiveBackTo = e.Owner is null ? null : Bookings[e.Id].ExpiresAt ?? Bookings[e.Id].GiveBackTo,
            UpdatedAt = e.At,
        }),
        BookingEnded e => With(Bookings[e.Id] with { Spec = e.Spec, UpdatedAt = e.At }),
        BookingSwapped e => Swapped(e),
        BookingReleased e => Without(e.Id).Left(e.Id),
        WaitlistJoined e => this with { Waitlist = Waitlist.With(new WaitlistEntry(e.Id, e.Spec, e.Fence, e.Priority, e.OfferExpiry, Waitlist.Arrivals, e.At, false, e.Request)) },
        WaitlistReserved e => this with { Waitlist = Waitlist.With(Waitlist.Entries[e.Id] with { Offered = true }) with { Reserved = Waitlist.Reserved.Add(e.Id, e.At) } },
        WaitlistOffered e => this with { Waitlist = Waitlist.With(Waitlist.Entries[e.Id] with { Offered = true }) with { Reserved = Waitlist.Reserved.Remove(e.Id) } },
        WaitlistLeft e => Left(e.Id),
        HoldExpired e => Without(e.Id).Left(e.Id) with
        {
            Expired = [.. Expired.Skip(Math.Max(0, Expired.Length + 1 - MostExpired)), e.Id],
        },
        NothingChanged => this,
        _ => throw new InvalidOperationException($"A CMO does not know {@event.GetType().Name}."),
    };

    private FractionalCmo ApplyFact(ICmoFact fact) => fact switch
    {
        CmoLimitsChanged e => this with { Limits = e.Limits },
        WorkingPatternSet e => this with { Calendar = Calendar.WithPattern(e.Pattern) },
        LeaveSet e => this with { Calendar = Calendar.WithLeave(e.From) },
        HolidaysSet e => this with
        {
            Calendar = Calendar with
            {
                Regions = e.Region is { } region ? From(Calendar.Regions, region, r => r.EffectiveFrom) : Calendar.Regions,
                WorkedAnyway = e.WorkedAnyway ?? Calendar.WorkedAnyway,
            },
        },
        TimeOffAdded e => this with { Calendar = Calendar with { TimeOff = Calendar.TimeOff.SetItem(e.TimeOff.Id, e.TimeOff) } },
        TimeOffCancelled e => this with { Calendar = Calendar with { TimeOff = Calendar.TimeOff.Remove(e.Id) } },
        TimeOffImported e => this with { Calendar = Calendar with { TimeOff = Calendar.TimeOff.RemoveRange(e.Removed).SetItems(e.Put.Select(t => KeyValuePair.Create(t.Id, t))) }, LastImport = e.Outcomes },
        PolicyNoted e => this with { Policy = e.Policy },
        FenceNoted e => WithFence(e.Fence),
        _ => throw new InvalidOperationException($"A CMO does not know the fact {fact.GetType().Name}."),
    };

    /// <summary>Weeks that are over keep their per-period shares whatever the calendar says from now on.</summary>
    private FractionalCmo Frozen(LocalDate today)
    {
        var bookings = Bookings;
        foreach (var (id, booking) in Bookings)
        {
            if (booking.Spec.Steps.Any(s => s is PerPeriodStep))
            {
                bookings = bookings.SetItem(id, booking with { Frozen = Demand.Freeze(booking, today, Calendar, Policy) });
            }
        }

        return this with { Bookings = bookings };
    }

    private FractionalCmo WithNew(Booking booking) => Changed(Bookings.Add(booking.Id, booking), null, booking, Ages + 1);

    private FractionalCmo With(Booking booking) => Changed(Bookings.SetItem(booking.Id, booking), Bookings[booking.Id], booking, Ages);

    private FractionalCmo Without(BookingId id) => Bookings.TryGetValue(id, out var booking) ? Changed(Bookings.Remove(id), booking, null, Ages) : this;

    /// <summary>What has become of a hold becomes of the entry that it was offered to.</summary>
    private FractionalCmo Left(BookingId id) => Waitlist.Entries.ContainsKey(id) ? this with { Waitlist = Waitlist.Without(id) } : this;

    /// <summary>One booking came, went or was replaced.</summary>
    private FractionalCmo Changed(ImmutableSortedDictionary<BookingId, Booking> bookings, Booking? before, Booking? after, long ages) =>
        this with { Bookings = bookings, Ages = ages, _standing = new Kept<Standing> { Value = Current?.After(bookings, before, after) } };

    /// <summary>An effective-dated list with one more entry: of two from the same date the newer counts.</summary>
    private static ImmutableArray<T> From<T>(ImmutableArray<T> list, T entry, Func<T, LocalDate> effective) =>
        [.. list.Where(e => effective(e) != effective(entry)).Append(entry).OrderBy(effective)];

    // ---- read models ----

    public IEnumerable<RowChange> Project(IEvent @event, EventInfo info) => @event switch
    {
        CmoCreated e => [.. ExternalIdRow.Changes(Kind, e.Id.Value, ImmutableSortedDictionary<string, string>.Empty, e.Profile.ExternalIds), new Put(new CmoRow(e.Id, e.Profile.Person, e.Profile.Role, e.Profile.TimeZone))],
        CmoProfileChanged e => [.. ExternalIdRow.Changes(Kind, Id.Value, e.Before, e.Profile.ExternalIds), new Put(new CmoRow(Id, Profile.Person, Profile.Role, Profile.TimeZone))],
        BookingHeld e => [Row(e.Id)],
        BookingBooked e => [Row(e.Id)],
        BookingConfirmed e => [Row(e.Id)],
        BookingChanged e => [Row(e.Id)],
        HoldMoved e => [Row(e.Id)],
        BookingEnded e => [Row(e.Id)],
        BookingSwapped e => [Row(e.Id), Gone(e.Swap)],
        BookingReleased e => [Gone(e.Id)],
        HoldExpired e => [Gone(e.Id)],
        _ => [],
    };

    private Put Row(BookingId id)
    {
        var b = Bookings[id];
        return new Put(new BookingRow(
            Id, id, b.Spec.Client, b.Engagement, b.State, b.ExpiresAt, b.Owner, b.CreatedAt, b.UpdatedAt, JsonSerializer.SerializeToUtf8Bytes(b.Spec.Steps, EventJson.Options)));
    }

    private Drop Gone(BookingId id) => new(new BookingRow(Id, id, default, null, default, null, null, default, default, []));
}
