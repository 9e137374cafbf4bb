using System.Collections.Immutable;
using AgencyPlatform.Domain.Agencies;
using AgencyPlatform.Domain.Billing;
using CsCheck;
using NodaTime;

namespace AgencyPlatform.Domain.Tests.Billing;

/// <summary>What the series of a legal entity print, when they begin again, and that nothing is ever printed twice.</summary>
public sealed class Series_and_how_they_print
{
    private const string Zone = "Europe/Berlin";

    private static readonly LegalEntityId s_entity = new("de");
    private static readonly InvoiceSeriesId s_main = new("main");
    private static readonly Instant s_now = Instant.FromUtc(2026, 6, 1, 12, 0);
    private static readonly SeriesFormat s_yearly = new("RE-{year}-", 4, true);

    [Theory]
    [InlineData("RE-{year}-", 4, 42, 2026, "RE-2026-0042")]
    [InlineData("RE-{year}-", 1, 42, 2027, "RE-2027-42")]
    [InlineData("{year}/", 3, 1, 2026, "2026/001")]
    [InlineData("R{year}.DE_", 5, 123456, 2026, "R2026.DE_123456")]
    [InlineData("2026-X", 9, 7, 2030, "2026-X000000007")]
    [InlineData("MAIN-", 6, 999_999_999, 2026, "MAIN-999999999")]
    public void A_number_is_printed_behind_its_prefix(string prefix, int digits, long number, int year, string printed)
    {
        Assert.Empty(new SeriesFormat(prefix, digits, false).Violations("settings"));
        Assert.Equal(printed, new SeriesFormat(prefix, digits, false).Print(number, year));
    }

    [Theory]
    [InlineData("", 6, false, "settings.prefix")]
    [InlineData("RE", 0, false, "settings.digits")]
    [InlineData("RE", 10, false, "settings.digits")]
    [InlineData("RE2", 6, false, "settings.prefix")]
    [InlineData("RE{year}", 6, false, "settings.prefix")]
    [InlineData("-RE", 6, false, "settings.prefix")]
    [InlineData("R E-", 6, false, "settings.prefix")]
    [InlineData("RÉ-", 6, false, "settings.prefix")]
    [InlineData("=1+", 6, false, "settings.prefix")]
    [InlineData("RE-{jahr}-", 6, false, "settings.prefix")]
    [InlineData("{year}-{year}-", 6, false, "settings.prefix")]
    [InlineData("ABCDEFGHIJABCDEFGHIJABCDEFGHIJ-", 6, false, "settings.prefix")]
    [InlineData("RE-", 6, true, "settings.prefix")]
    [InlineData("RE-", 0, true, "settings.prefix settings.digits")]
    public void What_cannot_be_printed_for_certain_is_refused_by_its_field(string prefix, int digits, bool restarts, string fields) =>
        Assert.Equal(fields.Split(' '), new SeriesFormat(prefix, digits, restarts).Violations("settings").Select(v => v.Field));

    [Theory]
    [InlineData("RE-", "re-", true)]
    [InlineData("RE-{year}-", "RE-2026-", true)]
    [InlineData("R2{year}-", "R{year}5-", true)]
    [InlineData("{year}-", "2O26-", false)]
    [InlineData("RE-2025-", "RE-2026-", false)]
    [InlineData("RE-{year}-", "RE-{year}.", false)]
    [InlineData("RE-{year}-", "RE-26-", false)]
    [InlineData("MAIN-", "MAIN-CN-", false)]
    public void Two_series_clash_when_some_year_makes_their_prefixes_one(string one, string other, bool clash)
    {
        Assert.Equal(clash, new SeriesFormat(one, 6, false).Clashes(new SeriesFormat(other, 3, false)));
        Assert.Equal(clash, new SeriesFormat(other, 6, false).Clashes(new SeriesFormat(one, 3, false)));
    }

    [Fact]
    public void A_series_begins_again_with_the_year_of_its_numbers_date_by_the_legal_entitys_calendar()
    {
        // 22:59 and 23:01 UTC on New Year's Eve: 23:59 and 00:01 in Berlin.
        var series = Given(InvoiceSeries.Initial, s_yearly, Instant.FromUtc(2026, 12, 31, 22, 59), "a", "b");
        series = Given(series, s_yearly, Instant.FromUtc(2026, 12, 31, 23, 1), "c", "d");
        Assert.Equal(["RE-2026-0001", "RE-2026-0002", "RE-2027-0001", "RE-2027-0002"], series.Recent.Select(n => n.Printed));
        Assert.Equal([new LocalDate(2026, 12, 31), new LocalDate(2027, 1, 1)], series.Recent.Select(n => n.IssueDate).Distinct());

        // A silo whose clock goes behind stays in the year; who asks again is told the same.
        series = Given(series, s_yearly, Instant.FromUtc(2026, 12, 31, 22, 0), "e");
        Assert.Equal(("RE-2027-0003", new LocalDate(2027, 1, 1)), (series.Recent[^1].Printed, series.Recent[^1].IssueDate));
        Assert.Empty(Assign(series, s_yearly, Instant.FromUtc(2028, 1, 1, 12, 0), "a", "d").Events);

        // Years without a number are passed over.
        Assert.Equal("RE-2029-0001", Given(series, s_yearly, Instant.FromUtc(2029, 6, 1, 0, 0), "f").Recent[^1].Printed);
    }

    [Fact]
    public void A_series_that_learns_to_begin_again_goes_on_to_the_end_of_its_year()
    {
        var plain = s_yearly with { RestartsYearly = false };
        var series = Given(InvoiceSeries.Initial, plain, Instant.FromUtc(2025, 6, 1, 0, 0), "a");
        series = Given(series, plain, Instant.FromUtc(2026, 6, 1, 0, 0), "b");
        Assert.Equal("RE-2026-0002", series.Recent[^1].Printed);
        series = Given(series, s_yearly, Instant.FromUtc(2026, 7, 1, 0, 0), "c");
        Assert.Equal("RE-2026-0003", series.Recent[^1].Printed);
        Assert.Equal("RE-2027-0001", Given(series, s_yearly, Instant.FromUtc(2027, 1, 2, 0, 0), "d").Recent[^1].Printed);
    }

    [Fact]
    public void What_was_given_before_the_printed_number_was_kept_prints_as_it_did()
    {
        var old = InvoiceSeries.Initial.Apply(new NumbersAssigned(s_entity, s_main, [new(new("a"), 42, new LocalDate(2026, 6, 1))]));
        Assert.Equal("MAIN-000042", InvoiceSeries.Printed(s_main, old.Last, old.Recent[0].Printed));
        Assert.Equal("MAIN-000043", Given(old, SeriesFormat.Default(s_main), Instant.FromUtc(2027, 1, 2, 0, 0), "b").Recent[^1].Printed);
    }

    [Theory]
    [InlineData(60L, 2026, null, "RE-2027-0001")]
    [InlineData(3L, 2027, null, "RE-2027-0004")]
    [InlineData(0L, 2027, null, "RE-2027-0001")]
    [InlineData(1L, 2026, "last_number", null)]
    [InlineData(3L, 2028, "year", null)]
    [InlineData(3L, 2025, "year", null)]
    [InlineData(3L, null, "year", null)]
    public void After_a_restore_the_last_number_is_confirmed_with_its_year(long last, int? year, string? field, string? next)
    {
        var (epoch, now) = (Guid.CreateVersion7(), Instant.FromUtc(2027, 1, 10, 12, 0));
        var series = Given(InvoiceSeries.Initial, s_yearly, Instant.FromUtc(2026, 12, 20, 12, 0), "a", "b");
        var decided = Confirm(series, s_yearly, last, year, epoch, now);
        Assert.Equal(field, decided.Rejection?.Fields.Single().Field);
        if (field is null)
        {
            var confirmed = series.Apply(Assert.Single(decided.Events));
            Assert.Empty(Confirm(confirmed, s_yearly, last, year, epoch, now).Events);
            Assert.Equal(next, confirmed.Apply(Assert.Single(Assign(confirmed, s_yearly, now, epoch, "c").Events)).Recent[^1].Printed);
        }
    }

    [Fact]
    public void A_confirmation_is_mended_until_the_next_number_and_no_number_of_another_year_makes_it_look_new()
    {
        var (epoch, now) = (Guid.CreateVersion7(), Instant.FromUtc(2027, 1, 10, 12, 0));
        var series = Given(InvoiceSeries.Initial, s_yearly, Instant.FromUtc(2026, 12, 20, 12, 0), "a", "b");
        var wrong = series.Apply(Assert.Single(Confirm(series, s_yearly, 3, 2027, epoch, now).Events));
        var right = wrong.Apply(Assert.Single(Confirm(wrong, s_yearly, 5, 2026, epoch, now).Events));
        Assert.Equal((5, 2026, 2, 2026), (right.Last, right.Year, right.Confirmation!.Known, right.Confirmation.KnownYear));
        Assert.Equal("last_number", Confirm(right, s_yearly, 1, 2026, epoch, now).Rejection!.Fields.Single().Field);

        // On a clock that is still in the old year a number is of the year that was confirmed.
        var early = wrong.Apply(Assert.Single(Assign(wrong, s_yearly, Instant.FromUtc(2026, 12, 31, 12, 0), epoch, "x").Events)).Recent[^1];
        Assert.Equal(("RE-2027-0004", new LocalDate(2027, 1, 1)), (early.Printed, early.IssueDate));

        // Five of the new year: the last number is 5 again, and stands.
        foreach (var invoice in "cdefg")
        {
            right = right.Apply(Assert.Single(Assign(right, s_yearly, now, epoch, invoice.ToString()).Events));
        }

        Assert.Equal((5, 2027), (right.Last, right.Year));
        Assert.Equal(Reasons.SeriesInUse, Confirm(right, s_yearly, 9, 2027, epoch, now).Rejection!.Reason);
    }

    [Fact]
    public void A_cut_over_goes_on_after_the_other_systems_last_number_of_the_year()
    {
        var now = Instant.FromUtc(2026, 6, 1, 12, 0);
        var taken = InvoiceSeries.Initial.Apply(Assert.Single(
            InvoiceSeries.Initial.Confirm(new ConfirmLastNumber(s_entity, s_main, 41, 2026), s_yearly, Zone, Guid.Empty, restored: false, [], now).Events));
        Assert.Equal("RE-2026-0042", Given(taken, s_yearly, now, "a").Recent[^1].Printed);
        Assert.Equal("RE-2027-0001", Given(taken, s_yearly, Instant.FromUtc(2027, 1, 1, 12, 0), "a").Recent[^1].Printed);

        var plain = InvoiceSeries.Initial.Confirm(new ConfirmLastNumber(s_entity, s_main, 41, 2026), SeriesFormat.Default(s_main), Zone, Guid.Empty, restored: false, [], now);
        Assert.Equal("year", plain.Rejection!.Fields.Single().Field);
    }

    [Fact]
    public void A_series_in_use_keeps_its_prefix_and_no_other_may_have_one_that_prints_the_same()
    {
        var agency = NewAgency();
        Assert.Equal(["main", "main-cn"], agency.SeriesOf(s_entity).Keys.Select(k => k.Value));
        Assert.Equal("MAIN-CN-000007", agency.FormatOf(s_entity, new("main-cn")).Print(7, 2026));
        agency = agency.Apply(Assert.Single(Set(agency, "main", s_yearly).Events));
        agency = agency.Apply(Assert.Single(Set(agency, "main", s_yearly with { Prefix = "INV-{year}-" }).Events));
        agency = agency.Apply(Assert.Single(agency.UseInvoiceSeries(s_entity, s_main).Events));
        Assert.Empty(agency.UseInvoiceSeries(s_entity, s_main).Events);

        var refused = Set(agency, "main", s_yearly).Rejection!;
        Assert.Equal((Reasons.SeriesPrefixFixed, "INV-{year}-"), (refused.Reason, refused.Metadata["prefix"]));
        Assert.Equal(Reasons.SeriesPrefixFixed, Set(NewAgency(), "main", s_yearly, Given(InvoiceSeries.Initial, s_yearly, s_now, "a")).Rejection!.Reason);
        Assert.Single(Set(agency, "main", new("INV-{year}-", 6, false)).Events);
        Assert.Empty(Set(agency, "main", new("INV-{year}-", 4, true)).Events);

        foreach (var (series, prefix) in new[] { ("main-cn", "inv-2026-"), ("next", "INV-{year}-"), ("next", "MAIN-CN-") })
        {
            Assert.Equal(Reasons.SeriesPrefixTaken, Set(agency, series, new(prefix, 2, false)).Rejection!.Reason);
        }

        Assert.Equal(RejectionKind.NotFound, agency.SetInvoiceSeries(new(new("fr"), s_main, s_yearly, false), [], s_now).Rejection!.Kind);
    }

    [Fact]
    public void A_default_series_must_not_print_as_another_series_was_set_to()
    {
        var agency = NewAgency();
        agency = agency.Apply(Assert.Single(Set(agency, "main", new("INV-", 6, false)).Events));
        var taken = Put(agency, "inv").Rejection!;
        Assert.Equal((Reasons.SeriesPrefixTaken, "inv", "main"), (taken.Reason, taken.Metadata["series"], taken.Metadata["other_series"]));

        // With a prefix of its own it may.
        agency = agency.Apply(Assert.Single(Set(agency, "inv", new("I.", 6, false)).Events));
        agency = agency.Apply(Assert.Single(Put(agency, "inv").Events));
        Assert.Equal(["inv", "inv-cn", "main", "main-cn"], agency.SeriesOf(s_entity).Keys.Select(k => k.Value));
    }

    [Fact]
    public void A_legal_entity_has_a_bounded_number_of_series()
    {
        var agency = NewAgency();
        for (var i = agency.SeriesOf(s_entity).Count; i < Agency.MaxSeries; i++)
        {
            agency = agency.Apply(Assert.Single(Set(agency, $"s{i}", new($"S{i}-", 6, false)).Events));
        }

        Assert.Equal(Reasons.TooManySeries, Set(agency, "more", new("MORE-", 6, false)).Rejection!.Reason);
        Assert.Equal(Reasons.TooManySeries, Put(agency, "more").Rejection!.Reason);
        Assert.Single(Set(agency, "s7", new("S-SEVEN-", 6, false)).Events);
    }

    /// <summary>Whether a series goes on to print a number again, by where it stands.</summary>
    [Theory]
    [InlineData("MAIN-", 6, false, "MAIN-000118", 117L, 2026, true)]
    [InlineData("MAIN-", 6, false, "main-000118", 117L, 2026, true)]
    [InlineData("MAIN-", 6, false, "MAIN-000117", 117L, 2026, false)]
    [InlineData("MAIN-", 6, false, "MAIN-0118", 117L, 2026, false)]
    [InlineData("MAIN-", 6, false, "MAIN-1234567", 117L, 2026, true)]
    [InlineData("MAIN-", 6, false, "MAIN-99999999999999999999", 117L, 2026, false)]
    [InlineData("MAIN-", 6, false, "MAIN-000000", 0L, 0, false)]
    [InlineData("MAIN-", 6, false, "MAIN-", 0L, 0, false)]
    [InlineData("MAIN-", 6, false, "", 0L, 0, false)]
    [InlineData("RE-{year}-", 4, true, "RE-2025-0118", 117L, 2025, false)]
    [InlineData("RE-{year}-", 4, true, "RE-2026-0001", 117L, 2025, true)]
    [InlineData("RE-{year}-", 4, true, "RE-2026-0117", 117L, 2026, false)]
    [InlineData("RE-{year}-", 4, true, "RE-2026-0118", 117L, 2026, true)]
    [InlineData("RE-{year}-", 4, true, "RE-2041-0001", 117L, 2026, true)]
    [InlineData("RE-{year}-", 4, true, "RE-2026-0001", 5L, 2027, false)]
    [InlineData("RE-{year}-", 4, false, "RE-2041-0117", 117L, 2026, false)]
    [InlineData("RE-{year}-", 4, false, "RE-2041-0118", 117L, 2026, true)]
    [InlineData("RE-{year}-", 4, true, "RE-20", 0L, 0, false)]
    [InlineData("RE-{year}-", 4, true, "RE-2O26-0001", 0L, 0, false)]
    [InlineData("{year}/", 3, true, "2026/001", 0L, 0, true)]
    public void A_number_is_yet_to_come_of_a_series_that_prints_so_and_has_not_passed_it(string prefix, int digits, bool restarts, string printed, long last, int lastYear, bool yetToCome) =>
        Assert.Equal(yetToCome, new SeriesFormat(prefix, digits, restarts).IsYetToGive(printed, last, lastYear, thisYear: 2026));

    [Fact]
    public void Nothing_that_is_set_after_an_import_lets_a_series_print_an_imported_number_again()
    {
        var (agency, of2026) = (NewAgency(), new SeriesFormat("{year}/", 3, true));
        var refused = Set(agency, "main", of2026, null, "2026/101", "2026/117", "2025/300", "OTHER").Rejection!;
        Assert.Equal((Reasons.NumberImported, "main", "2026/117"), (refused.Reason, refused.Metadata["series"], refused.Metadata["document_number"]));
        Assert.EndsWith("confirm that its last number is 117 or a later one, or give it another prefix.", refused.Message, StringComparison.Ordinal);
        foreach (var cannot in new[] { Set(agency, "other", of2026, null, "2026/117"), Set(agency, "main", of2026, null, "2027/117"), Put(agency, "old", "OLD-000007") })
        {
            Assert.EndsWith("give it another prefix first, or number in another series.", cannot.Rejection!.Message, StringComparison.Ordinal);
        }

        // Told its last number it may, and may have been told too little.
        Assert.Equal(Reasons.NumberImported, Confirm(InvoiceSeries.Initial, of2026, 116, 2026, Guid.Empty, s_now, "2026/117").Rejection!.Reason);
        Assert.Contains("117 of 2026", Confirm(InvoiceSeries.Initial, of2026, 116, 2026, Guid.Empty, s_now, "2026/117").Rejection!.Message, StringComparison.Ordinal);
        Assert.Equal(Reasons.NumberImported, Confirm(InvoiceSeries.Initial, of2026, 900, 2025, Guid.Empty, s_now, "2026/117").Rejection!.Reason);
        var told = InvoiceSeries.Initial.Apply(Assert.Single(Confirm(InvoiceSeries.Initial, of2026, 117, 2026, Guid.Empty, s_now, "2026/117").Events));
        Assert.Single(Set(agency, "main", of2026, told, "2026/117").Events);

        // A default series that nobody has set prints by its id, and so does that of its credit notes.
        Assert.Equal("old", Put(agency, "old", "OLD-000007").Rejection!.Metadata["series"]);
        Assert.Equal("old-cn", Put(agency, "old", "OLD-CN-000007").Rejection!.Metadata["series"]);
        Assert.Single(Put(agency, "old", "OLD-7", "MAIN-000007").Events);
    }

    [Fact]
    public void A_number_that_an_import_takes_at_the_same_time_is_passed_over()
    {
        var decided = InvoiceSeries.Initial.Assign(
            new AssignNumbers(s_entity, s_main, [new("a"), new("b")]), SeriesFormat.Default(s_main), Zone, null, s_now, new HashSet<string> { "MAIN-000001", "MAIN-000003" });
        Assert.Equal(["MAIN-000002", "MAIN-000004"], Assert.IsType<NumbersAssigned>(Assert.Single(decided.Events)).Numbers.Select(n => n.Printed));
    }

    /// <summary>Three series of a legal entity over some years: numbers for new and for known invoices, settings of any kind, restores, imports of old numbers.</summary>
    [Fact]
    public void Whatever_is_set_and_asked_for_nothing_is_printed_twice_and_each_series_and_year_has_no_gap()
    {
        InvoiceSeriesId[] ids = [s_main, new("main-cn"), new("re")];
        string[] prefixes = ["RE-{year}-", "RE-2026-", "RE-", "{year}/", "MAIN-", "CN-{year}-"];
        var move = Gen.Select(Gen.Int[-1, 9], Gen.Int[0, 2], Gen.Int[0, 39].Array[1, 4], Gen.Int[0, 5], Gen.Int[1, 9], Gen.Bool, Gen.Int[0, 200 * 24]);
        move.Array[1, 60].Sample(moves =>
        {
            var (agency, now, epoch) = (NewAgency(), Instant.FromUtc(2025, 11, 1, 0, 0), Guid.Empty);
            var series = ids.ToDictionary(i => i, _ => InvoiceSeries.Initial);
            var given = new Dictionary<InvoiceId, AssignedNumber>();
            var printed = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
            var imported = new HashSet<string>();
            foreach (var (kind, which, invoices, prefix, digits, restarts, hours) in moves)
            {
                var (id, its) = (ids[which], series[ids[which]]);
                var format = agency.FormatOf(s_entity, id);
                if (kind < 0)
                {
                    // An old number of the years around, as an import takes it.
                    var old = new SeriesFormat(prefixes[prefix], digits, restarts).Print(invoices[0], 2024 + (hours % 6));
                    if (!printed.Contains(old) && !series.Any(s => agency.FormatOf(s_entity, s.Key).IsYetToGive(old, s.Value.Last, s.Value.Year, now.InUtc().Year)))
                    {
                        imported.Add(DocumentNumberRow.KeyOf(old));
                        printed.Add(old);
                    }
                }
                else if (kind <= 1)
                {
                    var wanted = new SeriesFormat(prefixes[prefix], digits, restarts);
                    if (!wanted.Violations("").Any() && agency.SetInvoiceSeries(Command(id, wanted, its), imported, now) is { Rejection: null, Events: [var set] })
                    {
                        agency = agency.Apply(set);
                        Assert.True(its.LastIssueDate is null || format.Prefix == wanted.Prefix);
                    }
                }
                else if (kind == 2)
                {
                    // Restored: nothing was lost, and somebody says so.
                    epoch = IdSyntax.GuidOf($"{now} {epoch}");
                    foreach (var each in ids)
                    {
                        var (before, print) = (series[each], agency.FormatOf(s_entity, each));
                        var year = before.Year > 0 ? before.Year : now.InUtc().Year;
                        series[each] = before.Apply(Assert.Single(Confirm(before, print, before.Last, print.RestartsYearly ? year : null, epoch, now, imported).Events));
                        Assert.Equal(before.Last, series[each].Last);
                    }
                }
                else if (agency.SeriesOf(s_entity).ContainsKey(id))
                {
                    // Only the series that the agency knows give numbers: those of its legal entities' defaults, and those that were set.
                    agency = agency.UseInvoiceSeries(s_entity, id).Events.Aggregate(agency, (a, e) => a.Apply(e));
                    now += Duration.FromHours(hours * (kind == 9 ? 2 : 0));
                    ImmutableArray<InvoiceId> asked = [.. invoices.Select(i => new InvoiceId($"{id}-{i}"))];
                    var decided = its.Assign(new AssignNumbers(s_entity, id, asked), format, Zone, epoch == Guid.Empty ? null : epoch, now);
                    Assert.Null(decided.Rejection);
                    series[id] = decided.Events.Aggregate(its, (s, e) => s.Apply(e));
                    foreach (var number in decided.Events.OfType<NumbersAssigned>().SelectMany(e => e.Numbers))
                    {
                        Assert.True(given.TryAdd(number.Invoice, number), $"{number.Invoice} has two numbers");
                        Assert.True(printed.Add(number.Printed!), $"{number.Printed} is printed twice");
                        Assert.Equal(format.Print(number.Number, number.IssueDate.Year), number.Printed);
                        Assert.True(its.LastIssueDate is null || number.IssueDate >= its.LastIssueDate);
                        Assert.Equal(format.RestartsYearly && its.Year > 0 && number.IssueDate.Year > its.Year ? 1 : its.Last + 1, number.Number);
                        its = its with { Last = number.Number, LastIssueDate = number.IssueDate };
                    }

                    // Who asks again is told the same, and one append is of one date.
                    Assert.Equal(asked.Distinct().Select(i => given[i]).OrderBy(n => n.Invoice), series[id].NumbersOf(asked).OrderBy(n => n.Invoice));
                    Assert.True(decided.Events.OfType<NumbersAssigned>().All(e => e.Numbers.Select(n => n.IssueDate).Distinct().Count() == 1));
                }
            }
        });
    }

    private static LegalEntity Entity(string series) => new(s_entity, "A GmbH", "DE", Zone, new Currency("EUR"), "", "", new InvoiceSeriesId(series));

    private static Agency NewAgency() => Agency.Initial.Apply(new AgencyCreated(new("harbor"), Agency.Initial.Settings, 0, 0, [Entity("main")], null));

    private static Decision Set(Agency agency, string series, SeriesFormat format, InvoiceSeries? numbers = null, params IEnumerable<string> imported) =>
        agency.SetInvoiceSeries(Command(new(series), format, numbers ?? InvoiceSeries.Initial), imported, s_now);

    private static SetInvoiceSeries Command(InvoiceSeriesId series, SeriesFormat format, InvoiceSeries numbers) => new(s_entity, series, format, numbers.LastIssueDate is not null, numbers.Last, numbers.Year);

    private static Decision Put(Agency agency, string series, params ImmutableArray<string> imported) => agency.PutLegalEntity(new PutLegalEntity(Entity(series), false), imported, s_now);

    private static InvoiceSeries Given(InvoiceSeries series, SeriesFormat format, Instant now, params string[] invoices) => series.Apply(Assert.Single(Assign(series, format, now, invoices).Events));

    private static Decision Assign(InvoiceSeries series, SeriesFormat format, Instant now, params string[] invoices) => Assign(series, format, now, null, invoices);

    private static Decision Assign(InvoiceSeries series, SeriesFormat format, Instant now, Guid? restored, params string[] invoices) =>
        series.Assign(new AssignNumbers(s_entity, s_main, [.. invoices.Select(i => new InvoiceId(i))]), format, Zone, restored, now);

    private static Decision Confirm(InvoiceSeries series, SeriesFormat format, long last, int? year, Guid epoch, Instant now, params IEnumerable<string> imported) =>
        series.Confirm(new ConfirmLastNumber(s_entity, s_main, last, year), format, Zone, epoch, restored: true, imported, now);
}
