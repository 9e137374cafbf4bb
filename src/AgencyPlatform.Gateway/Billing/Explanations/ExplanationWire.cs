using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Gateway.Engagements;
using LineExplanation = AgencyPlatform.Domain.Billing.LineExplanation;
using Figure = AgencyPlatform.Domain.Billing.Figure;
using PrintedNumbers = System.Collections.Immutable.ImmutableSortedDictionary<AgencyPlatform.Domain.InvoiceId, string>;
using V1 = AgencyPlatform.Protocol.Billing.V1;

namespace AgencyPlatform.Gateway.Billing.Explanations;

/// <summary>Explanations on the wire.</summary>
/// <param name="people">Details from the vault.</param>
internal sealed partial class ExplanationWire(AgencyId agency, Currency currency, ExplanationWords words, ExplanationText text, Func<PersonId, PersonDetails> people, Func<CmoId, string> cmos)
{
    public V1.LineExplanation ToWire(LineExplanation explained)
    {
        var (content, line) = (explained.Invoice.Content, explained.Line);
        return new V1.LineExplanation
        {
            Invoice = Invoice(explained.Invoice.Id),
            DocumentNumber = explained.Invoice.DocumentNumber,
            Line = InvoiceWire.ToWire(agency, currency, content, line),
            Basis = explained.Basis.ToWire<V1.ExplanationBasis>(),
            Rule = new V1.ChargeRule
            {
                Charge = line.Item.Charge.ToWire<V1.Charge>(),
                Text = words.Rules[line.Item.Charge],
                Terms = { explained.Terms.Select(ToWire) },
            },
            Steps = { explained.Steps.Select(s => ToWire(s, explained.Documents)) },
            TaxSteps = { explained.TaxSteps.Select(s => ToWire(s, explained.Documents)) },
            Entries = { explained.Entries.Select(ToWire) },
            Milestone = explained.Milestone is { } milestone ? ToWire(milestone, explained.Part) : null,
            Block = explained.Block is { } block ? ToWire(block, explained.Part) : null,
            ByHand = explained.ByHand,
            EngagementEndDate = explained.Ends?.ToWire(),
            LaterLines = { explained.Later.Select(l => Related(l.Line, explained.Documents, l)) },
            Language = words.Words.Language,
            Text = { text.Of(explained, words.Words.Line(line, content.Titles?.GetValueOrDefault(line.Item.Engagement))) },
        };
    }

    public V1.InvoiceExplanation ToWire(Domain.Billing.Invoice invoice)
    {
        var (content, settled) = (invoice.Content, invoice.Settlement ?? Settlement.None);
        var settlements = new[] { (words.CreditUsed, -settled.CreditApplied), (words.Payments, -settled.Paid), (words.CreditNotes, -settled.Credited), (words.WrittenOff, -settled.WrittenOff), (words.SettledBefore, -settled.Before) }
            .Where(s => s.Item2 != 0).ToList();
        return new V1.InvoiceExplanation
        {
            Invoice = Invoice(invoice.Id),
            DocumentNumber = invoice.DocumentNumber,
            Lines =
            {
                content.Lines.Select(l => new V1.ExplainedAmount
                {
                    Line = l.Number,
                    Text = words.Words.Line(l, content.Titles?.GetValueOrDefault(l.Item.Engagement)),
                    Amount = Wire(l.Amount),
                }),
            },
            NetAmount = Wire(content.Net),
            TaxSubtotals = { content.Taxes.Select(t => InvoiceWire.ToWire(t, currency)) },
            TaxAmount = Wire(content.Tax),
            TotalAmount = Wire(content.Total),
            Settlements = { settlements.Select(s => new V1.ExplainedAmount { Text = s.Item1, Amount = Wire(s.Item2) }) },
            OpenAmount = Wire(invoice.Open),
            Language = words.Words.Language,
            Text = { text.Of(invoice, settlements) },
        };
    }

    /// <param name="part">Who marked it, and when; null: not told.</param>
    private static V1.ExplainedMilestone ToWire(ReachedMilestone milestone, PartSource? part) => new()
    {
        MilestoneId = milestone.Id.Value,
        DisplayName = milestone.Name,
        ReachDate = milestone.On.ToWire(),
        MarkedBy = part?.Made.By ?? "",
        MarkTime = part?.Made.At.ToWire(),
    };

    /// <param name="part">Who sold it, and when; null: not told.</param>
    private static V1.ExplainedBlock ToWire(PrepaidBlock block, PartSource? part) => new()
    {
        BlockId = block.Id.Value,
        Minutes = block.Minutes,
        EffectiveDate = block.EffectiveAt.ToWire(),
        ExpireDate = block.ExpiresAt.ToWire(),
        SellTime = part?.Made.At.ToWire(),
        ToppedUp = block.ToppedUp,
    };

    private V1.AppliedTerms ToWire(ExplainedTerms applied) => new()
    {
        Terms = TermsWire.ToWire(agency, applied.Terms),
        StartDate = applied.Dates.Start.ToWire(),
        EndDate = applied.Dates.End.ToWire(),
        Origin = applied.Source?.Origin.ToWire<V1.TermsOrigin>() ?? V1.TermsOrigin.Unspecified,
        MakeTime = applied.Source?.Made.At.ToWire(),
        Signatures = { (applied.Source?.Signatures ?? []).Select(s => ProposalWire.ToWire(s, people)) },
    };

    private V1.ExplanationStep ToWire(Step step, PrintedNumbers documents) => new()
    {
        Kind = step.Kind.ToWire<V1.StepKind>(),
        Operation = step.Operation.ToWire<V1.StepOperation>(),
        Parts = { step.Parts.Select(p => new V1.StepPart { Factors = { p.Factors.Select(f => ToWire(f, documents)) }, Divisors = { p.Divisors.Select(f => ToWire(f, documents)) } }) },
        Unit = step.Unit.ToWire<V1.FigureUnit>(),
        Result = step.Result,
        Text = text.In(step.Currency).Of(step, documents),
        Currency = step.Currency?.Code ?? "",
    };

    private V1.Figure ToWire(Figure figure, PrintedNumbers documents) => new()
    {
        Kind = figure.Kind.ToWire<V1.FigureKind>(),
        Unit = figure.Unit.ToWire<V1.FigureUnit>(),
        Value = figure.Value,
        Step = figure.Step ?? 0,
        TimeEntry = figure.Entry is { } entry ? InvoiceWire.TimeEntry(entry) : "",
        StartDate = figure.Dates?.Start.ToWire(),
        EndDate = figure.Dates?.End.ToWire(),
        Charge = figure.Item?.Charge.ToWire<V1.Charge>() ?? V1.Charge.Unspecified,
        Line = figure.Line is { } line ? Related(line, documents, null) : null,
        OwnLine = figure.Here ?? 0,
    };

    private V1.ExplainedEntry ToWire(ExplainedEntry entry) => new()
    {
        TimeEntry = InvoiceWire.TimeEntry(entry.Entry),
        Cmo = ResourceNames.Of(agency, "cmos", entry.Cmo.Value),
        CmoDisplayName = cmos(entry.Cmo),
        Date = entry.Date.ToWire(),
        ApprovedMinutes = entry.Minutes,
        ChargedMinutes = entry.Charged,
        BilledQuantity = entry.Billed,
        Change = entry.Change.ToWire<V1.EntryChange>(),
        ApprovedBy = entry.Source?.Approved.By ?? "",
        ApproveTime = entry.Source?.Approved.At.ToWire(),
        Consents = { (entry.Source?.Consents ?? []).Select(c => new V1.EntryConsent { Minutes = c.Minutes, ConsentedBy = c.Given.By, ConsentTime = c.Given.At.ToWire() }) },
        ReverseTime = entry.Source?.Reversed?.At.ToWire(),
    };

    private V1.RelatedLine Related(LineReference line, PrintedNumbers documents, LaterLine? later) => new()
    {
        Invoice = Invoice(line.Invoice),
        DocumentNumber = documents.GetValueOrDefault(line.Invoice, ""),
        Line = line.Line,
        Amount = later is null ? null : Wire(later.Amount),
        Corrects = later?.Corrects ?? false,
    };

    private string Invoice(InvoiceId id) => ResourceNames.Of(agency, BillingService.Collection, id.Value);

    private Protocol.Type.V1.Money Wire(long minor) => new Money(minor, currency).ToWire();
}
