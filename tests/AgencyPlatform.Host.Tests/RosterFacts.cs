using AgencyPlatform.Host.Demo;

namespace AgencyPlatform.Host.Tests;

public sealed class RosterFacts
{
    private const string Header = "kind,id,name,email,hours_per_day,competitor,client,cmo,start_date,end_date,terms,amount,monthly_hours\n";

    [Fact]
    public void A_good_roster_is_read_whole()
    {
        var (roster, errors) = Read("cmo,jane,Jane Doe,jane@agency.example,8,,,,,,,,\nclient,acme,Acme,ceo@acme.example,,,,,,,,,\nengagement,acme-cmo,Fractional CMO,,,,acme,jane,2026-01-05,,retainer,8000.50,40\n");

        Assert.Empty(errors);
        Assert.Equal(480, Assert.Single(roster.Cmos).WeekdayMinutes);
        Assert.Equal((800_050, 2_400, true), roster.Engagements.Select(e => (e.Amount, e.MonthlyMinutes, e.Retainer)).Single());
    }

    [Theory]
    [InlineData("cmo,Jane,Jane,,,,,,,,,,\n", 2, "id")]
    [InlineData("cmo,jane,Ja\u0001ne,,,,,,,,,,\n", 2, "name")]
    [InlineData("cmo,jane,Jane,no address,,,,,,,,,\n", 2, "email")]
    [InlineData("client,acme,Acme,,,acme,,,,,,,\n", 2, "competitor")]
    [InlineData("cmo,jane,Jane,,,,,,,,,,,one more\n", 2, "")]
    [InlineData("cmo,jane,\"Jane,,,,,,,,,,\n", 2, "")]
    [InlineData("cmo,jane,Jane,,,,,,,,,,\nclient,acme,Acme,,,,,,,,,,\nengagement,e,E,,,,acme,jane,9999-12-31,,retainer,8000,40\n", 4, "start_date")]
    [InlineData("cmo,jane,,,,,,,,,,,\n", 2, "name")]
    [InlineData("cmo,jane,Jane,,25,,,,,,,,\n", 2, "hours_per_day")]
    [InlineData("boss,jane,Jane,,,,,,,,,,\n", 2, "kind")]
    [InlineData("client,acme,Acme,,,nobody,,,,,,,\n", 2, "competitor")]
    [InlineData("cmo,jane,Jane,,,,,,,,,,\ncmo,jane,Jane,,,,,,,,,,\n", 3, "id")]
    [InlineData("cmo,jane,Jane,,,,,,,,,,\nclient,acme,Acme,,,,,,,,,,\nengagement,e,E,,,,acme,jane,2026-02-30,,retainer,8000,40\n", 4, "start_date")]
    [InlineData("cmo,jane,Jane,,,,,,,,,,\nclient,acme,Acme,,,,,,,,,,\nengagement,e,E,,,,acme,jane,2026-02-03,2026-02-03,retainer,8000,40\n", 4, "end_date")]
    [InlineData("cmo,jane,Jane,,,,,,,,,,\nclient,acme,Acme,,,,,,,,,,\nengagement,e,E,,,,acme,jane,2026-02-03,,monthly,8000,40\n", 4, "terms")]
    [InlineData("cmo,jane,Jane,,,,,,,,,,\nclient,acme,Acme,,,,,,,,,,\nengagement,e,E,,,,acme,jane,2026-02-03,,hourly,1.5,40\n", 4, "amount")]
    [InlineData("cmo,jane,Jane,,,,,,,,,,\nengagement,e,E,,,,acme,jane,2026-02-03,,hourly,250,40\n", 3, "client")]
    public void A_wrong_cell_is_named_by_line_and_column(string rows, int line, string column)
    {
        // What a row is missing elsewhere in the file is said too; this is about the row.
        var error = Assert.Single(Read(rows).Errors, e => e.Line > 1);

        Assert.Equal((line, column), (error.Line, error.Column));
    }

    [Fact]
    public void Good_rows_stand_beside_bad_ones()
    {
        var (roster, errors) = Read("cmo,jane,Jane,,,,,,,,,,\ncmo,JOE,Joe,,,,,,,,,,\nclient,acme,Acme,,,,,,,,,,\n");

        Assert.Single(errors);
        Assert.Equal("jane", Assert.Single(roster.Cmos).Id);
    }

    [Theory]
    [InlineData("", "cmo")]
    [InlineData("cmo,jane,Jane,,,,,,,,,,\n", "client")]
    public void A_file_without_a_CMO_or_a_client_is_refused(string rows, string missing) =>
        Assert.Contains(Read(rows).Errors, e => e.Line == 1 && e.Problem.Contains($"is a {missing}", StringComparison.Ordinal));

    [Fact]
    public void A_column_named_twice_is_refused()
    {
        using var text = new StringReader("kind,id,name,name\ncmo,jane,Jane,1\nclient,acme,Acme,1\n");

        Assert.Equal((1, "name"), Assert.Single(RosterFile.Read(text).Errors.Select(e => (e.Line, e.Column))));
    }

    [Fact]
    public void A_file_that_is_no_UTF8_is_refused()
    {
        using var file = new MemoryStream([.. System.Text.Encoding.UTF8.GetBytes(Header), .. System.Text.Encoding.Latin1.GetBytes("cmo,jane,Jäne,,,,,,,,,,\n")]);

        Assert.Contains("UTF-8", Assert.Throws<DemoException>(() => RosterFile.Read(file)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(';')]
    [InlineData('\t')]
    public void Cells_may_be_separated_otherwise(char separator)
    {
        using var text = new StringReader((Header + "cmo,jane,Jane Doe,,,,,,,,,,\nclient,acme,Acme,,,,,,,,,,\n").Replace(',', separator));

        var (roster, errors) = RosterFile.Read(text);

        Assert.Empty(errors);
        Assert.Equal("Jane Doe", Assert.Single(roster.Cmos).Name);
    }

    private static (Roster Roster, IReadOnlyList<RosterError> Errors) Read(string rows)
    {
        using var text = new StringReader(Header + rows);
        return RosterFile.Read(text);
    }
}
