using Microsoft.Extensions.Logging;

namespace AgencyPlatform.Grains;

/// <summary>Taking batches to the journal, one at a time.</summary>
public abstract partial class AggregateGrain<TState>
{
    private void StartWriting()
    {
        if (!_writing && _waiting.Count > 0)
        {
            _writing = true;
            // Runs on the grain's scheduler; its outcome reaches the callers through their batches.
            _ = WriteBatches();
        }
    }

    private async Task WriteBatches()
    {
        try
        {
            while (_waiting.TryDequeue(out var batch))
            {
                if (batch.Commands == 0)
                {
                    batch.Complete(new BatchEnd.Durable());
                    continue;
                }

                _submitted = batch.After.Version;
                AppendResult result;
                try
                {
                    result = await _services.Journal.Append(batch.ToItem(Key));
                }
                catch (Exception e)
                {
                    _log.LogError(e, "The journal failed on {Aggregate}", Key);
                    result = new AppendResult.Unavailable(e.GetType().Name);
                }

                switch (result)
                {
                    case AppendResult.Appended:
                        _committed = batch.After;
                        Tell();
                        batch.Complete(new BatchEnd.Durable());
                        AfterCommit(batch);
                        break;
                    case AppendResult.FenceLost:
                        Lose(batch, "The object was changed elsewhere at the same time.");
                        return;
                    case AppendResult.Unavailable unavailable:
                        // The writer has said it once for all that were in its commit.
                        _log.LogDebug("Storage is out of reach for {Aggregate}: {Error}", Key, unavailable.Error);
                        Lose(batch, "Storage is out of reach.");
                        return;
                    default:
                        Undo(batch, result);
                        break;
                }
            }
        }
        finally
        {
            _writing = false;
        }
    }

    /// <summary>A batch was refused for its content: it and all that was decided on top of it goes back; each command is decided again.</summary>
    private void Undo(Batch<TState> refused, AppendResult why)
    {
        if (why is AppendResult.PostingClosed closed)
        {
            _closedThrough[closed.LegalEntity] = closed.ClosedThrough;
        }

        _pending = _committed;
        _submitted = _committed.Version;
        _last = null;
        var onTop = _waiting.ToArray();
        _waiting.Clear();
        foreach (var batch in onTop.Prepend(refused))
        {
            foreach (var request in batch.Requests)
            {
                _recent.Remove(request);
            }
        }

        // Time's own events may share the batch: then the command is decided again by itself.
        var single = refused.Commands == 1;
        refused.Complete(single ? new BatchEnd.Refused(why) : new BatchEnd.DecideAgain(Alone: true));
        foreach (var batch in onTop)
        {
            batch.Complete(new BatchEnd.DecideAgain(Alone: false));
        }
    }

    /// <summary>The fence or the storage is lost: what is pending is dropped, every waiter is told, and the activation goes.</summary>
    private void Lose(Batch<TState> batch, string why)
    {
        _lost = true;
        TakeBack();
        var end = new BatchEnd.Lost(why);
        batch.Complete(end);
        while (_waiting.TryDequeue(out var waiting))
        {
            waiting.Complete(end);
        }

        FailSagaWaiters(new UnavailableException(why));
        DeactivateOnIdle();
    }

    private void AfterCommit(Batch<TState> batch)
    {
        CompleteSagaWaiters(batch.States);
        TakeSnapshotWhenDue();
        _ = PumpSaga();
    }
}
