using System.Data.Common;
using AgencyPlatform.Storage.Engines;
using Microsoft.Extensions.Hosting;

namespace AgencyPlatform.Storage.Membership;

/// <summary>
/// The tables and statements with which Orleans' AdoNet clustering keeps who is a member of the cluster (PostgreSQL only). The package brings no
/// scripts, so they are ours: every write is one statement that compares and sets the table's version, so that of concurrent writes one
/// wins and every other hears of it, and it writes the row and the version both or neither.
/// </summary>
internal sealed class MembershipStore(Database database) : IHostedLifecycleService
{
    private const string Row = "deploymentid = @DeploymentId AND address = @Address AND port = @Port AND generation = @Generation";

    /// <summary>Creates the tables and writes the statements.</summary>
    /// <exception cref="SchemaException">They cannot be created.</exception>
    public Task Ensure(CancellationToken cancellation = default) =>
        OrleansTables.Ensure(database, "orleansheartbeat", Tables(), Statements(), "the cluster's members", cancellation);

    /// <summary>Forgets every member of every cluster: in a restored database they are those of the one that was backed up.</summary>
    public async Task Forget(DbConnection connection, CancellationToken cancellation)
    {
        await database.Execute(connection, "DELETE FROM OrleansMembership", new SqlArguments(), cancellation);
        await database.Execute(connection, "DELETE FROM OrleansMembershipVersion", new SqlArguments(), cancellation);
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Ensure(cancellationToken);

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private static IEnumerable<string> Tables()
    {
        yield return "CREATE TABLE IF NOT EXISTS OrleansQuery (querykey text NOT NULL PRIMARY KEY, querytext text NOT NULL)";

        // One row a cluster: whoever changes a member moves its version, and waits here for whoever does so at the same time.
        yield return "CREATE TABLE IF NOT EXISTS OrleansMembershipVersion (deploymentid text NOT NULL PRIMARY KEY, version integer NOT NULL, changed_at timestamptz NOT NULL)";
        yield return
            """
            CREATE TABLE IF NOT EXISTS OrleansMembership (deploymentid text NOT NULL REFERENCES OrleansMembershipVersion (deploymentid), address text NOT NULL,
              port integer NOT NULL, generation integer NOT NULL, siloname text NOT NULL, hostname text NOT NULL, status integer NOT NULL, proxyport integer NOT NULL,
              suspecttimes text, starttime timestamptz NOT NULL, iamalivetime timestamptz NOT NULL, PRIMARY KEY (deploymentid, address, port, generation))
            """;

        // Not in the member's row: a vote waits for nobody's heartbeat, only at the version's row.
        yield return
            """
            CREATE TABLE IF NOT EXISTS OrleansHeartbeat (deploymentid text NOT NULL, address text NOT NULL, port integer NOT NULL, generation integer NOT NULL,
              heard_at timestamptz NOT NULL, PRIMARY KEY (deploymentid, address, port, generation),
              FOREIGN KEY (deploymentid, address, port, generation) REFERENCES OrleansMembership ON DELETE CASCADE)
            """;
    }

    /// <summary>What Orleans reads at its start, by the keys that it asks for.</summary>
    private static IEnumerable<(string Key, string Text)> Statements()
    {
        const string Members =
            """
            SELECT v.deploymentid AS DeploymentId, m.address AS Address, m.port AS Port, m.generation AS Generation, m.siloname AS SiloName, m.hostname AS HostName,
              m.status AS Status, m.proxyport AS ProxyPort, m.suspecttimes AS SuspectTimes, m.starttime AS StartTime, greatest(m.iamalivetime, h.heard_at) AS IAmAliveTime, v.version AS Version
            FROM OrleansMembershipVersion v
            LEFT JOIN (OrleansMembership m LEFT JOIN OrleansHeartbeat h USING (deploymentid, address, port, generation)) ON m.deploymentid = v.deploymentid
            """;

        // The version's row is there even where no member is.
        yield return ("MembershipReadAllKey", $"{Members} WHERE v.deploymentid = @DeploymentId");
        yield return (
            "MembershipReadRowKey",
            $"{Members} AND m.address = @Address AND m.port = @Port AND m.generation = @Generation WHERE v.deploymentid = @DeploymentId");
        yield return (
            "GatewaysQueryKey",
            """
            SELECT address AS Address, proxyport AS ProxyPort, generation AS Generation FROM OrleansMembership
            WHERE deploymentid = @DeploymentId AND status = @Status AND proxyport > 0 ORDER BY address, proxyport
            """);
        yield return (
            "InsertMembershipVersionKey",
            """
            WITH made AS (
              INSERT INTO OrleansMembershipVersion (deploymentid, version, changed_at) VALUES (@DeploymentId, 0, now()) ON CONFLICT (deploymentid) DO NOTHING RETURNING 1)
            SELECT EXISTS (SELECT 1 FROM made)
            """);

        // Whoever waits for the version's row finds it moved, and does nothing: what the rest of the statement saw was still the state of that version.
        yield return (
            "InsertMembershipKey",
            $"""
            WITH moved AS (
              UPDATE OrleansMembershipVersion SET version = version + 1, changed_at = now()
              WHERE deploymentid = @DeploymentId AND version = @Version AND NOT EXISTS (SELECT 1 FROM OrleansMembership WHERE {Row}) RETURNING deploymentid),
            made AS (
              INSERT INTO OrleansMembership (deploymentid, address, port, generation, siloname, hostname, status, proxyport, starttime, iamalivetime)
              SELECT deploymentid, @Address, @Port, @Generation, @SiloName, @HostName, @Status, @ProxyPort, @StartTime, @IAmAliveTime FROM moved RETURNING 1)
            SELECT EXISTS (SELECT 1 FROM made)
            """);

        // A silo that votes on another writes the heartbeat that it has read: the newer one counts.
        yield return (
            "UpdateMembershipKey",
            $"""
            WITH moved AS (
              UPDATE OrleansMembershipVersion SET version = version + 1, changed_at = now()
              WHERE deploymentid = @DeploymentId AND version = @Version AND EXISTS (SELECT 1 FROM OrleansMembership WHERE {Row}) RETURNING 1),
            changed AS (
              UPDATE OrleansMembership SET status = @Status, suspecttimes = CAST(@SuspectTimes AS text), iamalivetime = greatest(iamalivetime, @IAmAliveTime)
              WHERE {Row} AND EXISTS (SELECT 1 FROM moved) RETURNING 1)
            SELECT EXISTS (SELECT 1 FROM changed)
            """);
        yield return (
            "UpdateIAmAlivetimeKey",
            $"""
            INSERT INTO OrleansHeartbeat (deploymentid, address, port, generation, heard_at)
            SELECT deploymentid, address, port, generation, @IAmAliveTime FROM OrleansMembership WHERE {Row}
            ON CONFLICT (deploymentid, address, port, generation) DO UPDATE SET heard_at = greatest(OrleansHeartbeat.heard_at, excluded.heard_at)
            """);
        yield return (
            "DeleteMembershipTableEntriesKey",
            "DELETE FROM OrleansMembership WHERE deploymentid = @DeploymentId; DELETE FROM OrleansMembershipVersion WHERE deploymentid = @DeploymentId");

        // 3 is Active: whoever serves is never cleaned away.
        yield return (
            "CleanupDefunctSiloEntriesKey",
            """
            DELETE FROM OrleansMembership m WHERE deploymentid = @DeploymentId AND status <> 3 AND iamalivetime < @IAmAliveTime
              AND NOT EXISTS (SELECT 1 FROM OrleansHeartbeat h WHERE h.deploymentid = m.deploymentid AND h.address = m.address AND h.port = m.port
                AND h.generation = m.generation AND h.heard_at >= @IAmAliveTime)
            """);
    }
}
