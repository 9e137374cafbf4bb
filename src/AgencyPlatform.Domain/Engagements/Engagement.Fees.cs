using System.Collections.Immutable;
using System.Numerics;
using System.Text.Json.Serialization;
using AgencyPlatform.Domain.Billing;
using NodaTime;

namespace AgencyPlatform.Domain.Engagements;

/// <summary>What the days so far have earned of a fee that is billed in arrears.</summary>
/// <param name="Period">First day of its bill-cycle period.</param>
/// <param name="Rate">Minor units: the fee of a full period.</param>
/// <param name="Accrued">Minor units in all, so far.</param>
/// <param name="Amount">Minor units that its days come to in the end, as the terms are now.</param>
/// <param name="Dates">Its days.</param>
/// <param name="Until">The first day after the last that it ever had; null: after its last.</param>
[GenerateSerializer, Immutable, Alias("engagement.fee-accrual")]
public sealed record FeeAccrual(LocalDate Period, long Rate, Currency Currency, long Accrued, long Amount, ImmutableArray<DateRange> Dates, LocalDate? Until = null)
{
    /// <summary>What its days earn, as the terms are now.</summary>
    [JsonIgnore]
    public Earning Earning => new(Amount, Dates);

    /// <summary>The first day after the last that it ever had.</summary>
    [JsonIgnore]
    public LocalDate Ends => LocalDate.Max(Until ?? Period, Earning.End ?? Period);

    /// <summary>Its key in the books of a seller.</summary>
    public AccrualKey Key(LegalEntityId seller) => AccrualKey.Fee(seller, Currency, Period, Rate);
}

/// <summary>
/// Days of fees that are billed in arrears were served: unbilled receivable, and revenue. Without lines it tells what days will earn from now on: at the first such day, and when terms or the
/// end change.
/// </summary>
/// <param name="Before">What the days before it have earned is posted.</param>
/// <param name="PostingDate">From this date on reports go by these fees.</param>
/// <param name="Fees">Those that changed.</param>
[Event("engagement.fees-accrued")]
public sealed record FeesAccrued(LegalEntityId LegalEntity, LocalDate Before, LocalDate PostingDate, ImmutableArray<FeeAccrual> Fees, Posting Posting, LocalDate? Effective = null)
    : IEngagementTimeEvent, IPosting
{
    public IPosting PostedOn(LocalDate date) => this with { PostingDate = date, Effective = Effective ?? PostingDate };
}

/// <summary>What was earned of prepaid blocks: by minutes drawn of them, or because they expired. Taken back where minutes were given back.</summary>
[Event("engagement.prepaid-earned")]
public sealed record PrepaidEarned(LegalEntityId LegalEntity, LocalDate PostingDate, Posting Posting, LocalDate? Effective = null) : IEngagementTimeEvent, IPosting
{
    public IPosting PostedOn(LocalDate date) => this with { PostingDate = date, Effective = Effective ?? PostingDate };
}

/// <summary>Tells of a credit note by hand, which gives back a part of a block's price. The same again changes nothing.</summary>
/// <param name="Amount">Minor units without tax, above 0.</param>
[GenerateSerializer, Immutable, Alias("engagement.credit-block")]
public sealed record CreditBlock(InvoiceId CreditNote, PartId Block, long Amount);

/// <summary>A part of a block's price was given back: so much less is earned by its minutes.</summary>
[Event("engagement.block-credited"), GenerateSerializer, Immutable, Alias("engagement.block-credited")]
public sealed record BlockCredited(InvoiceId CreditNote, PartId Block, long Amount) : IEngagementTimeEvent;

/// <summary>
/// Revenue that no approval makes: the days of a fee that is billed in arrears, posted at each month's and each period's end, and what expires of prepaid blocks. Source: domain §5.
/// </summary>
public sealed partial record Engagement
{
    // ---- fees in arrears ----

    /// <summary>When the next days of fees in arrears are posted; null: there are none, or all are.</summary>
    private Instant? NextOfFees => NextDateOfFees is { } date ? StartOf(date) : null;

    /// <summary>The first day of the first period with such a fee, and from there each month's and each period's end.</summary>
    private LocalDate? NextDateOfFees
    {
        get
        {
            if (State is not (EngagementState.Active or EngagementState.Paused or EngagementState.Transitioning or EngagementState.Ended))
            {
                return null;
            }

            if (Time.FeesBefore is { } before)
            {
                return before >= End ? null : LocalDate.Min(RecognitionDates.NextMonth(before), PeriodOn(before).Dates.End!.Value);
            }

            return Terms.FirstOrDefault(t => t is RetainerTerms { Timing: FeeTiming.InArrears }) is { } terms && LocalDate.Max(terms.EffectiveFrom, Plan.Start) is var from && !(from >= End)
                && LocalDate.Max(PeriodOn(from).Dates.Start, Plan.BillingStartsOn ?? Plan.Start) is var first && !(first >= End)
                ? first
                : null;
        }
    }

    /// <summary>Posts what the days so far have earned, as the terms are now.</summary>
    private ImmutableArray<IEvent> AccrueFees()
    {
        var before = NextDateOfFees!.Value;

        // Nothing is posted before what was corrected.
        var date = Time.FeesCorrectedOn is { } last && last >= before ? last : before.PlusDays(-1);
        var changed = ChangedFees(before);
        return changed.Count > 0 ? FeesAccruedBy(changed, before, date) : [new FeesAccrued(Terms[^1].Seller, before, date, [], new Posting([]))];
    }

    /// <summary>
    /// Terms or the end have changed after days were told of: reports of the days concerned go by them at once, and what is posted of such days is corrected today.
    /// </summary>
    private ImmutableArray<IEvent> FeesAfterChange(LocalDate today)
    {
        var posted = Time.FeesBefore!.Value;
        var before = End is { } end && end < posted ? end : posted;
        var changed = ChangedFees(before).ToLookup(c => (FirstDifference(c.Was?.Dates ?? [], c.Fee.Dates) ?? c.Fee.Period) is var first && first < posted ? (LocalDate?)null : first);
        var (corrected, ahead) = (changed[null].ToList(), changed.Where(c => c.Key is not null).ToList());
        if (ahead.Count == 0)
        {
            return FeesAccruedBy(corrected, before, today);
        }

        // Never before a correction: until that day reports go by what it has corrected. What such fees have earned differs by a rounding at most, which is posted with the next days.
        var from = ahead.Min(c => c.Key!.Value);
        var fees = ahead.SelectMany(c => c).Select(c => (c.Seller, c.Was, c.Fee with { Accrued = c.Was?.Accrued ?? 0 })).ToList();
        return [.. FeesAccruedBy(corrected, before, today), .. FeesAccruedBy(fees, before, Time.FeesCorrectedOn is { } last && last > from ? last : from)];

        static LocalDate? FirstDifference(ImmutableArray<DateRange> was, ImmutableArray<DateRange> now) =>
            Owed.DaysOf(was, now).Concat(Owed.DaysOf(now, was)).Select(d => (LocalDate?)d).Min();
    }

    /// <summary>The fees of which more or less is earned before a date, or will be, than was told last.</summary>
    private List<(LegalEntityId Seller, FeeAccrual? Was, FeeAccrual Fee)> ChangedFees(LocalDate before)
    {
        var inputs = FeeInputs;
        var (all, known) = (new List<(LegalEntityId Seller, FeeAccrual? Was, FeeAccrual Fee)>(), Time.Fees ?? ImmutableSortedDictionary<AccrualKey, FeeAccrual>.Empty);
        foreach (var seller in Terms.Select(t => t.Seller).Distinct())
        {
            var fees = (
                from currency in Terms.Where(t => t.Seller == seller).Select(t => t.Currency).Distinct()
                from item in Owed.Of(inputs, seller, currency, before)
                where item is { Key.Charge: Charge.Fee, Timing: FeeTiming.InArrears }
                select new FeeAccrual(item.Key.Period, item.Key.Rate, currency, new Earning(item.Amount.Minor, item.Dates).Before(before), item.Amount.Minor, item.Dates)).ToList();
            var keys = fees.Select(f => f.Key(seller)).ToHashSet();
            fees.AddRange(known.Where(k => k.Key.IsFeeOf(seller) && !keys.Contains(k.Key)).Select(k => k.Value with { Accrued = 0, Amount = 0, Dates = [] }));
            all.AddRange(
                from fee in fees
                let was = known.GetValueOrDefault(fee.Key(seller))
                where was is null || (was.Accrued, was.Amount) != (fee.Accrued, fee.Amount) || !was.Dates.SequenceEqual(fee.Dates)
                select (seller, was, fee with { Until = LocalDate.Max(was?.Ends ?? fee.Ends, fee.Ends) }));
        }

        return all;
    }

    /// <summary>What its fees are computed from.</summary>
    internal BillingInputs FeeInputs => BillingInputs() with { Entries = [], Milestones = null, Blocks = null };

    private ImmutableArray<IEvent> FeesAccruedBy(List<(LegalEntityId Seller, FeeAccrual? Was, FeeAccrual Fee)> changed, LocalDate before, LocalDate postingDate) =>
    [
        .. from change in changed
           group change by change.Seller into sold
           select new FeesAccrued(sold.Key, before, postingDate, [.. sold.Select(c => c.Fee)], PostingOf(sold.Select(c => (c.Was?.Accrued ?? 0, c.Fee)), before)),
    ];

    /// <summary>What fees have accrued before a date, less what was posted of each.</summary>
    /// <param name="charges">How the engine comes to the fees that <paramref name="workings"/> are told of.</param>
    private Posting PostingOf(IEnumerable<(long Was, FeeAccrual Fee)> fees, LocalDate before, PostingWorkings? workings = null, Workings? charges = null)
    {
        var lines = ImmutableArray.CreateBuilder<PostingLine>();
        foreach (var (was, fee) in fees)
        {
            if (fee.Accrued == was)
            {
                continue;
            }

            lines.AddRange(Posting.Pair(LedgerAccount.UnbilledReceivable, LedgerAccount.Revenue, new Money(fee.Accrued - was, fee.Currency), Client, Id, null));
            if (workings is not null && charges is not null)
            {
                workings.Steps.Currency = fee.Currency;
                var item = new ItemKey(Id, fee.Period, Charge.Fee, fee.Rate);
                var earned = workings.Earned(StepKind.Earned, workings.Charged(item, fee.Amount, charges.Of(item)), fee.Earning, before);
                workings.Lines(2, was == 0 ? earned : workings.Posted(earned, Workings.Money(FigureKind.PostedBefore, -was) with { Item = item }));
            }
        }

        return new Posting(lines.ToImmutable());
    }

    private IEnumerable<RowChange> AccrualRows(FeesAccrued e, EventInfo info) => e.Fees.Select(f => new Put(RecognitionRow.Of(
        e.LegalEntity, Id, f.Currency, RecognitionRow.ItemOf(f.Period, f.Rate, "/arrears"), e.PostingDate, Client, FeeTiming.InArrears, f.Earning, e.Before, f.Ends, info)));

    // ---- prepaid blocks ----

    /// <summary>What is earned of a block's price less what was credited of it, or of what was deferred of it at a cut-over: by the minutes drawn of it, and all of it once it has expired.</summary>
    /// <param name="kind">Whether <paramref name="workings"/> are told of what is earned, or of what was posted before.</param>
    private long EarnedOf(PrepaidBlock block, StepKind kind = StepKind.Earned, PostingWorkings? workings = null)
    {
        var isCharged = IsBilledOn(block.EffectiveAt) && Service.Contains(block.EffectiveAt);
        var price = block.Deferred ?? (isCharged ? block.Price : 0);

        // Of a block that is charged no more, what credits by hand have given back is no part of a price.
        var credited = !isCharged && block.Deferred is null ? 0 : (Time.BlockCredits ?? []).Where(c => c.Block == block.Id).Sum(c => c.Amount);
        int? drawn = Time.Lapsed?.Contains(block.Grant.Id) == true ? null : Time.Drawn.GetValueOrDefault(block.Grant.Id);
        var earned = drawn is { } minutes ? Rounding.HalfAwayFromZero((BigInteger)(price - credited) * minutes, block.Minutes) : price - credited;
        workings?.Earned(kind, new ItemKey(Id, block.EffectiveAt, Charge.Block, block.Id), block, price, credited, drawn, earned);
        return earned;
    }

    /// <summary>Takes back what was earned of what a credit note gives back of a block's price.</summary>
    public Decision Credit(CreditBlock command, Instant now)
    {
        if (Time.Blocks?.Any(b => b.Id == command.Block) != true)
        {
            return Rejection.NotFound("prepaid_block", command.Block.Value);
        }

        if (Time.BlockCredits?.Any(c => c.CreditNote == command.CreditNote && c.Block == command.Block) == true)
        {
            return Decision.Nothing;
        }

        ImmutableArray<IEvent> events = [new BlockCredited(command.CreditNote, command.Block, command.Amount)];
        return Decision.Accept(events).Then([.. EarnedBy(events, SellersToday(now))]);
    }

    /// <summary>What some events earn of blocks, in the books of those who sold them.</summary>
    /// <param name="events">Decided on this state.</param>
    private IEnumerable<IEvent> EarnedBy(ImmutableArray<IEvent> events, LocalDate date)
    {
        if (Time.Blocks is not { IsEmpty: false } && !events.Any(e => e is BlockSold))
        {
            return [];
        }

        var after = events.Aggregate(this, (state, e) => state.Folded(e));
        return EarningBlocks(after).Select(sold => new PrepaidEarned(sold.Key, date, EarnedIn(after, sold)));
    }

    /// <summary>The blocks of which more or less is earned in a later state, with what is earned of them in this one and in that, by who sold them.</summary>
    internal ILookup<LegalEntityId, (PrepaidBlock Block, long Was, long Now)> EarningBlocks(Engagement after)
    {
        var was = (Time.Blocks ?? []).ToDictionary(b => b.Id, b => EarnedOf(b));
        return (after.Time.Blocks ?? []).Select(b => (Block: b, Was: was.GetValueOrDefault(b.Id), Now: after.EarnedOf(b))).Where(b => b.Now != b.Was).ToLookup(b => TermsOn(b.Block.EffectiveAt).Seller);
    }

    /// <summary>What blocks of one seller have earned between this state and a later one.</summary>
    /// <param name="blocks">Of <see cref="EarningBlocks"/>.</param>
    internal Posting EarnedIn(Engagement after, IEnumerable<(PrepaidBlock Block, long Was, long Now)> blocks, PostingWorkings? workings = null)
    {
        var lines = ImmutableArray.CreateBuilder<PostingLine>();
        foreach (var (block, was, now) in blocks)
        {
            var currency = TermsOn(block.EffectiveAt).Currency;
            lines.AddRange(Posting.Pair(LedgerAccount.DeferredRevenue, LedgerAccount.Revenue, new Money(now - was, currency), Client, Id, null));
            if (workings is not null)
            {
                workings.Steps.Currency = currency;
                after.EarnedOf(block, StepKind.Earned, workings);
                var earned = workings.Steps.Last;
                if (was != 0)
                {
                    EarnedOf(Time.Blocks!.Value.First(b => b.Id == block.Id), StepKind.PostedBefore, workings);
                    workings.Posted(earned, workings.Steps.Last.Negated);
                }

                workings.Lines(2, workings.Steps.Last);
            }
        }

        return new Posting(lines.ToImmutable());
    }
}
