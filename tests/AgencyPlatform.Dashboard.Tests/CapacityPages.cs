using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;
using Date = Google.Type.Date;

namespace AgencyPlatform.Dashboard.Tests;

/// <summary>Who has room: seen, held, booked, moved, refused.</summary>
[Collection(Demo.Collection)]
public sealed class CapacityPages(Demo demo) : IAsyncLifetime
{
    private static readonly Date s_monday = new() { Year = 2026, Month = 1, Day = 12 };

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => demo.ClosePages();

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
    public async Task The_mouse_dragged_over_weeks_opens_the_form_with_the_CMO_and_the_weeks()
    {
        var agency = await demo.NewAgency();
        await agency.Book("cmo-002", 30, new Date { Year = 2026, Month = 1, Day = 26 }, new Date { Year = 2026, Month = 2, Day = 2 });
        var page = await demo.Open(agency.Key, "/capacity?from=2026-01-05&weeks=13");
        await Drag(page, Cell(page, "Cmo 001", "W05"), Cell(page, "Cmo 001", "W03"));

        // Backwards, too: from the first week to the last.
        var dialog = page.GetByRole(AriaRole.Dialog);
        await Expect(dialog).ToContainTextAsync("Hold or book Cmo 001");
        await Expect(dialog.GetByLabel("First day")).ToHaveValueAsync("2026-01-12");
        await Expect(dialog.GetByLabel("Last day")).ToHaveValueAsync("2026-02-01");
        await dialog.GetByLabel("Client company").SelectOptionAsync("Client 1");
        await dialog.GetByLabel("Hours a week").FillAsync("8");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Book", Exact = true }).ClickAsync();
        await Expect(dialog).ToHaveCountAsync(0);
        await Expect(Cell(page, "Cmo 001", "W05")).ToHaveTextAsync("24");
        await Expect(Cell(page, "Cmo 001", "W06")).ToHaveTextAsync("32");

        // Refused where it does not fit, with its reason and who else has room, as the form does elsewhere.
        await Drag(page, Cell(page, "Cmo 002", "W04"), Cell(page, "Cmo 002", "W06"));
        await Expect(dialog.GetByLabel("First day")).ToHaveValueAsync("2026-01-19");
        await dialog.GetByLabel("Client company").SelectOptionAsync("Client 2");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Book", Exact = true }).ClickAsync();
        await Expect(dialog.Locator(".refusal")).ToHaveAttributeAsync("data-reason", "CAPACITY_EXCEEDED");
        await dialog.GetByRole(AriaRole.Link, new() { Name = "Ask Cmo 001" }).ClickAsync();
        await Expect(page.Locator("h1")).ToHaveTextAsync("Cmo 001, 2026-W04");
        await Expect(page.GetByLabel("Last day")).ToHaveValueAsync("2026-02-08");

        // A press in one cell is still a way to its week.
        await Demo.Go(page, "/capacity?from=2026-01-05&weeks=13");
        await Cell(page, "Cmo 002", "W03").ClickAsync();
        await Expect(page.Locator("h1")).ToHaveTextAsync("Cmo 002, 2026-W03");
    }

    [Fact]
    public async Task A_booking_dragged_onto_another_week_or_CMO_is_moved_by_a_form_that_says_why_not()
    {
        var agency = await demo.NewAgency(cmos: 3);
        await agency.Book("cmo-001", 12, s_monday, new Date { Year = 2026, Month = 1, Day = 26 });
        await agency.Book("cmo-002", 30, s_monday, new Date { Year = 2026, Month = 3, Day = 2 }, "client-2");
        var page = await demo.Open(agency.Key, "/capacity?from=2026-01-05&weeks=13");
        await page.GetByRole(AriaRole.Button, new() { Name = "Cmo 001" }).ClickAsync();
        var bar = page.GetByRole(AriaRole.Link, new() { NameRegex = new("^Client 1, 12 h a week") });
        await Expect(bar).ToHaveAttributeAsync("aria-label", "Client 1, 12 h a week, 12 Jan 2026 to 25 Jan 2026, booked");

        // Held by its second week, and put down two weeks later.
        var dialog = page.GetByRole(AriaRole.Dialog);
        await Drag(page, bar, Cell(page, "Cmo 001", "W06"), from: 0.75);
        await Expect(dialog.GetByLabel("First day")).ToHaveValueAsync("2026-01-26");
        await Expect(dialog.GetByLabel("Last day")).ToHaveValueAsync("2026-02-08");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Change" }).ClickAsync();
        await Expect(dialog).ToHaveCountAsync(0);
        await Expect(bar).ToHaveAttributeAsync("aria-label", "Client 1, 12 h a week, 26 Jan 2026 to 8 Feb 2026, booked");
        await Expect(Cell(page, "Cmo 001", "W03")).ToHaveTextAsync("32");
        await Expect(Cell(page, "Cmo 001", "W06")).ToHaveTextAsync("20");

        // Onto a CMO who has no room: refused, and it stands; who has room takes it by one press.
        await Drag(page, bar, Cell(page, "Cmo 002", "W05"), from: 0.25);
        await Expect(dialog.GetByLabel("With")).ToHaveValueAsync($"{agency.Name}/cmos/cmo-002");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Change" }).ClickAsync();
        await Expect(dialog.Locator(".problem")).ToHaveAttributeAsync("data-reason", "CAPACITY_EXCEEDED");
        await Expect(Cell(page, "Cmo 001", "W06")).ToHaveTextAsync("20");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Move it to Cmo 003" }).ClickAsync();
        await Expect(dialog).ToHaveCountAsync(0);
        await Expect(Cell(page, "Cmo 001", "W06")).ToHaveTextAsync("32");
        await Expect(Cell(page, "Cmo 003", "W06")).ToHaveTextAsync("20");
        await Expect(page.GetByText("Nothing is booked or held in these weeks.")).ToBeVisibleAsync();
        var moved = (await agency.Platform.Capacity.ListBookingsAsync(new() { Parent = $"{agency.Name}/cmos/-" })).Bookings.Single(b => b.ClientCompany.EndsWith("client-1", StringComparison.Ordinal));
        Assert.Equal((new Date { Year = 2026, Month = 1, Day = 26 }, new Date { Year = 2026, Month = 2, Day = 9 }), (moved.Steps[0].StartDate, moved.Steps[0].EndDate));
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

    private static ILocator Cell(IPage page, string cmo, string week) => page.GetByRole(AriaRole.Link, new() { NameRegex = new($"^{cmo}, 2026-{week}:") });

    /// <param name="from">Where it is held, from its left edge to its right.</param>
    private static async Task Drag(IPage page, ILocator what, ILocator onto, double from = 0.5)
    {
        var (held, put) = ((await what.BoundingBoxAsync())!, (await onto.BoundingBoxAsync())!);
        await page.Mouse.MoveAsync((float)(held.X + held.Width * from), held.Y + held.Height / 2);
        await page.Mouse.DownAsync();
        await page.Mouse.MoveAsync(put.X + put.Width / 2, put.Y + put.Height / 2, new() { Steps = 8 });
        await page.Mouse.UpAsync();
    }
}
