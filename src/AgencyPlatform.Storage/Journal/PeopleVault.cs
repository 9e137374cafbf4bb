using AgencyPlatform.Contracts.Journal;
using AgencyPlatform.Storage.Engines;

namespace AgencyPlatform.Storage.Journal;

/// <summary>Names and addresses of people. An erased person's row is kept, empty.</summary>
internal sealed class PeopleVault(Database database) : IPeopleVault
{
    public async Task<ImmutableDictionary<PersonId, PersonDetails>> Read(AgencyId agency, IReadOnlyCollection<PersonId> people, CancellationToken cancellation = default)
    {
        var found = ImmutableDictionary.CreateBuilder<PersonId, PersonDetails>();
        foreach (var some in people.Distinct().Chunk(500))
        {
            var arguments = SqlArguments.Of(agency);
            var rows = await database.Query(
                $"SELECT person, display_name, email, phone FROM people WHERE agency = $1 AND display_name IS NOT NULL AND {database.In("person", [.. some.Select(p => p.Value)], arguments)}",
                arguments,
                r => (Person: new PersonId(r.GetString(0)), Details: new PersonDetails(r.GetString(1), r.IsDBNull(2) ? null : r.GetString(2), r.IsDBNull(3) ? null : r.GetString(3))),
                cancellation);
            foreach (var (person, details) in rows)
            {
                found[person] = details;
            }
        }

        return found.ToImmutable();
    }
}
