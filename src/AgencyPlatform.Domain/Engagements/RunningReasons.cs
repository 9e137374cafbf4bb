namespace AgencyPlatform.Domain;

public static partial class Reasons
{
    /// <summary>A move's date is not one of the engagement's days that it may have. Metadata: date, first_date, end. Choose a date between.</summary>
    public const string MoveDateOutOfRange = "MOVE_DATE_OUT_OF_RANGE";

    /// <summary>The engagement is paused over some of these days already. Metadata: start, end. Choose a day from the pause's end on.</summary>
    public const string PauseOverlaps = "PAUSE_OVERLAPS";

    /// <summary>The engagement is paused on the date, and time on it is not accepted, whenever it is logged. Metadata: engagement, date, pause_start, pause_end. Log it on another date.</summary>
    public const string TimeOnPausedDay = "TIME_ON_PAUSED_DAY";

    /// <summary>The CMO works for the engagement, but not on the date: not yet, no longer, or only as a cover on other dates. Metadata: engagement, cmo, date. Log it on another date.</summary>
    public const string NotAMemberOnDate = "NOT_A_MEMBER_ON_DATE";

    /// <summary>The client has not consented to the cover yet. Metadata: cover, client. Record its consent first.</summary>
    public const string ConsentMissing = "CONSENT_MISSING";

    /// <summary>Approved time is dated on or after the day from which a move forbids it. Metadata: date, last_approved_date. Choose a later date, or have the time reversed first.</summary>
    public const string ApprovedTimeStands = "APPROVED_TIME_STANDS";

    /// <summary>The milestone is marked as reached on another day already. Metadata: milestone, date. Reopen it first when that is wrong.</summary>
    public const string MilestoneReached = "MILESTONE_REACHED";

    /// <summary>A milestone is reached on a day of the engagement up to the seller's today. Metadata: date, start, end, today. Choose such a day.</summary>
    public const string MilestoneDateOutOfRange = "MILESTONE_DATE_OUT_OF_RANGE";

    /// <summary>A milestone reached or a block sold on or after the day is charged by the terms of now, whose seller and currency cannot change before it; nor can the engagement end before a milestone that was reached. Metadata: date, charged_date. Choose a later date, or reopen the milestone.</summary>
    public const string ChargesStand = "CHARGES_STAND";
}
