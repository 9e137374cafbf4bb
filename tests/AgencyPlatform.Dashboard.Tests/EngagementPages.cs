using AgencyPlatform.Protocol.Agencies.V1;
using AgencyPlatform.Protocol.Capacity.V1;
using AgencyPlatform.Protocol.Clients.V1;
using AgencyPlatform.Protocol.Engagements.V1;
using AgencyPlatform.Protocol.Time.V1;
using AgencyPlatform.Protocol.Type.V1;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;
using Date = Google.Type.Date;

namespace AgencyPlatform.Dashboard.Tests;

/// <summary>Engagements: seen, signed, activated, changed; and what the client sees of them.</summary>
[Collection(Demo.Collection)]
public sealed class EngagementPages(Demo demo) : IAsyncLifetime
{
    private static readonly Date s_start = new() { Year = 2026, Month = 1, Day = 1 };

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => demo.ClosePages();

    [Fact]
    public async Task A_proposal_is_signed_by_two_in_two_browsers_and_moves_on_the_board_by_itself()
    {
        var (agency, name) = await Proposed();
        var (board, staff, client) = (await demo.Open(agency.Key, "/engagements"), await demo.Open(agency.Key, "/engagements/growth"), await demo.Open(await ClientKey(agency), "/client", width: 390));
        await Expect(board.Locator("[data-column=proposed] [data-engagement=growth]")).ToContainTextAsync("0 of 2 signed");

        // The client on its phone.
        await client.Locator("[data-waits=growth]").GetByRole(AriaRole.Button, new() { Name = "Sign" }).ClickAsync();
        await client.GetByRole(AriaRole.Dialog).GetByLabel("Who signs").SelectOptionAsync("p-ceo");
        await client.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Sign" }).ClickAsync();
        await Expect(client.GetByText("1 of 2 signed.")).ToBeVisibleAsync();

        // The agency sees it without a reload, and records the second one.
        await Expect(staff.GetByText("1 of 2 signed.")).ToBeVisibleAsync();
        await staff.GetByRole(AriaRole.Button, new() { Name = "Sign", Exact = true }).ClickAsync();
        await staff.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Sign" }).ClickAsync();
        await Expect(staff.Locator("[data-state=Accepted]")).ToBeVisibleAsync();
        await Expect(board.Locator("[data-column=accepted] [data-engagement=growth]")).ToBeVisibleAsync();
        Assert.Equal(["p-ceo", "p-vp"], (await agency.Platform.Engagements.GetEngagementAsync(new() { Name = name })).Signatures.Select(s => s.PersonId).Order());
    }

    [Fact]
    public async Task A_refused_move_says_why_in_its_dialog_and_goes_through_when_the_reason_is_gone()
    {
        var (agency, name) = await Proposed(signed: true);
        var page = await demo.Open(agency.Key, "/engagements/growth");
        await page.GetByRole(AriaRole.Button, new() { Name = "Activate" }).ClickAsync();
        var dialog = page.GetByRole(AriaRole.Dialog);
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Activate" }).ClickAsync();
        await Expect(dialog.Locator(".problem")).ToHaveAttributeAsync("data-reason", "AGREEMENT_MISSING");

        await agency.Platform.Engagements.AgreeToEngagementAsync(new() { Name = name, Cmo = $"{agency.Name}/cmos/cmo-001" });
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Activate" }).ClickAsync();
        await Expect(page.Locator("[data-state=Active]")).ToBeVisibleAsync();
        await Expect(page.GetByText("Active, from 1 Jan 2026 on")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task A_change_of_scope_says_what_it_comes_to_and_whether_there_is_room_before_it_is_proposed()
    {
        var (agency, name) = await Active();
        var page = await demo.Open(agency.Key, "/engagements/growth/change");
        await page.GetByLabel("First day of the new scope").FillAsync("2026-02-01");
        await page.GetByLabel("Fee a month, USD").FillAsync("10000");
        await page.GetByLabel("Fee a month, USD").BlurAsync();

        // February, March and April, each $2,000 more.
        await Expect(page.Locator("[data-preview=money] [data-figure=difference] local-amount")).ToHaveAttributeAsync("minor", "600000");
        await Expect(page.Locator("[data-preview=room]")).ToContainTextAsync("It fits");

        // More than the week has: refused, with its reason; the fee stays.
        await page.GetByLabel("Hours a week").FillAsync("40");
        await page.GetByLabel("Hours a week").BlurAsync();
        await Expect(page.Locator("[data-preview=room] .problem")).ToHaveAttributeAsync("data-reason", "CAPACITY_EXCEEDED");
        await page.GetByLabel("Hours a week").FillAsync("12");
        await page.GetByLabel("Hours a week").BlurAsync();
        await Expect(page.Locator("[data-preview=room]")).ToContainTextAsync("must agree");
        Assert.Null((await agency.Platform.Engagements.GetEngagementAsync(new() { Name = name })).ScopeChange);

        await page.GetByRole(AriaRole.Button, new() { Name = "Propose the change" }).ClickAsync();
        await Expect(page.Locator("h1")).ToHaveTextAsync("Growth");
        var change = (await agency.Platform.Engagements.GetEngagementAsync(new() { Name = name })).ScopeChange;
        Assert.Equal((1_000_000, 720, new Date { Year = 2026, Month = 2, Day = 1 }), (change.Terms.Retainer.Fee.MinorUnits, change.Members.Single().Steps.Single().Flexible.WeeklyMinutes, change.EffectiveDate));
        await Expect(page.GetByText("0 of 2 signed.")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task The_client_disputes_time_and_consents_to_overage_and_sees_nothing_of_another_client()
    {
        var (agency, name) = await Active();
        await Approve(agency, Entry("a", name, 2, 480), Entry("b", name, 3, 480));

        var page = await demo.Open(await ClientKey(agency), "/client", width: 390);
        await Expect(page.Locator("[data-engagement=growth] [data-meter]")).ToHaveAttributeAsync("data-meter", "600 of 600");
        await page.Locator("[data-waits=growth]").GetByRole(AriaRole.Button, new() { Name = "Consent to overage" }).ClickAsync();
        var dialog = page.GetByRole(AriaRole.Dialog);
        await Expect(dialog.GetByLabel("Hours")).ToHaveValueAsync("6");
        await dialog.GetByLabel("Hours").FillAsync("5");
        await dialog.GetByLabel("Hours").BlurAsync();
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Consent to overage" }).ClickAsync();
        await Expect(page.Locator("[data-waits=growth]")).ToContainTextAsync("1 h were worked beyond");

        await page.GetByRole(AriaRole.Button, new() { Name = "Dispute" }).First.ClickAsync();
        await dialog.GetByLabel("What is wrong with it").FillAsync("We were closed.");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Dispute" }).ClickAsync();
        await Expect(page.GetByText("We were closed.")).ToBeVisibleAsync();

        // The other client's page is this one's, and its engagement is not there.
        await Demo.Go(page, "/client/client-2");
        await Expect(page.Locator("h1")).ToHaveTextAsync("Client 1");
        var other = await demo.Open(await ClientKey(agency, "client-2"), "/engagements/growth");
        await Expect(other.Locator(".problem")).ToBeVisibleAsync();
        await Expect(other.GetByText("Growth", new() { Exact = true })).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task Overage_that_waits_is_on_the_board_and_the_overview_until_the_client_consents()
    {
        var (agency, name) = await Active();
        var (board, overview) = (await demo.Open(agency.Key, "/engagements"), await demo.Open(agency.Key));
        await Expect(board.Locator("[data-engagement=growth]")).ToBeVisibleAsync();
        await Approve(agency, Entry("a", name, 2, 480), Entry("b", name, 3, 480));

        var chip = board.Locator("[data-engagement=growth] .chip");
        await Expect(chip).ToHaveTextAsync("6 h of overage: consent");
        await Expect(overview.Locator("[data-figure=parked]")).ToHaveTextAsync("6 h of 1 engagement");
        await board.GetByLabel("Waits for").SelectOptionAsync("the client");
        await Expect(board.Locator("[data-engagement=growth]")).ToBeVisibleAsync();

        await agency.Platform.Time.ConsentToOverageAsync(new() { Name = name, Minutes = 300, Note = "By telephone" });
        await Expect(chip).ToHaveTextAsync("1 h of overage: consent");
        await agency.Platform.Time.ConsentToOverageAsync(new() { Name = name, Minutes = 60, Note = "By telephone" });
        await Expect(overview.Locator("[data-figure=parked]")).ToHaveCountAsync(0);
        await Expect(board.Locator("[data-engagement=growth]")).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task A_milestone_is_marked_as_reached_and_another_is_added_by_a_change_of_scope()
    {
        var (agency, name) = await Active(new Terms
        {
            Milestones = new MilestoneTerms { Milestones = { new Milestone { MilestoneId = "brand", DisplayName = "Brand book", Amount = new Money { MinorUnits = 500_000, Currency = "USD" } } } },
        });
        var page = await demo.Open(agency.Key, "/engagements/growth");
        var row = page.GetByRole(AriaRole.Table, new() { Name = "Milestones" }).Locator("tbody tr");
        await row.GetByRole(AriaRole.Button, new() { Name = "Reached" }).ClickAsync();
        var dialog = page.GetByRole(AriaRole.Dialog);
        await dialog.GetByLabel("On").FillAsync("2026-01-06");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Reached" }).ClickAsync();

        // Not before it is: the agency's clock says the fifth.
        await Expect(dialog.Locator(".problem")).ToHaveAttributeAsync("data-reason", "MILESTONE_DATE_OUT_OF_RANGE");
        await dialog.GetByLabel("On").FillAsync("2026-01-05");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Reached" }).ClickAsync();
        await Expect(row.GetByRole(AriaRole.Button, new() { Name = "Reopen" })).ToBeVisibleAsync();
        await Expect(page.GetByText("Milestone reached: Brand book")).ToBeVisibleAsync();

        await Demo.Go(page, "/engagements/growth/change");
        await page.GetByLabel("First day of the new scope").FillAsync("2026-02-01");
        await Expect(page.GetByRole(AriaRole.Group, new() { Name = "Brand book" })).ToContainTextAsync("it stays as it is");
        var another = page.GetByRole(AriaRole.Group, new() { Name = "Another milestone" });
        await another.GetByLabel("What is to be reached").FillAsync("Web site");
        await another.GetByLabel("Due then, USD").FillAsync("9000");
        await another.GetByLabel("Due then, USD").BlurAsync();
        await another.GetByRole(AriaRole.Button, new() { Name = "Add it" }).ClickAsync();
        await Expect(page.Locator("[data-preview=room]")).ToContainTextAsync("It fits");

        var site = page.GetByRole(AriaRole.Group, new() { Name = "Web site" });
        await site.GetByLabel("Due then, USD").FillAsync("9500");
        await site.GetByLabel("Due then, USD").BlurAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Propose the change" }).ClickAsync();
        await Expect(page.Locator("h1")).ToHaveTextAsync("Growth");
        var proposed = (await agency.Platform.Engagements.GetEngagementAsync(new() { Name = name })).ScopeChange.Terms.Milestones.Milestones;
        Assert.Equal([("brand", "Brand book", 500_000L), ("milestone-1", "Web site", 950_000L)], proposed.Select(m => (m.MilestoneId, m.DisplayName, m.Amount.MinorUnits)));
    }

    private static async Task Approve(Agency agency, params IEnumerable<TimeEntry> entries)
    {
        var sheet = $"{agency.Name}/cmos/cmo-001/timesheets/2026-w01";
        await agency.Platform.Time.LogTimeAsync(new() { Name = sheet, Entries = { entries } });
        await agency.Platform.Time.SubmitTimesheetAsync(new() { Name = sheet });
        await agency.Platform.Time.ApproveEntriesAsync(new() { Name = sheet });
    }

    private static TimeEntry Entry(string id, string engagement, int day, int minutes) => new() { EntryId = id, Engagement = engagement, Date = new Date { Year = 2026, Month = 1, Day = day }, Minutes = minutes };

    private static async Task<string> ClientKey(Agency agency, string client = "client-1") => (await agency.Platform.Agencies.CreateApiKeyAsync(new CreateApiKeyRequest
    {
        Parent = agency.Name,
        ApiKey = new ApiKey { DisplayName = "Client", Roles = { Role.ClientApprover }, ClientCompany = $"{agency.Name}/clientCompanies/{client}" },
    })).Key;

    /// <summary>Growth for client-1 by cmo-001: $8,000 and 10 h a month unless it is said otherwise, 8 h a week; two must sign.</summary>
    private async Task<(Agency Agency, string Name)> Proposed(bool signed = false, Terms? terms = null)
    {
        var agency = await demo.NewAgency();
        terms ??= new Terms
        {
            Retainer = new RetainerTerms
            {
                Fee = new Money { MinorUnits = 800_000, Currency = "USD" },
                IncludedMinutes = 600,
                OverageGate = OverageGate.Consent,
                OverageHourlyRate = new Money { MinorUnits = 25_000, Currency = "USD" },
            },
        };
        (terms.Seller, terms.Currency, terms.BillCycleDay) = ($"{agency.Name}/legalEntities/us", "USD", 1);
        foreach (var (person, displayName) in new[] { ("p-ceo", "Ann Lee"), ("p-vp", "Bo Ray") })
        {
            await agency.Platform.Clients.PutStakeholderAsync(new()
            {
                Name = $"{agency.Name}/clientCompanies/client-1",
                Stakeholder = new Stakeholder { PersonId = person, DisplayName = displayName, Title = "Board", DecisionMaker = true },
            });
        }

        var draft = await agency.Platform.Engagements.CreateEngagementAsync(new()
        {
            Parent = agency.Name,
            EngagementId = "growth",
            Engagement = new Engagement
            {
                ClientCompany = $"{agency.Name}/clientCompanies/client-1",
                Title = "Growth",
                ServiceType = ServiceType.FractionalCmo,
                Lead = $"{agency.Name}/cmos/cmo-001",
                Members = { new Member { Cmo = $"{agency.Name}/cmos/cmo-001", Steps = { new BookingStep { StartDate = s_start, Flexible = new FlexibleForm { WeeklyMinutes = 480 } } } } },
                Terms = { terms },
                StartDate = s_start,
                SignaturesNeeded = 2,
            },
        });
        await agency.Platform.Engagements.ProposeEngagementAsync(new() { Name = draft.Name });
        foreach (var person in signed ? new[] { "p-ceo", "p-vp" } : [])
        {
            await agency.Platform.Engagements.SignEngagementAsync(new() { Name = draft.Name, PersonId = person });
        }

        return (agency, draft.Name);
    }

    private async Task<(Agency Agency, string Name)> Active(Terms? terms = null)
    {
        var (agency, name) = await Proposed(signed: true, terms);
        await agency.Platform.Engagements.AgreeToEngagementAsync(new() { Name = name, Cmo = $"{agency.Name}/cmos/cmo-001" });
        await agency.Platform.Engagements.ActivateEngagementAsync(new() { Name = name });
        return (agency, name);
    }
}
