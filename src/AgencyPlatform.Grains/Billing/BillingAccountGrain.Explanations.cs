using AgencyPlatform.Contracts.Engagements;
using AgencyPlatform.Domain.Billing;

namespace AgencyPlatform.Grains.Billing;

public sealed partial class BillingAccountGrain
{
    public async Task<Reply<LineExplanation>> Explain(Read read, InvoiceId invoice, int line)
    {
        var known = await Query(read, (s, _) => s.Find(invoice) is null ? null : s, Rejection.NotFound("invoice", invoice.Value));
        if ((known.Rejection ?? known.Value!.Unexplained(invoice, line)) is { } refused)
        {
            return Reply<LineExplanation>.No(refused);
        }

        // The account is the same throughout: what changes it meanwhile is not asked for.
        var (account, engagement) = (known.Value!, known.Value!.Find(invoice)!.Content.Lines[line - 1].Item.Engagement);
        var (at, byHand) = await Frozen(invoice);
        var sources = await Grain<IEngagementGrain>(engagement.Value).GetBillingSources(new Read(Key.Agency, read.SandboxNow), at);
        return Reply<LineExplanation>.Ok(account.Explain(invoice, line, byHand, sources.Value), known.Meta!);
    }

    protected override IPostingHistory Postings() => new PostingHistory<BillingAccount>((state, earlier, posting) => state.Why(earlier, posting));

    /// <summary>The place in the agency's feed at which an invoice was frozen, and whether by hand; a draft is computed from all that is.</summary>
    private async Task<(long Sequence, bool ByHand)> Frozen(InvoiceId invoice)
    {
        await foreach (var (stored, @event) in History())
        {
            switch (@event)
            {
                case FinalizationStarted e when e.Invoice == invoice:
                    return (stored.Sequence, false);
                case CreditNoteStarted e when e.CreditNote == invoice:
                    return (stored.Sequence, true);
            }
        }

        return (long.MaxValue, false);
    }
}
