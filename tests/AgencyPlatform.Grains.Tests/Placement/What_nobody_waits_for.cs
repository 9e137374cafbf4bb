using System.Collections.Immutable;
using AgencyPlatform.Contracts;
using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Clients;
using AgencyPlatform.Domain;
using AgencyPlatform.Domain.Clients;
using AgencyPlatform.Storage;

namespace AgencyPlatform.Grains.Tests.Placement;

/// <summary>A call whose caller has given up before the grain came to it.</summary>
public sealed class What_nobody_waits_for
{
    private static readonly AgencyId s_agency = new("acme");

    [Fact]
    public async Task Is_not_done()
    {
        var folder = Directory.CreateTempSubdirectory("agencyplatform-patience").FullName;
        try
        {
            await using var silo = new PlatformSilo(new StorageOptions { Provider = StorageProvider.Sqlite, ConnectionString = $"Data Source={Path.Combine(folder, "journal.db")}" });
            await silo.Start(patience: TimeSpan.FromSeconds(2));
            var client = silo.Grains.Of<IClientCompanyGrain>(s_agency, "client");
            await Known(Called(), c => client.Create(c, new CreateClient(new ClientCompanyId("client"), Profile("0"))));
            var (first, second) = (Called(), Called());

            using (silo.Faults.Hold(s_agency, "Update"))
            {
                var held = client.Update(first, new UpdateClient(Profile("held")));
                var waiting = client.Update(second, new UpdateClient(Profile("expired")));
                await Assert.ThrowsAsync<TimeoutException>(() => held);
                await Assert.ThrowsAsync<TimeoutException>(() => waiting);
            }

            // The first had begun, and is done; the second is not, until it is asked for again.
            var third = await Known(Called(), c => client.Update(c, new UpdateClient(Profile("third"))));
            Assert.Equal(3, third.Version);
            Assert.Equal(4, (await Known(second, c => client.Update(c, new UpdateClient(Profile("expired"))))).Version);
            Assert.Equal(2, (await Known(first, c => client.Update(c, new UpdateClient(Profile("held"))))).Version);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Until it is answered: the machine may be slower than the patience.</summary>
    private static async Task<Meta> Known(Call call, Func<Call, Task<Reply<ClientCompany>>> send)
    {
        while (true)
        {
            try
            {
                var reply = await send(call);
                Assert.True(reply.Rejection is null, reply.Rejection?.Message);
                return reply.Meta!;
            }
            catch (TimeoutException)
            {
            }
        }
    }

    private static Call Called() => new(s_agency, "key:test", Guid.CreateVersion7(), "hash");

    private static ClientProfile Profile(string name) => new(
        name, "", "", "Etc/UTC", new BillingDetails("", "", "", "", 30), ImmutableSortedDictionary<string, string>.Empty, ImmutableSortedDictionary<string, string>.Empty);
}
