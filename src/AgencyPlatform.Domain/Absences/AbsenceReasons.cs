namespace AgencyPlatform.Domain;

public static partial class Reasons
{
    /// <summary>Nobody else of the role has room for what an engagement lacks. Metadata: cmo, engagement. Ask for less, or hire.</summary>
    public const string NobodyFits = "NOBODY_FITS";

    /// <summary>Another change of scope of the engagement is open, which would be replaced. Metadata: engagement, number. Apply or withdraw it, then propose the replacement.</summary>
    public const string ScopeChangeOpen = "SCOPE_CHANGE_OPEN";
}
