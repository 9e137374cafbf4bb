using AgencyPlatform.Client;
using Grpc.Core;
using Microsoft.Data.Sqlite;

namespace AgencyPlatform.Host.Tests;

/// <summary>The real process on a disk that refuses writes, and on a database that is not for it.</summary>
public sealed class DiskFacts
{
    [Fact]
    public async Task While_the_disk_refuses_writes_calls_get_UNAVAILABLE_and_afterwards_it_goes_on_without_a_restart()
    {
        if (!OperatingSystem.IsLinux())
        {
            // No other system changes the limits of a process that runs.
            return;
        }

        using var folder = new TempFolder();
        List<(string Request, string Cmo)> calls = [.. Enumerable.Range(0, 180).Select(i => (Guid.CreateVersion7(TimeProvider.System.GetUtcNow()).ToString(), $"agencies/acme/cmos/cmo-{i % 4}"))];
        using (var host = await HostProcess.Serve(folder.Path, limitable: true))
        {
            var key = await HostFacts.Prepare(host);
            using var platform = new AgencyPlatformClient(new() { Address = host.Grpc, ApiKey = key, Retries = 0 });
            var acknowledged = new HashSet<string>();
            var refused = new List<ApiException>();
            await Call(calls[..60]);
            Assert.Empty(refused);

            // Some more bytes go into the log of SQLite, then none, in the middle of a write.
            host.LimitFiles(new FileInfo(Path.Combine(folder.Path, "agencyplatform.db-wal")).Length + 50_000);
            await Call(calls[60..120]);
            await Call(calls[120..]);
            Assert.NotEmpty(refused);
            Assert.All(refused, e => Assert.Equal(StatusCode.Unavailable, e.StatusCode));

            // It still reads: what was acknowledged, and nothing of what was refused.
            using (var http = new HttpClient { BaseAddress = host.Http })
            {
                Assert.Equal("serving\n", await http.GetStringAsync("health"));
            }

            Assert.Equal(acknowledged.Order(), (await HostFacts.Bookings(platform)).Order());

            host.LimitFiles(null);
            using var patient = new AgencyPlatformClient(new() { Address = host.Grpc, ApiKey = key });
            foreach (var call in calls)
            {
                await HostFacts.Book(patient, call);
            }

            var after = await HostFacts.Bookings(patient);
            Assert.Equal(calls.Count, after.Count);
            Assert.Equal(after.Count, after.Distinct().Count());
            Assert.Superset(acknowledged, after.ToHashSet());
            Assert.True(await HostFacts.Contiguous(patient) >= calls.Count);

            async Task Call(List<(string Request, string Cmo)> some) =>
                await Parallel.ForEachAsync(some, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (call, _) =>
                {
                    try
                    {
                        var booking = await HostFacts.Book(platform, call);
                        lock (acknowledged)
                        {
                            acknowledged.Add(booking.Name);
                        }
                    }
                    catch (ApiException e)
                    {
                        lock (acknowledged)
                        {
                            refused.Add(e);
                        }
                    }
                });
        }

        var (code, output, error) = await HostProcess.Run("journal", "verify", "--data", folder.Path);
        Assert.True(code == 0, output + error);
    }

    [Fact]
    public async Task A_database_that_needs_a_newer_program_is_refused_in_a_sentence()
    {
        using var folder = new TempFolder();
        Assert.Equal(0, (await HostProcess.Run("migrate", "--data", folder.Path)).Code);
        await using (var connection = new SqliteConnection($"Data Source={Path.Combine(folder.Path, "agencyplatform.db")};Pooling=false"))
        {
            await connection.OpenAsync();
            await using var command = new SqliteCommand("UPDATE schema_info SET version = 99, oldest_program = 98", connection);
            await command.ExecuteNonQueryAsync();
        }

        foreach (var arguments in new[] { (string[])["--environment", "Development", "--grpc-port", "0", "--http-port", "0"], ["journal", "verify"] })
        {
            var (code, output, error) = await HostProcess.Run([.. arguments, "--data", folder.Path]);

            Assert.True(code == 1, output + error);
            Assert.Contains("The database is of version 99, which needs a program that knows at least version 98", error, StringComparison.Ordinal);
            Assert.Contains("run a newer release", error, StringComparison.Ordinal);
            Assert.DoesNotContain("   at ", output + error, StringComparison.Ordinal);
        }
    }
}
