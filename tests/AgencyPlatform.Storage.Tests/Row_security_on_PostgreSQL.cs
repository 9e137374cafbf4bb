using AgencyPlatform.Contracts.Journal;
using AgencyPlatform.Domain.Clients;
using AgencyPlatform.Storage.Engines;
using AgencyPlatform.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using NodaTime;
using Npgsql;

namespace AgencyPlatform.Storage.Tests;

/// <summary>What the application's role may do in the database, whatever the program asks.</summary>
[NeedsPostgres]
public sealed class Row_security_on_PostgreSQL : JournalTest
{
    private PostgresTestDatabase Postgres => (PostgresTestDatabase)Engine;

    [EngineFact]
    public async Task Every_table_of_tenants_shows_only_rows_of_the_agencies_that_are_named()
    {
        var due = new DeadlineChange(Instant.FromUtc(2026, 3, 1, 0, 0), Sandbox: false);
        var ada = new Domain.PersonWrite(new Domain.PersonId("ada"), new Domain.PersonDetails("Ada", null));
        await Journal.Append(Create("c1", externalId: "x") with { Deadline = due, People = [ada] });
        await Journal.Append(Create("c2", externalId: "x", agency: Bolt) with { Deadline = due, People = [ada] });
        await using var connection = await Postgres.Application();

        foreach (var table in new[] { "events", "heads", "deadlines", "people", "rm_clients", "rm_external_ids" })
        {
            Assert.Equal(0L, await Scalar(connection, $"SELECT count(*) FROM {table}"));
            Assert.Equal("bolt-agency", await Scalar(connection, $"SELECT set_config('app.agencies', '{{bolt-agency}}', false); SELECT string_agg(agency, ',') FROM {table}"));
            await Scalar(connection, "SELECT set_config('app.agencies', '', false)");
        }

        Assert.Equal(["c2"], (await ReadModels.List<ClientRow>(Bolt, Query.All(10))).Select(r => r.Id.Value));
        Assert.Equal(
            0L,
            await Postgres.Roles.Count("SELECT count(*) FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'agency' WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND NOT c.relrowsecurity"));
    }

    [EngineFact]
    public async Task Rows_of_another_agency_cannot_be_written_and_nothing_can_be_created()
    {
        await using var connection = await Postgres.Application();
        await Scalar(connection, "SELECT set_config('app.agencies', '{acme-agency}', false)");

        await Refused(connection, "INSERT INTO people (agency, person) VALUES ('bolt-agency', 'ada')");
        await Refused(connection, "CREATE TABLE x (y int)");
        await Refused(connection, "ALTER TABLE people DISABLE ROW LEVEL SECURITY");
        await Refused(connection, "SET row_security = off; SELECT count(*) FROM people");
    }

    [EngineFact]
    public async Task Once_the_roles_are_set_again_an_event_can_neither_be_changed_nor_deleted()
    {
        await Postgres.Roles.Set();
        Assert.IsType<AppendResult.Appended>(await Journal.Append(Create("c1")));
        await using var connection = await Postgres.Application();
        await Scalar(connection, "SELECT set_config('app.agencies', '{acme-agency}', false)");

        Assert.Equal(1L, await Scalar(connection, "SELECT count(*) FROM events"));
        await Refused(connection, "UPDATE events SET actor = 'x'");
        await Refused(connection, "DELETE FROM events");
        await Refused(connection, "UPDATE schema_info SET version = 7");
    }

    [EngineFact]
    public async Task An_application_that_finds_no_schema_says_who_must_make_it()
    {
        await using var empty = await PostgresTestDatabase.New();
        using var host = Build(empty.Options);

        var refused = await Assert.ThrowsAsync<SchemaException>(() => host.StartAsync());

        Assert.Contains("`migrate`", refused.Message, StringComparison.Ordinal);
    }

    [EngineFact]
    public async Task Where_row_security_is_required_a_role_that_bypasses_it_is_refused()
    {
        using var owner = Build(Engine.Owner with { RequireRowSecurity = true });
        using var application = Build(Engine.Options with { RequireRowSecurity = true });

        Assert.Contains("row-level security", (await Assert.ThrowsAsync<SchemaException>(() => owner.StartAsync())).Message, StringComparison.Ordinal);
        await application.StartAsync();
        await application.StopAsync();
    }

    [EngineFact]
    public async Task What_needs_all_agencies_fails_for_the_application_instead_of_seeing_none()
    {
        await Journal.Append(Create("c1"));
        var maintenance = Services.GetRequiredService<IJournalMaintenance>();

        await Assert.ThrowsAsync<Contracts.UnavailableException>(() => maintenance.VerifyChain());
        Assert.Equal(1, (await maintenance.VerifyChain(Acme)).Events);
    }

    [EngineFact]
    public async Task Sessions_end_their_locks_and_plans_are_fit_for_short_transactions()
    {
        foreach (var (setting, value) in new[] { ("jit", "off"), ("lock_timeout", "5s"), ("idle_in_transaction_session_timeout", "10s"), ("statement_timeout", "30s") })
        {
            Assert.Equal(value, (await Database.Query($"SELECT current_setting('{setting}')", SqlArguments.Of(Acme), r => r.GetString(0))).Single());
        }
    }

    [EngineFact]
    public async Task A_server_that_ends_every_session_is_reached_again()
    {
        await Journal.Append(Create("c1"));
        await ReadModels.List<ClientRow>(Acme, Query.All(1));
        await Postgres.Execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()");

        Assert.IsType<AppendResult.Appended>(await Journal.Append(Create("c2")));
        Assert.Equal(2, (await Journal.ReadHead(Acme)).Sequence);
    }

    [EngineFact]
    public async Task A_lock_that_somebody_holds_delays_and_does_not_lose()
    {
        await Journal.Append(Create("c1"));
        await using var connection = await Postgres.Application();
        await using var transaction = await connection.BeginTransactionAsync();
        await Scalar(connection, "SELECT set_config('app.agencies', '{acme-agency}', false)");
        Assert.Equal(1L, await Scalar(connection, "SELECT sequence FROM heads FOR UPDATE"));

        var append = Journal.Append(Create("c2")).AsTask();
        while (await Postgres.Roles.Count("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") == 0)
        {
            Assert.False(append.IsCompleted);
        }

        await transaction.RollbackAsync();

        Assert.IsType<AppendResult.Appended>(await append);
    }

    protected override async Task<EngineDatabase> NewDatabase() => await PostgresTestDatabase.New();

    private static async Task<object?> Scalar(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync();
        object? last = null;
        do
        {
            last = await reader.ReadAsync() ? reader.GetValue(0) : null;
        }
        while (await reader.NextResultAsync());
        return last;
    }

    private static async Task Refused(NpgsqlConnection connection, string sql) =>
        Assert.Equal("42501", (await Assert.ThrowsAsync<PostgresException>(() => Scalar(connection, sql))).SqlState);
}
