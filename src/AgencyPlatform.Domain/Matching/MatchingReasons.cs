namespace AgencyPlatform.Domain;

public static partial class Reasons
{
    /// <summary>The intake is closed, converted, or being converted, and no longer changes. Metadata: intake, state. Read it, and make a new intake if help is asked for again.</summary>
    public const string IntakeState = "INTAKE_STATE";

    /// <summary>The intake does not say yet what this needs. Metadata: intake, missing (fields of the intake). Fill those in first.</summary>
    public const string IntakeIncomplete = "INTAKE_INCOMPLETE";

    /// <summary>All that has weight is something that the intake does not say, so that nobody could be put before anybody. Metadata: intake, weighed. Fill in one of those, or give weight to something else.</summary>
    public const string NothingToScore = "NOTHING_TO_SCORE";

    /// <summary>The shortlist is over, or not as far as this needs. Metadata: shortlist, state. Read it, and make a new shortlist if the need stands.</summary>
    public const string ShortlistState = "SHORTLIST_STATE";

    /// <summary>What was held for the option has expired, was released or was taken meanwhile; the others are held as before. Metadata: shortlist, option, cause, left (the options still held). Choose one of those, or make a new shortlist.</summary>
    public const string ShortlistOptionGone = "SHORTLIST_OPTION_GONE";
}
