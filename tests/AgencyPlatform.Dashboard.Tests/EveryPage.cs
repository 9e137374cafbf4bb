using AgencyPlatform.Protocol.Billing.V1;
using Deque.AxeCore.Commons;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;

namespace AgencyPlatform.Dashboard.Tests;

/// <summary>What is true of every page: it can be read by everybody, on every screen.</summary>
[Collection(Demo.Collection)]
public sealed class EveryPage(Demo demo) : IAsyncLifetime
{
    /// <summary>What reaches beyond the window, outside of what scrolls by itself.</summary>
    private const string Widest = "[...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('.scroll, .heat')).map(e => e.tagName + '.' + e.className).slice(0, 5).join(', ')";

    private const string IsDark = "document.documentElement.classList.contains('dark')";

    /// <summary>Every rule; only what is wrong need be told of.</summary>
    private static readonly AxeRunOptions s_rules = new() { ResultTypes = new HashSet<ResultType> { ResultType.Violations } };

    /// <summary>In other colours the page is the same: only these rules can find something else.</summary>
    private static readonly AxeRunOptions s_rulesOfColour = new() { ResultTypes = s_rules.ResultTypes, RunOnly = new RunOnlyOptions { Type = "rule", Values = ["color-contrast", "link-in-text-block"] } };

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => demo.ClosePages();

    /// <summary>Every page, and whose key of the demo opens it.</summary>
    public static TheoryData<string, string, string> Pages => new()
    {
        { "overview", "admin", "/" },
        { "capacity", "admin", "/capacity?from=2026-01-05&weeks=26" },
        { "capacity-of-a-cmo", "admin", "/capacity?from=2026-01-05&weeks=13&cmo=cmo-01" },
        { "capacity-week", "admin", "/capacity/cmo-01/2026-02-09" },
        { "engagements", "admin", "/engagements" },
        { "engagement", "admin", "/engagements/engagement-01" },
        { "change-of-scope", "admin", "/engagements/engagement-01/change" },
        { "engagement-of-client", "client", "/client" },
        { "week-of-time", "cmo", "/time" },
        { "approvals", "admin", "/approvals" },
        { "cmo", "cmo", "/me" },
        { "billing", "finance", "/billing" },
        { "billing-run", "finance", "/billing/runs/{run}" },
        { "invoices", "finance", "/billing/invoices" },
        { "invoice", "finance", "/billing/invoices/{invoice}" },
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
        var address = await Address(path);

        // A desk's page and a phone's are loaded; the rest is looked at on them.
        foreach (var looks in new[] { new[] { (1440, false), (1024, false), (1440, true) }, [(390, true), (390, false)] })
        {
            var page = await demo.Open(demo.Keys[who], address, looks[0].Item1);
            foreach (var (width, dark) in looks)
            {
                await Look(page, width, dark);
                await Check(page, name, width, dark);
            }

            await demo.ClosePages();
        }
    }

    private static async Task Look(IPage page, int width, bool dark)
    {
        await page.SetViewportSizeAsync(width, 900);
        if (await page.EvaluateAsync<bool>(IsDark) != dark)
        {
            await page.GetByRole(AriaRole.Button, new() { Name = dark ? "Dark colours" : "Light colours" }).ClickAsync();
            await page.WaitForFunctionAsync($"dark => {IsDark} === dark", dark);
        }

        // The menu goes when there is no room for it.
        await page.WaitForFunctionAsync("width => (document.querySelector('.mud-drawer--open') !== null) === (width >= 960)", width);
    }

    private static async Task Check(IPage page, string name, int width, bool dark)
    {
        if (Environment.GetEnvironmentVariable("PICTURES") is { } pictures)
        {
            await page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(pictures, $"{name}-{width}-{(dark ? "dark" : "light")}.png"), Animations = ScreenshotAnimations.Disabled });
        }

        var (content, window) = (await page.EvaluateAsync<int>("document.documentElement.scrollWidth"), await page.EvaluateAsync<int>("window.innerWidth"));
        Assert.True(content <= window, $"{name} at {width}: {content} wide in a window of {window}: {await page.EvaluateAsync<string>(Widest)}");
        Assert.Equal([], await page.Locator(".problem").AllInnerTextsAsync());
        if (width != 1024)
        {
            var serious = (await page.RunAxe(dark ? s_rulesOfColour : s_rules)).Violations.Where(v => v.Impact is "serious" or "critical").ToList();
            Assert.True(
                serious.Count == 0,
                $"{name} at {width}, {(dark ? "dark" : "light")}:\n" + string.Join("\n", serious.Select(v => $"{v.Id}: {v.Help}: {string.Join("; ", v.Nodes.Take(3).Select(n => n.Html))}")));
        }
    }

    /// <summary>With an invoice or a run of the demo, where it names one.</summary>
    private async Task<string> Address(string path)
    {
        if (!path.Contains('{', StringComparison.Ordinal))
        {
            return path;
        }

        using var platform = demo.Platform(demo.Keys["admin"]);
        var invoice = (await platform.Billing.ListInvoicesAsync(new() { Parent = "agencies/demo", PageSize = 1_000 })).Invoices.First(i => i.State == InvoiceState.Paid);
        var run = (await platform.BillingRuns.ListBillingRunsAsync(new() { Parent = "agencies/demo", PageSize = 1_000 })).BillingRuns.First(r => r.Mode == BillingRunMode.Finalize && r.BilledAccounts > 1);
        return path.Replace("{invoice}", invoice.Name.Split('/')[^1], StringComparison.Ordinal).Replace("{run}", run.Name.Split('/')[^1], StringComparison.Ordinal);
    }
}
