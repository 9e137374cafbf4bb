namespace AgencyPlatform.Domain.Billing;

/// <summary>What a line of a final invoice posts besides receivable and tax. Credits post the reverse. Source: domain §5.</summary>
internal static class LinePostings
{
    /// <summary>
    /// Deferred revenue for what is billed in advance (<see cref="BillingAccount"/> and, of blocks, the engagement recognise it), the unbilled receivable for what is billed in arrears:
    /// time, milestones and the days of a fee were accrued when they came. What was never accrued, or accrued otherwise (minimum, discount, cap), goes to revenue.
    /// </summary>
    public static IEnumerable<(LedgerAccount Account, long Amount)> Of(InvoiceLine line)
    {
        switch (line)
        {
            case { ByHand: true, Timing: FeeTiming.InArrears }:
                // What was earned when it was delivered is taken back: no run bills it again.
                yield return (LedgerAccount.Revenue, -line.Amount);
                break;
            case { Item.Charge: Charge.Commitment or Charge.Discount }:
                yield return (LedgerAccount.Revenue, -line.Amount);
                break;
            case { Timing: FeeTiming.InAdvance }:
                yield return (LedgerAccount.DeferredRevenue, -line.Amount);
                break;
            default:
                var accrued = line.Uncapped ?? line.Amount;
                yield return (LedgerAccount.UnbilledReceivable, -accrued);
                yield return (LedgerAccount.Revenue, accrued - line.Amount);
                break;
        }
    }
}
