using AgencyPlatform.Contracts;
using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Billing;
using AgencyPlatform.Domain;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Domain.Time;
using NodaTime;

namespace AgencyPlatform.Grains.Tests.Fixtures;

/// <summary>What the British legal entity had in its books before it came here.</summary>
internal sealed partial class Story
{
    private async Task BooksOfBefore()
    {
        var (uk, pounds) = (new LegalEntityId("harbor-uk"), new Currency("GBP"));
        Money Pounds(long minor) => new(minor, pounds);
        var hours = await Running("london", new PrepaidTerms(s_year.Start, uk, pounds, new BillCycle(1, 1), 150_000, 600, 6, 30_000, OverageGate.Consent));
        var days = new DateRange(s_year.Start, s_year.Start.PlusMonths(2));
        Ok(await grains.Of<IOpenBooksImportGrain>(s_agency, "uk-books").Import(Next(), new ImportOpenBooks(new("uk-books"), uk, pounds, s_year.Start, new OpenBooks(
            [new(s_clients.Acme, "2025/88", new LocalDate(2025, 12, 1), new LocalDate(2025, 12, 31), Pounds(120_000), Pounds(20_000), Pounds(60_000))],
            [new(s_clients.Bolt, Pounds(5_000))],
            [new(new("london"), Pounds(12_000), days)],
            [new(new("london"), GrantOrigin.Prepaid, 240, new LocalDate(2026, 6, 1), Pounds(40_000)), new(new("london"), GrantOrigin.Carried, 30, new LocalDate(2026, 5, 1), null)],
            [new(s_cmos.Ada, Pounds(70_000))], [new(new("uk"), 89)]))));
        Ok(await hours.GetMeter(new Read(s_agency, _now), new LocalDate(2026, 3, 1)));
    }
}
