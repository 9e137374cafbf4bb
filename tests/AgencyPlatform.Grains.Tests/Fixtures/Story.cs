using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using AgencyPlatform.Contracts;
using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Billing;
using AgencyPlatform.Contracts.Clients;
using AgencyPlatform.Contracts.Cmos;
using AgencyPlatform.Contracts.Engagements;
using AgencyPlatform.Contracts.Time;
using AgencyPlatform.Domain;
using AgencyPlatform.Domain.Agencies;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Domain.Capacity;
using AgencyPlatform.Domain.Clients;
using AgencyPlatform.Domain.Cmos;
using AgencyPlatform.Domain.Engagements;
using AgencyPlatform.Domain.Time;
using NodaTime;

namespace AgencyPlatform.Grains.Tests.Fixtures;

/// <summary>
/// Some months of an agency, told through the grains, in which every event that exists happens at least once. The fixture journal is what it leaves.
/// A new event type gets a sentence here.
/// </summary>
internal sealed partial class Story(IGrainFactory grains)
{
    private static readonly AgencyId s_agency = new("harbor");
    private static readonly Currency s_dollars = new("USD");
    private static readonly LegalEntityId s_seller = new("harbor-us");
    private static readonly ImmutableSortedDictionary<string, string> s_none = ImmutableSortedDictionary<string, string>.Empty;
    private static readonly WeekdayMinutes s_fullTime = new(480, 480, 480, 480, 480, 0, 0);
    private static readonly (CmoId Ada, CmoId Bob, CmoId Cy) s_cmos = (new("ada"), new("bob"), new("cy"));
    private static readonly (ClientCompanyId Acme, ClientCompanyId Bolt) s_clients = (new("acme"), new("bolt"));
    private static readonly (PersonId Ceo, PersonId Board) s_deciders = (new("p-acme-ceo"), new("p-acme-board"));
    private static readonly DateRange s_year = new(new LocalDate(2026, 2, 2), new LocalDate(2027, 2, 1));

    private Instant _now = Instant.FromUtc(2026, 1, 5, 14, 0);
    private long _policy;
    private int _requests;

    private IAgencyGrain Agency => grains.Agency(s_agency);

    public async Task Tell()
    {
        await TheAgency();
        await TheClients();
        await TheCmos();
        await Bookings();
        await AnEngagementOfTwo();
        await ProposalsThatComeToNothing();
        await AnActivationThatIsRefused();
        await ARetainerThatRunsOver();
        await ARuleOfSignOff();
        await AProposalThatFreesItsHold();
        await ATermThatIsRenewedOnce();
        await AnEngagementThatChanges();
        await WorkedTime();
        await OverageWithConsent();
        await Corrections();
        await Invoices();
        await BillingRuns();
        await Payouts();
        await MilestonesAndBlocks();
        await BooksOfBefore();
        await AnEnd();
        await Waitlists();
        await Webhooks();
        await AnEngagementThatTapersOff();
        await Until(new LocalDate(2026, 4, 2));
        Ok(await grains.Of<IBooksGrain>(s_agency, s_seller.Value).Close(Next(), new CloseBooks(s_seller, new LocalDate(2026, 3, 31), true)));
    }

    private async Task TheAgency()
    {
        await grains.GetGrain<IAgencyListingGrain>($"{AgencyListing.Platform}/{s_agency}").List(new Call(AgencyListing.Platform, "operator"), s_agency);
        var settings = new AgencySettings("Harbor", "America/New_York", s_dollars, ["1 Pier Street", "New York, NY 10004"], s_none.Add("tier", "pilot"), s_none.Add("crm", "agency-7"));
        var us = new LegalEntity(s_seller, "Harbor Marketing LLC", "US", "America/New_York", s_dollars, "1 Pier Street\nNew York, NY 10004", "12-3456789", new InvoiceSeriesId("main"));
        Ok(await Agency.Create(Next(), new CreateAgency(s_agency, settings, 0, 0, [us], _now)));
        Ok(await Agency.Update(Next(), new UpdateAgency(settings with { DisplayName = "Harbor Marketing" }, 10, 30)));
        Ok(await Agency.PutLegalEntity(Next(), new PutLegalEntity(
            new LegalEntity(new("harbor-uk"), "Harbor Marketing Ltd", "GB", "Europe/London", new Currency("GBP"), "2 Quay\nLondon", "GB123456789", new InvoiceSeriesId("uk")), true)));
        Ok(await Agency.SetHolidayCalendar(Next(), new SetHolidayCalendar("us-ny", [new LocalDate(2026, 1, 19), new LocalDate(2026, 2, 16), new LocalDate(2026, 5, 25)])));
        var key = new ApiKey(
            new("crm"), "CRM", Convert.ToHexStringLower(SHA256.HashData("a secret that nobody has"u8)), [Role.Operations, Role.Finance], null, null, _now, _now + Duration.FromDays(90), false);
        Ok(await Agency.CreateApiKey(Next(), new CreateApiKey(key, _now)));
        Ok(await Agency.RevokeApiKey(Next(), new RevokeApiKey(key.Id)));
        _policy = (await Agency.GetContext())!.PolicyVersion;
    }

    private async Task TheClients()
    {
        var profile = new ClientProfile(
            "Acme", "https://acme.example", "retail", "America/New_York", new BillingDetails("Acme Inc", "5 Main Street\nBoston, MA", "US", "98-7654321", 30), s_none.Add("segment", "mid"), s_none.Add("crm", "acme-1"));
        var acme = grains.Of<IClientCompanyGrain>(s_agency, "acme");
        Ok(await acme.Create(Next(), new CreateClient(s_clients.Acme, profile)));
        Ok(await acme.Update(Next(), new UpdateClient(profile with { Industry = "e-commerce", ExternalIds = s_none.Add("crm", "acme-2") })));
        Ok(await grains.Of<IClientCompanyGrain>(s_agency, "bolt").Create(Next(), new CreateClient(s_clients.Bolt, profile with { DisplayName = "Bolt", ExternalIds = s_none })));
        Ok(await acme.SetCompetitors(Next(), new SetCompetitors([s_clients.Bolt])));
        Ok(await acme.SetCompetitors(Next(), new SetCompetitors([s_clients.Bolt])));
        foreach (var (person, title) in new[] { (s_deciders.Ceo, "CEO"), (s_deciders.Board, "Board"), (new PersonId("p-acme-old"), "VP") })
        {
            Ok(await acme.PutStakeholder(Next(), new PutStakeholder(new Stakeholder(person, title, title != "VP"), new PersonDetails("Somebody", "somebody@acme.example", "+1 555 0100"))));
        }

        Ok(await acme.RemoveStakeholder(Next(), new RemoveStakeholder(new PersonId("p-acme-old"))));
    }

    private async Task TheCmos()
    {
        foreach (var cmo in new[] { s_cmos.Ada, s_cmos.Bob, s_cmos.Cy })
        {
            Ok(await Cmo(cmo).Create(Next(), new CreateCmo(
                cmo, new CmoProfile(new PersonId($"p-{cmo}"), "CMO", "America/New_York", s_none, s_none.Add("hr", $"e-{cmo}")), new PersonDetails("Somebody"), new CmoLimits(5, 30),
                new WorkingPattern(new LocalDate(2026, 1, 1), s_fullTime), new CostRate(new LocalDate(2026, 1, 1), 12_000, s_dollars), null)));
        }

        var ada = Cmo(s_cmos.Ada);
        Ok(await ada.Update(Next(), new UpdateCmo(
            new CmoProfile(new PersonId("p-ada"), "CMO", "America/Chicago", s_none.Add("seniority", "lead"), s_none.Add("hr", "e-ada")), null, new CmoLimits(4, 60))));
        Ok(await ada.SetCostRate(Next(), new CostRate(new LocalDate(2026, 2, 1), 12_500, s_dollars)));
        Ok(await ada.SetWorkingPattern(Next(), new WorkingPattern(new LocalDate(2026, 2, 1), s_fullTime with { Friday = 240 })));
        Ok(await ada.SetHolidays(Next(), new SetHolidays(new HolidayRegion(new LocalDate(2026, 1, 1), "us-ny"), [new LocalDate(2026, 2, 16)])));
        Ok(await ada.AddTimeOff(Next(), new TimeOff(new TimeOffId("ski"), new LocalDate(2026, 3, 16), new LocalDate(2026, 3, 21), TimeOffKind.HalfDays)));
        Ok(await ada.AddTimeOff(Next(), new TimeOff(new TimeOffId("dentist"), new LocalDate(2026, 1, 29), new LocalDate(2026, 1, 30), TimeOffKind.Minutes, 90)));
        Ok(await ada.CancelTimeOff(Next(), new TimeOffId("dentist")));
        Ok(await ada.ImportTimeOff(Next(), new ImportTimeOff(
            new DateRange(new LocalDate(2026, 1, 1), new LocalDate(2027, 1, 1)),
            [new ImportedTimeOff("0123456789abcdef", ImmutableSortedDictionary<LocalDate, int>.Empty.Add(new LocalDate(2026, 12, 24), 240))])));
        foreach (var cmo in new[] { s_cmos.Ada, s_cmos.Bob, s_cmos.Cy })
        {
            Ok(await Cmo(cmo).NotePolicy(Next()));
        }
    }

    private async Task Bookings()
    {
        var ada = Cmo(s_cmos.Ada);
        var workshop = new BookingSpec(s_clients.Acme, null, [new DatedStep(new DateRange(new(2026, 1, 20), new(2026, 1, 23)), ImmutableSortedDictionary<LocalDate, int>.Empty
            .Add(new(2026, 1, 20), 240).Add(new(2026, 1, 22), 240))]);
        Ok(await ada.Hold(Next(), new HoldBooking(new("workshop"), workshop, null)));
        Ok(await ada.Confirm(Next(), new("workshop")));
        var review = new BookingSpec(s_clients.Acme, null, [new FixedDaysStep(new DateRange(new(2026, 1, 12), new(2026, 3, 9)), new WeekdayMinutes(0, 120, 0, 0, 0, 0, 0), 2)]);
        Ok(await ada.Book(Next(), new Book(new("review"), review)));
        Ok(await ada.Change(Next(), new ChangeBooking(new("review"), [new PerPeriodStep(new DateRange(new(2026, 1, 12), new(2026, 3, 9)), 480, new BillCycle(1, 1))])));
        Ok(await ada.Release(Next(), new("review")));
        Ok(await ada.Hold(Next(), new HoldBooking(new("maybe"), workshop with { Steps = [new FlexibleStep(new DateRange(new(2026, 2, 2), new(2026, 3, 2)), 60)] }, Duration.FromHours(1))));
        Ok(await ada.ExtendHold(Next(), new("maybe"), Duration.FromDays(1)));
        Ok(await Cmo(s_cmos.Bob).Hold(Next(), new HoldBooking(new("slot"), new BookingSpec(s_clients.Acme, null, [new FlexibleStep(s_year, 300)]), Duration.FromDays(20))));
        Ok(await Cmo(s_cmos.Cy).Book(Next(), new Book(new("all"), new BookingSpec(s_clients.Bolt, null, [new FlexibleStep(new DateRange(new(2026, 1, 5), null), 2_400)]))));

        // The hold of "maybe" runs out on the way.
        await Until(new LocalDate(2026, 1, 8));
    }

    private async Task AnEngagementOfTwo()
    {
        var growth = grains.Of<IEngagementGrain>(s_agency, "growth");
        var plan = new EngagementPlan(
            "Growth", ServiceType.FractionalCmo, s_cmos.Ada,
            [
                new EngagementMember(s_cmos.Ada, "lead", [new FlexibleStep(s_year, 600)], null, false),
                new EngagementMember(s_cmos.Bob, "content", [], new BookingId("slot"), true),
            ],
            new RetainerTerms(s_year.Start, s_seller, s_dollars, new BillCycle(1, 1), 800_000, 600, 25_000, OverageGate.Block, Rollover: new Rollover(30, 2, FromProrated: true)),
            s_year.Start, s_year.End, null, 1, s_none, s_none.Add("crm", "deal-1"));
        Ok(await growth.Create(Next(), new CreateEngagement(new("growth"), s_clients.Acme, plan with { Title = "Grow" })));
        Ok(await growth.Update(Next(), new UpdateEngagement(plan)));
        Ok(await growth.Propose(Next(), new ProposeEngagement(_now + Duration.FromDays(14))));
        Ok(await growth.Revise(Next()));
        Ok(await growth.Propose(Next(), new ProposeEngagement(null)));
        Ok(await growth.Sign(Next(), new SignEngagement(s_deciders.Ceo, 2)));
        Ok(await growth.Agree(Next(), new AgreeAsCmo(s_cmos.Ada, 2)));
        Ok(await growth.Activate(Next()));
        Ok(await growth.Relabel(Next(), new RelabelEngagement(s_none.Add("tier", "gold"), null)));
    }

    private async Task ProposalsThatComeToNothing()
    {
        foreach (var (id, end) in new[] { ("audit", "declined"), ("coaching", "withdrawn"), ("sprint", "expired") })
        {
            var engagement = grains.Of<IEngagementGrain>(s_agency, id);
            Ok(await engagement.Create(Next(), new CreateEngagement(new(id), s_clients.Acme, Hourly(id, s_cmos.Ada))));
            Ok(await engagement.Propose(Next(), new ProposeEngagement(end == "expired" ? _now + Duration.FromDays(2) : null)));
            if (end == "declined")
            {
                Ok(await engagement.Decline(Next(), new CloseProposal("Budget moved to next year.")));
            }
            else if (end == "withdrawn")
            {
                Ok(await engagement.Withdraw(Next(), new CloseProposal("")));
            }
        }

        await Until(new LocalDate(2026, 1, 12));
    }

    private async Task AnActivationThatIsRefused()
    {
        // Cy works full time for Acme's competitor: Ada's hold is given up again.
        var rush = grains.Of<IEngagementGrain>(s_agency, "rush");
        Ok(await rush.Create(Next(), new CreateEngagement(new("rush"), s_clients.Acme, Hourly("rush", s_cmos.Ada, s_cmos.Cy))));
        Ok(await rush.Propose(Next(), new ProposeEngagement(null)));
        Ok(await rush.Sign(Next(), new SignEngagement(s_deciders.Board, 0)));
        Assert.NotNull((await rush.Activate(Next())).Rejection);
    }

    private async Task ARetainerThatRunsOver()
    {
        var care = grains.Of<IEngagementGrain>(s_agency, "care");
        var plan = Hourly("Care", s_cmos.Bob) with
        {
            Terms = new RetainerTerms(s_year.Start, s_seller, s_dollars, new BillCycle(1, 1), 100_000, 60, 30_000, OverageGate.Consent),
        };
        Ok(await care.Create(Next(), new CreateEngagement(new("care"), s_clients.Acme, plan)));
        Ok(await care.Propose(Next(), new ProposeEngagement(null)));
        Ok(await care.Sign(Next(), new SignEngagement(s_deciders.Board, 0)));
        Ok(await care.Activate(Next()));
    }

    private async Task OverageWithConsent()
    {
        var week = new IsoWeek(2026, 7);
        var sheet = grains.Of<ITimesheetGrain>(s_agency, $"bob/{week}");
        Ok(await sheet.Log(Next(), new LogTime(s_cmos.Bob, week, [new LoggedEntry(new("a"), new Work(new("care"), week.Monday(), 100, "", true, true, ""))])));
        Ok(await sheet.Submit(Next(), new SubmitEntries([])));
        Ok(await sheet.Approve(Next(), new ApproveEntries([])));
        var care = grains.Of<IEngagementGrain>(s_agency, "care");
        Ok(await care.Consent(Next(), new ConsentToOverage(30, "Asked by telephone.")));

        // Twice the included minutes from the start on: what is still parked is served.
        var twice = (RetainerTerms)(await care.Get(new Read(s_agency, _now))).Value!.Terms[0] with { IncludedMinutes = 120 };
        Ok(await care.ProposeScope(Next(), new ProposeScope(new ScopeProposal(s_year.Start, null, [], twice, "More of it."), null)));
        Ok(await care.SignScope(Next(), new SignScope(s_deciders.Ceo, 1)));
        Ok(await care.ApplyScope(Next(), new ApplyScope(1)));
    }

    private async Task WorkedTime()
    {
        await Until(new LocalDate(2026, 2, 14));
        var week = new IsoWeek(2026, 7);
        var monday = week.Monday();
        var sheet = grains.Of<ITimesheetGrain>(s_agency, $"ada/{week}");
        Work Worked(int day, int minutes) => new(new("growth"), monday.PlusDays(day), minutes, "strategy", true, true, "Positioning");
        Ok(await sheet.Log(Next(), new LogTime(s_cmos.Ada, week, [.. new[] { ("a", 250), ("b", 250), ("c", 250), ("d", 15), ("e", 30) }.Select((x, i) => new LoggedEntry(new(x.Item1), Worked(i, x.Item2)))])));
        Ok(await sheet.Remove(Next(), new RemoveEntries([new("d")])));
        Ok(await sheet.Submit(Next(), new SubmitEntries([])));
        Ok(await sheet.Reject(Next(), new RejectEntries([new("e")], "Belongs to another week.")));
        var approved = await sheet.Approve(Next(), new ApproveEntries([]));
        Ok(approved);
        Assert.Equal(2, approved.Value!.Outcomes.Count(o => o.Refusal is null));
        Assert.Equal(1, approved.Value.Outcomes.Count(o => o.Refusal is not null));
    }

    private async Task Corrections()
    {
        var week = new IsoWeek(2026, 6);
        var sheet = grains.Of<ITimesheetGrain>(s_agency, $"ada/{week}");
        Ok(await sheet.ReportNothingWorked(Next(), s_cmos.Ada, week));
        Work Worked(int day) => new(new("growth"), week.Monday().PlusDays(day), 20, "", true, true, "");
        var training = new Work(null, week.Monday(), 60, "training", false, true, "");
        Ok(await sheet.Log(Next(), new LogTime(s_cmos.Ada, week, [new(new("a"), Worked(0)), new(new("b"), Worked(1)), new(new("c"), training)])));
        Ok(await sheet.LogEach(Next(), new LogTime(s_cmos.Ada, week, [new(new("d"), Worked(2) with { Engagement = new("nobody-knows") })])));
        Ok(await sheet.Submit(Next(), new SubmitEntries([])));
        Ok(await sheet.Approve(Next(), new ApproveEntries([])));
        Ok(await sheet.Dispute(Next(), new DisputeEntry(new("a"), "Was it not the week before?", ByClient: true)));
        Ok(await sheet.Resolve(Next(), new ResolveDispute(new("a"), DisputeResolution.Restored, "It was not.")));
        Ok(await sheet.Reverse(Next(), new ReverseEntries([new("b")], "Worked for another client.")));
        Ok(await grains.Of<ITimesheetGrain>(s_agency, $"bob/{week}").ReportNothingWorked(Next(), s_cmos.Bob, week));
    }

    private async Task Invoices()
    {
        var account = new AccountId(s_clients.Acme, s_seller, s_dollars);
        var grain = grains.Of<IBillingAccountGrain>(s_agency, account.Key);
        Ok(await grain.Prepare(Next(), new PrepareInvoice(account, new LocalDate(2026, 2, 2), new("draft"), new("draft"))));
        Ok(await grain.Prepare(Next(), new PrepareInvoice(account, new LocalDate(2026, 3, 1), null, new("draft"))));
        Ok(await grain.Discard(Next(), new("draft")));
        Ok(await grain.Prepare(Next(), new PrepareInvoice(account, new LocalDate(2026, 3, 1), null, new("inv-1"))));
        Ok(await Agency.SetInvoiceSeries(Next(), new SetInvoiceSeries(s_seller, new("main"), new SeriesFormat("HM-{year}-", 4, true), GivesNumbers: false)));
        var final = await grain.Finalize(Next(), new("inv-1"));
        Ok(final);
        Assert.Equal((1, "HM-2026-0001", InvoiceState.Finalized), (final.Value!.Number, final.Value.DocumentNumber, final.Value.State));

        // Credit notes go on after those of the system before this one.
        var notes = InvoiceSeries.ForCreditNotes(new InvoiceSeriesId("main"));
        Ok(await grains.Of<IInvoiceSeriesGrain>(s_agency, InvoiceSeries.Key(s_seller, notes)).Confirm(Next(), new ConfirmLastNumber(s_seller, notes, 17)));
        await PaymentsAndCredits(grain, account, final.Value);
    }

    /// <summary>One that says what would be billed, and one that is ended early.</summary>
    private async Task BillingRuns()
    {
        var preview = grains.Of<IBillingRunGrain>(s_agency, "march");
        Ok(await preview.Start(Next(), new StartBillingRun(new("march"), new LocalDate(2026, 4, 1), BillingRunMode.Preview, s_seller, null)));
        await preview.Settle(_now);
        Assert.NotNull((await preview.Get(new Read(s_agency, _now))).Value!.EndedAt);
        for (var i = 1; ; i++)
        {
            var run = grains.Of<IBillingRunGrain>(s_agency, $"april-{i}");
            Ok(await run.Start(Next(), new StartBillingRun(new($"april-{i}"), new LocalDate(2026, 4, 1), BillingRunMode.Preview, null, s_clients.Acme)));
            var cancelled = await run.Cancel(Next());
            Ok(cancelled);
            await run.Settle(_now);
            if (cancelled.Value!.Cancelled)
            {
                break;
            }
        }
    }

    /// <summary>Everybody is paid what they have earned by then; one payout comes back, and is made again by hand.</summary>
    private async Task Payouts()
    {
        var today = _now.InZone(DateTimeZoneProviders.Tzdb["America/New_York"]).Date;
        var run = await grains.Of<IPayoutRunGrain>(s_agency, "march").Run(Next(), new StartPayoutRun(new("march"), s_seller, s_dollars, today, today, "march"));
        Ok(run);
        var item = run.Value!.Items[0];
        Assert.True(item.Paid);
        var account = new CmoAccountId(item.Cmo, s_seller, s_dollars);
        var grain = grains.Of<ICmoAccountGrain>(s_agency, account.Key);
        Ok(await grain.Reverse(Next(), new ReversePayout(item.Payout, account, today, "Account closed.")));
        Ok(await grain.Record(Next(), new RecordPayout(new("by-hand"), account, item.Amount, today, today, "by-hand")));
    }

    private async Task AnEnd()
    {
        await Until(new LocalDate(2026, 3, 30));
        Ok(await grains.Of<IEngagementGrain>(s_agency, "growth").End(Next(), new EndEngagement(new LocalDate(2026, 4, 1))));
    }

    private static EngagementPlan Hourly(string title, params CmoId[] members) => new(
        title, ServiceType.Consultant, members[0],
        [.. members.Select(m => new EngagementMember(m, "", [new FlexibleStep(s_year, 120)], null, true))],
        new HourlyTerms(s_year.Start, s_seller, s_dollars, new BillCycle(1, 1), 30_000), s_year.Start, s_year.End, null, 1, s_none, s_none);

    private IFractionalCmoGrain Cmo(CmoId cmo) => grains.Of<IFractionalCmoGrain>(s_agency, cmo.Value);

    /// <summary>The sandbox's clock moves on; what is due on the way happens.</summary>
    private async Task Until(LocalDate date)
    {
        var to = date.AtMidnight().InUtc().ToInstant() + Duration.FromHours(14);
        var call = Next();
        while (true)
        {
            var reply = await Agency.AdvanceClock(call, to);
            Ok(reply);
            Assert.Empty(reply.Value!.Unsettled);
            if (reply.Value.Done)
            {
                break;
            }
        }

        _now = to;
    }

    /// <summary>The call of another request.</summary>
    private Call Next()
    {
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"request {++_requests}")));
        return new Call(
            s_agency, "key:crm", Guid.CreateVersion7(), hash, _now, _policy, TraceId: _requests % 10 == 0 ? hash[..32] : null);
    }

    private static void Ok<T>(Reply<T> reply) => Assert.True(reply.Rejection is null, $"{reply.Rejection?.Reason}: {reply.Rejection?.Message}");
}
