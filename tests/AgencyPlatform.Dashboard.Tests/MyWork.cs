using System.Net;
using System.Text;
using AgencyPlatform.Protocol.Agencies.V1;
using AgencyPlatform.Protocol.Calendars.V1;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace AgencyPlatform.Dashboard.Tests;

/// <summary>A CMO's own page.</summary>
[Collection(Demo.Collection)]
public sealed class MyWork(Demo demo)
{
    [Fact]
    public async Task A_calendar_link_is_made_shown_once_and_revoked()
    {
        var (agency, page) = await Open();
        await page.GetByLabel("Where it is used").FillAsync("Phone");
        await page.GetByRole(AriaRole.Button, new() { Name = "Make a link" }).ClickAsync();
        var address = await page.GetByLabel("Address of the calendar").InputValueAsync();

        Assert.StartsWith($"{demo.Pages}calendars/apk_", address, StringComparison.Ordinal);
        using var http = new HttpClient();
        using var calendar = await http.GetAsync(address);
        Assert.Equal((HttpStatusCode.OK, "text/calendar"), (calendar.StatusCode, calendar.Content.Headers.ContentType!.MediaType));
        await page.ReloadAsync();
        await Demo.Ready(page);
        await Expect(page.GetByLabel("Address of the calendar")).ToHaveCountAsync(0);

        await page.GetByRole(AriaRole.Button, new() { Name = "Revoke the link Phone" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Revoke it" }).ClickAsync();

        await Expect(page.Locator("[data-link]")).ToHaveCountAsync(0);
        Assert.True((await agency.Platform.Calendars.ListCalendarLinksAsync(new ListCalendarLinksRequest { Parent = agency.Name })).CalendarLinks.Single().Revoked);
        await page.Context.DisposeAsync();
    }

    [Fact]
    public async Task A_calendar_file_is_imported_and_what_is_wrong_with_another_is_said()
    {
        var (_, page) = await Open();
        var file = page.GetByLabel("From a calendar file (.ics)");
        var import = page.GetByRole(AriaRole.Button, new() { Name = "Import" });
        const string Skiing = "BEGIN:VEVENT\r\nUID:ski\r\nDTSTART;VALUE=DATE:20260202\r\nDTEND;VALUE=DATE:20260204\r\nEND:VEVENT\r\n";
        await file.SetInputFilesAsync(Of(Skiing));
        await import.ClickAsync();
        await Expect(page.GetByText("1 added")).ToBeVisibleAsync();
        await Expect(page.Locator("[data-off]")).ToHaveCountAsync(1);

        await file.SetInputFilesAsync(Of(Skiing + "BEGIN:VEVENT\r\nUID:never\r\nEND:VEVENT\r\n"));
        await import.ClickAsync();
        await Expect(page.Locator(".problem[data-reason]")).ToContainTextAsync("line 7: the event must have one DTSTART");
        await Expect(page.Locator("[data-off]")).ToHaveCountAsync(1);
        await page.Context.DisposeAsync();

        static FilePayload Of(string events) => new() { Name = "off.ics", MimeType = "text/calendar", Buffer = Encoding.UTF8.GetBytes($"BEGIN:VCALENDAR\r\n{events}END:VCALENDAR\r\n") };
    }

    private async Task<(Agency Agency, IPage Page)> Open()
    {
        var agency = await demo.NewAgency();
        var key = await agency.Platform.Agencies.CreateApiKeyAsync(new CreateApiKeyRequest
        {
            Parent = agency.Name,
            ApiKey = new ApiKey { DisplayName = "Hers", Roles = { Role.Cmo }, Cmo = $"{agency.Name}/cmos/cmo-001" },
        });
        return (agency, await demo.Open(key.Key, "/me"));
    }
}
