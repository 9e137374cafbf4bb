using AgencyPlatform.Protocol.Agencies.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace AgencyPlatform.Gateway.Tests.Kernel;

[Collection(PlatformFixture.Collection)]
public sealed class KeysTests(PlatformFixture platform)
{
    [Fact]
    public async Task A_key_with_another_secret_is_refused()
    {
        var agency = await platform.NewAgency();
        var key = await agency.Key(Role.AgencyAdmin);
        string[] wrong =
        [
            key[..^1] + (key[^1] == '0' ? '1' : '0'), key + "0", key[..^1], "apk_" + agency.Id, $"apk_{agency.Id}_x_y", "apk_no-such-agency_x_y", "apo_wrong", "Ω", "apk_A_b_c",
        ];
        var messages = new HashSet<string>();
        foreach (var text in wrong.Where(t => t.All(char.IsAscii)))
        {
            var error = await Refused.By(platform.Client(text).Agencies.GetAgencyAsync(new GetAgencyRequest { Name = agency.Name }));
            Assert.Equal(StatusCode.Unauthenticated, error.StatusCode);
            Assert.Equal("UNAUTHENTICATED", error.Reason);
            messages.Add(error.Message);
        }

        // Whatever is wrong with it, the answer is the same.
        Assert.Single(messages);
    }

    [Fact]
    public async Task A_revoked_key_is_refused()
    {
        var agency = await platform.NewAgency();
        var admin = await agency.Admin();
        var made = await admin.Agencies.CreateApiKeyAsync(new CreateApiKeyRequest
        {
            Parent = agency.Name,
            ApiKeyId = "ci",
            ApiKey = new ApiKey { DisplayName = "CI", Roles = { Role.Service } },
        });
        var service = platform.Client(made.Key);
        await service.Agencies.GetAgencyAsync(new GetAgencyRequest { Name = agency.Name });
        var revoked = await admin.Agencies.RevokeApiKeyAsync(new RevokeApiKeyRequest { Name = made.Name });
        Assert.True(revoked.Revoked);
        Assert.Equal(StatusCode.Unauthenticated, (await Refused.By(service.Agencies.GetAgencyAsync(new GetAgencyRequest { Name = agency.Name }))).StatusCode);
    }

    [Fact]
    public async Task An_expired_key_is_refused()
    {
        var agency = await platform.NewAgency();
        var admin = await agency.Admin();
        var expires = DateTimeOffset.FromUnixTimeMilliseconds(TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds()).AddMilliseconds(1500);
        var made = await admin.Agencies.CreateApiKeyAsync(new CreateApiKeyRequest
        {
            Parent = agency.Name,
            ApiKey = new ApiKey { DisplayName = "Short", Roles = { Role.Service }, ExpireTime = Timestamp.FromDateTimeOffset(expires) },
        });
        var service = platform.Client(made.Key);
        Grpc.Core.StatusCode last;
        do
        {
            try
            {
                await service.Agencies.GetAgencyAsync(new GetAgencyRequest { Name = agency.Name });
                last = StatusCode.OK;
            }
            catch (RpcException e)
            {
                last = e.StatusCode;
            }
        }
        while (last == StatusCode.OK && TimeProvider.System.GetUtcNow() < expires.AddSeconds(10));

        Assert.Equal(StatusCode.Unauthenticated, last);
        Assert.True(TimeProvider.System.GetUtcNow() >= expires);
    }

    [Fact]
    public async Task The_secret_is_shown_once()
    {
        var agency = await platform.NewAgency();
        var admin = await agency.Admin();
        var request = new CreateApiKeyRequest
        {
            Parent = agency.Name,
            ApiKey = new ApiKey { DisplayName = "Once", Roles = { Role.Finance } },
            RequestId = Guid.CreateVersion7().ToString(),
        };
        var first = await admin.Agencies.CreateApiKeyAsync(request);
        var again = await admin.Agencies.CreateApiKeyAsync(request);
        Assert.NotEmpty(first.Key);
        Assert.Equal(first.Name, again.Name);
        Assert.Empty(again.Key);
        Assert.All((await admin.Agencies.ListApiKeysAsync(new ListApiKeysRequest { Parent = agency.Name })).ApiKeys, k => Assert.Empty(k.Key));
        var events = await admin.Events.ListEventsAsync(new Protocol.Events.V1.ListEventsRequest { Parent = agency.Name });
        Assert.DoesNotContain(first.Key.Split('_')[^1], events.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_says_who_its_holder_is()
    {
        var agency = await platform.NewAgency();
        var admin = await agency.Admin();
        await admin.Clients.CreateClientCompanyAsync(new Protocol.Clients.V1.CreateClientCompanyRequest { Parent = agency.Name, ClientCompanyId = "acme", ClientCompany = new Protocol.Clients.V1.ClientCompany { DisplayName = "Acme", TimeZone = "America/New_York" } });
        var key = await admin.Agencies.CreateApiKeyAsync(new CreateApiKeyRequest
        {
            Parent = agency.Name,
            ApiKey = new ApiKey { DisplayName = "Acme's", Roles = { Role.ClientApprover }, ClientCompany = agency.Name + "/clientCompanies/acme" },
        });

        var approver = await platform.Client(key.Key).Agencies.GetCallerAsync(new GetCallerRequest());
        Assert.Equal(new Protocol.Agencies.V1.Caller { Agency = agency.Name, Roles = { Role.ClientApprover }, ClientCompany = agency.Name + "/clientCompanies/acme", Sandbox = true }, approver);
        Assert.Equal([Role.AgencyAdmin], (await admin.Agencies.GetCallerAsync(new GetCallerRequest())).Roles);
        Assert.Equal(new Protocol.Agencies.V1.Caller(), await platform.Operator.Agencies.GetCallerAsync(new GetCallerRequest()));
    }

    [Fact]
    public async Task The_operator_hands_an_agency_over_and_makes_no_more_keys()
    {
        var agency = await platform.NewAgency();
        CreateApiKeyRequest Request(string id) => new() { Parent = agency.Name, ApiKeyId = id, ApiKey = new ApiKey { DisplayName = id, Roles = { Role.AgencyAdmin } } };
        var first = await platform.Operator.Agencies.CreateApiKeyAsync(Request("first"));
        Assert.Equal("ADMIN_EXISTS", (await Refused.By(platform.Operator.Agencies.CreateApiKeyAsync(Request("second")))).Reason);

        // Nobody is left who could make one: handed over again.
        await platform.Client(first.Key).Agencies.RevokeApiKeyAsync(new RevokeApiKeyRequest { Name = first.Name });
        Assert.NotEmpty((await platform.Operator.Agencies.CreateApiKeyAsync(Request("third"))).Key);
    }

    [Fact]
    public async Task A_bound_role_needs_what_it_is_bound_to()
    {
        var agency = await platform.NewAgency();
        var admin = await agency.Admin();
        var error = await Refused.By(admin.Agencies.CreateApiKeyAsync(new CreateApiKeyRequest
        {
            Parent = agency.Name,
            ApiKey = new ApiKey { DisplayName = "", Roles = { Role.Cmo, Role.ClientViewer, Role.Unspecified } },
        }));
        Assert.Equal(["api_key.display_name", "api_key.roles[2]", "api_key.client_company", "api_key.cmo"], error.FieldViolations.Select(v => v.Field));
    }

    [Theory]
    [InlineData(Role.Cmo, "cmos/nobody", "", "cmo")]
    [InlineData(Role.ClientViewer, "", "clientCompanies/nobody", "client_company")]
    public async Task A_key_of_who_is_not_there_is_refused_by_the_full_name(Role role, string cmo, string client, string type)
    {
        var agency = await platform.NewAgency();
        var admin = await agency.Admin();
        var error = await Refused.By(admin.Agencies.CreateApiKeyAsync(new CreateApiKeyRequest
        {
            Parent = agency.Name,
            ApiKey = new ApiKey
            {
                DisplayName = "Early",
                Roles = { role },
                Cmo = cmo.Length > 0 ? $"{agency.Name}/{cmo}" : "",
                ClientCompany = client.Length > 0 ? $"{agency.Name}/{client}" : "",
            },
        }));

        Assert.Equal(StatusCode.NotFound, error.StatusCode);
        var resource = error.GetRpcStatus()!.GetDetail<Google.Rpc.ResourceInfo>()!;
        Assert.Equal((type, $"{agency.Name}/{cmo}{client}"), (resource.ResourceType, resource.ResourceName));
        Assert.Equal(resource.ResourceName, error.GetRpcStatus()!.GetDetail<Google.Rpc.ErrorInfo>()!.Metadata["resource_name"]);
    }
}
