using AgencyPlatform.Dashboard.Shared;
using AgencyPlatform.Protocol.Agencies.V1;
using AgencyPlatform.Protocol.Clients.V1;
using AgencyPlatform.Protocol.Events.V1;

namespace AgencyPlatform.Dashboard.Pages.Billing;

/// <summary>A page about money: it knows the names of clients and legal entities, and hears of every change of an account.</summary>
public abstract class BillingView : LivePage
{
    private Dictionary<string, string> _names = [];

    /// <summary>The agency's legal entities, by id; none for who is not of the agency.</summary>
    protected IReadOnlyList<LegalEntity> Entities { get; private set; } = [];

    /// <summary>The agency's client companies, by name; none for who is not of the agency.</summary>
    protected IReadOnlyList<ClientCompany> Clients { get; private set; } = [];

    protected override bool Concerns(Event happened) => happened.Kind is "billing-account" or "client" or "agency";

    /// <summary>Reads the names, if they are not known or have changed.</summary>
    protected async Task LoadNames(IReadOnlySet<string> changed)
    {
        if (!Session.IsStaff || (Entities.Count > 0 && changed.Count > 0 && !changed.Any(c => c == Session.Name || c.StartsWith($"{Session.Name}/clientCompanies/", StringComparison.Ordinal))))
        {
            return;
        }

        Entities = await Listing.All<LegalEntity>(async token =>
        {
            var page = await Session.Platform.Agencies.ListLegalEntitiesAsync(new ListLegalEntitiesRequest { Parent = Session.Name, PageSize = 1_000, PageToken = token }, cancellationToken: Left);
            return (page.LegalEntities, page.NextPageToken);
        });
        var clients = await Listing.All<ClientCompany>(async token =>
        {
            var page = await Session.Platform.Clients.ListClientCompaniesAsync(new ListClientCompaniesRequest { Parent = Session.Name, PageSize = 1_000, PageToken = token }, cancellationToken: Left);
            return (page.ClientCompanies, page.NextPageToken);
        });
        Clients = [.. clients.OrderBy(c => c.DisplayName, StringComparer.CurrentCultureIgnoreCase)];
        _names = Clients.Select(c => (c.Name, c.DisplayName)).Concat(Entities.Select(e => (e.Name, e.LegalName))).ToDictionary(n => n.Item1, n => n.Item2, StringComparer.Ordinal);
    }

    /// <summary>What a client company or legal entity is called.</summary>
    protected string Called(string name) => _names.GetValueOrDefault(name, name.Id());

    /// <summary>A resource name, or nothing.</summary>
    protected string Named(string collection, string? id) => string.IsNullOrEmpty(id) ? "" : $"{Session.Name}/{collection}/{id}";
}
