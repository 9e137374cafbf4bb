using System.Data.Common;
using AgencyPlatform.Contracts.Journal;
using AgencyPlatform.Storage.Engines;
using NodaTime.Text;

namespace AgencyPlatform.Storage.Journal;

/// <summary>The columns of the table <c>events</c> in the one order in which they are written and read.</summary>
internal static class EventColumns
{
    public static ImmutableArray<StoredColumn> All { get; } =
    [
        new("agency", StoredKind.Text), new("kind", StoredKind.Text), new("id", StoredKind.Text), new("version", StoredKind.Long), new("sequence", StoredKind.Long),
        new("event_id", StoredKind.Uuid), new("name", StoredKind.Text), new("schema_version", StoredKind.Long), new("payload", StoredKind.Blob),
        new("occurred_at", StoredKind.Long), new("recorded_at", StoredKind.Long), new("legal_entity", StoredKind.Text, true), new("posting_date", StoredKind.Text, true),
        new("actor", StoredKind.Text), new("request_id", StoredKind.Uuid, true), new("request_hash", StoredKind.Text, true), new("request_version", StoredKind.Long),
        new("cause", StoredKind.Uuid, true), new("trace_id", StoredKind.Text, true), new("previous_hash", StoredKind.Blob), new("hash", StoredKind.Blob),
    ];

    public static int Count => All.Length;

    public static string List { get; } = string.Join(", ", All.Select(c => c.Name));

    public static Statement Bind(Statement statement, in PlacedEvent placed)
    {
        var e = placed.Event;
        return statement.Text(placed.Key.Agency.Value).Text(placed.Key.Kind).Text(placed.Key.Id).Long(placed.Version).Long(placed.Sequence)
            .Id(e.Id).Text(e.Name).Long(e.SchemaVersion).Blob(e.Payload).Long(e.OccurredAt.ToUnixTimeTicks()).Long(placed.RecordedAt)
            .Text(e.LegalEntity?.Value).Text(e.PostingDate is { } date ? LocalDatePattern.Iso.Format(date) : null).Text(e.Actor)
            .Id(e.Request).Text(e.RequestHash).Long(e.RequestVersion).Id(e.Cause).Text(e.TraceId).Blob(placed.PreviousHash).Blob(placed.Hash);
    }

    public static StoredEvent Read(Database database, DbDataReader r) => new(
        new AggregateKey(new AgencyId(r.GetString(0)), r.GetString(1), r.GetString(2)),
        r.GetInt64(3),
        new NewEvent(
            database.ReadGuid(r, 5),
            r.GetString(6),
            checked((int)r.GetInt64(7)),
            r.GetFieldValue<byte[]>(8),
            Instant.FromUnixTimeTicks(r.GetInt64(9)),
            r.IsDBNull(11) ? null : new LegalEntityId(r.GetString(11)),
            r.IsDBNull(12) ? null : LocalDatePattern.Iso.Parse(r.GetString(12)).Value,
            r.GetString(13),
            r.IsDBNull(14) ? null : database.ReadGuid(r, 14),
            r.IsDBNull(15) ? null : r.GetString(15),
            r.GetInt64(16),
            r.IsDBNull(17) ? null : database.ReadGuid(r, 17),
            r.IsDBNull(18) ? null : r.GetString(18)),
        r.GetInt64(4),
        Instant.FromUnixTimeTicks(r.GetInt64(10)),
        r.GetFieldValue<byte[]>(19),
        r.GetFieldValue<byte[]>(20));
}
