using System.Globalization;
using AgencyPlatform.Host.Configuration;
using AgencyPlatform.Storage;

namespace AgencyPlatform.Host.Commands;

/// <summary>What the operator does with the database as a whole.</summary>
internal static class DatabaseCommands
{
    /// <summary>The migration itself has been done before any command looks.</summary>
    public static Task<int> Migrated(IServiceProvider services, CancellationToken cancellation)
    {
        Console.WriteLine("The database is of this program's version.");
        return Task.FromResult(0);
    }

    /// <summary>Copies the embedded database, beside a host that serves it.</summary>
    public static async Task<int> BackUp(IServiceProvider services, FileInfo file, CancellationToken cancellation)
    {
        await services.GetRequiredService<IJournalMaintenance>().BackUp(file.FullName, cancellation);
        file.Refresh();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"Backed up to {file.FullName}, {file.Length:n0} bytes. Keep it as you keep the database: it has people's names and addresses."));
        return 0;
    }

    /// <summary>Makes a backup the database that is served, and says what people must do now.</summary>
    public static async Task<int> Restore(IServiceProvider services, FileInfo? file, CancellationToken cancellation)
    {
        // No host may serve it meanwhile.
        using var sole = DatabaseLock.Take(services.GetRequiredService<HostSettings>().Storage);
        var restored = await services.GetRequiredService<IJournalMaintenance>().Restore(file?.FullName, cancellation);
        Console.WriteLine($"Restored: {restored.Agencies} {(restored.Agencies == 1 ? "agency" : "agencies")}, {restored.Events} events. Feeds have the new epoch {restored.Epoch:n}: older cursors get CURSOR_OUT_OF_RANGE.");
        Console.WriteLine("No invoice is finalized until the last number of its series is confirmed (ConfirmInvoiceSeries, by each agency's finance). The last numbers in this database:");
        foreach (var series in restored.Series)
        {
            Console.WriteLine($"  {series.Agency} {series.Series} {series.Last} of {series.IssueDate:uuuu-MM-dd}");
        }

        if (restored.Series.IsEmpty)
        {
            Console.WriteLine("  none was given");
        }

        Console.WriteLine("What happened after the backup is to be done again: keys to be revoked, people to be erased, time, bookings, invoices (docs/operations.md).");
        return 0;
    }
}
