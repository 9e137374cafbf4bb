using System.Collections.Immutable;
using System.Numerics;
using AgencyPlatform.Domain.Billing;
using NodaTime;

namespace AgencyPlatform.Domain.Engagements;

/// <summary>What the days so far have earned of a fee that is billed in arrears.</summary>
/// <param name="Period">First day of its bill-cycle period.</param>
/// <param name="Rate">Minor units: the fee of a full period.</param>
/// <param name="Accrued">Minor units in all, so far.</param>
/// <param name="Amount">Minor units that its days come to in the end, as the terms are now.</param>
/// <param name="Dates">Its days.</param>
[GenerateSerializer, Immutable, Alias("engagement.fee-accrual")]
public sealed record FeeAccrual(LocalDate Period, long Rate, Currency Currency, long Accrued, long Amount, ImmutableArray<DateRange> Dates)
{
    /// <summary>Its key in the books of a seller.</summary>
    public AccrualKey Key(LegalEntityId seller) => AccrualKey.Fee(seller, Currency, Period, Rate);
}

/// <summary>Days of fees that are billed in arrears were served: unbilled receivable, and revenue.</summary>
/// <param name="Before">What the days before it have earned is posted now.</param>
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

    /// <summary>When the month or the bill-cycle period ends up to which the days of fees in arrears are posted next; null: there are none, or all are.</summary>
    private Instant? NextOfFees => NextDateOfFees is { } date ? StartOf(date) : null;

    private LocalDate? NextDateOfFees
    {
        get
        {
            if (State is not (EngagementState.Active or EngagementState.Paused or EngagementState.Transitioning or EngagementState.Ended)
                || (Time.FeesBefore is null && !Terms.Any(t => t is RetainerTerms { Timing: FeeTiming.InArrears })))
            {
                return null;
            }

            var before = Time.FeesBefore ?? LocalDate.Max(Plan.Start, Plan.BillingStartsOn ?? Plan.Start);
            if (End is { } end && before >= end)
            {
                // It ended earlier than was posted for: that is taken back.
                return Time.FeesBefore > end ? end : null;
            }

            return LocalDate.Min(RecognitionDates.NextMonth(before), PeriodOn(before).Dates.End!.Value);
        }
    }

    /// <summary>Posts what the days so far have earned, as the terms are now, less what was posted before: a change in the past corrects itself here.</summary>
    private ImmutableArray<IEvent> AccrueFees()
    {
        var before = NextDateOfFees!.Value;

        // Nothing is posted before what it corrects.
        var date = LocalDate.Max(before, Time.FeesBefore ?? before).PlusDays(-1);
        var inputs = BillingInputs() with { Entries = [], Milestones = null, Blocks = null };
        var (events, known) = (ImmutableArray.CreateBuilder<IEvent>(), Time.Fees ?? ImmutableSortedDictionary<AccrualKey, FeeAccrual>.Empty);
        foreach (var seller in Terms.Select(t => t.Seller).Distinct())
        {
            var fees = (
                from currency in Terms.Where(t => t.Seller == seller).Select(t => t.Currency).Distinct()
                from item in Owed.Of(inputs, seller, currency, before)
                where item is { Key.Charge: Charge.Fee, Timing: FeeTiming.InArrears }
                select new FeeAccrual(item.Key.Period, item.Key.Rate, currency, new Earning(item.Amount.Minor, item.Dates).Before(before), item.Amount.Minor, item.Dates)).ToList();
            var keys = fees.Select(f => f.Key(seller)).ToHashSet();
            fees.AddRange(known.Where(k => k.Key.IsFeeOf(seller) && !keys.Contains(k.Key)).Select(k => k.Value with { Accrued = 0, Amount = 0, Dates = [] }));
            var changed = fees.Select(f => (Fee: f, Amount: f.Accrued - (known.GetValueOrDefault(f.Key(seller))?.Accrued ?? 0))).Where(f => f.Amount != 0 || !known.ContainsKey(f.Fee.Key(seller))).ToList();
            if (changed.Count > 0 || (seller == Terms[^1].Seller && events.Count == 0))
            {
                events.Add(new FeesAccrued(seller, before, date, [.. changed.Select(c => c.Fee)], new Posting(
                [
                    .. changed.Where(c => c.Amount != 0).SelectMany(c => Posting.Pair(LedgerAccount.UnbilledReceivable, LedgerAccount.Revenue, new Money(c.Amount, c.Fee.Currency), Client, Id, null)),
                ])));
            }
        }

        return events.ToImmutable();
    }

    private IEnumerable<RowChange> AccrualRows(FeesAccrued e, EventInfo info) => e.Fees.Select(f => new Put(RecognitionRow.Of(
        e.LegalEntity, Id, f.Currency, RecognitionRow.ItemOf(f.Period, f.Rate, "/arrears"), e.PostingDate, Client, FeeTiming.InArrears, new Earning(f.Amount, f.Dates), e.Before, info)));

    // ---- prepaid blocks ----

    /// <summary>What is earned of a block's price less what was credited of it, or of what was deferred of it at a cut-over: by the minutes drawn of it, and all of it once it has expired.</summary>
    private long EarnedOf(PrepaidBlock block)
    {
        var price = (block.Deferred ?? (IsBilledOn(block.EffectiveAt) ? block.Price : 0)) - (Time.BlockCredits ?? []).Where(c => c.Block == block.Id).Sum(c => c.Amount);
        return Time.Lapsed?.Contains(block.Grant.Id) == true ? price : Rounding.HalfAwayFromZero((BigInteger)price * Time.Drawn.GetValueOrDefault(block.Grant.Id), block.Minutes);
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
        var was = (Time.Blocks ?? []).ToDictionary(b => b.Id, EarnedOf);
        return
        [
            .. from block in after.Time.Blocks ?? []
               let amount = after.EarnedOf(block) - was.GetValueOrDefault(block.Id)
               where amount != 0
               let terms = TermsOn(block.EffectiveAt)
               group Posting.Pair(LedgerAccount.DeferredRevenue, LedgerAccount.Revenue, new Money(amount, terms.Currency), Client, Id, null) by terms.Seller into sold
               select new PrepaidEarned(sold.Key, date, new Posting([.. sold.SelectMany(p => p)])),
        ];
    }
}
