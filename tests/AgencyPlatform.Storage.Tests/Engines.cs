using AgencyPlatform.Testing;

namespace AgencyPlatform.Storage.Tests;

/// <summary>The journal's contract on an SQLite file.</summary>
public sealed class Journal_on_SQLite : JournalContract
{
    protected override Task<EngineDatabase> NewDatabase() => Task.FromResult<EngineDatabase>(new SqliteTestDatabase());
}

/// <summary>The journal's contract on PostgreSQL, under row-level security.</summary>
[NeedsPostgres]
public sealed class Journal_on_PostgreSQL : JournalContract
{
    protected override async Task<EngineDatabase> NewDatabase() => await PostgresTestDatabase.New();
}

public sealed class Commits_that_fail_on_SQLite : CommitsThatFail
{
    protected override Task<EngineDatabase> NewDatabase() => Task.FromResult<EngineDatabase>(new SqliteTestDatabase());
}

[NeedsPostgres]
public sealed class Commits_that_fail_on_PostgreSQL : CommitsThatFail
{
    protected override async Task<EngineDatabase> NewDatabase() => await PostgresTestDatabase.New();
}
