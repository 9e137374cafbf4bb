using System.Collections.Concurrent;
using AgencyPlatform.LoadTest.Calls;
using AgencyPlatform.LoadTest.Scenarios;
using AgencyPlatform.Protocol.Agencies.V1;
using AgencyPlatform.Protocol.Capacity.V1;
using Grpc.Core;
using FieldMask = Google.Protobuf.WellKnownTypes.FieldMask;

namespace AgencyPlatform.LoadTest.Load;

/// <summary>
/// Makes the load of a scenario. Some of the changing calls are repeated with the same request id (at the same time, later, after a cancellation,
/// always after an unknown outcome), a few with the same id and other content.
/// </summary>
internal sealed class LoadRun(Scenario scenario, IReadOnlyList<LoadAgency> agencies, Connection connection, CallLog log, TimeProvider time)
{
    /// <summary>The caller of late repeats, which nobody waits for.</summary>
    private const int Nobody = -1;

    /// <summary>The first caller of the noisy neighbour.</summary>
    private const int NoisyCallers = 1_000_000_000;

    private const string Repeat = "(repeats)";

    private static readonly TimeSpan s_latestRepeat = TimeSpan.FromSeconds(10);

    private readonly ConcurrentQueue<(int Agency, Operation Operation, TimeSpan Due)> _later = new();
    private LoggedCalls[] _calls = [];
    private long _start;
    private int _lowered = scenario.StopOverbookingAtPercent == 100 || !agencies[0].Own ? 1 : 0;

    public Measures Measures { get; } = new();

    /// <summary>The noisy neighbour's, kept apart; null: there is none.</summary>
    public Measures? NeighbourMeasures { get; } = scenario.Neighbour is null ? null : new();

    public NeighbourWindows? Windows { get; } = scenario.Neighbour is { } neighbour ? new(neighbour, scenario.Seconds) : null;

    private TimeSpan Elapsed => time.GetElapsedTime(_start);

    private TimeSpan Length => TimeSpan.FromSeconds(scenario.Seconds);

    /// <param name="stop">Ends the load early; what was sent is still answered.</param>
    public async Task<TimeSpan> Execute(Action<SecondOfLoad> progress, CancellationToken stop)
    {
        var clients = agencies.Select(a => connection.As(a.Key, retries: 0)).ToArray();
        // The noisy one does not wait to be let in: what it is refused it does not send again.
        _calls = [.. clients.Select((c, i) => new LoggedCalls(
            new Api(c), i, log, MeasuresOf(i), time, TimeSpan.FromSeconds(15), IsNoisy(i) ? TimeSpan.Zero : TimeSpan.FromSeconds(scenario.PatienceSeconds)))];
        _start = time.GetTimestamp();
        using var finished = new CancellationTokenSource();
        var watching = Watch(progress, finished.Token);
        var repeating = RepeatLate(finished.Token);
        await (scenario.Arrivals switch
        {
            ClosedLoop closed => Task.WhenAll(Enumerable.Range(0, closed.Callers).Select(i => Task.Run(() => Call(i, closed, stop), CancellationToken.None))),
            OpenLoop open => Task.WhenAll(
                Arrive(
                    ArrivalTimes.Of(open, Length, scenario.Seed), open.MostInFlight, Measures,
                    (caller, due, random) => Step(caller, Draws.Skewed(scenario.Agencies, scenario.AgencySkew, random), random, due), stop),
                Windows is { } windows
                    ? Arrive(
                        windows.Arrivals(FairPerSecond(open) * scenario.Neighbour!.Times, scenario.Seed), open.MostInFlight, NeighbourMeasures!,
                        (caller, due, random) => Step(caller + NoisyCallers, agencies.Count - 1, random, due), stop)
                    : Task.CompletedTask),
            _ => throw new InvalidOperationException("Unknown arrivals."),
        });
        var elapsed = Elapsed;
        await finished.CancelAsync();
        await watching;
        await repeating;
        foreach (var client in clients)
        {
            client.Dispose();
        }

        return elapsed;
    }

    /// <summary>What each of the well-behaved agencies sends a second, on the mean.</summary>
    public double FairPerSecond(OpenLoop open) => open.CallsPerSecond / scenario.Agencies;

    private bool IsNoisy(int agency) => scenario.Neighbour is not null && agency == scenario.Agencies;

    private Measures MeasuresOf(int agency) => IsNoisy(agency) ? NeighbourMeasures! : Measures;

    private async Task Watch(Action<SecondOfLoad> progress, CancellationToken finished)
    {
        using var tick = new PeriodicTimer(TimeSpan.FromSeconds(1), time);
        try
        {
            while (await tick.WaitForNextTickAsync(finished))
            {
                progress(Measures.Tick(Elapsed));
            }
        }
        catch (OperationCanceledException)
        {
            progress(Measures.Tick(Elapsed));
        }
    }

    private async Task Call(int caller, ClosedLoop closed, CancellationToken stop)
    {
        var random = new Random(Mixed(scenario.Seed, caller));
        while (Elapsed < Length && !stop.IsCancellationRequested)
        {
            await Step(caller, Draws.Skewed(scenario.Agencies, scenario.AgencySkew, random), random, Elapsed);
            if (closed.ThinkMilliseconds > 0)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(-Math.Log(1 - random.NextDouble()) * closed.ThinkMilliseconds), time, CancellationToken.None);
            }
        }
    }

    private async Task Arrive(IEnumerable<TimeSpan> times, int mostInFlight, Measures measures, Func<int, TimeSpan, Random, Task> step, CancellationToken stop)
    {
        using var room = new SemaphoreSlim(mostInFlight);
        var number = 0;
        foreach (var due in times)
        {
            // What comes due within a timer's grain goes out at once.
            while (due - Elapsed is var wait && wait > TimeSpan.Zero && !stop.IsCancellationRequested)
            {
                await Task.Delay(wait < TimeSpan.FromMilliseconds(1) ? TimeSpan.FromMilliseconds(1) : wait, time, CancellationToken.None);
            }

            // Calls that were due and found no room within the load's time are counted, not sent.
            if (stop.IsCancellationRequested || Elapsed > Length || !await room.WaitAsync(Length - Elapsed, CancellationToken.None))
            {
                measures.Skip();
                if (stop.IsCancellationRequested)
                {
                    break;
                }

                continue;
            }

            measures.Behind(Elapsed - due);
            var caller = number++;
            _ = Task.Run(
                async () =>
                {
                    try
                    {
                        await step(caller, due, new Random(Mixed(scenario.Seed, caller)));
                    }
                    finally
                    {
                        room.Release();
                    }
                },
                CancellationToken.None);
        }

        for (var i = 0; i < mostInFlight; i++)
        {
            await room.WaitAsync(CancellationToken.None);
        }
    }

    /// <summary>One operation to its known outcome. Latency counts from <paramref name="intended"/>.</summary>
    private async Task Step(int caller, int index, Random random, TimeSpan intended)
    {
        var agency = agencies[index];
        var draws = new Draws(agency, random, time);
        if (Elapsed > Length * scenario.StopOverbookingAtPercent / 100 && Interlocked.Exchange(ref _lowered, 1) == 0)
        {
            (agency, draws) = (agencies[0], new Draws(agencies[0], random, time));
            await _calls[0].UntilKnown(
                caller,
                draws.Of(new UpdateAgencyRequest { Agency = new Agency { Name = agency.Name, OverbookingPercent = 0 }, UpdateMask = new FieldMask { Paths = { "overbooking_percent" } } }),
                "first", random);
            return;
        }

        var operation = draws.Next();
        Note(agency, operation, await Send(caller, index, draws, operation, random, intended), random);
    }

    private async Task<Outcome> Send(int caller, int index, Draws draws, Operation operation, Random random, TimeSpan intended)
    {
        var calls = _calls[index];
        var fate = random.NextDouble() * 100;
        var repeats = scenario.Repeats;
        if (!operation.Method.Changes || (fate -= repeats.Cancelled + repeats.Concurrent + repeats.Late + repeats.OtherContent) >= 0)
        {
            return await First();
        }

        if ((fate += repeats.Cancelled) >= 0)
        {
            using (var cancellation = new CancellationTokenSource(TimeSpan.FromMilliseconds(random.Next(12)), time))
            {
                await calls.Once(caller, operation, "cancelled", cancellation.Token);
            }

            intended = Elapsed;
            return await First("after-cancel");
        }

        if ((fate += repeats.Concurrent) >= 0)
        {
            var twin = Again(calls, caller, operation, "concurrent", new Random(random.Next()));
            var first = await First();
            var second = await twin;
            return first.Succeeded ? first : second;
        }

        var outcome = await First();
        if (fate + repeats.Late >= 0)
        {
            var left = calls.Left(operation);
            if (left > TimeSpan.Zero)
            {
                _later.Enqueue((index, operation, Elapsed + random.NextDouble() * (left < s_latestRepeat ? left : s_latestRepeat)));
            }
        }
        else if (outcome.Succeeded && draws.Other(operation) is { } other)
        {
            await Again(calls, caller, other, "other-payload", random);
        }

        return outcome;

        async Task<Outcome> First(string why = "first")
        {
            var known = await calls.UntilKnown(caller, operation, why, random);
            if (!known.Unknown)
            {
                Measured(index, operation, intended, known);
            }

            return known;
        }
    }

    private void Measured(int index, Operation operation, TimeSpan intended, Outcome known)
    {
        var latency = Elapsed - intended;
        // What was shed was not served: its haste is no latency.
        if (known.Code != StatusCode.ResourceExhausted)
        {
            MeasuresOf(index).Done(operation.Method.Name, latency);
        }

        if (!IsNoisy(index))
        {
            Windows?.Done(intended, latency);
        }
    }

    private async Task<Outcome> Again(LoggedCalls calls, int caller, Operation operation, string why, Random random)
    {
        var begun = Elapsed;
        var outcome = await calls.UntilKnown(caller, operation, why, random);
        Measures.Done(Repeat, Elapsed - begun);
        return outcome;
    }

    /// <summary>Sends late repeats when they are due; all that are left, at the end.</summary>
    private async Task RepeatLate(CancellationToken finished)
    {
        var due = new PriorityQueue<(int Agency, Operation Operation), TimeSpan>();
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(50), time);
        var random = new Random(scenario.Seed);
        for (var more = true; more;)
        {
            try
            {
                more = await tick.WaitForNextTickAsync(finished);
            }
            catch (OperationCanceledException)
            {
                more = false;
            }

            while (_later.TryDequeue(out var later))
            {
                due.Enqueue((later.Agency, later.Operation), later.Due);
            }

            var now = new List<(int Agency, Operation Operation, int Seed)>();
            while (due.TryPeek(out var next, out var at) && (!more || at <= Elapsed))
            {
                now.Add((next.Agency, next.Operation, random.Next()));
                due.Dequeue();
            }

            await Parallel.ForEachAsync(now, new ParallelOptions { MaxDegreeOfParallelism = 64 }, async (late, _) =>
                await Again(_calls[late.Agency], Nobody, late.Operation, "late", new Random(late.Seed)));
        }
    }

    private static void Note(LoadAgency agency, Operation operation, Outcome outcome, Random random)
    {
        var board = agency.Board;
        switch (operation.Request, outcome)
        {
            case (HoldBookingRequest or BookRequest or ConfirmBookingRequest or ExtendHoldRequest or ChangeBookingRequest, { Response: Booking booking }):
                board.Put(booking);
                break;
            case (ReleaseBookingRequest r, { Succeeded: true }):
                board.Remove(r.Name);
                break;
            case (ReleaseBookingRequest or ConfirmBookingRequest or ExtendHoldRequest or ChangeBookingRequest, { Code: StatusCode.NotFound } or { Reason: "HOLD_EXPIRED" }):
                board.Remove((string)operation.Request.Descriptor.FindFieldByName("name").Accessor.GetValue(operation.Request));
                break;
        }

        if (outcome.Succeeded && operation.Then is { } then)
        {
            board.Put(then.Kind, then.Work);
        }
        else if (outcome.Unknown && operation.Then is { Kind: Kind.Engage or Kind.Log, Work.Stage: > 1 } stuck && random.Next(2) == 0)
        {
            board.Put(Kind.Engage, stuck.Work with { Stage = stuck.Work.Stage - 1 });
        }
    }

    private static int Mixed(int seed, int caller) => unchecked(seed * 1_000_003 + caller * 7_919);
}
