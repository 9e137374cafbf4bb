using System.Globalization;
using Npgsql;

namespace AgencyPlatform.Storage.Engines;

/// <summary>What a doctor asks a PostgreSQL server.</summary>
internal sealed partial class PostgresDatabase
{
    private const int OldestServer = 15;

    private static readonly TimeSpan s_skewWarned = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_skewFailed = TimeSpan.FromSeconds(30);

    public override bool IsForbidden(Exception exception) => exception is PostgresException { SqlState: PostgresErrorCodes.InsufficientPrivilege };

    public override IEnumerable<(string Subject, Func<CancellationToken, Task<Finding>> Look)> Checks(bool quick) =>
    [
        ("database", Server), ("clock", Clock), ("role", Role), ("row security", RowSecurity), ("durability", Durability), ("replication", Replication), ("cluster", Members),
    ];

    private async Task<Finding> Server(CancellationToken cancellation)
    {
        var (version, text, standby, name) = await One(
            "SELECT current_setting('server_version_num')::bigint / 10000, current_setting('server_version'), pg_is_in_recovery(), current_database()::text",
            r => (r.GetInt64(0), r.GetString(1), r.GetBoolean(2), r.GetString(3)),
            cancellation);
        return version < OldestServer ? new Finding(Health.Failed, $"PostgreSQL {text}: version {OldestServer} or later is needed")
            : standby ? new Finding(Health.Failed, $"{name} is a standby, or still recovers: nothing can be appended to it")
            : new Finding(Health.Ok, $"{name}, PostgreSQL {text}");
    }

    /// <summary>The difference between this machine's clock and the database's, as exactly as the round trip allows.</summary>
    private async Task<Finding> Clock(CancellationToken cancellation)
    {
        await One("SELECT 1", r => 0, cancellation);
        var before = TimeProvider.System.GetUtcNow();
        var there = await One("SELECT extract(epoch FROM clock_timestamp())::double precision", r => DateTimeOffset.UnixEpoch.AddSeconds(r.GetDouble(0)), cancellation);
        var after = TimeProvider.System.GetUtcNow();
        var skew = there < before ? before - there : there > after ? there - after : TimeSpan.Zero;
        var sentence = string.Create(CultureInfo.InvariantCulture, $"this machine and the database differ by at least {skew.TotalSeconds:0.###} s (round trip {(after - before).TotalMilliseconds:0} ms)");
        return new Finding(skew > s_skewFailed ? Health.Failed : skew > s_skewWarned ? Health.Warning : Health.Ok, sentence + (skew > s_skewWarned ? ": set both by NTP" : ""));
    }

    private async Task<Finding> Role(CancellationToken cancellation)
    {
        var (user, above, owner) = await One(
            """
            SELECT current_user::text, r.rolsuper OR r.rolbypassrls, coalesce((SELECT tableowner::text FROM pg_tables WHERE schemaname = current_schema() AND tablename = 'events'), '')
            FROM pg_roles r WHERE r.rolname = current_user
            """,
            r => (r.GetString(0), r.GetBoolean(1), r.GetString(2)),
            cancellation);

        // Of every role but the owner: an event that can be changed is no event.
        var changers = await Read(
            """
            SELECT DISTINCT a.grantee::regrole::text FROM pg_class c, aclexplode(c.relacl) a
            WHERE c.oid = to_regclass('events') AND a.privilege_type IN ('UPDATE', 'DELETE', 'TRUNCATE') AND a.grantee <> c.relowner ORDER BY 1
            """,
            new SqlArguments(),
            r => r.GetString(0),
            cancellation);
        return changers.Count > 0 ? new Finding(Health.Failed, $"{string.Join(", ", changers)} may change or delete events: run deploy/postgresql/roles.sql again")
            : above ? new Finding(Health.Warning, $"{user} is a superuser or bypasses row-level security: outside Development the host must serve as another role")
            : user == owner ? new Finding(Health.Ok, $"{user} owns the tables: for migrations and for this command; the host must serve as another role")
            : new Finding(Health.Ok, $"{user} is bound by row-level security, and may add events and not change them");
    }

    private async Task<Finding> RowSecurity(CancellationToken cancellation)
    {
        var open = await Read(
            """
            SELECT c.relname::text FROM pg_class c
            WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace
              AND (c.relname IN ('events', 'heads', 'closed_periods', 'deadlines', 'people', 'restores') OR c.relname LIKE 'rm\_%')
              AND NOT (c.relrowsecurity AND EXISTS (SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = 'agencies'))
            ORDER BY 1
            """,
            new SqlArguments(),
            r => r.GetString(0),
            cancellation);
        return open.Count == 0
            ? new Finding(Health.Ok, "every table of tenants has its policy")
            : new Finding(Health.Failed, $"no row-level security on {string.Join(", ", open)}: restore the policy, or run `journal rebuild` for read models");
    }

    private async Task<Finding> Durability(CancellationToken cancellation)
    {
        var (fsync, pages, commit) = await One(
            "SELECT current_setting('fsync'), current_setting('full_page_writes'), current_setting('synchronous_commit')",
            r => (r.GetString(0), r.GetString(1), r.GetString(2)),
            cancellation);
        var sentence = $"fsync {fsync}, full_page_writes {pages}, synchronous_commit {commit}";
        return fsync != "on" || pages != "on" ? new Finding(Health.Failed, sentence + ": a power failure can lose what was acknowledged, or the whole database; switch both on")
            : commit == "off" ? new Finding(Health.Warning, sentence + ": the session that appends overrules it; switch it on all the same")
            : new Finding(Health.Ok, sentence);
    }

    private async Task<Finding> Replication(CancellationToken cancellation)
    {
        var (standbys, names, commit) = await One(
            "SELECT (SELECT count(*) FROM pg_stat_replication), current_setting('synchronous_standby_names'), current_setting('synchronous_commit')",
            r => (r.GetInt64(0), r.GetString(1), r.GetString(2)),
            cancellation);
        return (standbys, names) switch
        {
            (0, "") => new Finding(Health.Ok, "no standby"),
            (0, _) => new Finding(Health.Failed, $"synchronous_standby_names is '{names}' and no standby is attached: commits wait for one"),
            (_, "") => new Finding(
                Health.Warning, $"{standbys} standbys attached, asynchronously: promoting one can lose what was acknowledged; set synchronous_standby_names, or run `restore --adopt` after a promotion"),
            _ when commit == "local" => new Finding(Health.Warning, $"{standbys} standbys attached, and synchronous_commit is local: commits do not wait for them"),
            _ => new Finding(Health.Ok, $"{standbys} standbys attached, synchronous: {names}"),
        };
    }

    private async Task<Finding> Members(CancellationToken cancellation)
    {
        // 3 is Active. A living member is heard from every five seconds.
        var clusters = await Read(
            """
            SELECT m.deploymentid, count(*), count(*) FILTER (WHERE greatest(m.iamalivetime, h.heard_at) < now() - interval '20 seconds')
            FROM OrleansMembership m LEFT JOIN OrleansHeartbeat h USING (deploymentid, address, port, generation) WHERE m.status = 3 GROUP BY 1 ORDER BY 1
            """,
            new SqlArguments(),
            r => (Name: r.GetString(0), Silos: r.GetInt64(1), Silent: r.GetInt64(2)),
            cancellation);
        var sentence = clusters.Count == 0
            ? "no silo serves"
            : string.Join("; ", clusters.Select(c => $"{c.Name}: {c.Silos} silos{(c.Silent > 0 ? $", {c.Silent} of them not heard from for 20 s" : "")}"));
        return clusters.Any(c => c.Silent > 0) ? new Finding(Health.Warning, sentence + ": killed together, they go when the next silo starts")
            : clusters.Any(c => c.Silos == 2) ? new Finding(Health.Warning, sentence + ": of two, either can vote the other out; run one or three")
            : new Finding(Health.Ok, sentence);
    }
}
