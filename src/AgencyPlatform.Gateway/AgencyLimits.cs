using System.Collections.Concurrent;
using Microsoft.Extensions.Options;

namespace AgencyPlatform.Gateway;

/// <summary>
/// What one agency may ask of this process at once and in a second, and its share of what the process takes at once. Over it, a call is refused at
/// once: overload sheds, it does not queue.
/// </summary>
internal sealed class AgencyLimits(IOptions<GatewayOptions> options, TimeProvider clock)
{
    private readonly GatewayOptions _options = options.Value;
    private readonly ConcurrentDictionary<string, Gate> _gates = new(StringComparer.Ordinal);

    // Calls under way, and agencies that have some.
    private int _atOnce;
    private int _busy;

    /// <summary>Counts a call until what is returned is disposed.</summary>
    /// <param name="watches">It lasts until its caller ends it, and is counted apart.</param>
    public IDisposable Enter(Caller caller, bool watches = false)
    {
        var gate = _gates.GetOrAdd(caller.Agency?.Value ?? "", _ => new Gate(this));
        return gate.Enter(watches, out var wait) switch
        {
            Over.Nothing => watches ? new Watch(gate) : gate,
            Over.CallsPerSecond => throw Errors.Exhausted("agency", "calls a second", _options.CallsPerSecondPerAgency, wait),
            Over.ConcurrentCalls => throw Errors.Exhausted("agency", "calls at the same time", _options.ConcurrentCallsPerAgency, wait),
            Over.Watches => throw Errors.Exhausted("agency", "watches at the same time", _options.WatchesPerAgency, wait),
            _ => throw Errors.Exhausted("platform", "calls at the same time, of which the agency has its share", _options.ConcurrentCalls, wait),
        };
    }

    /// <summary>Which limit a call would go over.</summary>
    private enum Over
    {
        Nothing,
        CallsPerSecond,
        ConcurrentCalls,

        /// <summary>The process is full, and the agency has as many calls under way as each of those that have some could have.</summary>
        Share,

        Watches,
    }

    private sealed class Watch(Gate gate) : IDisposable
    {
        public void Dispose() => gate.LeaveWatch();
    }

    /// <summary>One agency's bucket of calls, filled steadily, and its calls under way.</summary>
    private sealed class Gate : IDisposable
    {
        /// <summary>How long whoever is refused is to stay away at least.</summary>
        private static readonly TimeSpan s_wait = TimeSpan.FromMilliseconds(100);

        private readonly Lock _lock = new();
        private readonly AgencyLimits _all;
        private readonly double _perTick;
        private readonly double _most;
        private double _tokens;
        private long _filledAt;
        private int _atOnce;
        private int _watches;

        public Gate(AgencyLimits all)
        {
            _all = all;
            _perTick = (double)all._options.CallsPerSecondPerAgency / all.Clock.TimestampFrequency;
            _most = Math.Max(1, all._options.CallsPerSecondPerAgency * (all._options.BurstMillisecondsPerAgency / 1e3));
            (_tokens, _filledAt) = (_most, all.Clock.GetTimestamp());
        }

        /// <param name="wait">When the next may come.</param>
        public Over Enter(bool watches, out TimeSpan wait)
        {
            wait = s_wait;
            lock (_lock)
            {
                var over = IsTooFast(ref wait) ? Over.CallsPerSecond : watches ? CountWatch() : CountCall();
                _tokens -= over == Over.Nothing ? 1 : 0;
                return over;
            }
        }

        public void LeaveWatch()
        {
            lock (_lock)
            {
                _watches--;
            }
        }

        private Over CountCall()
        {
            if (_atOnce >= _all._options.ConcurrentCallsPerAgency)
            {
                return Over.ConcurrentCalls;
            }

            var (all, most) = (Volatile.Read(ref _all._atOnce), _all._options.ConcurrentCalls);
            if (all >= most && ((_atOnce > 0 && _atOnce >= most / Math.Max(1, Volatile.Read(ref _all._busy))) || all >= 2 * most))
            {
                return Over.Share;
            }

            Interlocked.Increment(ref _all._atOnce);
            if (_atOnce++ == 0)
            {
                Interlocked.Increment(ref _all._busy);
            }

            return Over.Nothing;
        }

        private Over CountWatch()
        {
            if (_watches >= _all._options.WatchesPerAgency)
            {
                return Over.Watches;
            }

            _watches++;
            return Over.Nothing;
        }

        private bool IsTooFast(ref TimeSpan wait)
        {
            var now = _all.Clock.GetTimestamp();
            _tokens = Math.Min(_most, _tokens + (now - _filledAt) * _perTick);
            _filledAt = now;
            if (_tokens >= 1)
            {
                return false;
            }

            // A token comes sooner, but many may wait for it: told to be back at once, they would mostly meet each other.
            wait = TimeSpan.FromSeconds(Math.Max(s_wait.TotalSeconds, (1 - _tokens) / _perTick / _all.Clock.TimestampFrequency));
            return true;
        }

        public void Dispose()
        {
            lock (_lock)
            {
                Interlocked.Decrement(ref _all._atOnce);
                if (--_atOnce == 0)
                {
                    Interlocked.Decrement(ref _all._busy);
                }
            }
        }
    }

    private TimeProvider Clock { get; } = clock;
}
