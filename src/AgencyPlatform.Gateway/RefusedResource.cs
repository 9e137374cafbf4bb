using System.Collections.Frozen;
using Google.Rpc;

namespace AgencyPlatform.Gateway;

/// <summary>
/// The full resource name in a refusal's ResourceInfo. Grains know a resource by its id; below what it stands is in the names of the request. What has
/// no name of its own (a stakeholder, time off, a time entry) keeps its id, and its owner is the resource that the request names.
/// </summary>
internal static class RefusedResource
{
    private static readonly FrozenDictionary<string, (string Collection, string? Parent)> s_collections = new Dictionary<string, (string, string?)>
    {
        ["client_company"] = ("clientCompanies", null),
        ["cmo"] = ("cmos", null),
        ["engagement"] = ("engagements", null),
        ["absence"] = ("absences", null),
        ["invoice"] = ("invoices", null),
        ["payment"] = ("payments", null),
        ["billing_run"] = ("billingRuns", null),
        ["payout"] = ("payouts", null),
        ["payout_run"] = ("payoutRuns", null),
        ["open_books_import"] = ("openBooksImports", null),
        ["legal_entity"] = ("legalEntities", null),
        ["api_key"] = ("apiKeys", null),
        ["webhook"] = ("webhooks", null),
        ["calendar_link"] = ("calendarLinks", null),
        ["holiday_calendar"] = ("holidayCalendars", null),
        ["booking"] = ("bookings", "cmos"),
        ["capacity_request"] = ("capacityRequests", null),
        ["waitlist_entry"] = ("waitlistEntries", "cmos"),
        ["timesheet"] = ("timesheets", "cmos"),
        ["invoice_series"] = ("invoiceSeries", "legalEntities"),
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>The same status with the full name; any other status as it is.</summary>
    /// <param name="names">The resource names of the request.</param>
    public static RpcException Named(RpcException error, IReadOnlyList<string> names)
    {
        if (error.StatusCode is not (StatusCode.NotFound or StatusCode.AlreadyExists) || error.GetRpcStatus() is not { } status || status.GetDetail<ResourceInfo>() is not { } resource)
        {
            return error;
        }

        var full = FullName(resource.ResourceType, resource.ResourceName, names);
        if (full is null)
        {
            resource.Owner = names.FirstOrDefault(n => n.StartsWith("agencies/", StringComparison.Ordinal)) ?? "";
        }

        resource.ResourceName = full ?? resource.ResourceName;
        var named = new Google.Rpc.Status { Code = status.Code, Message = status.Message };
        foreach (var detail in status.Details)
        {
            if (detail.Is(ResourceInfo.Descriptor))
            {
                named.Details.Add(Google.Protobuf.WellKnownTypes.Any.Pack(resource));
            }
            else if (detail.TryUnpack<ErrorInfo>(out var info))
            {
                info.Metadata["resource_type"] = resource.ResourceType;
                info.Metadata["resource_name"] = resource.ResourceName;
                named.Details.Add(Google.Protobuf.WellKnownTypes.Any.Pack(info));
            }
            else
            {
                named.Details.Add(detail);
            }
        }

        return named.ToRpcException();
    }

    /// <summary>Null: it has no name of its own, or the request does not say below what it stands.</summary>
    internal static string? FullName(string type, string id, IReadOnlyList<string> names)
    {
        if (id.StartsWith("agencies/", StringComparison.Ordinal))
        {
            return id;
        }

        var agency = names.Select(ResourceNames.AgencyOf).FirstOrDefault(a => a is not null);
        if (type == "agency")
        {
            return id.Length > 0 ? $"agencies/{id}" : agency is { } own ? ResourceNames.Of(own) : null;
        }

        if (!s_collections.TryGetValue(type, out var of))
        {
            return null;
        }

        foreach (var name in names)
        {
            // The resource itself, or one below it: agencies/a/cmos/c/bookings/b.
            var parts = name.Split('/');
            for (var i = 2; i + 1 < parts.Length; i += 2)
            {
                if (parts[i] == of.Collection)
                {
                    // A grain's id of more than one part is the one that was asked for.
                    return string.Join('/', [.. parts[..(i + 1)], IdSyntax.IsValid(id) ? id : parts[i + 1]]);
                }

                if (parts[i] == of.Parent && IdSyntax.IsValid(id))
                {
                    return string.Join('/', [.. parts[..(i + 2)], of.Collection, id]);
                }
            }
        }

        return of.Parent is null && agency is { } below && IdSyntax.IsValid(id) ? ResourceNames.Of(below, of.Collection, id) : null;
    }
}
