using AgencyPlatform.Client;
using AgencyPlatform.Dashboard.Session;
using AgencyPlatform.Protocol.Engagements.V1;
using Grpc.Core;

namespace AgencyPlatform.Dashboard.Shared;

/// <summary>The engagements that whoever is signed in sees: read whole once, and then those that have changed.</summary>
internal sealed class KnownEngagements(AgencySession session)
{
    /// <summary>So many are asked for one by one; more of them as a list.</summary>
    private const int Few = 40;

    private readonly SortedDictionary<string, Engagement> _all = new(StringComparer.Ordinal);
    private bool _isWhole;

    /// <summary>By name.</summary>
    public IReadOnlyCollection<Engagement> All => _all.Values;

    /// <param name="changed">As <see cref="LivePage.Load"/> has it; what is no engagement is passed over.</param>
    public async Task Read(IReadOnlySet<string> changed, CancellationToken cancellation)
    {
        var engagements = changed.Where(c => c.StartsWith($"{session.Name}/engagements/", StringComparison.Ordinal)).ToList();
        if (!_isWhole || changed.Count == 0 || engagements.Count > Few)
        {
            var all = await Listing.All<Engagement>(async token =>
            {
                var page = await session.Platform.Engagements.ListEngagementsAsync(new ListEngagementsRequest { Parent = session.Name, PageSize = 1_000, PageToken = token }, cancellationToken: cancellation);
                return (page.Engagements, page.NextPageToken);
            });
            _all.Clear();
            foreach (var e in all)
            {
                _all[e.Name] = e;
            }

            _isWhole = true;
            return;
        }

        foreach (var name in engagements)
        {
            try
            {
                _all[name] = await session.Platform.Engagements.GetEngagementAsync(new GetEngagementRequest { Name = name }, cancellationToken: cancellation);
            }
            catch (ApiException e) when (e.StatusCode == StatusCode.NotFound)
            {
                _all.Remove(name);
            }
        }
    }
}
