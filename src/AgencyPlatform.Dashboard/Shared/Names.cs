using System.Collections.Concurrent;
using AgencyPlatform.Dashboard.Session;
using AgencyPlatform.Protocol.Agencies.V1;
using AgencyPlatform.Protocol.Clients.V1;
using AgencyPlatform.Protocol.Cmos.V1;

namespace AgencyPlatform.Dashboard.Shared;

/// <summary>What client companies and CMOs are called, as far as whoever is signed in may know it; else their ids.</summary>
public sealed class Names(AgencySession session)
{
    /// <summary>So many names are asked for one by one; more of them as a list.</summary>
    private const int Few = 30;

    private readonly ConcurrentDictionary<string, string> _known = new(StringComparer.Ordinal);

    /// <summary>Of a resource name, <c>agencies/{agency}/cmos/{cmo}</c>; empty: empty.</summary>
    public string this[string name] => _known.GetValueOrDefault(name, name.Id());

    /// <summary>Of a CMO's id, as events have it.</summary>
    public string Cmo(string id) => this[$"{session.Name}/cmos/{id}"];

    /// <summary>Every name of one kind that is known, in order.</summary>
    public IEnumerable<KeyValuePair<string, string>> Of(string collection) =>
        _known.Where(k => k.Key.Contains($"/{collection}/", StringComparison.Ordinal)).OrderBy(k => k.Value, StringComparer.OrdinalIgnoreCase);

    /// <summary>Asks for those that are not known yet.</summary>
    public async Task Read(IEnumerable<string> names, CancellationToken cancellation)
    {
        var missing = names.Where(n => n.Length > 0 && !_known.ContainsKey(n) && MaySee(n)).Distinct(StringComparer.Ordinal).ToList();
        if (session.IsStaff && missing.Count > Few)
        {
            await ReadAll(cancellation);
            return;
        }

        await Parallel.ForEachAsync(missing, new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = cancellation }, async (name, left) => _known[name] = IsCmo(name)
            ? (await session.Platform.Cmos.GetCmoAsync(new GetCmoRequest { Name = name }, cancellationToken: left)).DisplayName
            : (await session.Platform.Clients.GetClientCompanyAsync(new GetClientCompanyRequest { Name = name }, cancellationToken: left)).DisplayName);
    }

    /// <summary>Asks for all of the agency; staff only.</summary>
    public async Task ReadAll(CancellationToken cancellation)
    {
        var cmos = await Listing.All<Cmo>(async token =>
        {
            var page = await session.Platform.Cmos.ListCmosAsync(new ListCmosRequest { Parent = session.Name, PageSize = 1_000, PageToken = token }, cancellationToken: cancellation);
            return (page.Cmos, page.NextPageToken);
        });
        var clients = await Listing.All<ClientCompany>(async token =>
        {
            var page = await session.Platform.Clients.ListClientCompaniesAsync(new ListClientCompaniesRequest { Parent = session.Name, PageSize = 1_000, PageToken = token }, cancellationToken: cancellation);
            return (page.ClientCompanies, page.NextPageToken);
        });
        foreach (var (name, displayName) in cmos.Select(c => (c.Name, c.DisplayName)).Concat(clients.Select(c => (c.Name, c.DisplayName))))
        {
            _known[name] = displayName;
        }
    }

    private static bool IsCmo(string name) => name.Contains("/cmos/", StringComparison.Ordinal);

    private bool MaySee(string name) => session.IsStaff || (IsCmo(name) ? session.Is(Role.Cmo) && name == session.Caller.Cmo : session.IsClient);
}
