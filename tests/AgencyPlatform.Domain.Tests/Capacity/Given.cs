using System.Collections.Immutable;
using AgencyPlatform.Domain;
using AgencyPlatform.Domain.Agencies;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Domain.Capacity;
using AgencyPlatform.Domain.Clients;
using AgencyPlatform.Domain.Cmos;
using NodaTime;

namespace AgencyPlatform.Domain.Tests.Capacity;

/// <summary>Short words for capacity tests.</summary>
internal static class Given
{
    public static readonly Instant Now = Instant.FromUtc(2026, 1, 5, 9, 0);
    public static readonly WeekdayMinutes MondayToThursday = new(480, 480, 480, 480, 0, 0, 0);
    public static readonly WeekdayMinutes MondayToFriday = new(480, 480, 480, 480, 480, 0, 0);

    public static LocalDate Day(int month, int day) => new(2026, month, day);

    public static DateRange Dates(LocalDate start, LocalDate? end) => new(start, end);

    public static ClientFence Fence(string client, string[]? names = null, string[]? namedBy = null) => new(
        new ClientCompanyId(client), 1, [.. (names ?? []).Select(n => new ClientCompanyId(n))], [.. (namedBy ?? []).Select(n => new ClientCompanyId(n))]);

    public static BookingFacts Facts(ClientFence fence) => new(fence, null);

    public static FractionalCmo Cmo(WeekdayMinutes pattern, int maxClients = 10, int minBlock = 0, int overbooking = 0, int coolingOff = 0)
    {
        var empty = ImmutableSortedDictionary<string, string>.Empty;
        var cmo = FractionalCmo.Initial.Apply(new CmoCreated(
            new CmoId("ada"), new CmoProfile(new PersonId("ada"), "CMO", "Etc/UTC", empty, empty), new CmoLimits(maxClients, minBlock),
            new WorkingPattern(Day(1, 1), pattern), null, null));
        return cmo.Apply(new PolicyNoted(
            new AgencyPolicy(1, overbooking, coolingOff, ImmutableSortedDictionary<string, ImmutableSortedSet<LocalDate>>.Empty), Day(1, 1), Consequences.None));
    }

    public static BookingSpec Flexible(int weekly, LocalDate start, LocalDate? end, string client = "acme") =>
        Spec(client, new FlexibleStep(Dates(start, end), weekly));

    public static BookingSpec Spec(string client, params BookingStep[] steps) => new(new ClientCompanyId(client), null, [.. steps]);

    public static PerPeriodStep Monthly(int minutes, LocalDate start, LocalDate? end, int billDay = 1) => new(Dates(start, end), minutes, new BillCycle(billDay, 1));

    /// <summary>Decides and folds; a refusal fails the test.</summary>
    public static FractionalCmo Booked(this FractionalCmo cmo, string id, BookingSpec spec, ClientFence? fence = null) =>
        cmo.Then(cmo.Book(new Book(new BookingId(id), spec), Facts(fence ?? Fence(spec.Client.Value)), Now));

    public static Rejection Refused(this FractionalCmo cmo, BookingSpec spec, ClientFence? fence = null)
    {
        var rejection = cmo.Book(new Book(new BookingId("refused"), spec), Facts(fence ?? Fence(spec.Client.Value)), Now).Rejection;
        Assert.NotNull(rejection);
        return rejection;
    }

    public static FractionalCmo Then(this FractionalCmo cmo, Decision decision)
    {
        Assert.Null(decision.Rejection);
        return decision.Events.Aggregate(cmo, (state, @event) => state.Apply(@event));
    }

    public static FractionalCmo Off(this FractionalCmo cmo, string id, LocalDate start, LocalDate end, TimeOffKind kind = TimeOffKind.WholeDays, int minutes = 0, Instant? now = null) =>
        cmo.Then(cmo.AddTimeOff(new TimeOff(new TimeOffId(id), start, end, kind, minutes), now ?? Now));

    public static WeekReport Week(this FractionalCmo cmo, LocalDate day) => Reports.Weeks(cmo.Facts, day, 1)[0];
}
