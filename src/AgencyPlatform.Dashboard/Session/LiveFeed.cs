using AgencyPlatform.Client;
using AgencyPlatform.Protocol.Events.V1;

namespace AgencyPlatform.Dashboard.Session;

/// <summary>The agency's events as they come, for all that is on an open page: one watch for each circuit, that goes on by itself.</summary>
public sealed class LiveFeed(AgencySession session, TimeProvider time) : IAsyncDisposable
{
    /// <summary>A watch tells that it lives every ten seconds, unless the platform is set otherwise (at most 60).</summary>
    private static readonly TimeSpan s_silence = TimeSpan.FromSeconds(25);

    private readonly CancellationTokenSource _end = new();
    private Task? _watch;
    private DateTimeOffset _heard;

    /// <summary>Something happened. It is raised outside of the page's turn: handlers use <c>InvokeAsync</c>.</summary>
    public event Action<IReadOnlyList<Event>>? Happened;

    /// <summary><see cref="State"/> has changed.</summary>
    public event Action? StateChanged;

    /// <summary>How the feed is.</summary>
    public FeedState State { get; private set; } = FeedState.Connecting;

    /// <summary>Begins; further calls do nothing.</summary>
    public void Start() => _watch ??= Task.Run(Watch);

    private async Task Watch()
    {
        await using var timer = time.CreateTimer(_ => Look(), null, TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(5));
        try
        {
            await foreach (var message in session.Platform.Watch(new WatchRequest { Parent = session.Name }, _end.Token))
            {
                _heard = time.GetUtcNow();
                Is(FeedState.Live);
                if (message.Events.Count > 0)
                {
                    Happened?.Invoke(message.Events);
                }
            }
        }
        catch (OperationCanceledException)
        {
        }
        catch (ApiException e)
        {
            // The key is good no more, or may not watch.
            Is(e.StatusCode == Grpc.Core.StatusCode.PermissionDenied ? FeedState.Still : FeedState.Ended);
        }
    }

    private void Look()
    {
        if (State == FeedState.Live && time.GetUtcNow() - _heard > s_silence)
        {
            Is(FeedState.Lost);
        }
    }

    private void Is(FeedState state)
    {
        if (State != state)
        {
            State = state;
            StateChanged?.Invoke();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        if (_watch is { } watch)
        {
            await watch;
        }

        _end.Dispose();
    }
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
