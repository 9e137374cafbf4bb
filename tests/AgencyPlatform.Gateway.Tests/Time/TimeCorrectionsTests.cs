using AgencyPlatform.Client;
using AgencyPlatform.Domain;
using AgencyPlatform.Protocol.Agencies.V1;
using AgencyPlatform.Protocol.Billing.V1;
using AgencyPlatform.Protocol.Engagements.V1;
using AgencyPlatform.Protocol.Time.V1;
using Google.Protobuf.WellKnownTypes;
using Google.Type;
using Grpc.Core;
using Money = AgencyPlatform.Protocol.Type.V1.Money;

namespace AgencyPlatform.Gateway.Tests.Time;

/// <summary>Reversals and disputes through the public API. The sandbox's clock stands at Monday 5 January 2026, 09:00 UTC.</summary>
[Collection(PlatformFixture.Collection)]
public sealed class TimeCorrectionsTests(PlatformFixture platform)
{
    private static readonly Date s_monday = new() { Year = 2026, Month = 1, Day = 5 };

    [Fact]
    public async Task A_reversal_gives_the_minutes_back_empties_the_books_and_credits_what_was_invoiced()
    {
        var agency = await platform.NewAgency();
        var admin = await ActiveEngagement.Create(agency, ActiveEngagement.Hourly);
        var (time, billing) = (admin.Service<TimeService.TimeServiceClient>(), admin.Service<BillingService.BillingServiceClient>());
        var sheet = await Approved(agency, time, ("a", 60), ("b", 30));
        await agency.AdvanceTo(new System.DateTime(2026, 2, 10, 12, 0, 0, DateTimeKind.Utc));
        var prepare = new PrepareInvoiceRequest { Parent = agency.Name, ClientCompany = agency.Name + "/clientCompanies/acme", LegalEntity = agency.Name + "/legalEntities/main", Currency = "USD", ToDate = new Date { Year = 2026, Month = 2, Day = 5 } };
        var invoice = await billing.PrepareInvoiceAsync(prepare);
        Assert.Equal(37_500, invoice.NetAmount.MinorUnits);
        await billing.FinalizeInvoiceAsync(new FinalizeInvoiceRequest { Name = invoice.Name });

        var request = new ReverseEntriesRequest { Name = sheet, EntryIds = { "a", "b" }, Reason = "Wrong client", RequestId = Guid.CreateVersion7().ToString() };
        var reversed = await time.ReverseEntriesAsync(request);
        Assert.All(reversed.Results, r => Assert.True(r.Reversed));
        Assert.Equal(reversed, await time.ReverseEntriesAsync(request));
        Assert.Equal((TimeEntryState.Reversed, "Wrong client", 60), (reversed.Timesheet.Entries[0].State, reversed.Timesheet.Entries[0].ReversedFor, reversed.Timesheet.Entries[0].Parts.ChargedMinutes));
        await time.LogTimeAsync(new LogTimeRequest { Name = sheet, Entries = { new TimeEntry { EntryId = "a2", Engagement = agency.Name + "/engagements/launch", Date = s_monday, Minutes = 45, Corrects = "a" } } });

        var credit = await billing.PrepareInvoiceAsync(prepare);
        Assert.Equal((-37_500, DocumentKind.CreditNote), (credit.NetAmount.MinorUnits, credit.Kind));
        await billing.FinalizeInvoiceAsync(new FinalizeInvoiceRequest { Name = credit.Name });
        Assert.All((await billing.GetTrialBalanceAsync(new GetTrialBalanceRequest { Parent = agency.Name })).Balances, b => Assert.Equal(0, b.Balance.MinorUnits));
        Assert.Equal("a", (await time.ListTimeEntriesAsync(new ListTimeEntriesRequest { Parent = agency.Name, State = TimeEntryState.Draft })).Entries.Single().Corrects);
    }

    [Fact]
    public async Task A_disputed_entry_stays_drawn_goes_on_no_new_invoice_and_is_billed_when_it_is_restored()
    {
        var agency = await platform.NewAgency();
        var admin = await ActiveEngagement.Create(agency, ActiveEngagement.Hourly);
        var (time, billing) = (admin.Service<TimeService.TimeServiceClient>(), admin.Service<BillingService.BillingServiceClient>());
        var sheet = await Approved(agency, time, ("a", 60), ("b", 30));
        var client = (await agency.As(Role.ClientApprover, client: "acme")).Service<TimeService.TimeServiceClient>();
        Assert.Equal(
            ["a", "b"], (await client.ListTimeEntriesAsync(new ListTimeEntriesRequest { Parent = agency.Name, Engagement = agency.Name + "/engagements/launch" })).Entries.Select(e => e.EntryId));
        var disputed = await client.DisputeTimeEntryAsync(new DisputeTimeEntryRequest { Name = sheet, EntryId = "a", Reason = "Not ours" });
        Assert.Equal((TimeEntryState.Disputed, TimeEntryState.Approved, "Not ours"), (disputed.State, disputed.StateBeforeDispute, disputed.DisputedFor));
        Assert.Equal(90, (await time.GetMeterAsync(new GetMeterRequest { Name = agency.Name + "/engagements/launch", Date = s_monday })).ChargedMinutes);

        await agency.AdvanceTo(new System.DateTime(2026, 2, 10, 12, 0, 0, DateTimeKind.Utc));
        var prepare = new PrepareInvoiceRequest { Parent = agency.Name, ClientCompany = agency.Name + "/clientCompanies/acme", LegalEntity = agency.Name + "/legalEntities/main", Currency = "USD", ToDate = new Date { Year = 2026, Month = 2, Day = 5 } };
        var invoice = await billing.PrepareInvoiceAsync(prepare);
        Assert.Equal(12_500, invoice.NetAmount.MinorUnits);
        await billing.FinalizeInvoiceAsync(new FinalizeInvoiceRequest { Name = invoice.Name });

        // One that stands invoiced stays on its invoice while it is disputed.
        await time.DisputeTimeEntryAsync(new DisputeTimeEntryRequest { Name = sheet, EntryId = "b", Reason = "Looked odd" });
        Assert.Equal(Reasons.NothingToBill, (await Refused.By(billing.PrepareInvoiceAsync(prepare))).Reason);
        await time.ResolveDisputeAsync(new ResolveDisputeRequest { Name = sheet, EntryId = "b", Resolution = DisputeResolution.Restored, Note = "Agreed" });
        var restored = await time.ResolveDisputeAsync(new ResolveDisputeRequest { Name = sheet, EntryId = "a", Resolution = DisputeResolution.Restored, Note = "Agreed" });
        Assert.All(restored.Entries, e => Assert.Equal(TimeEntryState.Approved, e.State));
        Assert.Equal(25_000, (await billing.PrepareInvoiceAsync(prepare)).NetAmount.MinorUnits);
    }

    [Fact]
    public async Task A_client_disputes_its_own_entries_only_and_not_for_ever()
    {
        var agency = await platform.NewAgency(change: r => r.Agency.ClientDisputeDays = 3);
        var time = (await ActiveEngagement.Create(agency, ActiveEngagement.Hourly)).Service<TimeService.TimeServiceClient>();
        var sheet = await Approved(agency, time, ("a", 60));
        await time.LogTimeAsync(Log(agency, sheet, ("draft", 10)));
        var stranger = (await agency.As(Role.ClientApprover, client: "bolt")).Service<TimeService.TimeServiceClient>();
        Assert.Equal(StatusCode.NotFound, (await Refused.By(stranger.DisputeTimeEntryAsync(new DisputeTimeEntryRequest { Name = sheet, EntryId = "a", Reason = "?" }))).StatusCode);
        Assert.Equal(
            StatusCode.NotFound,
            (await Refused.By(stranger.ListTimeEntriesAsync(new ListTimeEntriesRequest { Parent = agency.Name, Engagement = agency.Name + "/engagements/launch" }))).StatusCode);
        Assert.Equal(["engagement"], (await Refused.By(stranger.ListTimeEntriesAsync(new ListTimeEntriesRequest { Parent = agency.Name }))).FieldViolations.Select(f => f.Field));
        var client = (await agency.As(Role.ClientApprover, client: "acme")).Service<TimeService.TimeServiceClient>();
        Assert.Equal(StatusCode.NotFound, (await Refused.By(client.DisputeTimeEntryAsync(new DisputeTimeEntryRequest { Name = sheet, EntryId = "draft", Reason = "?" }))).StatusCode);

        await agency.AdvanceTo(new System.DateTime(2026, 1, 9, 12, 0, 0, DateTimeKind.Utc));
        var late = await Refused.By(client.DisputeTimeEntryAsync(new DisputeTimeEntryRequest { Name = sheet, EntryId = "a", Reason = "Late" }));
        Assert.Equal((Reasons.DisputeTooLate, "2026-01-08"), (late.Reason, late.Metadata["last_date"]));
        var disputed = await time.DisputeTimeEntryAsync(new DisputeTimeEntryRequest { Name = sheet, EntryId = "a", Reason = "By telephone" });
        Assert.Equal(TimeEntryState.Disputed, disputed.State);
        var wrong = await Refused.By(time.ResolveDisputeAsync(new ResolveDisputeRequest { Name = sheet, EntryId = "a", Resolution = DisputeResolution.Rejected, Note = "No" }));
        Assert.Equal((Reasons.ResolutionNotAllowed, "APPROVED"), (wrong.Reason, wrong.Metadata["state_before"]));
        var reversed = await time.ResolveDisputeAsync(new ResolveDisputeRequest { Name = sheet, EntryId = "a", Resolution = DisputeResolution.Reversed, Note = "Right" });
        Assert.Equal(TimeEntryState.Reversed, reversed.Entries.Single(e => e.EntryId == "a").State);
        Assert.Equal(0, (await time.GetMeterAsync(new GetMeterRequest { Name = agency.Name + "/engagements/launch", Date = s_monday })).ChargedMinutes);
    }

    [Fact]
    public async Task Every_bad_field_of_a_correction_is_named()
    {
        var agency = await platform.NewAgency();
        var time = (await ActiveEngagement.Create(agency, ActiveEngagement.Hourly)).Service<TimeService.TimeServiceClient>();
        var sheet = await Approved(agency, time, ("a", 60));
        Assert.Equal(
            ["entry_ids", "name", "reason"], Fields(await Refused.By(time.ReverseEntriesAsync(new ReverseEntriesRequest { Name = agency.Name + "/cmos/ada/timesheets/2026-w60" }))));
        Assert.Equal(["entry_id", "reason"], Fields(await Refused.By(time.DisputeTimeEntryAsync(new DisputeTimeEntryRequest { Name = sheet, EntryId = "A!", Reason = new string('x', 501) }))));
        Assert.Equal(
            ["entry_id", "note", "resolution"], Fields(await Refused.By(time.ResolveDisputeAsync(new ResolveDisputeRequest { Name = sheet, Resolution = (DisputeResolution)9 }))));
        Assert.Equal(StatusCode.NotFound, (await Refused.By(time.ReverseEntriesAsync(new ReverseEntriesRequest { Name = sheet, EntryIds = { "zz" }, Reason = "?" }))).StatusCode);
        var refused = (await time.ReverseEntriesAsync(new ReverseEntriesRequest { Name = sheet, EntryIds = { "a" }, Reason = "Once" })).Results.Single();
        Assert.True(refused.Reversed);
        Assert.Equal(Reasons.EntryStateNotAllowed, (await Refused.By(time.DisputeTimeEntryAsync(new DisputeTimeEntryRequest { Name = sheet, EntryId = "a", Reason = "Twice" }))).Reason);
        var settings = await Refused.By((await agency.Admin()).Agencies.UpdateAgencyAsync(new UpdateAgencyRequest
        {
            Agency = new Agency { Name = agency.Name, ClientDisputeDays = 367, TimeAheadDays = 32 },
            UpdateMask = new FieldMask { Paths = { "client_dispute_days", "time_ahead_days" } },
        }));
        Assert.Equal(["agency.client_dispute_days", "agency.time_ahead_days"], Fields(settings));
    }

    [Fact]
    public async Task A_CMOs_key_decides_on_no_time_and_no_key_is_a_CMOs_and_the_agencys_at_once()
    {
        var agency = await platform.NewAgency();
        var admin = await ActiveEngagement.Create(agency, ActiveEngagement.Hourly);
        var sheet = await Approved(agency, admin.Service<TimeService.TimeServiceClient>(), ("a", 60));
        var ada = (await agency.As(Role.Cmo, cmo: "ada")).Service<TimeService.TimeServiceClient>();

        ApiException[] refused =
        [
            await Refused.By(ada.ApproveEntriesAsync(new ApproveEntriesRequest { Name = sheet })),
            await Refused.By(ada.ReverseEntriesAsync(new ReverseEntriesRequest { Name = sheet, EntryIds = { "a" }, Reason = "Mine" })),
            await Refused.By(ada.DisputeTimeEntryAsync(new DisputeTimeEntryRequest { Name = sheet, EntryId = "a", Reason = "Mine" })),
            await Refused.By(ada.ResolveDisputeAsync(new ResolveDisputeRequest { Name = sheet, EntryId = "a", Resolution = DisputeResolution.Restored, Note = "Mine" })),
        ];
        Assert.All(refused, r => Assert.Equal(StatusCode.PermissionDenied, r.StatusCode));
        var both = new ApiKey { DisplayName = "Both", Roles = { Role.Operations, Role.Cmo }, Cmo = agency.Name + "/cmos/ada" };
        Assert.Equal(["api_key.roles"], Fields(await Refused.By(admin.Agencies.CreateApiKeyAsync(new CreateApiKeyRequest { Parent = agency.Name, ApiKey = both }))));
    }

    private static string[] Fields(ApiException refused) => [.. refused.FieldViolations.Select(f => f.Field).Order(StringComparer.Ordinal)];

    private static async Task<string> Approved(TestAgency agency, TimeService.TimeServiceClient time, params (string Id, int Minutes)[] entries)
    {
        var sheet = agency.Name + "/cmos/ada/timesheets/2026-w02";
        await time.LogTimeAsync(Log(agency, sheet, entries));
        await time.SubmitTimesheetAsync(new SubmitTimesheetRequest { Name = sheet });
        Assert.All((await time.ApproveEntriesAsync(new ApproveEntriesRequest { Name = sheet })).Results, r => Assert.True(r.Approved));
        return sheet;
    }

    private static LogTimeRequest Log(TestAgency agency, string sheet, params (string Id, int Minutes)[] entries) => new()
    {
        Name = sheet,
        Entries = { entries.Select(e => new TimeEntry { EntryId = e.Id, Engagement = agency.Name + "/engagements/launch", Date = s_monday, Minutes = e.Minutes }) },
    };
}
