using System.Data.Common;
using AgencyPlatform.Storage.Engines;
using Microsoft.Extensions.Hosting;

namespace AgencyPlatform.Storage.Snapshots;

/// <summary>
/// The tables and statements with which Orleans' AdoNet grain storage keeps snapshots. The package brings no scripts, so they are ours: a write is
/// one statement on a unique key, so that of concurrent first writes one wins and every other hears of it. Created by the program at its start.
/// Snapshots are derived: whatever is lost here costs time, never truth.
/// </summary>
internal abstract class SnapshotStore : IHostedLifecycleService
{
    /// <summary>The key of a grain's row. The extension is the grain's string key; it is part of the key only as a value, never as null.</summary>
    protected const string Key = "grainidhash, grainidn0, grainidn1, graintypehash, graintypestring, grainidextensionstring, serviceid";

    private const string ThisRow =
        """
        grainidhash = @GrainIdHash AND grainidn0 = @GrainIdN0 AND grainidn1 = @GrainIdN1 AND graintypehash = @GrainTypeHash AND graintypestring = @GrainTypeString
          AND grainidextensionstring = coalesce(@GrainIdExtensionString, '') AND serviceid = @ServiceId
        """;

    /// <summary>Orleans' name of the driver.</summary>
    public abstract string Invariant { get; }

    /// <summary>Connections for the grain storage.</summary>
    public abstract DbDataSource Source { get; }

    /// <summary>A parameter that may be null, so that the engine knows its type all the same.</summary>
    protected abstract string Number(string parameter);

    protected abstract string Text(string parameter);

    /// <summary>Creates the tables and writes the statements.</summary>
    /// <exception cref="SchemaException">They cannot be created.</exception>
    public abstract Task Ensure(CancellationToken cancellation = default);

    public Task StartingAsync(CancellationToken cancellationToken) => Ensure(cancellationToken);

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>What Orleans reads at its start, by the keys that it asks for.</summary>
    protected IEnumerable<(string Key, string Text)> Statements()
    {
        yield return ("ReadFromStorageKey", Typed($"SELECT payloadbinary AS PayloadBinary, version AS Version FROM OrleansStorage WHERE {ThisRow}"));

        // No version: the row must be new. A version: the row must be there and of it. Anything else returns no row, which is a conflict.
        yield return (
            "WriteToStorageKey",
            Typed(
                $"""
                INSERT INTO OrleansStorage ({Key}, payloadbinary, version)
                SELECT @GrainIdHash, @GrainIdN0, @GrainIdN1, @GrainTypeHash, @GrainTypeString, coalesce(@GrainIdExtensionString, ''), @ServiceId, @PayloadBinary, 1
                WHERE @GrainStateVersion IS NULL OR EXISTS (SELECT 1 FROM OrleansStorage WHERE {ThisRow})
                ON CONFLICT ({Key}) DO UPDATE SET payloadbinary = excluded.payloadbinary, version = OrleansStorage.version + 1
                WHERE OrleansStorage.version = @GrainStateVersion
                RETURNING version AS NewGrainStateVersion
                """));
        yield return (
            "ClearStorageKey",
            Typed(
                $"""
                UPDATE OrleansStorage SET payloadbinary = NULL, version = version + 1
                WHERE {ThisRow} AND version = @GrainStateVersion RETURNING version AS NewGrainStateVersion
                """));
    }

    /// <summary>The tables, as statements that may be repeated.</summary>
    protected IEnumerable<string> Tables(Func<StoredKind, string> type, string number)
    {
        yield return $"CREATE TABLE IF NOT EXISTS OrleansQuery (querykey {type(StoredKind.Text)} NOT NULL PRIMARY KEY, querytext {type(StoredKind.Text)} NOT NULL)";
        yield return
            $"""
            CREATE TABLE IF NOT EXISTS OrleansStorage (grainidhash {number} NOT NULL, grainidn0 {type(StoredKind.Long)} NOT NULL, grainidn1 {type(StoredKind.Long)} NOT NULL,
              graintypehash {number} NOT NULL, graintypestring {type(StoredKind.Text)} NOT NULL, grainidextensionstring {type(StoredKind.Text)} NOT NULL,
              serviceid {type(StoredKind.Text)} NOT NULL, payloadbinary {type(StoredKind.Blob)}, version {number} NOT NULL, PRIMARY KEY ({Key}))
            """;
    }

    private string Typed(string statement) => statement
        .Replace("@GrainStateVersion", Number("@GrainStateVersion"), StringComparison.Ordinal)
        .Replace("@GrainIdExtensionString", Text("@GrainIdExtensionString"), StringComparison.Ordinal);
}
