using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json.Serialization;
using NodaTime;

namespace AgencyPlatform.Domain.Billing;

/// <summary>A number given to an invoice for ever.</summary>
[GenerateSerializer, Immutable, Alias("invoice-series.assigned-number")]
public sealed record AssignedNumber(InvoiceId Invoice, long Number, LocalDate IssueDate);

[GenerateSerializer, Immutable, Alias("invoice-series.assign")]
public sealed record AssignNumbers(LegalEntityId LegalEntity, InvoiceSeriesId Series, ImmutableArray<InvoiceId> Invoices);

[Event("invoice-series.numbers-assigned"), GenerateSerializer, Immutable, Alias("invoice-series.numbers-assigned")]
public sealed record NumbersAssigned(LegalEntityId LegalEntity, InvoiceSeriesId Series, ImmutableArray<AssignedNumber> Numbers) : IEvent;

/// <summary>The number of an invoice. An invoice has one of one series: a second is refused by the key.</summary>
[RowTable("invoice_numbers", nameof(Invoice))]
public sealed record InvoiceNumberRow(InvoiceId Invoice, LegalEntityId LegalEntity, InvoiceSeriesId Series, long Number, LocalDate IssueDate) : IRow;

/// <summary>
/// A gapless, increasing series of document numbers of one legal entity, with dates that never decrease. Which invoice has which number stands
/// in <see cref="InvoiceNumberRow"/>, so that the state does not grow. Source: domain §5.
/// </summary>
/// <param name="Last">The last number given; 0 before the first.</param>
/// <param name="LastIssueDate">The date of the last number.</param>
/// <param name="Recent">The newest numbers, oldest first: what is asked for again at once is answered from them. Older ones are refused by their row's key.</param>
[GenerateSerializer, Immutable, Alias("invoice-series")]
public sealed record InvoiceSeries(LegalEntityId LegalEntity, InvoiceSeriesId Id, long Last, LocalDate? LastIssueDate, ImmutableArray<AssignedNumber> Recent) : IState<InvoiceSeries>
{
    private const string CreditNotes = "-cn";
    private const int MostRecent = 256;

    /// <summary>The longest id of a legal entity's default series, so that the one of its credit notes is an id too.</summary>
    public const int LongestDefault = IdSyntax.MaxLength - 3;

    public static string Kind => "invoice-series";

    public static int FoldVersion => 1;

    public static InvoiceSeries Initial { get; } = new(default, default, 0, null, []);

    [JsonIgnore]
    public bool Exists => Last > 0;

    /// <summary>Nothing of a series changes by time alone.</summary>
    [JsonIgnore]
    public Instant? NextDue => null;

    public ImmutableArray<IEvent> Settle(Instant now) => [];

    /// <summary>The aggregate's id.</summary>
    public static string Key(LegalEntityId entity, InvoiceSeriesId series) => $"{entity}/{series}";

    /// <summary>The series of the credit notes beside a series of invoices.</summary>
    public static InvoiceSeriesId ForCreditNotes(InvoiceSeriesId series) => new(series.Value + CreditNotes);

    /// <summary>A number as printed: <c>MAIN-000042</c>.</summary>
    public static string Printed(InvoiceSeriesId series, long number) => string.Create(CultureInfo.InvariantCulture, $"{series.Value.ToUpperInvariant()}-{number:000000}");

    /// <summary>Gives the next numbers and one date to invoices that have none, in one append.</summary>
    /// <param name="timeZone">The legal entity's: what today is.</param>
    public Decision Assign(AssignNumbers command, string timeZone, Instant now)
    {
        var today = now.InZone(DateTimeZoneProviders.Tzdb[timeZone]).Date;
        var date = LastIssueDate is { } last && last > today ? last : today;
        var missing = command.Invoices.Distinct().Except(Recent.Select(r => r.Invoice)).ToList();
        return missing.Count == 0
            ? Decision.Nothing
            : Decision.Accept(new NumbersAssigned(command.LegalEntity, command.Series, [.. missing.Select((invoice, i) => new AssignedNumber(invoice, Last + 1 + i, date))]));
    }

    /// <summary>The numbers of these invoices, as far as they are recent.</summary>
    public ImmutableArray<AssignedNumber> NumbersOf(ImmutableArray<InvoiceId> invoices) => [.. Recent.Where(r => invoices.Contains(r.Invoice))];

    public InvoiceSeries Apply(IEvent @event) => @event switch
    {
        NumbersAssigned e => new InvoiceSeries(e.LegalEntity, e.Series, e.Numbers[^1].Number, e.Numbers[^1].IssueDate, [.. Recent.AddRange(e.Numbers).TakeLast(Math.Max(MostRecent, e.Numbers.Length))]),
        NothingChanged => this,
        _ => throw new InvalidOperationException($"An invoice series does not know {@event.GetType().Name}."),
    };

    public IEnumerable<RowChange> Project(IEvent @event, EventInfo info) => @event switch
    {
        NumbersAssigned e => e.Numbers.Select(n => new Claim(new InvoiceNumberRow(n.Invoice, e.LegalEntity, e.Series, n.Number, n.IssueDate))),
        _ => [],
    };
}
