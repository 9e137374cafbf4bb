using System.Collections.Immutable;

namespace AgencyPlatform.Grains;

/// <summary>
/// The commands of one grain that are decided on top of each other and will be appended together: the grain's next item for the journal.
/// </summary>
internal sealed class Batch<TState>(Folded<TState> before, bool alone) where TState : class, IState<TState>
{
    private readonly TaskCompletionSource<BatchEnd> _end = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ImmutableArray<NewEvent>.Builder _events = ImmutableArray.CreateBuilder<NewEvent>();
    private readonly ImmutableArray<RowChange>.Builder _rows = ImmutableArray.CreateBuilder<RowChange>();
    private readonly ImmutableArray<PersonWrite>.Builder _people = ImmutableArray.CreateBuilder<PersonWrite>();

    public Folded<TState> Before { get; } = before;

    /// <summary>The state after all that has been decided.</summary>
    public Folded<TState> After { get; private set; } = before;

    /// <summary>The states after each of its decisions, in order.</summary>
    public List<Folded<TState>> States { get; } = [];

    /// <summary>Holds one command and takes no other: decided again after its batch was refused for its content.</summary>
    public bool Alone { get; } = alone;

    /// <summary>How many callers' commands it holds (time's own events are none).</summary>
    public int Commands { get; private set; }

    public Instant? SandboxNow { get; private set; }

    /// <summary>The books that it closes.</summary>
    public BooksClosing? Closing { get; private set; }

    public List<Guid> Requests { get; } = [];

    /// <summary>Completes when the batch is durable or dropped.</summary>
    public Task<BatchEnd> End => _end.Task;

    /// <summary>Adds the events of one decision and gives the state after it.</summary>
    public Folded<TState> Add(AggregateKey key, Call call, Decision decision, Instant occurredAt, TimeProvider ids)
    {
        // Built aside first: should a fold or a projection throw, the batch is as it was.
        var version = After.Version + decision.Events.Length;
        var after = After;
        var events = new List<NewEvent>(decision.Events.Length);
        var rows = new List<RowChange>();
        var first = true;
        foreach (var @event in decision.Events)
        {
            var id = Guid.CreateVersion7(ids.GetUtcNow());
            var name = EventJson.NameOf(@event);
            var posting = @event as IPosting;
            events.Add(new NewEvent(
                id, name.Name, name.Version, EventJson.Serialize(@event), occurredAt, posting?.LegalEntity, posting?.PostingDate,
                call.Actor, first ? call.Request : null, first && call.Request is not null ? call.RequestHash : null, first && call.Request is not null ? version : 0,
                call.Cause, call.TraceId));
            first = false;
            after = after.Apply(@event, id, occurredAt);
            rows.AddRange(after.State.Project(@event, new EventInfo(key.Agency, key.Id, after.Version, occurredAt)));
        }

        After = after;
        States.Add(after);
        _events.AddRange(events);
        _rows.AddRange(rows);
        _people.AddRange(decision.People);
        Closing = decision.Events.OfType<IClosing>().Select(c => new BooksClosing(c.LegalEntity, c.ClosedThrough)).LastOrDefault(Closing!);
        if (call.SandboxNow is { } sandbox)
        {
            SandboxNow = SandboxNow is { } known ? Instant.Max(known, sandbox) : sandbox;
        }

        if (call.Request is { } request)
        {
            Requests.Add(request);
        }

        Commands++;
        return After;
    }

    public AppendItem ToItem(AggregateKey key) => new(
        key, Before.Version, _events.ToImmutable(), _rows.ToImmutable(),
        Before.State.NextDue == After.State.NextDue ? null : new DeadlineChange(After.State.NextDue, SandboxNow is not null && !TState.WakesBySystemClock),
        _people.ToImmutable(), SandboxNow, Closing);

    public void Complete(BatchEnd end) => _end.TrySetResult(end);
}

/// <summary>What became of a batch, as far as its callers are concerned.</summary>
internal abstract record BatchEnd
{
    /// <summary>On disk.</summary>
    public sealed record Durable : BatchEnd;

    /// <summary>Refused for the content of one command, or standing on one that was: decide again, each command by itself where told so.</summary>
    public sealed record DecideAgain(bool Alone) : BatchEnd;

    /// <summary>The command alone in its batch was refused for its content.</summary>
    public sealed record Refused(AppendResult Why) : BatchEnd;

    /// <summary>The fence or the storage was lost: the outcome may be unknown.</summary>
    public sealed record Lost(string Why) : BatchEnd;
}
