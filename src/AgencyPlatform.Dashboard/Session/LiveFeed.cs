using AgencyPlatform.Protocol.Events.V1;

namespace AgencyPlatform.Dashboard.Session;

/// <summary>The agency's events as they come, for all that is on an open page.</summary>
public sealed class LiveFeed(AgencySession session, Watches watches) : IDisposable
{
    private IDisposable? _watch;

    /// <summary>Something happened. It is raised outside of the page's turn: handlers use <c>InvokeAsync</c>.</summary>
    public event Action<IReadOnlyList<Event>>? Happened;

    /// <summary><see cref="State"/> has changed.</summary>
    public event Action? StateChanged;

    /// <summary>How the feed is.</summary>
    public FeedState State { get; private set; } = FeedState.Connecting;

    /// <summary>Begins; further calls do nothing.</summary>
    public void Start() => _watch ??= watches.Join(session.Key, session.Name, events => Happened?.Invoke(events), state =>
    {
        State = state;
        StateChanged?.Invoke();
    });

    public void Dispose() => _watch?.Dispose();
}

/// <summary>How an open page hears of what happens.</summary>
public enum FeedState
{
    /// <summary>Not yet.</summary>
    Connecting,

    /// <summary>What happens is shown at once.</summary>
    Live,

    /// <summary>Nothing is heard; when it is again, what was missed is shown.</summary>
    Lost,

    /// <summary>The key may not follow events: the page shows what was so when it was opened.</summary>
    Still,

    /// <summary>The key is good no more.</summary>
    Ended,
}
