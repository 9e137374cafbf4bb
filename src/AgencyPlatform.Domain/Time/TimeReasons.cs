namespace AgencyPlatform.Domain;

public static partial class Reasons
{
    /// <summary>The engagement accepts no time on the entry's date: before its start, from its end on, or never activated. Metadata: engagement, date, state, start, end. Correct the date or the engagement.</summary>
    public const string TimeOutsideEngagement = "TIME_OUTSIDE_ENGAGEMENT";

    /// <summary>The CMO does not work for the engagement. Metadata: engagement, cmo. Log the time on an engagement of theirs.</summary>
    public const string NotAMember = "NOT_A_MEMBER";

    /// <summary>The date is after the CMO's today. Metadata: date, today. Log it when the day has come.</summary>
    public const string TimeInFuture = "TIME_IN_FUTURE";

    /// <summary>A date would have more than 1,440 minutes over all engagements. Metadata: date, minutes, maximum. Correct the entries of that date.</summary>
    public const string DayOverfull = "DAY_OVERFULL";

    /// <summary>The entry's state does not allow this. Metadata: entry, state, allowed_states. Only drafts and rejected entries change; only drafts are submitted; only submitted ones are approved or rejected.</summary>
    public const string EntryStateNotAllowed = "ENTRY_STATE_NOT_ALLOWED";

    /// <summary>An entry's engagement stands. Metadata: entry, engagement. Remove the entry and log another.</summary>
    public const string EntryEngagementFixed = "ENTRY_ENGAGEMENT_FIXED";

    /// <summary>An approval of the entry is under way. Metadata: entry. Repeat shortly.</summary>
    public const string ApprovalUnderWay = "APPROVAL_UNDER_WAY";

    /// <summary>Nobody approves their own time. Metadata: cmo. Let somebody else approve it.</summary>
    public const string OwnTime = "OWN_TIME";

    /// <summary>The grants alive on the entry's date have fewer minutes left, and the terms block overage. Metadata: date, remaining_minutes, missing_minutes. Change the terms, or the entry.</summary>
    public const string MeterExhausted = "METER_EXHAUSTED";

    /// <summary>A consent names more minutes than wait for one. Metadata: minutes, parked_minutes. Consent to what is parked.</summary>
    public const string ConsentExceedsParked = "CONSENT_EXCEEDS_PARKED";

    /// <summary>A timesheet has at most 500 entries. Metadata: maximum. Join entries.</summary>
    public const string TooManyEntries = "TOO_MANY_ENTRIES";
}
