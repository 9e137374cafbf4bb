using AgencyPlatform.Domain.Billing;

namespace AgencyPlatform.Domain.Engagements;

/// <summary>Why the engagement posts what it does: the same code again, which says its steps. Nothing is recorded.</summary>
public sealed partial record Engagement
{
    /// <param name="entry">That was approved or taken back.</param>
    internal Posting PostedAgain(TimePosted posted, EntrySource entry, PostingWorkings workings)
    {
        var (accrued, terms) = (new Accrued(this, entry.Cmo, workings), TermsOn(entry.Date));
        foreach (var (key, minutes) in posted.Accruals)
        {
            accrued.Add(key, minutes, terms.Currency, Gained(key, minutes, entry, terms, workings.Steps));
        }

        return accrued.Posting;
    }

    internal Posting PostedAgain(FeesAccrued posted, PostingWorkings workings)
    {
        var charges = new Workings();
        foreach (var currency in posted.Fees.Select(f => f.Currency).Distinct())
        {
            Owed.Items(FeeInputs, posted.LegalEntity, currency, posted.Before, null, charges);
        }

        return PostingOf(
            posted.Fees.Select(f => (Time.Fees?.GetValueOrDefault(f.Key(posted.LegalEntity))?.Accrued ?? 0, f with { Accrued = f.Earning.Before(posted.Before) })), posted.Before, workings, charges);
    }

    internal Posting PostedAgain(MilestoneReached posted, PostingWorkings workings) => Earned(posted.Milestone.Amount, posted.Milestone.On, workings);

    /// <param name="reached">The milestone as it was marked.</param>
    internal Posting PostedAgain(ReachedMilestone reached, PostingWorkings workings) => Earned(-reached.Amount, reached.On, workings);

    /// <summary>What an entry gives a key, or takes from it, and how it comes to that where it is not simply its minutes.</summary>
    private Figure Gained(AccrualKey key, int minutes, EntrySource entry, Terms terms, Steps steps)
    {
        var worked = new Figure(FigureKind.EntryMinutes, FigureUnit.Minutes, entry.Minutes, Entry: entry.Entry, Dates: new DateRange(entry.Date, entry.Date.PlusDays(1)));
        var charged = (Time.Approved.GetValueOrDefault(entry.Entry) ?? Time.Reversed.GetValueOrDefault(entry.Entry))?.Parts.Charged ?? 0;
        if (key.IsDays)
        {
            var halves = minutes / AccrualKey.HalfDay;
            var others = Time.Approved.Where(a => a.Value.Cmo == entry.Cmo && a.Value.Date == entry.Date && a.Key != entry.Entry).Sum(a => (long)a.Value.Parts.Charged);
            if (terms is not DayRateTerms days || days.HalfDays(others + charged) - days.HalfDays(others) != Math.Abs(halves))
            {
                return worked with { Kind = FigureKind.EntryHalfDays, Unit = FigureUnit.HalfDays, Value = halves };
            }

            var full = new Figure(FigureKind.FullDay, FigureUnit.Minutes, days.FullDayMinutes);
            var rest = new Figure(FigureKind.AccruedBefore, FigureUnit.Minutes, others, Dates: worked.Dates);
            var with = steps.Add(StepKind.DayParts, StepOperation.HalfDays, FigureUnit.HalfDays, days.HalfDays(others + charged), worked with { Value = charged }, rest, full);
            if (days.HalfDays(others) is > 0 and var without)
            {
                var before = steps.Add(StepKind.DayParts, StepOperation.HalfDays, FigureUnit.HalfDays, without, rest, full);
                with = steps.Add(StepKind.HalfDaysAdded, StepOperation.Sum, FigureUnit.HalfDays, with.Value - without, with, before.Negated);
            }

            return halves < 0 ? with.Negated : with;
        }

        if (!key.IsCost && terms is HourlyTerms hourly && (hourly.IncrementMinutes ?? hourly.MinimumMinutes) is not null && hourly.BilledMinutes(charged) == Math.Abs(minutes))
        {
            var billed = steps.Add(
                StepKind.BilledMinutes, StepOperation.BilledMinutes, FigureUnit.Minutes, Math.Abs(minutes),
                worked with { Value = charged }, new Figure(FigureKind.Increment, FigureUnit.Minutes, hourly.IncrementMinutes ?? 1), new Figure(FigureKind.EntryMinimum, FigureUnit.Minutes, hourly.MinimumMinutes ?? 0));
            return minutes < 0 ? billed.Negated : billed;
        }

        return worked with { Kind = key.IsCost ? FigureKind.EntryMinutes : FigureKind.ChargedMinutes, Value = minutes };
    }
}
