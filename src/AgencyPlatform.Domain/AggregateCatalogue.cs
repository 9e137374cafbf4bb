using System.Collections.Immutable;
using System.Text.Json;
using NodaTime;

namespace AgencyPlatform.Domain;

/// <summary>
/// Every kind of aggregate, for what must work on any of them from the journal alone: rebuilding read models and deadlines,
/// showing an aggregate, checking that replay equals live.
/// </summary>
public static class AggregateCatalogue
{
    private static readonly ImmutableDictionary<string, Func<IReplay>> s_kinds = typeof(IEvent).Assembly.GetTypes()
        .Where(t => t is { IsAbstract: false, IsClass: true } && t.GetInterfaces().Any(i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(IState<>)))
        .Select(t => typeof(Replay<>).MakeGenericType(t).GetMethod("Start")!.CreateDelegate<Func<IReplay>>())
        .ToImmutableDictionary(start => start().Kind);

    public static IEnumerable<string> Kinds => s_kinds.Keys.Order(StringComparer.Ordinal);

    /// <summary>Kinds of which a deadline is no fact of the agency's time: see <see cref="IState{TSelf}.WakesBySystemClock"/>.</summary>
    public static ImmutableArray<string> WokenBySystemClock { get; } = [.. Kinds.Where(kind => Replay(kind).WakesBySystemClock)];

    /// <summary>Starts a replay of one aggregate of this kind.</summary>
    public static IReplay Replay(string kind) => s_kinds[kind]();
}

/// <summary>An aggregate being replayed event by event.</summary>
public interface IReplay
{
    string Kind { get; }
    Instant? NextDue { get; }
    bool WakesBySystemClock { get; }

    /// <summary>Folds one more event and returns the rows that it changes.</summary>
    IEnumerable<RowChange> Apply(IEvent @event, EventInfo info);

    /// <summary>The folded state as indented JSON.</summary>
    string ToJson();
}

internal sealed class Replay<TState> : IReplay where TState : class, IState<TState>
{
    private static readonly JsonSerializerOptions s_indented = new(EventJson.Options) { WriteIndented = true };
    private TState _state = TState.Initial;

    public string Kind => TState.Kind;
    public Instant? NextDue => _state.NextDue;
    public bool WakesBySystemClock => TState.WakesBySystemClock;

    public static IReplay Start() => new Replay<TState>();

    public IEnumerable<RowChange> Apply(IEvent @event, EventInfo info)
    {
        _state = _state.Apply(@event);
        return _state.Project(@event, info);
    }

    public string ToJson() => JsonSerializer.Serialize(_state, s_indented);
}
