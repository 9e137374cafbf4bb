using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json.Serialization;
using NodaTime;

namespace AgencyPlatform.Domain.Billing;

// ---- commands ----

/// <summary>Whose account: one client company, one legal entity of the agency, one currency.</summary>
[GenerateSerializer, Immutable, Alias("billing.account-id")]
public sealed record AccountId(ClientCompanyId Client, LegalEntityId LegalEntity, Currency Currency)
{
    /// <summary>The aggregate's id: <c>{client}/{legal entity}/{currency in lower case}</c>.</summary>
    public string Key => $"{Client}/{LegalEntity}/{Currency.Code.ToLowerInvariant()}";
}

/// <param name="To">What periods a bill to this date takes: see <see cref="Owed.Of"/>.</param>
/// <param name="Id">The draft's id; null: the open draft's, or <paramref name="NewId"/>.</param>
/// <param name="Only">The one engagement that is billed; null: all that are not invoiced apart.</param>
[GenerateSerializer, Immutable, Alias("billing.prepare-invoice")]
public sealed record PrepareInvoice(AccountId Account, LocalDate To, InvoiceId? Id, InvoiceId NewId, EngagementId? Only = null);

// ---- events ----

[Event("billing-account.draft-created"), GenerateSerializer, Immutable, Alias("billing-account.draft-created")]
public sealed record DraftCreated(AccountId Account, InvoiceId Invoice, InvoiceContent Content, Instant At) : IEvent;

[Event("billing-account.draft-refreshed"), GenerateSerializer, Immutable, Alias("billing-account.draft-refreshed")]
public sealed record DraftRefreshed(InvoiceId Invoice, InvoiceContent Content) : IEvent;

[Event("billing-account.draft-discarded"), GenerateSerializer, Immutable, Alias("billing-account.draft-discarded")]
public sealed record DraftDiscarded(InvoiceId Invoice) : IEvent;

/// <summary>Everything is checked and the draft frozen: from here nothing can refuse.</summary>
/// <param name="TimeZone">The seller's, by which its months end; null in events from before revenue was recognised.</param>
[Event("billing-account.finalization-started"), GenerateSerializer, Immutable, Alias("billing-account.finalization-started")]
public sealed record FinalizationStarted(InvoiceId Invoice, InvoiceSeriesId Series, Instant At, string? TimeZone = null) : IEvent;

/// <param name="CreditUsed">Minor units of the account's credit that went into it.</param>
/// <param name="Credited">
/// Of a credit note: the invoices that it leaves less open, and by how much; what is more than that is the account's credit. Null in events from before payments.
/// </param>
/// <param name="RecognizedBefore">What the days before it have earned of fees billed in advance is posted; null in events from before that was.</param>
/// <param name="Printed">See <see cref="AssignedNumber"/>.</param>
[Event("billing-account.invoice-finalized"), GenerateSerializer, Immutable, Alias("billing-account.invoice-finalized")]
public sealed record InvoiceFinalized(
    InvoiceId Invoice, long Number, LocalDate IssueDate, LocalDate DueDate, LegalEntityId LegalEntity, Posting Posting, long CreditUsed = 0, ImmutableArray<Allocation>? Credited = null,
    LocalDate? RecognizedBefore = null, LocalDate? Posted = null, string? Printed = null) : IPosting
{
    [JsonIgnore]
    public LocalDate PostingDate => Posted ?? IssueDate;

    [JsonIgnore]
    public LocalDate? Effective => Posted is null ? null : IssueDate;

    public IPosting PostedOn(LocalDate date) => this with { Posted = date };
}

/// <summary>
/// What one client company is invoiced by one legal entity in one currency: at most one open draft, and every frozen and final invoice.
/// Finalizing is a saga with the entity's invoice series, which gives the number. Source: domain §5.
/// </summary>
/// <param name="Account">Null before the first draft.</param>
/// <param name="Draft">Recomputed by each preparation; it bills nothing until it is frozen.</param>
/// <param name="Standing">Frozen and final invoices in the order in which they were frozen: what counts as invoiced.</param>
/// <param name="Credit">
/// Minor units that the client has paid or is credited beyond its invoices. Below zero only when a payment was reversed whose excess had been refunded: the
/// client owes it.
/// </param>
/// <param name="Payments">The newest payments and refunds, oldest first. Older ones stand in their rows.</param>
/// <param name="TimeZone">The seller's, IANA; null before the first finalization or import.</param>
/// <param name="Recognized">How far what was billed in advance is revenue; null before the first invoice or import.</param>
/// <param name="Deferred">What imports have brought of deferred revenue; null: nothing.</param>
/// <param name="Imports">The imports of open books that it has taken; null: none.</param>
/// <param name="Untold">Credit notes by hand of prepaid blocks that the engagements do not know of yet; null: none.</param>
[GenerateSerializer, Immutable, Alias("billing-account")]
public sealed partial record BillingAccount(AccountId? Account, Invoice? Draft, ImmutableArray<Invoice> Standing, long Credit, ImmutableArray<Payment> Payments,
    string? TimeZone = null, Recognized? Recognized = null, ImmutableArray<OpeningDeferred>? Deferred = null, ImmutableSortedSet<OpenBooksImportId>? Imports = null,
    ImmutableArray<InvoiceId>? Untold = null) : IState<BillingAccount>
{
    /// <summary>How far ahead of the seller's today a bill may reach.</summary>
    public const int MostDaysAhead = 366;

    /// <summary>How long after it was frozen an invoice without a number is taken up again when nobody carries it on.</summary>
    private static readonly Duration s_sagaPatience = Duration.FromSeconds(15);

    public static string Kind => "billing-account";

    public static int FoldVersion => 3;

    public static BillingAccount Initial { get; } = new(null, null, [], 0, []);

    [JsonIgnore]
    public bool Exists => Account is not null;

    /// <summary>The end of a month in which something was earned, or an unfinished finalization's wake-up.</summary>
    [JsonIgnore]
    public Instant? NextDue => (NextRecognition, Standing.FirstOrDefault(i => i.State == InvoiceState.Finalizing || Untold?.Contains(i.Id) == true)?.FrozenAt + s_sagaPatience) switch
    {
        ({ } month, { } saga) => Instant.Min(month, saga),
        var (month, saga) => month ?? saga,
    };

    public ImmutableArray<IEvent> Settle(Instant now) => NextRecognition <= now ? [RecognizeMonth()] : [];

    // ---- decisions ----

    /// <summary>Computes the bill to a date and keeps it as the open draft. To preview it, ask what if: the same code on the same inputs.</summary>
    public Decision Prepare(PrepareInvoice command, BillingFacts facts, Instant now)
    {
        var latest = Today(facts, now).PlusDays(MostDaysAhead);
        if (command.To > latest)
        {
            return Rejection.Invalid(new FieldViolation("to_date", $"must be at most {MostDaysAhead} days after today: up to {Text(latest)}"));
        }

        var id = command.Id ?? Draft?.Id ?? command.NewId;
        if (Find(id) is { State: not InvoiceState.Draft })
        {
            return Rejection.AlreadyExists("invoice", id.Value);
        }

        if (Draft is { } open && (open.Id != id || open.Content.Only != command.Only))
        {
            return Rejection.Rule(
                Reasons.DraftOpen, $"The account has the open draft {open.Id}: leave the id out to refresh it, or finalize or discard it first.", ("invoice", open.Id.Value));
        }

        var (content, refused) = Drafting.Draft(facts, command.Account.LegalEntity, command.Account.Currency, command.To, command.Only, Standing);
        return content is null ? refused!
            : Draft is { } draft ? draft.Content.SameAs(content) ? Decision.Nothing : Decision.Accept(new DraftRefreshed(id, content))
            : content.Lines.IsEmpty ? NothingToBill(command.Account, command.To)
            : Decision.Accept(new DraftCreated(command.Account, id, content, now));
    }

    /// <summary>The same as if there were no draft; under terms that nobody agreed to, also as if nothing had been invoiced. For the answer only: what it decides is never recorded.</summary>
    public Decision Preview(PrepareInvoice command, bool hypothetical, BillingFacts facts, Instant now) =>
        (this with { Draft = null, Standing = hypothetical ? [] : Standing }).Prepare(command, facts, now);

    public Decision Discard(InvoiceId id) =>
        Find(id) is not { } invoice ? Rejection.NotFound("invoice", id.Value)
        : invoice.State == InvoiceState.Draft ? Decision.Accept(new DraftDiscarded(id))
        : Rejection.Rule(
            Reasons.InvoiceFinal, $"The invoice {id} is {Upper(invoice.State)} and never changes.", ("invoice", id.Value), ("state", Upper(invoice.State)));

    /// <summary>Checks everything and freezes the draft: after this nothing can refuse. Frozen or final already: nothing to do.</summary>
    public Decision Finalize(InvoiceId id, BillingFacts facts, Instant now)
    {
        if (Find(id) is not { } invoice)
        {
            return Rejection.NotFound("invoice", id.Value);
        }

        if (invoice.State != InvoiceState.Draft)
        {
            return Decision.Nothing;
        }

        var draft = invoice.Content;
        var (current, refused) = Drafting.Draft(facts, Account!.LegalEntity, Account.Currency, draft.To, draft.Only, Standing);
        if (current is null)
        {
            return refused!;
        }

        if (!current.SameAs(draft))
        {
            var (was, isNow) = (new Money(draft.Total, Account.Currency), new Money(current.Total, Account.Currency));
            return Rejection.Rule(
                Reasons.DraftStale, $"The draft {id} of {was} was computed before something changed; it would be {isNow} now: prepare it again and look at it.",
                ("invoice", id.Value), ("draft_total", Text(was.Minor)), ("current_total", Text(isNow.Minor)), ("currency", Account.Currency.Code));
        }

        if (draft.Lines.IsEmpty)
        {
            return NothingToBill(Account, draft.To);
        }

        return Decision.Accept(new FinalizationStarted(id, InvoiceSeries.For(draft.Kind, facts.Series), now, facts.SellerTimeZone));
    }

    /// <summary>
    /// Records the number that the series gave, and posts the invoice on its date. The account's credit goes into it; a credit note goes into what it corrects.
    /// </summary>
    public Decision Number(InvoiceId id, long number, LocalDate issueDate)
    {
        if (Find(id) is not { State: InvoiceState.Finalizing } invoice)
        {
            return Decision.Nothing;
        }

        var content = invoice.Content;
        var used = Math.Clamp(Credit, 0, Math.Max(0, content.Total));
        var credited = Corrected(content, i => Find(i)?.Open ?? 0);
        var before = Recognized is { } known ? LocalDate.Max(known.Before, issueDate) : issueDate;
        var final = new InvoiceFinalized(
            id, number, issueDate, issueDate.PlusDays(content.PaymentTermDays), Account!.LegalEntity, PostingOf(invoice, used - Excess(content, credited), before), used, credited, before);
        return RecognizeBefore(issueDate) is { } earned ? Decision.Accept(earned, final) : Decision.Accept(final);
    }

    /// <summary>The same with the number as it was printed.</summary>
    public Decision Number(AssignedNumber given)
    {
        var decided = Number(given.Invoice, given.Number, given.IssueDate);
        return decided.Rejection is null && decided.Events.Length > 0
            ? Decision.Accept(decided.Events.Select(e => e is InvoiceFinalized final ? final with { Printed = given.Printed } : e).ToImmutableArray())
            : decided;
    }

    // ---- questions ----

    public Invoice? Find(InvoiceId id) => Draft?.Id == id ? Draft : Standing.FirstOrDefault(i => i.Id == id);

    /// <summary>Frozen invoices that wait for their numbers, all of one series; none: nothing is under way.</summary>
    public (InvoiceSeriesId Series, ImmutableArray<InvoiceId> Invoices)? NextStep() =>
        Standing.FirstOrDefault(i => i.State == InvoiceState.Finalizing) is { } first
            ? (first.Series!.Value, [.. Standing.Where(i => i.State == InvoiceState.Finalizing && i.Series == first.Series).Select(i => i.Id)])
            : null;

    /// <summary>
    /// Receivable against what each line posts, and tax payable; and what the days so far have earned of its fees. Credits post the reverse. Source: domain §5.
    /// </summary>
    /// <param name="fromCredit">What of it the account's credit pays; below zero what a credit note adds to that.</param>
    /// <param name="before">What the days before it have earned is posted.</param>
    private Posting PostingOf(Invoice invoice, long fromCredit, LocalDate before, PostingWorkings? workings = null)
    {
        var (content, lines) = (invoice.Content, ImmutableArray.CreateBuilder<PostingLine>());
        var ofLines = (
            from line in content.Lines
            from posted in LinePostings.Of(line)
            select (line.Item.Engagement, posted.Account, Of: Workings.Money(FigureKind.DocumentLine, posted.Amount) with { Here = line.Number })).ToList();
        var final = Earnings([.. Standing.Where(i => i.Id != invoice.Id), invoice with { State = InvoiceState.Finalized }]).ToList();
        foreach (var (engagement, amount, told) in Recognition([.. Earnings(Standing)], before, final, before, workings))
        {
            var earned = told ?? Workings.Money(FigureKind.Result, amount);
            ofLines.AddRange([(engagement, LedgerAccount.DeferredRevenue, earned), (engagement, LedgerAccount.Revenue, earned.Negated)]);
        }

        Add(LedgerAccount.Receivable, null, [Workings.Money(FigureKind.Net, content.Net), Workings.Money(FigureKind.DocumentTax, content.Tax)]);
        Add(LedgerAccount.ClientCredit, null, [Workings.Money(FigureKind.ClientCredit, fromCredit)]);
        Add(LedgerAccount.Receivable, null, [Workings.Money(FigureKind.ClientCredit, -fromCredit)]);

        // What a credit takes back of days to come and gives back of days gone by is one amount for an engagement.
        foreach (var of in ofLines.GroupBy(l => (l.Engagement, l.Account), l => l.Of).OrderBy(g => g.Key))
        {
            Add(of.Key.Account, of.Key.Engagement, of);
        }

        Add(LedgerAccount.TaxPayable, null, content.Lines.Select(l => Workings.Money(FigureKind.DocumentTax, -l.Tax) with { Here = l.Number }));
        return new Posting(lines.ToImmutable());

        void Add(LedgerAccount account, EngagementId? engagement, IEnumerable<Figure> of)
        {
            if (of.Sum(f => f.Value) is not 0 and var amount)
            {
                lines.Add(new PostingLine(account, new Money(amount, Account!.Currency), Account.Client, engagement));
                workings?.Lines(1, workings.Posted(of.Where(f => f.Value != 0)));
            }
        }
    }

    private static Decision NothingToBill(AccountId account, LocalDate to) => Rejection.Rule(
        Reasons.NothingToBill, $"Nothing is owed by {account.Client} to {account.LegalEntity} in {account.Currency} to {Text(to)} that was not invoiced before.",
        ("client", account.Client.Value), ("legal_entity", account.LegalEntity.Value), ("currency", account.Currency.Code), ("to_date", Text(to)));

    private static LocalDate Today(BillingFacts facts, Instant now) => Today(facts.SellerTimeZone, now);

    private static LocalDate Today(string timeZone, Instant now) => now.InZone(DateTimeZoneProviders.Tzdb[timeZone]).Date;

    private static string Upper(InvoiceState state) => state == InvoiceState.PartiallyPaid ? "PARTIALLY_PAID" : state.ToString().ToUpperInvariant();

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Text(LocalDate date) => date.ToString("uuuu-MM-dd", CultureInfo.InvariantCulture);

    // ---- fold ----

    public BillingAccount Apply(IEvent @event) => @event switch
    {
        DraftCreated e => this with { Account = e.Account, Draft = new Invoice(e.Invoice, InvoiceState.Draft, e.Content, e.At, null, null, null, null, null) },
        DraftRefreshed e => this with { Draft = Draft! with { Content = e.Content } },
        DraftDiscarded => this with { Draft = null },
        FinalizationStarted e => this with { Draft = null, TimeZone = e.TimeZone ?? TimeZone, Standing = Standing.Add(Draft! with { State = InvoiceState.Finalizing, Series = e.Series, FrozenAt = e.At }) },
        InvoiceFinalized e => AfterFinalizing(e),
        OpeningImported e => AfterImport(e),
        BlockCreditsTold e => this with { Untold = Untold?.Remove(e.CreditNote) },
        NothingChanged => this,
        _ => AfterMoney(@event) ?? throw new InvalidOperationException($"A billing account does not know {@event.GetType().Name}."),
    };

    // ---- read models ----

    public IEnumerable<RowChange> Project(IEvent @event, EventInfo info) => @event switch
    {
        DraftCreated => [new Claim(Row(Draft!))],
        DraftRefreshed => [new Put(Row(Draft!))],
        DraftDiscarded e => [new Put(Row(new Invoice(e.Invoice, InvoiceState.Discarded, Nothing, default, null, null, null, null, null)))],
        FinalizationStarted e => [new Put(Row(Find(e.Invoice)!))],
        OpeningImported e => OpeningRows(e, info),
        _ => MoneyRows(@event, info),
    };

    private static InvoiceContent Nothing { get; } = new(DocumentKind.Invoice, default, new Party("", "", "", ""), new Party("", "", "", ""), 0, [], [], 0, 0, 0);

    private InvoiceRow Row(Invoice invoice) => new(
        invoice.Id, Account!.Client, Account.LegalEntity, Account.Currency.Code, invoice.State, invoice.Content.Kind, invoice.Content.To,
        invoice.Series, invoice.Number, invoice.IssueDate, invoice.DueDate, invoice.Content.Net, invoice.Content.Tax, invoice.Content.Total, invoice.Open, invoice.Printed,
        invoice.Imported?.Number, invoice.Imported?.Import);
}
