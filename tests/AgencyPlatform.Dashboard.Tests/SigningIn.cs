using System.Net;
using AgencyPlatform.Host.Tests;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;
using Date = Google.Type.Date;

namespace AgencyPlatform.Dashboard.Tests;

/// <summary>Who comes in, what they see, and what becomes of an open page.</summary>
[Collection(Demo.Collection)]
public sealed class SigningIn(Demo demo) : IAsyncLifetime
{
    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => demo.ClosePages();

    [Fact]
    public async Task A_bad_key_is_refused_in_words_and_a_good_one_leads_to_where_one_wanted()
    {
        var agency = await demo.NewAgency();
        var page = await demo.OpenAsStranger("/capacity?weeks=13");
        await Expect(page).ToHaveURLAsync(new System.Text.RegularExpressions.Regex("/sign-in"));

        foreach (var (key, says) in new[] { ("nonsense", "begins with apk_"), (agency.Key + "x", "not known") })
        {
            await page.GetByLabel("API key").FillAsync(key);
            await page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
            await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync(says);
        }

        await page.GetByLabel("API key").FillAsync(agency.Key);
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        await Expect(page.Locator("h1")).ToHaveTextAsync("Capacity");
        await Expect(page).ToHaveURLAsync(new System.Text.RegularExpressions.Regex(@"/capacity\?weeks=13$"));

        await page.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await Expect(page).ToHaveURLAsync(new System.Text.RegularExpressions.Regex("/sign-in"));
        await page.GotoAsync("/capacity");
        await Expect(page).ToHaveURLAsync(new System.Text.RegularExpressions.Regex("/sign-in"));
    }

    [Fact]
    public async Task An_address_that_no_page_has_is_answered_in_a_sentence_and_a_program_s_bare()
    {
        var page = await demo.Open(demo.Keys["admin"]);
        var answer = await page.GotoAsync("/nowhere");
        Assert.Equal(404, answer!.Status);
        await Expect(page.Locator("h1")).ToHaveTextAsync("Nothing is here");
        await page.GetByRole(AriaRole.Link, new() { Name = "Go to the overview" }).ClickAsync();
        await Demo.Ready(page);

        using var http = new HttpClient { BaseAddress = demo.Pages };
        using var bare = await http.GetAsync("/nowhere");
        Assert.Equal((HttpStatusCode.NotFound, ""), (bare.StatusCode, await bare.Content.ReadAsStringAsync()));
    }

    [Fact]
    public async Task Nobody_is_led_to_another_site()
    {
        var agency = await demo.NewAgency();
        foreach (var to in new[] { "//example.com", "/\\example.com", "https://example.com" })
        {
            var page = await SignIn(agency.Key, to);
            Assert.Equal(demo.Pages.Authority, new Uri(page.Url).Authority);
        }
    }

    [Fact]
    public async Task An_address_may_try_twenty_times_a_minute_and_others_meanwhile()
    {
        // Loopback has more than one address; these are nobody else's here.
        using HttpClient one = Demo.From("127.0.7.1", demo.Pages), other = Demo.From("127.0.7.2", demo.Pages);
        for (var i = 0; i < 20; i++)
        {
            Assert.Contains("begins with apk_", await Says(one), StringComparison.Ordinal);
        }

        using var refused = await Demo.SignIn(one, "nonsense");
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.Contains("begins with apk_", await Says(other), StringComparison.Ordinal);

        // Looking at the page is no try.
        using var page = await one.GetAsync("/sign-in");
        Assert.Equal(HttpStatusCode.OK, page.StatusCode);

        static async Task<string> Says(HttpClient http)
        {
            using var answer = await Demo.SignIn(http, "nonsense");
            return await answer.Content.ReadAsStringAsync();
        }
    }

    [Fact]
    public async Task The_key_is_nowhere_that_a_script_reads()
    {
        var agency = await demo.NewAgency();
        var page = await SignIn(agency.Key, "/");
        Assert.Equal("", await page.EvaluateAsync<string>("document.cookie"));
        Assert.DoesNotContain(agency.Key, await page.ContentAsync(), StringComparison.Ordinal);
        Assert.All(await page.Context.CookiesAsync(), c => Assert.DoesNotContain(agency.Key.Split('_')[^1], c.Value, StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_open_page_says_that_the_server_is_away_and_catches_up_when_it_is_back()
    {
        using var folder = new TempFolder();
        var host = await HostProcess.Serve(folder.Path);
        try
        {
            var agency = await demo.NewAgency(grpc: host.Grpc);
            var page = await demo.Open(agency.Key, "/capacity/cmo-001/2026-01-12", at: host.Http);
            await Expect(page.Locator("[data-figure=booked]")).ToHaveTextAsync("0 h");
            await host.Kill();
            await Expect(page.Locator("#components-reconnect-modal")).ToBeVisibleAsync();

            var again = await HostProcess.Serve(folder.Path, host);
            host.Dispose();
            host = again;
            await agency.Book("cmo-001", 6, new Date { Year = 2026, Month = 1, Day = 12 });
            await Expect(page.Locator("[data-figure=booked]")).ToHaveTextAsync("6 h", new() { Timeout = 60_000 });

            // And it is live again.
            await agency.Book("cmo-001", 2, new Date { Year = 2026, Month = 1, Day = 12 }, client: "client-2");
            await Expect(page.Locator("[data-figure=booked]")).ToHaveTextAsync("8 h");
        }
        finally
        {
            host.Dispose();
        }
    }

    private async Task<IPage> SignIn(string key, string to)
    {
        var page = await demo.OpenAsStranger($"/sign-in?to={Uri.EscapeDataString(to)}");
        await page.GetByLabel("API key").FillAsync(key);
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        await Demo.Ready(page);
        return page;
    }
}
