using AgencyPlatform.Benchmarks.Reporting;
using AgencyPlatform.Benchmarks.Servers;
using AgencyPlatform.Client;
using AgencyPlatform.Protocol.Agencies.V1;
using AgencyPlatform.Protocol.Billing.V1;
using AgencyPlatform.Protocol.Capacity.V1;
using AgencyPlatform.Protocol.Clients.V1;
using AgencyPlatform.Protocol.Cmos.V1;
using AgencyPlatform.Protocol.Engagements.V1;
using AgencyPlatform.Protocol.Time.V1;
using NodaTime;
using Date = Google.Type.Date;
using Money = AgencyPlatform.Protocol.Type.V1.Money;

namespace AgencyPlatform.Benchmarks.Billing;

/// <param name="Clients">Client companies.</param>
/// <param name="Engagements">Of each client, by the hour.</param>
/// <param name="Entries">Approved entries of each engagement, 30 minutes each, on as many weekdays.</param>
internal sealed record BilledSize(int Clients, int Engagements, int Entries)
{
    public int AllEngagements => Clients * Engagements;

    public int AllEntries => AllEngagements * Entries;
}

/// <summary>
/// An agency with approved time to bill, made through the public API, and what its invoices must come to, worked out apart from the platform: minutes × rate ÷ 60 of
/// each engagement and calendar month, rounded half up.
/// </summary>
internal sealed class BilledAgency(BilledSize size)
{
    private const int EngagementsOfCmo = 20;
    private const int MinutesOfEntry = 30;
    private const int AtOnce = 64;

    private readonly LocalDate[] _days = Weekdays(size.Entries);

    public string Name { get; private set; } = "";

    public string Key { get; private set; } = "";

    /// <summary>The day after the last month with time: to it all of the time is due.</summary>
    public LocalDate To => _days[^1].With(DateAdjusters.StartOfMonth).PlusMonths(1);

    public static string ClientId(int client) => $"client-{client:00000}";

    public static int Rate(int engagement) => 10_000 + (engagement % 97 * 131);

    /// <summary>Engagement and month with their minutes: what a line of an invoice is.</summary>
    public IEnumerable<(int Engagement, YearMonth Month, int Minutes)> Lines(int client) =>
        from e in Enumerable.Range(client * size.Engagements, size.Engagements)
        from month in _days.GroupBy(d => d.ToYearMonth())
        select (e, month.Key, month.Count() * MinutesOfEntry);

    /// <summary>Minor units of a client's invoice.</summary>
    public long Expected(int client) => Lines(client).Sum(l => (((2L * l.Minutes * Rate(l.Engagement)) + 60) / 120));

    /// <summary>Makes it all, and says how far it is.</summary>
    public async Task Make(Uri address, CancellationToken cancellation)
    {
        using (var platform = new AgencyPlatformClient(new() { Address = address, ApiKey = ServerProcess.OperatorKey, Retries = 20 }))
        {
            var agency = await platform.Agencies.CreateAgencyAsync(
                new CreateAgencyRequest
                {
                    AgencyId = "billed",
                    Agency = new Agency { DisplayName = "Billed", TimeZone = "Etc/UTC", DefaultCurrency = "USD" },
                    LegalEntities = { new LegalEntity { Name = "main", LegalName = "Billed LLC", Country = "US", TimeZone = "Etc/UTC", Currency = "USD", AddressLines = { "1 Pier Street" } } },
                },
                cancellationToken: cancellation);
            Name = agency.Name;
            Key = (await platform.Agencies.CreateApiKeyAsync(
                new CreateApiKeyRequest { Parent = Name, ApiKey = new ApiKey { DisplayName = "admin", Roles = { Role.AgencyAdmin } } }, cancellationToken: cancellation)).Key;
        }

        using var admin = Admin(address);
        await Each(size.Clients, "client companies", client => Client(admin, client, cancellation), cancellation);
        await Each(Cmos, "CMOs", cmo => Cmo(admin, cmo, cancellation), cancellation);
        await Each(size.AllEngagements, "engagements", engagement => Engagement(admin, engagement, cancellation), cancellation);
        await Each(Cmos, "CMOs' time", cmo => Time(admin, cmo, cancellation), cancellation);
    }

    public AgencyPlatformClient Admin(Uri address) => new(new() { Address = address, ApiKey = Key, Retries = 50 });

    private int Cmos => (size.AllEngagements + EngagementsOfCmo - 1) / EngagementsOfCmo;

    // An engagement's CMO has no other of the same client, so that each is of twenty clients.
    private int CmoOf(int engagement) => engagement % Cmos;

    private static async Task Each(int count, string what, Func<int, Task> make, CancellationToken cancellation)
    {
        var (done, said) = (0, 0);
        await Parallel.ForEachAsync(Enumerable.Range(0, count), new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellation }, async (i, _) =>
        {
            await make(i);
            var now = Interlocked.Increment(ref done);
            if (now * 4L / count > Volatile.Read(ref said))
            {
                Interlocked.Increment(ref said);
                Figures.Say($"  {now:N0} of {count:N0} {what}");
            }
        });
    }

    private async Task Client(AgencyPlatformClient admin, int client, CancellationToken cancellation)
    {
        var made = await admin.Clients.CreateClientCompanyAsync(
            new CreateClientCompanyRequest
            {
                Parent = Name,
                ClientCompanyId = ClientId(client),
                ClientCompany = new ClientCompany { DisplayName = $"Client {client}", TimeZone = "Etc/UTC", Billing = new BillingDetails { Country = "US", PaymentTermDays = 30 } },
            },
            cancellationToken: cancellation);
        await admin.Clients.PutStakeholderAsync(
            new PutStakeholderRequest { Name = made.Name, Stakeholder = new Stakeholder { PersonId = $"ceo-{client}", DisplayName = "Chief", DecisionMaker = true } }, cancellationToken: cancellation);
    }

    private async Task Cmo(AgencyPlatformClient admin, int cmo, CancellationToken cancellation) => await admin.Cmos.CreateCmoAsync(
        new CreateCmoRequest
        {
            Parent = Name,
            CmoId = $"cmo-{cmo}",
            Cmo = new Cmo
            {
                DisplayName = $"CMO {cmo}",
                TimeZone = "Etc/UTC",
                MaxClients = 100,
                WorkingPatterns =
                {
                    new WorkingPattern { EffectiveDate = Wire(_days[0].With(DateAdjusters.PreviousOrSame(IsoDayOfWeek.Monday))), MondayMinutes = 720, TuesdayMinutes = 720, WednesdayMinutes = 720, ThursdayMinutes = 720, FridayMinutes = 720 },
                },
            },
        },
        cancellationToken: cancellation);

    private async Task Engagement(AgencyPlatformClient admin, int engagement, CancellationToken cancellation)
    {
        var client = engagement / size.Engagements;
        var cmo = $"{Name}/cmos/cmo-{CmoOf(engagement)}";
        var name = (await admin.Engagements.CreateEngagementAsync(
            new CreateEngagementRequest
            {
                Parent = Name,
                EngagementId = $"e-{engagement}",
                Engagement = new Engagement
                {
                    ClientCompany = $"{Name}/clientCompanies/{ClientId(client)}",
                    Title = $"Engagement {engagement}",
                    ServiceType = ServiceType.FractionalCmo,
                    Lead = cmo,
                    StartDate = Wire(_days[0]),
                    Members = { new Member { Cmo = cmo, CmoAgreementWaived = true, Steps = { new BookingStep { StartDate = Wire(_days[0]), Flexible = new FlexibleForm { WeeklyMinutes = 150 } } } } },
                    Terms =
                    {
                        new Terms
                        {
                            Seller = $"{Name}/legalEntities/main", Currency = "USD", BillCycleDay = 1,
                            Hourly = new HourlyTerms { HourlyRate = new Money { MinorUnits = Rate(engagement), Currency = "USD" } },
                        },
                    },
                },
            },
            cancellationToken: cancellation)).Name;
        await admin.Engagements.ProposeEngagementAsync(new ProposeEngagementRequest { Name = name }, cancellationToken: cancellation);
        await admin.Engagements.SignEngagementAsync(new SignEngagementRequest { Name = name, PersonId = $"ceo-{client}" }, cancellationToken: cancellation);
        await admin.Engagements.ActivateEngagementAsync(new ActivateEngagementRequest { Name = name }, cancellationToken: cancellation);
    }

    private async Task Time(AgencyPlatformClient admin, int cmo, CancellationToken cancellation)
    {
        var own = Enumerable.Range(0, size.AllEngagements).Where(e => CmoOf(e) == cmo).ToList();
        foreach (var week in _days.GroupBy(d => d.With(DateAdjusters.PreviousOrSame(IsoDayOfWeek.Monday))))
        {
            var sheet = $"{Name}/cmos/cmo-{cmo}/timesheets/{NodaTime.Calendars.WeekYearRules.Iso.GetWeekYear(week.Key):0000}-w{NodaTime.Calendars.WeekYearRules.Iso.GetWeekOfWeekYear(week.Key):00}";
            foreach (var rows in week.SelectMany(day => own.Select(e => (day, e))).Chunk(100))
            {
                await admin.Time.LogTimeAsync(
                    new LogTimeRequest
                    {
                        Name = sheet,
                        Entries =
                        {
                            rows.Select(r => new TimeEntry { EntryId = $"e{r.e}-{r.day:MMdd}", Engagement = $"{Name}/engagements/e-{r.e}", Date = Wire(r.day), Minutes = MinutesOfEntry }),
                        },
                    },
                    cancellationToken: cancellation);
            }

            await admin.Time.SubmitTimesheetAsync(new SubmitTimesheetRequest { Name = sheet }, cancellationToken: cancellation);
            var approved = await admin.Time.ApproveEntriesAsync(new ApproveEntriesRequest { Name = sheet }, cancellationToken: cancellation);
            if (approved.Results.FirstOrDefault(r => !r.Approved) is { } refused)
            {
                throw new BenchmarkException($"{sheet}: {refused.EntryId} was not approved: {refused.Message}");
            }
        }
    }

    /// <summary>So many weekdays, the last of them some days ago.</summary>
    private static LocalDate[] Weekdays(int count)
    {
        var today = Instant.FromDateTimeOffset(TimeProvider.System.GetUtcNow()).InUtc().Date;
        return [.. Enumerable.Range(2, count * 2 + 7).Select(i => today.PlusDays(-i)).Where(d => d.DayOfWeek < IsoDayOfWeek.Saturday).Take(count).Reverse()];
    }

    private static Date Wire(LocalDate date) => new() { Year = date.Year, Month = date.Month, Day = date.Day };
}
