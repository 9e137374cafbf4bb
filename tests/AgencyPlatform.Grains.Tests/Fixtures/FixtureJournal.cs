using AgencyPlatform.Contracts.Journal;
using AgencyPlatform.Storage;
using AgencyPlatform.Storage.Engines;
using AgencyPlatform.Storage.Journal;
using Microsoft.Extensions.DependencyInjection;
using NodaTime.Text;

namespace AgencyPlatform.Grains.Tests.Fixtures;

/// <summary>The committed journals: what each release has written, one line of JSON an event.</summary>
internal static class FixtureJournal
{
    /// <summary>Set to 1, the newest fixture is written anew by its test.</summary>
    public const string Update = "UPDATE_FIXTURES";

    /// <summary>The newest release's, which is told anew until the release is out.</summary>
    public const string Newest = "journal-v1.jsonl";

    public static string Folder { get; } = Find();

    public static IEnumerable<string> Files => Directory.GetFiles(Folder, "journal-v*.jsonl").Select(f => Path.GetFileName(f)!).Order(StringComparer.Ordinal);

    public static IReadOnlyList<StoredEvent> Read(string file) => [.. File.ReadLines(Path.Combine(Folder, file)).Select(JournalLines.Read)];

    /// <summary>Puts the events into an empty database as they were stored, sequence, times and hashes with them; derived tables are then made from them.</summary>
    public static async Task Load(IServiceProvider services, IReadOnlyList<StoredEvent> events)
    {
        var database = services.GetRequiredService<Database>();
        await database.Write(async connection =>
        {
            foreach (var stored in events)
            {
                var e = stored.Event;
                await database.Execute(
                    connection,
                    $"INSERT INTO events ({EventColumns.List}) VALUES ({string.Join(", ", Enumerable.Range(1, EventColumns.Count).Select(i => $"${i}"))})",
                    new SqlArguments(
                        stored.Key.Agency.Value, stored.Key.Kind, stored.Key.Id, stored.Version, stored.Sequence, e.Id, e.Name, (long)e.SchemaVersion, e.Payload,
                        e.OccurredAt.ToUnixTimeTicks(), stored.RecordedAt.ToUnixTimeTicks(), e.LegalEntity?.Value, e.PostingDate is { } date ? LocalDatePattern.Iso.Format(date) : null,
                        e.Actor, e.Request, e.RequestHash, e.RequestVersion, e.Cause, e.TraceId, stored.PreviousHash, stored.Hash));
            }

            foreach (var last in events.GroupBy(e => e.Key.Agency).Select(g => g.MaxBy(e => e.Sequence)!))
            {
                await database.Execute(
                    connection,
                    "INSERT INTO heads (agency, sequence, hash, recorded_at, closings, sandbox) VALUES ($1, $2, $3, $4, 0, 1)",
                    new SqlArguments(last.Key.Agency.Value, last.Sequence, last.Hash, last.RecordedAt.ToUnixTimeTicks()));
            }
        }, lockJournal: true, CancellationToken.None);
        await services.GetRequiredService<IJournalMaintenance>().Rebuild();
    }

    private static string Find()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "AgencyPlatform.sln")))
        {
            folder = folder.Parent!;
        }

        return Path.Combine(folder.FullName, "tests", "AgencyPlatform.Grains.Tests", "Fixtures");
    }
}
