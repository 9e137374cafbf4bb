using AgencyPlatform.Dashboard.Session;
using AgencyPlatform.Dashboard.Shared;
using AgencyPlatform.Protocol.Billing.V1;
using AgencyPlatform.Protocol.Type.V1;
using MudBlazor;

namespace AgencyPlatform.Dashboard.Pages.Billing;

/// <summary>What may be done with payments and payouts that were recorded: buttons, and what each asks for.</summary>
internal static class BillingMoves
{
    private const string Why = "why";
    private const string On = "on";
    private const string How = "how";
    private const string Reference = "reference";

    /// <summary>Takes back the payment or refund of an entry; null: that is not what it is of, it was taken back already, or it is not theirs to say.</summary>
    /// <param name="all">What else has happened on the account. Of a payment of several entries, the first has the button.</param>
    public static Move? Reverse(AgencySession session, AccountEntry entry, IReadOnlyList<AccountEntry> all)
    {
        if (!session.Bills || entry.Kind is not (AccountEntryKind.Payment or AccountEntryKind.Refund) || all.First(e => e.Payment == entry.Payment) != entry
            || all.Any(e => e.Payment == entry.Payment && e.Kind is AccountEntryKind.PaymentReversal or AccountEntryKind.RefundReversal))
        {
            return null;
        }

        var (title, text) = entry.Kind == AccountEntryKind.Payment
            ? ("Reverse the payment", "It bounced, or was never this client’s: what it paid is open again, and what of it became credit is credit no more. Credit that other invoices took meanwhile is taken back, from the newest first.")
            : ("Reverse the refund", "The money came back: it is the client’s credit again.");
        return Move.Of<ReversePaymentRequest>(
            "Reverse", title, text, v => new() { Name = entry.Payment, Reason = v.Text(Why) }, r => session.Platform.Billing.ReversePaymentAsync(r).ResponseAsync, "Reversed.", Color.Error,
            fields: [new(Why, "Why (no personal data)", MoveInput.Text) { Required = true }]);
    }

    /// <summary>Records that one CMO was paid.</summary>
    /// <param name="run">Who pays, in which currency, what was earned through which day.</param>
    /// <param name="owed">What they are owed.</param>
    public static Move Pay(AgencySession session, RunPayoutsRequest run, string cmo, string called, Money owed) => Move.Of<RecordPayoutRequest>(
        "Record a payout", $"Record a payout to {called}", "It records that they were paid, up to what they have earned; it moves no money.",
        v => new()
        {
            Parent = session.Name,
            Payout = new Payout { Cmo = cmo, LegalEntity = run.LegalEntity, Amount = v.Amount(How), PayDate = v.Date(On)?.ToWire(), Reference = v.Text(Reference) },
            ThroughDate = run.ThroughDate,
        },
        r => session.Platform.Payables.RecordPayoutAsync(r).ResponseAsync, "Recorded.",
        fields:
        [
            new(How, $"Amount, {owed.Currency}", MoveInput.Amount) { Currency = owed.Currency, Initial = Monies.Plain(owed.MinorUnits, owed.Currency), Required = true },
            new(On, "Paid on", MoveInput.Date) { Initial = run.PayDate.ToDateOnly()?.ToIso() ?? "", Required = true },
            new(Reference, "Reference of the bank or payroll", MoveInput.Text) { Initial = $"{run.Reference}-{cmo.Id()}", Required = true },
        ]);

    /// <summary>Notes that a payout came back; null: it has, or it is not theirs to say.</summary>
    public static Move? CameBack(AgencySession session, Payout payout, string called) => !session.Bills || payout.ReverseDate is not null ? null : Move.Of<ReversePayoutRequest>(
        "Came back", $"The payout to {called} came back", "They are owed it again.",
        v => new() { Name = payout.Name, ReverseDate = v.Date(On)?.ToWire(), Reason = v.Text(Why) }, r => session.Platform.Payables.ReversePayoutAsync(r).ResponseAsync, "Noted.", Color.Error,
        fields: [new(On, "On", MoveInput.Date) { Initial = session.Today.ToIso(), Required = true }, new(Why, "Why (no personal data)", MoveInput.Text) { Required = true }]);
}
