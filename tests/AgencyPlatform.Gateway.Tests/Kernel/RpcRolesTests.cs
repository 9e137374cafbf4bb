using AgencyPlatform.Domain.Agencies;

namespace AgencyPlatform.Gateway.Tests.Kernel;

public sealed class RpcRolesTests
{
    private static IEnumerable<string> Rpcs => ProtocolFiles.Services.SelectMany(s => s.Methods.Select(m => $"{s.FullName}/{m.Name}"));

    [Fact]
    public void Every_rpc_declares_its_roles() =>
        Assert.DoesNotContain(Rpcs, rpc => !RpcRoles.Table.TryGetValue(rpc, out var roles) || roles.Length == 0);

    [Fact]
    public void The_table_names_no_rpc_that_is_not_there() =>
        Assert.DoesNotContain(RpcRoles.Table.Keys.Except(Rpcs), rpc => !rpc.StartsWith("grpc.", StringComparison.Ordinal));

    [Fact]
    public void The_platform_operator_reaches_no_tenant_data() =>
        Assert.Equal(
            [
                "agencyplatform.agencies.v1.AgenciesService/CreateAgency",
                "agencyplatform.agencies.v1.AgenciesService/CreateApiKey",
                "agencyplatform.agencies.v1.AgenciesService/GetCaller",
                "agencyplatform.agencies.v1.AgenciesService/ListAgencies",
            ],
            RpcRoles.Table.Where(e => e.Value.Contains(Role.PlatformOperator)).Select(e => e.Key).Order(StringComparer.Ordinal));

    [Fact]
    public void A_calendars_link_reaches_no_rpc() => Assert.DoesNotContain(RpcRoles.Table.Values, roles => roles.Contains(Role.Calendar));

    [Fact]
    public void What_is_not_in_the_table_is_denied() => Assert.Null(RpcRoles.Of("/agencyplatform.agencies.v1.AgenciesService/NoSuchMethod"));

    [Fact]
    public void Every_service_of_the_protos_is_served()
    {
        var served = GatewayRegistration.Services().Select(t => t.BaseType!.DeclaringType!.Name);
        Assert.Empty(ProtocolFiles.Services.Select(s => s.Name).Except(served));
    }

    [Fact]
    public void Every_mutation_carries_a_request_id()
    {
        string[] readers = ["Get", "List", "Check", "Find", "Explain", "Export", "Prefill", "Preview", "Query", "Match", "Watch"];
        var without = ProtocolFiles.Services.SelectMany(s => s.Methods)
            .Where(m => !readers.Any(r => m.Name.StartsWith(r, StringComparison.Ordinal)) && m.InputType.FindFieldByName("request_id") is null);
        Assert.Empty(without.Select(m => m.FullName));
    }
}
