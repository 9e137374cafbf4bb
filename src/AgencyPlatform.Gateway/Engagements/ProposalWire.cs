using AgencyPlatform.Domain.Clients;
using AgencyPlatform.Domain.Engagements;
using Comment = AgencyPlatform.Domain.Engagements.Comment;
using Engagement = AgencyPlatform.Domain.Engagements.Engagement;
using Signature = AgencyPlatform.Domain.Engagements.Signature;
using V1 = AgencyPlatform.Protocol.Engagements.V1;

namespace AgencyPlatform.Gateway.Engagements;

/// <summary>Sign-off, agreement and comments of a proposal on the wire.</summary>
internal static class ProposalWire
{
    public static V1.SignOffNeed SignOff(Engagement e) => SignOff(e.SignOffNeed(), e.Proposal.Monthly, e.Signatures);

    public static V1.SignOffNeed SignOff(SignOffNeed need, Money? monthly, IEnumerable<Signature> signatures) => new()
    {
        MonthlyAmount = monthly?.ToWire(),
        Needed = need.Needed,
        Signers = { need.Of.Select(p => p.Value) },
        RequiredSigners = { need.Required.Select(p => p.Value) },
        Signed = signatures.Count(s => need.Counts(s.Person)),
    };

    public static V1.Signature ToWire(Signature signature, Func<PersonId, PersonDetails> people) => new()
    {
        PersonId = signature.Person.Value,
        DisplayName = people(signature.Person).DisplayName,
        SignTime = signature.At.ToWire(),
        SignedBy = signature.By?.Value ?? "",
    };

    public static V1.Comment ToWire(Comment comment, Func<PersonId, PersonDetails> people) => new()
    {
        PersonId = comment.Person?.Value ?? "",
        DisplayName = comment.Person is { } person ? people(person).DisplayName : "",
        Revision = comment.Revision,
        Text = comment.Text,
        CommentTime = comment.At.ToWire(),
    };

    public static V1.AgreementState AgreementOf(Engagement e, EngagementMember member) =>
        e.Agreements.ContainsKey(member.Cmo) ? V1.AgreementState.Agreed
        : e.Proposal.Asked.GetValueOrDefault(member.Cmo)?.Answer switch
        {
            AgreementAnswer.Declined => V1.AgreementState.Declined,
            _ when member.AgreementWaived => V1.AgreementState.Waived,
            AgreementAnswer.Lapsed => V1.AgreementState.Lapsed,
            AgreementAnswer.None => V1.AgreementState.Asked,
            AgreementAnswer.Agreed or null => V1.AgreementState.Open,
            var other => throw new InvalidOperationException($"Unknown answer {other}."),
        };
}
