namespace AgencyPlatform.Contracts.Journal;

/// <summary>
/// The event journal. One writer a silo gathers many grains' items into one database transaction: events (with the agency's
/// next sequence numbers and hash chain), read-model rows, deadlines, request ids and people. An item is stored whole or not at all,
/// and never fails because of its neighbours.
/// </summary>
public interface IJournal
{
    /// <summary>
    /// Appends an item durably. Completes when it is on disk, or with the reason why not. Never throws for the item's content;
    /// storage trouble is <see cref="AppendResult.Unavailable"/> (the outcome may be unknown).
    /// </summary>
    ValueTask<AppendResult> Append(AppendItem item);

    /// <summary>
    /// The aggregate's version on disk and, when a request id is given, its stored outcome. Concurrent reads share a round trip.
    /// A refusal is answered only after this.
    /// </summary>
    /// <exception cref="UnavailableException">Storage cannot be read.</exception>
    ValueTask<FenceRead> ReadFence(AggregateKey key, Guid? request);

    /// <summary>The aggregate's events with version in (<paramref name="after"/>, <paramref name="upTo"/>], in order.</summary>
    IAsyncEnumerable<StoredEvent> ReadStream(AggregateKey key, long after = 0, long upTo = long.MaxValue, CancellationToken cancellation = default);

    /// <summary>The agency's events with sequence above <paramref name="after"/>, in order, at most <paramref name="limit"/>.</summary>
    /// <param name="bytes">Of payloads: none is read behind the event with which they are so many.</param>
    Task<IReadOnlyList<StoredEvent>> ReadFeed(AgencyId agency, long after, int limit, FeedFilter? filter = null, CancellationToken cancellation = default, long bytes = long.MaxValue);

    /// <summary>The agency's head row; sequence 0 when it has no events.</summary>
    Task<FeedHead> ReadHead(AgencyId agency, CancellationToken cancellation = default);
}

/// <summary>Narrows a feed. Null or empty: everything.</summary>
public sealed record FeedFilter(string? Kind = null, string? AggregateId = null, string? EventName = null)
{
    /// <summary>Whether it lets an event through.</summary>
    public bool Passes(StoredEvent stored) =>
        (Kind is null || Kind == stored.Key.Kind) && (AggregateId is null || AggregateId == stored.Key.Id) && (EventName is null || EventName == stored.Event.Name);
}

/// <param name="Epoch">Identity of the feed's history: new after a restore from backup.</param>
/// <param name="Sequence">Number of the last event, contiguous from 1.</param>
/// <param name="Hash">The last event's hash; empty before the first.</param>
/// <param name="RecordedAt">When the last event was recorded; never decreases.</param>
/// <param name="Restored">Whether the agency was there when the epoch began with a restore: what it did after the backup is not in its feed.</param>
public sealed record FeedHead(Guid Epoch, long Sequence, byte[] Hash, Instant RecordedAt, bool Restored);

/// <summary>What one grain wants appended: the events of one or more commands, decided on top of each other.</summary>
/// <param name="ExpectedVersion">The aggregate's version before the first event: the fence.</param>
/// <param name="Rows">Read-model changes, in order (of two with the same key the later counts).</param>
/// <param name="Deadline">The aggregate's next due instant after the events, when it changed.</param>
/// <param name="SandboxNow">The sandbox's clock, which then stands for the system's in recorded_at.</param>
/// <param name="Closing">Books that the events close: from the next item on nothing is posted into them. Null: none.</param>
public sealed record AppendItem(
    AggregateKey Key,
    long ExpectedVersion,
    ImmutableArray<NewEvent> Events,
    ImmutableArray<RowChange> Rows,
    DeadlineChange? Deadline,
    ImmutableArray<PersonWrite> People,
    Instant? SandboxNow,
    BooksClosing? Closing = null);

/// <param name="Through">The last day that is closed.</param>
public sealed record BooksClosing(LegalEntityId LegalEntity, LocalDate Through);

/// <summary>An event before it has its place in the agency's sequence. Only the first event of a command carries its request id.</summary>
/// <param name="Id">UUIDv7.</param>
/// <param name="Payload">UTF-8 JSON of the domain event.</param>
/// <param name="OccurredAt">When it happened by the agency's clock.</param>
/// <param name="LegalEntity">Set with <paramref name="PostingDate"/> when the event posts to the ledger.</param>
public sealed record NewEvent(
    Guid Id,
    string Name,
    int SchemaVersion,
    byte[] Payload,
    Instant OccurredAt,
    LegalEntityId? LegalEntity,
    LocalDate? PostingDate,
    string Actor,
    Guid? Request,
    string? RequestHash,
    long RequestVersion,
    Guid? Cause,
    string? TraceId);

/// <summary>An event as it stands in the journal, the whole envelope.</summary>
/// <param name="Version">Its number within the aggregate, from 1.</param>
/// <param name="Sequence">Its number within the agency, contiguous from 1 in commit order.</param>
/// <param name="RecordedAt">When it was stored; never decreases within the agency.</param>
/// <param name="PreviousHash">Hash of the agency's event before it; empty for the first.</param>
/// <param name="Hash">SHA-256 over the previous hash and the whole envelope and payload.</param>
public sealed record StoredEvent(AggregateKey Key, long Version, NewEvent Event, long Sequence, Instant RecordedAt, byte[] PreviousHash, byte[] Hash);

/// <summary>The aggregate's one deadline row: due at this instant, or none when null. Sandboxes are skipped by the scanner.</summary>
public sealed record DeadlineChange(Instant? DueAt, bool Sandbox);

/// <summary>What a request id came to: the aggregate's version right after the command (its <see cref="NewEvent.RequestVersion"/>), and the hash of its payload.</summary>
public sealed record StoredOutcome(AggregateKey Key, long Version, string RequestHash);

public sealed record FenceRead(long HeadVersion, StoredOutcome? Outcome);

/// <summary>What became of an item.</summary>
public abstract record AppendResult
{
    private AppendResult() { }

    /// <summary>Durable. The item's events have consecutive sequence numbers from <see cref="FirstSequence"/>.</summary>
    public sealed record Appended(long FirstSequence, Instant RecordedAt) : AppendResult;

    /// <summary>The aggregate has moved on elsewhere: this activation is stale.</summary>
    public sealed record FenceLost : AppendResult;

    /// <summary>A request id of the item was used before.</summary>
    public sealed record RequestIdTaken(Guid Request, StoredOutcome Outcome) : AppendResult;

    /// <summary>A posting date lies in a closed month of its legal entity.</summary>
    public sealed record PostingClosed(LegalEntityId LegalEntity, LocalDate ClosedThrough) : AppendResult;

    /// <summary>A claimed row's key is taken.</summary>
    /// <param name="Type">What it is the key of, as a refusal calls it: <c>external_id</c>.</param>
    public sealed record KeyTaken(string Type, string Key) : AppendResult;

    /// <summary>The database refuses the item for its content (U+0000 in a note).</summary>
    public sealed record Unstorable(string Error) : AppendResult;

    /// <summary>Storage is out of reach or refuses writes; the outcome may be unknown.</summary>
    public sealed record Unavailable(string Error) : AppendResult;
}
