using System.Data.Common;
using Microsoft.Data.Sqlite;

namespace AgencyPlatform.Storage.Engines;

/// <summary>
/// Copies of an embedded database. A copy is taken by SQLite's backup API in one step, which is one read transaction: in WAL mode writers go on
/// meanwhile, and what they commit is not in it. (VACUUM INTO would pack the copy, at several times the work, and does not sync what it has written.)
/// A copy has a mark until it is adopted, so that no host serves it by mistake.
/// </summary>
internal static class SqliteCopy
{
    /// <summary>The table that a copy has until it is adopted.</summary>
    public const string Mark = "unadopted_copy";

    /// <summary>Takes a copy; the file appears only once it is whole and on disk.</summary>
    public static async Task Take(DbDataSource source, string file, CancellationToken cancellation)
    {
        if (File.Exists(file))
        {
            throw new SchemaException($"{file} is there already: a backup overwrites nothing.");
        }

        await using var from = (SqliteConnection)await source.OpenConnectionAsync(cancellation);
        await Write(from, file, cancellation);
    }

    /// <summary>Copies a copy to where the database is to be.</summary>
    public static async Task Put(string file, string database, CancellationToken cancellation)
    {
        if (!File.Exists(file))
        {
            throw new SchemaException($"There is no file {file}.");
        }

        if (new[] { database, database + "-wal" }.FirstOrDefault(File.Exists) is { } there)
        {
            throw new SchemaException($"{there} is there already: a restore overwrites nothing. Name an empty folder with --data.");
        }

        await using var from = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = file, Mode = SqliteOpenMode.ReadWrite, Pooling = false }.ConnectionString);
        try
        {
            await from.OpenAsync(cancellation);
            await Write(from, database, cancellation);
        }
        catch (SqliteException e)
        {
            throw new SchemaException($"{file} is no backup that can be read: {e.Message}");
        }
    }

    private static async Task Write(SqliteConnection from, string file, CancellationToken cancellation)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(file))!);
        var partial = file + ".partial";
        File.Delete(partial);
        try
        {
            // The people vault is in it.
            await using (OperatingSystem.IsWindows()
                ? File.Create(partial)
                : new FileStream(partial, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite }))
            {
            }

            await using (var to = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = partial, Mode = SqliteOpenMode.ReadWrite, Pooling = false }.ConnectionString))
            {
                await to.OpenAsync(cancellation);
                await Task.Run(() => from.BackupDatabase(to), cancellation);

                // One file without a log beside it, as long as nobody serves it.
                await Ask(to, "PRAGMA synchronous=FULL");
                await Ask(to, "PRAGMA journal_mode=DELETE");
                await Ask(to, $"CREATE TABLE IF NOT EXISTS {Mark} (made INTEGER)");
                if (await Ask(to, "PRAGMA quick_check") is not "ok" and var broken)
                {
                    throw new SchemaException($"The copy is not whole, and neither may the database be: {broken}.");
                }

                if (await Ask(to, "SELECT 1 FROM sqlite_master WHERE name = 'schema_info'") is null)
                {
                    throw new SchemaException("That is no database of this program: it has no table schema_info.");
                }
            }

            File.Move(partial, file, overwrite: false);
        }
        finally
        {
            File.Delete(partial);
            File.Delete(partial + "-journal");
        }

        async Task<object?> Ask(SqliteConnection connection, string sql)
        {
            await using var command = connection.CreateCommand();
            command.CommandText = sql;
            return await command.ExecuteScalarAsync(cancellation);
        }
    }
}
