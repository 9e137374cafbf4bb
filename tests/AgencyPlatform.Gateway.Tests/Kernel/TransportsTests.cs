using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using AgencyPlatform.Protocol.Agencies.V1;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Grpc.Net.Client.Web;
using Grpc.Reflection.V1Alpha;

namespace AgencyPlatform.Gateway.Tests.Kernel;

[Collection(PlatformFixture.Collection)]
public sealed class TransportsTests(PlatformFixture platform)
{
    [Fact]
    public async Task Json_and_grpc_give_the_same_answer()
    {
        var agency = await platform.NewAgency();
        var admin = await agency.Admin();
        using var json = platform.Json(await agency.Key(Role.AgencyAdmin));
        var grpc = await admin.Agencies.GetAgencyAsync(new GetAgencyRequest { Name = agency.Name });
        var text = await json.GetStringAsync(new Uri($"/v1/{agency.Name}", UriKind.Relative));
        Assert.Equal(grpc, JsonParser.Default.Parse<Agency>(text));
        Assert.Equal(JsonValueKind.String, JsonDocument.Parse(text).RootElement.GetProperty("version").ValueKind);

        var patched = await json.PatchAsJsonAsync($"/v1/{agency.Name}", new { agency = new { displayName = "By JSON" }, updateMask = "displayName", requestId = Guid.CreateVersion7().ToString() });
        Assert.True(patched.IsSuccessStatusCode, await patched.Content.ReadAsStringAsync());
        Assert.Equal("By JSON", (await admin.Agencies.GetAgencyAsync(new GetAgencyRequest { Name = agency.Name })).DisplayName);
    }

    [Theory]
    [InlineData("/v1/agencies/no-such-agency", HttpStatusCode.NotFound, 5)]
    [InlineData("/v1/{agency}/legalEntities/nobody", HttpStatusCode.NotFound, 5)]
    [InlineData("/v1/{agency}/legalEntities?pageSize=5000", HttpStatusCode.BadRequest, 3)]
    [InlineData("/v1/agencies", HttpStatusCode.Forbidden, 7)]
    public async Task Errors_are_the_same_in_json(string path, HttpStatusCode status, int code)
    {
        var agency = await platform.NewAgency();
        using var json = platform.Json(await agency.Key(Role.AgencyAdmin));
        using var response = await json.GetAsync(new Uri(path.Replace("{agency}", agency.Name, StringComparison.Ordinal), UriKind.Relative));
        var body = JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement;
        Assert.Equal(status, response.StatusCode);
        Assert.Equal(code, body.GetProperty("code").GetInt32());
        Assert.Contains(body.GetProperty("details").EnumerateArray(), d => d.GetProperty("@type").GetString() == "type.googleapis.com/google.rpc.ErrorInfo");
    }

    [Fact]
    public async Task Without_a_key_json_is_unauthorized()
    {
        using var json = platform.Json("");
        Assert.Equal(HttpStatusCode.Unauthorized, (await json.GetAsync(new Uri("/v1/agencies/x", UriKind.Relative))).StatusCode);
    }

    [Fact]
    public async Task Grpc_web_works()
    {
        var agency = await platform.NewAgency();
        using var channel = GrpcChannel.ForAddress(platform.Http, new GrpcChannelOptions
        {
            HttpHandler = new GrpcWebHandler(GrpcWebMode.GrpcWebText, new HttpClientHandler()),
            HttpVersion = HttpVersion.Version11,
        });
        var headers = new Metadata { { "authorization", "Bearer " + await agency.Key(Role.Operations) } };
        var answer = await new AgenciesService.AgenciesServiceClient(channel).GetAgencyAsync(new GetAgencyRequest { Name = agency.Name }, headers);
        Assert.Equal(agency.Name, answer.Name);
    }

    [Fact]
    public async Task Reflection_lists_every_service_without_a_key()
    {
        using var channel = GrpcChannel.ForAddress(platform.Grpc);
        using var call = new ServerReflection.ServerReflectionClient(channel).ServerReflectionInfo();
        await call.RequestStream.WriteAsync(new ServerReflectionRequest { ListServices = "" });
        Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None));
        var listed = call.ResponseStream.Current.ListServicesResponse.Service.Select(s => s.Name).ToHashSet();
        await call.RequestStream.CompleteAsync();
        Assert.Subset(listed, ProtocolFiles.Services.Select(s => s.FullName).ToHashSet());
    }

    [Fact]
    public async Task Health_says_serving_without_a_key()
    {
        using var channel = GrpcChannel.ForAddress(platform.Grpc);
        var health = await new Grpc.Health.V1.Health.HealthClient(channel).CheckAsync(new Grpc.Health.V1.HealthCheckRequest());
        Assert.Equal(Grpc.Health.V1.HealthCheckResponse.Types.ServingStatus.Serving, health.Status);
    }

    [Fact]
    public async Task The_openapi_document_describes_every_call_in_words()
    {
        using var json = platform.Json("");
        var document = JsonDocument.Parse(await json.GetStringAsync(new Uri("/openapi/v1.json", UriKind.Relative))).RootElement;
        var operations = document.GetProperty("paths").EnumerateObject().SelectMany(p => p.Value.EnumerateObject()).Select(o => o.Value).ToList();
        var named = operations.Select(o => o.GetProperty("operationId").GetString()!).ToHashSet();
        Assert.Subset(named, ProtocolFiles.Services.SelectMany(s => s.Methods).Where(m => !m.IsServerStreaming).Select(m => m.Name).ToHashSet());
        Assert.All(operations, o => Assert.NotEmpty(o.GetProperty("description").GetString()!));
        var schemas = document.GetProperty("components").GetProperty("schemas");
        foreach (var schema in schemas.EnumerateObject().Where(s => s.Name.StartsWith("agencyplatform.", StringComparison.Ordinal)))
        {
            Assert.NotEmpty(schema.Value.GetProperty("description").GetString()!);
            if (schema.Value.TryGetProperty("properties", out var properties))
            {
                Assert.All(properties.EnumerateObject(), p => Assert.True(p.Value.TryGetProperty("description", out _), $"{schema.Name}.{p.Name} says nothing"));
            }
        }

        Assert.Contains("openapi/", await json.GetStringAsync(new Uri("/docs", UriKind.Relative)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_request_over_the_limit_is_refused_cleanly()
    {
        var agency = await platform.NewAgency();
        var admin = await agency.Admin();
        var note = new string('x', 10 * 1024 * 1024);
        var error = await Refused.By(admin.Agencies.UpdateAgencyAsync(new UpdateAgencyRequest { Agency = new Agency { Name = agency.Name, DisplayName = note } }));
        Assert.Equal(StatusCode.ResourceExhausted, error.StatusCode);
        using var json = platform.Json(await agency.Key(Role.AgencyAdmin));
        using var response = await json.PatchAsJsonAsync($"/v1/{agency.Name}", new { agency = new { displayName = note } });
        Assert.InRange((int)response.StatusCode, 400, 499);
        Assert.NotEqual(note, (await admin.Agencies.GetAgencyAsync(new GetAgencyRequest { Name = agency.Name })).DisplayName);
    }
}
