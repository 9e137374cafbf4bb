using System.Text.Json;
using Microsoft.Extensions.Logging;
using Orleans.Storage;

namespace AgencyPlatform.Grains;

/// <summary>A folded state to start from. A lost, stale or foreign one costs time, never truth.</summary>
/// <param name="FoldVersion">Of the fold code that wrote it; another's is ignored.</param>
/// <param name="Folded">The folded aggregate as JSON; its last event must stand in the journal.</param>
public sealed record Snapshot(int FoldVersion, string Folded)
{
    // Orleans' storage creates one when it finds none.
    public Snapshot() : this(-1, "") { }
}

/// <summary>Folding from snapshot and journal, and writing snapshots.</summary>
public abstract partial class AggregateGrain<TState>
{
    private const int EventsPerSnapshot = 256;

    private readonly GrainState<Snapshot> _snapshot = new(new Snapshot());
    private long _snapshotVersion;
    private bool _takingSnapshot;

    /// <summary>Completes when the state is folded. Storage trouble throws and the next call tries again.</summary>
    private Task Loaded()
    {
        if (_lost)
        {
            throw new UnavailableException("The object is being reloaded.");
        }

        if (_loading is null || _loading.IsFaulted || _loading.IsCanceled)
        {
            _loading = Load();
        }

        return _loading;
    }

    private async Task Load()
    {
        var start = await ReadSnapshot();
        var folded = start ?? Folded<TState>.Initial;
        var proven = start is null;
        try
        {
            // One event of overlap proves that the snapshot's last event stands in the journal.
            await foreach (var stored in _services.Journal.ReadStream(Key, start is null ? 0 : start.Version - 1))
            {
                if (stored.Version == start?.Version)
                {
                    proven = stored.Event.Id == start.LastEvent;
                    if (!proven)
                    {
                        break;
                    }

                    continue;
                }

                folded = folded.Apply(stored);
            }

            if (!proven)
            {
                folded = await FoldFromJournal((_, _) => true);
            }
        }
        catch (UnavailableException)
        {
            throw;
        }
        catch (Exception e) when (e is not InvalidOperationException)
        {
            _log.LogError(e, "{Aggregate} could not be read", Key);
            throw new UnavailableException("The object cannot be read now.");
        }

        _committed = _pending = folded;
        _submitted = folded.Version;
    }

    /// <summary>Another silo has moved on: what is committed here is old.</summary>
    private Task Reload()
    {
        if (_loading is { IsCompleted: false })
        {
            return _loading;
        }

        if (_waiting.Count > 0 || _writing)
        {
            // The fence of the batch under way tells the same.
            return Task.CompletedTask;
        }

        _recent.Clear();
        _recentOrder.Clear();
        _last = null;
        _loading = Load();
        return _loading;
    }

    private async Task ReachVersion(long version)
    {
        if (await DurableSoFar() is BatchEnd.Durable && _committed.Version < version && (await _services.Journal.ReadFence(Key, null)).HeadVersion > _submitted)
        {
            await Reload();
        }

        if (_committed.Version < version)
        {
            throw new UnavailableException($"Version {version} is not reached yet; it is {_committed.Version}.");
        }
    }

    /// <summary>Folds from the first event while <paramref name="take"/> accepts the next one (given with the state before it).</summary>
    private async Task<Folded<TState>> FoldFromJournal(Func<StoredEvent, Folded<TState>, bool> take)
    {
        var folded = Folded<TState>.Initial;
        await foreach (var stored in _services.Journal.ReadStream(Key))
        {
            if (!take(stored, folded))
            {
                break;
            }

            folded = folded.Apply(stored);
        }

        return folded;
    }

    private async Task<Folded<TState>?> ReadSnapshot()
    {
        try
        {
            await _services.Snapshots.ReadStateAsync(TState.Kind, this.GetGrainId(), _snapshot);
            if (_snapshot is { RecordExists: true, State.FoldVersion: var version } && version == TState.FoldVersion)
            {
                var folded = JsonSerializer.Deserialize<Folded<TState>>(_snapshot.State.Folded, EventJson.Options);
                _snapshotVersion = folded?.Version ?? 0;
                return folded;
            }
        }
        catch (Exception e)
        {
            _log.LogWarning(e, "The snapshot of {Aggregate} is ignored", Key);
        }

        return null;
    }

    private void TakeSnapshotWhenDue()
    {
        if (!_takingSnapshot && _committed.Version - _snapshotVersion >= EventsPerSnapshot)
        {
            _takingSnapshot = true;
            _ = TakeSnapshot(_committed);
        }
    }

    private async Task TakeSnapshot(Folded<TState> folded)
    {
        try
        {
            _snapshot.State = new Snapshot(TState.FoldVersion, JsonSerializer.Serialize(folded, EventJson.Options));
            await _services.Snapshots.WriteStateAsync(TState.Kind, this.GetGrainId(), _snapshot);
            _snapshotVersion = folded.Version;
        }
        catch (InconsistentStateException)
        {
            // Another activation wrote one: as good as ours. Its ETag comes with the next activation.
            _snapshotVersion = folded.Version;
        }
        catch (Exception e)
        {
            _log.LogWarning(e, "No snapshot of {Aggregate} at version {Version}", Key, folded.Version);
        }
        finally
        {
            _takingSnapshot = false;
        }
    }
}
