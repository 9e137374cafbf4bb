namespace AgencyPlatform.Storage;

public enum StorageProvider
{
    /// <summary>One file, one process: the default, nothing to set up.</summary>
    Sqlite,

    /// <summary>For a cluster and for real operation.</summary>
    Postgres,
}

/// <summary>Where the platform keeps its journal and everything derived from it.</summary>
public sealed record StorageOptions
{
    public required StorageProvider Provider { get; init; }

    /// <summary>
    /// SQLite: <c>Data Source=path/to/file.db</c> (the folder is created); snapshots go to a second file beside it.
    /// PostgreSQL: an Npgsql connection string.
    /// </summary>
    public required string ConnectionString { get; init; }

    /// <summary>How many items one transaction takes at most.</summary>
    public int MaxBatch { get; init; } = 512;

    /// <summary>How many items may wait for the writer; more are answered Unavailable at once.</summary>
    public int MaxWaiting { get; init; } = 20_000;

    /// <summary>Pauses between attempts while storage is out of reach; after the last one everything that waits is answered Unavailable.</summary>
    public IReadOnlyList<TimeSpan> Retries { get; init; } =
        [TimeSpan.FromMilliseconds(20), TimeSpan.FromMilliseconds(100), TimeSpan.FromMilliseconds(400), TimeSpan.FromSeconds(1)];

    /// <summary>PostgreSQL: refuses to start with a database user that row-level security does not bind (deploy/postgresql/roles.sql).</summary>
    public bool RequireRowSecurity { get; init; }

    /// <summary>How long a statement may wait for another's lock.</summary>
    public TimeSpan LockTimeout { get; init; } = TimeSpan.FromSeconds(5);
}

/// <summary>The database cannot be used by this program; the message says why and what to do.</summary>
public sealed class SchemaException(string message) : Exception(message);
