using System.Globalization;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;
using Date = Google.Type.Date;

namespace AgencyPlatform.Dashboard.Tests;

/// <summary>What the agency sees first.</summary>
[Collection(Demo.Collection)]
public sealed class OverviewPages(Demo demo) : IAsyncLifetime
{
    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => demo.ClosePages();

    [Fact]
    public async Task The_ticker_has_what_was_before_the_page_and_what_comes_with_no_gap_and_each_once()
    {
        var agency = await demo.NewAgency();
        var before = await Last(agency);

        // All the while the page opens, and after.
        using var opened = new CancellationTokenSource();
        var booking = Task.Run(async () =>
        {
            for (var (i, after) = (0, 0); i < 30 && after < 3; i++, after += opened.IsCancellationRequested ? 1 : 0)
            {
                await agency.Book("cmo-001", 1, new Date { Year = 2026, Month = 1, Day = 12 });
            }
        });
        var page = await demo.Open(agency.Key);
        await page.Locator(".ticker li").First.WaitForAsync();
        await opened.CancelAsync();
        await booking;

        var last = await Last(agency);
        Assert.True(before > 3 && last > before + 3, $"{before} events before, {last} after");
        await Expect(page.Locator(".ticker li").First).ToContainTextAsync($"#{last} ");
        var shown = (await page.Locator(".ticker li > span:first-child").AllInnerTextsAsync()).Select(n => long.Parse(n.TrimStart('#'), CultureInfo.InvariantCulture));
        Assert.Equal(Enumerable.Range(0, (int)Math.Min(last, 50)).Select(i => last - i), shown);
    }

    private static async Task<long> Last(Agency agency) => (await agency.Platform.Events.ListEventsAsync(new() { Parent = agency.Name, Newest = 1 })).Events.Single().Sequence;
}
