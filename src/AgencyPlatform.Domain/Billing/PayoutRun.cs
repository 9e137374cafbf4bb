using System.Collections.Immutable;
using System.Text.Json.Serialization;
using NodaTime;

namespace AgencyPlatform.Domain.Billing;

/// <summary>Id of a payout run within its agency.</summary>
[GenerateSerializer, Immutable, Alias("id.payout-run")]
public readonly record struct PayoutRunId([property: Id(0)] string Value) : IId<PayoutRunId>, IComparable<PayoutRunId>
{
    public static PayoutRunId Of(string value) => new(value);
    public int CompareTo(PayoutRunId other) => string.CompareOrdinal(Value, other.Value);
    public override string ToString() => Value;
}

/// <summary>One CMO of a run.</summary>
/// <param name="Amount">Minor units that were owed when the run began.</param>
/// <param name="Paid">Whether the payout is recorded.</param>
/// <param name="Refusal">Why it is not; null: it is, or is still to come.</param>
[GenerateSerializer, Immutable, Alias("payout-run.item")]
public sealed record PayoutRunItem(CmoId Cmo, PayoutId Payout, long Amount, bool Paid, Rejection? Refusal);

// ---- commands ----

/// <param name="Through">Pays what was earned up to and with this date.</param>
/// <param name="Reference">The payouts' references are <c>{reference}-{cmo}</c>.</param>
[GenerateSerializer, Immutable, Alias("payout-run.start")]
public sealed record StartPayoutRun(PayoutRunId Id, LegalEntityId LegalEntity, Currency Currency, LocalDate Through, LocalDate Date, string Reference);

// ---- events ----

/// <param name="Items">Who is owed how much, by CMO.</param>
[Event("payout-run.started"), GenerateSerializer, Immutable, Alias("payout-run.started")]
public sealed record PayoutRunStarted(Guid Request, StartPayoutRun Run, ImmutableArray<PayoutRunItem> Items, Instant At) : IEvent;

[Event("payout-run.paid"), GenerateSerializer, Immutable, Alias("payout-run.paid")]
public sealed record PayoutRunPaid(ImmutableArray<PayoutRunItem> Items) : IEvent;

[Event("payout-run.ended"), GenerateSerializer, Immutable, Alias("payout-run.ended")]
public sealed record PayoutRunEnded(Guid Request) : IEvent;

/// <summary>Pays every CMO what a legal entity owes them in one currency. Who gets how much is settled when the run begins, so that a repeat pays nothing more. Source: domain §5.</summary>
[GenerateSerializer, Immutable, Alias("payout-run")]
public sealed record PayoutRun(StartPayoutRun? Run, Guid Request, ImmutableArray<PayoutRunItem> Items, Instant StartedAt, bool Ended) : IState<PayoutRun>
{
    public const int MostCmos = 1_000;

    private static readonly Duration s_patience = Duration.FromSeconds(15);

    public static string Kind => "payout-run";

    public static int FoldVersion => 1;

    public static PayoutRun Initial { get; } = new(null, default, [], default, false);

    [JsonIgnore]
    public bool Exists => Run is not null;

    [JsonIgnore]
    public Instant? NextDue => Exists && !Ended ? StartedAt + s_patience : null;

    public ImmutableArray<IEvent> Settle(Instant now) => [];

    // ---- decisions ----

    /// <param name="owed">Minor units by CMO; those that are not above 0 are left out.</param>
    /// <param name="today">The legal entity's.</param>
    public Decision Start(StartPayoutRun command, Guid request, IReadOnlyDictionary<CmoId, long> owed, LocalDate today, Instant now)
    {
        if (Exists)
        {
            return Rejection.AlreadyExists("payout_run", command.Id.Value);
        }

        if (command.Date > today)
        {
            return Rejection.Invalid(new FieldViolation("pay_date", $"must not be after today, {today:uuuu-MM-dd}"));
        }

        ImmutableArray<PayoutRunItem> items =
        [
            .. owed.Where(o => o.Value > 0).OrderBy(o => o.Key).Select(o => new PayoutRunItem(o.Key, PayoutOf(request, o.Key), o.Value, false, null)),
        ];
        return items.Length switch
        {
            0 => Rejection.Rule(
                Reasons.NothingToPay, $"{command.LegalEntity} owes no CMO anything in {command.Currency} through {command.Through:uuuu-MM-dd}.",
                ("legal_entity", command.LegalEntity.Value), ("currency", command.Currency.Code), ("through_date", command.Through.ToString("uuuu-MM-dd", null))),
            > MostCmos => Rejection.Rule(
                Reasons.TooManyToPay, $"{items.Length} CMOs are owed something; a run pays at most {MostCmos}: pay some one by one first.",
                ("cmos", items.Length.ToString(System.Globalization.CultureInfo.InvariantCulture)), ("most", MostCmos.ToString(System.Globalization.CultureInfo.InvariantCulture))),
            _ => Decision.Accept(new PayoutRunStarted(request, command, items, now)),
        };
    }

    /// <summary>Who is paid next; empty: nobody is left.</summary>
    public ImmutableArray<PayoutRunItem> Next(int most) => Ended ? [] : [.. Items.Where(i => i is { Paid: false, Refusal: null }).Take(most)];

    /// <summary>Records what came of some, and the end with the last.</summary>
    public Decision Record(ImmutableArray<PayoutRunItem> paid)
    {
        var open = Items.Where(i => i is { Paid: false, Refusal: null }).Select(i => i.Cmo).ToHashSet();
        ImmutableArray<PayoutRunItem> news = [.. paid.Where(p => open.Contains(p.Cmo))];
        return news.IsEmpty ? Decision.Nothing
            : news.Length == open.Count ? Decision.Accept(new PayoutRunPaid(news), new PayoutRunEnded(Request))
            : Decision.Accept(new PayoutRunPaid(news));
    }

    private static PayoutId PayoutOf(Guid request, CmoId cmo) => new(IdSyntax.FromRequestId(IdSyntax.GuidOf($"{request}/{cmo}")));

    // ---- fold ----

    public PayoutRun Apply(IEvent @event) => @event switch
    {
        PayoutRunStarted e => this with { Run = e.Run, Request = e.Request, Items = e.Items, StartedAt = e.At },
        PayoutRunPaid e => this with { Items = [.. Items.Select(i => e.Items.FirstOrDefault(p => p.Cmo == i.Cmo) ?? i)] },
        PayoutRunEnded => this with { Ended = true },
        NothingChanged => this,
        _ => throw new InvalidOperationException($"A payout run does not know {@event.GetType().Name}."),
    };

    public IEnumerable<RowChange> Project(IEvent @event, EventInfo info) => @event is PayoutRunStarted e ? [new Put(new PayoutRunRow(e.Run.Id))] : [];
}

/// <summary>The list of payout runs.</summary>
[RowTable("payout_runs", nameof(Id))]
public sealed record PayoutRunRow(PayoutRunId Id) : IRow;
