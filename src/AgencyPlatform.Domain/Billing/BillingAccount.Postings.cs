using System.Collections.Immutable;
using NodaTime;

namespace AgencyPlatform.Domain.Billing;

/// <summary>Why the account posts what it does: the same code again, which says its steps. Nothing is recorded.</summary>
public sealed partial record BillingAccount
{
    /// <summary>Why an event that comes next posts what it does.</summary>
    /// <param name="earlier">The state before the last event.</param>
    public PostingWhy Why(BillingAccount earlier, IPosting posting)
    {
        var workings = new PostingWorkings { Steps = { Currency = posting.Posting.Lines[0].Amount.Currency } };
        switch (posting)
        {
            case InvoiceFinalized e:
                var (invoice, final) = (Find(e.Invoice)!, Apply(e));
                var fromCredit = e.CreditUsed - Excess(invoice.Content, Corrected(e, invoice.Content));
                return workings.Why(
                    invoice.Content.Kind == DocumentKind.CreditNote ? PostingKind.CreditNote : PostingKind.Invoice, e, PostingOf(invoice, fromCredit, e.RecognizedBefore ?? e.IssueDate, workings),
                    final.Inputs([e.Invoice, .. invoice.Content.Lines.Select(l => l.Corrects?.Invoice).OfType<InvoiceId>()], workings));

            case FeesRecognized e:
                // What an import brings late is recognised for days that are posted already for all others: the event before it has brought it.
                var (was, since) = Recognized?.Before == e.Before && e.Since != e.Before ? (earlier.Earnings(Standing), (LocalDate?)e.Before) : (Earnings(Standing), e.Since);
                var again = PostingOf([.. was], since, [.. Earnings(Standing)], e.Before, workings);
                return workings.Why(PostingKind.FeesRecognized, e, again, Inputs([], workings));

            case PaymentRecorded e:
                return workings.Why(
                    PostingKind.Payment, e, PostingOfPayment(e.Account, e.Amount, e.Allocations, e.Credit, workings), Inputs(e.Allocations.Select(a => a.Invoice), workings, e.Payment, e.Reference));

            case CreditRefunded e:
                return workings.Why(PostingKind.Refund, e, PostingOfRefund(e.Account, e.Amount, workings), Inputs([], workings, e.Payment, e.Reference));

            case PaymentReversed e when FindPayment(e.Payment) is { } payment:
                return workings.Why(
                    e.Kind == PaymentKind.Received ? PostingKind.PaymentReversed : PostingKind.RefundReversed, e, PostingOfReversal(payment, e.TakenBack, workings),
                    Inputs(e.Reopened.Concat(e.TakenBack).Select(a => a.Invoice), workings, e.Payment, payment.Reference) with { Reason = e.Reason });

            case CreditAllocated e:
                return workings.Why(PostingKind.CreditAllocated, e, PostingOfCredit(e.Account, e.Allocations, workings), Inputs(e.Allocations.Select(a => a.Invoice), workings));

            case InvoiceWrittenOff e:
                return workings.Why(
                    PostingKind.WriteOff, e, PostingOfWriteOff(e.Account, new Allocation(e.Invoice, e.Amount), workings), Inputs([e.Invoice], workings) with { Reason = e.Reason });

            default:
                throw new InvalidOperationException($"A billing account does not post {posting.GetType().Name}.");
        }
    }

    /// <summary>The documents that a posting is of, and the printed numbers of all that its figures name.</summary>
    private PostingInputs Inputs(IEnumerable<InvoiceId> of, PostingWorkings workings, PaymentId? payment = null, string reference = "")
    {
        var figures = workings.Steps.All.SelectMany(s => s.Parts).SelectMany(p => p.Factors).Select(f => f.Line?.Invoice).OfType<InvoiceId>().ToHashSet();
        return PostingInputs.None with
        {
            Of =
            [
                .. payment is { } id ? [new PostingReference(PostingDocument.Payment, id.Value, reference)] : ReadOnlySpan<PostingReference>.Empty,
                .. of.Distinct().Select(i => new PostingReference(PostingDocument.Invoice, i.Value, Find(i)?.DocumentNumber ?? "")),
            ],
            Documents = Standing.Where(i => figures.Contains(i.Id)).ToImmutableSortedDictionary(i => i.Id, i => i.DocumentNumber),
        };
    }
}
