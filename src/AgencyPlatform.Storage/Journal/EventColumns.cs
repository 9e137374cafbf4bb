using System.Data.Common;
using AgencyPlatform.Contracts.Journal;
using AgencyPlatform.Storage.Engines;
using NodaTime.Text;

namespace AgencyPlatform.Storage.Journal;

/// <summary>The columns of the table <c>events</c> in the one order in which they are written and read.</summary>
internal static class EventColumns
{
    public const int Count = 21;

    public const string List =
        "agency, kind, id, version, sequence, event_id, name, schema_version, payload, occurred_at, recorded_at, " +
        "legal_entity, posting_date, actor, request_id, request_hash, request_version, cause, trace_id, previous_hash, hash";

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
