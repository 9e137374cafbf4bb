using System.Diagnostics;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace AgencyPlatform.Benchmarks.Load;

/// <summary>Calls that arrive at a fixed rate, from threads of its own that sleep between them. Stop it before it is disposed.</summary>
internal sealed class Arrivals : IDisposable
{
    /// <summary>More calls under way at once mean that the server falls ever further behind.</summary>
    public const int MostUnderWay = 50_000;

    private const int Pacers = 2;

    // Sleeping for every single call would cost more than the calls of an echo: what falls due meanwhile is sent together, and counted as late.
    private const long LeastSleepNanoseconds = 150_000;

    private readonly Work _work;
    private readonly Recorder _recorder;
    private readonly double _ticksApart;
    private readonly long _began = Stopwatch.GetTimestamp();
    private readonly Thread[] _threads;
    private readonly SemaphoreSlim _none = new(0);
    private long _underWay = 1;
    private ExceptionDispatchInfo? _broken;
    private bool _stop;

    public Arrivals(Work work, Recorder recorder, double rate)
    {
        (_work, _recorder, _ticksApart) = (work, recorder, Stopwatch.Frequency * Pacers / rate);
        _threads = [.. Enumerable.Range(0, Pacers).Select(pacer => new Thread(() => Pace(pacer)) { IsBackground = true, Name = "arrivals" })];
        foreach (var thread in _threads)
        {
            thread.Start();
        }
    }

    /// <summary>Whether it was given up because too many calls were under way.</summary>
    public bool Overrun { get; private set; }

    /// <summary>Lets no more arrive, and waits for those under way. Throws what one of them threw that was no answer of the server.</summary>
    public async Task Stop()
    {
        Volatile.Write(ref _stop, true);
        foreach (var thread in _threads)
        {
            thread.Join();
        }

        End();
        await _none.WaitAsync();
        _broken?.Throw();
    }

    public void Dispose() => _none.Dispose();

    private void Pace(int pacer)
    {
        var random = new Random(pacer);
        for (long n = 0; !Volatile.Read(ref _stop); n++)
        {
            var due = _began + (long)((n + ((double)pacer / Pacers)) * _ticksApart);
            while (due - Stopwatch.GetTimestamp() is var ahead and > 0)
            {
                Sleep(Math.Max(LeastSleepNanoseconds, ahead * 1_000_000_000 / Stopwatch.Frequency));
            }

            if (Interlocked.Increment(ref _underWay) > MostUnderWay)
            {
                Overrun = true;
                End();
                return;
            }

            _recorder.Sent(due);
            _ = Call((n * Pacers) + pacer, due, random);
        }
    }

    private async Task Call(long turn, long due, Random random)
    {
        try
        {
            await _work.Arrive(turn, due, random, _recorder);
        }
        catch (Exception e)
        {
            _broken ??= ExceptionDispatchInfo.Capture(e);
        }
        finally
        {
            End();
        }
    }

    private void End()
    {
        if (Interlocked.Decrement(ref _underWay) == 0)
        {
            _none.Release();
        }
    }

    /// <summary>The runtime's own ways to sleep know milliseconds only.</summary>
    private static void Sleep(long nanoseconds)
    {
        var time = new Timespec((nint)(nanoseconds / 1_000_000_000), (nint)(nanoseconds % 1_000_000_000));
        _ = Sleep(in time, 0);
    }

    [DllImport("libc", EntryPoint = "nanosleep", ExactSpelling = true)]
    private static extern int Sleep(in Timespec time, nint remaining);

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct Timespec(nint Seconds, nint Nanoseconds);
}
