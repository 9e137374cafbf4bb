namespace AgencyPlatform.Domain;

public static partial class Reasons
{
    /// <summary>The engagement accepts no time on the entry's date: before its start, from its end on, or never activated. Metadata: engagement, date, state, start, end. Correct the date or the engagement.</summary>
    public const string TimeOutsideEngagement = "TIME_OUTSIDE_ENGAGEMENT";

    /// <summary>The CMO does not work for the engagement. Metadata: engagement, cmo. Log the time on an engagement of theirs.</summary>
    public const string NotAMember = "NOT_A_MEMBER";

    /// <summary>The date is further after the CMO's today than the agency allows. Metadata: date, today, days_ahead. Log it when the day has come.</summary>
    public const string TimeInFuture = "TIME_IN_FUTURE";

    /// <summary>A date would have more than 1,440 minutes over all engagements. Metadata: date, minutes, maximum. Correct the entries of that date.</summary>
    public const string DayOverfull = "DAY_OVERFULL";

    /// <summary>The entry's state does not allow this. Metadata: entry, state, allowed_states. Only drafts and rejected entries change; only drafts are submitted; only submitted ones are approved or rejected; only submitted and approved ones are disputed; only approved ones are reversed.</summary>
    public const string EntryStateNotAllowed = "ENTRY_STATE_NOT_ALLOWED";

    /// <summary>An entry's engagement stands. Metadata: entry, engagement. Remove the entry and log another.</summary>
    public const string EntryEngagementFixed = "ENTRY_ENGAGEMENT_FIXED";

    /// <summary>An approval of the entry is under way. Metadata: entry. Repeat shortly.</summary>
    public const string ApprovalUnderWay = "APPROVAL_UNDER_WAY";

    /// <summary>A reversal or dispute of the entry is under way. Metadata: entry. Repeat shortly.</summary>
    public const string CorrectionUnderWay = "CORRECTION_UNDER_WAY";

    /// <summary>A client disputes an entry only for some days after its approval. Metadata: entry, last_date, days. Ask the agency to dispute it.</summary>
    public const string DisputeTooLate = "DISPUTE_TOO_LATE";

    /// <summary>A disputed entry that was approved is restored or reversed; one that was not is restored or rejected. Metadata: entry, state_before. Resolve it as its state before allows.</summary>
    public const string ResolutionNotAllowed = "RESOLUTION_NOT_ALLOWED";

    /// <summary>Nobody approves their own time, nor corrects it once submitted. Metadata: cmo. Let somebody else do it.</summary>
    public const string OwnTime = "OWN_TIME";

    /// <summary>The grants alive on the entry's date have fewer minutes left, and the terms block overage. Metadata: date, remaining_minutes, missing_minutes. Change the terms, or the entry.</summary>
    public const string MeterExhausted = "METER_EXHAUSTED";

    /// <summary>A consent names more minutes than wait for one. Metadata: minutes, parked_minutes. Consent to what is parked.</summary>
    public const string ConsentExceedsParked = "CONSENT_EXCEEDS_PARKED";

    /// <summary>An entry names one to correct that is no reversed entry of the same week. Metadata: entry, corrects. Reverse that first.</summary>
    public const string NothingToCorrect = "NOTHING_TO_CORRECT";

    /// <summary>Nothing is booked for the CMO in the week that takes time. Metadata: cmo, week. Log what was worked, or report that nothing was.</summary>
    public const string NothingPlanned = "NOTHING_PLANNED";

    /// <summary>Nothing worked is reported of a week without entries only. Metadata: week, entries. Remove them first.</summary>
    public const string WeekHasEntries = "WEEK_HAS_ENTRIES";

    /// <summary>A timesheet has at most 500 entries. Metadata: maximum. Join entries.</summary>
    public const string TooManyEntries = "TOO_MANY_ENTRIES";
}
