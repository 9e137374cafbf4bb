using System.Data.Common;
using AgencyPlatform.Contracts.Journal;
using AgencyPlatform.Storage.Journal;
using AgencyPlatform.Storage.ReadModels;

namespace AgencyPlatform.Storage.Engines;

/// <summary>How a value is stored: the same four kinds on both engines, so that both hold the same data.</summary>
internal enum StoredKind
{
    /// <summary>Text in the order of its UTF-8 bytes. Also dates (ISO) and enums (by name).</summary>
    Text,

    /// <summary>64-bit integers. Also booleans (0, 1) and instants (100 ns ticks since 1970).</summary>
    Long,

    Blob,

    /// <summary>In the order of its 16 bytes, big-endian, so that UUIDv7 sort by time.</summary>
    Uuid,
}

/// <summary>
/// What differs between the engines. Statements that both understand take numbered parameters <c>$1</c>, <c>$2</c>, ….
/// </summary>
internal abstract class Database : IAsyncDisposable
{
    protected Database(RowTables tables) => Tables = tables;

    public RowTables Tables { get; }

    /// <summary>Connections for everything but the journal's writer and maintenance.</summary>
    public abstract DbDataSource Source { get; }

    /// <summary>Connections of the cluster's membership.</summary>
    public virtual DbDataSource ClusterSource => Source;

    /// <summary>Called around each commit; tests lose connections and fill disks here.</summary>
    public CommitHook? Hook { get; set; }

    /// <summary>Stores a batch in one transaction: whole, or not at all.</summary>
    public abstract Task Commit(Batch batch);

    public abstract Task<FenceRead[]> ReadFences(IReadOnlyList<(AggregateKey Key, Guid? Request)> asked);

    public abstract Task<IReadOnlyList<DueDeadline>> ClaimDeadlines(Instant now, Duration lease, int limit, int perAgency, CancellationToken cancellation);

    public abstract string TypeOf(StoredKind kind);

    /// <summary>The statements that let nobody see a row of the table whose agency is not named.</summary>
    public virtual IEnumerable<string> Protect(string table) => [];

    /// <summary>What the schema needs besides its tables.</summary>
    public virtual IEnumerable<string> Functions() => [];

    public abstract DbParameter Parameter(object? value);

    public abstract Guid ReadGuid(DbDataReader reader, int column);

    /// <summary>A condition that the column's value is one of these.</summary>
    public abstract string In(string column, IReadOnlyList<object> values, SqlArguments arguments);

    /// <summary>Runs a piece of work in one write transaction of its own.</summary>
    /// <param name="lockJournal">No append commits meanwhile.</param>
    public abstract Task Write(Func<DbConnection, Task> work, bool lockJournal, CancellationToken cancellation);

    /// <summary>Reads in one consistent view of all agencies, in which nothing that is committed meanwhile is seen.</summary>
    public abstract Task Snapshot(Func<DbConnection, Task> work, CancellationToken cancellation);

    /// <summary>What only this engine has and an operator should know: reachability first; the rest follows only when that is well.</summary>
    /// <param name="quick">Without what reads the whole database.</param>
    public abstract IEnumerable<(string Subject, Func<CancellationToken, Task<Finding>> Look)> Checks(bool quick);

    /// <summary>Whether this exception says that the database user may not see what was asked for.</summary>
    public virtual bool IsForbidden(Exception exception) => false;

    /// <summary>Runs a migration or a rebuild; one at a time, over all processes.</summary>
    public abstract Task Exclusively(Func<Task> work, CancellationToken cancellation);

    /// <summary>Copies the whole database to a new file while others write to the database: what is committed when it begins, and nothing half.</summary>
    /// <exception cref="SchemaException">It cannot be copied so; the message says what to do.</exception>
    public abstract Task BackUp(string file, CancellationToken cancellation);

    /// <summary>Puts a copy where this database is to be; there must be none yet.</summary>
    /// <exception cref="SchemaException">It cannot be put there so; the message says what to do.</exception>
    public abstract Task PutCopy(string file, CancellationToken cancellation);

    /// <summary>Whether this is a copy that was not adopted.</summary>
    public virtual Task<bool> IsCopy(CancellationToken cancellation) => Task.FromResult(false);

    /// <summary>How many sessions of serving programs are open on the database.</summary>
    public virtual Task<long> ServingSessions(DbConnection connection, CancellationToken cancellation) => Task.FromResult(0L);

    /// <summary>Whether the engine has row-level security and this process's database user is not bound by it.</summary>
    public virtual Task<bool> BypassesRowSecurity(CancellationToken cancellation) => Task.FromResult(false);

    /// <summary>The engine's failure as a sentence for an operator.</summary>
    public virtual string Describe(Exception exception) => exception.Message;

    /// <summary>Whether the table exists.</summary>
    public abstract Task<bool> TableExists(DbConnection connection, string table, CancellationToken cancellation);

    /// <summary>Whether this exception is the engine's way to say that storage is out of reach.</summary>
    public virtual bool IsTrouble(Exception exception) => exception is DbException or IOException or TimeoutException;

    public abstract ValueTask DisposeAsync();

    /// <summary>A statement about no agency or all; exceptions are the engine's own.</summary>
    public Task<List<T>> Ask<T>(string sql, Func<DbDataReader, T> map, CancellationToken cancellation) => Read(sql, new SqlArguments(), map, cancellation);

    /// <summary>The same, of which one row comes.</summary>
    public async Task<T> One<T>(string sql, Func<DbDataReader, T> map, CancellationToken cancellation) => (await Ask(sql, map, cancellation)).Single();

    public async Task<List<T>> Query<T>(string sql, SqlArguments arguments, Func<DbDataReader, T> map, CancellationToken cancellation = default)
    {
        try
        {
            return await Read(sql, arguments, map, cancellation);
        }
        catch (Exception e) when (IsTrouble(e))
        {
            throw new UnavailableException($"The journal cannot be read: {e.Message}");
        }
    }

    /// <summary>Runs one statement in a transaction of its own.</summary>
    public virtual Task Execute(string sql, SqlArguments arguments, CancellationToken cancellation = default) =>
        Write(connection => Execute(connection, sql, arguments, cancellation), lockJournal: false, cancellation);

    public async Task<List<T>> Query<T>(DbConnection connection, string sql, SqlArguments arguments, Func<DbDataReader, T> map, CancellationToken cancellation = default)
    {
        await using var command = Command(connection, sql, arguments);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var rows = new List<T>();
        while (await reader.ReadAsync(cancellation))
        {
            rows.Add(map(reader));
        }

        return rows;
    }

    public async Task<int> Execute(DbConnection connection, string sql, SqlArguments arguments, CancellationToken cancellation = default)
    {
        await using var command = Command(connection, sql, arguments);
        return await command.ExecuteNonQueryAsync(cancellation);
    }

    public DbCommand Command(DbConnection connection, string sql, SqlArguments arguments)
    {
        var command = connection.CreateCommand();
        command.CommandText = sql;
        for (var i = 0; i < arguments.Values.Count; i++)
        {
            var parameter = Parameter(arguments.Values[i]);
            NameParameter(parameter, i + 1);
            command.Parameters.Add(parameter);
        }

        return command;
    }

    protected virtual async Task<List<T>> Read<T>(string sql, SqlArguments arguments, Func<DbDataReader, T> map, CancellationToken cancellation)
    {
        await using var connection = await Source.OpenConnectionAsync(cancellation);
        return await Query(connection, sql, arguments, map, cancellation);
    }

    protected abstract void NameParameter(DbParameter parameter, int position);
}

/// <summary>The positional arguments of a statement, collected while it is written.</summary>
internal sealed class SqlArguments
{
    public SqlArguments(params ReadOnlySpan<object?> values) => Values = [.. values];

    public List<object?> Values { get; }

    /// <summary>The agencies that the statement is about, and no other's rows can it see; null: all, which only an owner's maintenance may.</summary>
    public string[]? Agencies { get; private init; }

    /// <summary>Arguments of a statement about one agency, which is the first of them.</summary>
    public static SqlArguments Of(AgencyId agency, params ReadOnlySpan<object?> others) => new([agency.Value, .. others]) { Agencies = [agency.Value] };

    /// <summary>Arguments of a statement about some agencies.</summary>
    public static SqlArguments Within(string[] agencies, params ReadOnlySpan<object?> values) => new(values) { Agencies = agencies };

    /// <summary>Adds a value and returns its placeholder.</summary>
    public string Add(object? value)
    {
        Values.Add(value);
        return $"${Values.Count}";
    }
}

/// <summary>A seam for faults around the commit of a batch.</summary>
internal abstract class CommitHook
{
    public virtual Task BeforeCommit(Batch batch) => Task.CompletedTask;

    /// <summary>The batch is stored, the writer does not know it yet.</summary>
    public virtual Task AfterCommit(Batch batch) => Task.CompletedTask;

    /// <summary>SQLite: pragmas of the writing connection when it is opened, for example a limit of pages.</summary>
    public virtual string Pragmas => "";
}
