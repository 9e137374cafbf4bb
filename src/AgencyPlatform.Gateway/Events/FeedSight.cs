using System.Collections.Frozen;
using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Engagements;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Domain.Clients;
using AgencyPlatform.Domain.Cmos;
using AgencyPlatform.Domain.Engagements;
using AgencyPlatform.Domain.Time;

namespace AgencyPlatform.Gateway.Events;

/// <summary>What a caller sees of an event.</summary>
internal enum Sight
{
    /// <summary>Nothing: it is not told of it.</summary>
    None,

    /// <summary>That it happened, and to what.</summary>
    Notice,

    /// <summary>All of it.</summary>
    Whole,
}

/// <summary>
/// Which events a caller is told of, and what of them. Staff: all, of what costs and pays CMOs the whole event only where it may read that through the API too. A key bound to a CMO or client
/// company: that something of what it may read has happened, and nothing that is in doubt. It is judged when the event is read: of an engagement that is a draft then, its client hears nothing.
/// </summary>
internal sealed class FeedSight(IReadModels readModels, IGrainFactory grains)
{
    /// <summary>Of a client's invoices, which are not there for it before they are final; payments change what is open of them.</summary>
    private static readonly FrozenSet<string> s_ofInvoices = FrozenSet.ToFrozenSet(
    [
        "billing-account.credit-allocated", "billing-account.invoice-finalized", "billing-account.invoice-sent", "billing-account.invoice-written-off",
        "billing-account.opening-imported", "billing-account.payment-recorded", "billing-account.payment-reversed",
    ]);

    /// <summary>Of the books and of cost, which are read by staff only.</summary>
    private static readonly FrozenSet<string> s_ofStaff = FrozenSet.ToFrozenSet(["cmo.cost-rate-set", "engagement.fees-accrued", "engagement.prepaid-earned", "engagement.time-posted"]);

    /// <summary>Whose payload has what CMOs cost and are paid.</summary>
    private static readonly FrozenSet<string> s_ofCost = FrozenSet.ToFrozenSet(["cmo.cost-rate-set", "cmo.created", "engagement.time-drawn", "engagement.time-posted"]);

    /// <summary>What the caller sees of each of these events; null: all of all of them.</summary>
    public async ValueTask<Func<StoredEvent, Sight>?> Of(Caller caller, Read read, IReadOnlyList<StoredEvent> events, CancellationToken cancellation)
    {
        if (caller.SeesCost)
        {
            return null;
        }

        if (caller.IsStaff)
        {
            return static e => s_ofCost.Contains(e.Event.Name) || e.Key.Kind == CmoAccount.Kind || e.Key.Kind == PayoutRun.Kind ? Sight.Notice : Sight.Whole;
        }

        var named = events.Where(e => e.Key.Kind == Engagement.Kind).Select(e => new EngagementId(e.Key.Id)).Distinct().ToList();
        var seen = new HashSet<string>();
        if (named.Count > 0 && caller.Client is { } client)
        {
            var filters = new Filters().In(nameof(EngagementRow.Id), named).Equal(nameof(EngagementRow.Client), client).NotEqual(nameof(EngagementRow.State), EngagementState.Draft);
            seen.UnionWith((await readModels.List<EngagementRow>(read.Agency, Query.All(named.Count, filters.All), cancellation)).Select(row => row.Id.Value));
        }

        if (named.Count > 0 && caller.Cmo is { } cmo)
        {
            // Rows of who was asked once stay: the engagement itself says who is involved.
            var filters = new Filters().Equal(nameof(EngagementMemberRow.Cmo), cmo).In(nameof(EngagementMemberRow.Id), named);
            foreach (var row in await readModels.List<EngagementMemberRow>(read.Agency, Query.All(named.Count, filters.All), cancellation))
            {
                if ((await grains.Of<IEngagementGrain>(read.Agency, row.Id.Value).Get(read)).Value is { } engagement && caller.Sees(engagement))
                {
                    seen.Add(row.Id.Value);
                }
            }
        }

        return e => !s_ofStaff.Contains(e.Event.Name) && IsOf(caller, e, seen) ? Sight.Notice : Sight.None;
    }

    private static bool IsOf(Caller caller, StoredEvent e, HashSet<string> engagements) =>
        e.Key.Kind == Engagement.Kind ? engagements.Contains(e.Key.Id)
        : e.Key.Kind == ClientCompany.Kind ? caller.Client?.Value == e.Key.Id
        : e.Key.Kind == BillingAccount.Kind ? s_ofInvoices.Contains(e.Event.Name) && caller.Client?.Value == FirstOf(e.Key)
        : e.Key.Kind == FractionalCmo.Kind ? caller.Cmo?.Value == e.Key.Id
        : (e.Key.Kind == Timesheet.Kind || e.Key.Kind == CmoAccount.Kind) && caller.Cmo?.Value == FirstOf(e.Key);

    /// <summary>Whose an aggregate is that has parts in its id.</summary>
    private static string FirstOf(AggregateKey key) => key.Id.Split('/')[0];
}
