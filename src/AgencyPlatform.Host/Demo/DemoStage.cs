using AgencyPlatform.Client;
using AgencyPlatform.Protocol.Engagements.V1;
using Grpc.Core;
using NodaTime;

namespace AgencyPlatform.Host.Demo;

/// <summary>What the demo found true, or not.</summary>
internal sealed record DemoCheck(string What, bool Passed, string Detail);

internal sealed record DemoRefusal(string Reason, string What, string Message);

/// <summary>A cover that was booked: who works for whom on which dates.</summary>
internal sealed record DemoCover(string Engagement, string Cmo, IReadOnlyDictionary<LocalDate, int> Minutes);

/// <summary>What happens in the life of engagements, as the demo counts it.</summary>
internal enum DemoEvent
{
    SignedByTwo, AgreedByCmo, Revised, Declined, ScopeChanged, TimeOff, FellIll, Covered, Paused, Resumed, TaperStarted, TaperEnded,
    RenewedBySignature, RenewedByTime, EndedByNotice, EndedByTime, Waited, Offered, OfferTaken, OfferDeclined,
    AsPlanned, NothingWorked, SheetLate, Disputed, Corrected, Consented,
    PaidOnTime, PaidLate, PaidInPart, PaidTwice, CreditUsed, Bounced, CmoPaid, MonthClosed, PostedOpen, PriceRaised, Holiday, Asked, Matched, Measured, Missed, PromiseKept,
}

/// <summary>An engagement that was activated: who works on it, how much from which day on, and what must be true of it in the end.</summary>
internal sealed class DemoWork(RosterEngagement agreed, string name, string client, string cmo, TermRules? term, bool asksConsent)
{
    private readonly SortedDictionary<LocalDate, int> _monthlyMinutes = new() { [agreed.Start] = agreed.MonthlyMinutes, [agreed.End ?? LocalDate.MaxIsoValue] = 0 };

    public string Name => name;

    public string Id => agreed.Id;

    public string Client => client;

    public string ClientId => agreed.Client;

    public string Cmo => cmo;

    public LocalDate Start => agreed.Start;

    public bool Retainer => agreed.Retainer;

    public TermRules? Term => term;

    /// <summary>Whether minutes beyond what is included wait for the client's consent.</summary>
    public bool AsksConsent => asksConsent;

    /// <summary>Whether it goes on until somebody ends it, and no chapter of the demo is about it yet.</summary>
    public bool IsFree { get; set; } = agreed.Retainer && agreed.End is null && term is null;

    /// <summary>As the last move left it.</summary>
    public EngagementState State { get; set; } = EngagementState.Active;

    /// <summary>When time alone ends it.</summary>
    public LocalDate? TimeEndsItOn { get; set; } = term is null or { Renewal: TermRules.Types.Renewal.None } ? agreed.End : null;

    /// <summary>Further terms that were signed.</summary>
    public int Renewals { get; set; }

    /// <summary>What is agreed for a month; 0 on days on which nobody works.</summary>
    public int MonthlyMinutesOn(LocalDate date) => _monthlyMinutes.LastOrDefault(m => m.Key <= date).Value;

    public bool IsActiveOn(LocalDate date) => MonthlyMinutesOn(LocalDate.Max(date, Start)) > 0;

    /// <summary>Changes what is agreed from a date on, whatever was agreed for later.</summary>
    public void From(LocalDate date, int monthlyMinutes)
    {
        foreach (var later in _monthlyMinutes.Keys.Where(d => d >= date).ToList())
        {
            _monthlyMinutes.Remove(later);
        }

        _monthlyMinutes[date] = monthlyMinutes;
    }
}

/// <summary>What the chapters of the demo share: the API, the agency and its today, who works for whom, and what happened so far.</summary>
internal sealed class DemoStage(AgencyPlatformClient platform, Roster roster, string agency, LocalDate start, bool year, CancellationToken cancellation)
{
    /// <summary>From so much a month on, two of a client's three decision makers sign.</summary>
    public const long TwoSignFromCents = 6_000_00;

    /// <summary>The region whose holidays a year has.</summary>
    public const string HolidayRegion = "us";

    /// <summary>Federal holidays of the United States on days from Monday to Thursday.</summary>
    private static readonly LocalDate[] s_holidays =
    [
        new(2026, 1, 1), new(2026, 1, 19), new(2026, 2, 16), new(2026, 5, 25), new(2026, 9, 7), new(2026, 10, 12), new(2026, 11, 11), new(2026, 11, 26),
        new(2027, 1, 18), new(2027, 2, 15), new(2027, 5, 31), new(2027, 7, 5), new(2027, 9, 6), new(2027, 10, 11), new(2027, 11, 11), new(2027, 11, 25),
    ];

    private readonly Dictionary<DemoEvent, int> _life = [];

    public AgencyPlatformClient Platform => platform;

    public Roster Roster => roster;

    public string Agency => agency;

    public CancellationToken Cancellation => cancellation;

    /// <summary>Whether a year is lived, with holidays and a price rise.</summary>
    public bool IsYear => year;

    /// <summary>Days on which no CMO works.</summary>
    public IReadOnlyCollection<LocalDate> Holidays { get; } = year ? s_holidays.ToHashSet() : [];

    /// <summary>The first Monday.</summary>
    public LocalDate Start { get; } = start;

    public LocalDate Today { get; set; } = start;

    /// <summary>The last day of the months whose books are closed; null: none yet.</summary>
    public LocalDate? ClosedThrough { get; set; }

    /// <summary>Mondays since the first.</summary>
    public int Week => Period.DaysBetween(Start, Today) / 7;

    public List<DemoWork> Work { get; } = [];

    public List<DemoCover> Covers { get; } = [];

    public List<(string Cmo, LocalDate From, LocalDate To)> Away { get; } = [];

    /// <summary>CMOs whose capacity a chapter measures: no other one touches them.</summary>
    public HashSet<string> Measured { get; } = new(StringComparer.Ordinal);

    /// <summary>Weeks that time off has left with more promised than there is.</summary>
    public HashSet<(string Cmo, LocalDate Monday)> KnownExcess { get; } = [];

    public List<DemoRefusal> Refusals { get; } = [];

    public IReadOnlyDictionary<DemoEvent, int> Life => _life;

    public void Count(DemoEvent what, int times = 1) => _life[what] = _life.GetValueOrDefault(what) + times;

    public string ClientName(string id) => $"{agency}/clientCompanies/{id}";

    public string CmoName(string id) => $"{agency}/cmos/{id}";

    public string EngagementName(string id) => $"{agency}/engagements/{id}";

    /// <summary>The one legal entity: it sells, and it pays.</summary>
    public string LegalEntity => $"{agency}/legalEntities/us";

    /// <summary>The first day of the month after this one.</summary>
    public LocalDate NextMonth => new LocalDate(Today.Year, Today.Month, 1).PlusMonths(1);

    /// <summary>Engagements that work today and go on, in order of id; no chapter is about them yet.</summary>
    public IEnumerable<DemoWork> Free() => Work
        .Where(w => w.IsFree && w.Start <= Today && w.IsActiveOn(Today) && !Measured.Contains(w.Cmo)).OrderBy(w => w.Id, StringComparer.Ordinal).ToList();

    public bool IsAway(string cmo, LocalDate from, LocalDate to) => Away.Any(a => a.Cmo == cmo && a.From < to && from < a.To);

    /// <summary>Every third client has three decision makers and a rule; the others one, the CEO.</summary>
    public bool HasRule(string clientId) => roster.Clients.TakeWhile(c => c.Id != clientId).Count() % 3 == 0;

    public IReadOnlyList<string> DecisionMakers(string clientId) => HasRule(clientId) ? [$"{clientId}-ceo", $"{clientId}-cso", $"{clientId}-vp"] : [$"{clientId}-ceo"];

    public int SignaturesNeeded(string clientId, long monthlyCents) => HasRule(clientId) && monthlyCents >= TwoSignFromCents ? 2 : 1;

    /// <summary>A call that a rule may refuse: then the refusal is noted, and the answer is null.</summary>
    public async Task<T?> Try<T>(string what, Func<Task<T>> call) where T : class
    {
        try
        {
            return await call();
        }
        catch (ApiException e) when (e.StatusCode == StatusCode.FailedPrecondition)
        {
            Refusals.Add(new DemoRefusal(e.Reason, what, e.Status.Detail));
            return null;
        }
    }
}
