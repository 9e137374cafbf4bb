using System.Net;
using AgencyPlatform.Client;
using AgencyPlatform.Protocol.Agencies.V1;
using Grpc.Core;

namespace AgencyPlatform.Host.Tests;

public sealed class LimitsFacts
{
    [Fact]
    public async Task Guessing_keys_is_stopped_and_a_good_key_goes_on()
    {
        using var folder = new TempFolder();
        using var host = await HostProcess.Serve(folder.Path, null, false, "--set", "Gateway:FailedKeysPerMinute=5", "--set", "Gateway:KeyCacheSeconds=0");
        using var @operator = new AgencyPlatformClient(new() { Address = host.Grpc, ApiKey = "apo_development" });
        await @operator.Agencies.CreateAgencyAsync(new CreateAgencyRequest
        {
            AgencyId = "acme",
            Agency = new Agency { DisplayName = "Acme", TimeZone = "America/New_York", DefaultCurrency = "USD" },
            LegalEntities = { new LegalEntity { Name = "us", LegalName = "Acme LLC", Country = "US", TimeZone = "America/New_York", Currency = "USD" } },
        });
        var keys = new List<string>();
        foreach (var id in new[] { "used", "unused" })
        {
            using var admin = keys.Count == 0 ? null : new AgencyPlatformClient(new() { Address = host.Grpc, ApiKey = keys[0] });
            keys.Add((await (admin ?? @operator).Agencies.CreateApiKeyAsync(new CreateApiKeyRequest
            {
                Parent = "agencies/acme",
                ApiKeyId = id,
                ApiKey = new ApiKey { DisplayName = id, Roles = { Role.AgencyAdmin } },
            })).Key);
        }

        var get = new GetAgencyRequest { Name = "agencies/acme" };
        using var good = new AgencyPlatformClient(new() { Address = host.Grpc, ApiKey = keys[0], Retries = 0 });
        await good.Agencies.GetAgencyAsync(get);
        using var bad = new AgencyPlatformClient(new() { Address = host.Grpc, ApiKey = keys[0] + "0", Retries = 0 });
        for (var i = 0; i < 5; i++)
        {
            Assert.Equal(StatusCode.Unauthenticated, (await Assert.ThrowsAsync<ApiException>(async () => await bad.Agencies.GetAgencyAsync(get))).StatusCode);
        }

        var stopped = await Assert.ThrowsAsync<ApiException>(async () => await bad.Agencies.GetAgencyAsync(get));
        Assert.Equal((StatusCode.ResourceExhausted, "RATE_LIMITED"), (stopped.StatusCode, stopped.Reason));
        Assert.InRange(stopped.RetryAfter!.Value, TimeSpan.FromMilliseconds(1), TimeSpan.FromSeconds(12.1));

        // Known to be good: asked about again, and answered. Not known: waits like the others.
        await good.Agencies.GetAgencyAsync(get);
        using var unused = new AgencyPlatformClient(new() { Address = host.Grpc, ApiKey = keys[1], Retries = 0 });
        Assert.Equal(StatusCode.ResourceExhausted, (await Assert.ThrowsAsync<ApiException>(async () => await unused.Agencies.GetAgencyAsync(get))).StatusCode);
        using var http = new HttpClient { BaseAddress = host.Http };
        http.DefaultRequestHeaders.Authorization = new("Bearer", keys[0] + "0");
        Assert.Equal(HttpStatusCode.TooManyRequests, (await http.GetAsync("v1/agencies/acme")).StatusCode);
    }
}
