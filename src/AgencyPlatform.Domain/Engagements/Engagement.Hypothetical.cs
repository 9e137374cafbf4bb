using AgencyPlatform.Domain.Billing;
using NodaTime;

namespace AgencyPlatform.Domain.Engagements;

/// <summary>Looks at the same days and the same time under other terms. Nothing is recorded. Source: docs/billing.md.</summary>
public sealed partial record Engagement
{
    /// <summary>
    /// What bills would be computed from if these terms had held from their date on: time of that day and later is drawn anew, in the order of its dates, by the
    /// same rules, as if every overage had been consented to and nothing were disputed. Pauses stay. Nothing before the date is billed.
    /// </summary>
    public BillingInputs BillingInputs(Terms instead)
    {
        var first = LocalDate.Max(instead.EffectiveFrom, Plan.Start);
        instead = instead switch
        {
            RetainerTerms retainer => retainer with { EffectiveFrom = first, Gate = OverageGate.Bill },
            PrepaidTerms prepaid => prepaid with { EffectiveFrom = first, Gate = OverageGate.Bill },
            _ => instead with { EffectiveFrom = first },
        };
        var state = this with
        {
            Terms = [.. Terms.Where(t => t.EffectiveFrom < first), .. WithPauses(instead, first)],
            Time = EngagementTime.Initial with { TimeZone = Time.TimeZone, Blocks = [.. (Time.Blocks ?? []).Where(b => b.EffectiveAt < first || Time.Opening?.Blocks.Contains(b.Id) == true)], Opening = Time.Opening },
            Milestones =
            [
                .. (Milestones ?? []).Where(m => m.On < first),
                .. from reached in Milestones ?? []
                   where reached.On >= first
                   from milestone in (instead as MilestoneTerms)?.Milestones ?? []
                   where milestone.Id == reached.Id
                   select reached with { Name = milestone.Name, Amount = milestone.Amount },
            ],
            Saga = null,
        };
        if (instead is PrepaidTerms sold)
        {
            state = state.Apply(new BlockSold(state.BlockOf(sold, first, toppedUp: false)));
        }

        foreach (var (key, entry) in Time.Approved.Where(a => a.Value.Billable).OrderBy(a => a.Value.Date).ThenBy(a => a.Key))
        {
            while (state.NextDateOfMeter is { } opening && opening <= entry.Date)
            {
                state = state.MoveMeter().Aggregate(state, (s, e) => s.Apply(e));
            }

            var drawn = entry.Date < first
                ? [new TimeDrawn(key, entry.Cmo, entry.Date, entry.Minutes, true, false, entry.Parts, null, "")]
                : state.Draw(new DrawTime(key, entry.Cmo, entry.Date, entry.Minutes, true, false, ""), null).Events;
            state = drawn.Aggregate(state, (s, e) => s.Apply(e));
        }

        return state.BillingInputs() with { BillingStartsOn = LocalDate.Max(Plan.BillingStartsOn ?? Plan.Start, first) };
    }

    private IEnumerable<Terms> WithPauses(Terms terms, LocalDate from)
    {
        yield return Running.PauseOn(from) is { } now ? terms.AtRest(now.FeePercent) : terms;
        foreach (var pause in Running.Pauses)
        {
            if (pause.Dates.Start > from)
            {
                yield return terms.AtRest(pause.FeePercent) with { EffectiveFrom = pause.Dates.Start };
            }

            if (pause.Dates.End is { } resumed && resumed > from)
            {
                yield return terms with { EffectiveFrom = resumed };
            }
        }
    }
}
