using Deque.AxeCore.Playwright;
using Microsoft.Playwright;

namespace AgencyPlatform.Dashboard.Tests;

/// <summary>What is true of every page: it can be read by everybody, on every screen.</summary>
[Collection(Demo.Collection)]
public sealed class EveryPage(Demo demo)
{
    /// <summary>What reaches beyond the window, outside of what scrolls by itself.</summary>
    private const string Widest = "[...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('.scroll, .heat')).map(e => e.tagName + '.' + e.className).slice(0, 5).join(', ')";

    /// <summary>Every page, and whose key of the demo opens it.</summary>
    public static TheoryData<string, string, string> Pages => new()
    {
        { "overview", "admin", "/" },
        { "capacity", "admin", "/capacity?from=2026-01-05&weeks=26" },
        { "capacity-week", "admin", "/capacity/cmo-01/2026-02-09" },
        { "engagements", "admin", "/engagements" },
        { "engagement", "admin", "/engagements/engagement-01" },
        { "change-of-scope", "admin", "/engagements/engagement-01/change" },
        { "engagement-of-client", "client", "/client" },
        { "week-of-time", "cmo", "/time" },
        { "approvals", "admin", "/approvals" },
        { "cmo", "cmo", "/me" },
        { "billing", "finance", "/billing" },
        { "invoices", "finance", "/billing/invoices" },
        { "receivables", "finance", "/billing/aging" },
        { "statement", "finance", "/billing/statement/client-02?from=2026-01-01" },
        { "ledger", "finance", "/billing/ledger" },
        { "account", "finance", "/billing/ledger/account/Receivable?from=2026-01-01" },
        { "deferred", "finance", "/billing/ledger/deferred" },
        { "closing", "finance", "/billing/ledger/closing" },
        { "margin", "finance", "/billing/margin" },
        { "payouts", "finance", "/billing/payouts" },
        { "own-invoices", "client", "/billing/invoices" },
    };

    /// <summary>Also takes the pictures of the docs, into the folder that PICTURES names.</summary>
    [Theory]
    [MemberData(nameof(Pages))]
    public async Task It_fits_a_desk_a_tablet_and_a_phone_and_axe_finds_nothing_serious_light_and_dark(string name, string who, string path)
    {
        var pictures = Environment.GetEnvironmentVariable("PICTURES");
        var page = await demo.Open(demo.Keys[who], path);
        foreach (var (width, dark) in new[] { (1440, false), (1440, true), (1024, false), (390, false), (390, true) })
        {
            await page.SetViewportSizeAsync(width, 900);
            await page.EvaluateAsync("dark => localStorage.setItem('dark', dark ? 'true' : 'false')", dark);
            await page.ReloadAsync();
            await Demo.Ready(page);
            if (pictures is not null)
            {
                await page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(pictures, $"{name}-{width}-{(dark ? "dark" : "light")}.png"), Animations = ScreenshotAnimations.Disabled });
            }

            var (content, window) = (await page.EvaluateAsync<int>("document.documentElement.scrollWidth"), await page.EvaluateAsync<int>("window.innerWidth"));
            Assert.True(content <= window, $"{name} at {width}: {content} wide in a window of {window}: {await page.EvaluateAsync<string>(Widest)}");
            Assert.Equal([], await page.Locator(".problem").AllInnerTextsAsync());
            if (width != 1024)
            {
                var serious = (await page.RunAxe()).Violations.Where(v => v.Impact is "serious" or "critical").ToList();
                Assert.True(
                    serious.Count == 0,
                    $"{name} at {width}, {(dark ? "dark" : "light")}:\n" + string.Join("\n", serious.Select(v => $"{v.Id}: {v.Help}: {string.Join("; ", v.Nodes.Take(3).Select(n => n.Html))}")));
            }
        }

        await page.Context.DisposeAsync();
    }
}
