using System.Text.Json;
using AgencyPlatform.Testing;
using Microsoft.Data.Sqlite;

namespace AgencyPlatform.Host.Tests;

/// <summary>The doctor beside a real host, and what it says when something was broken on purpose.</summary>
public sealed class DoctorFacts
{
    [Fact]
    public async Task On_SQLite_it_finds_a_healthy_database_beside_the_host_and_each_thing_that_is_broken()
    {
        using var folder = new TempFolder();
        Assert.Equal((1, "failed"), await Found(folder, "database"));
        using (var host = await HostProcess.Serve(folder.Path))
        {
            await HostFacts.Prepare(host);
            var (code, output, error) = await HostProcess.Run("doctor", "--environment", "Development", "--data", folder.Path);
            Assert.True(code == 0, output + error);
            Assert.Equal(
                ["configuration", "database", "durability", "disk", "pages", "schema", "feeds", "series", "closings", "deadlines", "snapshots", "journal", "read models"],
                output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line[9..23].Trim()));
            Assert.DoesNotContain("FAILED", output, StringComparison.Ordinal);
        }

        // A row that the journal does not give; an event that is not what was hashed; a head that is not at its last event.
        await Change(folder, "UPDATE rm_cmos SET owner = 'cmo/nobody' WHERE rowid = 1");
        Assert.Equal((1, "failed"), await Found(folder, "read models"));
        Assert.Equal((0, null), await Found(folder, "read models", "--quick"));
        await Change(folder, "UPDATE rm_cmos SET owner = 'cmo/' || id WHERE rowid = 1");
        Assert.Equal((0, "ok"), await Found(folder, "read models"));
        await Change(folder, "UPDATE events SET actor = 'nobody' WHERE sequence = 3");
        Assert.Equal((1, "failed"), await Found(folder, "journal"));
        await Change(folder, "UPDATE heads SET sequence = sequence + 1");
        Assert.Equal((1, "failed"), await Found(folder, "feeds", "--quick"));
        await Change(folder, "INSERT INTO closed_periods VALUES ('harbor', 'us', '2026-01-31')");
        Assert.Equal((1, "failed"), await Found(folder, "closings", "--quick"));
        await Change(folder, "UPDATE schema_info SET version = 1");
        Assert.Equal((1, "failed"), await Found(folder, "schema", "--quick"));
    }

    [Fact]
    public async Task Wrong_settings_are_failures_of_the_configuration()
    {
        var (code, output, _) = await HostProcess.Run("doctor", "--environment", "Production", "--set", "Listen:GrpcPort=99999");

        Assert.Equal(1, code);
        Assert.Contains("Listen:GrpcPort", output, StringComparison.Ordinal);
        Assert.Contains("Tls:TerminatedBy", output, StringComparison.Ordinal);
        Assert.All(output.Split('\n', StringSplitOptions.RemoveEmptyEntries), line => Assert.StartsWith("FAILED   configuration", line, StringComparison.Ordinal));
    }

    private static async Task Change(TempFolder folder, string sql)
    {
        await using var connection = new SqliteConnection($"Data Source={Path.Combine(folder.Path, "agencyplatform.db")};Pooling=false");
        await connection.OpenAsync();
        await using var command = new SqliteCommand(sql, connection);
        Assert.True(await command.ExecuteNonQueryAsync() > 0);
    }

    private static Task<(int Code, string? Health)> Found(TempFolder folder, string subject, params string[] more) => Found(subject, ["--data", folder.Path, .. more]);

    /// <summary>The exit code, and what was found about a subject; null when it was not looked at.</summary>
    internal static async Task<(int Code, string? Health)> Found(string subject, params string[] more)
    {
        var (code, output, _) = await HostProcess.Run(["doctor", "--json", "--environment", "Development", .. more]);
        var report = JsonDocument.Parse(output).RootElement;
        Assert.Equal(code == 0, report.GetProperty("healthy").GetBoolean());
        return (code, report.GetProperty("findings").EnumerateArray().Where(f => f.GetProperty("subject").GetString() == subject).Select(f => f.GetProperty("health").GetString()).SingleOrDefault());
    }
}

/// <summary>The doctor on PostgreSQL, as the owner and as the application's role.</summary>
[NeedsPostgres]
public sealed class DoctorFacts_on_PostgreSQL
{
    [EngineFact]
    public async Task It_finds_what_is_open_or_unsafe_and_says_what_a_role_cannot_see()
    {
        var roles = await PostgresRoles.NewDatabase();
        string[] owner = As(roles.Owner);
        Assert.Equal((1, "failed"), await DoctorFacts.Found("schema", owner));
        var (migrated, _, why) = await HostProcess.Run(["migrate", .. owner]);
        Assert.True(migrated == 0, why);

        // Before the roles are set again the application may change events.
        Assert.Equal((1, "failed"), await DoctorFacts.Found("role", owner));
        await roles.Set();
        Assert.Equal("ok", (await DoctorFacts.Found("role", owner)).Health);
        foreach (var subject in new[] { "database", "clock", "row security", "replication", "cluster", "journal", "read models" })
        {
            Assert.Equal("ok", (await DoctorFacts.Found(subject, owner)).Health);
        }

        // The tests' server spares safety against a power failure.
        Assert.Equal((1, "failed"), await DoctorFacts.Found("durability", owner));
        Assert.Equal("warning", (await DoctorFacts.Found("journal", As(roles.Application))).Health);
        Assert.Equal("ok", (await DoctorFacts.Found("role", As(roles.Application))).Health);
        await roles.Execute("ALTER TABLE people DISABLE ROW LEVEL SECURITY");
        Assert.Equal("failed", (await DoctorFacts.Found("row security", owner)).Health);
        foreach (var nowhere in new[] { 1, 99_999 })
        {
            Assert.Equal("failed", (await DoctorFacts.Found("database", As($"{roles.Owner};Port={nowhere};Timeout=2"))).Health);
        }
    }

    private static string[] As(string connection) => ["--set", "Storage:Provider=Postgres", "--set", $"Storage:ConnectionString={connection}"];
}
