using Engagement = AgencyPlatform.Domain.Engagements.Engagement;
using Renewal = AgencyPlatform.Domain.Engagements.Renewal;
using TermRules = AgencyPlatform.Domain.Engagements.TermRules;
using V1 = AgencyPlatform.Protocol.Engagements.V1;

namespace AgencyPlatform.Gateway.Engagements;

/// <summary>The term of an engagement on the wire.</summary>
internal static class TermWire
{
    /// <summary>Bounds are the domain's to check, together with the engagement's dates.</summary>
    public static TermRules? Rules(string path, V1.TermRules? wire, Fields fields) => wire is null ? null : new TermRules(
        wire.InitialMonths, fields.Enum<V1.TermRules.Types.Renewal, Renewal>($"{path}.renewal", wire.Renewal), wire.RenewalMonths, wire.NoticeDays);

    public static V1.TermRules? ToWire(TermRules? rules) => rules is null ? null : new V1.TermRules
    {
        InitialMonths = rules.InitialMonths,
        Renewal = rules.Renewal.ToWire<V1.TermRules.Types.Renewal>(),
        RenewalMonths = rules.RenewalMonths,
        NoticeDays = rules.NoticeDays,
    };

    public static V1.TermStatus? Status(Engagement e, Func<PersonId, PersonDetails> people) => e.TermEnd() is not { } end || e.TenureMonths(e.Plan.Start) is null ? null : new V1.TermStatus
    {
        StartDate = e.TermStart().ToWire(),
        EndDate = end.ToWire(),
        Renewals = e.Term.Renewals,
        LastNoticeDate = e.LastNoticeOn().ToWire(),
        RenewalSignatures = { e.Term.Signatures.Select(s => ProposalWire.ToWire(s, people)) },
        RenewalSignaturesNeeded = e.Term.Need?.Needed ?? 0,
    };
}
