using AgencyPlatform.LoadTest.Calls;
using AgencyPlatform.LoadTest.Load;
using AgencyPlatform.Protocol.Capacity.V1;
using Grpc.Core;

namespace AgencyPlatform.LoadTest.Tests;

public sealed class The_patience : IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    private readonly string _path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
    private readonly JumpingClock _clock = new();
    private readonly List<TimeSpan> _sent = [];

    public void Dispose() => File.Delete(_path);

    [Fact]
    public async Task With_an_id_counts_from_its_first_sending_however_often_it_is_repeated()
    {
        using var log = new CallLog(_path, new RunHeader(["agencies/a"], true, "capacity", 1, "http://127.0.0.1:1", _clock.GetUtcNow()), _clock);
        var calls = new LoggedCalls(null!, 0, log, new Measures(), _clock, TimeSpan.FromSeconds(15), s_patience);
        var operation = new Operation(Failing(StatusCode.Unavailable), new ReleaseBookingRequest(), "r", _clock.GetTimestamp());

        Assert.True((await calls.UntilKnown(1, operation, "first", new Random(1))).Unknown);
        Assert.InRange(_sent.Count, 10, 100);
        Assert.True(calls.Left(operation) > TimeSpan.Zero);

        // A late repeat has what is left of it, and goes out once at least.
        var before = _sent.Count;
        await calls.UntilKnown(1, operation, "late", new Random(2));
        Assert.InRange(_sent.Count - before, 1, 3);
        Assert.All(_sent, at => Assert.True(at <= s_patience, $"sent after {at}"));
    }

    [Fact]
    public async Task Without_any_a_call_that_is_shed_is_not_sent_again()
    {
        using var log = new CallLog(_path, new RunHeader(["agencies/a"], true, "neighbour", 1, "http://127.0.0.1:1", _clock.GetUtcNow()), _clock);
        var calls = new LoggedCalls(null!, 0, log, new Measures(), _clock, TimeSpan.FromSeconds(15), TimeSpan.Zero);

        var outcome = await calls.UntilKnown(1, new Operation(Failing(StatusCode.ResourceExhausted), new ReleaseBookingRequest(), "r", _clock.GetTimestamp()), "first", new Random(1));

        Assert.Equal((StatusCode.ResourceExhausted, 1), (outcome.Code, _sent.Count));
    }

    private ApiMethod Failing(StatusCode code) => ApiMethod.Named("Release") with
    {
        Send = (_, _, _) =>
        {
            _sent.Add(_clock.Since);
            throw new RpcException(new Status(code, ""));
        },
    };

    /// <summary>Stands still, and jumps over every wait.</summary>
    private sealed class JumpingClock : TimeProvider
    {
        private long _ticks;

        public TimeSpan Since => TimeSpan.FromTicks(Volatile.Read(ref _ticks));

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Volatile.Read(ref _ticks);

        public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch + Since;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            Interlocked.Add(ref _ticks, dueTime.Ticks);
            ThreadPool.QueueUserWorkItem(_ => callback(state));
            return new Rung();
        }

        private sealed class Rung : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period) => false;

            public void Dispose()
            {
            }

            public ValueTask DisposeAsync() => ValueTask.CompletedTask;
        }
    }
}
