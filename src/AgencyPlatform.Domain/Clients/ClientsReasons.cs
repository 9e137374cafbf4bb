namespace AgencyPlatform.Domain;

public static partial class Reasons
{
    /// <summary>The client company's rule names whose signature counts, and the signer is not among them. Metadata: person, signers. Let one of those sign.</summary>
    public const string NotASigner = "NOT_A_SIGNER";

    /// <summary>The decision maker has not delegated to this person on this day. Metadata: person, signed_by, date. Let the decision maker sign, or delegate for that day.</summary>
    public const string NotDelegated = "NOT_DELEGATED";

    /// <summary>The decision maker has delegated to somebody else in these days. Metadata: person, delegate, start, end. Revoke that delegation first or choose other days.</summary>
    public const string DelegationOverlaps = "DELEGATION_OVERLAPS";

    /// <summary>The person was removed and is erased; what they signed keeps their id, so that nobody else takes it. Metadata: person. Give another person id.</summary>
    public const string PersonRemoved = "PERSON_REMOVED";
}
