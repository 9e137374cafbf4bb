using System.Collections.Immutable;
using NodaTime;

namespace AgencyPlatform.Domain.Billing;

/// <summary>How sure an explanation is of what a line was computed from.</summary>
public enum ExplanationBasis
{
    /// <summary>The engine comes to the line again, from what stood when it was frozen; of a draft, from what stands now.</summary>
    Computed,

    /// <summary>
    /// The engine does not come to it again: a draft that something has changed since, or a line of an earlier version of the rules. What the line itself says is told.
    /// </summary>
    AsFrozen,
}

/// <summary>What a line did to an entry of its item.</summary>
public enum EntryChange
{
    /// <summary>The item had it before, and has it still.</summary>
    Kept,

    /// <summary>This line bills it.</summary>
    Gained,

    /// <summary>This line takes it back.</summary>
    Lost,
}

/// <summary>A time entry of a line's item.</summary>
/// <param name="Minutes">As approved.</param>
/// <param name="Charged">Of these the minutes that are charged for.</param>
/// <param name="Billed">Minutes, or half days, that are billed for them.</param>
/// <param name="Source">Who approved it, and whether overage was consented to; null: not known.</param>
[GenerateSerializer, Immutable, Alias("billing.explained-entry")]
public sealed record ExplainedEntry(Time.TimeEntryKey Entry, CmoId Cmo, LocalDate Date, int Minutes, int Charged, long Billed, EntryChange Change, EntrySource? Source);

/// <summary>Terms that a line charges by, the billed days of its period on which they hold, and where they come from.</summary>
[GenerateSerializer, Immutable, Alias("billing.explained-terms")]
public sealed record ExplainedTerms(Terms Terms, DateRange Dates, TermsSource? Source);

/// <summary>A line that came after the explained one and is of the same item, or corrects it.</summary>
/// <param name="Amount">Minor units.</param>
[GenerateSerializer, Immutable, Alias("billing.later-line")]
public sealed record LaterLine(LineReference Line, long Amount, bool Corrects);

/// <summary>Why a line has its amount.</summary>
/// <param name="Steps">The last one's result is the line's amount.</param>
/// <param name="TaxSteps">The last one's result is the line's tax.</param>
/// <param name="Milestone">That the line charges, while it is marked as reached.</param>
/// <param name="Block">That the line charges.</param>
/// <param name="Part">Who marked the milestone or sold the block, and when.</param>
/// <param name="ByHand">It was credited by hand.</param>
/// <param name="Later">In the order in which they were frozen.</param>
/// <param name="Ends">The first day that the engagement no longer serves, when that is in the line's period or before it; null: later, or not known.</param>
/// <param name="Documents">The printed numbers of all that is referred to; empty of one that has none yet.</param>
[GenerateSerializer, Immutable, Alias("billing.line-explanation")]
public sealed record LineExplanation(
    Invoice Invoice, InvoiceLine Line, ExplanationBasis Basis, ImmutableArray<ExplainedTerms> Terms, ImmutableArray<Step> Steps, ImmutableArray<Step> TaxSteps,
    ImmutableArray<ExplainedEntry> Entries, ReachedMilestone? Milestone, PrepaidBlock? Block, PartSource? Part, bool ByHand, ImmutableArray<LaterLine> Later,
    LocalDate? Ends, ImmutableSortedDictionary<InvoiceId, string> Documents);
