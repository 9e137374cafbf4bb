using AgencyPlatform.Domain.Agencies;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Gateway.Billing;
using Agency = AgencyPlatform.Domain.Agencies.Agency;
using ApiKey = AgencyPlatform.Domain.Agencies.ApiKey;
using LegalEntity = AgencyPlatform.Domain.Agencies.LegalEntity;
using V1 = AgencyPlatform.Protocol.Agencies.V1;

namespace AgencyPlatform.Gateway.Agencies;

/// <summary>Agencies between the wire and the domain.</summary>
internal static class AgencyWire
{
    public static AgencySettings Settings(string path, V1.Agency wire, Fields fields) => new(
        fields.Text(path + ".display_name", wire.DisplayName, 200),
        fields.TimeZone(path + ".time_zone", wire.TimeZone),
        fields.Currency(path + ".default_currency", wire.DefaultCurrency),
        fields.Lines(path + ".address_lines", wire.AddressLines, 8, 120),
        fields.Labels(path + ".labels", wire.Labels),
        fields.ExternalIds(path + ".external_ids", wire.ExternalIds),
        wire.ClientDisputeDays == 0 ? AgencySettings.DefaultClientDisputeDays : fields.Number(path + ".client_dispute_days", wire.ClientDisputeDays, 1, 366, "days"),
        fields.Number(path + ".time_ahead_days", wire.TimeAheadDays, 0, 31, "days"));

    public static LegalEntity LegalEntity(string path, V1.LegalEntity wire, LegalEntityId id, Fields fields)
    {
        fields.Require(
            wire.DefaultInvoiceSeries.Length <= InvoiceSeries.LongestDefault, path + ".default_invoice_series",
            $"must have at most {InvoiceSeries.LongestDefault} characters, so that its credit notes' series is an id too");
        return new LegalEntity(
            id,
            fields.Text(path + ".legal_name", wire.LegalName, 200),
            PartyWire.Country(path + ".country", wire.Country, fields, required: true),
            fields.TimeZone(path + ".time_zone", wire.TimeZone),
            fields.Currency(path + ".currency", wire.Currency),
            string.Join('\n', fields.Lines(path + ".address_lines", wire.AddressLines, 8, 120)),
            fields.Text(path + ".tax_id", wire.TaxId, 64, required: false),
            wire.DefaultInvoiceSeries.Length == 0 ? new InvoiceSeriesId("main") : fields.Id<InvoiceSeriesId>(path + ".default_invoice_series", wire.DefaultInvoiceSeries),
            PartyWire.Details(path, wire.PostalAddress, wire.VatId, wire.RegistrationNumber, wire.ElectronicAddress, wire.Contact, fields),
            PartyWire.Bank(path + ".bank_account", wire.BankAccount, fields));
    }

    public static V1.Agency ToWire(Reply<Agency> reply)
    {
        var (agency, meta) = reply.OrThrow();
        var wire = new V1.Agency
        {
            Name = ResourceNames.Of(agency.Id),
            Uid = meta.Uid.ToString(),
            Etag = Etags.Of(meta),
            Version = meta.Version,
            CreateTime = meta.CreatedAt.ToWire(),
            UpdateTime = meta.UpdatedAt.ToWire(),
            DisplayName = agency.Settings.DisplayName,
            TimeZone = agency.Settings.TimeZone,
            DefaultCurrency = agency.Settings.Currency.Code,
            AddressLines = { agency.Settings.AddressLines },
            OverbookingPercent = agency.Policy.OverbookingPercent,
            CoolingOffDays = agency.Policy.CoolingOffDays,
            Sandbox = agency.IsSandbox,
            Clock = agency.Clock.ToWire(),
            ClientDisputeDays = agency.Settings.ClientDisputeDays,
            TimeAheadDays = agency.Settings.TimeAheadDays,
        };
        wire.Labels.Put(agency.Settings.Labels);
        wire.ExternalIds.Put(agency.Settings.ExternalIds);
        return wire;
    }

    public static V1.LegalEntity ToWire(AgencyId agency, LegalEntity entity) => new()
    {
        Name = ResourceNames.Of(agency, "legalEntities", entity.Id.Value),
        LegalName = entity.LegalName,
        Country = entity.Country,
        TimeZone = entity.TimeZone,
        Currency = entity.Currency.Code,
        AddressLines = { entity.Address.Split('\n', StringSplitOptions.RemoveEmptyEntries) },
        TaxId = entity.TaxId,
        DefaultInvoiceSeries = entity.DefaultSeries.Value,
        PostalAddress = entity.Details?.Address.ToWire(),
        VatId = entity.Details?.VatId ?? "",
        RegistrationNumber = entity.Details?.RegistrationNumber ?? "",
        ElectronicAddress = entity.Details?.Electronic.ToWire(),
        Contact = entity.Details?.Contact.ToWire(),
        BankAccount = entity.PayTo.ToWire(),
    };

    public static V1.HolidayCalendar ToWire(AgencyId agency, string region, IEnumerable<LocalDate> days) => new()
    {
        Name = ResourceNames.Of(agency, "holidayCalendars", region),
        Days = { days.Select(d => d.ToWire()) },
    };

    public static V1.ApiKey ToWire(AgencyId agency, ApiKey key) => new()
    {
        Name = ResourceNames.Of(agency, "apiKeys", key.Id.Value),
        DisplayName = key.DisplayName,
        Roles = { key.Roles.Select(r => r.ToWire<V1.Role>()) },
        ClientCompany = key.Client is { } client ? ResourceNames.Of(agency, "clientCompanies", client.Value) : "",
        Cmo = key.Cmo is { } cmo ? ResourceNames.Of(agency, "cmos", cmo.Value) : "",
        CreateTime = key.CreatedAt.ToWire(),
        ExpireTime = key.ExpiresAt.ToWire(),
        Revoked = key.Revoked,
    };

    public static V1.Caller ToWire(Caller caller) => caller.Agency is not { } agency ? new V1.Caller() : new()
    {
        Agency = ResourceNames.Of(agency),
        Roles = { caller.Roles.Select(r => r.ToWire<V1.Role>()) },
        ClientCompany = caller.Client is { } client ? ResourceNames.Of(agency, "clientCompanies", client.Value) : "",
        Cmo = caller.Cmo is { } cmo ? ResourceNames.Of(agency, "cmos", cmo.Value) : "",
        Sandbox = caller.Sandbox,
    };
}
