using System.Collections.Immutable;
using NodaTime;

namespace AgencyPlatform.Domain;

/// <summary>
/// The state of an aggregate. Immutable; folded from its events and from nothing else, so that replaying the journal
/// gives the same state on every machine.
/// </summary>
public interface IState<TSelf> where TSelf : class, IState<TSelf>
{
    /// <summary>The kind that keys, events and rows name, for example <c>cmo</c>. Never changes.</summary>
    static abstract string Kind { get; }

    /// <summary>Raised when the fold's meaning changes, so that snapshots of the old meaning are ignored.</summary>
    static abstract int FoldVersion { get; }

    /// <summary>The state before the first event.</summary>
    static abstract TSelf Initial { get; }

    /// <summary>Whether the aggregate has been created.</summary>
    bool Exists { get; }

    /// <summary>The state after one more event. Total: it accepts every event of its kind, and never throws for a business reason.</summary>
    TSelf Apply(IEvent @event);

    /// <summary>
    /// When time alone will next change this aggregate or a saga of it wants to go on; null when never.
    /// It is written as the aggregate's one deadline row with the events that set it.
    /// </summary>
    Instant? NextDue { get; }

    /// <summary>
    /// Whether <see cref="NextDue"/> is by the system's clock, in a sandbox too, and no fact of the agency's time: it wakes what has to do with the world outside, may stand for long,
    /// and neither a moved clock nor a closing of books waits for it.
    /// </summary>
    static virtual bool WakesBySystemClock => false;

    /// <summary>
    /// What time alone has done up to <paramref name="now"/>, in due order: the first thing due and no more
    /// (the caller folds and asks again until nothing is left).
    /// </summary>
    ImmutableArray<IEvent> Settle(Instant now);

    /// <summary>
    /// What follows at once from the events of a decision on this state, in the same append: what a waitlist offers of capacity that they freed.
    /// </summary>
    ImmutableArray<IEvent> Following(ImmutableArray<IEvent> events, Instant now) => [];

    /// <summary>The read-model rows that an event changes, given the state after it.</summary>
    IEnumerable<RowChange> Project(IEvent @event, EventInfo info);
}

/// <summary>What a projection may know of an event besides its content.</summary>
public readonly record struct EventInfo(AgencyId Agency, string AggregateId, long Version, Instant OccurredAt);

/// <summary>A change of one read-model row in the transaction of the events that cause it.</summary>
public abstract record RowChange;

/// <summary>Writes the row, replacing the one with its key.</summary>
public sealed record Put(IRow Row) : RowChange;

/// <summary>Writes a row whose key must be free (a unique external id): a taken key refuses the command with ALREADY_EXISTS.</summary>
public sealed record Claim(IRow Row) : RowChange;

/// <summary>Removes the row with this row's key.</summary>
public sealed record Drop(IRow Row) : RowChange;

/// <summary>
/// A read-model row: a record whose constructor parameters are the columns, described by <see cref="RowTableAttribute"/>.
/// Column types: string, long, int, bool, LocalDate, Instant, byte[], the typed ids, enums (stored by name), and nullables of these.
/// The agency is not among them: it is the first key column of every table.
/// </summary>
public interface IRow;

/// <summary>Names a read-model table. Every table has the key (agency, key columns) and the column <c>owner</c> (the aggregate "kind/id" it belongs to).</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class RowTableAttribute(string name, params string[] key) : Attribute
{
    public string Name { get; } = name;

    /// <summary>The property names that, after the agency, make up the primary key, in order. Lists are ordered by it.</summary>
    public string[] Key { get; } = key;

    /// <summary>Further indexes, each a comma-separated list of property names (the agency comes first by itself, the key last). None on what changes.</summary>
    public string[] Indexes { get; init; } = [];

    /// <summary>What a row of it is that is claimed and taken, as a refusal calls it: <c>external_id</c>.</summary>
    public string Claimed { get; init; } = name;
}
