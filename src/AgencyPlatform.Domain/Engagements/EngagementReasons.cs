namespace AgencyPlatform.Domain;

public static partial class Reasons
{
    /// <summary>The engagement's state does not allow the move. Metadata: move, state, allowed_states. Bring it into one of those states first.</summary>
    public const string MoveNotAllowed = "MOVE_NOT_ALLOWED";

    /// <summary>A move of the engagement is under way; no other until it is done. Metadata: engagement. Repeat shortly.</summary>
    public const string MoveUnderWay = "MOVE_UNDER_WAY";

    /// <summary>The signer is no decision maker of the client company. Metadata: person, client. Let a decision maker sign, or make the person one.</summary>
    public const string NotADecisionMaker = "NOT_A_DECISION_MAKER";

    /// <summary>The client company has fewer decision makers who may sign than signatures are needed, or its rule requires somebody who is none. Metadata: needed, decision_makers, missing_signers. Add decision makers, change the rule, or ask for fewer signatures.</summary>
    public const string SignOffUnreachable = "SIGN_OFF_UNREACHABLE";

    /// <summary>The proposal has another revision by now: what was read is void. Metadata: revision, current_revision. Read again and decide again.</summary>
    public const string RevisionChanged = "REVISION_CHANGED";

    /// <summary>Some CMOs have not agreed to the engagement yet, and their agreement is not waived. Metadata: cmos. Record their agreement first.</summary>
    public const string AgreementMissing = "AGREEMENT_MISSING";

    /// <summary>The CMO has declined, or did not answer in time: there is no question left to say yes to. Metadata: cmo, answer. Ask again first.</summary>
    public const string AgreementClosed = "AGREEMENT_CLOSED";

    /// <summary>The engagement has a term: it ends with one, so many days after the notice. Metadata: end, earliest_end, notice_days, today. End it then, or say why the notice is waived.</summary>
    public const string NoticeTooShort = "NOTICE_TOO_SHORT";

    /// <summary>The renewal is not the next one to sign: the term is not renewed by signature, is renewed already, or is too far ahead. Metadata: renewal, renewals, term_start. Sign the next one in its time.</summary>
    public const string RenewalNotOpen = "RENEWAL_NOT_OPEN";

    /// <summary>The hold that a member names is for another client company. Metadata: booking, client. Name a hold for the engagement's client.</summary>
    public const string HoldOfAnotherClient = "HOLD_OF_ANOTHER_CLIENT";

    /// <summary>The hold that a member names is for other minutes or days than when it was proposed and signed. Metadata: booking, cmo. Change it back, or revise the proposal and have it signed.</summary>
    public const string HoldChanged = "HOLD_CHANGED";

    /// <summary>An engagement ends after its start and not after the end that is agreed. Metadata: start, end. Choose a date between.</summary>
    public const string EndOutOfRange = "END_OUT_OF_RANGE";
}
