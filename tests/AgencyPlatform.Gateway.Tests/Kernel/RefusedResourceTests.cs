namespace AgencyPlatform.Gateway.Tests.Kernel;

/// <summary>A refusal names the resource in full, whatever its grain knows of it.</summary>
public sealed class RefusedResourceTests
{
    [Theory]
    [InlineData("agency", "acme", "agencies/acme", "agencies/acme")]
    [InlineData("agency", "", "agencies/acme/cmos/ada", "agencies/acme")]
    [InlineData("cmo", "ada", "agencies/acme", "agencies/acme/cmos/ada")]
    [InlineData("cmo", "", "agencies/acme/cmos/ada/bookings/b", "agencies/acme/cmos/ada")]
    [InlineData("client_company", "south", "agencies/acme/clientCompanies/north", "agencies/acme/clientCompanies/south")]
    [InlineData("booking", "b", "agencies/acme/cmos/ada", "agencies/acme/cmos/ada/bookings/b")]
    [InlineData("booking", "b", "agencies/acme/cmos/ada/bookings/b", "agencies/acme/cmos/ada/bookings/b")]
    [InlineData("timesheet", "ada/2026-w02", "agencies/acme/cmos/ada/timesheets/2026-w02", "agencies/acme/cmos/ada/timesheets/2026-w02")]
    [InlineData("legal_entity", "us", "agencies/acme/engagements/launch", "agencies/acme/legalEntities/us")]
    [InlineData("invoice", "agencies/acme/invoices/one", "agencies/acme/invoices/one", "agencies/acme/invoices/one")]
    [InlineData("stakeholder", "ceo", "agencies/acme/clientCompanies/north", null)]
    [InlineData("booking", "b", "agencies/acme/engagements/launch", null)]
    public void In_full(string type, string id, string named, string? full) => Assert.Equal(full, RefusedResource.FullName(type, id, [named]));
}
