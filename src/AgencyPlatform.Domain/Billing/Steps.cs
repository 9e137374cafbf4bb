using System.Collections.Immutable;
using AgencyPlatform.Domain.Time;

namespace AgencyPlatform.Domain.Billing;

/// <summary>What a figure counts.</summary>
public enum FigureUnit
{
    /// <summary>Minor units of the account's currency.</summary>
    Money,
    Minutes,
    Days,

    /// <summary>3 are a day and a half.</summary>
    HalfDays,

    /// <summary>Parts per million: 10 % is 100,000.</summary>
    Ppm,

    /// <summary>A plain number.</summary>
    Number,
}

/// <summary>What a figure of a step is.</summary>
public enum FigureKind
{
    /// <summary>The result of an earlier step.</summary>
    Result,

    /// <summary>A fee of a full period.</summary>
    Fee,

    /// <summary>A rate of an hour or a day.</summary>
    Rate,

    /// <summary>Days on which the terms hold.</summary>
    Days,

    /// <summary>Days of the full period that an amount is prorated against.</summary>
    FullDays,

    /// <summary>Approved minutes of an entry.</summary>
    EntryMinutes,

    /// <summary>Minutes that an entry is rounded up to.</summary>
    Increment,

    /// <summary>Minutes that an entry is charged at least.</summary>
    EntryMinimum,

    /// <summary>Minutes of a full day.</summary>
    FullDay,

    /// <summary>What a rate is for: 60 minutes, or 2 half days.</summary>
    RateUnits,

    /// <summary>The amount of a milestone, or the price of a block.</summary>
    Price,

    /// <summary>The most that the hours of a full period come to.</summary>
    Cap,

    /// <summary>What lower rates have taken of the cap.</summary>
    CapTaken,

    /// <summary>A minimum of a full period.</summary>
    Minimum,

    /// <summary>What an earlier minimum of the same period has taken of the charges.</summary>
    EarlierMinimum,

    /// <summary>What another item of the period comes to.</summary>
    Charge,

    /// <summary>The percentage of a discount.</summary>
    Percent,

    /// <summary>The million that parts per million are of.</summary>
    Million,

    /// <summary>How much of a charge belongs to the days of a discount, and of how much in all.</summary>
    Share,
    ShareOf,

    /// <summary>The amount of a discount for a full period.</summary>
    DiscountAmount,

    /// <summary>The most that a discount takes off over all periods.</summary>
    DiscountCap,

    /// <summary>What a discount took off in earlier periods.</summary>
    GivenBefore,

    /// <summary>What discounts before this one take off the same period.</summary>
    EarlierDiscounts,

    /// <summary>The amount of an earlier line of the same item.</summary>
    InvoicedBefore,

    /// <summary>What other lines of this document take back of the same item.</summary>
    TakenBackHere,

    /// <summary>The amount or the tax of the line that is corrected.</summary>
    CorrectedLine,

    /// <summary>What was credited of that line before.</summary>
    CreditedBefore,

    /// <summary>An amount that somebody chose to credit.</summary>
    ByHand,

    /// <summary>The amount or the tax of a line as it was frozen.</summary>
    Frozen,

    /// <summary>The amount of a line of this document: this one, or another one of the same tax category and rate.</summary>
    ThisLine,
    OtherLine,

    /// <summary>The tax rate.</summary>
    TaxRate,

    /// <summary>Minutes or half days that accrued before, of the same CMO, month and rate, or of the same charge, period and rate.</summary>
    AccruedBefore,

    /// <summary>Minutes that an entry is charged for.</summary>
    ChargedMinutes,

    /// <summary>What an entry adds to the half days of its CMO's date.</summary>
    EntryHalfDays,

    /// <summary>Days of a fee that are over.</summary>
    ElapsedDays,

    /// <summary>Minutes that were drawn of a block, and those that it gave.</summary>
    DrawnMinutes,
    BlockMinutes,

    /// <summary>What was posted of the same before.</summary>
    PostedBefore,

    /// <summary>The net amount of a document; its tax.</summary>
    Net,
    DocumentTax,

    /// <summary>What a line of the document posts to an account.</summary>
    DocumentLine,

    /// <summary>What of an invoice is paid, credited, written off or open again by it.</summary>
    Allocated,

    /// <summary>What the client's credit takes or gives.</summary>
    ClientCredit,

    /// <summary>Money that has moved: a payment, a refund, a payout.</summary>
    Moved,

    /// <summary>What a row of imported open books says.</summary>
    BroughtOver,
}

/// <summary>How a step's parts make its result.</summary>
public enum StepOperation
{
    /// <summary>The sum of the parts, exact and rounded once, half away from zero.</summary>
    Sum,

    /// <summary>The same, and not less than 0.</summary>
    SumNotBelowZero,

    /// <summary>The least part.</summary>
    Least,

    /// <summary>The first part rounded up to a multiple of the increment, and no less than the minimum of an entry.</summary>
    BilledMinutes,

    /// <summary>Minutes against those of a full day: 2 half days from a full day on, 1 from half of it on, else none.</summary>
    HalfDays,

    /// <summary>The first part split over the lines in proportion to their amounts, by largest remainder, ties to the earlier: the share of this line.</summary>
    Share,
}

/// <summary>What a step finds out.</summary>
public enum StepKind
{
    /// <summary>What one entry is charged for.</summary>
    BilledMinutes,

    /// <summary>Minutes in sum.</summary>
    Minutes,

    /// <summary>Half days of one CMO's date.</summary>
    DayParts,

    /// <summary>Half days in sum.</summary>
    HalfDays,

    /// <summary>What days, minutes or half days come to at the fee or rate.</summary>
    Amount,

    /// <summary>What of it is outside the cap.</summary>
    Uncapped,

    /// <summary>What of it the cap is for.</summary>
    ToCap,

    /// <summary>The cap of the days on which it holds.</summary>
    Cap,

    /// <summary>What is left of it.</summary>
    CapLeft,

    /// <summary>No more than the cap.</summary>
    Capped,

    /// <summary>A milestone's amount, or a block's price.</summary>
    Price,

    /// <summary>The minimum of the days on which it holds.</summary>
    Promised,

    /// <summary>What the charges of the period come to.</summary>
    Charged,

    /// <summary>What an earlier minimum has left of that.</summary>
    ChargedLeft,

    /// <summary>What is missing to the minimum.</summary>
    Missing,

    /// <summary>The percentage of what is charged.</summary>
    Percentage,

    /// <summary>The amount of the days on which it holds.</summary>
    FixedDiscount,

    /// <summary>Both.</summary>
    Wanted,

    /// <summary>What is left of the discount's cap.</summary>
    DiscountCapLeft,

    /// <summary>No more than that.</summary>
    DiscountCapped,

    /// <summary>What is left of the period's charges.</summary>
    ChargesLeft,

    /// <summary>No more than is charged.</summary>
    DiscountBound,

    /// <summary>Taken off.</summary>
    Discount,

    /// <summary>The item is owed no more.</summary>
    NotOwed,

    /// <summary>What the item comes to, less what stands invoiced of it.</summary>
    LessInvoiced,

    /// <summary>What is to be taken back of this line and of those before it.</summary>
    ToTakeBack,

    /// <summary>What is left of the line that is corrected.</summary>
    LeftOfLine,

    /// <summary>What is taken back of it.</summary>
    TakenBack,

    /// <summary>Credited.</summary>
    Credit,

    /// <summary>What somebody chose to credit.</summary>
    ByHand,

    /// <summary>The figure as it was frozen with the line; how it came about cannot be told any more.</summary>
    Frozen,

    /// <summary>The sum of the lines that the tax is on.</summary>
    Taxable,

    /// <summary>The tax on that.</summary>
    Tax,

    /// <summary>How much less that is because of discounts.</summary>
    TaxSaved,

    /// <summary>The share of this line.</summary>
    TaxShare,

    /// <summary>What was posted of the same before.</summary>
    PostedBefore,

    /// <summary>What is posted now.</summary>
    Posted,

    /// <summary>What the days or minutes so far have earned.</summary>
    Earned,

    /// <summary>What credit notes have left of a block's price.</summary>
    LeftOfPrice,

    /// <summary>What an entry adds to the half days of its CMO's date.</summary>
    HalfDaysAdded,
}

/// <summary>A number of a step, and what it is.</summary>
/// <param name="Value">In its unit; negative where it is taken off.</param>
/// <param name="Step">The number of the earlier step whose result it is, from 1; null: it is given.</param>
/// <param name="Entry">The time entry that it is of.</param>
/// <param name="Dates">The days that it is of.</param>
/// <param name="Item">The item of the bill that it is of.</param>
/// <param name="Line">The line of another invoice that it is of.</param>
/// <param name="Here">The number of the line of this document that it is of.</param>
[GenerateSerializer, Immutable, Alias("billing.figure")]
public sealed record Figure(
    FigureKind Kind, FigureUnit Unit, long Value, int? Step = null, TimeEntryKey? Entry = null, DateRange? Dates = null, ItemKey? Item = null, LineReference? Line = null,
    int? Here = null)
{
    /// <summary>The same, taken off.</summary>
    public Figure Negated => this with { Value = checked(-Value) };
}

/// <summary>Factors × … ÷ divisors ÷ …</summary>
[GenerateSerializer, Immutable, Alias("billing.step-part")]
public sealed record StepPart(ImmutableArray<Figure> Factors, ImmutableArray<Figure> Divisors);

/// <summary>One step of the arithmetic of an amount: what goes in, the operation and the result.</summary>
/// <param name="Currency">Of the money in it; null: the account's.</param>
[GenerateSerializer, Immutable, Alias("billing.step")]
public sealed record Step(StepKind Kind, StepOperation Operation, ImmutableArray<StepPart> Parts, FigureUnit Unit, long Result, Currency? Currency = null);

/// <summary>Steps in order; each may use the results of those before it.</summary>
internal sealed class Steps
{
    private readonly ImmutableArray<Step>.Builder _steps = ImmutableArray.CreateBuilder<Step>();

    public ImmutableArray<Step> All => _steps.ToImmutable();

    /// <summary>Of the money in the steps that are added; null: the account's.</summary>
    public Currency? Currency { get; set; }

    /// <summary>Adds a step and gives its result as a figure of later ones.</summary>
    public Figure Add(StepKind kind, StepOperation operation, FigureUnit unit, long result, IEnumerable<StepPart> parts)
    {
        _steps.Add(new Step(kind, operation, [.. parts], unit, result, Currency));
        return new Figure(FigureKind.Result, unit, result, _steps.Count);
    }

    /// <summary>The same of parts that are one figure each.</summary>
    public Figure Add(StepKind kind, StepOperation operation, FigureUnit unit, long result, params IEnumerable<Figure> parts) =>
        Add(kind, operation, unit, result, parts.Select(p => new StepPart([p], [])));

    /// <summary>The result of the last step.</summary>
    public Figure Last => new(FigureKind.Result, _steps[^1].Unit, _steps[^1].Result, _steps.Count);
}
