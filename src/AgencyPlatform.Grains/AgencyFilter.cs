namespace AgencyPlatform.Grains;

/// <summary>In front of every call of an aggregate: it must be told to be for the agency in the grain's key. A call that tells none is refused.</summary>
internal sealed class AgencyFilter : IIncomingGrainCallFilter
{
    public Task Invoke(IIncomingGrainCallContext context) =>
        context.Grain is not IAggregateGrain || CallerAgency.Reaches(context.TargetId.Key.AsSpan()) ? context.Invoke() : throw new ForeignAgencyException();
}
