using AgencyPlatform.Client;
using AgencyPlatform.Protocol.Clients.V1;
using Grpc.Core;
using Microsoft.Data.Sqlite;

namespace AgencyPlatform.Gateway.Tests.Kernel;

/// <summary>A real host whose database lets nobody write for as long as a test wants: what is too much is refused at once, and taken afterwards.</summary>
public sealed class OverloadTests
{
    [Fact]
    public async Task A_call_that_finds_the_journals_queue_full_is_refused_at_once_and_its_repeat_is_done()
    {
        var platform = new PlatformFixture(null, ("Storage:MaxWaiting", "1"));
        await platform.InitializeAsync();
        try
        {
            var agency = await platform.NewAgency(sandbox: false);
            var admin = await agency.Admin();
            var requests = Enumerable.Range(0, 4).Select(i => Client(agency, i)).ToArray();
            List<Task<ClientCompany>> calls;
            using (NobodyWrites(platform))
            {
                // One is with the database, one waits; or the second comes before the first was taken.
                calls = [.. requests.Select(r => admin.Clients.CreateClientCompanyAsync(r).ResponseAsync)];
                var others = calls.ToList();
                for (var i = 0; i < 2; i++)
                {
                    var refused = await Task.WhenAny(others);
                    others.Remove(refused);
                    var error = await Assert.ThrowsAsync<ApiException>(() => refused);
                    Assert.Equal((StatusCode.Unavailable, "UNAVAILABLE"), (error.StatusCode, error.Reason));
                    Assert.True(error.RetryAfter > TimeSpan.Zero);
                }

                // Nothing is written yet, so whoever is left waits.
                Assert.Contains(others, c => !c.IsCompleted);
            }

            foreach (var call in calls)
            {
                await ((Task)call).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
            }

            var again = platform.Client(await agency.Key(Protocol.Agencies.V1.Role.AgencyAdmin), retries: 10);
            foreach (var request in requests)
            {
                Assert.EndsWith(request.ClientCompanyId, (await again.Clients.CreateClientCompanyAsync(request)).Name, StringComparison.Ordinal);
            }

            Assert.Equal(requests.Length, (await admin.Clients.ListClientCompaniesAsync(new() { Parent = agency.Name })).ClientCompanies.Count);
        }
        finally
        {
            await platform.DisposeAsync();
        }
    }

    [Fact]
    public async Task An_agency_with_too_many_calls_under_way_is_refused_at_once_while_another_is_served()
    {
        var platform = new PlatformFixture(null, ("Gateway:ConcurrentCallsPerAgency", "4"));
        await platform.InitializeAsync();
        try
        {
            var (busy, other) = (await platform.NewAgency(sandbox: false), await platform.NewAgency(sandbox: false));
            var (admin, theirs) = (await busy.Admin(), await other.Admin());
            List<Task<ClientCompany>> calls;
            using (NobodyWrites(platform))
            {
                calls = [.. Enumerable.Range(0, 5).Select(i => admin.Clients.CreateClientCompanyAsync(Client(busy, i)).ResponseAsync)];
                var refused = await Task.WhenAny(calls);
                calls.Remove(refused);

                var error = await Assert.ThrowsAsync<ApiException>(() => refused);
                Assert.Equal((StatusCode.ResourceExhausted, "RATE_LIMITED"), (error.StatusCode, error.Reason));
                Assert.True(error.RetryAfter > TimeSpan.Zero);
                Assert.Equal(other.Name, (await theirs.Agencies.GetAgencyAsync(new() { Name = other.Name })).Name);
                Assert.Equal(StatusCode.ResourceExhausted, (await Refused.By(admin.Agencies.GetAgencyAsync(new() { Name = busy.Name }))).StatusCode);
            }

            Assert.Equal(4, (await Task.WhenAll(calls)).Length);
            Assert.Equal(busy.Name, (await admin.Agencies.GetAgencyAsync(new() { Name = busy.Name })).Name);
        }
        finally
        {
            await platform.DisposeAsync();
        }
    }

    private static CreateClientCompanyRequest Client(TestAgency agency, int i) => new()
    {
        Parent = agency.Name,
        RequestId = Guid.CreateVersion7().ToString(),
        ClientCompanyId = $"client-{i}",
        ClientCompany = new ClientCompany { DisplayName = "Client", TimeZone = "America/New_York" },
    };

    /// <summary>Has the database's one write lock until disposed.</summary>
    private static SqliteConnection NobodyWrites(PlatformFixture platform)
    {
        var connection = new SqliteConnection($"Data Source={Path.Combine(platform.Folder, "agencyplatform.db")};Pooling=False");
        connection.Open();
        using var begin = connection.CreateCommand();
        begin.CommandText = "BEGIN IMMEDIATE";
        begin.ExecuteNonQuery();
        return connection;
    }
}
