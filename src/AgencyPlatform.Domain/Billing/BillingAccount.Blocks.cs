using System.Collections.Immutable;
using AgencyPlatform.Domain.Engagements;

namespace AgencyPlatform.Domain.Billing;

/// <summary>The engagements whose blocks a credit note by hand is of know of it.</summary>
[Event("billing-account.block-credits-told"), GenerateSerializer, Immutable, Alias("billing-account.block-credits-told")]
public sealed record BlockCreditsTold(InvoiceId CreditNote) : IEvent;

/// <summary>
/// Credits by hand of prepaid blocks. The credit note takes all of it off deferred revenue; the engagement, which earns the block's price by its minutes, is told next, and takes back
/// what it has earned of it. Source: domain §5.
/// </summary>
public sealed partial record BillingAccount
{
    /// <summary>The first credit note whose blocks' engagements do not know of it yet, and what each is to be told; null: all know.</summary>
    public (InvoiceId CreditNote, ImmutableArray<(EngagementId Engagement, CreditBlock Credit)> Credits)? NextToTell() =>
        Untold is { IsEmpty: false } untold ? (untold[0], [.. BlockCredits(Find(untold[0])!)]) : null;

    /// <summary>Whether a credit note is final, and every engagement knows of it that has to.</summary>
    public bool IsCredited(InvoiceId creditNote) => Find(creditNote)?.IsFinal == true && Untold?.Contains(creditNote) != true;

    /// <summary>Told before: nothing to do.</summary>
    public Decision TellBlocks(InvoiceId creditNote) => Untold?.Contains(creditNote) == true ? Decision.Accept(new BlockCreditsTold(creditNote)) : Decision.Nothing;

    private static IEnumerable<(EngagementId Engagement, CreditBlock Credit)> BlockCredits(Invoice creditNote) =>
        from line in creditNote.Content.Lines
        where line is { ByHand: true, Item.Charge: Charge.Block }
        group line by line.Item into block
        select (block.Key.Engagement, new CreditBlock(creditNote.Id, block.Key.Part!.Value, -block.Sum(l => l.Amount)));
}
