namespace AgencyPlatform.Grains;

/// <summary>An aggregate folded up to a version.</summary>
internal sealed record Folded<TState>(TState State, long Version, Guid FirstEvent, Guid LastEvent, Instant CreatedAt, Instant UpdatedAt)
    where TState : class, IState<TState>
{
    public static Folded<TState> Initial { get; } = new(TState.Initial, 0, default, default, Instant.MinValue, Instant.MinValue);

    public Meta Meta => new(Version, FirstEvent, CreatedAt, UpdatedAt);

    public Folded<TState> Apply(IEvent @event, Guid id, Instant occurredAt) => new(
        State.Apply(@event),
        Version + 1,
        Version == 0 ? id : FirstEvent,
        id,
        Version == 0 ? occurredAt : CreatedAt,
        occurredAt);

    public Folded<TState> Apply(StoredEvent stored) =>
        Apply(EventJson.Deserialize(stored.Event.Name, stored.Event.SchemaVersion, stored.Event.Payload), stored.Event.Id, stored.Event.OccurredAt);
}
