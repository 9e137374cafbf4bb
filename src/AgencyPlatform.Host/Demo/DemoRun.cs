using System.Globalization;
using AgencyPlatform.Client;
using AgencyPlatform.Domain;
using AgencyPlatform.Gateway;
using AgencyPlatform.Protocol.Agencies.V1;
using AgencyPlatform.Protocol.Capacity.V1;
using AgencyPlatform.Protocol.Clients.V1;
using AgencyPlatform.Protocol.Cmos.V1;
using AgencyPlatform.Protocol.Engagements.V1;
using AgencyPlatform.Protocol.Events.V1;
using AgencyPlatform.Storage;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using NodaTime;
using Date = Google.Type.Date;
using Money = AgencyPlatform.Protocol.Type.V1.Money;

namespace AgencyPlatform.Host.Demo;

/// <summary>
/// Months of an agency in a sandbox, through the public API on the real code: who is placed with whom, what clashes, what time does, what is worked and what is billed.
/// Only the hash chain is checked past the API: it is not part of it.
/// </summary>
internal sealed class DemoRun
{
    private static readonly LocalDate s_firstMonday = new(2026, 1, 5);

    private readonly AgencyPlatformClient _platform;
    private readonly CapacityService.CapacityServiceClient _capacity;
    private readonly EngagementsService.EngagementsServiceClient _engagements;
    private readonly CmosService.CmosServiceClient _cmos;
    private readonly ClientsService.ClientsServiceClient _clients;
    private readonly Roster _roster;
    private readonly DemoOptions _options;
    private readonly IJournalMaintenance _journal;
    private readonly string _agency;
    private readonly LocalDate _start;
    private readonly CancellationToken _cancellation;
    private readonly List<DemoRefusal> _refusals = [];
    private readonly Dictionary<string, string> _active = new(StringComparer.Ordinal);
    private readonly List<RosterEngagement> _unplaced = [];
    private readonly HashSet<(string Cmo, LocalDate Monday)> _knownExcess = [];
    private readonly List<(string What, bool Passed, string Detail)> _checks = [];
    private readonly Dictionary<string, DemoWork> _work = new(StringComparer.Ordinal);
    private readonly DemoBooks _books;
    private LocalDate _billedTo;
    private long _shortfall;

    private DemoRun(AgencyPlatformClient platform, Roster roster, DemoOptions options, IJournalMaintenance journal, string agency, LocalDate start, CancellationToken cancellation)
    {
        (_platform, _roster, _options, _journal, _agency, _start, _cancellation) = (platform, roster, options, journal, agency, start, cancellation);
        _capacity = platform.Capacity;
        _engagements = platform.Engagements;
        _cmos = platform.Cmos;
        _clients = platform.Clients;
        _books = new DemoBooks(platform, agency, cancellation);
        _billedTo = start;
    }

    private int Weeks => _options.Months * 13 / 3;

    /// <summary>Runs the demo; true when every check passed.</summary>
    public static async Task<bool> Run((Uri Grpc, Uri Http) at, IServiceProvider services, DemoOptions options, CancellationToken cancellation)
    {
        var roster = options.Roster is { } file ? ReadRoster(file, options.SkipBadRows) : InventedRoster.Of(options.Clients, options.Cmos, s_firstMonday);
        var earliest = roster.Engagements.Count > 0 ? roster.Engagements.Min(e => e.Start) : s_firstMonday;
        var start = earliest.DayOfWeek == IsoDayOfWeek.Monday ? earliest : earliest.Previous(IsoDayOfWeek.Monday);
        using var @operator = new AgencyPlatformClient(new() { Address = at.Grpc, ApiKey = GatewayOptions.DevelopmentOperatorKey });
        var (agency, key) = await CreateSandbox(@operator, start, cancellation);
        Console.WriteLine($"Sandbox {agency}, whose clock starts on {Text(start)}. Its admin's key: {key}");
        using var platform = new AgencyPlatformClient(new() { Address = at.Grpc, ApiKey = key });
        var run = new DemoRun(platform, roster, options, services.GetRequiredService<IJournalMaintenance>(), agency, start, cancellation);
        await run.Simulate();
        await run.Check();
        await run.Summarise(at.Http, key);
        return run._checks.All(c => c.Passed);
    }

    private static Roster ReadRoster(FileInfo file, bool skip)
    {
        if (!file.Exists)
        {
            throw new DemoException($"There is no file {file.FullName}.");
        }

        using var content = file.OpenRead();
        var (roster, errors) = RosterFile.Read(content);
        if (errors.Count == 0)
        {
            return roster;
        }

        var report = string.Concat(errors.Select(e => $"{Environment.NewLine}  {e}"));
        if (!skip || roster.Cmos.Count == 0 || roster.Clients.Count == 0)
        {
            throw new DemoException($"{file.Name} has {errors.Count} wrong {(errors.Count == 1 ? "cell" : "cells")}; nothing was imported (--skip-bad-rows takes the good rows):{report}");
        }

        Console.WriteLine($"Rows of {file.Name} that are skipped:{report}");
        return roster;
    }

    private static async Task<(string Agency, string Key)> CreateSandbox(AgencyPlatformClient @operator, LocalDate start, CancellationToken cancellation)
    {
        for (var n = 1; ; n++)
        {
            var id = n == 1 ? "demo" : $"demo-{n}";
            try
            {
                var entity = new LegalEntity { Name = "us", LegalName = "Northbound Marketing LLC", Country = "US", TimeZone = "America/New_York", Currency = "USD" };
                await @operator.Agencies.CreateAgencyAsync(
                    new CreateAgencyRequest
                    {
                        AgencyId = id,
                        Agency = new Protocol.Agencies.V1.Agency { DisplayName = "Northbound Marketing", TimeZone = "America/New_York", DefaultCurrency = "USD", CoolingOffDays = 30 },
                        LegalEntities = { entity },
                        Sandbox = true,
                        SandboxStartTime = Midday(start),
                    },
                    cancellationToken: cancellation);
            }
            catch (ApiException e) when (e.StatusCode == StatusCode.AlreadyExists)
            {
                continue;
            }

            var key = await @operator.Agencies.CreateApiKeyAsync(
                new CreateApiKeyRequest
                {
                    Parent = $"agencies/{id}",
                    ApiKeyId = "admin",
                    ApiKey = new Protocol.Agencies.V1.ApiKey { DisplayName = "Demo", Roles = { Role.AgencyAdmin } },
                },
                cancellationToken: cancellation);
            return ($"agencies/{id}", key.Key);
        }
    }

    private async Task Simulate()
    {
        await Each(_roster.Cmos, async cmo => await _cmos.CreateCmoAsync(
            new CreateCmoRequest
            {
                Parent = _agency,
                CmoId = cmo.Id,
                Cmo = new Cmo
                {
                    DisplayName = cmo.Name,
                    Email = cmo.Email,
                    Role = "CMO",
                    TimeZone = "America/New_York",
                    MaxClients = 5,
                    WorkingPatterns =
                    {
                        new WorkingPattern
                        {
                            EffectiveDate = Wire(_start.PlusWeeks(-1)), MondayMinutes = cmo.WeekdayMinutes, TuesdayMinutes = cmo.WeekdayMinutes,
                            WednesdayMinutes = cmo.WeekdayMinutes, ThursdayMinutes = cmo.WeekdayMinutes,
                        },
                    },
                },
            },
            cancellationToken: _cancellation));
        await Each(_roster.Cmos, async cmo => await _cmos.SetCostRateAsync(
            new SetCostRateRequest
            {
                Name = $"{_agency}/cmos/{cmo.Id}",
                CostRate = new CostRate { EffectiveDate = Wire(_start), Hourly = Dollars(110_00) },
            },
            cancellationToken: _cancellation));
        await Each(_roster.Clients, async client =>
        {
            await _clients.CreateClientCompanyAsync(
                new CreateClientCompanyRequest { Parent = _agency, ClientCompanyId = client.Id, ClientCompany = new ClientCompany { DisplayName = client.Name, TimeZone = "America/New_York" } },
                cancellationToken: _cancellation);
            await _clients.PutStakeholderAsync(
                new PutStakeholderRequest
                {
                    Name = ClientName(client.Id),
                    Stakeholder = new Stakeholder { PersonId = $"{client.Id}-ceo", DisplayName = $"CEO of {client.Name}", Email = client.Email, Title = "CEO", DecisionMaker = true },
                },
                cancellationToken: _cancellation);
        });
        foreach (var client in _roster.Clients.Where(c => c.Competitor is not null))
        {
            await _clients.SetCompetitorsAsync(
                new SetCompetitorsRequest { Name = ClientName(client.Id), Competitors = { ClientName(client.Competitor!) } }, cancellationToken: _cancellation);
        }

        Console.WriteLine($"  {_roster.Cmos.Count} CMOs and {_roster.Clients.Count} client companies, {_roster.Clients.Count(c => c.Competitor is not null)} of them name a competitor");

        var waiting = _roster.Engagements.OrderBy(e => e.Start).ThenBy(e => e.Id, StringComparer.Ordinal).ToList();
        for (var week = 0; week < Weeks; week++)
        {
            var monday = _start.PlusWeeks(week);
            var soon = waiting.Where(e => e.Start <= monday.PlusWeeks(2)).ToList();
            waiting.RemoveAll(soon.Contains);
            var placed = 0;
            foreach (var engagement in soon)
            {
                placed += await Place(engagement) ? 1 : 0;
            }

            var note = week % 4 == 3 ? await TakeTimeOff(week, monday) : "";
            await _platform.Agencies.AdvanceClockAsync(new AdvanceClockRequest { Name = _agency, To = Midday(monday.PlusWeeks(1)) }, cancellationToken: _cancellation);
            var before = _books.WorkedMinutes;
            await _books.Work(monday, _work.Values);
            Console.WriteLine(
                $"  week of {Text(monday)}: {placed} engagements started, {_active.Count} active, {(_books.WorkedMinutes - before) / 60} h worked, {_refusals.Count} refusals so far{note}");
            if (monday.PlusWeeks(1).Month != monday.Month)
            {
                await Bill(new LocalDate(monday.PlusWeeks(1).Year, monday.PlusWeeks(1).Month, 1));
            }
        }
    }

    /// <summary>Bills every client to the first of a month: the month's fees, and the hours of the month before.</summary>
    private async Task Bill(LocalDate to)
    {
        var (count, billed) = (_books.Invoices.Count, await _books.Bill(to, _roster.Clients.Select(c => ClientName(c.Id))));
        Console.WriteLine($"  billed to {Text(to)}: {billed} invoices of {DemoBooks.Dollars(_books.Invoices.Skip(count).Sum(i => i.TotalAmount.MinorUnits))}");
        _billedTo = to;
    }

    /// <summary>A hold for the proposal, with the CMO who is asked first or another who fits; then proposal, signature, activation.</summary>
    private async Task<bool> Place(RosterEngagement e)
    {
        var booking = new Booking { ClientCompany = ClientName(e.Client) };
        booking.Steps.Add(Step(e));
        var hold = await Try($"{e.Client} with {e.Cmo}", () => Hold(e.Cmo, e.Id, booking));
        if (hold is null)
        {
            var found = await _capacity.FindCmosAsync(new FindCmosRequest { Parent = _agency, Booking = booking }, cancellationToken: _cancellation);
            if (found.Candidates.FirstOrDefault(c => c.Fits) is { } other)
            {
                hold = await Try($"{e.Client} with {Last(other.Cmo)}", () => Hold(Last(other.Cmo), e.Id, booking));
            }
        }

        if (hold is null)
        {
            _unplaced.Add(e);
            return false;
        }

        var cmo = hold.Name[..hold.Name.IndexOf("/bookings/", StringComparison.Ordinal)];
        var name = $"{_agency}/engagements/{e.Id}";
        var terms = new Terms { Seller = $"{_agency}/legalEntities/us", Currency = "USD", BillCycleDay = 1 };
        if (e.Retainer)
        {
            terms.Retainer = new RetainerTerms { Fee = Dollars(e.Amount), IncludedMinutes = e.MonthlyMinutes, OverageHourlyRate = Dollars(250_00), OverageGate = OverageGate.Bill };
        }
        else
        {
            terms.Hourly = new HourlyTerms { HourlyRate = Dollars(e.Amount) };
        }

        var draft = new Engagement
        {
            ClientCompany = ClientName(e.Client),
            Title = e.Title,
            ServiceType = e.Retainer ? ServiceType.FractionalCmo : ServiceType.Consultant,
            Lead = cmo,
            Members = { new Member { Cmo = cmo, Hold = hold.Name, CmoAgreementWaived = true } },
            Terms = { terms },
            StartDate = Wire(e.Start),
            EndDate = e.End is { } end ? Wire(end) : null,
        };
        await _engagements.CreateEngagementAsync(new CreateEngagementRequest { Parent = _agency, EngagementId = e.Id, Engagement = draft }, cancellationToken: _cancellation);
        var proposed = await _engagements.ProposeEngagementAsync(new ProposeEngagementRequest { Name = name }, cancellationToken: _cancellation);
        await _engagements.SignEngagementAsync(
            new SignEngagementRequest { Name = name, PersonId = $"{e.Client}-ceo", Revision = proposed.Revision }, cancellationToken: _cancellation);
        var activated = await Try($"start of {e.Id}", async () => await _engagements.ActivateEngagementAsync(new ActivateEngagementRequest { Name = name }, cancellationToken: _cancellation));
        if (activated is null)
        {
            _unplaced.Add(e);
            return false;
        }

        _active[name] = cmo;
        _work[name] = new DemoWork(name, cmo, e.MonthlyMinutes, e.Start, e.End);
        return true;
    }

    private async Task<Booking> Hold(string cmo, string id, Booking booking) => await _capacity.HoldBookingAsync(
        new HoldBookingRequest { Parent = $"{_agency}/cmos/{cmo}", BookingId = $"for-{id}", Booking = booking, Expiry = new Google.Protobuf.WellKnownTypes.Duration { Seconds = 14 * 86_400 } },
        cancellationToken: _cancellation);

    /// <summary>A fact: never refused, always reported.</summary>
    private async Task<string> TakeTimeOff(int week, LocalDate monday)
    {
        var cmo = _roster.Cmos[week % _roster.Cmos.Count];
        var name = $"{_agency}/cmos/{cmo.Id}";
        var change = await _cmos.AddTimeOffAsync(
            new AddTimeOffRequest
            {
                Name = name,
                TimeOff = new TimeOff { TimeOffId = $"off-{week}", StartDate = Wire(monday.PlusWeeks(2)), EndDate = Wire(monday.PlusWeeks(3)), Kind = TimeOff.Types.Kind.WholeDays },
            },
            cancellationToken: _cancellation);
        foreach (var infeasible in change.InfeasibleWeeks)
        {
            _knownExcess.Add((name, FromWire(infeasible.Monday)));
        }

        var missing = change.Shortfalls.Sum(s => s.Minutes);
        _shortfall += missing;
        return $"; {cmo.Id} takes a week off: {missing / 60} h of shortfall in {change.Shortfalls.Count} bookings";
    }

    private async Task<T?> Try<T>(string what, Func<Task<T>> call) where T : class
    {
        try
        {
            return await call();
        }
        catch (ApiException e) when (e.StatusCode == StatusCode.FailedPrecondition)
        {
            _refusals.Add(new DemoRefusal(e.Reason, what, e.Status.Detail));
            return null;
        }
    }

    private async Task Check()
    {
        Console.WriteLine("  checking");
        var (cursor, sequence, contiguous) = ("", 0L, true);
        while (true)
        {
            var page = await _platform.Events.ListEventsAsync(new ListEventsRequest { Parent = _agency, After = cursor, PageSize = 1000 }, cancellationToken: _cancellation);
            foreach (var e in page.Events)
            {
                contiguous &= e.Sequence == ++sequence;
            }

            cursor = page.NextCursor;
            if (page.EndOfFeed || page.Events.Count == 0)
            {
                break;
            }
        }

        _checks.Add(("the feed is contiguous from 1", contiguous && sequence > 0, $"{sequence} events"));
        var chain = await _journal.VerifyChain(new AgencyId(Last(_agency)), null, _cancellation);
        _checks.Add(("the hash chain is whole", chain.Breaks.IsEmpty && chain.Events == sequence, $"{chain.Events} events"));

        // Every active engagement has its one booking, and every booking of an engagement belongs to an active one.
        var owned = new List<(string Owner, string Cmo)>();
        var excess = new List<string>();
        foreach (var cmo in _roster.Cmos)
        {
            var name = $"{_agency}/cmos/{cmo.Id}";
            var token = "";
            do
            {
                var page = await _capacity.ListBookingsAsync(new ListBookingsRequest { Parent = name, PageSize = 1000, PageToken = token }, cancellationToken: _cancellation);
                owned.AddRange(page.Bookings.Where(b => b.Owner.Length > 0 && b.State == Booking.Types.State.Confirmed).Select(b => (b.Owner, name)));
                token = page.NextPageToken;
            }
            while (token.Length > 0);

            var weeks = await _capacity.GetAvailabilityAsync(new GetAvailabilityRequest { Name = name, StartDate = Wire(_start), Weeks = Weeks + 4 }, cancellationToken: _cancellation);
            excess.AddRange(weeks.Weeks.Where(w => w.ExcessMinutes > 0 && !_knownExcess.Contains((name, FromWire(w.Monday)))).Select(w => $"{cmo.Id} in the week of {Text(FromWire(w.Monday))} by {w.ExcessMinutes} min"));
        }

        var expected = _active.Select(a => (a.Key, a.Value)).Order().ToList();
        _checks.Add(("every active engagement stands booked once, and nothing else", owned.Order().SequenceEqual(expected), $"{owned.Count} bookings of {expected.Count} engagements"));
        _checks.Add(("no week is promised beyond its limit, but for time off reported", excess.Count == 0, excess.Count == 0 ? $"{_roster.Cmos.Count} CMOs, {Weeks + 4} weeks" : string.Join(", ", excess)));

        var states = 0;
        foreach (var name in _active.Keys)
        {
            states += (await _engagements.GetEngagementAsync(new GetEngagementRequest { Name = name }, cancellationToken: _cancellation)).State == EngagementState.Active ? 1 : 0;
        }

        _checks.Add(("what was started is active", states == _active.Count, $"{states} of {_active.Count}"));

        // A repeated call counts once, with whoever has a quarter of an hour left.
        foreach (var cmo in _roster.Cmos.Reverse())
        {
            if (await Twice($"{_agency}/cmos/{cmo.Id}"))
            {
                break;
            }
        }

        await foreach (var check in _books.Check(_billedTo, [.. _roster.Clients.Select(c => ClientName(c.Id))]))
        {
            _checks.Add(check);
        }
    }

    /// <summary>Sends one hold twice, compares the answers, and releases it; false when there is no room for it.</summary>
    private async Task<bool> Twice(string cmo)
    {
        var request = new HoldBookingRequest
        {
            Parent = cmo,
            Booking = new Booking
            {
                ClientCompany = ClientName(_roster.Clients[^1].Id),
                Steps = { new BookingStep { StartDate = Wire(_start.PlusWeeks(Weeks + 1)), EndDate = Wire(_start.PlusWeeks(Weeks + 2)), Flexible = new FlexibleForm { WeeklyMinutes = 15 } } },
            },
            RequestId = Guid.CreateVersion7(TimeProvider.System.GetUtcNow()).ToString(),
        };
        var first = await Try("a call sent twice", async () => await _capacity.HoldBookingAsync(request, cancellationToken: _cancellation));
        if (first is null)
        {
            return false;
        }

        var second = await _capacity.HoldBookingAsync(request, cancellationToken: _cancellation);
        _checks.Add(("a call sent twice counts once", first.Equals(second), Last(first.Name)));
        await _capacity.ReleaseBookingAsync(new ReleaseBookingRequest { Name = first.Name }, cancellationToken: _cancellation);
        return true;
    }

    private async Task Summarise(Uri http, string key)
    {
        var rows = new List<(string Name, IReadOnlyList<CapacityWeek> Weeks)>();
        foreach (var cmo in _roster.Cmos)
        {
            rows.Add((cmo.Name, (await _capacity.GetAvailabilityAsync(
                new GetAvailabilityRequest { Name = $"{_agency}/cmos/{cmo.Id}", StartDate = Wire(_start), Weeks = Weeks }, cancellationToken: _cancellation)).Weeks));
        }

        var all = await _capacity.GetUtilizationAsync(new GetUtilizationRequest { Name = _agency, StartDate = Wire(_start), Weeks = Weeks }, cancellationToken: _cancellation);
        rows.Add(("Agency", all.Weeks));
        DemoSummary.Print(
            new DemoResult(_agency, _start, Weeks, rows, _active.Count, _unplaced.Select(e => e.Id).ToList(), _refusals, _shortfall, _books, _checks), http, key);
    }

    private static BookingStep Step(RosterEngagement e) => new()
    {
        StartDate = Wire(e.Start),
        EndDate = e.End is { } end ? Wire(end) : null,
        PerPeriod = new PerPeriodForm { Minutes = e.MonthlyMinutes, BillCycleDay = 1, PeriodMonths = 1 },
    };

    private Task Each<T>(IReadOnlyList<T> items, Func<T, Task> call) => Parallel.ForEachAsync(
        items, new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = _cancellation }, async (item, _) => await call(item));

    private string ClientName(string id) => $"{_agency}/clientCompanies/{id}";

    private static string Last(string name) => name[(name.LastIndexOf('/') + 1)..];

    private static Money Dollars(long cents) => new() { MinorUnits = cents, Currency = "USD" };

    private static Date Wire(LocalDate date) => new() { Year = date.Year, Month = date.Month, Day = date.Day };

    private static LocalDate FromWire(Date date) => new(date.Year, date.Month, date.Day);

    private static Timestamp Midday(LocalDate date) => Timestamp.FromDateTimeOffset(date.At(new LocalTime(12, 0)).InUtc().ToDateTimeOffset());

    private static string Text(LocalDate date) => date.ToString("uuuu-MM-dd", CultureInfo.InvariantCulture);
}
