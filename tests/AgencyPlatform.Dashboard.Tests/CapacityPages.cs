using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;
using Date = Google.Type.Date;

namespace AgencyPlatform.Dashboard.Tests;

/// <summary>Who has room: seen, held, booked, moved, refused.</summary>
[Collection(Demo.Collection)]
public sealed class CapacityPages(Demo demo)
{
    private static readonly Date s_monday = new() { Year = 2026, Month = 1, Day = 12 };

    [Fact]
    public async Task A_booking_made_through_gRPC_appears_without_a_reload_in_every_browser()
    {
        var agency = await demo.NewAgency();
        var (one, other) = (await demo.Open(agency.Key, "/capacity?from=2026-01-05&weeks=8"), await demo.Open(agency.Key, "/capacity/cmo-001/2026-01-12"));
        var cell = one.GetByRole(AriaRole.Link, new() { NameRegex = new("^Cmo 001, 2026-W03:") });
        await Expect(cell).ToHaveTextAsync("32");
        await Expect(other.Locator("[data-figure=booked]")).ToHaveTextAsync("0 h");

        await agency.Book("cmo-001", 12, s_monday);

        await Expect(cell).ToHaveTextAsync("20");
        await Expect(other.Locator("[data-figure=booked]")).ToHaveTextAsync("12 h");
        await Expect(other.Locator("table tbody tr")).ToHaveCountAsync(1);
    }

    [Fact]
    public async Task What_is_booked_on_one_page_is_seen_on_another()
    {
        var agency = await demo.NewAgency();
        var (one, other) = (await demo.Open(agency.Key, "/capacity/cmo-001/2026-01-12"), await demo.Open(agency.Key, "/capacity?from=2026-01-05&weeks=8"));
        await one.GetByLabel("Client company").SelectOptionAsync("Client 1");
        await one.GetByLabel("Hours a week").FillAsync("8");
        await one.GetByRole(AriaRole.Button, new() { Name = "Hold for two days" }).ClickAsync();

        await Expect(one.Locator("[data-figure=held]")).ToHaveTextAsync("8 h");
        await Expect(other.GetByRole(AriaRole.Link, new() { NameRegex = new("^Cmo 001, 2026-W03:") })).ToHaveTextAsync("24");

        await one.GetByRole(AriaRole.Button, new() { Name = "Confirm" }).ClickAsync();
        await Expect(one.Locator("[data-figure=booked]")).ToHaveTextAsync("8 h");
        await Expect(one.Locator("[data-figure=held]")).ToHaveTextAsync("0 h");
    }

    [Fact]
    public async Task A_refused_booking_says_why_and_offers_what_fits()
    {
        var agency = await demo.NewAgency();
        await agency.Book("cmo-001", 30, s_monday, new Date { Year = 2026, Month = 2, Day = 2 });
        var page = await demo.Open(agency.Key, "/capacity/cmo-001/2026-01-12");
        await page.GetByLabel("Client company").SelectOptionAsync("Client 2");
        await page.GetByLabel("Hours a week").FillAsync("10");
        await page.GetByRole(AriaRole.Button, new() { Name = "Book", Exact = true }).ClickAsync();

        var refusal = page.Locator(".refusal");
        await Expect(refusal).ToHaveAttributeAsync("data-reason", "CAPACITY_EXCEEDED");
        await Expect(refusal).ToContainTextAsync("2026-W03 (8 h)");
        await Expect(refusal.GetByRole(AriaRole.Link, new() { Name = "Ask Cmo 002" })).ToBeVisibleAsync();
        Assert.Single((await agency.Platform.Capacity.ListBookingsAsync(new() { Parent = $"{agency.Name}/cmos/cmo-001" })).Bookings);

        // The Friday on which a part of the week's hours fits, by one press; then it is booked.
        await refusal.GetByRole(AriaRole.Button, new() { NameRegex = new("^Start on") }).ClickAsync();
        await Expect(page.GetByText("It fits.")).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Book", Exact = true }).ClickAsync();
        await Expect(page.GetByText("Booked.")).ToBeVisibleAsync();
        var booked = (await agency.Platform.Capacity.ListBookingsAsync(new() { Parent = $"{agency.Name}/cmos/cmo-001" })).Bookings.Single(b => b.ClientCompany.EndsWith("client-2", StringComparison.Ordinal));
        Assert.Equal(new Date { Year = 2026, Month = 1, Day = 30 }, booked.Steps[0].StartDate);
    }

    [Fact]
    public async Task A_refused_move_says_why_and_the_booking_stands()
    {
        var agency = await demo.NewAgency();
        await agency.Book("cmo-001", 30, s_monday, new Date { Year = 2026, Month = 1, Day = 19 });
        await agency.Book("cmo-001", 10, new Date { Year = 2026, Month = 1, Day = 19 }, new Date { Year = 2026, Month = 1, Day = 26 }, "client-2");
        var page = await demo.Open(agency.Key, "/capacity/cmo-001/2026-01-19");
        await page.GetByRole(AriaRole.Button, new() { Name = "Change" }).ClickAsync();
        var dialog = page.GetByRole(AriaRole.Dialog);
        await dialog.GetByLabel("First day").FillAsync("2026-01-12");
        await dialog.GetByLabel("Last day").FillAsync("2026-01-18");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Change" }).ClickAsync();

        await Expect(dialog.Locator(".problem")).ToHaveAttributeAsync("data-reason", "CAPACITY_EXCEEDED");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Leave it" }).ClickAsync();
        await Expect(page.Locator("[data-figure=booked]")).ToHaveTextAsync("10 h");

        // Moved by a week instead, it is gone from this one.
        await Expect(dialog).ToHaveCountAsync(0);
        await page.GetByRole(AriaRole.Button, new() { Name = "Change" }).ClickAsync();
        await dialog.GetByLabel("First day").FillAsync("2026-01-26");
        await dialog.GetByLabel("Last day").FillAsync("2026-02-01");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Change" }).ClickAsync();
        await Expect(page.Locator("[data-figure=booked]")).ToHaveTextAsync("0 h");
    }

    [Fact]
    public async Task Two_hundred_CMOs_by_a_year_are_scrolled_through_with_few_rows_on_the_page_and_the_keyboard()
    {
        var agency = await demo.NewAgency(cmos: 200, clients: 1);
        var page = await demo.Open(agency.Key, "/capacity?from=2026-01-05&weeks=52");
        await Expect(page.GetByText("200 of 200 CMOs")).ToBeVisibleAsync();
        var rows = page.Locator(".heat-row:has(a)");
        await Expect(rows.Nth(9)).ToBeAttachedAsync();
        Assert.InRange(await rows.CountAsync(), 10, 60);

        await page.Locator(".heat").EvaluateAsync("grid => grid.scrollTo(0, grid.scrollHeight)");
        await Expect(page.GetByRole(AriaRole.Link, new() { NameRegex = new("^Cmo 200, 2026-W02:") })).ToBeVisibleAsync();
        Assert.InRange(await rows.CountAsync(), 10, 60);

        // From cell to cell with the arrows, and into one with Enter.
        var cell = page.GetByRole(AriaRole.Link, new() { NameRegex = new("^Cmo 200, 2026-W02:") });
        await cell.FocusAsync();
        await page.Keyboard.PressAsync("ArrowRight");
        await page.Keyboard.PressAsync("ArrowUp");
        await Expect(page.Locator(":focus")).ToHaveAttributeAsync("aria-label", new System.Text.RegularExpressions.Regex("^Cmo 199, 2026-W03:"));
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.Locator("h1")).ToHaveTextAsync("Cmo 199, 2026-W03");

        // Found by name.
        await Demo.Go(page, "/capacity?from=2026-01-05&weeks=52");
        await page.GetByLabel("Name contains").FillAsync("Cmo 15");
        await Expect(page.GetByText("10 of 200 CMOs")).ToBeVisibleAsync();
    }
}
