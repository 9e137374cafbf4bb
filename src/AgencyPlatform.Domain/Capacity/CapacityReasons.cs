namespace AgencyPlatform.Domain;

public static partial class Reasons
{
    /// <summary>A run of days would be asked for more than its limit. Metadata: week, missing_minutes, run, failing_weeks, earliest_start. Ask for less, later, or another CMO.</summary>
    public const string CapacityExceeded = "CAPACITY_EXCEEDED";

    /// <summary>The CMO would have more distinct clients on a day than their limit. Choose another CMO or another time.</summary>
    public const string MaxClients = "MAX_CLIENTS";

    /// <summary>A competitor of the client is booked with this CMO within the cooling-off time. Choose another CMO or another time.</summary>
    public const string CompetitorFence = "COMPETITOR_FENCE";

    /// <summary>The CMO has left on some of the booking's days. Metadata: date. End the booking by then or choose another CMO.</summary>
    public const string CmoLeaves = "CMO_LEAVES";

    /// <summary>What is agreed per week, day or period is below the CMO's smallest block. Ask for more at a time.</summary>
    public const string BelowSmallestBlock = "BELOW_SMALLEST_BLOCK";

    /// <summary>Fixed or dated minutes exceed the working pattern of their day. State less or choose another day.</summary>
    public const string AbovePattern = "ABOVE_PATTERN";

    /// <summary>A week (flexible) or period (per period) of the booking has no pattern minutes at all. Choose other dates.</summary>
    public const string NoPattern = "NO_PATTERN";

    /// <summary>The hold has expired; nothing is held any more. Hold again.</summary>
    public const string HoldExpired = "HOLD_EXPIRED";

    /// <summary>The booking belongs to its engagement, which alone confirms, changes or releases it.</summary>
    public const string OwnedByEngagement = "OWNED_BY_ENGAGEMENT";

    /// <summary>A confirmed booking has no expiry to extend.</summary>
    public const string AlreadyConfirmed = "ALREADY_CONFIRMED";

    /// <summary>Time off overlaps other time off of the same CMO. Cancel that first or choose other days.</summary>
    public const string TimeOffOverlaps = "TIME_OFF_OVERLAPS";

    /// <summary>The booking's start has come by the CMO's date, so that it cannot wait. Metadata: start, today. Ask for a later start.</summary>
    public const string StartHasCome = "START_HAS_COME";

    /// <summary>The CMO's waitlist has its 1,000 entries. Metadata: maximum. Choose another CMO, or wait until some have left.</summary>
    public const string WaitlistFull = "WAITLIST_FULL";

    /// <summary>A hold of a request for any of several CMOs is kept until the request says which was first. Metadata: booking. Repeat shortly.</summary>
    public const string OfferUnderWay = "OFFER_UNDER_WAY";

    /// <summary>The request for any of several CMOs has been offered a hold, was withdrawn, or its start has come. Metadata: capacity_request, state. Decline its offer instead, or make a new one.</summary>
    public const string CapacityRequestOver = "CAPACITY_REQUEST_OVER";
}
