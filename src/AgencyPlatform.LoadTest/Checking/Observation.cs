using AgencyPlatform.LoadTest.Calls;
using AgencyPlatform.Protocol.Billing.V1;
using AgencyPlatform.Protocol.Capacity.V1;
using AgencyPlatform.Protocol.Cmos.V1;
using AgencyPlatform.Protocol.Engagements.V1;

namespace AgencyPlatform.LoadTest.Checking;

/// <summary>An event of the feed.</summary>
/// <param name="Payload">As JSON.</param>
/// <param name="OccurredAt">Nanoseconds since 1970.</param>
/// <param name="RecordedAt">As <paramref name="OccurredAt"/>.</param>
internal sealed record FeedEvent(
    string Id, long Sequence, string Kind, string Aggregate, long Version, string Type, string Payload, Int128 OccurredAt, Int128 RecordedAt, string Actor, string RequestId, string Cause);

/// <summary>A CMO as Get and availability tell of it.</summary>
internal sealed record ObservedCmo(Cmo Cmo, IReadOnlyList<CapacityWeek> Weeks);

/// <summary>All that the checker judges: what the public API shows when the load is over, and the client's own log.</summary>
/// <param name="Own">Whether nobody but the logged run changed the agency.</param>
/// <param name="Feed">The whole feed, from one reader.</param>
/// <param name="SecondReader">What another reader, with pages of another size, got: place and digest of each event.</param>
/// <param name="Got">Every listed booking asked for by itself; null: NOT_FOUND.</param>
/// <param name="Ledger">Every line of the ledger.</param>
/// <param name="Balances">The trial balance.</param>
/// <param name="Leaks">What an agency of somebody else was shown.</param>
/// <param name="Strangers">How often a stranger tried.</param>
internal sealed record Observation(
    string Agency,
    bool Own,
    IReadOnlyList<CallRecord> Calls,
    IReadOnlyList<FeedEvent> Feed,
    IReadOnlyList<(long Sequence, string Digest)> SecondReader,
    IReadOnlyList<Booking> Bookings,
    IReadOnlyDictionary<string, Booking?> Got,
    IReadOnlyList<string> ListedCmos,
    IReadOnlyDictionary<string, ObservedCmo> Cmos,
    IReadOnlyList<Engagement> Engagements,
    IReadOnlyList<Invoice> Invoices,
    IReadOnlyList<PostingLine> Ledger,
    IReadOnlyList<AccountBalance> Balances,
    IReadOnlyList<string> Leaks,
    int Strangers);
