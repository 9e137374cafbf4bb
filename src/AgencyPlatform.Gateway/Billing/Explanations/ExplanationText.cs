using System.Collections.Immutable;
using System.Globalization;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Gateway.Billing.Documents;
using DayRateTerms = AgencyPlatform.Domain.Billing.DayRateTerms;
using FigureKind = AgencyPlatform.Domain.Billing.FigureKind;
using FigureUnit = AgencyPlatform.Domain.Billing.FigureUnit;
using Figure = AgencyPlatform.Domain.Billing.Figure;
using HourlyTerms = AgencyPlatform.Domain.Billing.HourlyTerms;
using Invoice = AgencyPlatform.Domain.Billing.Invoice;
using LineExplanation = AgencyPlatform.Domain.Billing.LineExplanation;
using MilestoneTerms = AgencyPlatform.Domain.Billing.MilestoneTerms;
using PrepaidTerms = AgencyPlatform.Domain.Billing.PrepaidTerms;
using PrintedNumbers = System.Collections.Immutable.ImmutableSortedDictionary<AgencyPlatform.Domain.InvoiceId, string>;
using RetainerTerms = AgencyPlatform.Domain.Billing.RetainerTerms;
using StepOperation = AgencyPlatform.Domain.Billing.StepOperation;
using StepPart = AgencyPlatform.Domain.Billing.StepPart;

namespace AgencyPlatform.Gateway.Billing.Explanations;

/// <summary>Explanations in sentences that a client understands: amounts, dates, names and printed numbers, and no ids of the platform.</summary>
/// <param name="zone">The seller's: when something was done is a date there.</param>
/// <param name="people">Display names.</param>
internal sealed partial class ExplanationText(ExplanationWords says, Currency currency, DateTimeZone zone, Func<PersonId, string> people, Func<CmoId, string> cmos)
{
    /// <summary>The most entries that are told one by one.</summary>
    private const int MostEntries = 50;

    /// <summary>The most figures that a sum is written out of.</summary>
    private const int MostTerms = 8;

    private Words Words => says.Words;

    /// <summary>The whole explanation of a line.</summary>
    public IEnumerable<string> Of(LineExplanation explained, string title)
    {
        var line = explained.Line;
        yield return $"{title}: {Amount(line.Amount)} ({Words.Dates(line.Service)})";
        yield return explained.ByHand ? says.ByHand : says.Rules[line.Item.Charge];
        if (explained.Basis == ExplanationBasis.AsFrozen)
        {
            yield return explained.Invoice.State == InvoiceState.Draft ? says.Stale : says.AsFrozen;
        }

        if (explained.Ends is { } end)
        {
            yield return Say(says.Ends, Words.Date(end.PlusDays(-1)));
        }

        foreach (var sentence in explained.Terms.SelectMany(t => Applied(line.Item.Charge, line.Item.Rate, line.Item.Part, t)))
        {
            yield return sentence;
        }

        if (explained.Milestone is { } milestone)
        {
            yield return Joined(Milestone(milestone), explained.Part is { } part ? Say(says.Marked, Date(part.Made.At)) : null, " ");
        }

        if (explained.Block is { } block)
        {
            yield return Joined(Block(block), explained.Part is { } part ? Say(block.ToppedUp ? says.ToppedUp : says.Sold, Date(part.Made.At)) : null, "; ");
        }

        foreach (var entry in explained.Entries.Take(MostEntries))
        {
            yield return Entry(entry, line.Item.Charge == Charge.Overage && entry.Change != EntryChange.Lost);
        }

        if (explained.Entries.Length > MostEntries)
        {
            yield return Say(says.MoreEntries, explained.Entries.Length - MostEntries);
        }

        if (line.Corrects is { } of)
        {
            yield return Say(Words.Corrects, Printed(of.Invoice, explained.Documents), of.Line) + ".";
        }

        foreach (var step in explained.Steps.Concat(line.TaxTreatment.RatePpm > 0 ? explained.TaxSteps : []))
        {
            yield return Sentence(Of(step, explained.Documents));
        }

        foreach (var later in explained.Later.Where(l => explained.Documents.GetValueOrDefault(l.Line.Invoice, "").Length > 0))
        {
            yield return Say(later.Corrects ? says.LaterCorrected : says.Later, OnLine(later.Line, explained.Documents), Amount(later.Amount));
        }
    }

    /// <summary>A step in words and signs.</summary>
    public string Of(Step step, PrintedNumbers documents)
    {
        var (name, result) = (says.Steps[step.Kind], Quantity(step.Unit, step.Result));
        if (step.Parts.IsEmpty)
        {
            return $"{name}: {result}";
        }

        var made = step.Operation switch
        {
            StepOperation.Least => Say(says.LesserOf, Plain(step.Parts[0]), Plain(step.Parts[1])),
            StepOperation.BilledMinutes => Billed(step),
            StepOperation.HalfDays => $"{On(step.Parts[0].Factors[0])}{Minutes(step.Parts.SkipLast(1).Sum(p => p.Factors[0].Value))}, {Say(says.FullDay, Plain(step.Parts[^1]))}",
            StepOperation.Share => Say(
                says.ShareOf, Plain(step.Parts[0]), Number(step.Parts.Single(p => p.Factors[0].Kind == FigureKind.ThisLine).Factors[0].Value), Number(step.Parts.Skip(1).Sum(p => p.Factors[0].Value))),
            _ => Sum(step, documents),
        };
        return $"{name}: {(made == Plain(step.Unit, step.Result) ? "" : made + " = ")}{result}{(IsRounded(step) ? $", {says.Rounded}" : "")}";
    }

    /// <summary>How an invoice comes to what is due.</summary>
    public IEnumerable<string> Of(Invoice invoice, IEnumerable<(string Text, long Amount)> settlements)
    {
        var content = invoice.Content;
        yield return invoice.Imported is not null
            ? $"{says.IssuedElsewhere} {says.Untaxed}: {Amount(content.Net)}."
            : $"{says.Lines}: {(content.Lines.Length is > 1 and <= MostTerms ? Added(content.Lines.Select(l => Number(l.Amount))) + " = " : "")}{Amount(content.Net)}.";
        foreach (var tax in content.Taxes.Where(t => t.Treatment.RatePpm > 0))
        {
            yield return $"{Say(says.TaxOn, Words.Percent(tax.Treatment), Amount(tax.Taxable))}: {Amount(tax.Tax)}.";
        }

        yield return $"{Words.Total}: {Added([Number(content.Net), Number(content.Tax)])} = {Amount(content.Total)}.";
        foreach (var (text, amount) in settlements)
        {
            yield return $"{text}: {Amount(amount)}.";
        }

        if (!invoice.IsFinal)
        {
            yield return says.NotFinal;
        }
        else if (content.Total < 0)
        {
            yield return $"{Words.AmountCredited}: {Amount(-content.Total)}.";
        }
        else if (invoice.Open == 0)
        {
            yield return Words.NothingToPay;
        }
        else
        {
            yield return $"{Say(says.DueBy, Words.Date(invoice.DueDate!.Value))}: {Amount(invoice.Open)}.";
        }
    }

    private string Printed(InvoiceId invoice, PrintedNumbers documents) =>
        documents.GetValueOrDefault(invoice) is { Length: > 0 } printed ? printed : Words.Invoice;

    /// <summary>What terms say of a charge, and who signed them.</summary>
    private IEnumerable<string> Applied(Charge charge, long rate, PartId? part, ExplainedTerms applied)
    {
        yield return Terms(charge, rate, part, applied);
        if (applied.Source?.Signatures is { IsEmpty: false } signatures)
        {
            yield return string.Join(", ", signatures.Select(Signed)) + ".";
        }
    }

    private string Terms(Charge charge, long rate, PartId? part, ExplainedTerms applied)
    {
        var terms = applied.Terms;
        var parts = new List<string>();
        switch (charge)
        {
            case Charge.Fee when terms is RetainerTerms retainer:
                parts.Add(Say(says.Fee, Amount(retainer.Fee)));
                break;
            case Charge.Overage:
                parts.Add(Say(says.Hourly, Amount(rate)));
                parts.AddRange(terms is RetainerTerms { IncludedMinutes: var included } ? [Say(says.Included, Minutes(included))] : []);
                break;
            case Charge.Hours when terms is HourlyTerms hourly:
                parts.Add(Say(says.Hourly, Amount(hourly.HourlyRate)));
                parts.AddRange(hourly.IncrementMinutes is { } increment ? [Say(says.EntryIncrement, Minutes(increment))] : []);
                parts.AddRange(hourly.MinimumMinutes is { } least ? [Say(says.EntryMinimum, Minutes(least))] : []);
                parts.AddRange(hourly.Cap is { } cap ? [Say(says.Capped, Amount(cap))] : []);
                break;
            case Charge.Days when terms is DayRateTerms days:
                parts.AddRange([Say(says.Daily, Amount(days.DayRate)), Say(says.FullDay, Minutes(days.FullDayMinutes))]);
                break;
            case Charge.Commitment:
                parts.Add(Say(says.Minimum, Amount(terms.Minimum!.Amount)));
                break;
            case Charge.Discount:
                var discount = terms.Discounts!.Value.Single(d => d.Id == part);
                parts.Add(discount.Ppm is { } ppm ? Say(says.PercentOff, Percent(ppm)) : Say(says.AmountOff, Amount(discount.Amount!.Value)));
                parts.AddRange(discount.Cap is { } most ? [Say(says.NoMoreInAll, Amount(most))] : []);
                break;
            case Charge.Milestone when terms is MilestoneTerms milestones:
                parts.Add(Amount(milestones.Milestones.Single(m => m.Id == part).Amount));
                break;
            case Charge.Block when terms is PrepaidTerms prepaid:
                parts.Add(Say(says.BlockPrice, Amount(prepaid.BlockPrice), Hours(prepaid.BlockMinutes)));
                break;
        }

        return Say(
            says.Terms, Words.Dates(applied.Dates), Words.Date(terms.EffectiveFrom),
            applied.Source is { } source ? Say(says.Origins[source.Origin], Date(source.Made.At)) : Words.Date(terms.EffectiveFrom), string.Join(", ", parts));
    }

    private string Signed(Domain.Engagements.Signature signature) => signature.By is { } by
        ? Say(says.SignedFor, people(by), people(signature.Person), Date(signature.At))
        : Say(says.Signed, people(signature.Person), Date(signature.At));

    /// <param name="partly">Whether it is said how much of it is charged.</param>
    private string Entry(ExplainedEntry entry, bool partly)
    {
        var parts = new List<string> { Say(says.Entry, Words.Date(entry.Date), cmos(entry.Cmo), Minutes(entry.Minutes)) };
        if (partly)
        {
            parts.Add(Say(says.Charged, Minutes(entry.Charged)));
        }

        if (entry.Source is { } source)
        {
            parts.Add(Say(says.Approved, Date(source.Approved.At)));
            parts.AddRange(source.Consents.Select(c => Say(says.Consented, Minutes(c.Minutes), Date(c.Given.At))));
        }

        switch (entry.Change)
        {
            case EntryChange.Kept:
                parts.Add(says.KeptBefore);
                break;
            case EntryChange.Lost:
                parts.Add(entry.Source?.Reversed is { } reversed ? Say(says.TakenBack, Date(reversed.At)) : says.NoMore);
                break;
        }

        return string.Join("; ", parts) + ".";
    }

    private string Milestone(ReachedMilestone milestone) => Say(says.Milestone, milestone.Name, Words.Date(milestone.On));

    private string Block(PrepaidBlock block) => Say(says.Block, Hours(block.Minutes), Words.Date(block.EffectiveAt), Words.Date(block.ExpiresAt.PlusDays(-1)));

    private string Billed(Step step)
    {
        var (worked, increment, least) = (step.Parts[0].Factors[0], step.Parts[1].Factors[0].Value, step.Parts[2].Factors[0].Value);
        return $"{On(worked)}{Minutes(worked.Value)}{(increment > 1 ? ", " + Say(says.StepsOf, Minutes(increment)) : "")}{(least > 0 ? ", " + Say(says.AtLeast, Minutes(least)) : "")}";
    }

    private string Sum(Step step, PrintedNumbers documents)
    {
        if (step.Parts.Length > MostTerms)
        {
            return Say(step.Parts[0].Factors[0].Unit == FigureUnit.Money ? says.Amounts : says.Entries, step.Parts.Length);
        }

        return Added(step.Parts.Select(p => Written(p, documents)));
    }

    /// <summary>Terms of a sum; one that begins with a minus is taken off.</summary>
    private static string Added(IEnumerable<string> parts)
    {
        var sum = "";
        foreach (var part in parts)
        {
            sum = sum.Length == 0 ? part : part[0] == '–' ? $"{sum} – {part[1..]}" : $"{sum} + {part}";
        }

        return sum;
    }

    private string Written(StepPart part, PrintedNumbers documents)
    {
        // A million is written with the percentage that it belongs to, and the half days of a day with the days.
        var factors = string.Join(" × ", part.Factors.Select(f => Plain(f.Unit, f.Value)));
        var divisors = string.Concat(part.Divisors.Where(d => d.Unit is not (FigureUnit.Ppm or FigureUnit.HalfDays)).Select(d => " ÷ " + Plain(d.Unit, d.Value)));
        var note = part.Factors.Select(f => Note(f, documents)).FirstOrDefault(n => n.Length > 0);
        return factors + divisors + (string.IsNullOrEmpty(note) ? "" : $" ({note})");
    }

    private string Note(Figure figure, PrintedNumbers documents) => figure switch
    {
        { Line: { } line } => OnLine(line, documents),
        { Here: { } line, Kind: FigureKind.OtherLine or FigureKind.DocumentLine or FigureKind.DocumentTax } => Say(says.Line, line),
        { Item: { } item, Kind: FigureKind.Charge } => Charged(item.Charge),
        _ => "",
    };

    private string Charged(Charge charge) => charge switch
    {
        Charge.Fee => Words.Retainer,
        Charge.Overage => Words.Overage,
        Charge.Hours => Words.Hours,
        Charge.Days => Words.DayRate,
        Charge.Block => Words.Prepaid,
        Charge.Commitment => Words.Minimum,
        Charge.Discount => Words.Discount,
        _ => "",
    };

    private string OnLine(LineReference line, PrintedNumbers documents) =>
        line.Line == 0 ? Printed(line.Invoice, documents) : Say(says.OnLine, Printed(line.Invoice, documents), line.Line);

    private string Plain(StepPart part) => Plain(part.Factors[0].Unit, part.Factors[0].Value);

    private string Plain(FigureUnit unit, long value) => unit == FigureUnit.Money ? Number(value) : Quantity(unit, value);

    private string Quantity(FigureUnit unit, long value) => unit switch
    {
        not FigureUnit.Money when value < 0 => "–" + Quantity(unit, -value),
        FigureUnit.Money => Amount(value),
        FigureUnit.Minutes => Minutes(value),
        FigureUnit.Days => Say(value == 1 ? says.Day : says.Days, value),
        FigureUnit.HalfDays => Say(value == 2 ? says.Day : says.Days, (value / 2m).ToString("0.#", CultureInfo.InvariantCulture).Replace(".", Words.DecimalPoint, StringComparison.Ordinal)),
        FigureUnit.Ppm => Percent(value),
        _ => value.ToString(CultureInfo.InvariantCulture),
    };

    private static bool IsRounded(Step step) =>
        step.Parts.Any(p => !p.Divisors.IsEmpty && p.Factors.Aggregate(System.Numerics.BigInteger.One, (all, f) => all * f.Value) % p.Divisors.Aggregate(System.Numerics.BigInteger.One, (all, d) => all * d.Value) != 0);

    private string On(Figure figure) => figure.Dates is { } dates ? Words.Dates(dates) + ": " : "";

    private string Minutes(long minutes) => Say(Words.Minutes, minutes);

    private string Hours(int minutes) => (minutes / 60m).ToString("0.##", CultureInfo.InvariantCulture).Replace(".", Words.DecimalPoint, StringComparison.Ordinal);

    private string Percent(long ppm) => Words.Percent(new TaxTreatment(TaxCategory.Standard, (int)ppm));

    private string Date(Instant at) => Words.Date(at.InZone(zone).Date);

    private string Number(long minor) => Words.Number(new Money(minor, currency));

    private string Amount(long minor) => $"{Number(minor)} {currency.Code}";

    /// <summary>With a full stop, unless an abbreviation ends with one.</summary>
    private static string Sentence(string words) => words.EndsWith('.') ? words : words + ".";

    private static string Joined(string first, string? second, string by) => first + (second is null ? "" : by + second) + ".";

    private static string Say(string words, params ReadOnlySpan<object> with) => string.Format(CultureInfo.InvariantCulture, words, with);
}
