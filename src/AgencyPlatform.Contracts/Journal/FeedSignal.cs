namespace AgencyPlatform.Contracts.Journal;

/// <summary>
/// Says within the process that an agency's feed has grown, as soon as it has. Best effort: whoever follows a feed looks into the journal by itself too, since other processes write as well.
/// </summary>
public sealed class FeedSignal
{
    /// <summary>An agency, and the sequence number of an event that stands. Those who listen must be quick, and must not throw.</summary>
    public event Action<AgencyId, long>? Grew;

    public void Tell(AgencyId agency, long sequence) => Grew?.Invoke(agency, sequence);
}
