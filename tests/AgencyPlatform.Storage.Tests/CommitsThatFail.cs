using System.Collections.Immutable;
using AgencyPlatform.Contracts.Journal;
using AgencyPlatform.Domain;
using AgencyPlatform.Domain.Clients;
using AgencyPlatform.Testing;

namespace AgencyPlatform.Storage.Tests;

/// <summary>What may be wrong with one item of a batch.</summary>
public enum Bad
{
    Nothing,

    /// <summary>U+0000 in a text.</summary>
    ZeroCharacter,

    /// <summary>Something that only the database itself refuses.</summary>
    MissingValue,
    VersionTaken,
    RequestIdUsed,
    KeyTaken,
}

/// <summary>
/// Batches of several aggregates and agencies in which each item in turn is bad, and in which each commit in turn loses its connection, before or
/// after it took effect: exactly the others are durable, once; feeds are contiguous, chains whole, heads right.
/// </summary>
public abstract class CommitsThatFail : JournalTest
{
    private const int Items = 8;
    private static readonly AgencyId[] s_agencies = [Acme, Bolt, new("coda-agency")];
    private readonly Dictionary<AgencyId, HashSet<Guid>> _durable = s_agencies.ToDictionary(a => a, _ => new HashSet<Guid>());

    [EngineTheory]
    [InlineData(Bad.ZeroCharacter)]
    [InlineData(Bad.MissingValue)]
    [InlineData(Bad.VersionTaken)]
    [InlineData(Bad.RequestIdUsed)]
    [InlineData(Bad.KeyTaken)]
    public async Task Each_item_of_a_batch_in_turn_is_bad_and_fails_alone(Bad bad)
    {
        for (var at = 0; at < Items; at++)
        {
            await Round($"r{at}", bad, at, _ => Loss.None);
        }

        await Whole();
    }

    [EngineTheory]
    [InlineData(Loss.BeforeCommit)]
    [InlineData(Loss.AfterCommit)]
    public async Task The_connection_is_lost_in_the_commit_of_a_good_batch_once_twice_or_three_times(Loss loss)
    {
        for (var at = 0; at < Items; at++)
        {
            await Round($"a{at}", Bad.Nothing, at, commit => commit == 1 ? loss : Loss.None);
            await Round($"b{at}", Bad.Nothing, at, commit => commit <= 2 ? loss : Loss.None);
            await Round($"c{at}", Bad.Nothing, at, commit => commit switch { 1 => Loss.BeforeCommit, 2 => loss, 3 => Loss.AfterCommit, _ => Loss.None });
        }

        await Whole();
    }

    [EngineTheory]
    [InlineData(Bad.MissingValue, Loss.BeforeCommit)]
    [InlineData(Bad.MissingValue, Loss.AfterCommit)]
    [InlineData(Bad.VersionTaken, Loss.BeforeCommit)]
    [InlineData(Bad.VersionTaken, Loss.AfterCommit)]
    [InlineData(Bad.RequestIdUsed, Loss.AfterCommit)]
    [InlineData(Bad.KeyTaken, Loss.AfterCommit)]
    public async Task Each_item_in_turn_is_bad_and_each_commit_in_turn_loses_its_connection(Bad bad, Loss loss)
    {
        for (var at = 0; at < Items; at++)
        {
            // As many commits as the good ones and the search for the bad one take, and one more that nothing happens to.
            for (var (lost, commits) = (1, 1); lost <= commits; lost++)
            {
                commits = await Round($"r{at}-{lost}", bad, at, commit => commit == lost ? loss : Loss.None);
            }
        }

        await Whole();
    }

    [EngineFact]
    public async Task Storage_that_stays_away_is_unavailable_and_answers_again_when_it_is_back()
    {
        var commits = new ScriptedCommits(Engine);
        Database.Hook = commits;
        var results = await commits.InOneBatch(Journal, Plug("p0"), [.. Enumerable.Range(0, Items).Select(i => Create($"c{i}", agency: s_agencies[i % 3]))], _ => Loss.BeforeCommit);
        Assert.All(results, r => Assert.IsType<AppendResult.Unavailable>(r));

        results = await commits.InOneBatch(Journal, Plug("p1"), [.. Enumerable.Range(0, Items).Select(i => Create($"c{i}", agency: s_agencies[i % 3]))], _ => Loss.None);

        Assert.All(results, r => Assert.IsType<AppendResult.Appended>(r));
        Assert.Equal(3, (await Journal.ReadHead(Acme)).Sequence);
        Assert.Empty((await Maintenance.VerifyChain()).Breaks);
    }

    private static AppendItem Plug(string id) => Create(id, agency: new AgencyId("plug"));

    /// <summary>One batch of eight good items, or seven and a bad one. Returns how many commits it took.</summary>
    private async Task<int> Round(string round, Bad bad, int at, Func<int, Loss> losses)
    {
        var commits = new ScriptedCommits(Engine);
        var items = new AppendItem[Items];
        for (var i = 0; i < Items; i++)
        {
            var (id, agency) = ($"{round}-{i}", s_agencies[i % 3]);
            if (i % 2 == 1)
            {
                await Before(Create(id, agency: agency));
                items[i] = Update(id, 1, $"Name of {id}", null, $"{id}-x", agency);
            }
            else
            {
                items[i] = Create(id, Guid.CreateVersion7(), $"{id}-x", agency: agency);
            }
        }

        items[at] = await Spoil(bad, items[at]);
        Database.Hook = commits;
        var results = await commits.InOneBatch(Journal, Plug(round), items, losses, at);
        Database.Hook = null;

        for (var i = 0; i < Items; i++)
        {
            var key = items[i].Key;
            var standing = await Journal.ReadStream(key).SingleOrDefaultAsync(e => e.Event.Id == items[i].Events[0].Id);
            if (i == at && bad != Bad.Nothing)
            {
                Assert.Equal(Expected(bad), results[i].GetType());
                Assert.Null(standing);
                continue;
            }

            var appended = Assert.IsType<AppendResult.Appended>(results[i]);
            Assert.NotNull(standing);
            Assert.Equal((appended.FirstSequence, appended.RecordedAt, items[i].ExpectedVersion + 1), (standing.Sequence, standing.RecordedAt, standing.Version));
            Assert.Equal(key.Id, (await ReadModels.Find<ExternalIdRow>(key.Agency, ["crm", $"{key.Id}-x"]))?.ResourceId);
            _durable[key.Agency].Add(items[i].Events[0].Id);
        }

        return commits.Commits;
    }

    private async Task<AppendItem> Spoil(Bad bad, AppendItem item)
    {
        var agency = item.Key.Agency;
        switch (bad)
        {
            case Bad.ZeroCharacter:
                return item with { People = [new PersonWrite(new PersonId("ada"), new PersonDetails("A\0da", null))] };
            case Bad.MissingValue:
                return item with { Rows = [new Put(new ClientRow(new ClientCompanyId(item.Key.Id), null!, "", ""))] };
            case Bad.VersionTaken:
                await Before(item with { Events = [item.Events[0] with { Id = Guid.CreateVersion7(), Request = null, RequestHash = null, RequestVersion = 0 }], Rows = [] });
                return item;
            case Bad.RequestIdUsed:
                var used = Guid.CreateVersion7();
                await Before(Create(item.Key.Id + "-before", used, agency: agency));
                return item with { Events = [item.Events[0] with { Request = used, RequestHash = "hash", RequestVersion = item.ExpectedVersion + 1 }] };
            case Bad.KeyTaken:
                await Before(Create(item.Key.Id + "-before", externalId: item.Key.Id + "-x", agency: agency));
                return item;
            default:
                return item;
        }
    }

    private static Type Expected(Bad bad) => bad switch
    {
        Bad.VersionTaken => typeof(AppendResult.FenceLost),
        Bad.RequestIdUsed => typeof(AppendResult.RequestIdTaken),
        Bad.KeyTaken => typeof(AppendResult.KeyTaken),
        _ => typeof(AppendResult.Unstorable),
    };

    private async Task Before(AppendItem item)
    {
        Assert.IsType<AppendResult.Appended>(await Journal.Append(item));
        _durable[item.Key.Agency].Add(item.Events[0].Id);
    }

    /// <summary>The journal holds exactly what was acknowledged, once.</summary>
    private async Task Whole()
    {
        foreach (var agency in s_agencies)
        {
            var feed = new List<StoredEvent>();
            while (await Journal.ReadFeed(agency, feed.Count, 500) is { Count: > 0 } page)
            {
                feed.AddRange(page);
            }

            Assert.Equal(Enumerable.Range(1, feed.Count).Select(i => (long)i), feed.Select(e => e.Sequence));
            Assert.Equal(_durable[agency].Order(), feed.Select(e => e.Event.Id).Order());
            var head = await Journal.ReadHead(agency);
            Assert.Equal((feed.Count, feed[^1].RecordedAt), (head.Sequence, head.RecordedAt));
            Assert.Equal(feed[^1].Hash, head.Hash);
        }

        Assert.Empty((await Maintenance.VerifyChain()).Breaks);
    }
}
