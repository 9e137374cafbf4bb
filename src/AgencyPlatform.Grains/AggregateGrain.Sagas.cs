using Microsoft.Extensions.Logging;

namespace AgencyPlatform.Grains;

/// <summary>
/// Sagas: their progress stands in the aggregate's own events; a step is idempotent by object id; every step that can be refused comes
/// before the first that cannot be taken back. They are carried on after each commit, with each call that started one, and by the deadline.
/// </summary>
public abstract partial class AggregateGrain<TState>
{
    private readonly List<(Func<TState, bool> Reached, TaskCompletionSource<Folded<TState>> Waiter)> _sagaWaiters = [];
    private Task? _pump;
    private bool _pumpAgain;

    /// <summary>
    /// Does the next step of whatever saga the committed state shows unfinished: calls the other grain, then records the result with
    /// <see cref="Decide{T}"/>. False when nothing is to be done. What it throws is reported, and the step is tried again by the deadline.
    /// </summary>
    protected virtual Task<bool> Step(TState committed) => Task.FromResult(false);

    /// <summary>The call of a saga's step: the same agency and clock, the system as actor, no request id.</summary>
    protected Call StepCall(Guid? cause = null) => new(Key.Agency, "system", SandboxNow: _sandboxNow, Cause: cause ?? _committed.LastEvent);

    /// <summary>
    /// Decides the command that starts a saga and answers when the saga has ended; a repeat waits for the same end and gives its result,
    /// a refusal included.
    /// </summary>
    /// <param name="end">How the saga of a request has ended; null while it is under way.</param>
    /// <param name="refusal">What another aggregate says against it, as for <see cref="Decide{T}"/>.</param>
    protected async Task<Reply<T>> RunSaga<T>(
        Call call, Func<TState, Instant, Decision> start, Func<TState, Guid, SagaEnd?> end, Func<TState, T> view, Rejection? refusal = null)
    {
        var request = call.Request ?? Guid.CreateVersion7(_services.System.GetUtcNow());
        var started = await Decide(call with { Request = request }, start, state => state, refusal);
        if (started.Rejection is { } refused)
        {
            return Reply<T>.No(refused);
        }

        if (call.ValidateOnly)
        {
            return Reply<T>.Ok(view(started.Value!), started.Meta!);
        }

        // The view as it was when the saga ended. Its end may be remembered, may be older than what the state remembers, or is yet to come:
        // the events since the start tell.
        var ended = new Folded<TState>(started.Value!, started.Meta!.Version, started.Meta.Uid, default, started.Meta.CreatedAt, started.Meta.UpdatedAt);
        while (end(ended.State, request) is null)
        {
            if (ended.Version < _committed.Version)
            {
                ended = await FoldOn(ended, state => end(state, request) is not null);
                continue;
            }

            var waiter = new TaskCompletionSource<Folded<TState>>(TaskCreationOptions.RunContinuationsAsynchronously);
            _sagaWaiters.Add((state => end(state, request) is not null, waiter));
            _ = PumpSaga();
            ended = await waiter.Task;
        }

        return end(ended.State, request)!.Rejection is { } rejection ? Reply<T>.No(rejection) : Reply<T>.Ok(view(ended.State), ended.Meta);
    }

    /// <summary>Folds the events after a version, up to the first after which the state is what is looked for, or to the last.</summary>
    private async Task<Folded<TState>> FoldOn(Folded<TState> folded, Func<TState, bool> found)
    {
        await foreach (var stored in _services.Journal.ReadStream(Key, folded.Version))
        {
            folded = folded.Apply(stored);
            if (found(folded.State))
            {
                break;
            }
        }

        return folded;
    }

    /// <summary>Carries on what the committed state shows unfinished, without waiting for it: for what is asked after when a crash may have interrupted it.</summary>
    protected void CarryOn() => _ = PumpSaga();

    private Task PumpSaga()
    {
        _pumpAgain = true;
        return _pump is { IsCompleted: false } ? _pump : _pump = Pump();
    }

    private async Task Pump()
    {
        try
        {
            while (_pumpAgain)
            {
                _pumpAgain = false;
                while (!_lost && await Step(_committed.State))
                {
                }
            }
        }
        catch (Exception e)
        {
            _log.LogWarning(e, "A saga of {Aggregate} stopped at a step; its deadline takes it up again", Key);
            FailSagaWaiters(e is UnavailableException ? e : new UnavailableException("A step did not answer; it is taken up again."));
        }
    }

    /// <summary>
    /// Tells those whose saga has ended. What was decided behind its end may have been committed with it; the answer is the state at the end, as a repeat finds it.
    /// </summary>
    /// <param name="states">What was committed, in order.</param>
    private void CompleteSagaWaiters(List<Folded<TState>> states)
    {
        for (var i = _sagaWaiters.Count - 1; i >= 0; i--)
        {
            if (states.Find(s => _sagaWaiters[i].Reached(s.State)) is { } ended)
            {
                _sagaWaiters[i].Waiter.TrySetResult(ended);
                _sagaWaiters.RemoveAt(i);
            }
        }
    }

    private void FailSagaWaiters(Exception exception)
    {
        foreach (var (_, waiter) in _sagaWaiters)
        {
            waiter.TrySetException(exception);
        }

        _sagaWaiters.Clear();
    }
}
