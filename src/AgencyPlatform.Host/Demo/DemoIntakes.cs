using AgencyPlatform.Protocol.Cmos.V1;
using AgencyPlatform.Protocol.Matching.V1;
using NodaTime;
using static AgencyPlatform.Host.Demo.DemoWire;

namespace AgencyPlatform.Host.Demo;

/// <summary>Companies that ask for help, and who fits them: in a year every engagement begins with an intake.</summary>
internal sealed class DemoIntakes(DemoStage stage)
{
    private const int BudgetCentsAnHour = 320_00;
    private const int LongestMonths = 12;

    private static readonly string[] s_specialisms = ["demand-generation", "content", "brand", "product-marketing", "customer-success"];
    private static readonly GrowthStage[] s_stages = [GrowthStage.Startup, GrowthStage.Early, GrowthStage.Growth, GrowthStage.Scale, GrowthStage.Mature];

    private readonly List<string> _wrong = [];
    private int _asked;
    private int _first;

    /// <summary>What a CMO of the roster has led and can do.</summary>
    public static Expertise ExpertiseOf(int index) => new()
    {
        GrowthStages = { s_stages[index % s_stages.Length], s_stages[(index + 1) % s_stages.Length] },
        HeadcountFrom = 5,
        HeadcountTo = 100 * ((index % 5) + 1),
        Industries = { Industry(InventedRoster.Trades[index % InventedRoster.Trades.Count]), Industry(InventedRoster.Trades[(index + 3) % InventedRoster.Trades.Count]) },
        Specialisms = { s_specialisms[index % s_specialisms.Length], s_specialisms[(index + 2) % s_specialisms.Length] },
        YearsLeading = 4 + (index % 13),
        Languages = { "en" },
        HourlyRates = { Usd(200_00 + (index % 7 * 15_00)) },
    };

    /// <summary>Writes down what the client asks for, and asks who fits: the best of them is asked first.</summary>
    public async Task<RosterEngagement> Match(RosterEngagement e)
    {
        var number = _asked++;
        var client = stage.Roster.Clients.First(c => c.Id == e.Client);
        var intakes = stage.Platform.Intakes;
        var intake = await intakes.CreateIntakeAsync(
            new CreateIntakeRequest
            {
                Parent = stage.Agency,
                IntakeId = $"for-{e.Id}",
                Intake = new Intake
                {
                    CompanyName = client.Name,
                    Industry = Industry(client.Name[(client.Name.LastIndexOf(' ') + 1)..]),
                    TimeZone = "America/New_York",
                    GrowthStage = s_stages[number % s_stages.Length],
                    Headcount = 20 + (number * 37 % 400),
                    CeoWeeklyMinutes = 60 * (number % 12),
                    Reasons = { "Growth has slowed down." },
                    Goals = { "A predictable pipeline." },
                    Tried = "An agency for ads, and the founder in the evenings.",
                    MonthlyBudget = Usd(e.MonthlyMinutes / 60L * BudgetCentsAnHour),
                    MonthlyMinutes = e.MonthlyMinutes,
                    StartDate = Wire(LocalDate.Max(e.Start, stage.Today)),
                    Months = e.End is { } end ? Math.Clamp(Period.Between(e.Start, end, PeriodUnits.Months).Months, 1, LongestMonths) : LongestMonths,
                    Specialisms = { s_specialisms[number % s_specialisms.Length] },
                    ClientCompany = stage.ClientName(e.Client),
                },
            },
            cancellationToken: stage.Cancellation);
        stage.Count(DemoEvent.Asked);
        var found = await stage.Platform.Matching.FindMatchesAsync(new FindMatchesRequest { Name = intake.Name, MaxMatches = 200 }, cancellationToken: stage.Cancellation);
        if (found.Matches.Any(m => m.Score != m.Reasons.Sum(r => r.Points)))
        {
            _wrong.Add($"{e.Id}: the reasons do not sum to the score");
        }

        if (found.AskedCount != stage.Roster.Cmos.Count || found.AskedCount != found.MatchCount + found.Removed.Sum(r => r.Count) || found.MatchCount != found.Matches.Count)
        {
            _wrong.Add($"{e.Id}: {found.MatchCount} of {found.AskedCount} match");
        }

        return found.Matches is [var best, ..] ? e with { Cmo = Last(best.Cmo) } : e;
    }

    /// <summary>What became of it: the intake is closed where somebody was placed.</summary>
    public async Task Placed(RosterEngagement e, string cmo)
    {
        _first += cmo == stage.CmoName(e.Cmo) ? 1 : 0;
        stage.Count(DemoEvent.Matched);
        await stage.Platform.Intakes.CloseIntakeAsync(
            new CloseIntakeRequest { Name = $"{stage.Agency}/intakes/for-{e.Id}", Reason = $"Placed: {e.Id}." }, cancellationToken: stage.Cancellation);
    }

    public IEnumerable<DemoCheck> Check() => !stage.IsYear ? [] :
    [
        new("every match is explained to the point, and everybody else is told why not", _wrong.Count == 0,
            _wrong.Count == 0 ? $"{_asked} intakes, {_first} with who fits best" : string.Join(", ", _wrong)),
    ];

    private static string Industry(string trade) => trade.ToLowerInvariant();
}
