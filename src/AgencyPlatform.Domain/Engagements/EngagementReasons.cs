namespace AgencyPlatform.Domain;

public static partial class Reasons
{
    /// <summary>The engagement's state does not allow the move. Metadata: move, state, allowed_states. Bring it into one of those states first.</summary>
    public const string MoveNotAllowed = "MOVE_NOT_ALLOWED";

    /// <summary>A move of the engagement is under way; no other until it is done. Metadata: engagement. Repeat shortly.</summary>
    public const string MoveUnderWay = "MOVE_UNDER_WAY";

    /// <summary>The signer is no decision maker of the client company. Metadata: person, client. Let a decision maker sign, or make the person one.</summary>
    public const string NotADecisionMaker = "NOT_A_DECISION_MAKER";

    /// <summary>The client company has fewer decision makers than signatures are needed. Metadata: needed, decision_makers. Add decision makers or ask for fewer signatures.</summary>
    public const string SignOffUnreachable = "SIGN_OFF_UNREACHABLE";

    /// <summary>The proposal has another revision by now: what was read is void. Metadata: revision, current_revision. Read again and decide again.</summary>
    public const string RevisionChanged = "REVISION_CHANGED";

    /// <summary>Some CMOs have not agreed to the engagement yet, and their agreement is not waived. Metadata: cmos. Record their agreement first.</summary>
    public const string AgreementMissing = "AGREEMENT_MISSING";

    /// <summary>The hold that a member names is for another client company. Metadata: booking, client. Name a hold for the engagement's client.</summary>
    public const string HoldOfAnotherClient = "HOLD_OF_ANOTHER_CLIENT";

    /// <summary>An engagement ends after its start and not after the end that is agreed. Metadata: start, end. Choose a date between.</summary>
    public const string EndOutOfRange = "END_OUT_OF_RANGE";
}
