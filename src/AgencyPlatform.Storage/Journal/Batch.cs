using AgencyPlatform.Contracts.Journal;

namespace AgencyPlatform.Storage.Journal;

/// <summary>An event with its place in the journal.</summary>
internal readonly record struct PlacedEvent(AggregateKey Key, NewEvent Event, long Version, long Sequence, long RecordedAt, byte[] PreviousHash, byte[] Hash);

/// <summary>An agency's head row as the writer knows it.</summary>
/// <param name="Closings">How often a month of the agency was closed: compared with the sequence, so that a closing is never missed.</param>
internal sealed record Head(long Sequence, byte[] Hash, long RecordedAt, long Closings, ImmutableDictionary<string, LocalDate> ClosedThrough, bool Exists)
{
    public static Head None { get; } = new(0, [], 0, 0, ImmutableDictionary<string, LocalDate>.Empty, false);
}

/// <summary>The compare-and-set of one head row.</summary>
internal readonly record struct HeadMove(string Agency, Head From, long Sequence, byte[] Hash, long RecordedAt, bool Sandbox);

/// <summary>What one transaction stores.</summary>
/// <param name="Heads">In order of agency id, so that two writers cannot wait for each other.</param>
internal sealed record Batch(IReadOnlyList<Work> Works, IReadOnlyList<PlacedEvent> Events, IReadOnlyList<HeadMove> Heads);
