using AgencyPlatform.Storage;
using Microsoft.Data.Sqlite;

namespace AgencyPlatform.Host.Commands;

/// <summary>
/// An embedded database serves one host: the lock of a file beside it says so. The operating system gives it back however the process ends.
/// The fence would keep two hosts right, but each would be stopped by the other again and again. The journal commands do not take it: they run beside a host.
/// </summary>
internal static class DatabaseLock
{
    /// <summary>Takes the lock until it is disposed; nothing on PostgreSQL, which serves many hosts.</summary>
    /// <exception cref="HostInUseException">Another host serves this database.</exception>
    public static IDisposable? Take(StorageOptions storage)
    {
        if (storage.Provider != StorageProvider.Sqlite)
        {
            return null;
        }

        var database = Path.GetFullPath(new SqliteConnectionStringBuilder(storage.ConnectionString).DataSource);
        Directory.CreateDirectory(Path.GetDirectoryName(database)!);
        try
        {
            return new FileStream(database + ".lock", FileMode.OpenOrCreate, FileAccess.Write, FileShare.None, bufferSize: 1, FileOptions.None);
        }
        catch (IOException e) when (e is not (DirectoryNotFoundException or FileNotFoundException or PathTooLongException) && File.Exists(database + ".lock"))
        {
            throw new HostInUseException($"Another process serves {database}. An embedded database has one host: stop that one, give this one a folder of its own with --data, or use PostgreSQL.");
        }
    }
}

/// <summary>What this host needs is another's; the message says what to do.</summary>
public sealed class HostInUseException(string message) : Exception(message);
