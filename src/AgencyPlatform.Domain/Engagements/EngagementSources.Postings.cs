using System.Collections.Immutable;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Domain.Cmos;
using AgencyPlatform.Domain.Time;
using NodaTime;

namespace AgencyPlatform.Domain.Engagements;

/// <summary>Why the engagement posts what it does, with who approved, consented, marked and sold.</summary>
public sealed partial class EngagementSources : IPostingHistory
{
    private readonly Dictionary<TimeEntryKey, CostRate> _rates = [];
    private Engagement _beforeEarning = Engagement.Initial;
    private IEvent? _earning;
    private IEvent? _last;

    public PostingWhy Why(IPosting posting)
    {
        var workings = new PostingWorkings();
        return posting switch
        {
            TimePosted e => workings.Why(
                _entries[e.Entry].Reversed is null ? PostingKind.Time : PostingKind.TimeTakenBack, e, _engagement.PostedAgain(e, _entries[e.Entry], workings), InputsOf(e)),
            FeesAccrued e => workings.Why(PostingKind.FeeDays, e, _engagement.PostedAgain(e, workings), PostingInputs.None with { Terms = TermsOf(e) }),
            PrepaidEarned e when _beforeEarning.EarningBlocks(_engagement)[e.LegalEntity] is var blocks => workings.Why(
                PostingKind.PrepaidHours, e, _beforeEarning.EarnedIn(_engagement, blocks, workings), InputsOf([.. blocks.Select(b => b.Block)])),
            MilestoneReached e => workings.Why(
                PostingKind.MilestoneReached, e, _engagement.PostedAgain(e, workings), PostingInputs.None with { Milestone = e.Milestone, Terms = TermsOf(e.Milestone) }),
            MilestoneReopened e when _engagement.Milestones?.FirstOrDefault(m => m.Id == e.Milestone) is { } reached => workings.Why(
                PostingKind.MilestoneReopened, e, _engagement.PostedAgain(reached, workings), PostingInputs.None with { Milestone = reached, Terms = TermsOf(reached), Reason = e.Reason }),
            _ => throw new InvalidOperationException($"An engagement does not post {posting.GetType().Name}."),
        };
    }

    /// <summary>Keeps what only explanations of postings ask.</summary>
    private void Keep(IEvent @event, Engagement before)
    {
        if (@event is TimeDrawn { CostRate: { } rate } drawn)
        {
            _rates[drawn.Entry] = rate;
        }

        // What a block has earned is posted with what has earned it. An import ends several blocks before it brings its own.
        if (@event is TimeDrawn or TimeReversed or BlockCredited || before.End != _engagement.End || (@event is GrantExpired or OpeningGrantsImported && _last is not GrantExpired))
        {
            (_beforeEarning, _earning) = (before, @event);
        }

        _last = @event;
    }

    /// <summary>What has earned a part of blocks: an entry, a credit note, or that they expired.</summary>
    private PostingInputs InputsOf(ImmutableArray<PrepaidBlock> blocks) => PostingInputs.None with
    {
        Blocks = blocks,
        Entries = (_earning switch { TimeDrawn drawn => drawn.Entry, TimeReversed reversed => reversed.Entry, _ => (TimeEntryKey?)null }) is { } key ? [Explained(_entries[key], 0, 0)] : [],
        Of = _earning is BlockCredited credited ? [new PostingReference(PostingDocument.Invoice, credited.CreditNote.Value, "")] : [],
        Reason = (_earning as TimeReversed)?.Reason ?? "",
    };

    private PostingInputs InputsOf(TimePosted posted)
    {
        var entry = _entries[posted.Entry];
        var charges = posted.Accruals.Where(a => !a.Key.IsCost).ToList();
        var gained = charges.Sum(a => a.Key.IsDays ? (long)a.Minutes / AccrualKey.HalfDay : a.Minutes);
        var parts = (_engagement.Time.Approved.GetValueOrDefault(posted.Entry) ?? _engagement.Time.Reversed.GetValueOrDefault(posted.Entry))?.Parts ?? TimeParts.None;
        return PostingInputs.None with
        {
            Entries = [Explained(entry, parts.Charged + parts.Overage, gained)],
            Rate = posted.Accruals.Any(a => a.Key.IsCost) ? _rates.GetValueOrDefault(posted.Entry) : null,
            Terms = TermsOn(entry.Date) is var applied && charges.Any(a => a.Key.Rate == applied.Terms.TimeRate.Rate) ? [applied] : [],
            Reason = _last is TimeReversed reversed && reversed.Entry == posted.Entry ? reversed.Reason : "",
        };
    }

    private static ExplainedEntry Explained(EntrySource entry, int charged, long gained) =>
        new(entry.Entry, entry.Cmo, entry.Date, entry.Minutes, charged, gained, entry.Reversed is null ? EntryChange.Gained : EntryChange.Lost, entry);

    /// <summary>The terms that the fees are by, with the days on which they hold in the periods of these.</summary>
    private ImmutableArray<ExplainedTerms> TermsOf(FeesAccrued posted)
    {
        var known = _engagement.Time.Fees ?? ImmutableSortedDictionary<AccrualKey, FeeAccrual>.Empty;
        var (inputs, fees) = (_engagement.FeeInputs, posted.Fees.Where(f => f.Earning.Before(posted.Before) != (known.GetValueOrDefault(f.Key(posted.LegalEntity))?.Accrued ?? 0)).ToLookup(f => f.Period));
        return
        [
            .. from period in Owed.BilledPeriods(inputs, posted.Before)
               from currency in fees[period.Dates.Start].Select(f => f.Currency).Distinct()
               from applied in new PeriodBill(inputs, period, posted.LegalEntity, currency, posted.Before).InForce
               where applied.Terms is RetainerTerms retainer && fees[period.Dates.Start].Any(f => f.Rate == retainer.Fee)
               select Explained(applied.Terms, applied.Dates),
        ];
    }

    /// <summary>The terms that name a milestone, unless they were changed since.</summary>
    private ImmutableArray<ExplainedTerms> TermsOf(ReachedMilestone milestone) =>
        TermsOn(milestone.On) is { Terms: MilestoneTerms terms } applied && terms.Milestones.Any(m => m.Id == milestone.Id && m.Amount == milestone.Amount) ? [applied] : [];

    private ExplainedTerms TermsOn(LocalDate date) => Explained(_engagement.TermsOn(date), new DateRange(date, date.PlusDays(1)));

    private ExplainedTerms Explained(Terms terms, DateRange dates)
    {
        var source = _terms.GetValueOrDefault(terms);
        return new ExplainedTerms(terms, dates, source?.Origin == TermsOrigin.Proposal ? source with { Signatures = _engagement.Signatures } : source);
    }
}
