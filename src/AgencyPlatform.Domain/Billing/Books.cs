using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json.Serialization;
using NodaTime;

namespace AgencyPlatform.Domain.Billing;

/// <summary>What a month may still be waiting for when its books are closed.</summary>
public enum OpenItemKind
{
    /// <summary>A CMO's entry that is not submitted.</summary>
    UnsubmittedTime,

    /// <summary>A submitted entry that is not approved.</summary>
    UnapprovedTime,

    /// <summary>An approved entry with minutes that wait for the client's consent.</summary>
    ParkedTime,

    /// <summary>A draft of an invoice.</summary>
    OpenDraft,

    /// <summary>An account with credit, and invoices open, that it could go to.</summary>
    UnallocatedCredit,
}

/// <summary>Something that is open in a month.</summary>
/// <param name="Resource">A time entry's key, or the name below the agency: <c>invoices/…</c>, <c>clientCompanies/…</c>.</param>
[GenerateSerializer, Immutable, Alias("books.open-item")]
public sealed record OpenItem(OpenItemKind Kind, string Resource);

/// <summary>What is open in the months that are to be closed.</summary>
/// <param name="Counts">Of each kind that there are any of.</param>
/// <param name="Items">The first of each kind, at most <see cref="MostItems"/>.</param>
[GenerateSerializer, Immutable, Alias("books.checklist")]
public sealed record ClosingChecklist(ImmutableSortedDictionary<OpenItemKind, int> Counts, ImmutableArray<OpenItem> Items)
{
    public const int MostItems = 50;

    [JsonIgnore]
    public int Open => Counts.Values.Sum();
}

/// <param name="Through">The last day that is closed: the last of a month that is over.</param>
/// <param name="AcceptOpenItems">Close although something is open.</param>
[GenerateSerializer, Immutable, Alias("books.close")]
public sealed record CloseBooks(LegalEntityId LegalEntity, LocalDate Through, bool AcceptOpenItems);

// ---- events ----

/// <summary>The month is being closed: series date later from here on, and what was numbered before becomes final.</summary>
/// <param name="OpenItems">How many open items were accepted.</param>
[Event("books.closing-started"), GenerateSerializer, Immutable, Alias("books.closing-started")]
public sealed record ClosingStarted(LegalEntityId LegalEntity, LocalDate Through, int OpenItems, string By, Instant At) : IEvent;

/// <summary>From here on nothing is posted on or before the day.</summary>
[Event("books.closed"), GenerateSerializer, Immutable, Alias("books.closed")]
public sealed record BooksClosed(LegalEntityId LegalEntity, LocalDate ClosedThrough, int OpenItems, string By, Instant At) : IClosing;

/// <summary>
/// The books of a legal entity: through which day they are closed. Closing is a saga: the entity's series date later, what they numbered is final, everything that is due by the
/// month's end has settled (recognition of revenue among it); then one append closes the books, and storage refuses what would post into them. Such a thing posts on the first
/// open day and says which day it belongs to. Nothing opens books again. Source: domain §5.
/// </summary>
/// <param name="UnderWay">The closing that is under way; null: none.</param>
[GenerateSerializer, Immutable, Alias("books")]
public sealed record Books(LegalEntityId LegalEntity, LocalDate? ClosedThrough, ClosingStarted? UnderWay, BooksClosed? Last) : IState<Books>
{
    private static readonly Duration s_patience = Duration.FromSeconds(15);

    public static string Kind => "books";

    public static int FoldVersion => 1;

    public static Books Initial { get; } = new(default, null, null, null);

    [JsonIgnore]
    public bool Exists => LegalEntity.Value is not null;

    [JsonIgnore]
    public Instant? NextDue => UnderWay?.At + s_patience;

    public ImmutableArray<IEvent> Settle(Instant now) => [];

    // ---- decisions ----

    /// <summary>Closed through the day already: nothing to do.</summary>
    /// <param name="today">The legal entity's.</param>
    public Decision Close(CloseBooks command, ClosingChecklist checklist, LocalDate today, string actor, Instant now)
    {
        if (command.Through <= ClosedThrough || command.Through == UnderWay?.Through)
        {
            return Decision.Nothing;
        }

        if (UnderWay is { } other)
        {
            return Rejection.Rule(
                Reasons.ClosingUnderWay, $"The books of {command.LegalEntity} are being closed through {Text(other.Through)}: wait until that is done.",
                ("legal_entity", command.LegalEntity.Value), ("through_date", Text(other.Through)));
        }

        if (command.Through.PlusDays(1).Day != 1)
        {
            return Rejection.Invalid(new FieldViolation("through_date", $"must be the last day of a month, such as {Text(RecognitionDates.NextMonth(command.Through).PlusDays(-1))}"));
        }

        if (command.Through >= today)
        {
            return Rejection.Invalid(new FieldViolation("through_date", $"must be before today, {Text(today)}: a month is closed when it is over"));
        }

        if (checklist.Open > 0 && !command.AcceptOpenItems)
        {
            return Rejection.Rule(
                Reasons.OpenItems,
                $"{checklist.Open} things are open through {Text(command.Through)}: {string.Join(", ", checklist.Counts.Select(c => $"{Text(c.Value)} {Words(c.Key)}"))}. See to them, or accept them: what comes of them later posts into the open month.",
                ("legal_entity", command.LegalEntity.Value), ("through_date", Text(command.Through)), ("open_items", Text(checklist.Open)));
        }

        return Decision.Accept(new ClosingStarted(command.LegalEntity, command.Through, checklist.Open, actor, now));
    }

    /// <summary>Everything is ready: the books are closed with this append.</summary>
    public Decision End(Instant now) =>
        UnderWay is { } c ? Decision.Accept(new BooksClosed(c.LegalEntity, c.Through, c.OpenItems, c.By, now)) : Decision.Nothing;

    private static string Words(OpenItemKind kind) => kind switch
    {
        OpenItemKind.UnsubmittedTime => "time entries not submitted",
        OpenItemKind.UnapprovedTime => "not approved",
        OpenItemKind.ParkedTime => "with minutes that wait for a consent",
        OpenItemKind.OpenDraft => "drafts of invoices",
        _ => "accounts with credit that is not allocated",
    };

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Text(LocalDate date) => date.ToString("uuuu-MM-dd", CultureInfo.InvariantCulture);

    // ---- fold ----

    public Books Apply(IEvent @event) => @event switch
    {
        ClosingStarted e => this with { LegalEntity = e.LegalEntity, UnderWay = e },
        BooksClosed e => this with { ClosedThrough = e.ClosedThrough, UnderWay = null, Last = e },
        NothingChanged => this,
        _ => throw new InvalidOperationException($"Books do not know {@event.GetType().Name}."),
    };

    public IEnumerable<RowChange> Project(IEvent @event, EventInfo info) =>
        @event is BooksClosed e ? [new Put(new ClosingRow(e.LegalEntity, e.ClosedThrough, e.OpenItems, e.By, e.At))] : [];
}

/// <summary>The closings of each legal entity.</summary>
/// <param name="OpenItems">How many open items were accepted.</param>
[RowTable("closings", nameof(LegalEntity), nameof(ClosedThrough))]
public sealed record ClosingRow(LegalEntityId LegalEntity, LocalDate ClosedThrough, int OpenItems, string By, Instant At) : IRow;
