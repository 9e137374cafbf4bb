namespace AgencyPlatform.Contracts;

/// <summary>
/// An aggregate's identity. <see cref="Id"/> is the part after the agency in the grain key, and may have parts of its own
/// (a timesheet's is <c>{cmo}/{ISO week}</c>). The grain key is <c>{agency}/{id}</c>: agency first, and never a string that parses as hex.
/// </summary>
[GenerateSerializer, Immutable, Alias("aggregate-key")]
public readonly record struct AggregateKey(AgencyId Agency, string Kind, string Id)
{
    /// <summary>The key of the grain that owns the aggregate.</summary>
    public string GrainKey => $"{Agency}/{Id}";

    public static AggregateKey Parse(string kind, string grainKey)
    {
        var slash = grainKey.IndexOf('/');
        return new AggregateKey(new AgencyId(grainKey[..slash]), kind, grainKey[(slash + 1)..]);
    }

    /// <summary>The agency that a grain key belongs to.</summary>
    public static string AgencyOf(string grainKey)
    {
        var slash = grainKey.IndexOf('/');
        return slash < 0 ? grainKey : grainKey[..slash];
    }

    public override string ToString() => $"{Agency}/{Kind}/{Id}";
}
