using AgencyPlatform.Client;
using AgencyPlatform.Protocol.Events.V1;

namespace AgencyPlatform.Dashboard.Session;

/// <summary>One watch of the feed for each key, however many pages are open with it: an agency may have only so many.</summary>
public sealed class Watches(DashboardOptions options, TimeProvider time)
{
    /// <summary>A watch tells that it lives every ten seconds, unless the platform is set otherwise (at most 60).</summary>
    private static readonly TimeSpan s_silence = TimeSpan.FromSeconds(25);

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Shared> _shared = new(StringComparer.Ordinal);

    /// <summary>Hears what happens from now on, until what is returned is disposed. Both are called outside of any page's turn, one call after the other.</summary>
    public IDisposable Join(string key, string agency, Action<IReadOnlyList<Event>> happened, Action<FeedState> state)
    {
        lock (_lock)
        {
            if (!_shared.TryGetValue(key, out var shared))
            {
                _shared[key] = shared = new Shared(AgencySession.Connect(options, key), agency, time);
            }

            return new Member(this, key, shared, happened, state);
        }
    }

    private sealed class Member : IDisposable
    {
        private readonly Watches _all;
        private readonly string _key;
        private readonly Shared _shared;
        private bool _left;

        public Member(Watches all, string key, Shared shared, Action<IReadOnlyList<Event>> happened, Action<FeedState> state)
        {
            (_all, _key, _shared, Happened, State) = (all, key, shared, happened, state);
            shared.Join(this);
        }

        public Action<IReadOnlyList<Event>> Happened { get; }

        public Action<FeedState> State { get; }

        public void Dispose()
        {
            lock (_all._lock)
            {
                if (!_left && _shared.Leave(this))
                {
                    _all._shared.Remove(_key);
                }

                _left = true;
            }
        }
    }

    private sealed class Shared
    {
        private readonly AgencyPlatformClient _platform;
        private readonly string _agency;
        private readonly TimeProvider _time;
        private readonly CancellationTokenSource _end = new();
        private readonly Lock _telling = new();
        private readonly List<Member> _members = [];
        private DateTimeOffset _heard;
        private FeedState _state = FeedState.Connecting;

        public Shared(AgencyPlatformClient platform, string agency, TimeProvider time)
        {
            (_platform, _agency, _time) = (platform, agency, time);
            _ = Task.Run(Watch);
        }

        public void Join(Member member)
        {
            lock (_telling)
            {
                _members.Add(member);
                member.State(_state);
            }
        }

        /// <summary>True: nobody is left, and the watch has ended.</summary>
        public bool Leave(Member member)
        {
            lock (_telling)
            {
                _members.Remove(member);
                if (_members.Count > 0)
                {
                    return false;
                }
            }

            _end.Cancel();
            return true;
        }

        private async Task Watch()
        {
            using var platform = _platform;
            await using var timer = _time.CreateTimer(_ => Look(), null, TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(5));
            try
            {
                await foreach (var message in platform.Watch(new WatchRequest { Parent = _agency }, _end.Token))
                {
                    _heard = _time.GetUtcNow();
                    Is(FeedState.Live);
                    if (message.Events.Count > 0)
                    {
                        Tell(m => m.Happened(message.Events));
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
            if (_state == FeedState.Live && _time.GetUtcNow() - _heard > s_silence)
            {
                Is(FeedState.Lost);
            }
        }

        private void Is(FeedState state)
        {
            if (_state != state)
            {
                Tell(m => m.State(state), state);
            }
        }

        private void Tell(Action<Member> say, FeedState? state = null)
        {
            lock (_telling)
            {
                _state = state ?? _state;
                foreach (var member in _members)
                {
                    say(member);
                }
            }
        }
    }
}
