using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json.Serialization;
using NodaTime;

namespace AgencyPlatform.Domain.Billing;

/// <summary>Id of a payout within its agency.</summary>
[GenerateSerializer, Immutable, Alias("id.payout")]
public readonly record struct PayoutId([property: Id(0)] string Value) : IId<PayoutId>, IComparable<PayoutId>
{
    public static PayoutId Of(string value) => new(value);
    public int CompareTo(PayoutId other) => string.CompareOrdinal(Value, other.Value);
    public override string ToString() => Value;
}

/// <summary>What one legal entity owes one CMO in one currency.</summary>
[GenerateSerializer, Immutable, Alias("billing.cmo-account-id")]
public sealed record CmoAccountId(CmoId Cmo, LegalEntityId LegalEntity, Currency Currency)
{
    /// <summary>The aggregate's id: <c>{cmo}/{legal entity}/{currency in lower case}</c>.</summary>
    public string Key => $"{Cmo}/{LegalEntity}/{Currency.Code.ToLowerInvariant()}";
}

/// <param name="Amount">Minor units, above 0.</param>
/// <param name="Reference">Of the bank or payroll; unique within the legal entity.</param>
/// <param name="ReversedOn">When the money came back; null: it did not.</param>
[GenerateSerializer, Immutable, Alias("billing.payout")]
public sealed record Payout(PayoutId Id, long Amount, LocalDate Date, string Reference, LocalDate? ReversedOn);

// ---- commands ----

/// <param name="Through">What was earned up to and with this date may be paid.</param>
/// <param name="Date">When it is paid, by the legal entity's calendar; not after its today.</param>
[GenerateSerializer, Immutable, Alias("billing.record-payout")]
public sealed record RecordPayout(PayoutId Id, CmoAccountId Account, long Amount, LocalDate Through, LocalDate Date, string Reference);

/// <param name="Date">When the money came back: from the payout's date to the legal entity's today.</param>
/// <param name="Reason">For the record; no personal data.</param>
[GenerateSerializer, Immutable, Alias("billing.reverse-payout")]
public sealed record ReversePayout(PayoutId Id, CmoAccountId Account, LocalDate Date, string Reason);

/// <summary>What a payout is decided on besides what was paid before.</summary>
/// <param name="Earned">Minor units that the ledger has credited the CMO with up to the date in question, reversals taken off.</param>
/// <param name="Today">The legal entity's.</param>
[GenerateSerializer, Immutable, Alias("billing.payout-facts")]
public sealed record PayoutFacts(long Earned, LocalDate Today);

// ---- events ----

[Event("cmo-account.payout-recorded"), GenerateSerializer, Immutable, Alias("cmo-account.payout-recorded")]
public sealed record PayoutRecorded(CmoAccountId Account, Payout Payout, LocalDate Through, Posting Posting, LocalDate? Posted = null) : IPosting
{
    [JsonIgnore]
    public LegalEntityId LegalEntity => Account.LegalEntity;

    [JsonIgnore]
    public LocalDate PostingDate => Posted ?? Payout.Date;

    [JsonIgnore]
    public LocalDate? Effective => Posted is null ? null : Payout.Date;

    public IPosting PostedOn(LocalDate date) => this with { Posted = date };
}

/// <summary>The money came back: the CMO is owed it again.</summary>
[Event("cmo-account.payout-reversed"), GenerateSerializer, Immutable, Alias("cmo-account.payout-reversed")]
public sealed record PayoutReversed(CmoAccountId Account, PayoutId Payout, LocalDate Date, string Reason, Posting Posting, LocalDate? Posted = null) : IPosting
{
    [JsonIgnore]
    public LegalEntityId LegalEntity => Account.LegalEntity;

    [JsonIgnore]
    public LocalDate PostingDate => Posted ?? Date;

    [JsonIgnore]
    public LocalDate? Effective => Posted is null ? null : Date;

    public IPosting PostedOn(LocalDate date) => this with { Posted = date };
}

/// <summary>
/// What a legal entity has paid a CMO. What the CMO has earned stands in the ledger, from approved time at the CMO's cost rate; nobody is paid more than that,
/// however many pay at once. Source: domain §5.
/// </summary>
/// <param name="Paid">Minor units in all, reversed payouts taken off.</param>
/// <param name="Payouts">The newest, at most <see cref="MostReversible"/>: those that can be reversed.</param>
[GenerateSerializer, Immutable, Alias("cmo-account")]
public sealed record CmoAccount(CmoAccountId? Account, long Paid, ImmutableArray<Payout> Payouts) : IState<CmoAccount>
{
    public const int MostReversible = 120;
    public const int LongestReference = 140;

    public static string Kind => "cmo-account";

    public static int FoldVersion => 1;

    public static CmoAccount Initial { get; } = new(null, 0, []);

    [JsonIgnore]
    public bool Exists => Account is not null;

    [JsonIgnore]
    public Instant? NextDue => null;

    public ImmutableArray<IEvent> Settle(Instant now) => [];

    // ---- decisions ----

    public Decision Record(RecordPayout command, PayoutFacts facts)
    {
        if (command.Date > facts.Today)
        {
            return Rejection.Invalid(new FieldViolation("payout.pay_date", $"must not be after today, {Text(facts.Today)}"));
        }

        var payable = facts.Earned - Paid;
        if (command.Amount > payable)
        {
            var (asked, owed) = (new Money(command.Amount, command.Account.Currency), new Money(payable, command.Account.Currency));
            return Rejection.Rule(
                Reasons.PayoutExceedsPayable, $"{asked} is more than {command.Account.LegalEntity} owes {command.Account.Cmo} through {Text(command.Through)}: {owed}.",
                ("cmo", command.Account.Cmo.Value), ("legal_entity", command.Account.LegalEntity.Value), ("currency", command.Account.Currency.Code),
                ("amount", Text(command.Amount)), ("payable", Text(payable)), ("through_date", Text(command.Through)));
        }

        var payout = new Payout(command.Id, command.Amount, command.Date, command.Reference, null);
        return Decision.Accept(new PayoutRecorded(command.Account, payout, command.Through, PostingOf(command.Account, command.Amount)));
    }

    public Decision Reverse(ReversePayout command, LocalDate today)
    {
        if (Payouts.FirstOrDefault(p => p.Id == command.Id) is not { ReversedOn: null } payout)
        {
            return Rejection.Rule(
                Reasons.PayoutNotReversible, $"The payout {command.Id} was reversed before, or is none of the CMO's newest {MostReversible}.", ("payout", command.Id.Value));
        }

        return command.Date < payout.Date || command.Date > today
            ? Rejection.Invalid(new FieldViolation("reverse_date", $"must be from {Text(payout.Date)}, when it was paid, to today, {Text(today)}"))
            : Decision.Accept(new PayoutReversed(Account!, command.Id, command.Date, command.Reason, PostingOf(Account!, -payout.Amount)));
    }

    private static Posting PostingOf(CmoAccountId account, long amount, PostingWorkings? workings = null)
    {
        workings?.Lines(2, workings.Posted(Workings.Money(FigureKind.Moved, amount)));
        return new Posting(Posting.Pair(LedgerAccount.CmoPayable, LedgerAccount.Cash, new Money(amount, account.Currency), null, null, account.Cmo));
    }

    /// <summary>Why an event that comes next posts what it does.</summary>
    public PostingWhy Why(IPosting posting)
    {
        var workings = new PostingWorkings { Steps = { Currency = posting.Posting.Lines[0].Amount.Currency } };
        return posting switch
        {
            PayoutRecorded e => workings.Why(PostingKind.Payout, e, PostingOf(e.Account, e.Payout.Amount, workings), Of(e.Payout)),
            PayoutReversed e when Payouts.FirstOrDefault(p => p.Id == e.Payout) is { } payout =>
                workings.Why(PostingKind.PayoutReversed, e, PostingOf(e.Account, -payout.Amount, workings), Of(payout) with { Reason = e.Reason }),
            _ => throw new InvalidOperationException($"A CMO's account does not post {posting.GetType().Name}."),
        };

        static PostingInputs Of(Payout payout) => PostingInputs.None with { Of = [new PostingReference(PostingDocument.Payout, payout.Id.Value, payout.Reference)] };
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Text(LocalDate date) => date.ToString("uuuu-MM-dd", CultureInfo.InvariantCulture);

    // ---- fold ----

    public CmoAccount Apply(IEvent @event) => @event switch
    {
        PayoutRecorded e => this with { Account = e.Account, Paid = Paid + e.Payout.Amount, Payouts = [.. Payouts.Skip(Math.Max(0, Payouts.Length + 1 - MostReversible)), e.Payout] },
        PayoutReversed e => this with
        {
            Paid = Paid - Payouts.First(p => p.Id == e.Payout).Amount,
            Payouts = [.. Payouts.Select(p => p.Id == e.Payout ? p with { ReversedOn = e.Date } : p)],
        },
        NothingChanged => this,
        _ => throw new InvalidOperationException($"A CMO's account does not know {@event.GetType().Name}."),
    };

    // ---- read models ----

    public IEnumerable<RowChange> Project(IEvent @event, EventInfo info) => @event switch
    {
        PayoutRecorded e =>
        [
            new Claim(Row(e.Account, e.Payout)),
            new Claim(new PayoutReferenceRow(e.Account.LegalEntity, e.Payout.Reference, e.Payout.Id)),
            .. e.Posting.Rows(Kind, info, e),
        ],
        PayoutReversed e => [new Put(Row(e.Account, Payouts.First(p => p.Id == e.Payout))), .. e.Posting.Rows(Kind, info, e)],
        _ => [],
    };

    private static PayoutRow Row(CmoAccountId account, Payout p) =>
        new(p.Id, account.Cmo, account.LegalEntity, account.Currency.Code, p.Amount, p.Date, p.Reference, p.ReversedOn);
}

/// <summary>The list of payouts.</summary>
/// <param name="Amount">Minor units.</param>
[RowTable("payouts", nameof(Id), Indexes = [nameof(Cmo)], Claimed = "payout")]
public sealed record PayoutRow(PayoutId Id, CmoId Cmo, LegalEntityId LegalEntity, string Currency, long Amount, LocalDate Date, string Reference, LocalDate? ReversedOn) : IRow;

/// <summary>A reference is of one payout.</summary>
[RowTable("payout_references", nameof(LegalEntity), nameof(Reference), Claimed = "payout_reference")]
public sealed record PayoutReferenceRow(LegalEntityId LegalEntity, string Reference, PayoutId Payout) : IRow;
