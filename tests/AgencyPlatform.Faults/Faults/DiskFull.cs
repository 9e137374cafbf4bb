using System.Diagnostics;
using System.Globalization;
using AgencyPlatform.Client;
using AgencyPlatform.Protocol.Clients.V1;
using AgencyPlatform.Testing;
using Grpc.Core;
using FieldMask = Google.Protobuf.WellKnownTypes.FieldMask;

namespace AgencyPlatform.Faults;

/// <summary>The database on a disk of its own, which is small.</summary>
internal sealed class OnSmallDisk(SmallDisk disk, string folder) : Surroundings
{
    public SmallDisk Disk => disk;

    /// <summary>
    /// PostgreSQL's tables and indexes, not its log: when that disk is full PostgreSQL itself stops, and it is its operator who starts it again.
    /// </summary>
    public override async Task Prepare(PostgresRoles roles)
    {
        // The server runs as another user than this command, which is root.
        var tables = Path.Combine(folder, "tables");
        using (var made = Process.Start(new ProcessStartInfo("runuser", ["-u", "postgres", "--", "mkdir", "-m", "700", tables]))!)
        {
            await made.WaitForExitAsync();
        }

        await roles.Execute($"CREATE TABLESPACE small LOCATION '{tables}'");
        await roles.Execute("GRANT CREATE ON TABLESPACE small TO PUBLIC");
        var database = new Npgsql.NpgsqlConnectionStringBuilder(roles.Superuser).Database;
        await roles.Execute($"ALTER DATABASE {database} SET default_tablespace = small");

        // Connections that stand do not know of it.
        Npgsql.NpgsqlConnection.ClearAllPools();
    }

    public override ValueTask DisposeAsync() => disk.DisposeAsync();
}

/// <summary>No byte more fits on the database's disk, for a while.</summary>
internal sealed class DiskFull : Fault
{
    private const int Megabytes = 256;
    private static readonly TimeSpan s_toRefusal = TimeSpan.FromSeconds(120);
    private static readonly TimeSpan s_lasts = TimeSpan.FromSeconds(10);

    public override string Name => "disk-full";

    public override string What => "The disk of the database (PostgreSQL: of its tables and indexes; SQLite: of its file and log) is filled to the last byte, and freed ten seconds after the first refusal. Meanwhile changes are answered UNAVAILABLE and nothing else; nobody is started again.";

    public override TimeSpan Bound => TimeSpan.FromSeconds(15);

    public override IReadOnlyList<Engine> Engines => [Engine.Postgres, Engine.PostgresAlone, Engine.Sqlite];

    public override async Task<Cluster> Start(string folder, Engine engine)
    {
        var place = engine == Engine.Sqlite ? Path.Combine(folder, "data") : Directory.CreateTempSubdirectory("agencyplatform-faults-").FullName;
        return await Cluster.Start(folder, engine, surroundings: new OnSmallDisk(await SmallDisk.Mount(place, Megabytes), place));
    }

    public override async Task Strike(Scene scene, int time)
    {
        var disk = ((OnSmallDisk)scene.Cluster.Surroundings).Disk;
        var agency = await OwnAgency.Make(scene.Cluster, "prober");
        using var client = agency.Client(scene.Cluster.Addresses.First(), retries: 0);
        var (begin, refused, accepted, i) = (TimeProvider.System.GetTimestamp(), 0, 0, 0);
        long? first = null;
        await disk.Fill();
        while (first is null ? TimeProvider.System.GetElapsedTime(begin) < s_toRefusal : TimeProvider.System.GetElapsedTime(first.Value) < s_lasts)
        {
            try
            {
                await client.Clients.UpdateClientCompanyAsync(new UpdateClientCompanyRequest
                {
                    ClientCompany = new ClientCompany { Name = agency.ClientCompany, DisplayName = string.Create(CultureInfo.InvariantCulture, $"Name {i++}") },
                    UpdateMask = new FieldMask { Paths = { "display_name" } },
                });
                accepted++;
            }
            catch (ApiException e)
            {
                first ??= TimeProvider.System.GetTimestamp();
                refused++;
                if (e.StatusCode != StatusCode.Unavailable)
                {
                    scene.Wrong($"while the disk was full: {e.StatusCode} {e.Message}");
                }
            }
        }

        disk.Free();
        scene.Note(string.Create(CultureInfo.InvariantCulture, $"while the disk was full {refused} changes of an agency beside the load were answered UNAVAILABLE, {accepted} still found room"));
        if (refused == 0)
        {
            scene.Wrong("nothing was refused: the disk was not full");
        }
    }
}
