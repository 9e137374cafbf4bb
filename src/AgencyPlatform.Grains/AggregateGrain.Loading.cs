using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Orleans.Storage;

namespace AgencyPlatform.Grains;

/// <summary>A folded state to start from. A lost, stale, foreign or corrupt one costs time, never truth.</summary>
/// <param name="FoldVersion">Of the fold code that wrote it; another's is ignored.</param>
/// <param name="Hash">SHA-256 of the JSON text of <paramref name="Folded"/>, hexadecimal.</param>
/// <param name="Folded">The folded aggregate; its last event must stand in the journal.</param>
public sealed record Snapshot(int FoldVersion, string Hash, JsonElement Folded)
{
    // Orleans' storage creates one when it finds none.
    public Snapshot() : this(-1, "", default) { }

    internal static Snapshot Of<TState>(Folded<TState> folded) where TState : class, IState<TState>
    {
        var json = JsonSerializer.SerializeToElement(folded, EventJson.Options);
        return new Snapshot(TState.FoldVersion, HashOf(json), json);
    }

    /// <summary>What was folded; null when it is not what was written.</summary>
    internal Folded<TState>? Read<TState>() where TState : class, IState<TState> =>
        Folded.ValueKind == JsonValueKind.Object && HashOf(Folded) == Hash ? Folded.Deserialize<Folded<TState>>(EventJson.Options) : null;

    private static string HashOf(JsonElement json) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(json.GetRawText())));
}

/// <param name="EventsPerSnapshot">How many events an activation folds at most, about; a snapshot is taken after so many.</param>
public sealed record SnapshotOptions(int EventsPerSnapshot = 256);

/// <summary>Folding from snapshot and journal, and writing snapshots.</summary>
public abstract partial class AggregateGrain<TState>
{
    private string? _snapshotETag;
    private long _nextSnapshot;
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
        Folded<TState> folded;
        try
        {
            folded = (start is null ? null : await FoldFromSnapshot(start)) ?? await FoldFromStart();
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
        CompleteSagaWaiters([_committed]);
        TakeSnapshotWhenDue();
        Tell();
        if (folded.State.NextDue is not null)
        {
            _ = Resume();
        }
    }

    /// <summary>
    /// What a crash has cut off goes on with the activation, and does not wait for the deadline: in a sandbox, whose clock stands between calls, that would not come.
    /// </summary>
    private async Task Resume()
    {
        try
        {
            Note((ActiveFacts.Context(Key.Agency) ?? await Grain<Contracts.Agencies.IAgencyGrain>(Key.Agency.Value).GetContext())?.SandboxNow);
            await PumpSaga();
        }
        catch (Exception e)
        {
            _log.LogWarning(e, "{Aggregate} could not be carried on; its deadline takes it up", Key);
        }
    }

    /// <summary>The snapshot and the events after it; null when the snapshot is not of this journal.</summary>
    private async Task<Folded<TState>?> FoldFromSnapshot(Folded<TState> start)
    {
        var folded = start;
        var proven = false;
        try
        {
            // One event of overlap proves that the snapshot's last event stands in the journal.
            await foreach (var stored in _services.Journal.ReadStream(Key, start.Version - 1))
            {
                if (stored.Version > start.Version)
                {
                    folded = folded.Apply(stored);
                }
                else if (stored.Event.Id == start.LastEvent)
                {
                    proven = true;
                }
                else
                {
                    break;
                }
            }
        }
        catch (Exception e) when (e is not UnavailableException)
        {
            // Is it the snapshot or an event? The journal alone tells.
            _log.LogWarning(e, "The snapshot of {Aggregate} at version {Version} does not fold on", Key, start.Version);
            proven = false;
        }

        GrainTelemetry.Snapshot(TState.Kind, proven ? "used" : "not-in-journal");
        if (!proven)
        {
            _log.LogWarning("The snapshot of {Aggregate} at version {Version} is not of this journal and is ignored", Key, start.Version);
            _nextSnapshot = 0;
            return null;
        }

        GrainTelemetry.Activated(TState.Kind, folded.Version - start.Version);
        return folded;
    }

    private async Task<Folded<TState>> FoldFromStart()
    {
        var folded = await FoldFromJournal((_, _) => true);
        GrainTelemetry.Activated(TState.Kind, folded.Version);
        return folded;
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
        TakeBack();
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

    /// <summary>The state as it was at a version, from the journal: for what the state has let go of.</summary>
    protected async Task<TState> StateAt(long version) => (await FoldFromJournal((stored, _) => stored.Version <= version)).State;

    /// <summary>The object's own history, from the first event on: for questions whose answer the state does not keep.</summary>
    /// <param name="upTo">The version of the last event that is asked for.</param>
    protected async IAsyncEnumerable<(StoredEvent Stored, IEvent Event)> History(long upTo = long.MaxValue)
    {
        await foreach (var stored in _services.Journal.ReadStream(Key, upTo: upTo))
        {
            yield return (stored, EventJson.Deserialize(stored.Event.Name, stored.Event.SchemaVersion, stored.Event.Payload));
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
        _nextSnapshot = 0;
        try
        {
            var row = await ReadSnapshotRow();
            if (!row.RecordExists || row.State is not { } snapshot)
            {
                GrainTelemetry.Snapshot(TState.Kind, "none");
            }
            else if (snapshot.FoldVersion >= 0 && snapshot.FoldVersion != TState.FoldVersion)
            {
                GrainTelemetry.Snapshot(TState.Kind, "other-fold");
            }
            else if (snapshot.Read<TState>() is { Version: > 0 } folded)
            {
                _nextSnapshot = folded.Version + _services.Snapshotting.EventsPerSnapshot;
                return folded;
            }
            else
            {
                GrainTelemetry.Snapshot(TState.Kind, "unreadable");
            }
        }
        catch (Exception e)
        {
            GrainTelemetry.Snapshot(TState.Kind, "unreadable");
            _log.LogWarning(e, "The snapshot of {Aggregate} is ignored", Key);
        }

        return null;
    }

    private void TakeSnapshotWhenDue()
    {
        var every = _services.Snapshotting.EventsPerSnapshot;
        if (!_takingSnapshot && _committed.Version >= Math.Max(_nextSnapshot, every))
        {
            _takingSnapshot = true;
            // Whatever comes of it, the next one is as far away: storage that fails is not asked at each commit.
            _nextSnapshot = _committed.Version + every;
            _ = TakeSnapshot(_committed);
        }
    }

    private async Task TakeSnapshot(Folded<TState> folded)
    {
        try
        {
            var row = new GrainState<Snapshot>(Snapshot.Of(folded), _snapshotETag);
            await _services.Snapshots.WriteStateAsync(TState.Kind, this.GetGrainId(), row);
            _snapshotETag = row.ETag;
            GrainTelemetry.Snapshot(TState.Kind, "taken");
        }
        catch (InconsistentStateException)
        {
            // Another activation wrote one, as good as ours; or the row could not be read before, or is gone.
            GrainTelemetry.Snapshot(TState.Kind, "conflict");
            await LearnETag();
        }
        catch (Exception e)
        {
            GrainTelemetry.Snapshot(TState.Kind, "failed");
            _log.LogWarning(e, "No snapshot of {Aggregate} at version {Version}", Key, folded.Version);
        }
        finally
        {
            _takingSnapshot = false;
        }
    }

    private async Task LearnETag()
    {
        try
        {
            await ReadSnapshotRow();
        }
        catch (Exception e)
        {
            _log.LogWarning(e, "The snapshot of {Aggregate} cannot be read", Key);
        }
    }

    private async Task<GrainState<Snapshot>> ReadSnapshotRow()
    {
        var row = new GrainState<Snapshot>(new Snapshot());
        await _services.Snapshots.ReadStateAsync(TState.Kind, this.GetGrainId(), row);
        _snapshotETag = row.ETag;
        return row;
    }
}
