namespace AgencyPlatform.Grains;

/// <summary>From an aggregate's kind to its grain, for what works on any of them.</summary>
public static class AggregateGrains
{
    private static readonly Dictionary<string, Type> s_interfaceByKind = typeof(AggregateGrains).Assembly.GetTypes()
        .Where(t => t is { IsAbstract: false, BaseType.IsGenericType: true } && t.BaseType.GetGenericTypeDefinition() == typeof(AggregateGrain<>))
        .ToDictionary(
            t => (string)t.BaseType!.GetGenericArguments()[0].GetProperty("Kind")!.GetValue(null)!,
            t => t.GetInterfaces().Single(i => i != typeof(IAggregateGrain) && i.IsAssignableTo(typeof(IAggregateGrain))));

    /// <summary>The grain of an aggregate.</summary>
    public static IAggregateGrain Get(IGrainFactory grains, AggregateKey key) =>
        (IAggregateGrain)grains.GetGrain(s_interfaceByKind[key.Kind], key.GrainKey);

}
