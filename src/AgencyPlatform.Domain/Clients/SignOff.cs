using System.Collections.Immutable;
using System.Globalization;
using AgencyPlatform.Domain.Billing;
using NodaTime;

namespace AgencyPlatform.Domain.Clients;

/// <summary>What a client company signs off.</summary>
public enum SignOffSubject
{
    /// <summary>A new engagement, or its renewal by signature.</summary>
    Proposal,

    /// <summary>A change of a running engagement's hours, fee or people. Without a rule of its own, that of proposals holds.</summary>
    ScopeChange,
}

/// <summary>What must be signed up to an amount.</summary>
/// <param name="Below">Minor units a month, exclusive, at least 1; null: whatever the amount. Only the last band of a rule has none.</param>
/// <param name="Needed">How many decision makers must agree, 1–20.</param>
/// <param name="Of">Who of them; empty: any decision maker.</param>
/// <param name="Required">Who must be among them, whoever else signs.</param>
[GenerateSerializer, Immutable, Alias("client.sign-off-band")]
public sealed record SignOffBand(long? Below, int Needed, ImmutableSortedSet<PersonId> Of, ImmutableSortedSet<PersonId> Required);

/// <summary>A client company's rule by amount, for one subject and currency. Source: domain §3.</summary>
/// <param name="Bands">In order of amount; the last has no bound.</param>
[GenerateSerializer, Immutable, Alias("client.sign-off-rule")]
public sealed record SignOffRule(SignOffSubject Subject, Currency Currency, ImmutableArray<SignOffBand> Bands)
{
    public const int MostBands = 10;
    public const int MostNeeded = 20;

    /// <summary>The band of an amount a month; null, an amount that nobody has stated, is in the last one.</summary>
    public SignOffBand BandOf(Money? monthly) => monthly is { } amount ? Bands.First(b => b.Below is not { } below || amount.Minor < below) : Bands[^1];

    /// <summary>Every part that is wrong in itself, by path.</summary>
    public IEnumerable<FieldViolation> Violations(string path)
    {
        if (Bands.Length is 0 or > MostBands)
        {
            yield return new FieldViolation($"{path}.bands", $"must be 1 to {MostBands} bands");
        }

        for (var i = 0; i < Bands.Length; i++)
        {
            var (band, at, last) = (Bands[i], $"{path}.bands[{i}]", i == Bands.Length - 1);
            if (last != band.Below is null)
            {
                yield return new FieldViolation($"{at}.below_minor_units", last ? "must not be set in the last band: it holds for whatever is not below the others" : "must be set: only the last band has no bound");
            }

            if (band.Below is { } below && below <= (i == 0 ? 0 : Bands[i - 1].Below ?? 0))
            {
                yield return new FieldViolation($"{at}.below_minor_units", "must be above 0 and above the band before");
            }

            if (band.Needed is < 1 or > MostNeeded || (!band.Of.IsEmpty && band.Needed > band.Of.Count))
            {
                yield return new FieldViolation($"{at}.needed", $"must be 1 to {MostNeeded}, and at most as many as may sign");
            }

            if (!band.Of.IsEmpty && !band.Required.IsSubsetOf(band.Of))
            {
                yield return new FieldViolation($"{at}.required_signers", "must be people who may sign");
            }
        }
    }
}

/// <summary>A decision maker lets another person sign for them on dates. The signature counts as the decision maker's own.</summary>
/// <param name="From">The decision maker.</param>
/// <param name="To">A stakeholder of the same client company.</param>
/// <param name="Dates">By the agency's calendar; always with an end.</param>
[GenerateSerializer, Immutable, Alias("client.delegation")]
public sealed record Delegation(PersonId From, PersonId To, DateRange Dates);

/// <summary>What a client company has set about its sign-off.</summary>
/// <param name="Rules">At most one for each subject and currency.</param>
/// <param name="Delegations">Of one decision maker at most one on any date.</param>
[GenerateSerializer, Immutable, Alias("client.sign-off-policy")]
public sealed record SignOffPolicy(ImmutableArray<SignOffRule> Rules, ImmutableArray<Delegation> Delegations)
{
    public static SignOffPolicy Empty { get; } = new([], []);
}

/// <summary>What the client company says of its sign-off; fetched before a decision, which records the version.</summary>
/// <param name="Version">The client company's version.</param>
/// <param name="People">The decision makers.</param>
/// <param name="TimeZone">The agency's: what today is for a delegation.</param>
[GenerateSerializer, Immutable, Alias("engagement.decision-makers")]
public sealed record DecisionMakers(long Version, ImmutableSortedSet<PersonId> People, SignOffPolicy? Policy = null, string TimeZone = "UTC");

/// <summary>Who must sign: so many decision makers, these among them.</summary>
/// <param name="Of">Who may sign; empty: any decision maker.</param>
/// <param name="Required">Who must, whoever else signs.</param>
[GenerateSerializer, Immutable, Alias("client.sign-off-need")]
public sealed record SignOffNeed(int Needed, ImmutableSortedSet<PersonId> Of, ImmutableSortedSet<PersonId> Required)
{
    /// <summary>Any k decision makers.</summary>
    public static SignOffNeed Any(int needed) => new(needed, [], []);

    /// <summary>Whether these decision makers' signatures are enough. More of them never are less, and their order does not matter.</summary>
    public bool IsSatisfiedBy(IEnumerable<PersonId> signers)
    {
        var counted = signers.Where(Counts).ToHashSet();
        return counted.Count >= Needed && Required.IsSubsetOf(counted);
    }

    /// <summary>Whether this decision maker's signature counts.</summary>
    public bool Counts(PersonId person) => Of.IsEmpty || Of.Contains(person);
}

/// <summary>
/// Sign-off, k of n: who must sign what for an amount, and whether a signature is one. Pure, for proposals and scope changes alike. Source: domain §3.
/// </summary>
public static class SignOff
{
    /// <summary>The amount that a rule looks at: the highest monthly equivalent of the terms; null when one of them does not state any.</summary>
    /// <param name="terms">At least one, all in one currency.</param>
    public static Money? Amount(IEnumerable<Terms> terms)
    {
        Money? highest = null;
        foreach (var each in terms)
        {
            if (each.MonthlyEquivalent is not { } monthly)
            {
                return null;
            }

            highest = highest is { } so && so.Minor >= monthly.Minor ? so : monthly;
        }

        return highest;
    }

    /// <summary>Who must sign. The client's rule counts where it has one for the currency, and never less than what the agency asks for.</summary>
    /// <param name="monthly">See <see cref="Amount"/>.</param>
    /// <param name="atLeast">How many signatures the agency asks for, 1 or more.</param>
    public static SignOffNeed Needed(SignOffPolicy? policy, SignOffSubject subject, Currency currency, Money? monthly, int atLeast)
    {
        var rules = (policy ?? SignOffPolicy.Empty).Rules.Where(r => r.Currency == currency).ToDictionary(r => r.Subject);
        if (!rules.TryGetValue(subject, out var rule) && !rules.TryGetValue(SignOffSubject.Proposal, out rule))
        {
            return SignOffNeed.Any(atLeast);
        }

        var band = rule.BandOf(monthly);
        return new SignOffNeed(Math.Max(Math.Max(band.Needed, band.Required.Count), atLeast), band.Of, band.Required);
    }

    /// <summary>Why so much can never be signed by the decision makers that there are; null when it can.</summary>
    public static Rejection? Unreachable(SignOffNeed need, DecisionMakers client)
    {
        var may = client.People.Count(need.Counts);
        var missing = need.Required.Except(client.People);
        return may >= need.Needed && missing.IsEmpty
            ? null
            : Rejection.Rule(
                Reasons.SignOffUnreachable,
                missing.IsEmpty
                    ? $"{need.Needed} signatures are needed, and the client company has {may} decision makers who may give them: add some, or ask for fewer signatures."
                    : $"The client company's rule requires the signature of {string.Join(", ", missing)}, who is no decision maker: change the rule or the stakeholders.",
                ("needed", Text(need.Needed)), ("decision_makers", Text(may)), ("missing_signers", string.Join(",", missing)));
    }

    /// <summary>Why this signature is none; null when it is one. Whether it was given before is the caller's question.</summary>
    /// <param name="person">The decision maker whose signature it is.</param>
    /// <param name="by">Who gives it in their place; null: they themselves.</param>
    /// <param name="at">When it is given: a delegation holds for dates of the agency's calendar.</param>
    public static Rejection? Refuse(SignOffNeed need, DecisionMakers client, ClientCompanyId company, PersonId person, PersonId? by, Instant at)
    {
        if (!client.People.Contains(person))
        {
            return Rejection.Rule(
                Reasons.NotADecisionMaker, $"'{person}' is no decision maker of the client company '{company}'.", ("person", person.Value), ("client", company.Value));
        }

        if (!need.Counts(person))
        {
            return Rejection.Rule(
                Reasons.NotASigner, $"'{person}' is not among those whose signature counts here: {string.Join(", ", need.Of)}.",
                ("person", person.Value), ("signers", string.Join(",", need.Of)));
        }

        var today = at.InZone(DateTimeZoneProviders.Tzdb[client.TimeZone]).Date;
        return by is not { } hand || hand == person || (client.Policy ?? SignOffPolicy.Empty).Delegations.Any(d => d.From == person && d.To == hand && d.Dates.Contains(today))
            ? null
            : Rejection.Rule(
                Reasons.NotDelegated, $"'{person}' has not delegated to '{hand}' on {today:uuuu-MM-dd}: let the decision maker sign, or delegate for that day.",
                ("person", person.Value), ("signed_by", hand.Value), ("date", $"{today:uuuu-MM-dd}"));
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
