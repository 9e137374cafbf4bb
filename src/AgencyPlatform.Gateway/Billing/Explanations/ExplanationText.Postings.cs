using AgencyPlatform.Domain.Billing;
using DayRateTerms = AgencyPlatform.Domain.Billing.DayRateTerms;
using HourlyTerms = AgencyPlatform.Domain.Billing.HourlyTerms;
using MilestoneTerms = AgencyPlatform.Domain.Billing.MilestoneTerms;
using PostingExplanation = AgencyPlatform.Domain.Billing.PostingExplanation;
using RetainerTerms = AgencyPlatform.Domain.Billing.RetainerTerms;

namespace AgencyPlatform.Gateway.Billing.Explanations;

/// <summary>Postings in sentences.</summary>
internal sealed partial class ExplanationText
{
    /// <summary>The same, of amounts in a currency; null: in the account's.</summary>
    public ExplanationText In(Currency? other) => other is { } its && its != currency ? new ExplanationText(says, its, zone, people, cmos) : this;

    /// <summary>The whole explanation of a posting.</summary>
    public IEnumerable<string> Of(PostingExplanation explained)
    {
        var (row, inputs) = (explained.Lines[0].Row, explained.Inputs);
        yield return says.Postings[explained.Kind];
        yield return Say(says.PostedOn, Words.Date(row.Date), Date(explained.Made.At));
        if (row.Effective is { } effective)
        {
            yield return Say(says.PostedLate, Words.Date(effective), Words.Date(row.Date));
        }

        if (explained.Basis == ExplanationBasis.AsFrozen)
        {
            yield return says.AsPosted;
        }

        foreach (var reference in inputs.Of.Select(o => o.Reference.Length > 0 || o.Kind != PostingDocument.Invoice ? o.Reference : o.Id).Where(r => r.Length > 0))
        {
            yield return Say(says.Reference, reference);
        }

        foreach (var entry in inputs.Entries)
        {
            yield return Entry(entry, partly: entry is { Change: EntryChange.Gained, Charged: > 0 });
            if (inputs.Rate is { } rate)
            {
                yield return Say(says.CostRate, cmos(entry.Cmo), In(rate.Currency).Amount(rate.HourlyMinor), Words.Date(rate.EffectiveFrom));
            }
        }

        var terms = inputs.Terms.SelectMany(applied => applied.Terms switch
        {
            HourlyTerms hourly => Applied(Charge.Hours, hourly.HourlyRate, null, applied),
            DayRateTerms days => Applied(Charge.Days, days.DayRate, null, applied),
            RetainerTerms { Fee: var fee } when explained.Kind == PostingKind.FeeDays => Applied(Charge.Fee, fee, null, applied),
            MilestoneTerms => Applied(Charge.Milestone, 0, inputs.Milestone?.Id, applied),
            var metered => Applied(Charge.Overage, metered.TimeRate.Rate ?? 0, null, applied),
        });
        foreach (var sentence in terms)
        {
            yield return sentence;
        }

        if (inputs.Milestone is { } milestone)
        {
            yield return Milestone(milestone) + ".";
        }

        foreach (var block in inputs.Blocks)
        {
            yield return Block(block) + ".";
        }

        foreach (var step in explained.Steps)
        {
            yield return Sentence(In(step.Currency).Of(step, inputs.Documents));
        }

        foreach (var line in explained.Lines.Select(l => l.Row))
        {
            yield return Say(line.Amount > 0 ? says.Debited : says.Credited, says.Accounts[line.Account], In(new Currency(line.Currency)).Amount(Math.Abs(line.Amount)));
        }
    }
}
