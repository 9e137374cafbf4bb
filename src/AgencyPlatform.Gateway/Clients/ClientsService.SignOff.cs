using System.Collections.Immutable;
using AgencyPlatform.Domain.Clients;
using Delegation = AgencyPlatform.Domain.Clients.Delegation;
using SignOffBand = AgencyPlatform.Domain.Clients.SignOffBand;
using SignOffRule = AgencyPlatform.Domain.Clients.SignOffRule;
using SignOffSubject = AgencyPlatform.Domain.Clients.SignOffSubject;
using V1 = AgencyPlatform.Protocol.Clients.V1;

namespace AgencyPlatform.Gateway.Clients;

/// <summary>Who signs what for a client company.</summary>
internal sealed partial class ClientsService
{
    private const int MostRules = 50;

    public override async Task<V1.ClientCompany> SetSignOffRules(V1.SetSignOffRulesRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, id) = fields.Name<ClientCompanyId>("name", request.Name, Collection);
        fields.Require(request.Rules.Count <= MostRules, "rules", $"must be at most {MostRules}; they are {request.Rules.Count}");
        var rules = request.Rules.Take(MostRules).Select((r, i) => Rule($"rules[{i}]", r, fields)).ToImmutableArray();
        foreach (var violation in rules.SelectMany((r, i) => r.Violations($"rules[{i}]")).Where(v => !fields.Has(v.Field)))
        {
            fields.Add(violation.Field, violation.Description);
        }

        var call = await calls.Mutation(context, request, fields, agency);
        return await ToWire(agency, await Grain(agency, id).SetSignOffRules(call, new SetSignOffRules(rules)), context);
    }

    public override async Task<V1.ClientCompany> DelegateSignOff(V1.DelegateSignOffRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, id) = fields.Name<ClientCompanyId>("name", request.Name, Collection);
        var delegation = new Delegation(
            fields.Id<PersonId>("person_id", request.PersonId), fields.Id<PersonId>("delegate_id", request.DelegateId),
            fields.Range("start_date", request.StartDate, "end_date", request.EndDate));
        var call = await calls.Mutation(context, request, fields, agency);
        Calls.Caller(context).EnsureClient(id);
        return await ToWire(agency, await Grain(agency, id).DelegateSignOff(call, new DelegateSignOff(delegation)), context);
    }

    public override async Task<V1.ClientCompany> RevokeDelegation(V1.RevokeDelegationRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, id) = fields.Name<ClientCompanyId>("name", request.Name, Collection);
        var command = new RevokeDelegation(fields.Id<PersonId>("person_id", request.PersonId), fields.Date("start_date", request.StartDate));
        var call = await calls.Mutation(context, request, fields, agency);
        Calls.Caller(context).EnsureClient(id);
        return await ToWire(agency, await Grain(agency, id).RevokeDelegation(call, command), context);
    }

    private static SignOffRule Rule(string path, V1.SignOffRule wire, Fields fields) => new(
        fields.Enum<V1.SignOffSubject, SignOffSubject>($"{path}.subject", wire.Subject),
        fields.Currency($"{path}.currency", wire.Currency),
        [.. wire.Bands.Select((b, i) => new SignOffBand(
            b.HasBelowMinorUnits ? b.BelowMinorUnits : null, b.Needed, People($"{path}.bands[{i}].signers", b.Signers, fields),
            People($"{path}.bands[{i}].required_signers", b.RequiredSigners, fields)))]);

    private static ImmutableSortedSet<PersonId> People(string path, IReadOnlyList<string> ids, Fields fields)
    {
        fields.Require(ids.Count <= ClientCompany.MostStakeholders, path, $"must be at most {ClientCompany.MostStakeholders}; they are {ids.Count}");
        return [.. ids.Take(ClientCompany.MostStakeholders).Select((p, i) => fields.Id<PersonId>($"{path}[{i}]", p))];
    }

    private static V1.SignOffRule ToWire(SignOffRule rule) => new()
    {
        Subject = rule.Subject.ToWire<V1.SignOffSubject>(),
        Currency = rule.Currency.Code,
        Bands = { rule.Bands.Select(ToWire) },
    };

    private static V1.SignOffBand ToWire(SignOffBand band)
    {
        var wire = new V1.SignOffBand { Needed = band.Needed, Signers = { band.Of.Select(p => p.Value) }, RequiredSigners = { band.Required.Select(p => p.Value) } };
        if (band.Below is { } below)
        {
            wire.BelowMinorUnits = below;
        }

        return wire;
    }

    private static V1.Delegation ToWire(Delegation delegation) => new()
    {
        PersonId = delegation.From.Value,
        DelegateId = delegation.To.Value,
        StartDate = delegation.Dates.Start.ToWire(),
        EndDate = delegation.Dates.End.ToWire(),
    };
}
