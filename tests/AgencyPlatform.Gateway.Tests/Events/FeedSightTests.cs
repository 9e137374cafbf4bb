using AgencyPlatform.Client;
using AgencyPlatform.Domain;
using AgencyPlatform.Grains.Tests.Fixtures;
using AgencyPlatform.Protocol.Agencies.V1;
using AgencyPlatform.Protocol.Clients.V1;
using AgencyPlatform.Protocol.Cmos.V1;
using AgencyPlatform.Protocol.Engagements.V1;
using AgencyPlatform.Protocol.Events.V1;
using Grpc.Core;

namespace AgencyPlatform.Gateway.Tests.Events;

/// <summary>Who hears of which events, over a journal that has every event that there is: the one of the newest release.</summary>
public sealed class FeedSightTests : IAsyncLifetime
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    /// <summary>Of a client's engagements, and of its account, what it is not told.</summary>
    private static readonly string[] s_hiddenFromClients =
    [
        "billing-account.block-credits-told", "billing-account.credit-note-started", "billing-account.credit-refunded", "billing-account.draft-created", "billing-account.draft-discarded",
        "billing-account.draft-refreshed", "billing-account.fees-recognized", "billing-account.finalization-started", "engagement.fees-accrued", "engagement.prepaid-earned", "engagement.time-posted",
    ];

    private static readonly string[] s_hiddenFromCmos = ["cmo.cost-rate-set", "engagement.fees-accrued", "engagement.prepaid-earned", "engagement.time-posted"];

    private readonly PlatformFixture _platform = new(null);
    private TestAgency _harbor = null!;
    private List<Event> _all = null!;

    public async Task InitializeAsync()
    {
        await _platform.InitializeAsync();
        await FixtureJournal.Load(_platform.Services, FixtureJournal.Read(FixtureJournal.Newest));
        _harbor = new TestAgency(_platform, "harbor");
        foreach (var (cmo, client) in new[] { ("ada", ""), ("bob", ""), ("cy", ""), ("", "acme"), ("", "bolt") })
        {
            await _harbor.Key(cmo.Length > 0 ? Role.Cmo : Role.ClientViewer, cmo, client);
        }

        await _harbor.Key(Role.ClientApprover, client: "acme");
        await _harbor.Key(Role.Finance);
        await _harbor.Key(Role.Operations);
        _all = await Listed(await _harbor.Admin());
    }

    public Task DisposeAsync() => _platform.DisposeAsync();

    [Fact]
    public async Task Staff_sees_every_event_that_there_is_whole()
    {
        Assert.Empty(EventJson.Catalogue.Values.Select(e => e.Name).Except(_all.Select(e => e.Type)).Except(["agency-listing.listed"]));
        Assert.Equal(Enumerable.Range(1, _all.Count).Select(i => (long)i), _all.Select(e => e.Sequence));
        Assert.All(_all, e => Assert.NotNull(e.Payload));
        Assert.Equal(_all, await Listed(await _harbor.As(Role.Finance)));
    }

    [Fact]
    public async Task Operations_hears_of_all_that_happens_and_not_what_CMOs_cost_and_are_paid()
    {
        string[] ofCost = ["cmo.cost-rate-set", "cmo.created", "engagement.time-drawn", "engagement.time-posted"];
        var told = await Listed(await _harbor.As(Role.Operations));
        Assert.Equal(_all.Select(e => e.Sequence), told.Select(e => e.Sequence));
        Assert.All(told.Zip(_all), pair =>
        {
            if (ofCost.Contains(pair.First.Type) || pair.First.Kind is "cmo-account" or "payout-run")
            {
                Assert.Equal((null, ""), (pair.First.Payload, pair.First.Actor));
            }
            else
            {
                Assert.Equal(pair.Second, pair.First);
            }
        });
        string[] words = ["costRate", "hourlyMinor", "cost/", "payout"];
        Assert.All(words.SkipLast(1), word => Assert.Contains(_all, e => Mentions(e, word)));
        Assert.All(told, e => Assert.DoesNotContain(words, word => Mentions(e, word)));

        static bool Mentions(Event e, string word) => e.Payload?.ToString().Contains(word, StringComparison.OrdinalIgnoreCase) == true;
    }

    [Theory]
    [InlineData(Role.ClientViewer, "acme", "bolt")]
    [InlineData(Role.ClientApprover, "acme", "bolt")]
    [InlineData(Role.ClientViewer, "bolt", "acme")]
    public async Task A_clients_key_hears_that_something_of_its_client_has_happened_and_of_no_other(Role role, string client, string other)
    {
        var viewer = await _harbor.As(role, client: client);
        var told = await Told(viewer);
        Assert.NotEmpty(told);

        // Whose an engagement is, its creation says.
        var engagements = _all.Where(e => e.Type == "engagement.created").ToDictionary(e => e.AggregateId, e => e.Payload.Fields["client"].StringValue);
        Assert.All(told, e => Assert.Equal(client, Owner(e)));
        Assert.All(told, e => Assert.DoesNotContain(other, e.ToString(), StringComparison.Ordinal));
        var seen = await Readable(viewer);
        Assert.Equal(
            _all.Where(e => Owner(e) == client && (e.Kind != "engagement" || seen.Contains(e.Resource)) && !s_hiddenFromClients.Contains(e.Type)).Select(e => e.Sequence),
            told.Select(e => e.Sequence));

        string? Owner(Event e) => e.Kind switch
        {
            "client" => e.AggregateId,
            "engagement" => engagements[e.AggregateId],
            "billing-account" => e.AggregateId.Split('/')[0],
            _ => null,
        };
    }

    [Theory]
    [InlineData("ada")]
    [InlineData("bob")]
    [InlineData("cy")]
    public async Task A_CMOs_key_hears_that_something_of_theirs_or_of_their_engagements_has_happened(string cmo)
    {
        var own = await _harbor.As(Role.Cmo, cmo);
        var told = await Told(own);
        Assert.NotEmpty(told);
        var seen = await Readable(own);
        Assert.Equal(
            _all.Where(e => (e.Kind switch
            {
                "cmo" => e.AggregateId == cmo,
                "timesheet" or "cmo-account" => e.AggregateId.Split('/')[0] == cmo,
                "engagement" => seen.Contains(e.Resource),
                _ => false,
            }) && !s_hiddenFromCmos.Contains(e.Type)).Select(e => e.Sequence),
            told.Select(e => e.Sequence));
    }

    [Fact]
    public async Task A_client_hears_of_an_engagement_once_it_is_proposed_and_a_watch_tells_it_live()
    {
        using var ends = new CancellationTokenSource(s_patience);
        var admin = await _harbor.Admin();
        var viewer = await _harbor.As(Role.ClientViewer, client: "acme");
        await using var watch = viewer.Watch(new WatchRequest { Parent = _harbor.Name }, ends.Token).GetAsyncEnumerator(ends.Token);
        Assert.True(await watch.MoveNextAsync());

        await admin.Clients.UpdateClientCompanyAsync(new UpdateClientCompanyRequest { ClientCompany = new ClientCompany { Name = _harbor.Name + "/clientCompanies/bolt", Industry = "toys" }, UpdateMask = new() { Paths = { "industry" } } });
        var draft = (await admin.Engagements.GetEngagementAsync(new GetEngagementRequest { Name = _harbor.Name + "/engagements/growth" })).Clone();
        await admin.Engagements.CreateEngagementAsync(new CreateEngagementRequest
        {
            Parent = _harbor.Name,
            EngagementId = "secret",
            Engagement = new Engagement
            {
                ClientCompany = draft.ClientCompany,
                Title = "Secret",
                ServiceType = draft.ServiceType,
                Lead = draft.Lead,
                Members = { new Member { Cmo = draft.Lead, Steps = { draft.Members[0].Steps }, CmoAgreementWaived = true } },
                Terms = { draft.Terms[0] },
                StartDate = draft.StartDate,
                EndDate = draft.Members[0].Steps[^1].EndDate,
            },
        });
        var changed = await admin.Clients.UpdateClientCompanyAsync(new UpdateClientCompanyRequest { ClientCompany = new ClientCompany { Name = _harbor.Name + "/clientCompanies/acme", Industry = "toys" }, UpdateMask = new() { Paths = { "industry" } } });

        WatchResponse message;
        do
        {
            Assert.True(await watch.MoveNextAsync());
            message = watch.Current;
        }
        while (message.Events.Count == 0);
        var told = Assert.Single(message.Events);
        Assert.Equal(("client.profile-changed", changed.Name, changed.Version), (told.Type, told.Resource, told.Version));
        Assert.Equal((null, "", "", ""), (told.Payload, told.Actor, told.RequestId, told.Cause));
    }

    // ---- what the facts are built of ----

    /// <summary>What a bound key lists and what it watches from the beginning is the same, and is told as promised; all of what it is told of it may read.</summary>
    private async Task<List<Event>> Told(AgencyPlatformClient client)
    {
        var told = await Listed(client);
        Assert.All(told, e => Assert.Equal((null, "", "", "", 0), (e.Payload, e.Actor, e.RequestId, e.Cause, e.SchemaVersion)));
        Assert.All(told, e => Assert.Equal(e.Cursor[33..], e.Sequence.ToString(System.Globalization.CultureInfo.InvariantCulture)));
        foreach (var resource in told.Select(e => e.Resource).Where(r => r.Length > 0).Distinct())
        {
            Assert.True(await MayRead(client, resource), resource);
        }

        using var ends = new CancellationTokenSource(s_patience);
        var watched = new List<Event>();
        await foreach (var message in client.Watch(new WatchRequest { Parent = _harbor.Name, After = _all[0].Cursor[..33] + "0" }, ends.Token))
        {
            watched.AddRange(message.Events);
            if (message.Cursor == _all[^1].Cursor)
            {
                break;
            }
        }

        Assert.Equal(told, watched);
        return told;
    }

    private async Task<List<Event>> Listed(AgencyPlatformClient client)
    {
        var (all, page) = (new List<Event>(), new ListEventsResponse());
        do
        {
            page = await client.Events.ListEventsAsync(new ListEventsRequest { Parent = _harbor.Name, After = page.NextCursor, PageSize = 100 });
            all.AddRange(page.Events);
        }
        while (!page.EndOfFeed);
        return all;
    }

    /// <summary>The engagements that the key may read.</summary>
    private async Task<HashSet<string>> Readable(AgencyPlatformClient client)
    {
        var readable = new HashSet<string>();
        foreach (var resource in _all.Where(e => e.Kind == "engagement").Select(e => e.Resource).Distinct())
        {
            if (await MayRead(client, resource))
            {
                readable.Add(resource);
            }
        }

        return readable;
    }

    private static async Task<bool> MayRead(AgencyPlatformClient client, string resource)
    {
        try
        {
            switch (resource.Split('/'))
            {
                case [_, _, "clientCompanies", _]:
                    await client.Clients.GetClientCompanyAsync(new GetClientCompanyRequest { Name = resource });
                    break;
                case [_, _, "engagements", _]:
                    await client.Engagements.GetEngagementAsync(new GetEngagementRequest { Name = resource });
                    break;
                case [_, _, "cmos", _]:
                    await client.Cmos.GetCmoAsync(new GetCmoRequest { Name = resource });
                    break;
                case [_, _, "cmos", _, "timesheets", _]:
                    await client.Time.GetTimesheetAsync(new Protocol.Time.V1.GetTimesheetRequest { Name = resource });
                    break;
                default:
                    return false;
            }

            return true;
        }
        catch (ApiException e) when (e.StatusCode == StatusCode.NotFound)
        {
            return false;
        }
    }
}
