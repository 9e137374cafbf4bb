using AgencyPlatform.Protocol.Agencies.V1;
using AgencyPlatform.Protocol.Clients.V1;
using AgencyPlatform.Protocol.Events.V1;
using Grpc.Core;

namespace AgencyPlatform.Gateway.Tests.Events;

[Collection(PlatformFixture.Collection)]
public sealed class EventsTests(PlatformFixture platform)
{
    [Fact]
    public async Task The_feed_is_contiguous_and_goes_on_from_its_cursor()
    {
        var agency = await platform.NewAgency();
        var admin = await agency.Admin();
        for (var i = 0; i < 7; i++)
        {
            await admin.Agencies.UpdateAgencyAsync(new UpdateAgencyRequest { Agency = new Agency { Name = agency.Name, OverbookingPercent = i + 1 } });
        }

        var all = new List<Event>();
        var cursor = "";
        ListEventsResponse page;
        do
        {
            page = await admin.Events.ListEventsAsync(new ListEventsRequest { Parent = agency.Name, After = cursor, PageSize = 3 });
            all.AddRange(page.Events);
            cursor = page.NextCursor;
        }
        while (!page.EndOfFeed);

        Assert.Equal(Enumerable.Range(1, all.Count).Select(i => (long)i), all.Select(e => e.Sequence));
        Assert.Equal("agency.created", all[0].Type);
        Assert.Equal("operator", all[0].Actor);
        Assert.Equal(agency.Name, all[0].Resource);
        Assert.Equal(7, all.Count(e => e.Type == "agency.limits-changed"));
        Assert.Equal(7, all[^1].Payload.Fields["overbookingPercent"].NumberValue);
        var filtered = await admin.Events.ListEventsAsync(new ListEventsRequest { Parent = agency.Name, Kind = "agency", AggregateId = agency.Id, Type = "agency.created" });
        Assert.Equal(1, Assert.Single(filtered.Events).Sequence);
        Assert.Equal(cursor, filtered.NextCursor);
    }

    [Fact]
    public async Task A_page_is_cut_where_it_would_be_large_and_nothing_is_left_out()
    {
        var agency = await platform.NewAgency();
        var admin = await agency.Admin();
        var name = new string('ö', 200);
        await Parallel.ForAsync(0, 400, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (i, _) => await admin.Clients.CreateClientCompanyAsync(new CreateClientCompanyRequest
        {
            Parent = agency.Name,
            ClientCompanyId = $"client-{i}",
            ClientCompany = new ClientCompany { DisplayName = name, TimeZone = "America/New_York" },
        }));

        var pages = new List<ListEventsResponse>();
        do
        {
            pages.Add(await admin.Events.ListEventsAsync(new ListEventsRequest { Parent = agency.Name, After = pages.LastOrDefault()?.NextCursor ?? "", PageSize = 1_000 }));
        }
        while (!pages[^1].EndOfFeed);

        Assert.True(pages.Count > 1, $"{pages.Count} page");
        Assert.All(pages, page => Assert.InRange(page.CalculateSize(), 1, 257 * 1024 + 4 * page.Events.Count));
        var all = pages.SelectMany(page => page.Events).ToList();
        Assert.True(all.Count > 400);
        Assert.Equal(Enumerable.Range(1, all.Count).Select(i => (long)i), all.Select(e => e.Sequence));
    }

    [Fact]
    public async Task The_newest_are_listed_in_order_with_what_passes_a_filter_and_go_without_a_cursor()
    {
        var agency = await platform.NewAgency();
        var admin = await agency.Admin();
        for (var i = 0; i < 7; i++)
        {
            await admin.Clients.CreateClientCompanyAsync(new CreateClientCompanyRequest
            {
                Parent = agency.Name,
                ClientCompanyId = $"client-{i}",
                ClientCompany = new ClientCompany { DisplayName = "Acme", TimeZone = "America/New_York" },
            });
        }

        var all = (await admin.Events.ListEventsAsync(new ListEventsRequest { Parent = agency.Name, PageSize = 1_000 })).Events;
        var newest = await admin.Events.ListEventsAsync(new ListEventsRequest { Parent = agency.Name, Newest = 3 });
        Assert.Equal(all.TakeLast(3), newest.Events);
        Assert.True(newest.EndOfFeed);
        Assert.Equal(all[^1].Cursor, newest.NextCursor);

        // More than there are is all; a page of them goes on after its cursor; a filter passes some of them.
        Assert.Equal(all, (await admin.Events.ListEventsAsync(new ListEventsRequest { Parent = agency.Name, Newest = 1_000, PageSize = 1_000 })).Events);
        var page = await admin.Events.ListEventsAsync(new ListEventsRequest { Parent = agency.Name, Newest = 3, PageSize = 2 });
        Assert.Equal(all[^1], (await admin.Events.ListEventsAsync(new ListEventsRequest { Parent = agency.Name, After = page.NextCursor })).Events.Single());
        Assert.Empty((await admin.Events.ListEventsAsync(new ListEventsRequest { Parent = agency.Name, Newest = 3, Kind = "agency" })).Events);

        var refused = await Refused.By(admin.Events.ListEventsAsync(new ListEventsRequest { Parent = agency.Name, Newest = 3, After = page.NextCursor }));
        Assert.Equal(["newest"], refused.FieldViolations.Select(v => v.Field));
        refused = await Refused.By(admin.Events.ListEventsAsync(new ListEventsRequest { Parent = agency.Name, Newest = 1_001 }));
        Assert.Equal(["newest"], refused.FieldViolations.Select(v => v.Field));
    }

    [Fact]
    public async Task A_cursor_ahead_or_of_another_epoch_is_out_of_range()
    {
        var agency = await platform.NewAgency();
        var admin = await agency.Admin();
        var cursor = (await admin.Events.ListEventsAsync(new ListEventsRequest { Parent = agency.Name })).NextCursor;
        foreach (var wrong in new[] { cursor[..33] + "999999", Guid.CreateVersion7().ToString("n") + ".1" })
        {
            var error = await Refused.By(admin.Events.ListEventsAsync(new ListEventsRequest { Parent = agency.Name, After = wrong }));
            Assert.Equal((StatusCode.OutOfRange, "CURSOR_OUT_OF_RANGE"), (error.StatusCode, error.Reason));
        }

        var malformed = await Refused.By(admin.Events.ListEventsAsync(new ListEventsRequest { Parent = agency.Name, After = "7", AggregateId = "x" }));
        Assert.Equal(["after", "kind"], malformed.FieldViolations.Select(v => v.Field));
    }
}
