using System.Diagnostics;
using System.Text.Json;
using AgencyPlatform.Benchmarks.Reporting;
using AgencyPlatform.Benchmarks.Servers;
using AgencyPlatform.Contracts.Journal;
using AgencyPlatform.Domain;
using AgencyPlatform.Storage;

namespace AgencyPlatform.Benchmarks.Growth;

/// <summary>What is known of a seeded database.</summary>
/// <param name="Seconds">That seeding took.</param>
/// <param name="Bytes">Of the whole database, its write-ahead log left out.</param>
/// <param name="JournalBytes">Of the table of events with its indexes; null where the engine does not tell.</param>
/// <param name="Verified">Events whose hash chain was walked.</param>
internal sealed record SeededFacts(long Events, double Seconds, long Bytes, long? JournalBytes, long Verified);

/// <summary>A database of one size on one engine, made once and kept; runs work on copies.</summary>
internal sealed class SeededDatabase
{
    /// <summary>Of the seeded content: raised when the seeder changes it, so that older ones are made anew.</summary>
    private const int ContentVersion = 2;

    private const long MostVerified = 500_000;

    // PostgreSQL keeps so much of its write-ahead log.
    private const long Log = 4L << 30;

    // Nothing here survives a crash, and nothing need: what is half made is made again.
    private const string SeedingSettings = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c wal_level=minimal -c max_wal_senders=0 -c max_wal_size=1GB";

    private const string FactsFile = "seeded.json";

    private SeededDatabase(string folder, SeededFacts facts) => (Folder, Facts) = (folder, facts);

    public string Folder { get; }

    public SeededFacts Facts { get; }

    private static string FolderOf(string data, string engine, GrowthSize size) =>
        Path.Combine(Path.GetFullPath(data), "seeded", $"{engine}-v{ContentVersion}-{size.Clients}-{size.Events}-{size.LongHistory}");

    /// <summary>Bytes that it will take at most, 0 when it is there already; a copy takes as much again.</summary>
    public static (long ToMake, long ToCopy) Room(string data, string engine, GrowthSize size)
    {
        // An event took 611 bytes of SQLite and 975 of PostgreSQL.
        var events = Math.Max(size.Events, (3L * size.Clients) + (12L * size.LongHistory));
        var bytes = engine == "postgres" ? (1_300 * events) + Math.Min(Log, 1_300 * events) : 800 * events;
        return (File.Exists(Path.Combine(FolderOf(data, engine, size), FactsFile)) ? 0 : bytes, bytes);
    }

    /// <summary>Finds it, or makes it.</summary>
    public static async Task<SeededDatabase> Get(string data, string engine, GrowthSize size, CancellationToken cancellation)
    {
        var folder = FolderOf(data, engine, size);
        var known = Path.Combine(folder, FactsFile);
        if (!File.Exists(known))
        {
            Figures.Say($"{engine}: seeding {size.Title}");
            var making = folder + ".making";
            if (Directory.Exists(making))
            {
                Directory.Delete(making, recursive: true);
            }

            Directory.CreateDirectory(making);
            var facts = engine == "postgres" ? await MakePostgres(making, size, cancellation) : await MakeSqlite(making, size, cancellation);
            await File.WriteAllTextAsync(Path.Combine(making, FactsFile), JsonSerializer.Serialize(facts), cancellation);
            if (Directory.Exists(folder))
            {
                Directory.Delete(folder, recursive: true);
            }

            Directory.Move(making, folder);
            Figures.Say($"{engine}: {facts.Events:N0} events in {facts.Seconds:N0} s ({facts.Events / facts.Seconds:N0} a second), {facts.Bytes:N0} bytes; the chains of {facts.Verified:N0} events are whole");
        }

        return new SeededDatabase(folder, JsonSerializer.Deserialize<SeededFacts>(await File.ReadAllTextAsync(known, cancellation))!);
    }

    /// <summary>Copies it to a folder that is not there yet.</summary>
    public async Task CopyTo(string folder, CancellationToken cancellation)
    {
        // Owner and mode as they are: PostgreSQL looks at them.
        using var copy = Process.Start(new ProcessStartInfo("cp", ["-a", "--reflink=auto", Folder, folder]))!;
        await copy.WaitForExitAsync(cancellation);
        if (copy.ExitCode != 0)
        {
            throw new BenchmarkException($"{Folder} cannot be copied to {folder}: see the messages above.");
        }
    }

    private static async Task<SeededFacts> MakeSqlite(string folder, GrowthSize size, CancellationToken cancellation)
    {
        var file = Path.Combine(folder, "agencyplatform.db");
        var facts = await Make(new StorageOptions { Provider = StorageProvider.Sqlite, ConnectionString = $"Data Source={file}" }, size, cancellation);
        return facts with { Bytes = new FileInfo(file).Length };
    }

    private static async Task<SeededFacts> MakePostgres(string folder, GrowthSize size, CancellationToken cancellation)
    {
        await using var postgres = await PostgresCluster.Start(folder, cluster => PlatformTables.Create(cluster, cancellation), cancellation, SeedingSettings);
        var facts = await Make(new StorageOptions { Provider = StorageProvider.Postgres, ConnectionString = postgres.OwnerConnectionString }, size, cancellation);
        await postgres.Execute("VACUUM (ANALYZE)", cancellation);
        await postgres.Execute("CHECKPOINT", cancellation);
        return facts with
        {
            Bytes = await postgres.Number("SELECT pg_database_size(current_database())", cancellation),
            JournalBytes = await postgres.Number("SELECT pg_total_relation_size('events')", cancellation),
        };
    }

    private static async Task<SeededFacts> Make(StorageOptions options, GrowthSize size, CancellationToken cancellation)
    {
        var services = new ServiceCollection().AddLogging(logging => logging.SetMinimumLevel(LogLevel.Warning).AddConsole());
        services.AddAgencyPlatformStorage(options);
        await using var provider = services.BuildServiceProvider();
        var maintenance = provider.GetRequiredService<IJournalMaintenance>();
        await maintenance.EnsureSchema(cancellation);
        var began = Stopwatch.GetTimestamp();
        var seeder = new Seeder(provider.GetRequiredService<IJournal>(), cancellation);
        await seeder.Fill(size);
        var seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
        return new SeededFacts(seeder.Events, seconds, 0, null, await Verify(maintenance, size, cancellation));
    }

    /// <summary>The hash chains of all agencies or, of many events, of some from the whole range.</summary>
    private static async Task<long> Verify(IJournalMaintenance maintenance, GrowthSize size, CancellationToken cancellation)
    {
        if (await maintenance.CountEvents(null, cancellation) <= MostVerified)
        {
            return Whole(await maintenance.VerifyChain(null, null, cancellation));
        }

        var verified = Whole(await maintenance.VerifyChain(new AgencyId(GrowthSize.Veteran(0)), null, cancellation));
        var step = Math.Max(1, size.Agencies / 37);
        for (var a = 0; a < size.Agencies && verified < MostVerified; a += step)
        {
            verified += Whole(await maintenance.VerifyChain(new AgencyId(GrowthSize.Agency(a)), null, cancellation));
        }

        return verified;

        static long Whole(ChainReport report) => report.Breaks.IsEmpty
            ? report.Events
            : throw new BenchmarkException($"The seeded chain of {report.Breaks[0].Agency} is broken at {report.Breaks[0].Sequence}: {report.Breaks[0].Problem}.");
    }
}
