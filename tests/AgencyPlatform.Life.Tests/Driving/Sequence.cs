using System.Collections.Immutable;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using AgencyPlatform.Contracts;
using AgencyPlatform.Contracts.Absences;
using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Clients;
using AgencyPlatform.Contracts.Cmos;
using AgencyPlatform.Contracts.Engagements;
using AgencyPlatform.Contracts.Journal;
using AgencyPlatform.Contracts.Time;
using AgencyPlatform.Domain;
using AgencyPlatform.Domain.Absences;
using AgencyPlatform.Domain.Agencies;
using AgencyPlatform.Domain.Capacity;
using AgencyPlatform.Domain.Clients;
using AgencyPlatform.Domain.Cmos;
using AgencyPlatform.Domain.Engagements;
using AgencyPlatform.Domain.Time;
using AgencyPlatform.Grains.Tests;
using AgencyPlatform.Life.Tests.Model;
using AgencyPlatform.Life.Tests.Moves;
using NodaTime;

namespace AgencyPlatform.Life.Tests.Driving;

/// <summary>
/// One agency's life: rounds of moves by several callers at once, some sent twice, some repeated later, while appends and calls fail, activations are thrown away
/// and time passes. After every round the model has followed the feed, every answer is judged, and what the product shows is what the model holds.
/// </summary>
internal sealed class Sequence
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(90);

    private static readonly string[] s_steps =
    [
        nameof(IFractionalCmoGrain.PlaceFor), nameof(IFractionalCmoGrain.TakeOver), nameof(IFractionalCmoGrain.HoldSwapFor), nameof(IFractionalCmoGrain.GiveBack),
        nameof(IFractionalCmoGrain.ReleaseFor), nameof(IFractionalCmoGrain.FreeFor), nameof(IFractionalCmoGrain.ConfirmFor), nameof(IFractionalCmoGrain.SwapFor),
        nameof(IFractionalCmoGrain.EndFor), nameof(IEngagementGrain.Draw), nameof(IEngagementGrain.EndDispute), nameof(IEngagementGrain.RequestCover), nameof(IFractionalCmoGrain.AddTimeOff),
        nameof(IEngagementGrain.Reverse), nameof(IEngagementGrain.Dispute),
    ];

    private static readonly ImmutableSortedDictionary<string, string> s_none = ImmutableSortedDictionary<string, string>.Empty;

    private readonly LifeSilo _life;
    private readonly Coverage _coverage;
    private readonly Random _random;
    private readonly AgencyId _agency;
    private readonly ModelAgency _model;
    private readonly Generator _generator;
    private readonly Witness _witness;
    private readonly List<Attempt> _earlier = [];
    private readonly Dictionary<object, int> _compared = [];
    private readonly StringBuilder _story = new();

    public Sequence(LifeSilo life, Coverage coverage, int seed)
    {
        (_life, _coverage, _random, _agency) = (life, coverage, new Random(seed), new AgencyId($"life-{seed}"));
        _model = Agency(_random);
        _generator = new Generator(_random, _model);
        _witness = new Witness(_model, coverage);
    }

    /// <summary>What was sent and answered, round by round.</summary>
    public string Story => _story.ToString();

    private IGrainFactory Grains => _life.Silo.Grains;

    public async Task Run(int rounds)
    {
        await SetUp();
        for (var round = 1; round <= rounds; round++)
        {
            _story.AppendLine($"-- round {round}, {_model.Clock}");
            await Round();
            await Compare();
            if (_random.NextDouble() < 0.4)
            {
                await Advance(Passing());
                await Settle([]);
                await Compare();
            }
        }

        _compared.Clear();
        await Compare();
        await CompareReplayed();
        _coverage.Count("sequences");
        _coverage.Count("events", _witness.Events);
    }

    // ---- a round ----

    private async Task Round()
    {
        int[] callers = [1, 1, 1, 1, 2, 2, 2, 3, 3, 4];
        var moves = Enumerable.Range(0, callers[_random.Next(callers.Length)]).Select(_ => _generator.Next()).ToList();
        moves.ForEach(_witness.Sent);
        var sendings = moves.ToList();
        if (_random.NextDouble() < 0.25)
        {
            sendings.Add(moves[_random.Next(moves.Count)]);
            _coverage.Count("sent twice at once");
        }

        if (_earlier.Count > 0 && _random.NextDouble() < 0.2)
        {
            sendings.Add(_earlier[_random.Next(_earlier.Count)].Move);
            _coverage.Count("repeated later");
        }

        Attempt[] attempts;
        await using (Fault())
        {
            attempts = await Task.WhenAll(sendings.Select(Sent));
        }

        foreach (var attempt in attempts)
        {
            _story.AppendLine($"{attempt.Move.Name} {attempt.Move.Text} ({attempt.Move.Request.ToString()[24..]}): {attempt.Answer}");
        }

        await Settle(attempts);
        _witness.Judge(attempts);
        foreach (var attempt in attempts)
        {
            Repeated(attempt);
        }

        if (_earlier.Count > 0 && _random.NextDouble() < 0.05)
        {
            await Reused(_generator.Next(), _earlier[_random.Next(_earlier.Count)].Move);
        }
    }

    /// <summary>A request id that was used for another move is refused, and nothing comes of it.</summary>
    private async Task Reused(Move move, Move earlier)
    {
        if ((move.Name, move.Text) == (earlier.Name, earlier.Text))
        {
            return;
        }

        _coverage.Count("request id used for another move");
        var answer = (await Sent(move with { Request = earlier.Request })).Answer;
        if (answer.Refused is null)
        {
            throw new DifferenceException($"{move.Name} {move.Text} is answered with {answer} under the request id of {earlier.Name} {earlier.Text}.");
        }
    }

    /// <summary>A repeat is answered as the first was.</summary>
    private void Repeated(Attempt attempt)
    {
        var refusedBefore = attempt.IsJustified && attempt.Answer.Refused is { } reason && attempt.Move.Outcome?.Invoke(_model).Refused != reason;
        if (!_witness.IsAccepted(attempt.Move.Request) || refusedBefore)
        {
            // One of two sendings at once may be refused, and the other accepted a moment later.
            return;
        }

        if (_earlier.Find(a => a.Move.Request == attempt.Move.Request) is not { } first)
        {
            _earlier.Add(attempt);
        }
        else if (attempt.Answer.Refused != first.Answer.Refused || attempt.Answer.Outcomes != first.Answer.Outcomes
            || (attempt.Move.Outcome is null && attempt.Answer.Version != first.Answer.Version && attempt.Answer.Refused is null))
        {
            throw new DifferenceException($"{attempt.Move.Name} {attempt.Move.Text} was answered with {first.Answer}, and its repeat with {attempt.Answer}.");
        }
    }

    private async Task<Attempt> Sent(Move move)
    {
        var call = new Call(_agency, move.Actor, move.Request, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{move.Name} {move.Text}"))), _model.Clock);
        return new Attempt(move, await UntilAnswered(() => move.Send(Grains, call), move.Name, $"{move.Name} {move.Text}"));
    }

    /// <summary>Whoever does not know what has become of a call repeats it with the same request id.</summary>
    private async Task<T> UntilAnswered<T>(Func<Task<T>> call, string counted, string what)
    {
        _coverage.Count($"sent: {(counted.Length > 0 ? "moves" : "questions")}");
        var since = Stopwatch.StartNew();
        while (true)
        {
            var gone = await _life.Up;
            try
            {
                return await call().WaitAsync(gone);
            }
            catch (Exception e) when (e is not UnstorableException)
            {
                _coverage.Count("outcome unknown, asked again");
                _coverage.Count($"unknown by {e.GetType().Name}: {e.Message[..Math.Min(40, e.Message.Length)].ReplaceLineEndings(" ")}");
                if (since.Elapsed > s_patience)
                {
                    throw new DifferenceException($"{what} is not answered: {e.GetType().Name}: {e.Message}");
                }

                // As a caller would.
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
            }
        }
    }

    // ---- faults ----

    /// <summary>What ends with the round.</summary>
    private sealed class Ending(Func<Task> end) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync() => await end();
    }

    /// <summary>Lets an append or a saga's call fail in this round, or throws an activation away while it is on its way; or nothing of it.</summary>
    private Ending Fault()
    {
        var chosen = _random.NextDouble();
        var (step, after) = (_random.Next(3), _random.NextDouble() < 0.5);
        var keys = Aggregates();
        var key = keys[_random.Next(keys.Count)];
        if (chosen < 0.2)
        {
            _life.Silo.Reads.Take(key, FailingAppend(step / 2, after));
            return new Ending(() =>
            {
                _life.Silo.Reads.Release(key);
                return Task.CompletedTask;
            });
        }

        if (chosen < 0.4)
        {
            _life.Silo.Faults.Arm(_agency, s_steps, step, after);
            return new Ending(() =>
            {
                if (_life.Silo.Faults.Fired(_agency))
                {
                    _coverage.Count($"call of a step failed {(after ? "after" : "before")} it was done");
                }

                _life.Silo.Faults.Arm(_agency, [], 0, false);
                return Task.CompletedTask;
            });
        }

        if (chosen < 0.55)
        {
            _coverage.Count("activation thrown away");
            var forgotten = Forget(key);
            return new Ending(() => forgotten);
        }

        return new Ending(() => Task.CompletedTask);
    }

    private Func<AppendItem, Func<ValueTask<AppendResult>>, ValueTask<AppendResult>> FailingAppend(int which, bool after)
    {
        var left = which;
        return async (item, pass) =>
        {
            if (Interlocked.Decrement(ref left) != -1)
            {
                return await pass();
            }

            _coverage.Count($"append failed {(after ? "after" : "before")} it was written");
            if (after)
            {
                await pass();
            }

            return new AppendResult.Unavailable("The test lets this append fail.");
        };
    }

    private async Task Forget(AggregateKey key)
    {
        var gone = await _life.Up;
        try
        {
            await PlatformSilo.Forget(Grain(key)).WaitAsync(gone);
        }
        catch (Exception)
        {
            // The silo itself is going.
        }
    }

    private IAggregateGrain Grain(AggregateKey key) => key.Kind switch
    {
        "engagement" => Grains.Of<IEngagementGrain>(_agency, key.Id),
        "cmo" => Grains.Of<IFractionalCmoGrain>(_agency, key.Id),
        "timesheet" => Grains.Of<ITimesheetGrain>(_agency, key.Id),
        _ => Grains.Of<IAbsenceGrain>(_agency, key.Id),
    };

    private List<AggregateKey> Aggregates() =>
    [
        .. _model.Engagements.Keys.Select(id => new AggregateKey(_agency, "engagement", id)), .. _model.Cmos.Select(c => new AggregateKey(_agency, "cmo", c.Id)),
        .. _model.Sheets.Keys.Select(id => new AggregateKey(_agency, "timesheet", id)), .. _model.Absences.Keys.Select(id => new AggregateKey(_agency, "absence", id)),
    ];

    // ---- time ----

    private Duration Passing() => _random.Next(8) switch
    {
        0 => Duration.FromMinutes(10),
        1 => Duration.FromHours(5),
        2 => Duration.FromDays(1),
        3 => Duration.FromDays(3),
        4 or 5 => Duration.FromDays(7),
        6 => Duration.FromDays(16),
        _ => Duration.FromDays(33),
    };

    private async Task Advance(Duration by)
    {
        var to = _model.Clock + by;
        _story.AppendLine($"time passes until {to}");
        for (var attempt = 0; ; attempt++)
        {
            var progress = await UntilAnswered(() => Grains.Agency(_agency).AdvanceClock(new Call(_agency, "key:test", SandboxNow: _model.Clock), to), "", "AdvanceClock");
            if (progress.Rejection is { } refused)
            {
                throw new DifferenceException($"The clock is not moved: {refused.Message}");
            }

            if (progress.Value!.Done)
            {
                return;
            }

            if (attempt == 100)
            {
                throw new DifferenceException($"The clock does not reach {to}: {progress.Value}");
            }
        }
    }

    /// <summary>Until nothing is under way: what stopped at a fault goes on by itself when its time comes, or when somebody asks.</summary>
    private async Task Settle(IReadOnlyList<Attempt> attempts)
    {
        for (var wait = 0; ; wait++)
        {
            IReadOnlyList<StoredEvent> events;
            do
            {
                events = await UntilAnswered(() => _life.Silo.Journal.ReadFeed(_agency, _witness.Sequence, 1_000), "", "The feed");
                _witness.Follow(events, attempts);
            }
            while (events.Count > 0);

            if (!_model.Unfinished().Any())
            {
                return;
            }

            if (wait == 20)
            {
                throw new DifferenceException($"It does not end: {string.Join("; ", _model.Unfinished())}.");
            }

            if (_random.NextDouble() < 0.5)
            {
                await Advance(Duration.FromSeconds(20));
            }
            else
            {
                foreach (var key in Aggregates().Where(k => k.Kind != "timesheet" || _model.Sheets[k.Id].Rounds.Count > 0))
                {
                    await UntilAnswered(
                        async () =>
                        {
                            await Grain(key).Settle(_model.Clock);
                            return true;
                        },
                        "", $"{key}");
                }
            }
        }
    }

    // ---- comparison ----

    private async Task Compare()
    {
        var read = new Read(_agency, _model.Clock);
        foreach (var e in _model.Engagements.Values.Where(e => IsNews(e, e.Changes)))
        {
            var reply = await Asked(() => Grains.Of<IEngagementGrain>(_agency, e.Id).Get(read));
            Same($"engagement {e.Id}", reply.Value is { } known ? Views.Of(known) : "none", e.Exists ? Views.Of(e) : "none");
            if (e.State is EngagementState.Active or EngagementState.Paused or EngagementState.Transitioning or EngagementState.Ended)
            {
                foreach (var date in new[] { e.Today, e.Today.PlusDays(-_random.Next(1, 70)) })
                {
                    var meter = await Asked(() => Grains.Of<IEngagementGrain>(_agency, e.Id).GetMeter(read, date));
                    Same($"meter of {e.Id} on {date:R}", Views.Of(meter.Value!), e.Meter(date));
                }
            }
        }

        foreach (var cmo in _model.Cmos.Where(c => IsNews(c, c.Changes)))
        {
            Same($"cmo {cmo.Id}", Views.Of((await Asked(() => Grains.Of<IFractionalCmoGrain>(_agency, cmo.Id).Get(read))).Value!), Views.Of(cmo));
        }

        foreach (var sheet in _model.Sheets.Values.Where(s => IsNews(s, s.Changes)))
        {
            var reply = await Asked(() => Grains.Of<ITimesheetGrain>(_agency, sheet.Key).Get(read));
            Same($"timesheet {sheet.Key}", reply.Value is { } known ? Views.Of(known) : "none", sheet.Exists ? Views.Of(sheet) : "none");
        }

        foreach (var absence in _model.Absences.Values.Where(a => a.Exists))
        {
            Same($"absence {absence.Id}", Views.Of((await Asked(() => Grains.Of<IAbsenceGrain>(_agency, absence.Id).Get(read))).Value!), Views.Of(absence));
        }
    }

    /// <summary>What has changed is looked at, and now and then what has not.</summary>
    private bool IsNews(object what, int changes)
    {
        var news = !_compared.TryGetValue(what, out var seen) || seen != changes || _random.NextDouble() < 0.15;
        _compared[what] = changes;
        return news;
    }

    /// <summary>At the end: every aggregate folded from its first event is the one that answers, and no week is promised beyond its limit.</summary>
    private async Task CompareReplayed()
    {
        var read = new Read(_agency, _model.Clock);
        foreach (var e in _model.Engagements.Values.Where(e => e.Exists))
        {
            await Replayed<Engagement>(new AggregateKey(_agency, "engagement", e.Id), (await Asked(() => Grains.Of<IEngagementGrain>(_agency, e.Id).Get(read))).Value!);
        }

        foreach (var sheet in _model.Sheets.Values.Where(s => s.Exists))
        {
            await Replayed<Timesheet>(new AggregateKey(_agency, "timesheet", sheet.Key), (await Asked(() => Grains.Of<ITimesheetGrain>(_agency, sheet.Key).Get(read))).Value!);
        }

        foreach (var cmo in _model.Cmos)
        {
            await Replayed<FractionalCmo>(new AggregateKey(_agency, "cmo", cmo.Id), (await Asked(() => Grains.Of<IFractionalCmoGrain>(_agency, cmo.Id).Get(read))).Value!);
            var monday = ModelCmo.MondayOf(s_began.InUtc().Date);
            var weeks = (await Asked(() => Grains.Of<IFractionalCmoGrain>(_agency, cmo.Id).GetWeeks(read, monday, 60))).Value!;
            Same($"weeks of {cmo.Id}", Views.Of(weeks), string.Join("\n", Enumerable.Range(0, 60).Select(w => cmo.Week(monday.PlusDays(7 * w)))));
            if (!cmo.WasOff && weeks.Weeks.FirstOrDefault(w => w.ExcessMinutes > 0) is { } over)
            {
                throw new DifferenceException($"{cmo.Id} was never off, and {over.Monday:R} is promised beyond its limit by {over.ExcessMinutes} minutes.");
            }
        }
    }

    private async Task Replayed<TState>(AggregateKey key, TState answered) where TState : class, IState<TState>
    {
        var folded = await UntilAnswered(() => _life.Silo.Replayed<TState>(key), "", $"{key} replayed");
        Same($"{key} replayed", JsonSerializer.Serialize(answered, EventJson.Options), JsonSerializer.Serialize(folded.State, EventJson.Options));
    }

    private Task<T> Asked<T>(Func<Task<T>> question) => UntilAnswered(question, "", "A question");

    private static void Same(string what, string product, string model)
    {
        if (product != model)
        {
            throw new DifferenceException($"{what}:\n{Views.Difference(product, model)}");
        }
    }

    // ---- the agency ----

    private static readonly Instant s_began = Instant.FromUtc(2026, 12, 1, 9, 0);

    private static ModelAgency Agency(Random random)
    {
        int[] fourDays = [480, 480, 480, 480, 0, 0, 0];
        int[] fiveDays = [450, 450, 450, 450, 450, 0, 0];
        var board = new ModelBand[] { new(500_000, 1, [], []), new(null, 2, ["ceo", "cso", "vp"], random.Next(2) == 0 ? ["ceo"] : []) };
        ModelDelegation[] given = [new("ceo", "aide", new LocalDate(2026, 12, 10), new LocalDate(2027, 1, 20))];
        return new ModelAgency(
            s_began,
            [
                new ModelCmo("ada", "America/New_York", fourDays, 5, 0, waives: false), new ModelCmo("bob", "Europe/London", fiveDays, 1, 60, waives: true),
                new ModelCmo("cy", "Australia/Sydney", fourDays, 2, 0, waives: false),
            ],
            [
                new ModelClient("acme", ["ceo", "cso", "vp"], ["aide"], board, null, given),
                new ModelClient("bolt", ["ceo", "cso"], ["aide"], [], random.Next(2) == 0 ? null : [new(null, 2, [], [])], []),
            ]);
    }

    private async Task SetUp()
    {
        var call = new Call(_agency, "key:test", SandboxNow: s_began);
        var entity = new LegalEntity(AllMoves.Seller, "Main Inc", "US", ModelAgency.SellerZone, AllMoves.Dollars, "", "", new InvoiceSeriesId("main"));
        await Done(() => Grains.Agency(_agency).Create(
            call, new CreateAgency(_agency, new AgencySettings("Agency", ModelAgency.AgencyZone, AllMoves.Dollars, [], s_none, s_none), 0, 0, [entity], s_began)));
        foreach (var client in _model.Clients)
        {
            var id = new ClientCompanyId(client.Id);
            await Done(() => Company(client).Create(call, new CreateClient(id, new ClientProfile(client.Id, "", "", "UTC", new BillingDetails("", "", "", "", 30), s_none, s_none))));
            foreach (var person in client.Stakeholders)
            {
                await Done(() => Company(client).PutStakeholder(call, new PutStakeholder(new Stakeholder(new PersonId(person), "", client.DecisionMakers.Contains(person)), new PersonDetails(person))));
            }

            await Done(() => Company(client).SetSignOffRules(call, new SetSignOffRules([.. Rules(client)])));
            foreach (var given in client.Delegations)
            {
                await Done(() => Company(client).DelegateSignOff(
                    call, new DelegateSignOff(new Delegation(new PersonId(given.From), new PersonId(given.To), new DateRange(given.Start, given.End)))));
            }
        }

        var policy = (await Asked(() => Grains.Agency(_agency).GetContext()))!.PolicyVersion;
        foreach (var cmo in _model.Cmos)
        {
            var p = cmo.Pattern;
            await Done(() => Grains.Of<IFractionalCmoGrain>(_agency, cmo.Id).Create(call, new CreateCmo(
                new CmoId(cmo.Id), new CmoProfile(new PersonId($"p-{cmo.Id}"), "CMO", cmo.Zone, s_none, s_none, cmo.Waives), new PersonDetails(cmo.Id),
                new CmoLimits(cmo.MaxClients, cmo.MinBlock), new WorkingPattern(new LocalDate(2026, 1, 1), new WeekdayMinutes(p[0], p[1], p[2], p[3], p[4], p[5], p[6])),
                new CostRate(new LocalDate(2026, 1, 1), 12_000, AllMoves.Dollars), null)));
            await Done(() => Grains.Of<IFractionalCmoGrain>(_agency, cmo.Id).NotePolicy(call with { PolicyVersion = policy }));
        }

        _witness.Begin((await Asked(() => _life.Silo.Journal.ReadHead(_agency))).Sequence);
    }

    private IClientCompanyGrain Company(ModelClient client) => Grains.Of<IClientCompanyGrain>(_agency, client.Id);

    private static IEnumerable<SignOffRule> Rules(ModelClient client)
    {
        foreach (var (subject, bands) in new[] { (SignOffSubject.Proposal, client.Bands), (SignOffSubject.ScopeChange, client.ScopeBands ?? []) })
        {
            if (bands.Length > 0)
            {
                yield return new SignOffRule(
                    subject, AllMoves.Dollars, [.. bands.Select(b => new SignOffBand(b.Below, b.Needed, [.. b.Of.Select(p => new PersonId(p))], [.. b.Required.Select(p => new PersonId(p))]))]);
            }
        }
    }

    /// <summary>The silo may go while the agency is set up: what was done before stands.</summary>
    private async Task Done<T>(Func<Task<Reply<T>>> call)
    {
        var reply = await UntilAnswered(call, "", "The set-up");
        if (reply.Rejection is { Kind: not RejectionKind.AlreadyExists } refused)
        {
            throw new DifferenceException($"The set-up is refused: {refused.Message}");
        }
    }
}
