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
    private readonly ConcurrentDictionary<AgencyId, string> _places = new();

    /// <summary>The place's name.</summary>
    public async ValueTask<string> PlaceOf(AgencyId agency)
    {
        if (_places.TryGetValue(agency, out var known))
        {
            return known;
        }

        try
        {
            await using var command = home.CreateCommand("SELECT place FROM agency_places WHERE agency = $1");
            command.Parameters.Add(new NpgsqlParameter { Value = agency.Value });
            return await command.ExecuteScalarAsync() is string place
                ? _places.GetOrAdd(agency, place)
                : throw new UnavailableException($"Agency {agency} is not on the map.");
        }
        catch (NpgsqlException e)
        {
            throw new UnavailableException($"The map of the agencies cannot be read: {e.Message}");
        }
    }

    public void Forget(AgencyId agency) => _places.TryRemove(agency, out _);
}
