using System.Collections.Concurrent;
using AgencyPlatform.Contracts;
using AgencyPlatform.Domain;
using Npgsql;

namespace AgencyPlatform.Storage.Tests.Shards;

/// <summary>
/// A process's view of the map: which database has which agency. It may be old: what keeps an agency from being written at two places is the fence in its
/// head rows, and whoever meets one forgets the entry and asks again.
/// </summary>
internal sealed class AgencyMap(NpgsqlDataSource home)
{
    private readonly ConcurrentDictionary<AgencyId, Lazy<Task<string>>> _places = new();

    /// <summary>The place's name. Those who ask while the map is read share the answer.</summary>
    public async Task<string> PlaceOf(AgencyId agency)
    {
        try
        {
            return await _places.GetOrAdd(agency, a => new Lazy<Task<string>>(() => Read(a))).Value;
        }
        catch (UnavailableException)
        {
            Forget(agency);
            throw;
        }
    }

    public void Forget(AgencyId agency) => _places.TryRemove(agency, out _);

    private async Task<string> Read(AgencyId agency)
    {
        try
        {
            await using var command = home.CreateCommand("SELECT place FROM agency_places WHERE agency = $1");
            command.Parameters.Add(new NpgsqlParameter { Value = agency.Value });
            return await command.ExecuteScalarAsync() as string ?? throw new UnavailableException($"Agency {agency} is not on the map.");
        }
        catch (NpgsqlException e)
        {
            throw new UnavailableException($"The map of the agencies cannot be read: {e.Message}");
        }
    }
}
