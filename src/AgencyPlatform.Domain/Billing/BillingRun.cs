using System.Collections.Immutable;
using System.Text.Json.Serialization;
using NodaTime;

namespace AgencyPlatform.Domain.Billing;

/// <summary>Id of a billing run within its agency.</summary>
[GenerateSerializer, Immutable, Alias("id.billing-run")]
public readonly record struct BillingRunId([property: Id(0)] string Value) : IId<BillingRunId>, IComparable<BillingRunId>
{
    public static BillingRunId Of(string value) => new(value);
    public int CompareTo(BillingRunId other) => string.CompareOrdinal(Value, other.Value);
    public override string ToString() => Value;
}

/// <summary>How far a run goes with each account.</summary>
public enum BillingRunMode
{
    /// <summary>Computes what would be drafted and records nothing but the results.</summary>
    Preview,

    /// <summary>Prepares or refreshes the open draft, for somebody to look at.</summary>
    Draft,

    /// <summary>Prepares and finalizes.</summary>
    Finalize,
}

/// <summary>What came of an account.</summary>
public enum BillingRunOutcome
{
    Billed,
    NothingToBill,
    Failed,
}

/// <summary>What came of one account in a run, or of one engagement of it that is invoiced apart.</summary>
/// <param name="LegalEntity">Null when the client's accounts could not even be found.</param>
/// <param name="Invoice">Null in a preview, and where nothing was billed.</param>
/// <param name="Total">Minor units with tax; negative for a credit note.</param>
/// <param name="Failure">Why it failed; null otherwise.</param>
/// <param name="Engagement">The one that is invoiced apart; null: those that share an invoice.</param>
[GenerateSerializer, Immutable, Alias("billing-run.result")]
public sealed record BillingRunResult(
    ClientCompanyId Client, LegalEntityId? LegalEntity, Currency? Currency, BillingRunOutcome Outcome, InvoiceId? Invoice, DocumentKind? Kind, long Total, Rejection? Failure,
    EngagementId? Engagement = null);

/// <summary>What was billed in one currency.</summary>
/// <param name="Total">Minor units with tax, credit notes taken off.</param>
[GenerateSerializer, Immutable, Alias("billing-run.totals")]
public sealed record BillingRunTotals(int Invoices, int CreditNotes, long Total);

// ---- commands ----

/// <param name="To">What periods a bill to this date takes: see <see cref="Owed.Of"/>.</param>
/// <param name="LegalEntity">Only accounts of this seller; null: of all.</param>
/// <param name="Client">Only this client company; null: all.</param>
[GenerateSerializer, Immutable, Alias("billing-run.start")]
public sealed record StartBillingRun(BillingRunId Id, LocalDate To, BillingRunMode Mode, LegalEntityId? LegalEntity, ClientCompanyId? Client);

// ---- events ----

[Event("billing-run.started"), GenerateSerializer, Immutable, Alias("billing-run.started")]
public sealed record BillingRunStarted(BillingRunId Id, LocalDate To, BillingRunMode Mode, LegalEntityId? LegalEntity, ClientCompanyId? Client, Instant At) : IEvent;

/// <summary>The accounts of some more clients were billed.</summary>
/// <param name="Through">The last of these clients; the run goes on behind it.</param>
[Event("billing-run.progressed"), GenerateSerializer, Immutable, Alias("billing-run.progressed")]
public sealed record BillingRunProgressed(ClientCompanyId Through, ImmutableArray<BillingRunResult> Results, Instant At) : IEvent;

/// <summary>No further client is begun.</summary>
[Event("billing-run.cancelled"), GenerateSerializer, Immutable, Alias("billing-run.cancelled")]
public sealed record BillingRunCancelled : IEvent;

[Event("billing-run.ended"), GenerateSerializer, Immutable, Alias("billing-run.ended")]
public sealed record BillingRunEnded(Instant At) : IEvent;

/// <summary>
/// One call bills an agency to a date: client by client in the order of their ids, some at a time. How far it has come stands in its own events, and what it asks
/// of an account has always the same request id: a run that is taken up again after a crash bills nothing twice. Source: domain §5.
/// </summary>
/// <param name="Through">The last client that is done with; null: none yet.</param>
/// <param name="ProgressAt">When it last came further.</param>
/// <param name="Totals">By currency.</param>
[GenerateSerializer, Immutable, Alias("billing-run")]
public sealed record BillingRun(
    BillingRunId Id, LocalDate To, BillingRunMode Mode, LegalEntityId? LegalEntity, ClientCompanyId? Client, Instant StartedAt, ClientCompanyId? Through, Instant ProgressAt,
    int Billed, int NothingToBill, int Failed, ImmutableSortedDictionary<string, BillingRunTotals> Totals, bool Cancelled, Instant? EndedAt) : IState<BillingRun>
{
    /// <summary>How long after its last progress a run is taken up again when nobody carries it on.</summary>
    private static readonly Duration s_patience = Duration.FromSeconds(15);

    public static string Kind => "billing-run";

    public static int FoldVersion => 1;

    public static BillingRun Initial { get; } =
        new(default, default, default, null, null, default, null, default, 0, 0, 0, ImmutableSortedDictionary.Create<string, BillingRunTotals>(StringComparer.Ordinal), false, null);

    [JsonIgnore]
    public bool Exists => Id.Value is not null;

    [JsonIgnore]
    public bool IsUnderWay => Exists && EndedAt is null;

    [JsonIgnore]
    public Instant? NextDue => IsUnderWay ? ProgressAt + s_patience : null;

    public ImmutableArray<IEvent> Settle(Instant now) => [];

    // ---- decisions ----

    /// <param name="today">The agency's.</param>
    public Decision Start(StartBillingRun command, LocalDate today, Instant now) =>
        Exists ? Rejection.AlreadyExists("billing_run", command.Id.Value)
        : command.To > today.PlusDays(BillingAccount.MostDaysAhead)
            ? Rejection.Invalid(new FieldViolation("to_date", $"must be at most {BillingAccount.MostDaysAhead} days after today: up to {today.PlusDays(BillingAccount.MostDaysAhead):uuuu-MM-dd}"))
        : Decision.Accept(new BillingRunStarted(command.Id, command.To, command.Mode, command.LegalEntity, command.Client, now));

    /// <summary>What is under way with some clients is finished; no further one is begun. Over already: nothing to do.</summary>
    public Decision Cancel() => IsUnderWay && !Cancelled ? Decision.Accept(new BillingRunCancelled()) : Decision.Nothing;

    /// <summary>Records what came of the clients behind <paramref name="after"/>, unless somebody else has already.</summary>
    public Decision Record(ClientCompanyId? after, ClientCompanyId through, ImmutableArray<BillingRunResult> results, Instant now) =>
        IsUnderWay && Through == after ? Decision.Accept(new BillingRunProgressed(through, results, now)) : Decision.Nothing;

    public Decision End(Instant now) => IsUnderWay ? Decision.Accept(new BillingRunEnded(now)) : Decision.Nothing;

    // ---- fold ----

    public BillingRun Apply(IEvent @event) => @event switch
    {
        BillingRunStarted e => Initial with { Id = e.Id, To = e.To, Mode = e.Mode, LegalEntity = e.LegalEntity, Client = e.Client, StartedAt = e.At, ProgressAt = e.At },
        BillingRunProgressed e => this with
        {
            Through = e.Through,
            ProgressAt = e.At,
            Billed = Billed + e.Results.Count(r => r.Outcome == BillingRunOutcome.Billed),
            NothingToBill = NothingToBill + e.Results.Count(r => r.Outcome == BillingRunOutcome.NothingToBill),
            Failed = Failed + e.Results.Count(r => r.Outcome == BillingRunOutcome.Failed),
            Totals = e.Results.Where(r => r.Outcome == BillingRunOutcome.Billed).Aggregate(Totals, With),
        },
        BillingRunCancelled => this with { Cancelled = true },
        BillingRunEnded e => this with { EndedAt = e.At },
        NothingChanged => this,
        _ => throw new InvalidOperationException($"A billing run does not know {@event.GetType().Name}."),
    };

    private static ImmutableSortedDictionary<string, BillingRunTotals> With(ImmutableSortedDictionary<string, BillingRunTotals> totals, BillingRunResult billed)
    {
        var sum = totals.GetValueOrDefault(billed.Currency!.Value.Code) ?? new BillingRunTotals(0, 0, 0);
        var isCredit = billed.Kind == DocumentKind.CreditNote;
        return totals.SetItem(billed.Currency.Value.Code, new BillingRunTotals(sum.Invoices + (isCredit ? 0 : 1), sum.CreditNotes + (isCredit ? 1 : 0), sum.Total + billed.Total));
    }

    // ---- read models ----

    public IEnumerable<RowChange> Project(IEvent @event, EventInfo info) => @event switch
    {
        BillingRunStarted => [new Put(new BillingRunRow(Id))],
        BillingRunProgressed e => e.Results.Select(RowChange (r) => new Put(new BillingRunResultRow(
            Id, r.Client, r.LegalEntity?.Value ?? "", r.Currency?.Code ?? "", r.Outcome, r.Invoice, r.Kind, r.Total, r.Failure?.Reason ?? "", r.Failure?.Message ?? "", r.Engagement?.Value ?? ""))),
        _ => [],
    };
}

/// <summary>The list of billing runs.</summary>
[RowTable("billing_runs", nameof(Id))]
public sealed record BillingRunRow(BillingRunId Id) : IRow;

/// <summary>What came of each account of a run, and of each engagement that is invoiced apart.</summary>
/// <param name="LegalEntity">Empty when the client's accounts could not be found.</param>
/// <param name="Total">Minor units with tax.</param>
/// <param name="Reason">Of a failure; empty otherwise.</param>
/// <param name="Engagement">The one that is invoiced apart; empty: those that share an invoice.</param>
[RowTable("billing_run_results", nameof(Run), nameof(Client), nameof(LegalEntity), nameof(Currency), nameof(Engagement))]
public sealed record BillingRunResultRow(
    BillingRunId Run, ClientCompanyId Client, string LegalEntity, string Currency, BillingRunOutcome Outcome, InvoiceId? Invoice, DocumentKind? Kind, long Total, string Reason, string Message,
    string Engagement) : IRow;
