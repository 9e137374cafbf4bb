using System.Collections.Immutable;
using System.Text.Json.Serialization;
using AgencyPlatform.Domain.Billing;
using NodaTime;

namespace AgencyPlatform.Domain.Clients;

/// <summary>What a client company is. Names of people are in the people vault.</summary>
/// <param name="DisplayName">The company's name; no personal data.</param>
/// <param name="TimeZone">IANA id.</param>
/// <param name="Billing">What an invoice to the client carries.</param>
[GenerateSerializer, Immutable, Alias("client.profile")]
public sealed record ClientProfile(
    string DisplayName,
    string Website,
    string Industry,
    string TimeZone,
    BillingDetails Billing,
    ImmutableSortedDictionary<string, string> Labels,
    ImmutableSortedDictionary<string, string> ExternalIds);

/// <param name="LegalName">As printed on invoices; empty: the display name.</param>
/// <param name="Address">Lines separated by a line feed.</param>
/// <param name="Country">ISO 3166-1, two letters; may be empty.</param>
/// <param name="PaymentTermDays">Days from the issue date to the due date, 0–365.</param>
/// <param name="Tax">How what is sold to the client is taxed; null: not subject to tax.</param>
/// <param name="Details">What electronic invoices say of the client besides; null: nothing.</param>
/// <param name="Document">What the client wants to find on documents; null: nothing.</param>
/// <param name="Accounts">What single billing accounts have otherwise, by legal entity and currency (see <see cref="AccountKey"/>); null: none.</param>
[GenerateSerializer, Immutable, Alias("client.billing-details")]
public sealed record BillingDetails(
    string LegalName, string Address, string Country, string TaxId, int PaymentTermDays, TaxTreatment? Tax = null,
    PartyDetails? Details = null, DocumentTerms? Document = null, ImmutableSortedDictionary<string, BillingAccountDetails>? Accounts = null)
{
    public const int MostAccounts = 50;

    public static string AccountKey(LegalEntityId legalEntity, Currency currency) => $"{legalEntity}/{currency}";

    /// <summary>As an invoice has it.</summary>
    /// <param name="displayName">Of the client company, where no legal name is set.</param>
    public Party AsBuyer(string displayName) => Party.Of(LegalName.Length > 0 ? LegalName : displayName, Address, Country, TaxId, Details);

    /// <summary>What holds for one billing account: what it has otherwise, and the rest as for all.</summary>
    public BillingDetails For(LegalEntityId legalEntity, Currency currency)
    {
        if (Accounts?.GetValueOrDefault(AccountKey(legalEntity, currency)) is not { } account)
        {
            return this;
        }

        var (all, own) = (Document ?? DocumentTerms.None, account.Document ?? DocumentTerms.None);
        return this with
        {
            PaymentTermDays = account.PaymentTermDays ?? PaymentTermDays,
            Tax = account.Tax ?? Tax,
            Document = new DocumentTerms(
                Own(own.BuyerReference, all.BuyerReference), Own(own.PurchaseOrder, all.PurchaseOrder), Own(own.PaymentTerms, all.PaymentTerms), Own(own.Language, all.Language),
                // The reason is of the category that it explains.
                account.Tax is null ? all.TaxExemptionReason : own.TaxExemptionReason).OrNull(),
        };

        static string Own(string own, string all) => own.Length > 0 ? own : all;
    }
}

/// <summary>What one billing account of a client has otherwise than its others. Null and empty: as the others.</summary>
[GenerateSerializer, Immutable, Alias("client.billing-account-details")]
public sealed record BillingAccountDetails(TaxTreatment? Tax, int? PaymentTermDays, DocumentTerms? Document);

/// <summary>A person of the client who has a say.</summary>
/// <param name="Title">CEO, CSO, VP, board …</param>
/// <param name="DecisionMaker">May sign proposals and scope changes.</param>
[GenerateSerializer, Immutable, Alias("client.stakeholder")]
public sealed record Stakeholder(PersonId Person, string Title, bool DecisionMaker);

// ---- commands ----

[GenerateSerializer, Immutable, Alias("client.create")]
public sealed record CreateClient(ClientCompanyId Id, ClientProfile Profile);

[GenerateSerializer, Immutable, Alias("client.update")]
public sealed record UpdateClient(ClientProfile Profile);

/// <summary>The clients that this one names as competitors, the whole set.</summary>
[GenerateSerializer, Immutable, Alias("client.set-competitors")]
public sealed record SetCompetitors(ImmutableSortedSet<ClientCompanyId> Competitors);

/// <param name="Details">Null: the people vault has them already, of one who was known before the client company was.</param>
[GenerateSerializer, Immutable, Alias("client.put-stakeholder")]
public sealed record PutStakeholder(Stakeholder Stakeholder, PersonDetails? Details);

[GenerateSerializer, Immutable, Alias("client.remove-stakeholder")]
public sealed record RemoveStakeholder(PersonId Person);

// ---- events ----

[Event("client.created"), GenerateSerializer, Immutable, Alias("client.created")]
public sealed record ClientCreated(ClientCompanyId Id, ClientProfile Profile) : IEvent;

/// <param name="Before">The external ids that it had.</param>
[Event("client.profile-changed"), GenerateSerializer, Immutable, Alias("client.profile-changed")]
public sealed record ClientProfileChanged(ClientProfile Profile, ImmutableSortedDictionary<string, string> Before) : IEvent;

/// <param name="Before">Whom it named until now.</param>
[Event("client.competitors-set"), GenerateSerializer, Immutable, Alias("client.competitors-set")]
public sealed record CompetitorsSet(ImmutableSortedSet<ClientCompanyId> Competitors, ImmutableSortedSet<ClientCompanyId> Before) : IEvent;

[Event("client.stakeholder-put"), GenerateSerializer, Immutable, Alias("client.stakeholder-put")]
public sealed record StakeholderPut(Stakeholder Stakeholder) : IEvent;

[Event("client.stakeholder-removed"), GenerateSerializer, Immutable, Alias("client.stakeholder-removed")]
public sealed record StakeholderRemoved(PersonId Person) : IEvent;

// ---- read models ----

[RowTable("clients", nameof(Id))]
public sealed record ClientRow(ClientCompanyId Id, string DisplayName, string Industry, string TimeZone) : IRow;

/// <summary>Who names whom: read from the named side.</summary>
[RowTable("competitors", nameof(Competitor), nameof(Client))]
public sealed record CompetitorRow(ClientCompanyId Competitor, ClientCompanyId Client) : IRow;

/// <summary>A client company: the agency's customer, with who decides there and whom it competes with.</summary>
/// <param name="Removed">People who were removed, and so erased: nobody else takes their ids, under which they have signed.</param>
[GenerateSerializer, Immutable, Alias("client")]
public sealed partial record ClientCompany(
    ClientCompanyId Id,
    ClientProfile Profile,
    ImmutableSortedSet<ClientCompanyId> Competitors,
    ImmutableSortedDictionary<PersonId, Stakeholder> Stakeholders,
    SignOffPolicy SignOff,
    ImmutableSortedSet<PersonId> Removed) : IState<ClientCompany>
{
    public const int MostCompetitors = 200;
    public const int MostStakeholders = 100;

    /// <summary>Stakeholders over time, those that were removed included.</summary>
    public const int MostPeople = 1_000;

    public static string Kind => "client";

    public static int FoldVersion => 3;

    public static ClientCompany Initial { get; } = new(
        default,
        new ClientProfile("", "", "", "", new BillingDetails("", "", "", "", 0), ImmutableSortedDictionary<string, string>.Empty, ImmutableSortedDictionary<string, string>.Empty),
        [], ImmutableSortedDictionary<PersonId, Stakeholder>.Empty, SignOffPolicy.Empty, []);

    [JsonIgnore]
    public bool Exists => Id.Value is not null;

    /// <summary>Nothing of a client company changes by time alone.</summary>
    [JsonIgnore]
    public Instant? NextDue => null;

    public ImmutableArray<IEvent> Settle(Instant now) => [];

    // ---- decisions ----

    public Decision Create(CreateClient command) =>
        Exists ? Rejection.AlreadyExists("client_company", command.Id.Value) : Decision.Accept(new ClientCreated(command.Id, command.Profile));

    public Decision Update(UpdateClient command) => Known() ?? Decision.Accept(new ClientProfileChanged(command.Profile, Profile.ExternalIds));

    public Decision SetCompetitors(SetCompetitors command)
    {
        if (Known() is { } unknown)
        {
            return unknown;
        }

        if (command.Competitors.Contains(Id))
        {
            return Rejection.Invalid(new FieldViolation("competitors", "must be other client companies than this one"));
        }

        return command.Competitors.Count > MostCompetitors
            ? Rejection.Invalid(new FieldViolation("competitors", $"must be at most {MostCompetitors}"))
            : command.Competitors.SetEquals(Competitors) ? Decision.Nothing : Decision.Accept(new CompetitorsSet(command.Competitors, Competitors));
    }

    public Decision PutStakeholder(PutStakeholder command) =>
        Known() ?? (Removed.Contains(command.Stakeholder.Person)
            ? Rejection.Rule(
                Reasons.PersonRemoved, $"'{command.Stakeholder.Person}' was removed and is erased; what they signed keeps their id. Give another person id.", ("person", command.Stakeholder.Person.Value))
            : (Stakeholders.Count >= MostStakeholders || Stakeholders.Count + Removed.Count >= MostPeople) && !Stakeholders.ContainsKey(command.Stakeholder.Person)
            ? Rejection.Invalid(new FieldViolation("stakeholder", $"must be at most {MostStakeholders} of a client company, and {MostPeople} over time"))
            : Decision.Accept(new StakeholderPut(command.Stakeholder)) is var put && command.Details is { } details ? put.With(new PersonWrite(command.Stakeholder.Person, details)) : put);

    public Decision RemoveStakeholder(RemoveStakeholder command) =>
        Known() ?? (Stakeholders.ContainsKey(command.Person)
            ? Decision.Accept(new StakeholderRemoved(command.Person)).With(new PersonWrite(command.Person, null))
            : Rejection.NotFound("stakeholder", command.Person.Value));

    private Decision? Known() => Exists ? (Decision?)null : Decision.Reject(Rejection.NotFound("client_company", ""));

    // ---- fold ----

    public ClientCompany Apply(IEvent @event) => @event switch
    {
        ClientCreated e => this with { Id = e.Id, Profile = e.Profile },
        ClientProfileChanged e => this with { Profile = e.Profile },
        CompetitorsSet e => this with { Competitors = e.Competitors },
        StakeholderPut e => this with { Stakeholders = Stakeholders.SetItem(e.Stakeholder.Person, e.Stakeholder) },
        StakeholderRemoved e => this with { Stakeholders = Stakeholders.Remove(e.Person), Removed = Removed.Add(e.Person) },
        SignOffRulesSet e => this with { SignOff = SignOff with { Rules = e.Rules } },
        SignOffDelegated e => this with { SignOff = SignOff with { Delegations = SignOff.Delegations.Add(e.Delegation) } },
        DelegationRevoked e => this with { SignOff = SignOff with { Delegations = SignOff.Delegations.RemoveAll(d => d.From == e.From && d.Dates.Start == e.Start) } },
        NothingChanged => this,
        _ => throw new InvalidOperationException($"A client company does not know {@event.GetType().Name}."),
    };

    public IEnumerable<RowChange> Project(IEvent @event, EventInfo info) => @event switch
    {
        ClientCreated e => [.. ExternalIdRow.Changes(Kind, Id.Value, ImmutableSortedDictionary<string, string>.Empty, e.Profile.ExternalIds), Row()],
        ClientProfileChanged e => [.. ExternalIdRow.Changes(Kind, Id.Value, e.Before, e.Profile.ExternalIds), Row()],
        CompetitorsSet e =>
        [
            .. e.Before.Except(e.Competitors).Select(RowChange (c) => new Drop(new CompetitorRow(c, Id))),
            .. e.Competitors.Except(e.Before).Select(RowChange (c) => new Put(new CompetitorRow(c, Id))),
        ],
        _ => [],
    };

    private Put Row() => new(new ClientRow(Id, Profile.DisplayName, Profile.Industry, Profile.TimeZone));
}
