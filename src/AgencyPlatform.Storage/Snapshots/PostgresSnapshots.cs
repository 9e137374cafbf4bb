using System.Data.Common;
using AgencyPlatform.Storage.Engines;

namespace AgencyPlatform.Storage.Snapshots;

/// <summary>Snapshots in two tables of the journal's own PostgreSQL database.</summary>
internal sealed class PostgresSnapshots(Database database) : SnapshotStore
{
    public override string Invariant => "Npgsql";

    public override DbDataSource Source => database.Source;

    public override async Task Ensure(CancellationToken cancellation = default)
    {
        try
        {
            await database.Exclusively(() => database.Write(async connection =>
            {
                // An application role may not create, not even what exists.
                if (!await database.TableExists(connection, "orleansstorage", cancellation) || !await database.TableExists(connection, "orleansquery", cancellation))
                {
                    foreach (var table in Tables(database.TypeOf, "integer"))
                    {
                        await database.Execute(connection, table, new SqlArguments(), cancellation);
                    }
                }

                foreach (var (key, text) in Statements())
                {
                    await database.Execute(
                        connection,
                        "INSERT INTO OrleansQuery (querykey, querytext) VALUES ($1, $2) ON CONFLICT (querykey) DO UPDATE SET querytext = excluded.querytext",
                        new SqlArguments(key, text),
                        cancellation);
                }
            }, lockJournal: false, cancellation), cancellation);
        }
        catch (Exception e) when (database.IsTrouble(e))
        {
            throw new SchemaException($"The tables of the snapshots cannot be prepared: {database.Describe(e)}");
        }
    }

    protected override string Number(string parameter) => $"CAST({parameter} AS integer)";

    protected override string Text(string parameter) => $"CAST({parameter} AS text)";
}
