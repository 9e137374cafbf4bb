using System.Collections.Immutable;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Domain.Engagements;
using AgencyPlatform.Domain.Time;
using CsCheck;
using NodaTime;
using static AgencyPlatform.Domain.Tests.Billing.WorkedExamples;

namespace AgencyPlatform.Domain.Tests.Billing;

/// <summary>What an import of open books posts, what it brings to whom, and what it refuses.</summary>
public sealed class Open_books_of_a_running_agency
{
    private const string Zone = "America/New_York";

    private static readonly Instant s_now = Instant.FromUtc(2026, 4, 3, 15, 0);
    private static readonly LocalDate s_cutOver = new(2026, 4, 1);
    private static readonly LegalEntityId s_main = new("main");
    private static readonly Currency s_usd = new("USD");
    private static readonly (ClientCompanyId Acme, ClientCompanyId Bolt) s_clients = (new("acme"), new("bolt"));
    private static readonly (EngagementId Growth, EngagementId Hours) s_engagements = (new("growth"), new("hours"));

    private static readonly OpenBooksFacts s_facts = new(
        Zone, [s_clients.Acme, s_clients.Bolt], [new("ada"), new("bob")],
        ImmutableDictionary<EngagementId, EngagementAtCutOver>.Empty
            .Add(s_engagements.Growth, new(s_engagements.Growth, s_clients.Acme, true, new(2026, 5, 1), s_main, s_usd, true, true, false, 0))
            .Add(s_engagements.Hours, new(s_engagements.Hours, s_clients.Bolt, true, s_cutOver, s_main, s_usd, true, false, false, 1)),
        ["2025-7"], new[] { "main", "main-cn" }.ToImmutableDictionary(s => new InvoiceSeriesId(s), s => (SeriesFormat.Default(new(s)), 0L, 0)),
        ImmutableDictionary<InvoiceSeriesId, string>.Empty);

    private static readonly Gen<OpenBooks> s_books =
        from invoices in Gen.Select(Gen.Bool, Gen.Long[1, 5_000_000], Gen.Long[0, 100], Gen.Int[0, 200]).Array[0, 8]
        from credits in Gen.Long[1, 900_000].Array[0, 2]
        from deferrals in Gen.Select(Gen.Long[1, 900_000], Gen.Int[0, 28]).Array[0, 4]
        from grants in Gen.Select(Gen.Enum<GrantOrigin>(), Gen.Int[1, 3_000], Gen.Long[0, 700_000]).Array[0, 5]
        from payables in Gen.Long[1, 900_000].Array[0, 2]
        where invoices.Length + credits.Length + deferrals.Length + grants.Length + payables.Length > 0
        select new OpenBooks(
            [
                .. invoices.Select((r, i) => new OpenInvoice(
                    r.Item1 ? s_clients.Acme : s_clients.Bolt, $"A/{i}", s_cutOver.PlusDays(-r.Item4), s_cutOver.PlusDays(30 - r.Item4), Usd(r.Item2), Usd(r.Item2 * r.Item3 / 200),
                    Usd(Math.Max(1, r.Item2 * r.Item3 / 100)))),
            ],
            [.. credits.Select((amount, i) => new OpeningCredit(i == 0 ? s_clients.Acme : s_clients.Bolt, Usd(amount)))],
            [.. deferrals.Select((r, i) => new OpeningDeferral(i % 2 == 0 ? s_engagements.Growth : s_engagements.Hours, Usd(r.Item1), new DateRange(s_cutOver.PlusDays(i / 2), s_cutOver.PlusDays(i / 2 + 1 + r.Item2))))],
            [
                .. grants.Select((r, i) => new OpeningGrant(
                    r.Item1 == GrantOrigin.Included ? s_engagements.Growth : s_engagements.Hours, r.Item1, r.Item2, s_cutOver.PlusDays(10 + i), r.Item1 == GrantOrigin.Prepaid ? Usd(r.Item3) : null)),
            ],
            [.. payables.Select((amount, i) => new OpeningPayable(new(i == 0 ? "ada" : "bob"), Usd(amount)))], []);

    /// <summary>The entry sums to zero and says what the rows say; and what the accounts hold in the end is what the ledger says of them.</summary>
    [Fact]
    public void The_entry_is_balanced_and_the_accounts_hold_what_it_says() => s_books.Sample(books =>
    {
        var (posting, state) = Started(Books(books));
        long Ledger(LedgerAccount account) => posting.Posting.Lines.Where(l => l.Account == account).Sum(l => l.Amount.Minor);
        Assert.Equal(0, posting.Posting.Lines.Sum(l => l.Amount.Minor));
        Assert.Equal(books.Invoices.Sum(r => r.Open.Minor), Ledger(LedgerAccount.Receivable));
        Assert.Equal(-books.Credits.Sum(r => r.Amount.Minor), Ledger(LedgerAccount.ClientCredit));
        Assert.Equal(-books.Deferrals.Sum(r => r.Amount.Minor) - books.Grants.Sum(r => r.Deferred?.Minor ?? 0), Ledger(LedgerAccount.DeferredRevenue));
        Assert.Equal(-books.Payables.Sum(r => r.Amount.Minor), Ledger(LedgerAccount.CmoPayable));
        Assert.Equal(0, Ledger(LedgerAccount.TaxPayable));
        Assert.Equal(0, state.Balances.Sum(b => b.Amount));

        var accounts = new Dictionary<AccountId, BillingAccount>();
        var minutes = 0L;
        while (state.Next(2) is { IsEmpty: false } parts)
        {
            foreach (var part in parts)
            {
                if (part.Account is { } account)
                {
                    accounts[account.Account] = Folded(BillingAccount.Initial, BillingAccount.Initial.Import(account, s_now));
                    Assert.Empty(accounts[account.Account].Import(account, s_now).Events);
                }

                minutes += part.Engagement?.Grants.Grants.Sum(g => g.Minutes) ?? 0;
            }

            state = After(state, state.Record(state.Done + parts.Length, s_now));
        }

        state = state.EndedAt is null ? After(state, state.Record(state.Done, s_now)) : state;
        Assert.Equal((true, 0), (state.EndedAt is not null, state.Import!.Books.Rows));
        Assert.Equal(
            (Ledger(LedgerAccount.Receivable), -Ledger(LedgerAccount.ClientCredit), -Ledger(LedgerAccount.DeferredRevenue)),
            (accounts.Values.Sum(a => a.OpenAmount), accounts.Values.Sum(a => a.Credit), accounts.Values.Sum(a => (a.Deferred ?? []).Sum(d => d.Amount))));
        Assert.Equal(books.Grants.Sum(g => (long)g.Minutes), minutes);
    }, iter: 2_000);

    [Fact]
    public void Every_wrong_row_is_named_with_its_place_and_what_would_be_right()
    {
        OpenInvoice good = new(s_clients.Acme, "2026-1", new(2026, 3, 1), new(2026, 3, 31), Usd(100), Usd(20), Usd(100));
        var euros = new Money(100, new Currency("EUR"));
        var books = new OpenBooks(
            [
                good,
                good with { Client = new("nobody"), Number = "2025-7", DueDate = new(2026, 2, 1) },
                good with { Number = "MAIN-000042", IssueDate = new(2026, 4, 2), DueDate = new(2026, 4, 2), Tax = Usd(100) },
                good with { Total = euros, Tax = Usd(-1), Open = Usd(101) },
                good with { Number = "MAIN-000041", Open = Usd(0) },
                good with { Number = " X-1" },
                good with { Number = "X  2" },
                good with { Number = "X-\u200b3" },
                good with { Number = "main-000050" },
                good with { Number = "b-1" },
                good with { Number = "B-1" },
            ],
            [new(s_clients.Acme, Usd(0)), new(s_clients.Acme, euros)],
            [
                new(s_engagements.Growth, Usd(5), new(new(2026, 3, 31), new(2026, 5, 2))), new(new("unknown"), Usd(-5), new(new(2026, 4, 2), new(2026, 4, 2))),
            ],
            [
                new(s_engagements.Growth, GrantOrigin.Carried, -1, s_cutOver, Usd(5)), new(s_engagements.Hours, GrantOrigin.Prepaid, 0, new(2026, 5, 1), euros),
                new(s_engagements.Hours, GrantOrigin.Prepaid, 600_001, new(2026, 5, 1), null), new(s_engagements.Hours, GrantOrigin.Included, 5, new(2026, 5, 2), null),
            ],
            [new(new("nobody"), Usd(1)), new(new("ada"), Usd(0)), new(new("ada"), Usd(1))],
            [new(new("main"), 42), new(new("other"), 0), new(new("main"), 43), new(new("other-2"), 9)]);
        var facts = s_facts with { Refused = ImmutableDictionary<InvoiceSeriesId, string>.Empty.Add(new("other"), "There is no invoice_series 'other'").Add(new("other-2"), "There is no invoice_series 'other-2'") };

        var refused = OpenBooksImport.Initial.Start(Books(books), facts, s_now).Rejection!;

        Assert.Equal(RejectionKind.Invalid, refused.Kind);
        Assert.Equal(
            [
                "client_credits[0].amount.minor_units", "client_credits[1].amount.currency", "client_credits[1].client_company", "cmo_payables[0].cmo", "cmo_payables[1].amount.minor_units",
                "cmo_payables[2].cmo", "deferred_revenue[0].end_date", "deferred_revenue[0].start_date", "deferred_revenue[1].amount.minor_units", "deferred_revenue[1].end_date",
                "deferred_revenue[1].engagement", "grants[0].deferred_amount", "grants[0].expire_date", "grants[0].minutes", "grants[1].deferred_amount.currency", "grants[1].minutes",
                "grants[2].expire_date", "grants[2].minutes", "grants[3].kind", "invoices[10].number", "invoices[1].client_company", "invoices[1].due_date", "invoices[1].number", "invoices[2].issue_date", "invoices[2].number",
                "invoices[2].tax_amount.minor_units", "invoices[3].number", "invoices[3].open_amount.minor_units", "invoices[3].tax_amount.minor_units", "invoices[3].total_amount.currency",
                "invoices[4].open_amount.minor_units", "invoices[5].number", "invoices[6].number", "invoices[7].number", "invoices[8].number", "series[1].next_number", "series[2].series", "series[3].series",
            ],
            refused.Fields.Select(f => f.Field).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("not activated")]
    [InlineData("another seller")]
    [InlineData("another currency")]
    [InlineData("billed from earlier on")]
    [InlineData("no meter")]
    [InlineData("approved time")]
    [InlineData("too many blocks")]
    public void An_engagement_that_cannot_be_taken_over_is_refused_by_name(string why)
    {
        var hours = s_facts.Engagements[s_engagements.Hours];
        hours = why switch
        {
            "not activated" => hours with { Runs = false },
            "another seller" => hours with { Seller = new("uk") },
            "another currency" => hours with { Currency = new("EUR") },
            "billed from earlier on" => hours with { BillingStartsOn = s_cutOver.PlusDays(-1) },
            "no meter" => hours with { HasMeter = false },
            "approved time" => hours with { HasTime = true },
            _ => hours with { Blocks = Engagement.MostBlocks },
        };
        var books = OpenBooks.Empty with { Grants = [new(s_engagements.Hours, GrantOrigin.Prepaid, 60, new(2026, 5, 1), null)] };

        Assert.Empty(OpenBooksImport.Initial.Start(Books(books), s_facts, s_now).Rejection?.Fields ?? []);
        var refused = OpenBooksImport.Initial.Start(Books(books), s_facts with { Engagements = s_facts.Engagements.SetItem(s_engagements.Hours, hours) }, s_now).Rejection!;
        Assert.Equal("grants[0].engagement", Assert.Single(refused.Fields).Field);
    }

    [Fact]
    public void Books_without_a_row_with_too_many_or_of_tomorrow_are_refused()
    {
        Assert.Equal(["invoices"], Wrong(Books(OpenBooks.Empty)));
        var many = Enumerable.Range(0, OpenBooks.MostRows + 1).Select(i => Invoice($"n-{i}", 100, 100));
        Assert.Equal(["invoices"], Wrong(Books(OpenBooks.Empty with { Invoices = [.. many] })));
        Assert.Empty(Wrong(Books(OpenBooks.Empty with { Invoices = [.. many.Skip(1)] })));
        Assert.Equal(["cut_over_date"], Wrong(Books(OpenBooks.Empty with { Payables = [new(new("ada"), Usd(1))] }) with { On = new(2026, 4, 4) }));

        // No more than a hundred are told at once.
        Assert.Equal(100, Wrong(Books(OpenBooks.Empty with { Invoices = [.. many.Take(150).Select(i => i with { Open = Usd(0) })] })).Length);

        static string[] Wrong(ImportOpenBooks import) => [.. OpenBooksImport.Initial.Start(import, s_facts, s_now).Rejection?.Fields.Select(f => f.Field) ?? []];
    }

    [Fact]
    public void The_same_books_again_are_the_known_ones_and_others_are_refused()
    {
        var import = Books(OpenBooks.Empty with { Payables = [new(new("ada"), Usd(1))] });
        var (_, state) = Started(import);
        Assert.Equal((null, 0), (state.Start(import, s_facts, s_now).Rejection, state.Start(import, s_facts, s_now).Events.Length));
        Assert.Equal(RejectionKind.AlreadyExists, state.Start(import with { On = s_cutOver.PlusDays(-1) }, s_facts, s_now).Rejection!.Kind);
        state = After(state, state.TellSeries([], s_now));
        Assert.Empty(state.TellSeries([], s_now).Events);
        state = After(state, state.Record(0, s_now));
        Assert.Equal((null, 0), (state.NextDue, state.Start(import, s_facts, s_now).Events.Length));
    }

    [Fact]
    public void An_imported_invoice_is_paid_with_the_others_written_off_and_never_billed()
    {
        var start = s_cutOver;
        var facts = Facts(Inputs(start, null, Retainer(start, 800_000)));
        var account = Imported([Brought("old-1", 119_000, 50_000, due: new(2026, 3, 1)), Brought("old-2", 10_000, 10_000, due: new(2027, 1, 1))], credit: 30_000);
        Assert.Equal((InvoiceState.PartiallyPaid, InvoiceState.Finalized), (account.Standing[0].State, account.Standing[1].State));

        // The bill is what it is without them, and the credit goes into it.
        var billed = Invoiced(account, facts, start, "first");
        Assert.Equal(800_000, billed.Standing[^1].Content.Total);
        Assert.Equal((770_000, 0), (billed.Standing[^1].Open, billed.Credit));

        // Oldest due first, whoever issued it; and no money goes to it before it was open here.
        var decision = billed.Record(new RecordPayment(billed.Account!, new("p"), 60_000, new(2026, 3, 20), "p", []), Zone, s_now);
        var recorded = Assert.IsType<PaymentRecorded>(Assert.Single(decision.Events));
        Assert.Equal((s_cutOver, 2), (recorded.PostingDate, recorded.Allocations.Length));
        var paid = Folded(billed, decision);
        Assert.Equal((InvoiceState.Paid, new Settlement(50_000, 0, 0, 0, Before: 69_000)), (paid.Standing[0].State, paid.Standing[0].Settlement));

        Assert.Equal(Reasons.InvoiceImported, paid.CreditByHand(new(paid.Standing[1].Id, new("cn"), [], false), new("main"), s_now).Rejection!.Reason);
        var off = Folded(paid, paid.WriteOff(new(paid.Standing[1].Id, "Gone."), Zone, s_now));
        Assert.Equal((0, InvoiceState.Paid), (off.Standing[1].Open, off.Standing[1].State));
        var back = Folded(off, off.Reverse(new(new("p"), "Bounced."), Zone, s_now));
        Assert.Equal((50_000, InvoiceState.PartiallyPaid), (back.Standing[0].Open, back.Standing[0].State));
    }

    [Fact]
    public void What_an_import_brings_is_read_from_the_journal_as_it_was_written()
    {
        var (posted, state) = Started(Books(new OpenBooks(
            [Invoice("2026-1", 100, 40)], [new(s_clients.Bolt, Usd(5))], [new(s_engagements.Growth, Usd(7), new(s_cutOver, new(2026, 5, 1)))],
            [new(s_engagements.Hours, GrantOrigin.Prepaid, 60, new(2026, 6, 1), Usd(9)), new(s_engagements.Hours, GrantOrigin.Carried, 0, new(2026, 6, 1), null)],
            [new(new("ada"), Usd(3))], [new(new("main"), 42)])));
        Assert.Equal(
            [(LedgerAccount.Receivable, 40L), (LedgerAccount.DeferredRevenue, -16L), (LedgerAccount.ClientCredit, -5L), (LedgerAccount.CmoPayable, -3L), (LedgerAccount.OpeningBalance, -16L)],
            state.Balances.Select(b => (b.Account, b.Amount)));
        var name = EventJson.NameOf(posted);
        var read = OpenBooksImport.Initial.Apply(EventJson.Deserialize(name.Name, name.Version, EventJson.Serialize(posted)));
        Assert.Equal(System.Text.Json.JsonSerializer.Serialize(state, EventJson.Options), System.Text.Json.JsonSerializer.Serialize(read, EventJson.Options));
    }

    // ---- what the facts are built of ----

    private static Money Usd(long minor) => new(minor, s_usd);

    private static OpenInvoice Invoice(string number, long total, long open) => new(s_clients.Acme, number, new(2026, 3, 1), new(2026, 3, 31), Usd(total), Usd(0), Usd(open));

    private static ImportOpenBooks Books(OpenBooks books) => new(new("cut-over"), s_main, s_usd, s_cutOver, books);

    private static BroughtInvoice Brought(string number, long total, long open, LocalDate due) =>
        new(OpenBooksImport.InvoiceOf(new("cut-over"), number), number, new(2026, 2, 1), due, total, 0, open);

    private static BillingAccount Imported(ImmutableArray<BroughtInvoice> invoices, long credit) =>
        Folded(BillingAccount.Initial, BillingAccount.Initial.Import(new(new(s_clients.Acme, new("us"), s_usd), new("cut-over"), s_cutOver, invoices, credit, []), s_now));

    private static (OpenBooksPosted Posted, OpenBooksImport State) Started(ImportOpenBooks import)
    {
        var decision = OpenBooksImport.Initial.Start(import, s_facts, s_now);
        Assert.True(decision.Rejection is null, decision.Rejection?.Message);
        return (Assert.IsType<OpenBooksPosted>(Assert.Single(decision.Events)), After(OpenBooksImport.Initial, decision));
    }

    private static OpenBooksImport After(OpenBooksImport state, Decision decision)
    {
        Assert.True(decision.Rejection is null, decision.Rejection?.Message);
        return decision.Events.Aggregate(state, (s, e) => s.Apply(e));
    }
}
