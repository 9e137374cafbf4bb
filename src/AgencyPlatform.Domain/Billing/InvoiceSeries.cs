using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json.Serialization;
using NodaTime;

namespace AgencyPlatform.Domain.Billing;

/// <summary>A number given to an invoice for ever.</summary>
/// <param name="Printed">As printed; null: given before it was kept, by a series without a format of its own.</param>
[GenerateSerializer, Immutable, Alias("invoice-series.assigned-number")]
public sealed record AssignedNumber(InvoiceId Invoice, long Number, LocalDate IssueDate, string? Printed = null);

[GenerateSerializer, Immutable, Alias("invoice-series.assign")]
public sealed record AssignNumbers(LegalEntityId LegalEntity, InvoiceSeriesId Series, ImmutableArray<InvoiceId> Invoices);

/// <param name="Last">The last number that was issued, on paper too: the series goes on with the next.</param>
/// <param name="Year">Of its issue date, where the series begins again each year; else null.</param>
[GenerateSerializer, Immutable, Alias("invoice-series.confirm-last-number")]
public sealed record ConfirmLastNumber(LegalEntityId LegalEntity, InvoiceSeriesId Series, long Last, int? Year = null);

[Event("invoice-series.numbers-assigned"), GenerateSerializer, Immutable, Alias("invoice-series.numbers-assigned")]
public sealed record NumbersAssigned(LegalEntityId LegalEntity, InvoiceSeriesId Series, ImmutableArray<AssignedNumber> Numbers) : IEvent;

/// <summary>
/// Somebody has said which number was issued last, after a restore from a backup or before the series' first number here. The numbers
/// between <paramref name="Known"/> and it stand on documents that this journal does not have.
/// </summary>
/// <param name="Known">The last number that the journal has.</param>
/// <param name="Epoch">The feed's epoch in which it was said.</param>
/// <param name="Year">The year that the series is in; null in events of before series began again each year.</param>
/// <param name="KnownYear">The year of the last number that the journal has, 0 where none is known; null as before.</param>
[Event("invoice-series.last-number-confirmed"), GenerateSerializer, Immutable, Alias("invoice-series.last-number-confirmed")]
public sealed record LastNumberConfirmed(LegalEntityId LegalEntity, InvoiceSeriesId Series, long Last, long Known, Guid Epoch, int? Year = null, int? KnownYear = null) : IEvent;

/// <summary>The entity's books are closed through a day: numbers are dated after it.</summary>
[Event("invoice-series.closed"), GenerateSerializer, Immutable, Alias("invoice-series.closed")]
public sealed record SeriesClosed(LegalEntityId LegalEntity, InvoiceSeriesId Series, LocalDate Through) : IEvent;

/// <summary>See <see cref="LastNumberConfirmed"/>.</summary>
[GenerateSerializer, Immutable, Alias("invoice-series.confirmation")]
public sealed record SeriesConfirmation(long Last, long Known, Guid Epoch, int? Year = null, int? KnownYear = null);

/// <summary>The number of an invoice. An invoice has one of one series: a second is refused by the key.</summary>
/// <param name="Printed">See <see cref="AssignedNumber"/>.</param>
[RowTable("invoice_numbers", nameof(Invoice), Claimed = "invoice_number")]
public sealed record InvoiceNumberRow(InvoiceId Invoice, LegalEntityId LegalEntity, InvoiceSeriesId Series, long Number, LocalDate IssueDate, string? Printed = null) : IRow;

/// <summary>
/// The printed numbers of a legal entity's documents, given here or brought by an import. A second document with one is refused by the key.
/// </summary>
/// <param name="Number">See <see cref="KeyOf"/>.</param>
/// <param name="Imported">It was given elsewhere, and came with the open books.</param>
[RowTable("document_numbers", nameof(LegalEntity), nameof(Number), Indexes = [nameof(Number)], Claimed = "document_number")]
public sealed record DocumentNumberRow(LegalEntityId LegalEntity, string Number, InvoiceId Invoice, bool Imported) : IRow
{
    /// <summary>Characters that no printed number has more than.</summary>
    public const int Longest = 60;

    /// <summary>By which a printed number is known: in capitals.</summary>
    public static string KeyOf(string printed) => printed.ToUpperInvariant();
}

/// <summary>
/// A gapless, increasing series of document numbers of one legal entity, from 1 again each year where its format says so, with dates that never decrease. Which invoice
/// has which number stands in <see cref="InvoiceNumberRow"/>, so that the state does not grow. In an agency that was restored from a backup it gives no number until its last
/// one is confirmed: numbers given after the backup stand on documents, and are not given twice. Source: domain §5, reliability.
/// </summary>
/// <param name="Last">The last number given; 0 before the first.</param>
/// <param name="LastIssueDate">The date of the last number.</param>
/// <param name="Recent">The newest numbers, oldest first: what is asked for again at once is answered from them. Older ones are refused by their row's key.</param>
/// <param name="Confirmation">The newest confirmation of the last number, if there ever was one.</param>
/// <param name="ClosedThrough">No number is dated on or before it; null: the books were never closed.</param>
[GenerateSerializer, Immutable, Alias("invoice-series")]
public sealed record InvoiceSeries(LegalEntityId LegalEntity, InvoiceSeriesId Id, long Last, LocalDate? LastIssueDate, ImmutableArray<AssignedNumber> Recent,
    SeriesConfirmation? Confirmation = null, LocalDate? ClosedThrough = null) : IState<InvoiceSeries>
{
    private const string CreditNotes = "-cn";
    private const int MostRecent = 256;

    /// <summary>The longest id of a legal entity's default series, so that the one of its credit notes is an id too.</summary>
    public const int LongestDefault = IdSyntax.MaxLength - 3;

    public static string Kind => "invoice-series";

    public static int FoldVersion => 2;

    public static InvoiceSeries Initial { get; } = new(default, default, 0, null, []);

    /// <summary>The year of the last number, by its date or as it was confirmed; 0 where none is known.</summary>
    [JsonIgnore]
    public int Year => Math.Max(LastIssueDate?.Year ?? 0, Confirmation?.Year ?? 0);

    [JsonIgnore]
    public bool Exists => Last > 0 || Confirmation is not null || ClosedThrough is not null;

    /// <summary>Nothing of a series changes by time alone.</summary>
    [JsonIgnore]
    public Instant? NextDue => null;

    public ImmutableArray<IEvent> Settle(Instant now) => [];

    /// <summary>The aggregate's id.</summary>
    public static string Key(LegalEntityId entity, InvoiceSeriesId series) => $"{entity}/{series}";

    /// <summary>The series of the credit notes beside a series of invoices.</summary>
    public static InvoiceSeriesId ForCreditNotes(InvoiceSeriesId series) => new(series.Value + CreditNotes);

    /// <summary>The series in which a legal entity numbers such a document.</summary>
    public static InvoiceSeriesId For(DocumentKind kind, InvoiceSeriesId series) => kind == DocumentKind.CreditNote ? ForCreditNotes(series) : series;

    /// <summary>A number as it was printed when it was given; before that was kept, every series printed as by default.</summary>
    public static string Printed(InvoiceSeriesId series, long number, string? printed) => printed ?? SeriesFormat.Default(series).Print(number, 0);

    /// <summary>That the series would give a number a second time that stands on an imported invoice; null when it does not.</summary>
    /// <param name="last">The last number that it gave, in <paramref name="lastYear"/> (0: not known).</param>
    /// <param name="timeZone">The legal entity's: what year it is.</param>
    /// <param name="imported">The numbers of the legal entity's imported invoices.</param>
    /// <param name="confirmedAs">How the series prints as long as its last number can be confirmed; null: it cannot be.</param>
    public static Rejection? PrintsAgain(
        LegalEntityId entity, InvoiceSeriesId series, SeriesFormat format, long last, int lastYear, string timeZone, IEnumerable<string> imported, SeriesFormat? confirmedAs, Instant now)
    {
        var thisYear = Today(timeZone, now).Year;
        var (printed, number, of) = imported.Where(n => format.IsYetToGive(n, last, lastYear, thisYear))
            .Select(n => (Printed: n, Number: format.TryRead(n, out var number, out var year) ? number : 0, Year: year))
            .OrderByDescending(n => n.Year).ThenByDescending(n => n.Number).FirstOrDefault();
        return printed is null ? null : Rejection.Rule(
            Reasons.NumberImported,
            $"The series {series} of {entity} would print {printed} again, which is the number of an imported invoice: "
            + (confirmedAs is null || of > thisYear ? "give it another prefix first, or number in another series."
                : $"confirm that its last number is {Text(number)}{(confirmedAs.RestartsYearly ? $" of {of}" : "")} or a later one, or give it another prefix."),
            ("legal_entity", entity.Value), ("series", series.Value), ("document_number", printed));
    }

    /// <summary>
    /// Gives the next numbers and one date to invoices that have none, in one append. The date decides the year, so that no append mixes years.
    /// </summary>
    /// <param name="format">How the series prints today.</param>
    /// <param name="timeZone">The legal entity's: what today is.</param>
    /// <param name="restored">The feed's epoch when the agency was restored into it from a backup; else null.</param>
    /// <param name="imported">Numbers that an import has taken meanwhile, by their keys: the series goes on behind them. Null: none is known.</param>
    public Decision Assign(AssignNumbers command, SeriesFormat format, string timeZone, Guid? restored, Instant now, IReadOnlySet<string>? imported = null)
    {
        if (Locked(command.LegalEntity, command.Series, restored) is { } locked)
        {
            return locked;
        }

        // Neither before the number in front of it, nor before the year that was confirmed, nor in books that are closed.
        var date = LocalDate.Max(Today(timeZone, now), LocalDate.Max(LastIssueDate ?? LocalDate.MinIsoValue, Year > 0 ? new LocalDate(Year, 1, 1) : LocalDate.MinIsoValue));
        date = date <= ClosedThrough ? ClosedThrough.Value.PlusDays(1) : date;
        var last = format.RestartsYearly && Year > 0 && date.Year > Year ? 0 : Last;
        var missing = command.Invoices.Distinct().Except(Recent.Select(r => r.Invoice)).ToList();
        return missing.Count == 0 ? Decision.Nothing : Decision.Accept(new NumbersAssigned(command.LegalEntity, command.Series, [.. missing.Select(Next)]));

        AssignedNumber Next(InvoiceId invoice)
        {
            string printed;
            do
            {
                printed = format.Print(++last, date.Year);
            }
            while (imported?.Contains(DocumentNumberRow.KeyOf(printed)) == true);
            return new AssignedNumber(invoice, last, date, printed);
        }
    }

    /// <summary>From here on numbers are dated after the day. Closed through it already: nothing to do.</summary>
    public Decision CloseThrough(LegalEntityId entity, InvoiceSeriesId series, LocalDate through) =>
        through <= ClosedThrough ? Decision.Nothing : Decision.Accept(new SeriesClosed(entity, series, through));

    /// <summary>Records which number was issued last. Asked again with the same number: nothing to do.</summary>
    /// <param name="format">How the series prints today.</param>
    /// <param name="timeZone">The legal entity's: what year it is.</param>
    /// <param name="epoch">The feed's.</param>
    /// <param name="restored">Whether the agency was restored into it from a backup.</param>
    /// <param name="imported">The numbers of the legal entity's imported invoices.</param>
    public Decision Confirm(ConfirmLastNumber command, SeriesFormat format, string timeZone, Guid epoch, bool restored, IEnumerable<string> imported, Instant now)
    {
        var thisYear = Today(timeZone, now).Year;
        if (format.RestartsYearly ? command.Year is null || command.Year > thisYear : command.Year is not null)
        {
            return Rejection.Invalid(new FieldViolation("year", format.RestartsYearly
                ? $"must be the year of the last number's date, at most {Text(thisYear)}: the series begins again each year"
                : "must be left out: the series does not begin again each year"));
        }

        var year = command.Year ?? Math.Max(thisYear, Year);
        if (Confirmation is { } made && made.Epoch == epoch && made.Last == command.Last && Last == command.Last && (!format.RestartsYearly || (made.Year == year && Year == year)))
        {
            return Decision.Nothing;
        }

        // What was said wrongly can be said again while no number was given on it.
        var again = Confirmation is { } before && before.Epoch == epoch && before.Last == Last && (before.Year ?? Year) == Year;
        if (Last > 0 && !again && !(restored && Confirmation?.Epoch != epoch))
        {
            return Rejection.Rule(
                Reasons.SeriesInUse, $"The series {command.Series} of {command.LegalEntity} gives numbers, the last one {Text(Last)}: they go on without a gap.",
                ("legal_entity", command.LegalEntity.Value), ("series", command.Series.Value), ("last_number", Text(Last)));
        }

        var (known, knownYear) = again ? (Confirmation!.Known, Confirmation.KnownYear ?? 0) : (Last, Year);
        if (format.RestartsYearly && year < knownYear)
        {
            return Rejection.Invalid(new FieldViolation("year", $"must be at least {Text(knownYear)}, the year of the last number that the journal has"));
        }

        return command.Last < known && (!format.RestartsYearly || year == knownYear)
            ? Rejection.Invalid(new FieldViolation("last_number", $"must be at least {Text(known)}, the last number that the journal has"))
            : PrintsAgain(command.LegalEntity, command.Series, format, command.Last, year, timeZone, imported, format, now) is { } twice ? twice
            : Decision.Accept(new LastNumberConfirmed(command.LegalEntity, command.Series, command.Last, known, epoch, year, knownYear));
    }

    /// <summary>Why the series gives no number now; null when it does.</summary>
    /// <param name="restored">The feed's epoch when the agency was restored into it from a backup; else null.</param>
    public Rejection? Locked(LegalEntityId entity, InvoiceSeriesId series, Guid? restored) => restored is null || Confirmation?.Epoch == restored
        ? null
        : Rejection.Rule(
            Reasons.SeriesUnconfirmed,
            $"The agency was restored from a backup, whose last number in the series {series} of {entity} is {Text(Last)}{(LastIssueDate is { } date ? $" of {date:uuuu-MM-dd}" : "")}: confirm which one was issued last, on paper too.",
            ("legal_entity", entity.Value), ("series", series.Value), ("last_number", Text(Last)));

    private static LocalDate Today(string timeZone, Instant now) => now.InZone(DateTimeZoneProviders.Tzdb[timeZone]).Date;

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    /// <summary>The numbers of these invoices, as far as they are recent.</summary>
    public ImmutableArray<AssignedNumber> NumbersOf(ImmutableArray<InvoiceId> invoices) => [.. Recent.Where(r => invoices.Contains(r.Invoice))];

    public InvoiceSeries Apply(IEvent @event) => @event switch
    {
        NumbersAssigned e => new InvoiceSeries(
            e.LegalEntity, e.Series, e.Numbers[^1].Number, e.Numbers[^1].IssueDate, [.. Recent.AddRange(e.Numbers).TakeLast(Math.Max(MostRecent, e.Numbers.Length))], Confirmation, ClosedThrough),
        SeriesClosed e => this with { LegalEntity = e.LegalEntity, Id = e.Series, ClosedThrough = e.Through },
        LastNumberConfirmed e => this with { LegalEntity = e.LegalEntity, Id = e.Series, Last = e.Last, Confirmation = new SeriesConfirmation(e.Last, e.Known, e.Epoch, e.Year, e.KnownYear) },
        NothingChanged => this,
        _ => throw new InvalidOperationException($"An invoice series does not know {@event.GetType().Name}."),
    };

    public IEnumerable<RowChange> Project(IEvent @event, EventInfo info) => @event switch
    {
        NumbersAssigned e => e.Numbers.SelectMany<AssignedNumber, RowChange>(n =>
        [
            new Claim(new InvoiceNumberRow(n.Invoice, e.LegalEntity, e.Series, n.Number, n.IssueDate, n.Printed)),
            new Claim(new DocumentNumberRow(e.LegalEntity, DocumentNumberRow.KeyOf(Printed(e.Series, n.Number, n.Printed)), n.Invoice, false)),
        ]),
        _ => [],
    };
}
