using AgencyPlatform.Dashboard.Shared;
using AgencyPlatform.Protocol.Agencies.V1;
using AgencyPlatform.Protocol.Events.V1;

namespace AgencyPlatform.Dashboard.Pages.Billing;

/// <summary>A page about money: it knows the names of clients, CMOs and legal entities, and hears of every change of an account.</summary>
public abstract class BillingView : LivePage
{
    private Names _names = default!;

    /// <summary>The agency's legal entities, by id; none for who is not of the agency.</summary>
    protected IReadOnlyList<LegalEntity> Entities { get; private set; } = [];

    /// <summary>The agency's client companies, name and what they are called, in that order; none for who is not of the agency.</summary>
    protected IReadOnlyList<KeyValuePair<string, string>> Clients { get; private set; } = [];

    protected override bool Concerns(Event happened) => happened.Kind is "billing-account" or "client" or "agency";

    protected override Task OnInitializedAsync()
    {
        _names = new Names(Session);
        return base.OnInitializedAsync();
    }

    /// <summary>Reads the names, if they are not known or have changed.</summary>
    protected async Task LoadNames(IReadOnlySet<string> changed)
    {
        if (!Session.IsStaff || (Entities.Count > 0 && changed.Count > 0 && !changed.Any(c => c == Session.Name || c.StartsWith($"{Session.Name}/clientCompanies/", StringComparison.Ordinal) || c.StartsWith($"{Session.Name}/cmos/", StringComparison.Ordinal))))
        {
            return;
        }

        Entities = await Listing.All<LegalEntity>(async token =>
        {
            var page = await Session.Platform.Agencies.ListLegalEntitiesAsync(new ListLegalEntitiesRequest { Parent = Session.Name, PageSize = 1_000, PageToken = token }, cancellationToken: Left);
            return (page.LegalEntities, page.NextPageToken);
        });
        await _names.ReadAll(Left);
        Clients = [.. _names.Of("clientCompanies")];
    }

    /// <summary>What a client company, CMO or legal entity is called.</summary>
    protected string Called(string name) => Entities.FirstOrDefault(e => e.Name == name)?.LegalName ?? _names[name];

    /// <summary>A resource name, or nothing.</summary>
    protected string Named(string collection, string? id) => string.IsNullOrEmpty(id) ? "" : $"{Session.Name}/{collection}/{id}";
}
