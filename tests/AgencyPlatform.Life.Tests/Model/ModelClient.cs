using NodaTime;

namespace AgencyPlatform.Life.Tests.Model;

/// <summary>Up to an amount a month, exclusive, so many signatures, of these (none: of anybody), these among them.</summary>
internal sealed record ModelBand(long? Below, int Needed, string[] Of, string[] Required);

internal sealed record ModelNeed(int Needed, string[] Of, string[] Required)
{
    public bool Counts(string person) => Of.Length == 0 || Of.Contains(person);

    public bool IsMetBy(IEnumerable<string> people)
    {
        var counted = people.Where(Counts).Distinct().ToList();
        return counted.Count >= Needed && Required.All(counted.Contains);
    }
}

internal sealed record ModelDelegation(string From, string To, LocalDate Start, LocalDate End);

/// <summary>A client company: who decides, by which rule (domain §3, sign-off). It does not change within a sequence.</summary>
/// <param name="ScopeBands">Null: changes of scope go by the rule of proposals.</param>
internal sealed record ModelClient(string Id, string[] DecisionMakers, string[] Others, ModelBand[] Bands, ModelBand[]? ScopeBands, ModelDelegation[] Delegations)
{
    public IEnumerable<string> Stakeholders => DecisionMakers.Concat(Others);

    /// <summary>Who must sign for an amount a month; null: nobody has stated it.</summary>
    public ModelNeed NeedFor(long? monthly, int atLeast, bool scope)
    {
        var bands = scope && ScopeBands is not null ? ScopeBands : Bands;
        if (bands.Length == 0)
        {
            return new ModelNeed(atLeast, [], []);
        }

        var band = monthly is null ? bands[^1] : bands.First(b => b.Below is null || monthly < b.Below);
        return new ModelNeed(new[] { band.Needed, band.Required.Length, atLeast }.Max(), band.Of, band.Required);
    }

    public bool CanMeet(ModelNeed need) => DecisionMakers.Count(need.Counts) >= need.Needed && need.Required.All(DecisionMakers.Contains);

    /// <summary>Why a signature is none; null when it is one.</summary>
    /// <param name="today">By the agency's calendar.</param>
    public string? Refuses(ModelNeed need, string person, string? by, LocalDate today) =>
        !DecisionMakers.Contains(person) ? "NOT_A_DECISION_MAKER"
        : !need.Counts(person) ? "NOT_A_SIGNER"
        : by is null || by == person || Delegations.Any(d => d.From == person && d.To == by && d.Start <= today && today < d.End) ? null
        : "NOT_DELEGATED";
}
