using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json.Serialization;
using NodaTime;

namespace AgencyPlatform.Domain.Performance;

/// <summary>
/// What an engagement is measured by: KPIs, their values month by month, targets, and commitments that follow from a miss. A month is <c>[first day, first day of the next)</c> in the client's
/// zone. Source: domain §6, docs/performance.md.
/// </summary>
/// <param name="Values">By <see cref="Key"/>: what was recorded, the newest last.</param>
/// <param name="Targets">By KPI, in the order of their months.</param>
/// <param name="Pulses">By the first day of the quarter.</param>
/// <param name="OpenFrom">The first day of the first month that is not closed; null: none is.</param>
[GenerateSerializer, Immutable, Alias("scorecard")]
public sealed record Scorecard(
    EngagementId Engagement,
    ClientCompanyId Client,
    string TimeZone,
    Currency Currency,
    ImmutableSortedDictionary<KpiId, Kpi> Kpis,
    ImmutableSortedDictionary<KpiId, ImmutableArray<KpiTarget>> Targets,
    ImmutableSortedDictionary<string, ImmutableArray<RecordedValue>> Values,
    LocalDate? OpenFrom,
    ImmutableSortedDictionary<CommitmentId, Commitment> Commitments,
    ImmutableSortedDictionary<LocalDate, Pulse> Pulses) : IState<Scorecard>
{
    public const int MostKpis = 100;
    public const int MostAtOnce = 500;
    public const int MostSeriesValues = 5_000;
    public const int MostCorrections = 50;
    public const int MostCommitments = 1_000;
    public const int DefaultDueDays = 14;
    public const string DefaultOwner = "lead";
    public const int LongestText = 500;
    public const int LongestName = 100;
    public const int LongestSentence = 300;

    /// <summary>How the ids of commitments begin that follow from a miss.</summary>
    private const string Missed = "missed-";

    /// <summary>Of KPIs that are made of each other.</summary>
    private const int MostLevels = 10;

    public static string Kind => "scorecard";

    public static int FoldVersion => 1;

    public static Scorecard Initial { get; } = new(
        default, default, "", default, ImmutableSortedDictionary<KpiId, Kpi>.Empty, ImmutableSortedDictionary<KpiId, ImmutableArray<KpiTarget>>.Empty,
        ImmutableSortedDictionary<string, ImmutableArray<RecordedValue>>.Empty, null, ImmutableSortedDictionary<CommitmentId, Commitment>.Empty, ImmutableSortedDictionary<LocalDate, Pulse>.Empty);

    [JsonIgnore]
    public bool Exists => Engagement.Value is not null;

    [JsonIgnore]
    public Instant? NextDue => null;

    public ImmutableArray<IEvent> Settle(Instant now) => [];

    /// <summary>The key of a value: <c>spend/2026-03/search</c>.</summary>
    public static string Key(KpiId kpi, LocalDate month, string channel) => $"{kpi}/{MonthText(month)}/{channel}";

    public static string MonthText(LocalDate month) => month.ToString("uuuu-MM", CultureInfo.InvariantCulture);

    /// <summary>What of a key is what.</summary>
    public static (KpiId Kpi, LocalDate Month, string Channel) Parts(string key) =>
        key.Split('/') is [var kpi, var month, var channel]
            ? (new KpiId(kpi), new LocalDate(int.Parse(month[..4], CultureInfo.InvariantCulture), int.Parse(month[5..], CultureInfo.InvariantCulture), 1), channel)
            : throw new InvalidOperationException($"{key} is no value's key.");

    /// <summary>The target that holds in a month.</summary>
    public KpiTarget? TargetIn(KpiId kpi, LocalDate month) => Targets.TryGetValue(kpi, out var targets) ? targets.LastOrDefault(t => t.From <= month) : null;

    public LocalDate Today(Instant now) => now.InZone(DateTimeZoneProviders.Tzdb[TimeZone]).Date;

    // ---- decisions ----

    public Decision Create(CreateScorecard command) =>
        Exists ? Rejection.AlreadyExists(Kind, command.Engagement.Value)
        : Decision.Accept(new ScorecardCreated(command.Engagement, command.Client, command.TimeZone, command.Currency, BuiltInKpis.All(command.Currency)));

    /// <summary>Defines KPIs. What one is made of must be there, or be defined with it, and lead nowhere back to it.</summary>
    public Decision Define(DefineKpis command)
    {
        if (!Exists)
        {
            return NotFound();
        }

        var violations = new List<FieldViolation>();
        var all = Kpis.ToBuilder();
        foreach (var (i, kpi) in command.Kpis.Index())
        {
            if (Kpis.ContainsKey(kpi.Id))
            {
                return Rejection.AlreadyExists("kpi", kpi.Id.Value);
            }

            if (!all.TryAdd(kpi.Id, kpi))
            {
                violations.Add(new FieldViolation($"kpis[{i}].kpi_id", "must be there once"));
            }

            if (kpi.Id.Value is [not (>= 'a' and <= 'z'), ..])
            {
                violations.Add(new FieldViolation($"kpis[{i}].kpi_id", "must begin with a letter, so that formulas can name it"));
            }
        }

        if (all.Count > MostKpis)
        {
            return Full("kpis", MostKpis);
        }

        foreach (var (i, kpi) in command.Kpis.Index().Where(k => k.Item.IsComputed))
        {
            if (FormulaViolation(kpi, all) is { } wrong)
            {
                violations.Add(new FieldViolation($"kpis[{i}].formula", wrong));
            }
        }

        return violations.Count > 0 ? Rejection.Invalid([.. violations]) : Decision.Accept(new KpisDefined(command.Kpis));
    }

    public Decision SetTarget(SetKpiTarget command)
    {
        if (!Exists)
        {
            return NotFound();
        }

        if (!Kpis.TryGetValue(command.Kpi, out var kpi))
        {
            return Rejection.NotFound("kpi", command.Kpi.Value);
        }

        var violations = new List<FieldViolation>();
        var (target, benchmark) = (Read(command.Target, "target"), Read(command.Benchmark, "benchmark"));
        if (violations.Count > 0)
        {
            return Rejection.Invalid([.. violations]);
        }

        if (command.Month < OpenFrom)
        {
            return Closed(command.Month);
        }

        var set = new KpiTarget(command.Month, target, benchmark, command.TolerancePpm, command.Owner, command.DueDays);
        return TargetIn(command.Kpi, command.Month) == set ? Decision.Nothing : Decision.Accept(new KpiTargetSet(command.Kpi, set));

        long? Read(KpiNumber? number, string field)
        {
            if (number is not { } given)
            {
                return null;
            }

            var (value, wrong) = given.For(kpi);
            if (wrong is not null)
            {
                violations.Add(new FieldViolation($"{field}.{(given.Currency is null ? "number" : "amount")}", wrong));
            }

            return value;
        }
    }

    /// <summary>Records values. What is there already is corrected where a reason is given; the value before stays in sight.</summary>
    public Decision Record(RecordKpiValues command, Instant now)
    {
        if (!Exists)
        {
            return NotFound();
        }

        var (today, violations, values, seen) = (Today(now), new List<FieldViolation>(), ImmutableArray.CreateBuilder<KpiValue>(), new HashSet<string>());
        Rejection? refusal = null;
        foreach (var (i, entry) in command.Entries.Index())
        {
            var path = $"values[{i}]";
            if (!Kpis.TryGetValue(entry.Kpi, out var kpi))
            {
                violations.Add(new FieldViolation(path + ".kpi_id", "must be a KPI of the scorecard"));
                continue;
            }

            Require(!kpi.IsComputed, ".kpi_id", "must be a KPI whose values are recorded; this one is computed from others");
            Require(kpi.ByChannel == entry.Channel.Length > 0, ".channel", kpi.ByChannel ? "is required, since the KPI is recorded by channel" : "must be left out: the KPI is not recorded by channel");
            Require(entry.Month <= today, ".month", $"must have begun; today is {today:uuuu-MM-dd}");
            var (value, wrong) = entry.Number.For(kpi);
            Require(wrong is null, entry.Number.Currency is null ? ".value.number" : ".value.amount", wrong ?? "");
            var key = Key(entry.Kpi, entry.Month, entry.Channel);
            Require(seen.Add(key), ".kpi_id", "must be there once for its month and channel");
            if (violations.Count > 0)
            {
                continue;
            }

            if (Values.TryGetValue(key, out var recorded) && recorded[^1] is var last && last.Value == value && last.Attribution == entry.Attribution)
            {
                continue;
            }

            refusal ??= entry.Month < OpenFrom ? Closed(entry.Month)
                : recorded.IsDefaultOrEmpty ? null
                : entry.Reason.Length == 0
                    ? Rejection.Rule(
                        Reasons.KpiValueExists, $"{kpi.DisplayName} of {MonthText(entry.Month)} was recorded as {kpi.Text(recorded[^1].Value)}: say why it is corrected.",
                        ("kpi", entry.Kpi.Value), ("month", MonthText(entry.Month)), ("channel", entry.Channel), ("value", DecimalText.Of(recorded[^1].Value, kpi.Decimals)))
                : recorded.Length > MostCorrections ? Full("corrections", MostCorrections)
                : null;
            values.Add(new KpiValue(entry.Kpi, entry.Month, entry.Channel, value, entry.Attribution, entry.Reason));

            void Require(bool condition, string field, string description)
            {
                if (!condition)
                {
                    violations.Add(new FieldViolation(path + field, description));
                }
            }
        }

        return violations.Count > 0 ? Rejection.Invalid([.. violations.Take(100)])
            : refusal is not null ? refusal
            : values.Count == 0 ? Decision.Nothing
            : Values.Count + values.Count > MostSeriesValues ? Full("values", MostSeriesValues)
            : Decision.Accept(new KpiValuesRecorded(values.ToImmutable(), now));
    }

    /// <summary>Closes all months up to and with one: nothing of them changes any more.</summary>
    public Decision Close(CloseKpiPeriod command, Instant now)
    {
        if (!Exists)
        {
            return NotFound();
        }

        var (next, today) = (command.Month.PlusMonths(1), Today(now));
        return next > today
            ? Rejection.Rule(
                Reasons.KpiPeriodNotOver, $"{MonthText(command.Month)} is not over: today is {today:uuuu-MM-dd} in {TimeZone}.", ("month", MonthText(command.Month)),
                ("today", today.ToString("uuuu-MM-dd", CultureInfo.InvariantCulture)))
            : OpenFrom >= next ? Decision.Nothing
            : Decision.Accept(new KpiPeriodClosed(command.Month));
    }

    public Decision Make(MakeCommitment command) =>
        !Exists ? NotFound()
        : command.Id.Value.StartsWith(Missed, StringComparison.Ordinal) ? Rejection.Invalid(new FieldViolation("commitment_id", $"must not begin with {Missed}, as those do that follow from a miss"))
        : Commitments.ContainsKey(command.Id) ? Rejection.AlreadyExists("commitment", command.Id.Value)
        : Commitments.Count >= MostCommitments ? Full("commitments", MostCommitments)
        : Decision.Accept(new CommitmentMade(new Commitment(command.Id, command.Text, command.Owner, command.Due)));

    public Decision Resolve(ResolveCommitment command) =>
        !Exists ? NotFound()
        : !Commitments.TryGetValue(command.Id, out var commitment) ? Rejection.NotFound("commitment", command.Id.Value)
        : commitment.State != CommitmentState.Open
            ? Rejection.Rule(
                Reasons.CommitmentClosed, $"The commitment {command.Id} was {commitment.State.ToString().ToLowerInvariant()} already.", ("commitment", command.Id.Value),
                ("state", commitment.State.ToString().ToUpperInvariant()))
        : Decision.Accept(new CommitmentResolved(command.Id, command.State, command.Note));

    /// <summary>The client's pulse of a quarter that has begun.</summary>
    public Decision Give(GivePulse command, Instant now) =>
        !Exists ? NotFound()
        : command.Quarter > Today(now) ? Rejection.Invalid(new FieldViolation("pulse.quarter", $"must have begun; today is {Today(now):uuuu-MM-dd}"))
        : Pulses.TryGetValue(command.Quarter, out var given) && (given.Score, given.Sentence) == (command.Score, command.Sentence) ? Decision.Nothing
        : Decision.Accept(new PulseGiven(new Pulse(command.Quarter, command.Score, command.Sentence, now)));

    /// <summary>A miss by more than the tolerance is a commitment at once: once for each KPI and month, and not before the month is over.</summary>
    public ImmutableArray<IEvent> Following(ImmutableArray<IEvent> events, Instant now)
    {
        if (!events.Any(e => e is KpiValuesRecorded or KpiPeriodClosed))
        {
            return [];
        }

        var (after, today) = (events.Aggregate(this, (state, e) => state.Apply(e)), Today(now));
        var outcomes = new KpiOutcomes(after);
        var months = events.SelectMany(e => e switch
        {
            KpiValuesRecorded r => r.Values.Select(v => v.Month),
            KpiPeriodClosed c => outcomes.Months.Where(m => m <= c.Month && !(m < OpenFrom)),
            _ => [],
        });
        var missed = from month in months.Distinct().Order()
                     where month.PlusMonths(1) <= today
                     from kpi in after.Kpis.Values
                     let target = after.TargetIn(kpi.Id, month)
                     where target is not null && outcomes.Of(kpi.Id, month).Value is { } value && target.IsMissed(value, kpi.Direction)
                         && !after.Commitments.Values.Any(c => c.Kpi == kpi.Id && c.Month == month)
                     select new CommitmentMade(new Commitment(
                         new CommitmentId(IdSyntax.Fitting($"{Missed}{kpi.Id}-{MonthText(month)}")),
                         $"{kpi.DisplayName} came to {kpi.Text(outcomes.Of(kpi.Id, month).Value!.Value)} in {MonthText(month)}, the target was {kpi.Text(target.Target!.Value)}: say what will be done.",
                         target.Owner, today.PlusDays(target.DueDays), CommitmentState.Open, kpi.Id, month));
        return [.. missed.Take(Math.Max(0, MostCommitments - after.Commitments.Count))];
    }

    // ---- fold ----

    public Scorecard Apply(IEvent @event) => @event switch
    {
        ScorecardCreated e => Initial with { Engagement = e.Engagement, Client = e.Client, TimeZone = e.TimeZone, Currency = e.Currency, Kpis = e.Kpis.ToImmutableSortedDictionary(k => k.Id, k => k) },
        KpisDefined e => this with { Kpis = Kpis.SetItems(e.Kpis.Select(k => KeyValuePair.Create(k.Id, k))) },
        KpiTargetSet e => this with { Targets = Targets.SetItem(e.Kpi, [.. (Targets.TryGetValue(e.Kpi, out var set) ? set : []).Where(t => t.From != e.Target.From).Append(e.Target).OrderBy(t => t.From)]) },
        KpiValuesRecorded e => this with { Values = Recorded(e) },
        KpiPeriodClosed e => this with { OpenFrom = e.Month.PlusMonths(1) },
        CommitmentMade e => this with { Commitments = Commitments.SetItem(e.Commitment.Id, e.Commitment) },
        CommitmentResolved e => this with { Commitments = Commitments.SetItem(e.Id, Commitments[e.Id] with { State = e.State, Note = e.Note }) },
        PulseGiven e => this with { Pulses = Pulses.SetItem(e.Pulse.Quarter, e.Pulse) },
        NothingChanged => this,
        _ => throw new InvalidOperationException($"A scorecard does not know {@event.GetType().Name}."),
    };

    // ---- read models ----

    public IEnumerable<RowChange> Project(IEvent @event, EventInfo info) => @event switch
    {
        ScorecardCreated e => [new Put(new ScorecardRow(e.Engagement, e.Client))],
        CommitmentMade e => [Row(e.Commitment.Id)],
        CommitmentResolved e => [Row(e.Id)],
        _ => [],
    };

    private Put Row(CommitmentId id)
    {
        var c = Commitments[id];
        return new Put(new CommitmentRow(Engagement, id, c.Text, c.Owner, c.Due, c.State, c.Kpi, c.Month, c.Note));
    }

    private ImmutableSortedDictionary<string, ImmutableArray<RecordedValue>> Recorded(KpiValuesRecorded e)
    {
        var values = Values.ToBuilder();
        foreach (var v in e.Values)
        {
            var key = Key(v.Kpi, v.Month, v.Channel);
            values[key] = [.. values.TryGetValue(key, out var before) ? before : [], new RecordedValue(v.Value, v.Attribution, v.Reason, e.At)];
        }

        return values.ToImmutable();
    }

    /// <summary>What is wrong with a KPI's formula among all that there would be; null: nothing.</summary>
    private static string? FormulaViolation(Kpi kpi, IReadOnlyDictionary<KpiId, Kpi> all)
    {
        if (Formula.Parse(kpi.Formula) is not { Formula: { } formula } parsed || parsed.Wrong is not null)
        {
            return Formula.Parse(kpi.Formula).Wrong;
        }

        if (formula.Names.Where(n => !all.ContainsKey(n)).ToList() is { Count: > 0 } unknown)
        {
            return $"must name KPIs of the scorecard only; there is no {string.Join(", ", unknown.Select(n => n.Symbol))}";
        }

        var currencies = new SortedSet<string>(StringComparer.Ordinal);
        var wrong = Walk(kpi, [kpi.Id], []);
        if (kpi.Currency is { } own)
        {
            currencies.Add(own.Code);
        }

        return wrong ?? (currencies.Count > 1 ? $"must not mix currencies; it has {string.Join(", ", currencies)}" : null);

        // Along every way once; back where it was is a cycle.
        string? Walk(Kpi from, ImmutableArray<KpiId> way, HashSet<KpiId> done)
        {
            if (way.Length > MostLevels)
            {
                return $"must be made of at most {MostLevels} levels of KPIs";
            }

            foreach (var name in Formula.Parse(from.Formula).Formula?.Names ?? [])
            {
                if (way.Contains(name))
                {
                    return $"must not be made of itself: {string.Join(" → ", way.SkipWhile(w => w != name).Append(name).Select(w => w.Symbol))}";
                }

                if (!all.TryGetValue(name, out var next) || !done.Add(name))
                {
                    continue;
                }

                if (next.Currency is { } currency)
                {
                    currencies.Add(currency.Code);
                }

                if (next.IsComputed && Walk(next, way.Add(name), done) is { } found)
                {
                    return found;
                }
            }

            return null;
        }
    }

    private Rejection Closed(LocalDate month) => Rejection.Rule(
        Reasons.KpiPeriodClosed, $"{MonthText(month)} is closed, as everything before {OpenFrom:uuuu-MM-dd}: its values and targets stand.", ("month", MonthText(month)),
        ("closed_through", MonthText(OpenFrom!.Value.PlusMonths(-1))));

    private static Rejection Full(string what, int maximum) =>
        Rejection.Rule(Reasons.ScorecardFull, $"A scorecard has at most {maximum} {what}.", ("what", what), ("maximum", maximum.ToString(CultureInfo.InvariantCulture)));

    private static Rejection NotFound() => Rejection.NotFound(Kind, "");
}
