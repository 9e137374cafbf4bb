using System.Collections.Immutable;

namespace AgencyPlatform.Domain.Clients;

/// <summary>The whole set of rules by amount.</summary>
[GenerateSerializer, Immutable, Alias("client.set-sign-off-rules")]
public sealed record SetSignOffRules(ImmutableArray<SignOffRule> Rules);

[GenerateSerializer, Immutable, Alias("client.delegate-sign-off")]
public sealed record DelegateSignOff(Delegation Delegation);

/// <summary>Takes a delegation back, named by who delegated and its first day.</summary>
[GenerateSerializer, Immutable, Alias("client.revoke-delegation")]
public sealed record RevokeDelegation(PersonId From, NodaTime.LocalDate Start);

[Event("client.sign-off-rules-set"), GenerateSerializer, Immutable, Alias("client.sign-off-rules-set")]
public sealed record SignOffRulesSet(ImmutableArray<SignOffRule> Rules) : IEvent;

[Event("client.sign-off-delegated"), GenerateSerializer, Immutable, Alias("client.sign-off-delegated")]
public sealed record SignOffDelegated(Delegation Delegation) : IEvent;

[Event("client.delegation-revoked"), GenerateSerializer, Immutable, Alias("client.delegation-revoked")]
public sealed record DelegationRevoked(PersonId From, NodaTime.LocalDate Start) : IEvent;

/// <summary>Who signs what for the client company. A proposal takes the rule as it is then; a later change counts for the next revision.</summary>
public sealed partial record ClientCompany
{
    public const int MostDelegations = 200;

    /// <summary>Whom the rules name must be decision makers now; whoever stops being one later makes the rule unreachable, which a proposal is told.</summary>
    public Decision SetSignOffRules(SetSignOffRules command)
    {
        if (Known() is { } unknown)
        {
            return unknown;
        }

        var wrong = command.Rules.SelectMany((r, i) => r.Violations($"rules[{i}]")).ToList();
        if (command.Rules.DistinctBy(r => (r.Subject, r.Currency)).Count() != command.Rules.Length)
        {
            wrong.Add(new FieldViolation("rules", "must be at most one for each subject and currency"));
        }

        if (wrong.Count > 0)
        {
            return Rejection.Invalid(wrong.ToArray());
        }

        foreach (var person in command.Rules.SelectMany(r => r.Bands).SelectMany(b => b.Of.Union(b.Required)))
        {
            if (NoDecisionMaker(person) is { } refused)
            {
                return refused;
            }
        }

        return Decision.Accept(new SignOffRulesSet(command.Rules));
    }

    /// <summary>A decision maker lets another stakeholder sign for them on dates; at most one at a time.</summary>
    public Decision DelegateSignOff(DelegateSignOff command)
    {
        var given = command.Delegation;
        if (Known() is { } unknown)
        {
            return unknown;
        }

        if (SignOff.Delegations.Contains(given))
        {
            return Decision.Nothing;
        }

        if (NoDecisionMaker(given.From) is { } refused)
        {
            return refused;
        }

        if (!Stakeholders.ContainsKey(given.To))
        {
            return Rejection.NotFound("stakeholder", given.To.Value);
        }

        if (given.From == given.To || given.Dates.End is null || SignOff.Delegations.Length >= MostDelegations)
        {
            return Rejection.Invalid(
                given.From == given.To ? new FieldViolation("delegate_id", "must be another person than who delegates")
                : given.Dates.End is null ? new FieldViolation("end_date", "must be set")
                : new FieldViolation("person_id", $"must be at most {MostDelegations} over time: revoke old ones"));
        }

        return SignOff.Delegations.FirstOrDefault(d => d.From == given.From && d.Dates.Overlaps(given.Dates)) is { } other
            ? Rejection.Rule(
                Reasons.DelegationOverlaps, $"'{given.From}' has delegated to '{other.To}' over {other.Dates} already: revoke that first or choose other days.",
                ("person", given.From.Value), ("delegate", other.To.Value), ("start", $"{other.Dates.Start:uuuu-MM-dd}"), ("end", $"{other.Dates.End:uuuu-MM-dd}"))
            : Decision.Accept(new SignOffDelegated(given));
    }

    /// <summary>What was signed under the delegation stands.</summary>
    public Decision RevokeDelegation(RevokeDelegation command) =>
        Known() ?? (SignOff.Delegations.Any(d => d.From == command.From && d.Dates.Start == command.Start)
            ? Decision.Accept(new DelegationRevoked(command.From, command.Start))
            : Rejection.NotFound("delegation", command.From.Value));

    private Decision? NoDecisionMaker(PersonId person) => Stakeholders.TryGetValue(person, out var stakeholder) && stakeholder.DecisionMaker
        ? (Decision?)null
        : Decision.Reject(Rejection.Rule(
            Reasons.NotADecisionMaker, $"'{person}' is no decision maker of the client company '{Id}'.", ("person", person.Value), ("client", Id.Value)));
}
