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
internal readonly record struct HeadMove(string Agency, Head From, long Sequence, byte[] Hash, long RecordedAt, bool Sandbox, long Closings, ImmutableDictionary<string, LocalDate> ClosedThrough)
{
    public static HeadMove Of(string agency, Head from) => new(agency, from, from.Sequence, from.Hash, from.RecordedAt, false, from.Closings, from.ClosedThrough);

    /// <summary>The head once it has moved.</summary>
    public Head To => new(Sequence, Hash, RecordedAt, Closings, ClosedThrough, true);

    /// <summary>Closes an entity's books; those that are closed further stay so.</summary>
    public HeadMove Closing(BooksClosing closing) => ClosedThrough.TryGetValue(closing.LegalEntity.Value, out var known) && known >= closing.Through ? this
        : this with { Closings = Closings + 1, ClosedThrough = ClosedThrough.SetItem(closing.LegalEntity.Value, closing.Through) };
}

/// <summary>What one transaction stores.</summary>
/// <param name="Heads">In order of agency id, so that two writers cannot wait for each other.</param>
internal sealed record Batch(IReadOnlyList<Work> Works, IReadOnlyList<PlacedEvent> Events, IReadOnlyList<HeadMove> Heads);
