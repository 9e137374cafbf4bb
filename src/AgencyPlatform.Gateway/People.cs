namespace AgencyPlatform.Gateway;

/// <summary>Names of people, joined into views when these are answered.</summary>
public static class People
{
    /// <summary>What stands for a person who was erased.</summary>
    public const string Erased = "erased";

    /// <summary>The vault's details of these people; who is missing there is answered as erased.</summary>
    public static async Task<Func<PersonId, PersonDetails>> Of(this IPeopleVault vault, AgencyId agency, IEnumerable<PersonId> people, CancellationToken cancellation)
    {
        var ids = people.Distinct().ToArray();
        var known = ids.Length == 0 ? [] : await vault.Read(agency, ids, cancellation);
        return person => known.TryGetValue(person, out var details) ? details : new PersonDetails(Erased);
    }
}
