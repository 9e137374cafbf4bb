using AgencyPlatform.Storage.Engines;

namespace AgencyPlatform.Storage.Schema;

/// <summary>One step of the schema. Steps only add: a program of the step before must be able to run on.</summary>
/// <param name="Version">Consecutive from 1.</param>
/// <param name="OldestProgram">The oldest schema version whose program may run on the result.</param>
internal sealed record Migration(int Version, int OldestProgram, Func<Database, IEnumerable<string>> Statements);

internal static class Migrations
{
    public static ImmutableArray<Migration> All { get; } = [new Migration(1, 1, First), new Migration(2, 1, Restores), new Migration(3, 1, RequestsByTime)];

    /// <summary>The schema whose program knows that a restored agency's invoice series are locked.</summary>
    public const int KnowsRestores = 2;

    /// <summary>The schema that this program writes.</summary>
    public static int Current => All[^1].Version;

    /// <summary>Which agencies an epoch of the feed began with, and at which of their events, when it began with a restore from a backup.</summary>
    private static IEnumerable<string> Restores(Database database)
    {
        var (text, number, uuid) = (database.TypeOf(StoredKind.Text), database.TypeOf(StoredKind.Long), database.TypeOf(StoredKind.Uuid));
        yield return $"CREATE TABLE restores (agency {text} NOT NULL, epoch {uuid} NOT NULL, sequence {number} NOT NULL, PRIMARY KEY (agency, epoch))";
        foreach (var statement in database.Protect("restores"))
        {
            yield return statement;
        }
    }

    /// <summary>
    /// Request ids are UUIDv7: with the id before the agency, what many agencies append together stands together at the index's end, instead of on a page
    /// for each agency (100 events of 100 agencies: 222 pages a commit of SQLite instead of 313). What is unique stays the same.
    /// </summary>
    private static IEnumerable<string> RequestsByTime(Database database) =>
    [
        "CREATE UNIQUE INDEX events_by_request_id ON events (request_id, agency) WHERE request_id IS NOT NULL",
        "DROP INDEX events_by_request",
    ];

    private static IEnumerable<string> First(Database database)
    {
        var (text, number, blob, uuid) = (database.TypeOf(StoredKind.Text), database.TypeOf(StoredKind.Long), database.TypeOf(StoredKind.Blob), database.TypeOf(StoredKind.Uuid));

        // Rows of heads are updated in place all the time: room on the page keeps the update there.
        var room = database is SqliteDatabase ? "" : " WITH (fillfactor = 50)";
        yield return
            $"""
            CREATE TABLE heads (agency {text} NOT NULL PRIMARY KEY, sequence {number} NOT NULL, hash {blob} NOT NULL, recorded_at {number} NOT NULL,
              closings {number} NOT NULL, sandbox {number} NOT NULL){room}
            """;
        yield return
            $"""
            CREATE TABLE events (agency {text} NOT NULL, kind {text} NOT NULL, id {text} NOT NULL, version {number} NOT NULL, sequence {number} NOT NULL,
              event_id {uuid} NOT NULL, name {text} NOT NULL, schema_version {number} NOT NULL, payload {blob} NOT NULL,
              occurred_at {number} NOT NULL, recorded_at {number} NOT NULL, legal_entity {text}, posting_date {text}, actor {text} NOT NULL,
              request_id {uuid}, request_hash {text}, request_version {number} NOT NULL, cause {uuid}, trace_id {text},
              previous_hash {blob} NOT NULL, hash {blob} NOT NULL, PRIMARY KEY (agency, kind, id, version))
            """;
        yield return "CREATE UNIQUE INDEX events_by_sequence ON events (agency, sequence)";
        yield return "CREATE UNIQUE INDEX events_by_request ON events (agency, request_id) WHERE request_id IS NOT NULL";
        yield return $"CREATE TABLE closed_periods (agency {text} NOT NULL, legal_entity {text} NOT NULL, closed_through {text} NOT NULL, PRIMARY KEY (agency, legal_entity))";
        yield return
            $"""
            CREATE TABLE deadlines (agency {text} NOT NULL, kind {text} NOT NULL, id {text} NOT NULL, due_at {number} NOT NULL, lease_until {number} NOT NULL,
              attempts {number} NOT NULL, sandbox {number} NOT NULL, PRIMARY KEY (agency, kind, id))
            """;
        yield return "CREATE INDEX deadlines_due ON deadlines (due_at) WHERE sandbox = 0";
        yield return $"CREATE TABLE people (agency {text} NOT NULL, person {text} NOT NULL, display_name {text}, email {text}, phone {text}, PRIMARY KEY (agency, person))";
        yield return $"CREATE TABLE read_models (name {text} NOT NULL PRIMARY KEY, definition {text} NOT NULL)";
        foreach (var statement in new[] { "heads", "events", "closed_periods", "deadlines", "people" }.SelectMany(database.Protect).Concat(database.Functions()))
        {
            yield return statement;
        }
    }
}
