using System.Collections.Immutable;
using AgencyPlatform.Contracts.Journal;
using AgencyPlatform.Domain;
using AgencyPlatform.Domain.Clients;
using AgencyPlatform.Storage.Engines;
using AgencyPlatform.Testing;
using Microsoft.Extensions.DependencyInjection;
using NodaTime;

namespace AgencyPlatform.Storage.Tests;

/// <summary>What the journal, the lists, the deadlines and the vault promise, on every engine.</summary>
public abstract class JournalContract : JournalTest
{
    [EngineFact]
    public async Task Events_of_an_agency_are_contiguous_chained_and_still_there_after_a_restart()
    {
        var results = await Task.WhenAll(Enumerable.Range(0, 100).Select(i => Journal.Append(Create($"c{i}")).AsTask()));

        Assert.All(results, r => Assert.IsType<AppendResult.Appended>(r));
        await Stop();
        await Start();
        var feed = await Journal.ReadFeed(Acme, 0, 1000);
        Assert.Equal(Enumerable.Range(1, 100).Select(i => (long)i), feed.Select(e => e.Sequence));
        Assert.All(feed.Zip(feed.Skip(1)), pair => Assert.Equal(pair.First.Hash, pair.Second.PreviousHash));
        Assert.All(feed.Zip(feed.Skip(1)), pair => Assert.True(pair.First.RecordedAt <= pair.Second.RecordedAt));
        Assert.Equal(100, (await Journal.ReadHead(Acme)).Sequence);
        Assert.Empty((await Maintenance.VerifyChain()).Breaks);
    }

    [EngineFact]
    public async Task An_event_is_read_back_as_it_was_written()
    {
        var item = Create("c1", Guid.CreateVersion7(), name: "Zoë 😀 \u0001 'quoted' \\ \"x\"");
        item = item with
        {
            Events = [item.Events[0] with { LegalEntity = new LegalEntityId("us"), PostingDate = new LocalDate(2026, 2, 28), Cause = Guid.CreateVersion7(), TraceId = "0af7651916cd43dd8448eb211c80319c" }],
        };
        await Journal.Append(item);

        var stored = Assert.Single(await Journal.ReadFeed(Acme, 0, 10));

        Assert.Equal(item.Events[0].Payload, stored.Event.Payload);
        Assert.Equal(item.Events[0], stored.Event with { Payload = item.Events[0].Payload });
        Assert.Equal((Key("c1"), 1L, 1L, 0, 32), (stored.Key, stored.Version, stored.Sequence, stored.PreviousHash.Length, stored.Hash.Length));
        Assert.Equal("Zoë 😀 \u0001 'quoted' \\ \"x\"", (await ReadModels.Find<ClientRow>(Acme, [new ClientCompanyId("c1")]))!.DisplayName);
    }

    [EngineFact]
    public async Task Once_books_are_closed_nothing_posts_into_them_in_the_same_batch_after_a_restart_or_elsewhere()
    {
        var (us, march) = (new LegalEntityId("us"), new LocalDate(2026, 3, 31));
        await using var elsewhere = (IAsyncDisposable)Build(Engine.Options);
        await ((Microsoft.Extensions.Hosting.IHost)elsewhere).StartAsync();
        var other = ((Microsoft.Extensions.Hosting.IHost)elsewhere).Services.GetRequiredService<IJournal>();
        Assert.IsType<AppendResult.Appended>(await other.Append(Post("c0", us, march)));
        var appended = await Task.WhenAll(
            Journal.Append(Post("c1", us, march)).AsTask(), Journal.Append(Create("closing") with { Closing = new BooksClosing(us, march) }).AsTask(), Journal.Append(Post("c2", us, march)).AsTask());
        Assert.IsType<AppendResult.Appended>(appended[0]);
        Assert.IsType<AppendResult.Appended>(appended[1]);
        Assert.Equal(new AppendResult.PostingClosed(us, march), appended[2]);
        Assert.Equal(new AppendResult.PostingClosed(us, march), await other.Append(Post("c8", us, march)));
        await ((Microsoft.Extensions.Hosting.IHost)elsewhere).StopAsync();

        Assert.IsType<AppendResult.Appended>(await Journal.Append(Post("c3", us, march.PlusDays(1))));
        Assert.IsType<AppendResult.Appended>(await Journal.Append(Post("c4", new LegalEntityId("de"), march)));
        Assert.IsType<AppendResult.Appended>(await Journal.Append(Post("c5", us, march, Bolt)));

        // A closing through an earlier day opens nothing again.
        Assert.IsType<AppendResult.Appended>(await Journal.Append(Create("again") with { Closing = new BooksClosing(us, march.PlusMonths(-1)) }));
        await Stop();
        await Start();
        Assert.Equal(new AppendResult.PostingClosed(us, march), await Journal.Append(Post("c6", us, new LocalDate(2026, 1, 1))));
        Assert.IsType<AppendResult.Appended>(await Journal.Append(Create("april") with { Closing = new BooksClosing(us, march.PlusMonths(1)) }));
        Assert.Equal(new AppendResult.PostingClosed(us, march.PlusMonths(1)), await Journal.Append(Post("c7", us, march.PlusDays(1))));
        Assert.Empty((await Maintenance.VerifyChain()).Breaks);
    }

    private static AppendItem Post(string id, LegalEntityId entity, LocalDate date, AgencyId? agency = null)
    {
        var item = Create(id, agency: agency);
        return item with { Events = [item.Events[0] with { LegalEntity = entity, PostingDate = date }] };
    }

    [EngineFact]
    public async Task An_agency_whose_head_was_taken_away_is_found_by_its_events()
    {
        await Journal.Append(Create("c1"));

        Assert.Equal(1, await Engine.Execute("DELETE FROM heads"));

        var report = await Maintenance.VerifyChain();
        Assert.Equal((1, Acme), (report.Agencies, Assert.Single(report.Breaks).Agency));
        Assert.Equal(Acme, Assert.Single((await Maintenance.VerifyChain(Acme)).Breaks).Agency);
    }

    [EngineFact]
    public async Task Events_beyond_the_head_are_found()
    {
        await Journal.Append(Create("c1"));
        await Journal.Append(Create("c2"));

        Assert.Equal(1, await Engine.Execute("UPDATE heads SET sequence = 1, hash = (SELECT hash FROM events WHERE sequence = 1)"));

        Assert.Equal((Acme, 2), Assert.Single((await Maintenance.VerifyChain()).Breaks.Select(b => (b.Agency, b.Sequence))));
    }

    [EngineFact]
    public async Task A_changed_payload_breaks_the_chain_where_it_stands()
    {
        foreach (var i in Enumerable.Range(0, 5))
        {
            await Journal.Append(Create($"c{i}"));
        }

        Assert.Equal(1, await Engine.Tamper(3, "Name of", "name of"));

        Assert.Equal(3, (await Maintenance.VerifyChain()).Breaks[0].Sequence);
    }

    [EngineFact]
    public async Task The_second_of_two_writers_of_one_version_loses_the_fence()
    {
        Assert.IsType<AppendResult.Appended>(await Journal.Append(Create("c1")));

        Assert.IsType<AppendResult.FenceLost>(await Journal.Append(Create("c1")));
        Assert.Equal(1, (await Journal.ReadFence(Key("c1"), null)).HeadVersion);
    }

    [EngineFact]
    public async Task Two_processes_that_append_to_the_same_agencies_lose_and_repeat_nothing()
    {
        using var other = Build(Engine.Options);
        await other.StartAsync();
        var journals = new[] { Journal, other.Services.GetRequiredService<IJournal>() };
        var appends = Enumerable.Range(0, 2).SelectMany(p => Enumerable.Range(0, 150).Select(i => (Process: p, Item: Create($"p{p}-{i}", agency: i % 2 == 0 ? Acme : Bolt))))
            .Concat(Enumerable.Range(0, 40).Select(i => (Process: i % 2, Item: Create($"raced-{i / 2}"))))
            .ToArray();

        var results = await Task.WhenAll(appends.Select(a => Task.Run(async () => await journals[a.Process].Append(a.Item))));

        Assert.All(results.Take(300), r => Assert.IsType<AppendResult.Appended>(r));
        Assert.All(results.Skip(300).Chunk(2), pair =>
        {
            Assert.Single(pair.OfType<AppendResult.Appended>());
            Assert.Single(pair.OfType<AppendResult.FenceLost>());
        });
        var (acme, bolt) = (await Journal.ReadFeed(Acme, 0, 1000), await Journal.ReadFeed(Bolt, 0, 1000));
        Assert.Equal(Enumerable.Range(1, 170).Select(i => (long)i), acme.Select(e => e.Sequence));
        Assert.Equal(Enumerable.Range(1, 150).Select(i => (long)i), bolt.Select(e => e.Sequence));
        Assert.Equal(320, acme.Concat(bolt).Select(e => e.Event.Id).Distinct().Count());
        Assert.Empty((await Maintenance.VerifyChain()).Breaks);
        await other.StopAsync();
        await ((IAsyncDisposable)other).DisposeAsync();
    }

    [EngineFact]
    public async Task A_request_id_counts_once_in_its_agency_and_tells_its_outcome()
    {
        var request = Guid.CreateVersion7();
        await Journal.Append(Create("c1", request));

        var taken = Assert.IsType<AppendResult.RequestIdTaken>(await Journal.Append(Create("c2", request)));

        Assert.Equal((request, Key("c1"), 1L, "hash"), (taken.Request, taken.Outcome.Key, taken.Outcome.Version, taken.Outcome.RequestHash));
        Assert.Equal(taken.Outcome, (await Journal.ReadFence(Key("c2"), request)).Outcome);
        Assert.IsType<AppendResult.Appended>(await Journal.Append(Create("c2", request, agency: Bolt)));
    }

    [EngineFact]
    public async Task Fences_read_at_the_same_time_are_each_answered_with_their_own()
    {
        var requests = Enumerable.Range(0, 50).Select(_ => Guid.CreateVersion7()).ToArray();
        await Task.WhenAll(requests.Select((r, i) => Journal.Append(Create($"c{i}", r, agency: i % 2 == 0 ? Acme : Bolt)).AsTask()));

        var fences = await Task.WhenAll(Enumerable.Range(0, 60).Select(i =>
            Journal.ReadFence(Key($"c{i}", i % 2 == 0 ? Acme : Bolt), i < 50 ? requests[i] : Guid.CreateVersion7()).AsTask()));

        for (var i = 0; i < 60; i++)
        {
            Assert.Equal(i < 50 ? 1 : 0, fences[i].HeadVersion);
            Assert.Equal(i < 50 ? Key($"c{i}", i % 2 == 0 ? Acme : Bolt) : default(Contracts.AggregateKey?), fences[i].Outcome?.Key);
        }
    }

    [EngineFact]
    public async Task A_stream_and_a_feed_are_read_page_by_page_and_filtered()
    {
        await Journal.Append(Create("c1"));
        for (var i = 1; i < 12; i++)
        {
            await Journal.Append(Update("c1", i, $"Name {i}"));
        }

        await Journal.Append(Create("c2"));

        var stream = await Journal.ReadStream(Key("c1"), 3, 6).ToListAsync();
        Assert.Equal([4L, 5L, 6L], stream.Select(e => e.Version));
        Assert.Equal([6L, 7L], (await Journal.ReadFeed(Acme, 5, 2)).Select(e => e.Sequence));
        Assert.Equal([1L, 13L], (await Journal.ReadFeed(Acme, 0, 10, new FeedFilter(EventName: "client.created"))).Select(e => e.Sequence));
        Assert.Equal([13L], (await Journal.ReadFeed(Acme, 0, 10, new FeedFilter("client", "c2"))).Select(e => e.Sequence));
        var bytes = (await Journal.ReadFeed(Acme, 0, 10)).Select(e => (long)e.Event.Payload.Length).ToList();
        Assert.Equal([1L], (await Journal.ReadFeed(Acme, 0, 10, bytes: 1)).Select(e => e.Sequence));
        Assert.Equal([6L, 7L], (await Journal.ReadFeed(Acme, 5, 10, bytes: bytes[5] + 1)).Select(e => e.Sequence));
        Assert.Equal([6L], (await Journal.ReadFeed(Acme, 5, 10, bytes: bytes[5])).Select(e => e.Sequence));
        Assert.Equal([2L, 3L], (await Journal.ReadFeed(Acme, 0, 2, new FeedFilter(EventName: "client.profile-changed"), bytes: 1_000_000)).Select(e => e.Sequence));
        Assert.Empty(await Journal.ReadFeed(Bolt, 0, 10));
        Assert.Equal(0, (await Journal.ReadHead(Bolt)).Sequence);
    }

    [EngineFact]
    public async Task A_batch_takes_far_more_and_far_larger_items_than_usual()
    {
        var longName = new string('é', 500_000);
        var items = Enumerable.Range(0, 1500).Select(i => Create($"c{i}", name: i % 500 == 0 ? longName : null, agency: new AgencyId($"agency-{i % 700}"))).ToArray();

        var results = await Task.WhenAll(items.Select(i => Journal.Append(i).AsTask()));

        Assert.All(results, r => Assert.IsType<AppendResult.Appended>(r));
        Assert.Equal(longName, (await ReadModels.Find<ClientRow>(new AgencyId("agency-300"), [new ClientCompanyId("c1000")]))!.DisplayName);
        var report = await Maintenance.VerifyChain();
        Assert.Equal((700, 1500L, 0), (report.Agencies, report.Events, report.Breaks.Length));
    }

    [EngineFact]
    public async Task Changes_of_one_row_in_one_batch_take_effect_in_their_order()
    {
        await Journal.Append(Create("old", externalId: "crm-1"));
        await Journal.Append(Create("other", externalId: "crm-2"));
        var due = Instant.FromUtc(2026, 3, 1, 0, 0);
        var ada = new PersonId("ada");

        var results = await InOneBatch(
        [
            Update("old", 1, "Gives its id away", "crm-1"),
            Create("new", externalId: "crm-1") with { Deadline = new DeadlineChange(due, false), People = [new PersonWrite(ada, new PersonDetails("Ada", "ada@example.com"))] },
            Update("new", 1, "Changed at once", "crm-1", "crm-3") with { Deadline = new DeadlineChange(null, false), People = [new PersonWrite(ada, null)] },
            Update("other", 1, "Lets go", "crm-2"),
            Update("other", 2, "Takes it back", null, "crm-2") with { Deadline = new DeadlineChange(due, false) },
            Update("other", 3, "Last", "crm-2", "crm-2"),
        ]);

        Assert.All(results, r => Assert.IsType<AppendResult.Appended>(r));
        Assert.Equal(["crm-2 other", "crm-3 new"], (await ReadModels.List<ExternalIdRow>(Acme, Query.All(10))).Select(r => $"{r.ExternalId} {r.ResourceId}"));
        Assert.Equal(["Changed at once", "Gives its id away", "Last"], (await ReadModels.List<ClientRow>(Acme, Query.All(10))).Select(r => r.DisplayName));
        Assert.Equal(Key("other"), Assert.Single(await Deadlines.Due(Acme, due, 10)).Key);
        Assert.Empty(await Vault.Read(Acme, [ada]));
    }

    [EngineFact]
    public async Task Two_that_claim_one_key_in_one_batch_the_first_has_it()
    {
        var results = await InOneBatch([Create("c1", externalId: "crm-1"), Create("c2", externalId: "crm-1"), Create("c3", externalId: "crm-2"), Create("c4", externalId: "crm-1", agency: Bolt)]);

        Assert.IsType<AppendResult.Appended>(results[0]);
        Assert.Equal("external_id", Assert.IsType<AppendResult.KeyTaken>(results[1]).Type);
        Assert.IsType<AppendResult.Appended>(results[2]);
        Assert.IsType<AppendResult.Appended>(results[3]);
        Assert.Equal(["crm-1 c1", "crm-2 c3"], (await ReadModels.List<ExternalIdRow>(Acme, Query.All(10))).Select(r => $"{r.ExternalId} {r.ResourceId}"));
    }

    [EngineFact]
    public async Task A_list_shows_what_was_just_written_of_its_agency_only_page_by_page_in_the_order_of_bytes()
    {
        string[] ids = ["b", "a-b", "ab", "0", "a", "a-a", "b-", "z9"];
        foreach (var id in ids)
        {
            await Journal.Append(Create(id));
        }

        await Journal.Append(Create("other", agency: Bolt));

        var seen = new List<string>();
        ImmutableArray<object> after = [];
        while (await ReadModels.List<ClientRow>(Acme, new Query([], after, 3)) is { Count: > 0 } page)
        {
            seen.AddRange(page.Select(r => r.Id.Value));
            after = [page[^1].Id];
        }

        Assert.Equal(ids.Order(StringComparer.Ordinal), seen);
    }

    [EngineFact]
    public async Task Lists_are_filtered_and_summed()
    {
        foreach (var i in Enumerable.Range(0, 6))
        {
            await Journal.Append(Create($"c{i}", name: i % 2 == 0 ? "Even" : "Odd", externalId: i < 2 ? $"x{i}" : null));
        }

        async Task<int> Count(params Filter[] filters) => (await ReadModels.List<ClientRow>(Acme, new Query([.. filters], [], 100))).Count;

        Assert.Equal(3, await Count(Filter.Eq("DisplayName", "Even")));
        Assert.Equal(3, await Count(new Filter("DisplayName", FilterOperator.NotEqual, "Even")));
        Assert.Equal(2, await Count(new Filter("Id", FilterOperator.In, new[] { new ClientCompanyId("c1"), new ClientCompanyId("c4"), new ClientCompanyId("none") })));
        Assert.Equal(0, await Count(new Filter("Id", FilterOperator.In, Array.Empty<ClientCompanyId>())));
        Assert.Equal(2, await Count(new Filter("Id", FilterOperator.GreaterOrEqual, new ClientCompanyId("c1")), new Filter("Id", FilterOperator.Less, new ClientCompanyId("c3"))));
        Assert.Equal(0, await Count(Filter.Eq("DisplayName", null)));
        Assert.Equal(2, (await ReadModels.List<ExternalIdRow>(Acme, Query.All(10, Filter.Eq("System", "crm"), Filter.Eq("Kind", "client")))).Count);
        Assert.Equal(0, (await ReadModels.Sum<Domain.Billing.PostingRow>(Acme, [], "Amount", [])).Single().Sum);
        Assert.Empty(await ReadModels.Sum<Domain.Billing.PostingRow>(Acme, [], "Amount", ["Account", "Currency"]));
    }

    [EngineFact]
    public async Task Sums_are_told_apart_by_the_month_of_a_date()
    {
        LocalDate[] dates = [new(2026, 1, 31), new(2026, 2, 1), new(2026, 2, 28), new(2025, 2, 3), new(2026, 12, 31), new(2027, 1, 1)];
        foreach (var (date, i) in dates.Select((d, i) => (d, i)))
        {
            var row = new Domain.Billing.PostingRow(new("us"), date, "test", i, Domain.Billing.LedgerAccount.Cash, i % 2 == 0 ? "USD" : "EUR", 1L << i, null, null, null);
            await Journal.Append(Create($"c{i}") with { Rows = [new Put(row)] });
        }

        async Task<(string, long)[]> Sums(params GroupBy[] groups) =>
            [.. (await ReadModels.Sum<Domain.Billing.PostingRow>(Acme, [Filter.Eq("Account", Domain.Billing.LedgerAccount.Cash)], "Amount", [.. groups])).Select(s => (string.Join(' ', s.Group), s.Sum))];

        Assert.Equal([("2025-02", 8), ("2026-01", 1), ("2026-02", 6), ("2026-12", 16), ("2027-01", 32)], await Sums(GroupBy.MonthOf("Date")));
        Assert.Equal(
            [("EUR 2025-02", 8), ("EUR 2026-02", 2), ("EUR 2027-01", 32), ("USD 2026-01", 1), ("USD 2026-02", 4), ("USD 2026-12", 16)], await Sums("Currency", GroupBy.MonthOf("Date")));
        await Assert.ThrowsAsync<ArgumentException>(() => Sums(GroupBy.MonthOf("Currency")));
    }

    [EngineFact]
    public async Task A_rebuild_gives_the_live_rows_while_appends_go_on()
    {
        foreach (var i in Enumerable.Range(0, 20))
        {
            await Journal.Append(Create($"c{i}", externalId: $"crm-{i}"));
        }

        await Journal.Append(Update("c3", 1, "Without an id", "crm-3"));
        var appends = Task.Run(async () =>
        {
            for (var i = 20; i < 120; i++)
            {
                Assert.IsType<AppendResult.Appended>(await Journal.Append(Create($"c{i}", externalId: $"crm-{i}")));
            }
        });
        await Maintenance.Rebuild();
        await appends;

        Assert.Equal(120, (await ReadModels.List<ClientRow>(Acme, Query.All(1000))).Count);
        var (clients, ids) = (await ReadModels.List<ClientRow>(Acme, Query.All(1000)), await ReadModels.List<ExternalIdRow>(Acme, Query.All(1000)));
        Assert.Equal(119, ids.Count);
        await Maintenance.Rebuild();

        Assert.Equal(clients, await ReadModels.List<ClientRow>(Acme, Query.All(1000)));
        Assert.Equal(ids, await ReadModels.List<ExternalIdRow>(Acme, Query.All(1000)));
        Assert.IsType<AppendResult.Appended>(await Journal.Append(Create("after")));
    }

    [EngineFact]
    public async Task People_are_in_the_vault_and_erased_from_it()
    {
        var ada = new PersonId("ada");
        await Journal.Append(Create("c1") with { People = [new PersonWrite(ada, new PersonDetails("Ada", "ada@example.com"))] });
        Assert.Equal("Ada", (await Vault.Read(Acme, [ada]))[ada].DisplayName);

        await Journal.Append(Create("c2") with { People = [new PersonWrite(ada, null)] });

        Assert.Empty(await Vault.Read(Acme, [ada]));
        Assert.Empty(await Vault.Read(Bolt, [ada]));
    }

    [EngineFact]
    public async Task A_due_row_is_leased_to_one_and_comes_back_after_its_lease()
    {
        var due = Instant.FromUtc(2026, 3, 1, 0, 0);
        await Journal.Append(Create("c1") with { Deadline = new DeadlineChange(due, Sandbox: false) });
        await Journal.Append(Create("c2") with { Deadline = new DeadlineChange(due, Sandbox: true) });
        var lease = Duration.FromSeconds(30);

        Assert.Empty(await Deadlines.Claim(due - Duration.FromSeconds(1), lease, 10, 10));
        Assert.Equal(Key("c1"), Assert.Single(await Deadlines.Claim(due, lease, 10, 10)).Key);
        Assert.Empty(await Deadlines.Claim(due + Duration.FromSeconds(29), lease, 10, 10));
        Assert.Single(await Deadlines.Claim(due + Duration.FromSeconds(31), lease, 10, 10));
        await Deadlines.BackOff(Key("c1"), due + Duration.FromSeconds(100));
        Assert.Empty(await Deadlines.Claim(due + Duration.FromSeconds(99), lease, 10, 10));
        Assert.Equal(1, Assert.Single(await Deadlines.Claim(due + Duration.FromSeconds(100), lease, 10, 10)).Attempts);
        Assert.Equal(2, (await Deadlines.Due(Acme, due, 10)).Count);
    }

    [EngineFact]
    public async Task Scanners_share_due_rows_and_no_agency_crowds_out_another()
    {
        var due = Instant.FromUtc(2026, 3, 1, 0, 0);
        await Task.WhenAll(Enumerable.Range(0, 100).Select(i =>
            Journal.Append(Create($"c{i}", agency: i < 90 ? Acme : Bolt) with { Deadline = new DeadlineChange(due + Duration.FromMilliseconds(i), Sandbox: false) }).AsTask()));
        var now = due + Duration.FromMinutes(1);
        var lease = Duration.FromMinutes(1);

        var first = await Deadlines.Claim(now, lease, 30, 20);
        Assert.Equal((20, 10), (first.Count(d => d.Key.Agency == Acme), first.Count(d => d.Key.Agency == Bolt)));
        var rest = (await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => Deadlines.Claim(now, lease, 10, 10))))).SelectMany(d => d).ToArray();
        for (var more = await Deadlines.Claim(now, lease, 50, 50); more.Count > 0; more = await Deadlines.Claim(now, lease, 50, 50))
        {
            rest = [.. rest, .. more];
        }

        Assert.Equal(100, first.Concat(rest).Select(d => d.Key).Distinct().Count());
        Assert.Equal(100, first.Count + rest.Length);
    }

    [EngineFact]
    public async Task Programs_that_start_at_the_same_time_on_an_empty_database_make_one_schema()
    {
        await using var empty = await NewDatabase();
        var hosts = Enumerable.Range(0, 4).Select(_ => Build(empty.Owner)).ToArray();

        await Task.WhenAll(hosts.Select(h => Task.Run(() => h.StartAsync())));

        Assert.IsType<AppendResult.Appended>(await hosts[0].Services.GetRequiredService<IJournal>().Append(Create("c1")));
        Assert.Equal(1, (await hosts[3].Services.GetRequiredService<IJournal>().ReadHead(Acme)).Sequence);
        foreach (var host in hosts)
        {
            await host.StopAsync();
            await ((IAsyncDisposable)host).DisposeAsync();
        }
    }

    /// <summary>Appends items so that they stand in one batch.</summary>
    private async Task<AppendResult[]> InOneBatch(AppendItem[] items)
    {
        var commits = new ScriptedCommits(Engine);
        Database.Hook = commits;
        return await commits.InOneBatch(Journal, Create("plug", agency: new AgencyId("plug")), items, _ => Loss.None);
    }
}
