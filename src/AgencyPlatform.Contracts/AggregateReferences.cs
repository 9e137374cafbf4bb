namespace AgencyPlatform.Contracts;

/// <summary>References to aggregates' grains.</summary>
public static class AggregateReferences
{
    /// <summary>
    /// The grain of an aggregate by its whole key. Orleans finds a grain's type by its interface with reflection each time that it is asked;
    /// here it is asked once an interface.
    /// </summary>
    public static TGrain Aggregate<TGrain>(this IGrainFactory grains, string key) where TGrain : IGrainWithStringKey
    {
        if (Known<TGrain>.Types is { } types)
        {
            return (TGrain)grains.GetGrain(GrainId.Create(types.Grain, key), types.Interface);
        }

        var grain = grains.GetGrain<TGrain>(key);
        if ((object)grain is GrainReference reference)
        {
            Known<TGrain>.Types = new Types(reference.GrainId.Type, reference.InterfaceType);
        }

        return grain;
    }

    private sealed record Types(GrainType Grain, GrainInterfaceType Interface);

    private static class Known<TGrain>
    {
        public static Types? Types { get; set; }
    }
}
