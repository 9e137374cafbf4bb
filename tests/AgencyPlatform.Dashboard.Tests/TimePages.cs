using AgencyPlatform.Client;
using AgencyPlatform.Protocol.Engagements.V1;
using AgencyPlatform.Protocol.Time.V1;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;
using Date = Google.Type.Date;

namespace AgencyPlatform.Dashboard.Tests;

/// <summary>Time from a CMO's week to the client's meter.</summary>
[Collection(Demo.Collection)]
public sealed class TimePages(Demo demo) : IAsyncLifetime
{
    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => demo.ClosePages();

    [Fact]
    public async Task What_is_approved_moves_the_meter_on_an_open_page()
    {
        using var platform = new AgencyPlatformClient(new AgencyPlatformClientOptions { Address = demo.Api, ApiKey = demo.Keys["admin"] });
        var today = (await platform.Agencies.GetAgencyAsync(new() { Name = "agencies/demo" })).Clock.ToDateTime();
        var engagement = (await platform.Engagements.ListEngagementsAsync(new ListEngagementsRequest { Parent = "agencies/demo", Cmo = "agencies/demo/cmos/cmo-01", State = EngagementState.Active, PageSize = 100 }))
            .Engagements.First(e => e.Terms[^1].Retainer is not null).Name;
        var week = $"{System.Globalization.ISOWeek.GetYear(today):0000}-w{System.Globalization.ISOWeek.GetWeekOfYear(today):00}";
        var sheet = $"agencies/demo/cmos/cmo-01/timesheets/{week}";
        var meter = await demo.Open(demo.Keys["admin"], $"/engagements/{engagement.Split('/')[^1]}");
        var gauge = meter.Locator("[data-meter]").First;
        var before = await gauge.GetAttributeAsync("data-meter");

        using var cmo = new AgencyPlatformClient(new AgencyPlatformClientOptions { Address = demo.Api, ApiKey = demo.Keys["cmo"] });
        await cmo.Time.LogTimeAsync(new LogTimeRequest
        {
            Name = sheet,
            Entries = { new TimeEntry { EntryId = "browser", Engagement = engagement, Date = new Date { Year = today.Year, Month = today.Month, Day = today.Day }, Minutes = 45 } },
        });
        await cmo.Time.SubmitTimesheetAsync(new SubmitTimesheetRequest { Name = sheet });

        var approvals = await demo.Open(demo.Keys["admin"], "/approvals");
        var entry = approvals.Locator($"[data-sheet='{sheet}'] [data-entry=browser]");
        await Expect(entry).ToBeVisibleAsync();
        Assert.Equal(before, await gauge.GetAttributeAsync("data-meter"));
        await entry.GetByRole(AriaRole.Button, new() { NameRegex = new("^Approve") }).ClickAsync();

        await Expect(entry).ToHaveCountAsync(0);
        await Expect(gauge).Not.ToHaveAttributeAsync("data-meter", before!);
    }
}
