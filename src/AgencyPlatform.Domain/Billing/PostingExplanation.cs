using System.Collections.Immutable;
using AgencyPlatform.Domain.Cmos;
using NodaTime;

namespace AgencyPlatform.Domain.Billing;

/// <summary>What a posting is of.</summary>
public enum PostingKind
{
    /// <summary>Approved time, or a consent to what is beyond the meter: its cost, and what is charged for it.</summary>
    Time,

    /// <summary>An approval that was taken back.</summary>
    TimeTakenBack,

    MilestoneReached,
    MilestoneReopened,

    /// <summary>Days of fees that are billed in arrears.</summary>
    FeeDays,

    /// <summary>Days of fees that were billed in advance.</summary>
    FeesRecognized,

    /// <summary>Minutes of prepaid blocks.</summary>
    PrepaidHours,

    Invoice,
    CreditNote,
    Payment,
    PaymentReversed,
    Refund,
    RefundReversed,
    CreditAllocated,
    WriteOff,
    Payout,
    PayoutReversed,

    /// <summary>What an import of open books begins with.</summary>
    OpenBooks,
}

/// <summary>What kind of resource a posting is of.</summary>
public enum PostingDocument { Invoice, Payment, Payout, OpenBooksImport }

/// <summary>A resource that a posting is of.</summary>
/// <param name="Reference">The printed number of an invoice, the bank's reference of money; empty: it has none.</param>
[GenerateSerializer, Immutable, Alias("billing.posting-reference")]
public sealed record PostingReference(PostingDocument Kind, string Id, string Reference);

/// <summary>What goes into a posting beside its figures.</summary>
/// <param name="Entries">The time entry that it is of.</param>
/// <param name="Rate">At which the entry costs.</param>
/// <param name="Terms">By which the entry is charged.</param>
/// <param name="Blocks">Whose minutes it is of.</param>
/// <param name="Of">The documents and payments that it is of.</param>
/// <param name="Reason">Why somebody took it back or wrote it off, in their words; empty: nobody said.</param>
/// <param name="Documents">The printed numbers of the invoices that figures are of.</param>
[GenerateSerializer, Immutable, Alias("billing.posting-inputs")]
public sealed record PostingInputs(
    ImmutableArray<ExplainedEntry> Entries, CostRate? Rate, ImmutableArray<ExplainedTerms> Terms, ReachedMilestone? Milestone, ImmutableArray<PrepaidBlock> Blocks,
    ImmutableArray<PostingReference> Of, string Reason, ImmutableSortedDictionary<InvoiceId, string> Documents)
{
    public static PostingInputs None { get; } = new([], null, [], null, [], [], "", ImmutableSortedDictionary<InvoiceId, string>.Empty);

    /// <summary>What a CMO may know of: their own time and its cost, and the money that they got; nothing of what a client is charged.</summary>
    internal PostingInputs ForCmo => None with
    {
        Entries = [.. Entries.Select(e => e with { Charged = 0, Billed = 0, Source = e.Source is { } source ? source with { Consents = [] } : null })],
        Rate = Rate,
        Of = [.. Of.Where(o => o.Kind == PostingDocument.Payout)],
    };
}

/// <summary>Why an event posted what it did.</summary>
/// <param name="OfLines">For each line the number of the step that comes to its amount, from 1; of a line that is credited what a step comes to it has with the other sign.</param>
public sealed record PostingWhy(PostingKind Kind, ExplanationBasis Basis, ImmutableArray<Step> Steps, ImmutableArray<int> OfLines, PostingInputs Inputs);

/// <summary>An aggregate's history, from which it says why it posts something: it computes it again, by the code that posted it, from what stood then.</summary>
public interface IPostingHistory
{
    /// <summary>One more event, from the first on.</summary>
    /// <param name="actor">Who caused it.</param>
    void Apply(IEvent @event, string actor, Instant at);

    /// <summary>Why the event that comes next posts what it does.</summary>
    PostingWhy Why(IPosting posting);
}

/// <summary>A history of which only the state is asked.</summary>
/// <param name="why">Why an event posts what it does, by the state before it and the state before that.</param>
public sealed class PostingHistory<TState>(Func<TState, TState, IPosting, PostingWhy> why) : IPostingHistory where TState : class, IState<TState>
{
    private TState _state = TState.Initial;
    private TState _earlier = TState.Initial;

    public void Apply(IEvent @event, string actor, Instant at) => (_earlier, _state) = (_state, _state.Apply(@event));

    public PostingWhy Why(IPosting posting) => why(_state, _earlier, posting);
}

/// <summary>A line of an explained posting.</summary>
/// <param name="Step">The number of the step that comes to its amount, or to the amount with the other sign, from 1.</param>
[GenerateSerializer, Immutable, Alias("billing.explained-posting-line")]
public sealed record ExplainedPostingLine(PostingRow Row, int Step);

/// <summary>Why a posting is what it is.</summary>
/// <param name="Event">The name of the event that posted.</param>
/// <param name="Made">Who caused it, and when.</param>
[GenerateSerializer, Immutable, Alias("billing.posting-explanation")]
public sealed record PostingExplanation(
    string Event, Deed Made, PostingKind Kind, ExplanationBasis Basis, ImmutableArray<ExplainedPostingLine> Lines, ImmutableArray<Step> Steps, PostingInputs Inputs)
{
    public static PostingExplanation Of(IPosting posting, string kind, EventInfo info, string actor, PostingWhy why) => new(
        EventJson.NameOf(posting).Name, new Deed(actor, info.OccurredAt), why.Kind, why.Basis, [.. posting.Posting.RowsOf(kind, info, posting).Select((r, i) => new ExplainedPostingLine(r, why.OfLines[i]))],
        why.Steps, why.Inputs);

    /// <summary>What a CMO may know of it: the lines of what they are owed, and how these come about; null: none is theirs.</summary>
    public PostingExplanation? For(CmoId cmo)
    {
        var own = Lines.Where(l => l.Row.Cmo == cmo && l.Row.Account == LedgerAccount.CmoPayable).ToList();
        if (own.Count == 0)
        {
            return null;
        }

        var needed = new SortedSet<int>();
        var open = new Stack<int>(own.Select(l => l.Step));
        while (open.TryPop(out var step))
        {
            if (needed.Add(step))
            {
                foreach (var earlier in Figures(Steps[step - 1]).Select(f => f.Step).OfType<int>())
                {
                    open.Push(earlier);
                }
            }
        }

        var numbers = needed.Select((was, i) => (was, Number: i + 1)).ToDictionary(n => n.was, n => n.Number);
        Figure Renumbered(Figure figure) => figure.Step is { } step ? figure with { Step = numbers[step] } : figure;
        return this with
        {
            Lines = [.. own.Select(l => l with { Step = numbers[l.Step] })],
            Steps =
            [
                .. needed.Select(n => Steps[n - 1]).Select(s => s with { Parts = [.. s.Parts.Select(p => new StepPart([.. p.Factors.Select(Renumbered)], [.. p.Divisors.Select(Renumbered)]))] }),
            ],
            Inputs = Inputs.ForCmo,
        };
    }

    private static IEnumerable<Figure> Figures(Step step) => step.Parts.SelectMany(p => p.Factors.Concat(p.Divisors));
}
