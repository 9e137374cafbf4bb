using System.Text;
using System.Text.Json;

namespace AgencyPlatform.Faults;

/// <summary>The load tester's log, read while it is written: when calls were sent, and when and how they were answered.</summary>
internal sealed class CallTimes(string log)
{
    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(200);
    private readonly Lock _gate = new();
    private readonly Dictionary<long, (int Agency, long At, string Id)> _open = [];
    private readonly List<(int Agency, long Sent, long At)> _successes = [];
    private readonly HashSet<string> _asked = [];
    private readonly HashSet<string> _known = [];
    private readonly List<byte> _rest = [];
    private int _agencies;
    private long _read;

    /// <summary>Whether a load has begun.</summary>
    public bool Any()
    {
        lock (_gate)
        {
            return _agencies > 0;
        }
    }

    /// <summary>Waits until the log is so; false when it is not in time.</summary>
    public async Task<bool> Until(TimeSpan patience, Func<CallTimes, bool> so)
    {
        var begin = TimeProvider.System.GetTimestamp();
        using var tick = new PeriodicTimer(s_look);
        do
        {
            Read();
            if (so(this))
            {
                return true;
            }
        }
        while (TimeProvider.System.GetElapsedTime(begin) < patience && await tick.WaitForNextTickAsync());

        return false;
    }

    /// <summary>Successes of what was sent since then, an agency each.</summary>
    public IReadOnlyList<int> Successes(DateTimeOffset since)
    {
        lock (_gate)
        {
            var counts = new int[_agencies];
            foreach (var (agency, sent, _) in _successes)
            {
                counts[agency] += sent >= Microseconds(since) ? 1 : 0;
            }

            return counts;
        }
    }

    /// <summary>The longest time between these moments in which an agency had no success, of the agency that had it worst.</summary>
    public TimeSpan LongestOutage(DateTimeOffset from, DateTimeOffset to)
    {
        Read();
        lock (_gate)
        {
            var (begin, end) = (Microseconds(from), Microseconds(to));
            var last = Enumerable.Repeat(begin, _agencies).ToArray();
            var longest = 0L;
            foreach (var (agency, _, at) in _successes.Where(s => s.At >= begin && s.At <= end))
            {
                longest = Math.Max(longest, at - last[agency]);
                last[agency] = at;
            }

            longest = last.Aggregate(longest, (most, at) => Math.Max(most, end - at));
            return TimeSpan.FromMicroseconds(longest);
        }
    }

    /// <summary>Changing calls of whose outcome nobody was told, not by a repeat either.</summary>
    public int NeverKnown()
    {
        Read();
        lock (_gate)
        {
            return _asked.Except(_known).Count();
        }
    }

    private static long Microseconds(DateTimeOffset at) => (at - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;

    /// <summary>Takes what was written since.</summary>
    private void Read()
    {
        lock (_gate)
        {
            if (!File.Exists(log))
            {
                return;
            }

            using var file = new FileStream(log, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            file.Position = _read;
            var buffer = new byte[64 * 1024];
            while (file.Read(buffer) is > 0 and var count)
            {
                _read += count;
                foreach (var b in buffer.AsSpan(0, count))
                {
                    if (b == '\n')
                    {
                        Take(Encoding.UTF8.GetString([.. _rest]));
                        _rest.Clear();
                    }
                    else
                    {
                        _rest.Add(b);
                    }
                }
            }
        }
    }

    private void Take(string line)
    {
        using var document = JsonDocument.Parse(line);
        var root = document.RootElement;
        switch (root.GetProperty("t").GetString())
        {
            case "run":
                _agencies = root.GetProperty("agencies").GetArrayLength();
                break;
            case "begin":
                var id = root.GetProperty("id").GetString()!;
                _open[root.GetProperty("n").GetInt64()] = (root.GetProperty("agency").GetInt32(), root.GetProperty("at").GetInt64(), id);
                if (id.Length > 0)
                {
                    _asked.Add(id);
                }

                break;
            case "end" when _open.Remove(root.GetProperty("n").GetInt64(), out var sent):
                var code = root.GetProperty("code").GetString();
                if (code == "OK")
                {
                    _successes.Add((sent.Agency, sent.At, root.GetProperty("at").GetInt64()));
                }

                if (code is not ("Unavailable" or "DeadlineExceeded" or "Cancelled" or "Unknown" or "Internal" or "ResourceExhausted"))
                {
                    _known.Add(sent.Id);
                }

                break;
        }
    }
}
