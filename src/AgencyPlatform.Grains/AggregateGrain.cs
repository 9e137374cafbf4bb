using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Grains.Placement;
using Microsoft.Extensions.Logging;
using Orleans.Concurrency;

namespace AgencyPlatform.Grains;

/// <summary>
/// The one base class of grains, and the only place that writes. It holds the <em>committed</em> state and, on top of it, the
/// <em>pending</em> one: a command is decided without an await on the pending state and enqueued; later commands are decided on top of it
/// and go to the journal together as the next batch, while one batch at a time is with the writer. Every reply, refusals included,
/// goes out only when all that it was decided on is durable. See docs/adr/0001-journal-with-group-commit.md.
/// </summary>
[Reentrant]
[AgencyPlacement]
public abstract partial class AggregateGrain<TState> : Grain, IAggregateGrain where TState : class, IState<TState>
{
    private const int RecentRequests = 32;

    /// <summary>Of deciding one command again. High, since of those that wait on top of a refused one each round answers at least one.</summary>
    private const int MostAttempts = 1_024;

    private readonly GrainServices _services;
    private readonly ILogger _log;
    private readonly Queue<Batch<TState>> _waiting = new();
    private readonly Dictionary<Guid, Recent> _recent = [];
    private readonly Queue<Guid> _recentOrder = new();
    private Folded<TState> _committed = Folded<TState>.Initial;
    private Folded<TState> _pending = Folded<TState>.Initial;
    private Batch<TState>? _last;
    private Task? _loading;
    private bool _writing;
    private bool _lost;
    private long _submitted;
    private Instant? _sandboxNow;

    // Learned from refusals: what is decided on an earlier date posts right after.
    private readonly Dictionary<LegalEntityId, LocalDate> _closedThrough = [];

    protected AggregateGrain(GrainServices services)
    {
        _services = services;
        _log = services.Loggers.CreateLogger(GetType());
        Key = AggregateKey.Parse(TState.Kind, this.GetPrimaryKeyString());
    }

    /// <summary>A command that was accepted here lately, so that its repeat is answered without a look-up.</summary>
    private sealed record Recent(string Hash, Folded<TState> After, Batch<TState> Batch);

    /// <summary>This aggregate.</summary>
    protected AggregateKey Key { get; }

    /// <summary>The state as it is on disk.</summary>
    protected TState Committed => _committed.State;

    protected long CommittedVersion => _committed.Version;

    protected IReadModels ReadModels => _services.ReadModels;

    /// <summary>Who names whom as a competitor.</summary>
    protected Clients.Competitors Competitors => _services.Competitors;

    /// <summary>The agency's feed as it is on disk.</summary>
    protected Task<FeedHead> ReadFeedHead() => _services.Journal.ReadHead(Key.Agency);

    /// <summary>What aggregates of this process tell each other.</summary>
    protected ActiveFacts ActiveFacts => _services.ActiveFacts;

    /// <summary>The state on disk is another than before: tell others, before anybody is answered.</summary>
    protected virtual void Tell()
    {
    }

    /// <summary>This activation goes, or is no longer current: take back what was told.</summary>
    protected virtual void TakeBack()
    {
    }

    /// <summary>The system's clock, for what is no fact of the domain (how long something read stands).</summary>
    protected Instant SystemNow => Instant.FromDateTimeOffset(_services.System.GetUtcNow());

    /// <summary>A grain of the same agency.</summary>
    protected TGrain Grain<TGrain>(string id) where TGrain : IGrainWithStringKey => GrainFactory.Aggregate<TGrain>($"{Key.Agency}/{id}");

    /// <summary>Decides a command, makes its events durable, and answers with a view of the state right after it.</summary>
    /// <param name="refusal">
    /// What another aggregate says against it: then nothing is decided. It comes in here, and is not answered at once, so that the repeat of a request that was accepted
    /// is answered as it was, whatever others say by now.
    /// </param>
    protected async Task<Reply<T>> Decide<T>(Call call, Func<TState, Instant, Decision> decide, Func<TState, T> view, Rejection? refusal = null)
    {
        if (call.Agency != Key.Agency)
        {
            return Reply<T>.No(Rejection.NotFound(Key.Kind, Key.Id));
        }

        using var activity = GrainTelemetry.Source.StartActivity("decide " + Key.Kind);
        var reply = await DecideUntilAnswered(call, decide, view, refusal);
        GrainTelemetry.Decided(Key.Kind, reply.Rejection?.Reason);
        activity?.SetTag("agency", Key.Agency.Value).SetTag("aggregate", Key.Id).SetTag("rejection", reply.Rejection?.Reason);
        return reply;
    }

    /// <summary>Answers from the committed state, after settling what time has done; or, with a read time, from what was recorded by then.</summary>
    protected async Task<Reply<T>> Query<T>(Read read, Func<TState, Instant, T?> view, Rejection? missing = null)
    {
        if (read.Agency != Key.Agency)
        {
            return Reply<T>.No(Rejection.NotFound(Key.Kind, Key.Id));
        }

        await Loaded();
        Note(read.SandboxNow);
        if (read.MinVersion is { } min && _committed.Version < min)
        {
            await ReachVersion(min);
        }

        Folded<TState> folded;
        Instant now;
        if (read.ReadTime is { } at)
        {
            folded = await FoldFromJournal((stored, _) => stored.RecordedAt <= at);
            now = at;
        }
        else
        {
            now = Now(read.SandboxNow);
            if (_pending.State.NextDue is { } due && due <= now)
            {
                await SettleNow(read.SandboxNow);
            }

            folded = _committed;
        }

        return !folded.State.Exists ? Reply<T>.No(Rejection.NotFound(Key.Kind, Key.Id))
            : view(folded.State, now) is { } value ? Reply<T>.Ok(value, folded.Meta)
            : Reply<T>.No(missing ?? Rejection.NotFound(Key.Kind, Key.Id));
    }

    /// <inheritdoc/>
    public async Task Settle(Instant? sandboxNow)
    {
        await Loaded();
        Note(sandboxNow);

        // What waited for a saga that time has started is due behind it.
        long before;
        do
        {
            before = CommittedVersion;
            await SettleNow(sandboxNow);
            await PumpSaga();
        }
        while (CommittedVersion != before);
    }

    /// <inheritdoc/>
    public async Task<bool> HasAnswered(Call call)
    {
        if (call is not { Request: { } request, ValidateOnly: false } || call.Agency != Key.Agency
            || (await _services.Journal.ReadFence(Key, request)).Outcome is not { } outcome || outcome.Key != Key || outcome.RequestHash != call.RequestHash)
        {
            return false;
        }

        await foreach (var stored in _services.Journal.ReadStream(Key, outcome.Version - 1, outcome.Version))
        {
            return stored.Event.Actor == call.Actor;
        }

        return false;
    }

    /// <inheritdoc/>
    public async Task<Reply<PostingExplanation>> ExplainPosting(Read read, long version)
    {
        if (read.Agency == Key.Agency && Postings() is { } history)
        {
            await Loaded();
            await foreach (var (stored, @event) in History(version))
            {
                if (stored.Version < version)
                {
                    history.Apply(@event, stored.Event.Actor, stored.Event.OccurredAt);
                }
                else if (@event is IPosting { Posting.Lines.IsEmpty: false } posting)
                {
                    var info = new EventInfo(Key.Agency, Key.Id, stored.Version, stored.Event.OccurredAt);
                    return Reply<PostingExplanation>.Ok(PostingExplanation.Of(posting, Key.Kind, info, stored.Event.Actor, history.Why(posting)), _committed.Meta);
                }
            }
        }

        return Reply<PostingExplanation>.No(Rejection.NotFound("posting", $"{Key.Kind}/{Key.Id}/{version}"));
    }

    /// <summary>What explains the aggregate's postings, from its first event on; null: it posts nothing.</summary>
    protected virtual IPostingHistory? Postings() => null;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _services.Active.Add(GrainContext, Key.Agency);
        return base.OnActivateAsync(cancellationToken);
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        _services.Active.Remove(GrainContext);

        // What is with the writer ends there; its callers are answered.
        while (!_lost && _last is { End.IsCompleted: false } last)
        {
            await last.End.WaitAsync(cancellationToken);
        }

        TakeBack();
        await base.OnDeactivateAsync(reason, cancellationToken);
    }

    private async Task<Reply<T>> DecideUntilAnswered<T>(Call call, Func<TState, Instant, Decision> decide, Func<TState, T> view, Rejection? refusal)
    {
        var alone = false;
        for (var attempt = 0; ; attempt++)
        {
            if (attempt == MostAttempts)
            {
                throw new UnavailableException("The object is too busy to decide this now.");
            }

            await Loaded();
            Note(call.SandboxNow);
            if (call.Request is { } request && _recent.TryGetValue(request, out var recent))
            {
                switch (await recent.Batch.End)
                {
                    case BatchEnd.Durable when recent.Hash != call.RequestHash:
                        return Reply<T>.No(RequestIdReused(request));
                    case BatchEnd.Durable:
                        return Reply<T>.Ok(view(recent.After.State), recent.After.Meta);
                    case BatchEnd.Lost lost:
                        throw new UnavailableException(lost.Why);
                    default:
                        // Its first sender is deciding it again, or was told why not: look again.
                        _recent.Remove(request);
                        continue;
                }
            }

            // From here to the enqueueing there is no await: nothing comes between what is read and what is decided on it.
            var now = Now(call.SandboxNow);
            SettlePending(now);
            now = Instant.Max(now, _pending.UpdatedAt);
            var decision = refusal is not null ? refusal
                : call.ExpectedVersion is { } expected && expected != _pending.Version
                ? Rejection.Stale($"of version {expected}", $"of version {_pending.Version}")
                : decide(_pending.State, now);
            if (decision is { Rejection: null, Events.IsEmpty: false } && _pending.State.Following(decision.Events, now) is { IsEmpty: false } following)
            {
                decision = decision.Then(following);
            }

            if (decision is { Rejection: null, Events.IsEmpty: true } && call.Request is not null)
            {
                decision = Decision.Accept(new NothingChanged());
            }

            decision = InOpenMonths(decision);

            if (decision.Rejection is not null || decision.Events.IsEmpty || call.ValidateOnly)
            {
                var (answered, reply) = await AnswerUnwritten(call, decision, now, view, refusal);
                if (answered)
                {
                    return reply!;
                }

                continue;
            }

            var batch = OpenBatch(alone);
            var after = batch.Add(Key, call, decision, now, _services.System);
            _pending = after;
            if (call.Request is { } id)
            {
                Remember(id, new Recent(call.RequestHash, after, batch));
            }

            StartWriting();
            switch (await batch.End)
            {
                case BatchEnd.Durable:
                    return Reply<T>.Ok(view(after.State), after.Meta);
                case BatchEnd.DecideAgain again:
                    alone |= again.Alone;
                    continue;
                case BatchEnd.Lost lost:
                    throw new UnavailableException(lost.Why);
                case BatchEnd.Refused { Why: AppendResult.RequestIdTaken taken }:
                    return await AnswerFromOutcome(call, taken.Outcome, view);
                case BatchEnd.Refused { Why: AppendResult.KeyTaken taken }:
                    return Reply<T>.No(Rejection.AlreadyExists(taken.Type, taken.Key));
                case BatchEnd.Refused { Why: AppendResult.PostingClosed }:
                    continue;
                case BatchEnd.Refused { Why: var why }:
                    throw new UnstorableException($"{Key.Kind} refused by storage: {why}");
            }
        }
    }

    /// <summary>
    /// A refusal, a command that changes nothing, or a question what if. It goes out when all that it was decided on is durable, and, refusals
    /// being fenced too, when the journal shows that this activation is current and that the request id was not answered otherwise before.
    /// </summary>
    private async Task<(bool Answered, Reply<T>? Reply)> AnswerUnwritten<T>(Call call, Decision decision, Instant now, Func<TState, T> view, Rejection? refusal)
    {
        var after = decision.Events.Aggregate(_pending, (folded, @event) => folded.Apply(@event, default, now));
        StartWriting();
        switch (await DurableSoFar())
        {
            case BatchEnd.Lost lost:
                throw new UnavailableException(lost.Why);
            case not BatchEnd.Durable:
                return (false, null);
        }

        var fence = await _services.Journal.ReadFence(Key, call.ValidateOnly ? null : call.Request);
        if (fence.Outcome is { } outcome)
        {
            return (true, await AnswerFromOutcome(call, outcome, view));
        }

        if (fence.HeadVersion > _submitted)
        {
            await Reload();
            return (false, null);
        }

        return (true, decision.Rejection switch
        {
            null => Reply<T>.Ok(view(after.State), after.Meta),

            // A state that is not there does not know its own name.
            { Kind: RejectionKind.NotFound } own when own != refusal && !_pending.State.Exists => Reply<T>.No(Rejection.NotFound(Key.Kind, Key.Id)),
            var rejection => Reply<T>.No(rejection),
        });
    }

    private async Task<Reply<T>> AnswerFromOutcome<T>(Call call, StoredOutcome outcome, Func<TState, T> view)
    {
        if (outcome.Key != Key || outcome.RequestHash != call.RequestHash)
        {
            return Reply<T>.No(RequestIdReused(call.Request!.Value));
        }

        var folded = await FoldFromJournal((stored, _) => stored.Version <= outcome.Version);
        return Reply<T>.Ok(view(folded.State), folded.Meta);
    }

    private static Rejection RequestIdReused(Guid request) => Rejection.Rule(
        Reasons.RequestIdReused,
        $"The request id {request} was used before for another request: take a new one.",
        ("request_id", request.ToString()));

    private Instant Now(Instant? sandboxNow) => Instant.Max(sandboxNow ?? _services.Now, _pending.UpdatedAt);

    private void Note(Instant? sandboxNow)
    {
        if (sandboxNow is { } seen && (_sandboxNow is not { } known || seen > known))
        {
            _sandboxNow = seen;
        }
    }

    /// <summary>Time acts first: what is due is decided, in due order, each at its own instant.</summary>
    private void SettlePending(Instant now)
    {
        while (_pending.State.NextDue is { } due && due <= now)
        {
            var events = _pending.State.Settle(now);
            if (events.IsEmpty)
            {
                // A saga's own wake-up, which time alone does not settle.
                return;
            }

            var call = new Call(Key.Agency, "system", SandboxNow: _sandboxNow);
            _pending = OpenBatch(alone: false).Add(Key, call, InOpenMonths(Decision.Accept(events)), Instant.Max(due, _pending.UpdatedAt), _services.System);
        }
    }

    private async Task SettleNow(Instant? sandboxNow)
    {
        SettlePending(Now(sandboxNow));
        StartWriting();
        var end = await DurableSoFar();
        if (end is BatchEnd.Refused { Why: AppendResult.PostingClosed } or BatchEnd.DecideAgain)
        {
            // A month was closed in between: now it is known, and what is due posts into the open one.
            SettlePending(Now(sandboxNow));
            StartWriting();
            end = await DurableSoFar();
        }

        if (end is BatchEnd.Lost lost)
        {
            throw new UnavailableException(lost.Why);
        }
    }

    /// <summary>What would post into a closed month posts on the first open day, and says which day it belongs to. Source: domain §5.</summary>
    private Decision InOpenMonths(Decision decision) => _closedThrough.Count == 0 ? decision : decision.Select(e =>
        e is IPosting posting && _closedThrough.TryGetValue(posting.LegalEntity, out var closed) && posting.PostingDate <= closed ? posting.PostedOn(closed.PlusDays(1)) : e);

    private Task<BatchEnd> DurableSoFar() => _last?.End ?? Task.FromResult<BatchEnd>(new BatchEnd.Durable());

    /// <summary>The batch that takes the next command: the last one waiting, unless it is with the writer or stands alone.</summary>
    private Batch<TState> OpenBatch(bool alone)
    {
        if (!alone && _waiting.Count > 0 && _last is { Alone: false } open)
        {
            return open;
        }

        var batch = new Batch<TState>(_pending, alone);
        _waiting.Enqueue(batch);
        _last = batch;
        return batch;
    }

    private void Remember(Guid request, Recent recent)
    {
        if (!_recent.ContainsKey(request))
        {
            _recentOrder.Enqueue(request);
        }

        _recent[request] = recent;
        while (_recentOrder.Count > RecentRequests)
        {
            _recent.Remove(_recentOrder.Dequeue());
        }
    }
}
