using AgencyPlatform.Domain.Engagements;
using NodaTime;

namespace AgencyPlatform.Domain.Billing;

/// <summary>What is said of how a posting's lines come about, in figures of the code that posts. Whoever only posts passes none, and nothing is said.</summary>
internal sealed class PostingWorkings
{
    private readonly List<int> _ofLines = [];

    public Steps Steps { get; } = new();

    /// <summary>The next lines have the amount that a step comes to.</summary>
    public void Lines(int count, Figure result) => _ofLines.AddRange(Enumerable.Repeat(result.Step!.Value, count));

    /// <summary>What figures sum to is posted.</summary>
    public Figure Posted(params IEnumerable<Figure> parts)
    {
        var all = parts.ToList();
        return Steps.Add(StepKind.Posted, StepOperation.Sum, FigureUnit.Money, all.Sum(f => f.Value), all);
    }

    /// <summary>What a key accrues with some minutes more, or fewer.</summary>
    /// <param name="before">Minutes that it had.</param>
    /// <param name="gained">What it gains, in minutes or half days.</param>
    /// <param name="all">What it comes to with them.</param>
    /// <param name="earlier">What it came to without them, and is posted.</param>
    public void Accrued(AccrualKey key, long before, Figure gained, Money all, Money earlier)
    {
        Steps.Currency = all.Currency;
        var units = key.IsDays ? 2 : 60;
        if (before == 0)
        {
            Steps.Add(StepKind.Amount, StepOperation.Sum, FigureUnit.Money, all.Minor, [AtRate(gained)]);
            return;
        }

        var had = new Figure(FigureKind.AccruedBefore, gained.Unit, key.IsDays ? before / AccrualKey.HalfDay : before);
        var sum = Steps.Add(key.IsDays ? StepKind.HalfDays : StepKind.Minutes, StepOperation.Sum, gained.Unit, had.Value + gained.Value, had, gained);
        var whole = Steps.Add(StepKind.Amount, StepOperation.Sum, FigureUnit.Money, all.Minor, [AtRate(sum)]);
        var posted = Steps.Add(StepKind.PostedBefore, StepOperation.Sum, FigureUnit.Money, earlier.Minor, [AtRate(had)]);
        Posted(whole, posted.Negated);

        StepPart AtRate(Figure quantity) => new([quantity, Workings.Money(FigureKind.Rate, key.Rate)], [new Figure(FigureKind.RateUnits, gained.Unit, units)]);
    }

    /// <summary>What an item comes to in the end, with the steps that the engine takes to it.</summary>
    /// <param name="engine">A single step: a fee's, or that nothing is owed.</param>
    public Figure Charged(ItemKey item, long amount, Steps engine) =>
        (engine.All is [var step] && step.Result == amount ? Steps.Add(step.Kind, step.Operation, step.Unit, step.Result, step.Parts) : Workings.Money(FigureKind.Charge, amount)) with { Item = item };

    /// <summary>What the days before a date have earned of an amount.</summary>
    /// <param name="kind">Whether that is what is posted now, or was before.</param>
    public Figure Earned(StepKind kind, Figure amount, Earning earning, LocalDate before)
    {
        var whole = earning.End is { } end ? amount with { Dates = new DateRange(earning.Dates[0].Start, end) } : amount;
        return Steps.Add(
            kind, StepOperation.Sum, FigureUnit.Money, earning.Before(before),
            [
                earning.ElapsedBefore(before) is not var (elapsed, days) ? new StepPart([whole], [])
                    : new StepPart([whole, new Figure(FigureKind.ElapsedDays, FigureUnit.Days, elapsed)], [new Figure(FigureKind.FullDays, FigureUnit.Days, days)]),
            ]);
    }

    /// <summary>What minutes have earned of a block's price.</summary>
    /// <param name="price">Minor units, or what was deferred of it at a cut-over.</param>
    /// <param name="credited">Minor units that credit notes have given back of it.</param>
    /// <param name="drawn">Null: it has expired, and all of it is earned.</param>
    public void Earned(StepKind kind, ItemKey item, PrepaidBlock block, long price, long credited, int? drawn, long earned)
    {
        var whole = Workings.Money(FigureKind.Price, price) with { Item = item, Dates = new DateRange(block.EffectiveAt, block.ExpiresAt) };
        if (credited != 0)
        {
            whole = Steps.Add(StepKind.LeftOfPrice, StepOperation.Sum, FigureUnit.Money, price - credited, whole, Workings.Money(FigureKind.CreditedBefore, -credited));
        }

        Steps.Add(
            kind, StepOperation.Sum, FigureUnit.Money, earned,
            [
                drawn is not { } minutes ? new StepPart([whole], [])
                    : new StepPart([whole, new Figure(FigureKind.DrawnMinutes, FigureUnit.Minutes, minutes)], [new Figure(FigureKind.BlockMinutes, FigureUnit.Minutes, block.Minutes)]),
            ]);
    }

    /// <summary>Why an event posts what it does. Where the engine does not come to it again, only the amounts themselves are told.</summary>
    /// <param name="again">What it posts again.</param>
    public PostingWhy Why(PostingKind kind, IPosting posting, Posting again, PostingInputs inputs)
    {
        if (again.Lines.SequenceEqual(posting.Posting.Lines))
        {
            return new PostingWhy(kind, ExplanationBasis.Computed, Steps.All, [.. _ofLines], inputs);
        }

        var frozen = new PostingWorkings();
        foreach (var line in posting.Posting.Lines)
        {
            frozen.Steps.Currency = line.Amount.Currency;
            frozen.Lines(1, frozen.Posted(Workings.Money(FigureKind.Frozen, line.Amount.Minor)));
        }

        return new PostingWhy(kind, ExplanationBasis.AsFrozen, frozen.Steps.All, [.. frozen._ofLines], inputs);
    }
}
