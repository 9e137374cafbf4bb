using System.Net;
using System.Text;
using System.Text.Json;
using AgencyPlatform.Protocol.Agencies.V1;
using AgencyPlatform.Protocol.Clients.V1;
using Grpc.Core;

namespace AgencyPlatform.Gateway.Tests.Kernel;

/// <summary>Requests that are far too long, over both wires, and bytes that are no message: a clear error, and nothing changed.</summary>
[Collection(PlatformFixture.Collection)]
public sealed class UnreadRequestsTests(PlatformFixture platform)
{
    private const int TenMegabytes = 10 * 1024 * 1024;

    [Fact]
    public async Task Ten_megabytes_over_gRPC_are_refused_and_change_nothing()
    {
        var agency = await platform.NewAgency();
        var admin = await agency.Admin();

        var error = await Refused.By(admin.Service<ClientsService.ClientsServiceClient>().CreateClientCompanyAsync(Large(agency, TenMegabytes)));

        Assert.Equal(StatusCode.ResourceExhausted, error.StatusCode);
        Assert.Contains("4194304 bytes", error.Message, StringComparison.Ordinal);
        Assert.Equal("REQUEST_TOO_LARGE", error.Reason);
        Assert.Null(error.RetryAfter);
        await Nothing(agency);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Ten_megabytes_over_JSON_are_refused_and_change_nothing(bool lengthIsTold)
    {
        var agency = await platform.NewAgency();
        using var json = platform.Json(await agency.Key(Role.AgencyAdmin));
        using var content = new StringContent(Google.Protobuf.JsonFormatter.Default.Format(Large(agency, TenMegabytes)), Encoding.UTF8, "application/json");
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/v1/{agency.Name}/clientCompanies") { Content = content };
        if (!lengthIsTold)
        {
            request.Headers.TransferEncodingChunked = true;
        }

        using var answer = await json.SendAsync(request);

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, answer.StatusCode);
        var body = JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement;
        Assert.Equal(8, body.GetProperty("code").GetInt32());
        Assert.Contains("4194304 bytes", body.GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Equal("REQUEST_TOO_LARGE", body.GetProperty("details")[0].GetProperty("reason").GetString());
        await Nothing(agency);
    }

    [Fact]
    public async Task A_megabyte_in_a_name_is_a_bad_field_over_both()
    {
        var agency = await platform.NewAgency();
        var admin = await agency.Admin();
        using var json = platform.Json(await agency.Key(Role.AgencyAdmin));
        var request = Large(agency, 1024 * 1024);

        var error = await Refused.By(admin.Service<ClientsService.ClientsServiceClient>().CreateClientCompanyAsync(request));
        using var content = new StringContent(Google.Protobuf.JsonFormatter.Default.Format(request), Encoding.UTF8, "application/json");
        using var answer = await json.PostAsync(new Uri($"/v1/{agency.Name}/clientCompanies", UriKind.Relative), content);

        Assert.Equal(StatusCode.InvalidArgument, error.StatusCode);
        Assert.Equal("client_company.display_name", Assert.Single(error.FieldViolations).Field);
        Assert.True(error.Message.Length < 1_000);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        await Nothing(agency);
    }

    [Theory]
    [InlineData(new byte[] { 0x0a, 0x03, 0xed, 0xa0, 0x80 }, "a string that is not UTF-8")]
    [InlineData(new byte[] { 0x0a, 0x7f, 0x61 }, "a field longer than the message")]
    [InlineData(new byte[] { 0xff, 0xff, 0xff }, "no protobuf")]
    public async Task Bytes_that_are_no_message_are_the_callers_mistake(byte[] message, string what)
    {
        var agency = await platform.NewAgency();
        using var client = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(platform.Grpc, "/agencyplatform.clients.v1.ClientsService/CreateClientCompany"))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent([0, 0, 0, 0, (byte)message.Length, .. message]) { Headers = { ContentType = new("application/grpc") } },
        };
        request.Headers.Authorization = new("Bearer", await agency.Key(Role.AgencyAdmin));
        request.Headers.TE.Add(new("trailers"));

        using var answer = await client.SendAsync(request);
        await answer.Content.ReadAsByteArrayAsync();

        var status = answer.Headers.Concat(answer.TrailingHeaders).ToDictionary(h => h.Key, h => h.Value.Single());
        Assert.True(status["grpc-status"] == "3", $"{what}: {status["grpc-status"]}");
        var details = Google.Rpc.Status.Parser.ParseFrom(Convert.FromBase64String(status["grpc-status-details-bin"]));
        Assert.Equal("INVALID_ARGUMENT", details.Details[0].Unpack<Google.Rpc.ErrorInfo>().Reason);
        await Nothing(agency);
    }

    private static CreateClientCompanyRequest Large(TestAgency agency, int length) => new()
    {
        Parent = agency.Name,
        ClientCompanyId = "large",
        ClientCompany = new ClientCompany { DisplayName = new string('x', length), TimeZone = "America/New_York" },
    };

    private static async Task Nothing(TestAgency agency) =>
        Assert.Empty((await (await agency.Admin()).Service<ClientsService.ClientsServiceClient>().ListClientCompaniesAsync(new ListClientCompaniesRequest { Parent = agency.Name })).ClientCompanies);
}
