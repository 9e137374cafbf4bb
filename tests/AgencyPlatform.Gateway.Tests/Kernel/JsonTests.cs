using System.Net;
using System.Text;
using System.Text.Json;
using AgencyPlatform.Protocol.Agencies.V1;

namespace AgencyPlatform.Gateway.Tests.Kernel;

/// <summary>What is wrong with the JSON itself: every bad field by path, never a silent default, nothing changed.</summary>
[Collection(PlatformFixture.Collection)]
public sealed class JsonTests(PlatformFixture platform)
{
    [Theory]
    [InlineData("""{"clientCompany":{"displayName":5,"timeZone":["UTC"]}}""", "client_company.display_name", "client_company.time_zone")]
    [InlineData("""{"clientCompany":{"displayNam":"A"},"clientcompany":{}}""", "client_company.displayNam", "clientcompany")]
    [InlineData("""{"clientCompany":{"labels":{"a":1},"externalIds":"x"}}""", "client_company.labels[a]", "client_company.external_ids")]
    [InlineData("""{"clientCompany":{},"client_company":{}}""", "client_company")]
    [InlineData("""{"clientCompany":{"displayName":"\ud800"}}""", "client_company.display_name")]
    [InlineData("""{"clientCompany":""", "body")]
    [InlineData("[]", "body")]
    [InlineData("", "body")]
    public async Task Every_field_of_the_wrong_shape_is_named(string body, params string[] paths)
    {
        var agency = await platform.NewAgency();
        using var json = platform.Json(await agency.Key(Role.AgencyAdmin));
        using var content = new StringContent(body, Encoding.UTF8, "application/json");

        using var answer = await json.PostAsync($"/v1/{agency.Name}/clientCompanies", content);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal(paths, await BadFields(answer));
        using var list = JsonDocument.Parse(await json.GetStringAsync($"/v1/{agency.Name}/clientCompanies"));
        Assert.Equal(0, list.RootElement.GetProperty("clientCompanies").GetArrayLength());
    }

    [Fact]
    public async Task Unknown_enum_values_are_told_the_known_ones()
    {
        var agency = await platform.NewAgency();
        using var json = platform.Json(await agency.Key(Role.AgencyAdmin));
        using var content = new StringContent("""{"apiKeyId":"x","apiKey":{"displayName":"x","roles":["AGENCY_ADMIN"]}}""", Encoding.UTF8, "application/json");

        using var answer = await json.PostAsync($"/v1/{agency.Name}/apiKeys", content);

        Assert.Equal(["api_key.roles[0]"], await BadFields(answer));
        Assert.Contains("ROLE_AGENCY_ADMIN", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("page_size=many", "page_size")]
    [InlineData("pagesize=3", "pagesize")]
    [InlineData("pageToken=a&pageToken=b&x.y=1", "pageToken", "x.y")]
    public async Task Parameters_that_do_not_fit_are_named(string query, params string[] names)
    {
        var agency = await platform.NewAgency();
        using var json = platform.Json(await agency.Key(Role.AgencyAdmin));

        using var answer = await json.GetAsync($"/v1/{agency.Name}/clientCompanies?{query}");

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal(names, await BadFields(answer));
    }

    [Theory]
    [InlineData("pageSize=1")]
    [InlineData("page_size=1")]
    public async Task Parameters_have_the_name_of_the_proto_or_of_JSON(string query)
    {
        var agency = await platform.NewAgency();
        using var json = platform.Json(await agency.Key(Role.AgencyAdmin));

        using var answer = await json.GetAsync($"/v1/{agency.Name}/clientCompanies?{query}");

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    [Fact]
    public async Task A_body_that_is_not_called_JSON_is_refused()
    {
        var agency = await platform.NewAgency();
        using var json = platform.Json(await agency.Key(Role.AgencyAdmin));
        using var content = new StringContent("{}", Encoding.UTF8, "application/x-www-form-urlencoded");

        using var answer = await json.PostAsync($"/v1/{agency.Name}/clientCompanies", content);

        Assert.Equal(["content-type"], await BadFields(answer));
    }

    [Theory]
    [InlineData("GET", "/v1/nonsense")]
    [InlineData("DELETE", "/v1/agencies")]
    public async Task What_is_no_method_is_said_in_JSON(string verb, string path)
    {
        using var json = platform.Json("");

        using var answer = await json.SendAsync(new HttpRequestMessage(new HttpMethod(verb), path));

        Assert.Contains("NO_SUCH_METHOD", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.True(answer.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.MethodNotAllowed);
    }

    private static async Task<IEnumerable<string?>> BadFields(HttpResponseMessage answer)
    {
        using var body = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
        Assert.Equal(3, body.RootElement.GetProperty("code").GetInt32());
        return [.. body.RootElement.GetProperty("details").EnumerateArray()
            .Where(d => d.TryGetProperty("fieldViolations", out _))
            .SelectMany(d => d.GetProperty("fieldViolations").EnumerateArray()).Select(v => v.GetProperty("field").GetString())];
    }
}
