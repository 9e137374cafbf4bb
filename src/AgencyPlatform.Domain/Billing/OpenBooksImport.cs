using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using AgencyPlatform.Domain.Engagements;
using NodaTime;

namespace AgencyPlatform.Domain.Billing;

/// <summary>What an account of the ledger opens with.</summary>
/// <param name="Amount">Minor units; a debit is positive, a credit negative.</param>
[GenerateSerializer, Immutable, Alias("open-books-import.balance")]
public sealed record OpeningBalance(LedgerAccount Account, long Amount);

/// <summary>What came of a series.</summary>
/// <param name="Refusal">Why it does not go on with the number: it was used between the check and the step; null: it does.</param>
[GenerateSerializer, Immutable, Alias("open-books-import.series")]
public sealed record OpeningSeriesResult(InvoiceSeriesId Series, long Next, Rejection? Refusal);

/// <summary>A part of an import that one other aggregate takes. Exactly one of the two is set.</summary>
public sealed record OpeningPart(ImportOpening? Account, (EngagementId Id, ImportGrants Grants)? Engagement);

// ---- events ----

/// <summary>Everything is checked, and the opening entry is posted: from here nothing can refuse.</summary>
/// <param name="Clients">Whose engagements they are.</param>
/// <param name="Content">The same for the same books.</param>
[Event("open-books-import.posted"), GenerateSerializer, Immutable, Alias("open-books-import.posted")]
public sealed record OpenBooksPosted(ImportOpenBooks Import, ImmutableSortedDictionary<EngagementId, ClientCompanyId> Clients, Guid Content, Instant At, Posting Posting, LocalDate? Posted = null) : IPosting
{
    [JsonIgnore]
    public LegalEntityId LegalEntity => Import.LegalEntity;

    [JsonIgnore]
    public LocalDate PostingDate => Posted ?? Import.On;

    [JsonIgnore]
    public LocalDate? Effective => Posted is null ? null : Import.On;

    public IPosting PostedOn(LocalDate date) => this with { Posted = date };
}

[Event("open-books-import.series-told"), GenerateSerializer, Immutable, Alias("open-books-import.series-told")]
public sealed record OpeningSeriesTold(ImmutableArray<OpeningSeriesResult> Results, Instant At) : IEvent;

/// <summary>Some more parts are with their aggregates.</summary>
/// <param name="Done">How many are, from the first.</param>
[Event("open-books-import.progressed"), GenerateSerializer, Immutable, Alias("open-books-import.progressed")]
public sealed record OpenBooksProgressed(int Done, Instant At) : IEvent;

[Event("open-books-import.ended"), GenerateSerializer, Immutable, Alias("open-books-import.ended")]
public sealed record OpenBooksImportEnded(Instant At) : IEvent;

/// <summary>
/// Brings the open books of a running agency over, for one legal entity and currency, as one dated and balanced entry. All rows are checked first; then the entry is posted
/// with the first append, and what it is of goes to the series, the clients' accounts and the engagements, one after the other. None of these can refuse it, and each takes
/// it once. What CMOs are owed is with the ledger already. Source: domain §5, docs/cut-over.md.
/// </summary>
/// <param name="Import">Its rows only until it has ended.</param>
/// <param name="Balances">What the entry comes to, by account of the ledger.</param>
/// <param name="Rows">How many rows it has.</param>
/// <param name="Series">Null before the series are told.</param>
/// <param name="Parts">How many parts there are.</param>
/// <param name="Done">How many of them are with their aggregates.</param>
/// <param name="ProgressAt">When it last came further.</param>
[GenerateSerializer, Immutable, Alias("open-books-import")]
public sealed record OpenBooksImport(
    ImportOpenBooks? Import, ImmutableSortedDictionary<EngagementId, ClientCompanyId> Clients, Guid Content, ImmutableArray<OpeningBalance> Balances, int Rows,
    ImmutableArray<OpeningSeriesResult>? Series, int Parts, int Done, Instant ProgressAt, Instant? EndedAt) : IState<OpenBooksImport>
{
    /// <summary>How long after its last progress an import is taken up again when nobody carries it on.</summary>
    private static readonly Duration s_patience = Duration.FromSeconds(15);

    public static string Kind => "open-books-import";

    public static int FoldVersion => 1;

    public static OpenBooksImport Initial { get; } = new(null, ImmutableSortedDictionary<EngagementId, ClientCompanyId>.Empty, default, [], 0, null, 0, 0, default, null);

    [JsonIgnore]
    public bool Exists => Import is not null;

    [JsonIgnore]
    public bool IsUnderWay => Exists && EndedAt is null;

    [JsonIgnore]
    public Instant? NextDue => IsUnderWay ? ProgressAt + s_patience : null;

    public ImmutableArray<IEvent> Settle(Instant now) => [];

    // ---- decisions ----

    /// <summary>Checks every row and posts the entry; the same books again are the known ones.</summary>
    public Decision Start(ImportOpenBooks command, OpenBooksFacts facts, Instant now)
    {
        var content = IdSyntax.GuidOf(JsonSerializer.Serialize(command, EventJson.Options));
        if (Exists)
        {
            return content == Content ? Decision.Nothing : Rejection.AlreadyExists("open_books_import", command.Id.Value);
        }

        var wrong = new OpenBooksCheck(command, facts, now.InZone(DateTimeZoneProviders.Tzdb[facts.TimeZone]).Date).Violations();
        if (!wrong.IsEmpty)
        {
            return Rejection.Invalid(wrong.AsSpan());
        }

        var clients = facts.Engagements.ToImmutableSortedDictionary(e => e.Key, e => e.Value.Client);
        return Decision.Accept(new OpenBooksPosted(command, clients, content, now, PostingOf(command, clients)));
    }

    /// <summary>Records what came of the series, unless somebody else has already.</summary>
    public Decision TellSeries(ImmutableArray<OpeningSeriesResult> results, Instant now) => IsUnderWay && Series is null ? Decision.Accept(new OpeningSeriesTold(results, now)) : Decision.Nothing;

    /// <summary>Records that some more parts are done, and the end with the last.</summary>
    public Decision Record(int done, Instant now) =>
        !IsUnderWay || done < Done || (done == Done && done < Parts) ? Decision.Nothing
        : done == Parts ? Decision.Accept(new OpenBooksProgressed(done, now), new OpenBooksImportEnded(now))
        : Decision.Accept(new OpenBooksProgressed(done, now));

    /// <summary>The parts that come next.</summary>
    public ImmutableArray<OpeningPart> Next(int most) => IsUnderWay ? [.. PartsOf(Import!, Clients).Skip(Done).Take(most)] : [];

    /// <summary>The id of an invoice that an import brings: of the same number always the same.</summary>
    public static InvoiceId InvoiceOf(OpenBooksImportId import, string number) => new(IdSyntax.FromRequestId(IdSyntax.GuidOf($"{import}/{number}")));

    /// <summary>Why the event that comes next posts what it does.</summary>
    public static PostingWhy Why(IPosting posting)
    {
        var e = (OpenBooksPosted)posting;
        var workings = new PostingWorkings { Steps = { Currency = e.Import.Currency } };
        return workings.Why(PostingKind.OpenBooks, e, PostingOf(e.Import, e.Clients, workings), PostingInputs.None with
        {
            Of = [new PostingReference(PostingDocument.OpenBooksImport, e.Import.Id.Value, "")],
            Documents = e.Import.Books.Invoices.ToImmutableSortedDictionary(r => InvoiceOf(e.Import.Id, r.Number), r => r.Number),
        });
    }

    private static Posting PostingOf(ImportOpenBooks import, ImmutableSortedDictionary<EngagementId, ClientCompanyId> clients, PostingWorkings? workings = null)
    {
        var (books, lines, sums) = (import.Books, ImmutableArray.CreateBuilder<PostingLine>(), new List<Figure>());
        foreach (var client in books.Invoices.GroupBy(r => r.Client).OrderBy(g => g.Key))
        {
            Add(LedgerAccount.Receivable, client.Select(r => BroughtOver(r.Open.Minor) with { Line = new LineReference(InvoiceOf(import.Id, r.Number), 0) }), client.Key);
        }

        foreach (var row in books.Credits.OrderBy(r => r.Client))
        {
            Add(LedgerAccount.ClientCredit, [BroughtOver(-row.Amount.Minor)], row.Client);
        }

        var deferred = books.Deferrals.Select(r => (r.Engagement, Of: BroughtOver(-r.Amount.Minor) with { Dates = r.Days }))
            .Concat(books.Grants.Select(r => (r.Engagement, Of: BroughtOver(-(r.Deferred?.Minor ?? 0)))));
        foreach (var engagement in deferred.GroupBy(d => d.Engagement, d => d.Of).OrderBy(g => g.Key))
        {
            Add(LedgerAccount.DeferredRevenue, engagement, clients[engagement.Key], engagement.Key);
        }

        foreach (var row in books.Payables.OrderBy(r => r.Cmo))
        {
            Add(LedgerAccount.CmoPayable, [BroughtOver(-row.Amount.Minor)], cmo: row.Cmo);
        }

        Add(LedgerAccount.OpeningBalance, [.. sums.Select(s => s.Negated)]);
        return new Posting(lines.ToImmutable());

        static Figure BroughtOver(long amount) => Workings.Money(FigureKind.BroughtOver, amount);

        void Add(LedgerAccount account, IEnumerable<Figure> of, ClientCompanyId? client = null, EngagementId? engagement = null, CmoId? cmo = null)
        {
            if (of.Aggregate(0L, (sum, f) => checked(sum + f.Value)) is not 0 and var amount)
            {
                lines.Add(new PostingLine(account, new Money(amount, import.Currency), client, engagement, cmo));
                var told = workings?.Posted(of.Where(f => f.Value != 0));
                workings?.Lines(1, told!);
                sums.Add(told ?? BroughtOver(amount));
            }
        }
    }

    /// <summary>What each account and each engagement takes, in the order of their ids, accounts first.</summary>
    private static IEnumerable<OpeningPart> PartsOf(ImportOpenBooks import, ImmutableSortedDictionary<EngagementId, ClientCompanyId> clients)
    {
        var books = import.Books;
        var invoices = books.Invoices.ToLookup(r => r.Client);
        var credits = books.Credits.ToLookup(r => r.Client, r => r.Amount.Minor);
        var grants = books.Grants.Select((row, i) => (Row: row, Id: new PartId(IdSyntax.Fitting($"opening-{import.Id}-{i + 1}")))).ToLookup(g => g.Row.Engagement);
        var deferred = books.Deferrals.Select(r => new OpeningDeferred(r.Engagement, r.Amount.Minor, r.Days))
            .Concat(grants.SelectMany(g => g).Where(g => g.Row.Deferred is { Minor: > 0 })
                .Select(g => new OpeningDeferred(g.Row.Engagement, g.Row.Deferred!.Value.Minor, new DateRange(import.On, g.Row.ExpiresAt), g.Id)))
            .ToLookup(d => clients[d.Engagement]);
        foreach (var client in invoices.Select(g => g.Key).Union(credits.Select(g => g.Key)).Union(deferred.Select(g => g.Key)).Order())
        {
            yield return new OpeningPart(
                new ImportOpening(
                    new AccountId(client, import.LegalEntity, import.Currency), import.Id, import.On,
                    [.. invoices[client].Select(r => new BroughtInvoice(InvoiceOf(import.Id, r.Number), r.Number, r.IssueDate, r.DueDate, r.Total.Minor, r.Tax.Minor, r.Open.Minor))],
                    credits[client].Sum(), [.. deferred[client]]),
                null);
        }

        foreach (var engagement in grants.OrderBy(g => g.Key))
        {
            yield return new OpeningPart(
                null,
                (engagement.Key, new ImportGrants(
                    import.Id, import.On, [.. engagement.Select(g => new ImportedGrant(g.Id, g.Row.Origin, g.Row.Minutes, g.Row.ExpiresAt, g.Row.Deferred?.Minor ?? 0))])));
        }
    }

    // ---- fold ----

    public OpenBooksImport Apply(IEvent @event) => @event switch
    {
        OpenBooksPosted e => this with
        {
            Import = e.Import,
            Clients = e.Clients,
            Content = e.Content,
            Balances = [.. e.Posting.Lines.GroupBy(l => l.Account).OrderBy(g => g.Key).Select(g => new OpeningBalance(g.Key, g.Sum(l => l.Amount.Minor)))],
            Rows = e.Import.Books.Rows,
            Parts = PartsOf(e.Import, e.Clients).Count(),
            ProgressAt = e.At,
        },
        OpeningSeriesTold e => this with { Series = e.Results, ProgressAt = e.At },
        OpenBooksProgressed e => this with { Done = e.Done, ProgressAt = e.At },
        OpenBooksImportEnded e => this with
        {
            Import = Import! with { Books = OpenBooks.Empty },
            Clients = ImmutableSortedDictionary<EngagementId, ClientCompanyId>.Empty,
            EndedAt = e.At,
        },
        NothingChanged => this,
        _ => throw new InvalidOperationException($"An import of open books does not know {@event.GetType().Name}."),
    };

    // ---- read models ----

    public IEnumerable<RowChange> Project(IEvent @event, EventInfo info) => @event switch
    {
        OpenBooksPosted e =>
        [
            .. e.Import.Books.Invoices.Select(r => new Claim(new DocumentNumberRow(e.LegalEntity, r.NumberKey, InvoiceOf(e.Import.Id, r.Number), true))),
            .. e.Posting.Rows(Kind, info, e), new Put(new OpenBooksImportRow(e.Import.Id)),
        ],
        _ => [],
    };
}

/// <summary>The list of imports.</summary>
[RowTable("open_books_imports", nameof(Id))]
public sealed record OpenBooksImportRow(OpenBooksImportId Id) : IRow;
