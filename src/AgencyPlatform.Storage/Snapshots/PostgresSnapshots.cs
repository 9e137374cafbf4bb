using System.Data.Common;
using AgencyPlatform.Storage.Engines;

namespace AgencyPlatform.Storage.Snapshots;

/// <summary>Snapshots in two tables of the journal's own PostgreSQL database.</summary>
internal sealed class PostgresSnapshots(Database database) : SnapshotStore
{
    public override string Invariant => "Npgsql";

    public override DbDataSource Source => database.Source;

    public override Task Ensure(CancellationToken cancellation = default) =>
        OrleansTables.Ensure(database, "orleansstorage", Tables(database.TypeOf, "integer"), Statements(), "the snapshots", cancellation);

    protected override string Number(string parameter) => $"CAST({parameter} AS integer)";

    protected override string Text(string parameter) => $"CAST({parameter} AS text)";
}
