using System.Diagnostics;
using System.Globalization;
using AgencyPlatform.Client;
using AgencyPlatform.Domain;
using AgencyPlatform.Gateway;
using AgencyPlatform.Protocol.Agencies.V1;
using AgencyPlatform.Protocol.Capacity.V1;
using AgencyPlatform.Protocol.Clients.V1;
using AgencyPlatform.Protocol.Cmos.V1;
using AgencyPlatform.Protocol.Events.V1;
using AgencyPlatform.Protocol.Type.V1;
using AgencyPlatform.Storage;
using Grpc.Core;
using NodaTime;
using static AgencyPlatform.Host.Demo.DemoWire;

namespace AgencyPlatform.Host.Demo;

/// <summary>
/// Months of an agency in a sandbox, through the public API on the real code: who is placed with whom, what clashes, what becomes of it, what is worked and what is
/// billed. Only the hash chain is checked past the API: it is not part of it.
/// </summary>
internal sealed class DemoRun : IDisposable
{
    private static readonly LocalDate s_firstMonday = new(2026, 1, 5);
    private static readonly TimeSpan s_intoTheWeek = TimeSpan.FromMilliseconds(150);

    private readonly DemoStage _stage;
    private readonly DemoOptions _options;
    private readonly string _key;
    private readonly Func<CancellationToken, Task<TimeSpan>>? _kill;
    private readonly DemoPlacement _placement;
    private readonly DemoTime _time;
    private readonly DemoLife _life;
    private readonly DemoBooks _books;
    private readonly DemoMoney _money;
    private readonly HashSet<string> _charged = [];
    private readonly List<DemoCheck> _checks = [];
    private readonly List<TimeSpan> _outages = [];
    private readonly DemoMonths _months;
    private readonly DemoIntakes _intakes;
    private readonly DemoResults _results;

    private DemoRun(DemoStage stage, DemoOptions options, string key, Func<CancellationToken, Task<TimeSpan>>? kill)
    {
        (_stage, _options, _key, _kill) = (stage, options, key, kill);
        _placement = new DemoPlacement(stage);
        _time = new DemoTime(stage, Weeks);
        _life = new DemoLife(stage, _placement, _time);
        _books = new DemoBooks(stage);
        _money = new DemoMoney(stage, _books);
        _months = new DemoMonths(stage, _time, _money);
        _intakes = new DemoIntakes(stage);
        _results = new DemoResults(stage);
    }

    private int Weeks => _options.Months * 13 / 3;

    /// <summary>Lives through the time of an agency in a new sandbox.</summary>
    /// <param name="kill">Kills the server and starts it again; null: it cannot be.</param>
    public static async Task<DemoRun> Live((Uri Grpc, Uri Http) at, Func<CancellationToken, Task<TimeSpan>>? kill, DemoOptions options, CancellationToken cancellation)
    {
        var roster = options.Roster is { } file ? ReadRoster(file, options.SkipBadRows)
            : options.Year ? InventedRoster.Year(options.Clients, options.Cmos, s_firstMonday, options.Months, options.Seed)
            : InventedRoster.Of(options.Clients, options.Cmos, s_firstMonday);
        var earliest = roster.Engagements.Count > 0 ? roster.Engagements.Min(e => e.Start) : s_firstMonday;
        var start = earliest.DayOfWeek == IsoDayOfWeek.Monday ? earliest : earliest.Previous(IsoDayOfWeek.Monday);
        using var @operator = new AgencyPlatformClient(new() { Address = at.Grpc, ApiKey = GatewayOptions.DevelopmentOperatorKey });
        var (agency, key) = await CreateSandbox(@operator, start, cancellation);
        Console.WriteLine($"Sandbox {agency}, whose clock starts on {Text(start)}. Its admin's key: {key}");
        if (options.Pace > 0)
        {
            Console.WriteLine($"Watch it on the dashboard with this key: {at.Http}");
        }

        // Where the server is killed, calls are repeated until it is there again: each counts once.
        var platform = new AgencyPlatformClient(new() { Address = at.Grpc, ApiKey = key, Retries = kill is null ? 5 : 30 });
        var run = new DemoRun(new DemoStage(platform, roster, agency, start, options.Year, cancellation), options, key, kill);
        await run.SetUp();
        await run.Simulate();
        return run;
    }

    /// <summary>Checks what came of it, and tells; true when every check passed.</summary>
    public async Task<bool> End(Uri http, IJournalMaintenance journal)
    {
        await Check(journal);
        await Summarise(http);
        return _checks.All(c => c.Passed);
    }

    public void Dispose() => _stage.Platform.Dispose();

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
                var entity = new LegalEntity
                {
                    Name = "us",
                    LegalName = "Northbound Marketing LLC",
                    Country = "US",
                    TimeZone = "America/New_York",
                    Currency = "USD",
                    PostalAddress = new PostalAddress { Street = "1 Pier Street", City = "New York", PostCode = "10004", Subdivision = "NY" },
                    TaxId = "12-3456789",
                    Contact = new ContactPoint { Department = "Accounts receivable", Email = "billing@northbound.example" },
                    BankAccount = new BankAccount { AccountNumber = "021000021 123456789", BankName = "Example Bank" },
                };
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

    private async Task SetUp()
    {
        var (platform, cancellation) = (_stage.Platform, _stage.Cancellation);
        if (_stage.Holidays.Count > 0)
        {
            await platform.Agencies.SetHolidayCalendarAsync(
                new SetHolidayCalendarRequest { Name = $"{_stage.Agency}/holidayCalendars/{DemoStage.HolidayRegion}", Days = { _stage.Holidays.Order().Select(Wire) } }, cancellationToken: cancellation);
        }

        await Each([.. _stage.Roster.Cmos.Index()], async item => await platform.Cmos.CreateCmoAsync(
            new CreateCmoRequest
            {
                Parent = _stage.Agency,
                CmoId = item.Item.Id,
                Cmo = new Cmo
                {
                    DisplayName = item.Item.Name,
                    Email = item.Item.Email,
                    Role = "CMO",
                    TimeZone = "America/New_York",
                    MaxClients = 5,
                    Expertise = _stage.IsYear ? DemoIntakes.ExpertiseOf(item.Index) : null,
                    HolidayRegions = { _stage.IsYear ? [new HolidayRegion { EffectiveDate = Wire(_stage.Start.PlusWeeks(-1)), Region = DemoStage.HolidayRegion }] : [] },
                    WorkingPatterns =
                    {
                        new WorkingPattern
                        {
                            EffectiveDate = Wire(_stage.Start.PlusWeeks(-1)), MondayMinutes = item.Item.WeekdayMinutes, TuesdayMinutes = item.Item.WeekdayMinutes,
                            WednesdayMinutes = item.Item.WeekdayMinutes, ThursdayMinutes = item.Item.WeekdayMinutes,
                        },
                    },
                },
            },
            cancellationToken: cancellation));
        await Each(_stage.Roster.Cmos, async cmo => await platform.Cmos.SetCostRateAsync(
            new SetCostRateRequest { Name = _stage.CmoName(cmo.Id), CostRate = new CostRate { EffectiveDate = Wire(_stage.Start), Hourly = Usd(110_00) } }, cancellationToken: cancellation));
        await Each(_stage.Roster.Clients, async client =>
        {
            await platform.Clients.CreateClientCompanyAsync(
                new CreateClientCompanyRequest
                {
                    Parent = _stage.Agency,
                    ClientCompanyId = client.Id,
                    ClientCompany = new ClientCompany
                    {
                        DisplayName = client.Name,
                        TimeZone = "America/New_York",
                        Billing = new BillingDetails
                        {
                            Country = "US",
                            PaymentTermDays = DemoMoney.TermDays,
                            PostalAddress = new PostalAddress { Street = "5 Main Street", City = "Boston", PostCode = "02101", Subdivision = "MA" },
                        },
                    },
                },
                cancellationToken: cancellation);
            foreach (var (person, title) in _stage.DecisionMakers(client.Id).Zip(["CEO", "CSO", "VP"]))
            {
                await platform.Clients.PutStakeholderAsync(
                    new PutStakeholderRequest
                    {
                        Name = _stage.ClientName(client.Id),
                        Stakeholder = new Stakeholder
                        {
                            PersonId = person,
                            DisplayName = $"{title} of {client.Name}",
                            Email = title == "CEO" ? client.Email : "",
                            Title = title,
                            DecisionMaker = true,
                        },
                    },
                    cancellationToken: cancellation);
            }

            if (_stage.HasRule(client.Id))
            {
                var rule = new SignOffRule { Subject = SignOffSubject.Proposal, Currency = "USD" };
                rule.Bands.Add(new SignOffBand { BelowMinorUnits = DemoStage.TwoSignFromCents, Needed = 1 });
                rule.Bands.Add(new SignOffBand { Needed = 2 });
                await platform.Clients.SetSignOffRulesAsync(new SetSignOffRulesRequest { Name = _stage.ClientName(client.Id), Rules = { rule } }, cancellationToken: cancellation);
            }
        });
        var competing = _stage.Roster.Clients.Where(c => c.Competitor is not null).ToList();
        foreach (var client in competing)
        {
            await platform.Clients.SetCompetitorsAsync(
                new SetCompetitorsRequest { Name = _stage.ClientName(client.Id), Competitors = { _stage.ClientName(client.Competitor!) } }, cancellationToken: cancellation);
        }

        Console.WriteLine(
            $"  {_stage.Roster.Cmos.Count} CMOs and {_stage.Roster.Clients.Count} client companies; {competing.Count} of them name a competitor, "
            + $"{_stage.Roster.Clients.Count(c => _stage.HasRule(c.Id))} have two of three decision makers sign from {Dollars(DemoStage.TwoSignFromCents)} a month on");
    }

    private async Task Simulate()
    {
        var waiting = _stage.Roster.Engagements.OrderBy(e => e.Start).ThenBy(e => e.Id, StringComparer.Ordinal).ToList();
        for (var week = 0; week < Weeks; week++)
        {
            var monday = _stage.Today;
            var began = Stopwatch.GetTimestamp();
            var killing = Kills(week) ? Kill() : Task.CompletedTask;
            var soon = waiting.Where(e => e.Start <= monday.PlusWeeks(2)).ToList();
            waiting.RemoveAll(soon.Contains);
            var placed = 0;
            foreach (var engagement in soon)
            {
                placed += await Place(engagement) ? 1 : 0;
            }

            var notes = new List<string>([.. _placement.Told(), .. await _life.Monday()]);
            _stage.Today = monday.PlusWeeks(1);
            await _stage.Platform.Agencies.AdvanceClockAsync(new AdvanceClockRequest { Name = _stage.Agency, To = Midday(_stage.Today) }, cancellationToken: _stage.Cancellation);
            var before = _time.WorkedMinutes;
            notes.AddRange(await _time.Work(monday));
            notes.AddRange(await _money.Monday());
            Console.WriteLine(
                $"  week of {Text(monday)}: {placed} engagements started, {_stage.Work.Count(w => w.IsActiveOn(monday))} active, {(_time.WorkedMinutes - before) / 60} h worked, {_stage.Refusals.Count} refusals so far");
            foreach (var note in notes)
            {
                Console.WriteLine($"      {note}");
            }

            var starting = _stage.Work.Count(w => w.Start <= _stage.Today && _charged.Add(w.Name));
            if (_stage.Today.Month != monday.Month)
            {
                await Bill(new LocalDate(_stage.Today.Year, _stage.Today.Month, 1));
            }
            else if (starting > 0)
            {
                // The fee of the rest of the month is charged now, not with the next one's.
                var first = await _books.Bill(_stage.Today);
                Console.WriteLine($"      {first.Count} first invoices of {Dollars(first.Sum(r => r.Total.MinorUnits))}");
            }

            await killing;
            if (TimeSpan.FromSeconds(_options.Pace) - Stopwatch.GetElapsedTime(began) is { Ticks: > 0 } rest)
            {
                await Task.Delay(rest, TimeProvider.System, _stage.Cancellation);
            }
        }
    }

    /// <summary>In a year from the intake on, with who fits best asked first.</summary>
    private async Task<bool> Place(RosterEngagement engagement)
    {
        if (!_stage.IsYear)
        {
            return await _placement.Place(engagement);
        }

        var matched = await _intakes.Match(engagement);
        if (!await _placement.Place(matched))
        {
            return false;
        }

        await _intakes.Placed(matched, _stage.Work[^1].Cmo);
        return true;
    }

    /// <summary>Whether the server is killed in a week: as often as asked, evenly over the time.</summary>
    private bool Kills(int week) => _kill is not null && Enumerable.Range(1, _options.Kills).Any(k => k * Weeks / (_options.Kills + 1) == week);

    /// <summary>In the middle of what a week does.</summary>
    private async Task Kill()
    {
        await Task.Delay(s_intoTheWeek, TimeProvider.System, _stage.Cancellation);
        var outage = await _kill!(_stage.Cancellation);
        _outages.Add(outage);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"      the server is killed in the middle of it, and serves again after {outage.TotalSeconds:0.0} s"));
    }

    /// <summary>A month's end: clients are asked about what is beyond their hours, then billed; CMOs are paid, and the month before is closed.</summary>
    private async Task Bill(LocalDate to)
    {
        if (await _time.AskConsent(to) is { } consents)
        {
            Console.WriteLine($"      {consents}");
        }

        var billed = await _books.Bill(to);
        Console.WriteLine($"  billed to {Text(to)}: {billed.Count} invoices of {Dollars(billed.Sum(r => r.Total.MinorUnits))}");
        foreach (var note in await _money.MonthEnd(to, billed))
        {
            Console.WriteLine($"      {note}");
        }

        if (await _results.MonthEnd(to.PlusMonths(-1)) is { } results)
        {
            Console.WriteLine($"      {results}");
        }

        Console.WriteLine($"  {await _months.Close(to, billed)}");
    }

    private async Task Check(IJournalMaintenance journal)
    {
        Console.WriteLine("  checking");
        _checks.AddRange(await _life.Check());
        await CheckBookings();
        await CheckTwice();
        _checks.AddRange(await _books.Check());
        _checks.AddRange(await _money.Check());
        _checks.AddRange(_intakes.Check());
        _checks.AddRange(await _results.Check());

        await CheckFeed(journal);
    }

    private async Task CheckFeed(IJournalMaintenance journal)
    {
        var (cursor, sequence, contiguous) = ("", 0L, true);
        while (true)
        {
            var page = await _stage.Platform.Events.ListEventsAsync(
                new ListEventsRequest { Parent = _stage.Agency, After = cursor, PageSize = 1000 }, cancellationToken: _stage.Cancellation);
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

        _checks.Add(new("the feed is contiguous from 1", contiguous && sequence > 0, $"{sequence} events"));
        var chain = await journal.VerifyChain(new AgencyId(Last(_stage.Agency)), null, _stage.Cancellation);
        _checks.Add(new("the hash chain is whole", chain.Breaks.IsEmpty && chain.Events == sequence, $"{chain.Events} events"));
    }

    /// <summary>Every engagement has its one booking, every cover too, and every booking of an engagement belongs to one.</summary>
    private async Task CheckBookings()
    {
        var owned = new List<(string Owner, string Cmo)>();
        var excess = new List<string>();
        foreach (var cmo in _stage.Roster.Cmos)
        {
            var name = _stage.CmoName(cmo.Id);
            var token = "";
            do
            {
                var page = await _stage.Platform.Capacity.ListBookingsAsync(
                    new ListBookingsRequest { Parent = name, PageSize = 1000, PageToken = token }, cancellationToken: _stage.Cancellation);
                owned.AddRange(page.Bookings.Where(b => b.Owner.Length > 0 && b.State == Booking.Types.State.Confirmed).Select(b => (b.Owner, name)));
                token = page.NextPageToken;
            }
            while (token.Length > 0);

            var weeks = await _stage.Platform.Capacity.GetAvailabilityAsync(
                new GetAvailabilityRequest { Name = name, StartDate = Wire(_stage.Start), Weeks = Weeks + 4 }, cancellationToken: _stage.Cancellation);
            excess.AddRange(weeks.Weeks.Where(w => w.ExcessMinutes > 0 && !_stage.KnownExcess.Contains((name, FromWire(w.Monday))))
                .Select(w => $"{cmo.Id} in the week of {Text(FromWire(w.Monday))} by {w.ExcessMinutes} min"));
        }

        var expected = _stage.Work.Select(w => (w.Name, w.Cmo)).Concat(_stage.Covers.Select(c => (c.Engagement, c.Cmo))).Order().ToList();
        _checks.Add(new(
            "every engagement and cover stands booked once, and nothing else", owned.Order().SequenceEqual(expected), $"{owned.Count} bookings of {_stage.Work.Count} engagements and {_stage.Covers.Count} covers"));
        _checks.Add(new(
            "no week is promised beyond its limit, but for time off reported", excess.Count == 0, excess.Count == 0 ? $"{_stage.Roster.Cmos.Count} CMOs, {Weeks + 4} weeks" : string.Join(", ", excess)));
    }

    /// <summary>A repeated call counts once: one hold is sent twice to whoever has a quarter of an hour left, and released.</summary>
    private async Task CheckTwice()
    {
        foreach (var cmo in _stage.Roster.Cmos.Reverse())
        {
            var request = new HoldBookingRequest
            {
                Parent = _stage.CmoName(cmo.Id),
                BookingId = "sent-twice",
                Booking = new Booking
                {
                    ClientCompany = _stage.ClientName(_stage.Roster.Clients[^1].Id),
                    Steps = { new BookingStep { StartDate = Wire(_stage.Start.PlusWeeks(Weeks + 1)), EndDate = Wire(_stage.Start.PlusWeeks(Weeks + 2)), Flexible = new FlexibleForm { WeeklyMinutes = 15 } } },
                },
                RequestId = Guid.CreateVersion7(TimeProvider.System.GetUtcNow()).ToString(),
            };
            var capacity = _stage.Platform.Capacity;
            if (await _stage.Try("a call sent twice", async () => await capacity.HoldBookingAsync(request, cancellationToken: _stage.Cancellation)) is not { } first)
            {
                continue;
            }

            var second = await capacity.HoldBookingAsync(request, cancellationToken: _stage.Cancellation);
            _checks.Add(new("a call sent twice counts once", first.Equals(second), Last(first.Name)));
            await capacity.ReleaseBookingAsync(new ReleaseBookingRequest { Name = first.Name }, cancellationToken: _stage.Cancellation);
            return;
        }
    }

    private async Task Summarise(Uri http)
    {
        var rows = new List<(string Name, IReadOnlyList<CapacityWeek> Weeks)>();
        foreach (var cmo in _stage.Roster.Cmos)
        {
            rows.Add((cmo.Name, (await _stage.Platform.Capacity.GetAvailabilityAsync(
                new GetAvailabilityRequest { Name = _stage.CmoName(cmo.Id), StartDate = Wire(_stage.Start), Weeks = Weeks }, cancellationToken: _stage.Cancellation)).Weeks));
        }

        var all = await _stage.Platform.Capacity.GetUtilizationAsync(new GetUtilizationRequest { Name = _stage.Agency, StartDate = Wire(_stage.Start), Weeks = Weeks }, cancellationToken: _stage.Cancellation);
        rows.Add(("Agency", all.Weeks));
        var due = await _life.Moves.Next(8);
        DemoSummary.Print(new DemoResult(_stage, Weeks, rows, _placement.Unplaced.Select(e => e.Id).ToList(), _life.LackingMinutes, _time, _books, due, _months.All, _outages, _checks), http, _key, await Keys());
    }

    /// <summary>A key of each role, to look at the agency with its eyes.</summary>
    private async Task<IReadOnlyList<(string Who, string Key)>> Keys()
    {
        var (cmo, client) = (_stage.Roster.Cmos[0], _stage.Roster.Clients[0]);
        return
        [
            ("the agency's admin", _key),
            ("its finance", await Key("finance", new ApiKey { Roles = { Role.Finance } })),
            (cmo.Name, await Key("cmo", new ApiKey { Roles = { Role.Cmo }, Cmo = _stage.CmoName(cmo.Id) })),
            (client.Name, await Key("client", new ApiKey { Roles = { Role.ClientApprover }, ClientCompany = $"{_stage.Agency}/clientCompanies/{client.Id}" })),
        ];

        async Task<string> Key(string id, ApiKey key)
        {
            key.DisplayName = $"To look at the demo as {id}";
            return (await _stage.Platform.Agencies.CreateApiKeyAsync(new CreateApiKeyRequest { Parent = _stage.Agency, ApiKeyId = id, ApiKey = key }, cancellationToken: _stage.Cancellation)).Key;
        }
    }

    private Task Each<T>(IReadOnlyList<T> items, Func<T, Task> call) => Parallel.ForEachAsync(
        items, new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = _stage.Cancellation }, async (item, _) => await call(item));
}
