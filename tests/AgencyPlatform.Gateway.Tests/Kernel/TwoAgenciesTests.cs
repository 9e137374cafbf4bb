using System.Reflection;
using AgencyPlatform.Client;
using AgencyPlatform.Protocol.Agencies.V1;
using AgencyPlatform.Protocol.Calendars.V1;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;

namespace AgencyPlatform.Gateway.Tests.Kernel;

/// <summary>Two callers of two agencies try each other's everything.</summary>
[Collection(PlatformFixture.Collection)]
public sealed class TwoAgenciesTests(PlatformFixture platform)
{
    public static TheoryData<string> Rpcs => [.. ProtocolFiles.Services.SelectMany(s => s.Methods).Where(m => !m.IsServerStreaming && !m.IsClientStreaming).Select(m => m.FullName)];

    /// <summary>Those whose requests have a field, and so could name something of another agency, or something wrong.</summary>
    public static TheoryData<string> RpcsThatName => [.. ProtocolFiles.Services.SelectMany(s => s.Methods).Where(m => !m.IsServerStreaming && !m.IsClientStreaming && Names(m)).Select(m => m.FullName)];

    internal static bool Names(MethodDescriptor method) => method.InputType.Fields.InFieldNumberOrder().Count > 0;

    /// <summary>Requests that name another agency's objects, built for each RPC from its descriptor: every name and reference in them is the other agency's.</summary>
    [Theory]
    [MemberData(nameof(RpcsThatName))]
    public async Task Nothing_of_another_agency_is_reached(string rpc)
    {
        var (mine, theirs) = (await platform.NewAgency(), await platform.NewAgency());
        var method = ProtocolFiles.Services.SelectMany(s => s.Methods).Single(m => m.FullName == rpc);
        foreach (var role in new[] { Role.AgencyAdmin, Role.Operations, Role.Finance, Role.Service })
        {
            var client = await mine.As(role);
            var real = await Error(client, method, Naming(method.InputType, theirs.Id));
            var made = await Error(client, method, Naming(method.InputType, "no-such-agency"));
            Assert.NotNull(real);
            Assert.Contains(real.StatusCode, new[] { StatusCode.NotFound, StatusCode.PermissionDenied });
            Assert.Equal(made?.StatusCode, real.StatusCode);
            Assert.Equal(made?.Reason, real.Reason);

            // The same words but for the name that the caller gave.
            Assert.Equal(made?.Message.Replace("no-such-agency", theirs.Id, StringComparison.Ordinal), real.Message);
        }
    }

    [Theory]
    [MemberData(nameof(Rpcs))]
    public async Task Nothing_is_answered_without_a_key(string rpc)
    {
        var agency = await platform.NewAgency();
        var method = ProtocolFiles.Services.SelectMany(s => s.Methods).Single(m => m.FullName == rpc);
        var error = await Error(platform.Client(""), method, Naming(method.InputType, agency.Id));
        Assert.Equal(StatusCode.Unauthenticated, error?.StatusCode);
    }

    [Theory]
    [MemberData(nameof(Rpcs))]
    public async Task A_role_that_the_table_does_not_name_is_denied(string rpc)
    {
        var agency = await platform.NewAgency();
        var method = ProtocolFiles.Services.SelectMany(s => s.Methods).Single(m => m.FullName == rpc);
        var allowed = RpcRoles.Table[$"{method.Service.FullName}/{method.Name}"];
        (Role Wire, Domain.Agencies.Role Role, string Cmo, string Client)[] roles =
        [
            (Role.AgencyAdmin, Domain.Agencies.Role.AgencyAdmin, "", ""), (Role.Operations, Domain.Agencies.Role.Operations, "", ""),
            (Role.Finance, Domain.Agencies.Role.Finance, "", ""), (Role.Service, Domain.Agencies.Role.Service, "", ""),
            (Role.Cmo, Domain.Agencies.Role.Cmo, "ada", ""), (Role.ClientApprover, Domain.Agencies.Role.ClientApprover, "", "acme"),
            (Role.ClientViewer, Domain.Agencies.Role.ClientViewer, "", "acme"),
        ];
        foreach (var (wire, role, cmo, company) in roles)
        {
            // An empty request: allowed roles come as far as its fields, the others not even there.
            var error = await Error(await agency.As(wire, cmo, company), method, (IMessage)Activator.CreateInstance(method.InputType.ClrType)!);
            Assert.Equal(!allowed.Contains(role), error?.StatusCode == StatusCode.PermissionDenied);
        }

        // Of a calendar's link the secret is a key that opens no method at all.
        var link = await (await agency.Admin()).Calendars.CreateCalendarLinkAsync(new CreateCalendarLinkRequest { Parent = agency.Name, CalendarLink = new CalendarLink { DisplayName = "Everybody" } });
        var calendars = await Error(platform.Client(link.Path.Split('/', '.')[2]), method, (IMessage)Activator.CreateInstance(method.InputType.ClrType)!);
        Assert.Equal(StatusCode.PermissionDenied, calendars?.StatusCode);

        var operators = await Error(platform.Operator, method, (IMessage)Activator.CreateInstance(method.InputType.ClrType)!);
        Assert.Equal(!allowed.Contains(Domain.Agencies.Role.PlatformOperator), operators?.StatusCode == StatusCode.PermissionDenied);
    }

    /// <summary>A request in which every field that takes a resource name has one of this agency.</summary>
    internal static IMessage Naming(MessageDescriptor type, string agency)
    {
        var message = (IMessage)Activator.CreateInstance(type.ClrType)!;
        foreach (var field in type.Fields.InFieldNumberOrder())
        {
            if (field is { FieldType: FieldType.String, IsRepeated: false, Name: "parent" or "name" })
            {
                field.Accessor.SetValue(message, $"agencies/{agency}");
            }
            else if (field is { FieldType: FieldType.Message, IsRepeated: false, IsMap: false } && field.MessageType.FindFieldByName("name") is not null)
            {
                field.Accessor.SetValue(message, Naming(field.MessageType, agency));
            }
        }

        return message;
    }

    /// <summary>What a call through the generated stub ends with.</summary>
    internal static async Task<ApiException?> Error(AgencyPlatformClient platform, MethodDescriptor method, IMessage request)
    {
        var stub = typeof(Protocol.Type.V1.Money).Assembly.GetTypes()
            .Single(t => t.Name == method.Service.Name + "Client" && t.DeclaringType?.Namespace == method.InputType.ClrType.Namespace);
        var client = typeof(AgencyPlatformClient).GetMethod(nameof(AgencyPlatformClient.Service))!.MakeGenericMethod(stub).Invoke(platform, null)!;
        var call = stub.GetMethod(method.Name + "Async", [method.InputType.ClrType, typeof(CallOptions)])!
            .Invoke(client, [request, new CallOptions(deadline: DateTime.MaxValue)])!;
        var response = (Task)call.GetType().GetProperty("ResponseAsync", BindingFlags.Public | BindingFlags.Instance)!.GetValue(call)!;
        try
        {
            await response;
            return null;
        }
        catch (ApiException e)
        {
            return e;
        }
    }
}
