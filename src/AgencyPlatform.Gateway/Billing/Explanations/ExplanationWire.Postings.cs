using AgencyPlatform.Domain.Billing;
using PostingExplanation = AgencyPlatform.Domain.Billing.PostingExplanation;
using V1 = AgencyPlatform.Protocol.Billing.V1;

namespace AgencyPlatform.Gateway.Billing.Explanations;

/// <summary>Explanations of postings on the wire.</summary>
internal sealed partial class ExplanationWire
{
    public V1.PostingExplanation ToWire(PostingExplanation explained)
    {
        var (row, inputs) = (explained.Lines[0].Row, explained.Inputs);
        return new V1.PostingExplanation
        {
            Source = row.Source,
            EventType = explained.Event,
            Actor = explained.Made.By,
            PostTime = explained.Made.At.ToWire(),
            PostingDate = row.Date.ToWire(),
            EffectiveDate = row.Effective.ToWire(),
            Basis = explained.Basis.ToWire<V1.ExplanationBasis>(),
            Lines = { explained.Lines.Select(l => new V1.ExplainedPostingLine { Line = BillingService.ToWire(agency, l.Row), Step = l.Step }) },
            Steps = { explained.Steps.Select(s => ToWire(s, inputs.Documents)) },
            Entries = { inputs.Entries.Select(ToWire) },
            CostRate = inputs.Rate is { } rate
                ? new Protocol.Cmos.V1.CostRate { EffectiveDate = rate.EffectiveFrom.ToWire(), Hourly = new Money(rate.HourlyMinor, rate.Currency).ToWire() }
                : null,
            Terms = { inputs.Terms.Select(ToWire) },
            Milestone = inputs.Milestone is { } milestone ? ToWire(milestone, null) : null,
            Blocks = { inputs.Blocks.Select(b => ToWire(b, null)) },
            Documents = { inputs.Of.Select(o => new V1.PostedDocument { Name = ResourceNames.Of(agency, Collection(o.Kind), o.Id), Reference = o.Reference }) },
            Reason = inputs.Reason,
            Language = words.Words.Language,
            Text = { text.Of(explained) },
        };
    }

    private static string Collection(PostingDocument kind) => kind switch
    {
        PostingDocument.Invoice => BillingService.Collection,
        PostingDocument.Payment => PaymentWire.Collection,
        PostingDocument.Payout => PayablesService.Payouts,
        _ => CutOverService.Collection,
    };
}
