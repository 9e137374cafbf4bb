using AgencyPlatform.Storage;

namespace AgencyPlatform.Grains.Tests.Snapshots;

/// <summary>Snapshots in a file of their own beside the journal's.</summary>
public sealed class Snapshots_on_SQLite : Snapshots_cost_time_never_truth
{
    private readonly string _folder = Directory.CreateTempSubdirectory("agencyplatform-snapshots").FullName;

    private string SnapshotFile => Path.Combine(_folder, "journal.snapshots.db");

    [Theory]
    [InlineData("deleted")]
    [InlineData("not a database")]
    [InlineData("torn")]
    public async Task A_file_that_is_lost_or_unreadable_while_stopped_is_made_anew(string what)
    {
        var (client, key) = await Written("file");
        await Silo.Stop();
        switch (what)
        {
            case "deleted":
                File.Delete(SnapshotFile);
                break;
            case "not a database":
                await File.WriteAllTextAsync(SnapshotFile, new string('x', 10_000));
                break;
            default:
                await File.WriteAllBytesAsync(SnapshotFile, [.. (await File.ReadAllBytesAsync(SnapshotFile)).Select((b, i) => i is > 100 and < 9_000 ? (byte)0xA5 : b)]);
                break;
        }

        await Silo.Start();

        client = Silo.Grains.GetGrain<Contracts.Clients.IClientCompanyGrain>(key.GrainKey);
        await SameAsReplay(client, key);
        Assert.Equal(0, Silo.Reads.LastReadAfter(key));
        Silo.Snapshots.Forget();
        Ok(await client.Update(Called(), new Domain.Clients.UpdateClient(Profile("Name again"))));
        for (var i = 0; i < 8; i++)
        {
            Ok(await client.Update(Called(), new Domain.Clients.UpdateClient(Profile($"Name again {i}"))));
        }

        while (!await Silo.Snapshots.NextWrite())
        {
        }

        await SameAsReplay(client, key);
        Assert.NotEqual(0, Silo.Reads.LastReadAfter(key));
    }

    [Fact]
    public async Task A_file_that_is_deleted_while_running_fails_no_command()
    {
        var (client, key) = await Written("running");
        foreach (var file in Directory.GetFiles(_folder, "journal.snapshots.db*"))
        {
            File.Delete(file);
        }

        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        await SameAsReplay(client, key);
        Assert.Equal(0, Silo.Reads.LastReadAfter(key));
        for (var i = 0; i < 9; i++)
        {
            Ok(await client.Update(Called(), new Domain.Clients.UpdateClient(Profile($"Name without {i}"))));
        }

        await SameAsReplay(client, key);
    }

    public override async Task DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    protected override Task<StorageOptions> NewDatabase() =>
        Task.FromResult(new StorageOptions { Provider = StorageProvider.Sqlite, ConnectionString = $"Data Source={Path.Combine(_folder, "journal.db")}" });
}
