namespace AgencyPlatform.Contracts.Journal;

/// <summary>
/// Says within the process what its journal has committed, as soon as it is on disk. Best effort: other processes write the same feeds, and what was committed without an answer is not told.
/// </summary>
public sealed class FeedSignal
{
    /// <summary>The events of one commit, in order, of one or more agencies. Those who listen must be quick, and must not throw.</summary>
    public event Action<IReadOnlyList<StoredEvent>>? Committed;

    public bool IsHeard => Committed is not null;

    public void Tell(IReadOnlyList<StoredEvent> events) => Committed?.Invoke(events);
}
