using System.Net;
using System.Text.Json;
using AgencyPlatform.Client;
using AgencyPlatform.Protocol.Agencies.V1;
using AgencyPlatform.Protocol.Clients.V1;
using AgencyPlatform.Protocol.Events.V1;
using Grpc.Core;

namespace AgencyPlatform.Gateway.Tests.Events;

/// <summary>Live watches: each event once, in order, from wherever one begins.</summary>
[Collection(PlatformFixture.Collection)]
public sealed class WatchTests(PlatformFixture platform)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Whoever_watches_sees_each_event_once_and_in_order_wherever_they_begin()
    {
        var agency = await platform.NewAgency();
        var admin = await agency.Admin();
        using var ends = new CancellationTokenSource(s_patience);
        await Clients(admin, agency, "before", 20);
        var begun = await End(admin, agency);
        await using var now = admin.Watch(new WatchRequest { Parent = agency.Name }, ends.Token).GetAsyncEnumerator(ends.Token);
        Assert.True(await now.MoveNextAsync());
        Assert.Equal((0, begun.NextCursor), (now.Current.Events.Count, now.Current.Cursor));

        // Some begin before, some in the middle of what happens.
        var after = (await admin.Events.ListEventsAsync(new ListEventsRequest { Parent = agency.Name, PageSize = 5 })).NextCursor;
        var load = Clients(admin, agency, "while", 200);
        var early = Enumerable.Range(0, 5).Select(i => Seen(admin, new WatchRequest { Parent = agency.Name, After = i % 2 == 0 ? after : begun.NextCursor }, "while-last", ends.Token)).ToList();
        await load;
        await Clients(admin, agency, "while-last", 1);

        var last = await Seen(now, "while-last");
        var feed = await Feed(admin, agency);
        Assert.Equal(feed.Where(e => e.Sequence > Sequence(begun.NextCursor)), last);
        for (var i = 0; i < early.Count; i++)
        {
            Assert.Equal(feed.Where(e => e.Sequence > Sequence(i % 2 == 0 ? after : begun.NextCursor)), await early[i]);
        }
    }

    [Fact]
    public async Task A_filtered_watch_is_told_what_passes_and_its_cursor_goes_on()
    {
        var agency = await platform.NewAgency();
        var admin = await agency.Admin();
        using var ends = new CancellationTokenSource(s_patience);
        await using var watch = admin.Watch(new WatchRequest { Parent = agency.Name, Type = "client.created", Kind = "client", AggregateId = "b-0" }, ends.Token).GetAsyncEnumerator(ends.Token);
        Assert.True(await watch.MoveNextAsync());
        await Clients(admin, agency, "a", 3);
        await Clients(admin, agency, "b", 1);

        Assert.True(await watch.MoveNextAsync());
        Assert.Equal(("b-0", "client.created", agency.Name + "/clientCompanies/b-0"), watch.Current.Events.Select(e => (e.AggregateId, e.Type, e.Resource)).Single());
        Assert.Equal(watch.Current.Cursor, (await End(admin, agency)).NextCursor);
    }

    [Fact]
    public async Task A_watch_that_stops_reading_misses_nothing_and_nobody_else_waits_for_it()
    {
        var agency = await platform.NewAgency();
        var admin = await agency.Admin();
        using var ends = new CancellationTokenSource(s_patience);
        var begun = (await End(admin, agency)).NextCursor;
        using var slow = admin.Events.Watch(new WatchRequest { Parent = agency.Name }, cancellationToken: ends.Token);
        Assert.True(await slow.ResponseStream.MoveNext(ends.Token));
        var quick = Seen(admin, new WatchRequest { Parent = agency.Name, After = begun }, "last", ends.Token);

        // Far more than its connection takes up, in more pages than wait for it.
        await Clients(admin, agency, "many", 1_500, new string('ö', 200));
        await Clients(admin, agency, "last", 1);

        var feed = (await Feed(admin, agency)).Where(e => e.Sequence > Sequence(begun)).ToList();
        Assert.Equal(feed, await quick);
        var seen = new List<Event>();
        while (seen.LastOrDefault()?.AggregateId != "last-0" && await slow.ResponseStream.MoveNext(ends.Token))
        {
            seen.AddRange(slow.ResponseStream.Current.Events);
            Assert.InRange(slow.ResponseStream.Current.CalculateSize(), 1, 300 * 1024);
        }

        Assert.Equal(feed, seen);
    }

    [Fact]
    public async Task Watches_that_catch_up_see_the_same_and_what_their_filters_let_through()
    {
        var agency = await platform.NewAgency();
        var admin = await agency.Admin();
        using var ends = new CancellationTokenSource(s_patience);
        await Clients(admin, agency, "old", 300);
        var feed = await Feed(admin, agency);
        var start = feed[0].Cursor[..33] + "0";
        var load = Clients(admin, agency, "new", 100);

        // All begin at the same place, some for one client only, most of them twice.
        var all = Enumerable.Range(0, 20).Select(_ => Seen(admin, new WatchRequest { Parent = agency.Name, After = start }, "last", ends.Token)).ToList();
        var clients = Enumerable.Range(0, 20).Select(_ => Seen(admin, new WatchRequest { Parent = agency.Name, After = start, Kind = "client" }, "last", ends.Token)).ToList();
        await using var one = admin.Watch(new WatchRequest { Parent = agency.Name, After = start, Kind = "client", AggregateId = "old-7" }, ends.Token).GetAsyncEnumerator(ends.Token);
        var seen = new List<Event>();
        string cursor;
        do
        {
            Assert.True(await one.MoveNextAsync());
            seen.AddRange(one.Current.Events);
            cursor = one.Current.Cursor;
        }
        while (Sequence(cursor) < feed[^1].Sequence);

        Assert.Equal(["old-7"], seen.Select(e => e.AggregateId));
        await load;
        await Clients(admin, agency, "last", 1);
        feed = await Feed(admin, agency);
        Assert.All(await Task.WhenAll(all), events => Assert.Equal(feed, events));
        Assert.All(await Task.WhenAll(clients), events => Assert.Equal(feed.Where(e => e.Kind == "client"), events));
    }

    [Fact]
    public async Task An_event_that_cannot_be_read_comes_without_its_payload_and_keeps_nobody_from_the_next()
    {
        var own = new PlatformFixture(null);
        await own.InitializeAsync();
        try
        {
            var agency = await own.NewAgency();
            var admin = await agency.Admin();
            using var ends = new CancellationTokenSource(s_patience);
            await Clients(admin, agency, "spoilt", 1);
            await Clients(admin, agency, "last", 1);
            var before = await Feed(admin, agency);
            await using (var database = new Microsoft.Data.Sqlite.SqliteConnection($"Data Source={Path.Combine(own.Folder, "agencyplatform.db")}"))
            {
                await database.OpenAsync(ends.Token);
                await using var spoil = database.CreateCommand();
                spoil.CommandText = "UPDATE events SET payload = x'7b22' WHERE id = 'spoilt-0'";
                Assert.Equal(1, await spoil.ExecuteNonQueryAsync(ends.Token));
            }

            var seen = await Seen(admin, new WatchRequest { Parent = agency.Name, After = before[0].Cursor[..33] + "0" }, "last", ends.Token);
            Assert.Equal(before.Select(e => e.AggregateId == "spoilt-0" ? Without(e) : e), seen);
            Assert.Equal(seen, await Feed(admin, agency));
        }
        finally
        {
            await own.DisposeAsync();
        }

        static Event Without(Event e)
        {
            var spoilt = e.Clone();
            spoilt.Payload = null;
            return spoilt;
        }
    }

    [Fact]
    public async Task Another_agencys_feed_is_not_found_and_a_wrong_place_is_told()
    {
        var (agency, other) = (await platform.NewAgency(), await platform.NewAgency());
        var admin = await agency.Admin();
        async Task<ApiException> Refusal(WatchRequest request) => await Assert.ThrowsAsync<ApiException>(async () =>
        {
            await foreach (var _ in admin.Watch(request))
            {
            }
        });

        Assert.Equal(StatusCode.NotFound, (await Refusal(new WatchRequest { Parent = other.Name })).StatusCode);
        Assert.Equal(["after"], (await Refusal(new WatchRequest { Parent = agency.Name, After = "yesterday" })).FieldViolations.Select(v => v.Field));
        Assert.Equal("CURSOR_OUT_OF_RANGE", (await Refusal(new WatchRequest { Parent = agency.Name, After = (await End(admin, agency)).NextCursor[..33] + "999999" })).Reason);
        Assert.Equal("CURSOR_OUT_OF_RANGE", (await Refusal(new WatchRequest { Parent = agency.Name, After = (await End(await other.Admin(), other)).NextCursor[..33].Replace('0', '1') + "1" })).Reason);
        var denied = await Assert.ThrowsAsync<ApiException>(async () => await platform.Operator.Watch(new WatchRequest { Parent = agency.Name }).GetAsyncEnumerator().MoveNextAsync());
        Assert.Equal(StatusCode.PermissionDenied, denied.StatusCode);
    }

    [Fact]
    public async Task Heartbeats_come_by_themselves_and_end_with_the_key()
    {
        var own = new PlatformFixture(null, ("Gateway:HeartbeatSeconds", "1"), ("Gateway:WatchesPerAgency", "2"));
        await own.InitializeAsync();
        try
        {
            var agency = await own.NewAgency();
            var admin = await agency.Admin();
            var made = await admin.Agencies.CreateApiKeyAsync(new CreateApiKeyRequest { Parent = agency.Name, ApiKeyId = "watcher", ApiKey = new ApiKey { DisplayName = "Watcher", Roles = { Role.Operations } } });
            using var ends = new CancellationTokenSource(s_patience);
            await using var watch = own.Client(made.Key).Watch(new WatchRequest { Parent = agency.Name }, ends.Token).GetAsyncEnumerator(ends.Token);
            Assert.True(await watch.MoveNextAsync());
            Assert.True(await watch.MoveNextAsync());
            Assert.Equal((0, (await End(admin, agency)).NextCursor), (watch.Current.Events.Count, watch.Current.Cursor));

            // Two at the same time, and no third, until one has ended. Other calls go on.
            using (var second = admin.Events.Watch(new WatchRequest { Parent = agency.Name }, cancellationToken: ends.Token))
            {
                Assert.True(await second.ResponseStream.MoveNext(ends.Token));
                using var third = admin.Events.Watch(new WatchRequest { Parent = agency.Name }, cancellationToken: ends.Token);
                var full = await Assert.ThrowsAsync<RpcException>(() => third.ResponseStream.MoveNext(ends.Token));
                Assert.Equal((StatusCode.ResourceExhausted, "RATE_LIMITED"), (full.StatusCode, full.GetRpcStatus()?.GetDetail<Google.Rpc.ErrorInfo>()?.Reason));
            }

            await using var later = admin.Watch(new WatchRequest { Parent = agency.Name }, ends.Token).GetAsyncEnumerator(ends.Token);
            Assert.True(await later.MoveNextAsync());

            await admin.Agencies.RevokeApiKeyAsync(new RevokeApiKeyRequest { Name = made.Name });
            var revoked = await Assert.ThrowsAsync<ApiException>(async () =>
            {
                while (await watch.MoveNextAsync())
                {
                    // The event of the revocation may still come.
                    Assert.DoesNotContain(watch.Current.Events, e => e.Type != "agency.api-key-revoked");
                }
            });
            Assert.Equal(StatusCode.Unauthenticated, revoked.StatusCode);
        }
        finally
        {
            await own.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_server_that_stops_ends_its_watches_at_once_with_a_place_to_go_on_from()
    {
        var own = new PlatformFixture(null);
        await own.InitializeAsync();
        var agency = await own.NewAgency();
        var admin = await agency.Admin();
        using var ends = new CancellationTokenSource(s_patience);
        using var watch = admin.Events.Watch(new WatchRequest { Parent = agency.Name }, cancellationToken: ends.Token);
        Assert.True(await watch.ResponseStream.MoveNext(ends.Token));
        Assert.NotEmpty(watch.ResponseStream.Current.Cursor);
        var next = watch.ResponseStream.MoveNext(ends.Token);

        // Before the clients, which the fixture ends first.
        var stopping = own.Stop();
        Assert.Equal(StatusCode.Unavailable, (await Assert.ThrowsAsync<RpcException>(() => next)).StatusCode);
        await stopping;
        await own.DisposeAsync();
    }

    [Fact]
    public async Task As_JSON_a_watch_is_a_line_a_message()
    {
        var agency = await platform.NewAgency();
        var admin = await agency.Admin();
        using var ends = new CancellationTokenSource(s_patience);
        using var http = platform.Json(await agency.Key(Role.AgencyAdmin));
        using var response = await http.GetAsync($"/v1/{agency.Name}/events:watch", HttpCompletionOption.ResponseHeadersRead, ends.Token);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        using var lines = new StreamReader(await response.Content.ReadAsStreamAsync(ends.Token));
        var first = JsonDocument.Parse((await lines.ReadLineAsync(ends.Token))!).RootElement;
        Assert.Equal((await End(admin, agency)).NextCursor, first.GetProperty("cursor").GetString());
        await Clients(admin, agency, "json", 1);

        JsonElement next;
        do
        {
            next = JsonDocument.Parse((await lines.ReadLineAsync(ends.Token))!).RootElement;
        }
        while (next.GetProperty("events").GetArrayLength() == 0);
        Assert.Equal(("client.created", "json-0"), (next.GetProperty("events")[0].GetProperty("type").GetString(), next.GetProperty("events")[0].GetProperty("aggregateId").GetString()));
    }

    // ---- what the facts are built of ----

    private static Task Clients(AgencyPlatformClient admin, TestAgency agency, string prefix, int count, string name = "Client") =>
        Parallel.ForAsync(0, count, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (i, _) => await admin.Clients.CreateClientCompanyAsync(new CreateClientCompanyRequest
        {
            Parent = agency.Name,
            ClientCompanyId = $"{prefix}-{i}",
            ClientCompany = new ClientCompany { DisplayName = name, TimeZone = "America/New_York" },
        }));

    private static async Task<List<Event>> Seen(AgencyPlatformClient client, WatchRequest request, string last, CancellationToken cancellation)
    {
        await using var watch = client.Watch(request, cancellation).GetAsyncEnumerator(cancellation);
        return await Seen(watch, last);
    }

    /// <summary>All events up to the creation of a client.</summary>
    private static async Task<List<Event>> Seen(IAsyncEnumerator<WatchResponse> watch, string last)
    {
        var seen = new List<Event>();
        while (seen.LastOrDefault()?.AggregateId != last + "-0" && await watch.MoveNextAsync())
        {
            seen.AddRange(watch.Current.Events);
        }

        return seen;
    }

    private static async Task<List<Event>> Feed(AgencyPlatformClient admin, TestAgency agency)
    {
        var (all, page) = (new List<Event>(), new ListEventsResponse());
        do
        {
            page = await admin.Events.ListEventsAsync(new ListEventsRequest { Parent = agency.Name, After = page.NextCursor, PageSize = 1_000 });
            all.AddRange(page.Events);
        }
        while (!page.EndOfFeed);
        return all;
    }

    private static async Task<ListEventsResponse> End(AgencyPlatformClient admin, TestAgency agency)
    {
        var page = new ListEventsResponse();
        do
        {
            page = await admin.Events.ListEventsAsync(new ListEventsRequest { Parent = agency.Name, After = page.NextCursor, PageSize = 1_000 });
        }
        while (!page.EndOfFeed);
        return page;
    }

    private static long Sequence(string cursor) => long.Parse(cursor[33..], System.Globalization.CultureInfo.InvariantCulture);
}
