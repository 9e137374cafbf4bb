using System.Diagnostics;
using System.Threading.Channels;
using AgencyPlatform.Contracts.Journal;
using AgencyPlatform.Storage.Engines;
using Microsoft.Extensions.Logging;
using NodaTime.Text;

namespace AgencyPlatform.Storage.Journal;

/// <summary>
/// The one writer of a process. It takes all items that wait (bounded) and stores them in one transaction; while that runs, the
/// next gather. A batch that is refused for content is halved until the bad item stands alone; after anything that leaves the outcome
/// unknown it first looks which items stand already.
/// </summary>
internal sealed partial class JournalWriter : IAsyncDisposable
{
    private const int MaxHeads = 50_000;
    private const int MaxStale = 20;

    private readonly Database _database;
    private readonly StorageOptions _options;
    private readonly TimeProvider _clock;
    private readonly FeedSignal _signal;
    private readonly ILogger<JournalWriter> _log;
    private readonly Channel<Work> _waiting;
    private readonly CancellationTokenSource _stop = new();
    private readonly ChainHash _chain = new();
    private readonly Dictionary<string, Head> _heads = new(StringComparer.Ordinal);
    private readonly Task _running;

    // Storage was out of reach the last time: one attempt, no pauses, until it answers again.
    private bool _down;

    public JournalWriter(Database database, StorageOptions options, TimeProvider clock, FeedSignal signal, ILogger<JournalWriter> log)
    {
        _database = database;
        _options = options;
        _clock = clock;
        _signal = signal;
        _log = log;
        _waiting = Channel.CreateBounded<Work>(new BoundedChannelOptions(options.MaxWaiting) { SingleReader = true });
        _running = Task.Run(Run);
    }

    public ValueTask<AppendResult> Append(AppendItem item)
    {
        var (work, error) = Work.Prepare(item, _database.Tables);
        if (work is null)
        {
            return ValueTask.FromResult<AppendResult>(new AppendResult.Unstorable(error!));
        }

        if (!_waiting.Writer.TryWrite(work))
        {
            return ValueTask.FromResult<AppendResult>(new AppendResult.Unavailable("Too many appends wait for the journal, or it is stopping."));
        }

        StorageTelemetry.Waiting.Add(1);
        return work.Task;
    }

    public async ValueTask DisposeAsync()
    {
        _waiting.Writer.TryComplete();
        _stop.CancelAfter(TimeSpan.FromSeconds(10));
        await _running;
        _stop.Dispose();
    }

    private async Task Run()
    {
        var batch = new List<Work>(_options.MaxBatch);
        while (await _waiting.Reader.WaitToReadAsync())
        {
            while (batch.Count < _options.MaxBatch && _waiting.Reader.TryRead(out var work))
            {
                batch.Add(work);
            }

            StorageTelemetry.Waiting.Add(-batch.Count);
            try
            {
                await Store(batch);
            }
            catch (Exception e)
            {
                // Nothing may stop the writer; what it could not answer is unknown.
                LogBroken(_log, e);
                _heads.Clear();
                GiveUp(batch, e.Message);
            }

            batch.Clear();
        }
    }

    private async Task Store(IReadOnlyList<Work> works)
    {
        var unsure = false;
        var stale = 0;
        var troubles = 0;
        var refusals = 0;
        while (true)
        {
            try
            {
                if (unsure)
                {
                    works = await AnswerThoseThatStand(works);
                    unsure = false;
                }

                await LoadHeads(works);
                var batch = Place(works);
                works = batch.Works;
                if (works.Count == 0)
                {
                    return;
                }

                await Commit(batch);
                _down = false;
                foreach (var move in batch.Heads)
                {
                    _heads[move.Agency] = move.To;
                }

                if (_signal.IsHeard)
                {
                    _signal.Tell([.. batch.Events.Select(e => new StoredEvent(e.Key, e.Version, e.Event, e.Sequence, Instant.FromUnixTimeTicks(e.RecordedAt), e.PreviousHash, e.Hash))]);
                }

                var next = 0;
                foreach (var work in works)
                {
                    var first = batch.Events[next];
                    next += work.Item.Events.Length;
                    work.Answer(new AppendResult.Appended(first.Sequence, Instant.FromUnixTimeTicks(first.RecordedAt)));
                }

                return;
            }
            catch (StaleHeadException) when (stale++ < MaxStale)
            {
                Failed("stale_head", works);
                unsure = true;
            }
            catch (RefusedContentException e)
            {
                Failed("content", works);
                if (works.Count > 1)
                {
                    var half = works.Count / 2;
                    await Store([.. works.Take(half)]);
                    await Store([.. works.Skip(half)]);
                    return;
                }

                // What the item collided with may be gone by the time it is looked for: then it is tried once more.
                if (await Refusal(works[0], e, last: refusals++ > 0) is { } refusal)
                {
                    works[0].Answer(refusal);
                    return;
                }
            }
            catch (Exception e) when (e is StorageTroubleException or StaleHeadException or UnavailableException)
            {
                Failed("trouble", works);
                unsure = true;
                if (_down || troubles >= _options.Retries.Count || _stop.IsCancellationRequested)
                {
                    GiveUp(works, e.Message);
                    return;
                }

                LogTrouble(_log, works.Count, e.Message);
                try
                {
                    await Task.Delay(_options.Retries[troubles++], TimeProvider.System, _stop.Token);
                }
                catch (OperationCanceledException)
                {
                    GiveUp(works, "The journal is stopping.");
                    return;
                }
            }
        }
    }

    private async Task Commit(Batch batch)
    {
        using var activity = StorageTelemetry.Source.StartActivity("journal.commit", ActivityKind.Client);
        var started = Stopwatch.GetTimestamp();
        var rows = batch.Events.Count + batch.Heads.Count;
        foreach (var work in batch.Works)
        {
            rows += work.Rows.Length + (work.Item.Deadline is null ? 0 : 1) + (work.Item.People.IsDefault ? 0 : work.Item.People.Length);
        }

        activity?.SetTag("journal.items", batch.Works.Count);
        activity?.SetTag("journal.rows", rows);
        try
        {
            await _database.Commit(batch);
        }
        catch (Exception e)
        {
            activity?.SetStatus(ActivityStatusCode.Error, e.Message);
            throw;
        }

        StorageTelemetry.CommitDuration.Record(Stopwatch.GetElapsedTime(started).TotalSeconds);
        StorageTelemetry.ItemsPerCommit.Record(batch.Works.Count);
        StorageTelemetry.RowsPerCommit.Record(rows);
    }

    /// <summary>Gives every event its sequence, recorded_at and hash; answers items that post into a closed month.</summary>
    private Batch Place(IReadOnlyList<Work> works)
    {
        var now = Instant.FromDateTimeOffset(_clock.GetUtcNow()).ToUnixTimeTicks();
        var placed = new List<Work>(works.Count);
        var events = new List<PlacedEvent>(works.Count + 8);
        var moves = new SortedDictionary<string, HeadMove>(StringComparer.Ordinal);
        foreach (var work in works)
        {
            var item = work.Item;
            var agency = item.Key.Agency.Value;
            if (!moves.TryGetValue(agency, out var move))
            {
                move = HeadMove.Of(agency, _heads[agency]);
            }

            if (Closed(move.ClosedThrough, item) is { } closed)
            {
                work.Answer(closed);
                continue;
            }

            var recordedAt = Math.Max(item.SandboxNow?.ToUnixTimeTicks() ?? now, move.RecordedAt);
            var (sequence, hash, version) = (move.Sequence, move.Hash, item.ExpectedVersion);
            foreach (var e in item.Events)
            {
                var previous = hash;
                hash = _chain.Of(item.Key, e, ++version, ++sequence, recordedAt, previous);
                events.Add(new PlacedEvent(item.Key, e, version, sequence, recordedAt, previous, hash));
            }

            move = item.Closing is { } closing ? move.Closing(closing) : move;
            moves[agency] = move with { Sequence = sequence, Hash = hash, RecordedAt = recordedAt, Sandbox = move.Sandbox || item.SandboxNow is not null };
            placed.Add(work);
        }

        return new Batch(placed, events, [.. moves.Values]);
    }

    private static AppendResult.PostingClosed? Closed(ImmutableDictionary<string, LocalDate> closedThrough, AppendItem item)
    {
        if (closedThrough.IsEmpty)
        {
            return null;
        }

        foreach (var e in item.Events)
        {
            if (e is { LegalEntity: { } entity, PostingDate: { } date } && closedThrough.TryGetValue(entity.Value, out var closed) && date <= closed)
            {
                return new AppendResult.PostingClosed(entity, closed);
            }
        }

        return null;
    }

    private async Task LoadHeads(IReadOnlyList<Work> works)
    {
        List<object>? missing = null;
        foreach (var work in works)
        {
            var agency = work.Item.Key.Agency.Value;
            if (!_heads.ContainsKey(agency) && !(missing ??= []).Contains(agency))
            {
                missing.Add(agency);
            }
        }

        if (missing is null)
        {
            return;
        }

        if (_heads.Count > MaxHeads)
        {
            _heads.Clear();
            await LoadHeads(works);
            return;
        }

        var arguments = SqlArguments.Within([.. missing.Cast<string>()]);
        var rows = await _database.Query(
            $"""
            SELECT h.agency, h.sequence, h.hash, h.recorded_at, h.closings, c.legal_entity, c.closed_through
            FROM heads h LEFT JOIN closed_periods c ON c.agency = h.agency WHERE {_database.In("h.agency", missing, arguments)}
            """,
            arguments,
            r => (Agency: r.GetString(0), Sequence: r.GetInt64(1), Hash: r.GetFieldValue<byte[]>(2), RecordedAt: r.GetInt64(3), Closings: r.GetInt64(4),
                Entity: r.IsDBNull(5) ? null : r.GetString(5), Through: r.IsDBNull(6) ? null : r.GetString(6)));
        foreach (var agency in rows.GroupBy(r => r.Agency))
        {
            var row = agency.First();
            var closed = agency.Where(r => r.Entity is not null).ToImmutableDictionary(r => r.Entity!, r => LocalDatePattern.Iso.Parse(r.Through!).Value);
            _heads[agency.Key] = new Head(row.Sequence, row.Hash, row.RecordedAt, row.Closings, closed, true);
        }

        foreach (var agency in missing)
        {
            _heads.TryAdd((string)agency, Head.None);
        }
    }

    /// <summary>
    /// After a commit whose outcome is unknown, or a head moved by another writer: an item that stands at its version under its event id is
    /// a success, one whose version is another's has lost its fence. Returns the rest.
    /// </summary>
    private async Task<IReadOnlyList<Work>> AnswerThoseThatStand(IReadOnlyList<Work> works)
    {
        var rest = new List<Work>(works.Count);
        var ahead = new HashSet<AggregateKey>();
        var fences = await _database.ReadFences([.. works.Select(w => (w.Item.Key, (Guid?)null))]);
        for (var i = 0; i < works.Count; i++)
        {
            // Where the version on disk is the one that the item was decided on, it does not stand, and may be stored.
            var work = works[i];
            var (stands, version) = fences[i].HeadVersion == work.Item.ExpectedVersion ? (null, work.Item.ExpectedVersion) : await Look(work.Item);
            if (stands is not null)
            {
                work.Answer(stands);
            }
            else if (version != work.Item.ExpectedVersion && !ahead.Contains(work.Item.Key))
            {
                work.Answer(new AppendResult.FenceLost());
            }
            else
            {
                ahead.Add(work.Item.Key);
                rest.Add(work);
            }
        }

        return rest;
    }

    private async Task<(AppendResult.Appended? Stands, long Version)> Look(AppendItem item)
    {
        var first = await _database.Query(
            "SELECT event_id, sequence, recorded_at FROM events WHERE agency = $1 AND kind = $2 AND id = $3 AND version = $4",
            SqlArguments.Of(item.Key.Agency, item.Key.Kind, item.Key.Id, item.ExpectedVersion + 1),
            r => (Id: _database.ReadGuid(r, 0), Sequence: r.GetInt64(1), RecordedAt: r.GetInt64(2)));
        if (first.Count == 1 && first[0].Id == item.Events[0].Id)
        {
            return (new AppendResult.Appended(first[0].Sequence, Instant.FromUnixTimeTicks(first[0].RecordedAt)), item.ExpectedVersion + item.Events.Length);
        }

        var fence = await _database.ReadFences([(item.Key, null)]);
        return (null, fence[0].HeadVersion);
    }

    /// <summary>Why the database refused this one item; null when nothing is found and it is worth another attempt.</summary>
    private async Task<AppendResult?> Refusal(Work work, RefusedContentException refused, bool last)
    {
        var item = work.Item;
        var (stands, version) = await Look(item);
        if (stands is not null)
        {
            return stands;
        }

        if (version != item.ExpectedVersion)
        {
            return new AppendResult.FenceLost();
        }

        foreach (var e in item.Events)
        {
            if (e.Request is { } request && (await _database.ReadFences([(item.Key, request)]))[0].Outcome is { } outcome)
            {
                return new AppendResult.RequestIdTaken(request, outcome);
            }
        }

        foreach (var row in work.Rows.Where(r => r.Operation == RowOperation.Claim))
        {
            var arguments = SqlArguments.Of(item.Key.Agency);
            var key = string.Join(" AND ", row.Table.Key.Select(k => $"{row.Table.Columns[k].Quoted} = {arguments.Add(row.Values[k])}"));
            if ((await _database.Query($"SELECT owner FROM {row.Table.Name} WHERE agency = $1 AND {key}", arguments, r => r.GetString(0))).Count > 0)
            {
                return new AppendResult.KeyTaken(row.Table.Claimed, row.Table.KeyOf(row.Values));
            }
        }

        if (!last)
        {
            Forget([work]);
            return null;
        }

        LogUnstorable(_log, item.Key.ToString(), refused.Message);
        return new AppendResult.Unstorable(refused.Message);
    }

    private void GiveUp(IReadOnlyList<Work> works, string why)
    {
        _down = true;
        StorageTelemetry.Failures.Add(1, new KeyValuePair<string, object?>("reason", "unavailable"));
        var unanswered = works.Where(w => !w.Answered).ToList();
        var unavailable = new AppendResult.Unavailable($"The journal cannot be written: {why}");
        foreach (var work in unanswered)
        {
            work.Answer(unavailable);
        }

        var waiting = 0;
        while (_waiting.Reader.TryRead(out var work))
        {
            waiting++;
            work.Answer(unavailable);
        }

        StorageTelemetry.Waiting.Add(-waiting);
        LogGivenUp(_log, unanswered.Count + waiting, why);
    }

    private void Failed(string reason, IReadOnlyList<Work> works)
    {
        StorageTelemetry.Failures.Add(1, new KeyValuePair<string, object?>("reason", reason));
        if (reason != "content")
        {
            Forget(works);
        }
    }

    private void Forget(IReadOnlyList<Work> works)
    {
        foreach (var work in works)
        {
            _heads.Remove(work.Item.Key.Agency.Value);
        }
    }

    [LoggerMessage(LogLevel.Warning, "A commit of {Items} items failed and will be repeated: {Error}")]
    private static partial void LogTrouble(ILogger log, int items, string error);

    [LoggerMessage(LogLevel.Error, "The journal cannot be written, {Items} appends were answered Unavailable: {Error}")]
    private static partial void LogGivenUp(ILogger log, int items, string error);

    [LoggerMessage(LogLevel.Error, "An append of {Aggregate} cannot be stored: {Error}")]
    private static partial void LogUnstorable(ILogger log, string aggregate, string error);

    [LoggerMessage(LogLevel.Critical, "The journal's writer met a failure that it does not know.")]
    private static partial void LogBroken(ILogger log, Exception exception);
}
