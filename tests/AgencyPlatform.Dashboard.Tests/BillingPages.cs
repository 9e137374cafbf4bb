using System.Text.RegularExpressions;
using AgencyPlatform.Client;
using AgencyPlatform.Protocol.Billing.V1;
using AgencyPlatform.Protocol.Type.V1;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;
using Date = Google.Type.Date;

namespace AgencyPlatform.Dashboard.Tests;

/// <summary>The month is billed, looked at, paid and closed.</summary>
[Collection(Demo.Collection)]
public sealed class BillingPages(Demo demo) : IAsyncLifetime
{
    private const string Agency = "agencies/demo";

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => demo.ClosePages();

    [Fact]
    public async Task What_a_preview_says_is_billed_to_the_cent_and_an_invoice_of_it_is_paid_in_two_parts()
    {
        using var platform = demo.Platform(demo.Keys["admin"]);
        var page = await demo.Open(demo.Keys["admin"], "/billing");
        await page.GetByLabel("Bill to", new() { Exact = true }).FillAsync("2026-04-01");
        await page.GetByRole(AriaRole.Button, new() { Name = "Preview" }).ClickAsync();
        await Expect(page.Locator("h1 .chip")).ToHaveTextAsync("done");
        var total = await page.Locator("[data-figure=total] local-amount").GetAttributeAsync("minor");
        var before = await Final(platform);

        await page.GetByRole(AriaRole.Button, new() { NameRegex = new("^Finalise") }).ClickAsync();
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Finalise" }).ClickAsync();
        await Expect(page.Locator("h1")).ToContainTextAsync("Billing run to");
        await Expect(page.Locator("h1 .chip")).ToHaveTextAsync("done");
        await Expect(page.Locator("[data-figure=total] local-amount")).ToHaveAttributeAsync("minor", total!);
        var billed = int.Parse(await page.Locator("[data-figure=billed]").InnerTextAsync(), System.Globalization.CultureInfo.InvariantCulture);
        Assert.InRange(billed, 1, 100);
        Assert.Equal(before + billed, await Final(platform));

        // An invoice of it: half is paid, then the rest. The same reference twice is refused in words.
        await page.Locator("tr[data-client]").Filter(new() { HasText = "invoice" }).First.GetByRole(AriaRole.Link, new() { Name = "Open", Exact = true }).ClickAsync();
        await Expect(page.Locator("h1 .chip")).ToHaveTextAsync("open");
        var (half, reference) = ("100.00", $"half-{Guid.CreateVersion7():n}");
        await Pay(page, half, reference);
        await Expect(page.Locator("h1 .chip")).ToHaveTextAsync("partly paid");
        await Pay(page, "100.01", reference, refused: "PAYMENT_REFERENCE_USED");
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Leave it" }).ClickAsync();
        await Pay(page, null, $"rest-{reference}");
        await Expect(page.Locator("h1 .chip")).ToHaveTextAsync("settled");
        var settled = page.GetByRole(AriaRole.Table, new() { Name = "What settled it" }).Locator("tbody tr");
        await Expect(settled).ToHaveCountAsync(2);

        // The first one bounces.
        await settled.Filter(new() { HasText = reference }).First.GetByRole(AriaRole.Button, new() { Name = "Reverse" }).ClickAsync();
        await page.GetByRole(AriaRole.Dialog).GetByLabel("Why").FillAsync("Returned by the bank");
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Reverse" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Dialog)).ToHaveCountAsync(0);
        await Expect(page.Locator("h1 .chip")).ToHaveTextAsync("partly paid");
        await Expect(settled).ToHaveCountAsync(3);
        await Expect(settled.GetByRole(AriaRole.Button, new() { Name = "Reverse" })).ToHaveCountAsync(1);
    }

    [Fact]
    public async Task What_a_client_paid_too_much_is_refunded_and_no_more_than_that_and_comes_back()
    {
        using var platform = demo.Platform(demo.Keys["admin"]);
        var entity = (await platform.Agencies.ListLegalEntitiesAsync(new() { Parent = Agency })).LegalEntities[0];
        var client = $"refund-{Guid.CreateVersion7():n}"[..30];
        await platform.Clients.CreateClientCompanyAsync(new() { Parent = Agency, ClientCompanyId = client, ClientCompany = new() { DisplayName = "Overpaid", TimeZone = entity.TimeZone } });
        await platform.Billing.RecordPaymentAsync(new RecordPaymentRequest
        {
            Parent = Agency,
            ClientCompany = $"{Agency}/clientCompanies/{client}",
            LegalEntity = entity.Name,
            Currency = "USD",
            Amount = new Money { MinorUnits = 5_000, Currency = "USD" },
            ReceivedDate = new Date { Year = 2026, Month = 1, Day = 5 },
            Reference = client,
        });

        var page = await demo.Open(demo.Keys["finance"], $"/billing/statement/{client}?from=2026-01-01");
        await page.GetByRole(AriaRole.Button, new() { Name = "Refund it" }).ClickAsync();
        var dialog = page.GetByRole(AriaRole.Dialog);
        await Expect(dialog.GetByLabel("Amount, USD")).ToHaveValueAsync("50.00");
        await dialog.GetByLabel("Amount, USD").FillAsync("50.01");
        await dialog.GetByLabel("Reference of the bank").FillAsync($"{client}-back");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Record the refund" }).ClickAsync();
        await Expect(dialog.Locator(".problem")).ToHaveAttributeAsync("data-reason", "CREDIT_TOO_LOW");
        await dialog.GetByLabel("Amount, USD").FillAsync("20");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Record the refund" }).ClickAsync();
        await Expect(dialog).ToHaveCountAsync(0);
        await Expect(page.Locator(".panel local-amount[minor='3000']").First).ToBeVisibleAsync();

        await page.Locator("tr").Filter(new() { HasText = "Refund" }).GetByRole(AriaRole.Button, new() { Name = "Reverse" }).ClickAsync();
        await dialog.GetByLabel("Why").FillAsync("Wrong account");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Reverse" }).ClickAsync();
        await Expect(page.GetByText("Refund reversed")).ToBeVisibleAsync();
        Assert.Equal(5_000, (await platform.Billing.ListBillingAccountsAsync(new() { Parent = Agency, ClientCompany = $"{Agency}/clientCompanies/{client}" })).BillingAccounts.Single().CreditAmount.MinorUnits);
    }

    [Fact]
    public async Task CMOs_are_paid_what_they_are_owed_one_in_part_then_all_and_a_payout_comes_back()
    {
        // Two who are owed something, whatever else was paid: theirs came back.
        using var platform = demo.Platform(demo.Keys["admin"]);
        var payouts = (await platform.Payables.ListPayoutsAsync(new() { Parent = Agency, PageSize = 1_000 })).Payouts;
        foreach (var back in payouts.Where(p => p.ReverseDate is null).DistinctBy(p => p.Cmo).Take(2))
        {
            await platform.Payables.ReversePayoutAsync(new() { Name = back.Name, ReverseDate = back.PayDate, Reason = "Returned by the bank" });
        }

        var page = await demo.Open(demo.Keys["finance"], "/billing/payouts");
        var reference = $"run-{Guid.CreateVersion7():n}";
        await page.GetByLabel("Earned through").FillAsync("2026-03-31");
        await page.GetByLabel("Reference of the bank or payroll").FillAsync(reference);
        await page.GetByRole(AriaRole.Button, new() { Name = "Who is owed what" }).ClickAsync();
        var owed = page.GetByRole(AriaRole.Table, new() { Name = "Who would be paid" }).Locator("tbody tr");
        await owed.First.WaitForAsync();
        var (cmo, count) = (await owed.First.GetAttributeAsync("data-owed"), await owed.CountAsync());
        var before = long.Parse((await owed.First.Locator("local-amount").GetAttributeAsync("minor"))!, System.Globalization.CultureInfo.InvariantCulture);

        // More than they have earned is refused.
        var one = page.Locator($"[data-owed={cmo}]");
        await one.GetByRole(AriaRole.Button, new() { Name = "Record a payout" }).ClickAsync();
        var dialog = page.GetByRole(AriaRole.Dialog);
        await dialog.GetByLabel("Amount, USD").FillAsync("1000000");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Record a payout" }).ClickAsync();
        await Expect(dialog.Locator(".problem")).ToHaveAttributeAsync("data-reason", "PAYOUT_EXCEEDS_PAYABLE");
        await dialog.GetByLabel("Amount, USD").FillAsync("1");
        await dialog.GetByLabel("Reference of the bank or payroll").FillAsync($"{reference}-part");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Record a payout" }).ClickAsync();
        await Expect(dialog).ToHaveCountAsync(0);
        await Expect(one.Locator("local-amount")).ToHaveAttributeAsync("minor", (before - 100).ToString(System.Globalization.CultureInfo.InvariantCulture));

        await page.GetByRole(AriaRole.Button, new() { NameRegex = new("^Pay all") }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Table, new() { Name = "Who was paid" }).GetByText("paid", new() { Exact = true })).ToHaveCountAsync(count);
        await page.GetByRole(AriaRole.Button, new() { Name = "Who is owed what" }).ClickAsync();
        await Expect(page.Locator(".problem")).ToHaveAttributeAsync("data-reason", "NOTHING_TO_PAY");

        var payout = page.Locator($"[data-payout='{reference}-{cmo}']");
        await payout.GetByRole(AriaRole.Button, new() { Name = "Came back" }).ClickAsync();
        await dialog.GetByLabel("Why").FillAsync("The account was closed");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Came back" }).ClickAsync();
        await Expect(payout).ToContainTextAsync("came back");
        await page.GetByRole(AriaRole.Button, new() { Name = "Who is owed what" }).ClickAsync();
        await Expect(owed).ToHaveCountAsync(1);
    }

    [Fact]
    public async Task An_invoice_says_of_each_line_why_and_is_downloaded_as_PDF_UBL_and_CSV()
    {
        var page = await demo.Open(demo.Keys["admin"], "/billing/invoices?state=settled");
        await page.GetByRole(AriaRole.Table).GetByRole(AriaRole.Link).First.ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { NameRegex = new("^Why this amount") }).First.ClickAsync();
        await Expect(page.Locator("[data-why] li").First).ToBeVisibleAsync();
        foreach (var (button, begins) in new[] { ("PDF", "%PDF"), ("UBL", "<?xml"), ("CSV", "document_number") })
        {
            var download = await page.RunAndWaitForDownloadAsync(() => page.GetByRole(AriaRole.Button, new() { Name = button, Exact = true }).ClickAsync());
            using var file = new StreamReader(await download.CreateReadStreamAsync());
            Assert.StartsWith(begins, (await file.ReadToEndAsync()).TrimStart('\uFEFF'), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_client_sees_its_own_invoices_and_can_only_read_them()
    {
        using var platform = demo.Platform(demo.Keys["client"]);
        var own = (await platform.Billing.ListInvoicesAsync(new ListInvoicesRequest { Parent = Agency, PageSize = 1_000 })).Invoices;
        var page = await demo.Open(demo.Keys["client"], "/billing/invoices");
        await Expect(page.Locator("tr[data-invoice]")).ToHaveCountAsync(own.Count);
        await page.Locator("tr[data-invoice] a").First.ClickAsync();
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "PDF", Exact = true })).ToBeVisibleAsync();
        Assert.Equal(0, await page.GetByRole(AriaRole.Button, new() { NameRegex = new("payment|Credit|Write off|Finalise") }).CountAsync());

        // Another client's is not there.
        using var admin = demo.Platform(demo.Keys["admin"]);
        var other = (await admin.Billing.ListInvoicesAsync(new ListInvoicesRequest { Parent = Agency, PageSize = 1_000 })).Invoices.First(i => i.ClientCompany != own[0].ClientCompany);
        await Demo.Go(page, $"/billing/invoices/{other.Name.Split('/')[^1]}");
        await Expect(page.Locator(".problem")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task The_trial_balance_sums_to_zero_and_a_posting_says_why()
    {
        var page = await demo.Open(demo.Keys["admin"], "/billing/ledger");
        await Expect(page.Locator("[data-figure=sum-USD]")).ToContainTextAsync("sums to zero");
        await page.GetByRole(AriaRole.Link, new() { Name = "Revenue", Exact = true }).ClickAsync();
        await Expect(page.Locator("h1")).ToHaveTextAsync("Revenue");
        await page.GetByRole(AriaRole.Button, new() { NameRegex = new("^Why") }).First.ClickAsync();
        await Expect(page.Locator("[data-why] li").First).ToBeVisibleAsync();
    }

    private static async Task<int> Final(AgencyPlatformClient platform) =>
        (await platform.Billing.ListInvoicesAsync(new ListInvoicesRequest { Parent = Agency, PageSize = 1_000 })).Invoices.Count(i => i.Number > 0);

    private static async Task Pay(IPage page, string? amount, string reference, string? refused = null)
    {
        await page.GetByRole(AriaRole.Button, new() { Name = "Record a payment" }).ClickAsync();
        var dialog = page.GetByRole(AriaRole.Dialog);
        if (amount is not null)
        {
            await dialog.GetByLabel(new Regex("^Amount")).FillAsync(amount);
        }

        await dialog.GetByLabel("Reference of the bank").FillAsync(reference);
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Record the payment" }).ClickAsync();
        if (refused is not null)
        {
            await Expect(dialog.Locator(".problem")).ToHaveAttributeAsync("data-reason", refused);
        }
        else
        {
            await Expect(dialog).ToHaveCountAsync(0);
        }
    }
}
