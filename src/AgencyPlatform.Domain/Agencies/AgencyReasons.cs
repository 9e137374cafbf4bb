namespace AgencyPlatform.Domain;

public static partial class Reasons
{
    /// <summary>The agency has a live key of an admin, so that the platform's operator makes no more keys for it. Metadata: agency. Ask the agency's admin.</summary>
    public const string AdminExists = "ADMIN_EXISTS";

    /// <summary>The agency is no sandbox: its clock is the world's and nobody moves it. Use a sandbox agency.</summary>
    public const string NotASandbox = "NOT_A_SANDBOX";

    /// <summary>A sandbox's clock only moves forward. Metadata: clock, to. Ask for a later instant.</summary>
    public const string ClockOnlyForward = "CLOCK_ONLY_FORWARD";

    /// <summary>An agency keeps at least one legal entity and at most 50. Metadata: maximum.</summary>
    public const string TooManyLegalEntities = "TOO_MANY_LEGAL_ENTITIES";

    /// <summary>A legal entity's currency and time zone stand once it is there: its books are kept in them. Metadata: legal_entity, field. Create another legal entity.</summary>
    public const string LegalEntityFixed = "LEGAL_ENTITY_FIXED";

    /// <summary>An agency keeps at most 200 API keys that are neither revoked nor expired. Metadata: maximum. Revoke one first.</summary>
    public const string TooManyApiKeys = "TOO_MANY_API_KEYS";

    /// <summary>An agency keeps at most 2,000 calendar links that are not revoked. Metadata: maximum. Revoke one first.</summary>
    public const string TooManyCalendarLinks = "TOO_MANY_CALENDAR_LINKS";

    /// <summary>An agency keeps at most 100 holiday calendars. Metadata: maximum. Replace one.</summary>
    public const string TooManyHolidayCalendars = "TOO_MANY_HOLIDAY_CALENDARS";

    /// <summary>A series that gives numbers is not renamed: its prefix stands, and what was printed stays. Metadata: legal_entity, series, prefix. Make another series the legal entity's default.</summary>
    public const string SeriesPrefixFixed = "SERIES_PREFIX_FIXED";

    /// <summary>Two series of a legal entity might print the same number. Metadata: legal_entity, series, prefix, other_series. Choose another prefix, or another id for a default series.</summary>
    public const string SeriesPrefixTaken = "SERIES_PREFIX_TAKEN";

    /// <summary>A legal entity keeps at most 200 invoice series. Metadata: legal_entity, maximum. Go on with one of them.</summary>
    public const string TooManySeries = "TOO_MANY_SERIES";
}
