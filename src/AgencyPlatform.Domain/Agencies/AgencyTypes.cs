using System.Collections.Immutable;
using System.Text.Json.Serialization;
using AgencyPlatform.Domain.Billing;
using NodaTime;

namespace AgencyPlatform.Domain.Agencies;

/// <summary>What an agency calls itself and assumes where nothing else is said.</summary>
/// <param name="TimeZone">IANA id; what today is for the agency.</param>
/// <param name="Currency">Assumed for new terms.</param>
/// <param name="AddressLines">Postal address of the agency, line by line.</param>
/// <param name="ClientDisputeDays">For so many days after its approval a client may dispute an entry of time, 1–366.</param>
/// <param name="TimeAheadDays">So many days after their today a CMO may log time, 0–31.</param>
[GenerateSerializer, Immutable, Alias("agency.settings")]
public sealed record AgencySettings(
    string DisplayName,
    string TimeZone,
    Currency Currency,
    ImmutableArray<string> AddressLines,
    ImmutableSortedDictionary<string, string> Labels,
    ImmutableSortedDictionary<string, string> ExternalIds,
    int ClientDisputeDays = AgencySettings.DefaultClientDisputeDays,
    int TimeAheadDays = 0)
{
    public const int DefaultClientDisputeDays = 14;

    internal bool SameAs(AgencySettings other) =>
        ClientDisputeDays == other.ClientDisputeDays && TimeAheadDays == other.TimeAheadDays && DisplayName == other.DisplayName && TimeZone == other.TimeZone && Currency == other.Currency
        && AddressLines.SequenceEqual(other.AddressLines) && Labels.SequenceEqual(other.Labels) && ExternalIds.SequenceEqual(other.ExternalIds);
}

/// <summary>A company of the agency that sells and keeps books. Invoice series, books, tax and month closing are per entity.</summary>
/// <param name="Country">ISO 3166-1, two letters.</param>
/// <param name="TimeZone">IANA id; what today is for periods, invoices and months. Stands once set.</param>
/// <param name="Currency">Of its books. Stands once set.</param>
/// <param name="Address">Postal address as printed, lines separated by a line feed.</param>
/// <param name="TaxId">VAT id or another tax number, as printed; may be empty.</param>
/// <param name="DefaultSeries">The invoice series used when none is named.</param>
/// <param name="Details">What electronic invoices say besides; null: nothing.</param>
/// <param name="PayTo">The account that documents ask to pay to; null: they name none.</param>
[GenerateSerializer, Immutable, Alias("agency.legal-entity")]
public sealed record LegalEntity(
    LegalEntityId Id, string LegalName, string Country, string TimeZone, Currency Currency, string Address, string TaxId, InvoiceSeriesId DefaultSeries,
    PartyDetails? Details = null, BankAccount? PayTo = null)
{
    /// <summary>As an invoice has it.</summary>
    public Party AsSeller() => Party.Of(LegalName, Address, Country, TaxId, Details);
}

/// <summary>A key of a caller. Its secret is nowhere: only the SHA-256 is kept.</summary>
/// <param name="SecretHash">SHA-256 of the secret, 64 hexadecimal digits. Hidden, since a secret that is known can be tried against it.</param>
/// <param name="Client">The client company that the key is bound to; needed for the client roles.</param>
/// <param name="Cmo">The CMO that the key is bound to; needed for the role cmo.</param>
/// <param name="ExpiresAt">By the system's clock, a sandbox's key too; null: never.</param>
[GenerateSerializer, Immutable, Alias("agency.api-key")]
public sealed record ApiKey(
    ApiKeyId Id, string DisplayName, [property: Hidden] string SecretHash, ImmutableArray<Role> Roles, ClientCompanyId? Client, CmoId? Cmo, Instant CreatedAt, Instant? ExpiresAt, bool Revoked)
{
    /// <summary>It opens a calendar, of <see cref="Cmo"/> or the whole agency, and no method.</summary>
    [JsonIgnore]
    public bool IsCalendarLink => Roles.Contains(Role.Calendar);
}

// ---- commands ----

/// <param name="SandboxClock">Where the clock of a sandbox starts; null: an ordinary agency.</param>
[GenerateSerializer, Immutable, Alias("agency.create")]
public sealed record CreateAgency(
    AgencyId Id, AgencySettings Settings, int OverbookingPercent, int CoolingOffDays, ImmutableArray<LegalEntity> LegalEntities, Instant? SandboxClock);

/// <summary>Null leaves a part as it is.</summary>
[GenerateSerializer, Immutable, Alias("agency.update")]
public sealed record UpdateAgency(AgencySettings? Settings, int? OverbookingPercent, int? CoolingOffDays);

/// <param name="Create">True: it must be new; false: it must be there; null: either.</param>
[GenerateSerializer, Immutable, Alias("agency.put-legal-entity")]
public sealed record PutLegalEntity(LegalEntity LegalEntity, bool? Create);

[GenerateSerializer, Immutable, Alias("agency.set-holiday-calendar")]
public sealed record SetHolidayCalendar(string Region, ImmutableSortedSet<LocalDate> Days);

/// <param name="SystemNow">The system's now, by which keys live.</param>
/// <param name="HandOver">Made by the platform's operator, who hands an agency over and has no business in it afterwards.</param>
[GenerateSerializer, Immutable, Alias("agency.create-api-key")]
public sealed record CreateApiKey(ApiKey Key, Instant SystemNow, bool HandOver = false);

[GenerateSerializer, Immutable, Alias("agency.revoke-api-key")]
public sealed record RevokeApiKey(ApiKeyId Id);

// ---- events ----

[Event("agency.created"), GenerateSerializer, Immutable, Alias("agency.created")]
public sealed record AgencyCreated(
    AgencyId Id, AgencySettings Settings, int OverbookingPercent, int CoolingOffDays, ImmutableArray<LegalEntity> LegalEntities, Instant? SandboxClock) : IEvent;

[Event("agency.settings-changed"), GenerateSerializer, Immutable, Alias("agency.settings-changed")]
public sealed record AgencySettingsChanged(AgencySettings Settings) : IEvent;

[Event("agency.limits-changed"), GenerateSerializer, Immutable, Alias("agency.limits-changed")]
public sealed record AgencyLimitsChanged(int OverbookingPercent, int CoolingOffDays) : IEvent;

[Event("agency.legal-entity-put"), GenerateSerializer, Immutable, Alias("agency.legal-entity-put")]
public sealed record LegalEntityPut(LegalEntity LegalEntity) : IEvent;

[Event("agency.holiday-calendar-set"), GenerateSerializer, Immutable, Alias("agency.holiday-calendar-set")]
public sealed record HolidayCalendarSet(string Region, ImmutableArray<LocalDate> Days) : IEvent;

[Event("agency.api-key-created"), GenerateSerializer, Immutable, Alias("agency.api-key-created")]
public sealed record ApiKeyCreated(ApiKey Key) : IEvent;

[Event("agency.api-key-revoked"), GenerateSerializer, Immutable, Alias("agency.api-key-revoked")]
public sealed record ApiKeyRevoked(ApiKeyId Id) : IEvent;

[Event("agency.sandbox-clock-advanced"), GenerateSerializer, Immutable, Alias("agency.sandbox-clock-advanced")]
public sealed record SandboxClockAdvanced(Instant To) : IEvent;
