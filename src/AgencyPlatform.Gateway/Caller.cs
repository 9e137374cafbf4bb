using System.Collections.Immutable;
using AgencyPlatform.Domain.Agencies;
using AgencyPlatform.Domain.Engagements;

namespace AgencyPlatform.Gateway;

/// <summary>Who calls, as the key says.</summary>
/// <param name="Agency">The caller's agency; null for the platform's operator.</param>
/// <param name="Actor">As events name it: <c>key:{id}</c>, <c>cmo:{id}</c> or <c>client:{id}</c> for bound keys, <c>operator</c>.</param>
/// <param name="Client">The client company that the key is bound to.</param>
/// <param name="Cmo">The CMO that the key is bound to.</param>
/// <param name="Sandbox">Whether the agency is a sandbox.</param>
public sealed record Caller(AgencyId? Agency, string Actor, ImmutableArray<Role> Roles, ClientCompanyId? Client, CmoId? Cmo, bool Sandbox)
{
    internal const string StateKey = "agencyplatform.caller";

    public static Caller Operator { get; } = new(null, "operator", [Role.PlatformOperator], null, null, false);

    public bool Is(Role role) => Roles.Contains(role);

    /// <summary>Whether the caller sees the whole agency, and not only what is of one client company or CMO.</summary>
    public bool IsStaff => Roles.Any(r => r is Role.AgencyAdmin or Role.Operations or Role.Finance or Role.Service);

    /// <summary>Whether the caller sees what CMOs cost and are paid.</summary>
    public bool SeesCost => Roles.Any(r => r is Role.AgencyAdmin or Role.Finance or Role.Service);

    /// <summary>Whether the caller sees an engagement: a key bound to a CMO or client company sees its own, a client none that is a draft.</summary>
    public bool Sees(Engagement engagement) =>
        IsStaff || (engagement.Client == Client && engagement.State != EngagementState.Draft) || (Cmo is { } cmo && engagement.Involved().Contains(cmo));

    /// <summary>A key bound to a CMO reaches that CMO only; any other is answered as if it were not there.</summary>
    /// <exception cref="RpcException">NOT_FOUND.</exception>
    public void EnsureCmo(CmoId cmo)
    {
        if (!IsStaff && Cmo != cmo)
        {
            throw Errors.NotFound("cmo", ResourceNames.Of(Agency!.Value, "cmos", cmo.Value));
        }
    }

    /// <summary>A key bound to a client company reaches that one only; any other is answered as if it were not there.</summary>
    /// <exception cref="RpcException">NOT_FOUND.</exception>
    public void EnsureClient(ClientCompanyId client)
    {
        if (!IsStaff && Client != client)
        {
            throw Errors.NotFound("client_company", ResourceNames.Of(Agency!.Value, "clientCompanies", client.Value));
        }
    }
}
