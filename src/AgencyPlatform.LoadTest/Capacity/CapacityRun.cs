using System.Globalization;
using AgencyPlatform.Client;
using AgencyPlatform.LoadTest.Calls;
using AgencyPlatform.Protocol.Agencies.V1;
using AgencyPlatform.Protocol.Capacity.V1;
using AgencyPlatform.Protocol.Engagements.V1;
using Grpc.Core;
using FieldMask = Google.Protobuf.WellKnownTypes.FieldMask;
using Money = AgencyPlatform.Protocol.Type.V1.Money;

namespace AgencyPlatform.LoadTest.Capacity;

/// <summary>
/// The scenario <c>capacity</c>: closed-loop callers, each sending its next call when the last one is answered. A third of the calls is repeated
/// with the same request id (at the same time, later, after a cancellation, after an unknown outcome), a few with the same id and other content.
/// </summary>
internal sealed class CapacityRun(CapacityOptions options, LoadAgency agency, CallLog log, TimeProvider time)
{
    /// <summary>One caller in so many leads engagements through their lives instead.</summary>
    private const int OneInLeadsEngagements = 20;

    private readonly BookingBoard _board = new();
    private long _start;

    public async Task<LoggedCalls> Execute(Action<LoggedCalls, TimeSpan> progress)
    {
        using var platform = new AgencyPlatformClient(new() { Address = options.Address, ApiKey = agency.Key, Retries = 0, AttemptTimeout = null });
        var calls = new LoggedCalls(new Api(platform), log, time, timeout: TimeSpan.FromSeconds(15), options.Patience);
        _start = time.GetTimestamp();
        using var finished = new CancellationTokenSource();
        var watching = Watch(calls, progress, finished.Token);
        await Task.WhenAll(Enumerable.Range(0, options.Callers).Select(i => Task.Run(() => Call(i, calls))));
        await finished.CancelAsync();
        await watching;
        return calls;
    }

    private TimeSpan Elapsed => time.GetElapsedTime(_start);

    private bool Running => Elapsed < TimeSpan.FromSeconds(options.Seconds);

    private async Task Watch(LoggedCalls calls, Action<LoggedCalls, TimeSpan> progress, CancellationToken finished)
    {
        using var tick = new PeriodicTimer(TimeSpan.FromSeconds(1), time);
        try
        {
            while (await tick.WaitForNextTickAsync(finished))
            {
                progress(calls, Elapsed);
            }
        }
        catch (OperationCanceledException)
        {
            progress(calls, Elapsed);
        }
    }

    private async Task Call(int caller, LoggedCalls calls)
    {
        var random = new Random(HashOf(options.Seed, caller));
        var plan = new CapacityPlan(agency, _board, random, options.Skew, enough: 18 * options.Cmos, time);
        var later = new PriorityQueue<Operation, TimeSpan>();
        if (caller % OneInLeadsEngagements == 1)
        {
            await LeadEngagements(caller, calls, plan, random);
            return;
        }

        var lowered = caller != 0 || !agency.Own;
        while (Running)
        {
            if (!lowered && Elapsed > TimeSpan.FromSeconds(options.Seconds * 0.3))
            {
                lowered = true;
                await LowerOverbooking(calls, agency.Name, plan, random);
            }

            if (later.TryPeek(out _, out var due) && due <= Elapsed)
            {
                await calls.UntilKnown(caller, later.Dequeue(), "late", random);
                continue;
            }

            var operation = plan.Next();
            Note(operation, await Send(caller, calls, plan, operation, later, random));
        }

        while (later.TryDequeue(out var operation, out _))
        {
            await calls.UntilKnown(caller, operation, "late", random);
        }
    }

    /// <summary>Sends a call once or, for a third of the calls, more than once.</summary>
    private async Task<Outcome> Send(int caller, LoggedCalls calls, CapacityPlan plan, Operation operation, PriorityQueue<Operation, TimeSpan> later, Random random)
    {
        var fate = random.NextDouble();
        if (!operation.Method.Changes || fate >= 0.37)
        {
            return await calls.UntilKnown(caller, operation, "first", random);
        }

        switch (fate)
        {
            case < 0.12:
                var twice = await Task.WhenAll(calls.UntilKnown(caller, operation, "first", random), calls.UntilKnown(caller, operation, "concurrent", new Random(random.Next())));
                return twice[0].Succeeded ? twice[0] : twice[1];
            case < 0.25:
                var outcome = await calls.UntilKnown(caller, operation, "first", random);
                later.Enqueue(operation, Elapsed + TimeSpan.FromMilliseconds(random.Next(10_000)));
                return outcome;
            case < 0.34:
                using (var cancellation = new CancellationTokenSource(TimeSpan.FromMilliseconds(random.Next(12)), time))
                {
                    await calls.Once(caller, operation, "cancelled", cancellation.Token);
                }

                return await calls.UntilKnown(caller, operation, "after-cancel", random);
            default:
                var first = await calls.UntilKnown(caller, operation, "first", random);
                if (first.Succeeded && plan.Other(operation) is { } other)
                {
                    await calls.UntilKnown(caller, other, "other-payload", random);
                }

                return first;
        }
    }

    private void Note(Operation operation, Outcome outcome)
    {
        switch (operation.Request, outcome)
        {
            case (HoldBookingRequest or BookRequest or ConfirmBookingRequest or ExtendHoldRequest or ChangeBookingRequest, { Response: Booking booking }):
                _board.Put(booking);
                break;
            case (ReleaseBookingRequest r, { Succeeded: true } or { Code: StatusCode.NotFound } or { Reason: "HOLD_EXPIRED" }):
                _board.Remove(r.Name);
                break;
            case (ConfirmBookingRequest r, { Code: StatusCode.NotFound } or { Reason: "HOLD_EXPIRED" }):
                _board.Remove(r.Name);
                break;
            case (ExtendHoldRequest r, { Code: StatusCode.NotFound } or { Reason: "HOLD_EXPIRED" }):
                _board.Remove(r.Name);
                break;
            case (ChangeBookingRequest r, { Code: StatusCode.NotFound } or { Reason: "HOLD_EXPIRED" }):
                _board.Remove(r.Name);
                break;
        }
    }

    /// <summary>No overbooking any more: some weeks are fuller now than they may be, and nothing more may be put into them.</summary>
    private static Task<Outcome> LowerOverbooking(LoggedCalls calls, string name, CapacityPlan plan, Random random) => calls.UntilKnown(
        0,
        plan.Of(new UpdateAgencyRequest { Agency = new Agency { Name = name, OverbookingPercent = 0 }, UpdateMask = new FieldMask { Paths = { "overbooking_percent" } } }),
        "first", random);

    /// <summary>Draft, proposal, signature, activation (a saga over two CMOs), and after a while the end; every move sent like the other calls.</summary>
    private async Task LeadEngagements(int caller, LoggedCalls calls, CapacityPlan plan, Random random)
    {
        var later = new PriorityQueue<Operation, TimeSpan>();
        for (var n = 0; Running; n++)
        {
            var id = $"e-{caller.ToString(CultureInfo.InvariantCulture)}-{n.ToString(CultureInfo.InvariantCulture)}-{random.Next(int.MaxValue):x}";
            var name = $"{agency.Name}/engagements/{id}";
            var client = plan.Client();
            var start = agency.FirstMonday.AddDays(7 * random.Next(20));
            var engagement = new Engagement
            {
                ClientCompany = client,
                Title = "Load",
                ServiceType = ServiceType.FractionalCmo,
                StartDate = start.ToWire(),
                EndDate = start.AddDays(7 * random.Next(4, 12)).ToWire(),
                Terms =
                {
                    new Terms
                    {
                        EffectiveDate = start.ToWire(), Seller = $"{agency.Name}/legalEntities/us", Currency = "USD", BillCycleDay = 1, PeriodMonths = 1,
                        Hourly = new HourlyTerms { HourlyRate = new Money { MinorUnits = 25_000, Currency = "USD" } },
                    },
                },
            };
            foreach (var cmo in new[] { plan.Cmo(), plan.Cmo() }.Distinct())
            {
                engagement.Members.Add(new Member
                {
                    Cmo = cmo,
                    Role = "CMO",
                    CmoAgreementWaived = true,
                    Steps = { new BookingStep { StartDate = engagement.StartDate, EndDate = engagement.EndDate, Flexible = new FlexibleForm { WeeklyMinutes = random.Next(60, 400) } } },
                });
            }

            engagement.Lead = engagement.Members[0].Cmo;
            var stakeholder = client[(client.LastIndexOf('/') + 1)..] + "-ceo";
            if (await Move(new CreateEngagementRequest { Parent = agency.Name, EngagementId = id, Engagement = engagement })
                && await Move(new ProposeEngagementRequest { Name = name })
                && await Move(new SignEngagementRequest { Name = name, PersonId = stakeholder, Revision = 1 })
                && await Move(new ActivateEngagementRequest { Name = name })
                && random.Next(2) == 0)
            {
                await Move(new EndEngagementRequest { Name = name, EndDate = start.AddDays(random.Next(20)).ToWire() });
            }

            while (later.TryPeek(out _, out var due) && due <= Elapsed)
            {
                await calls.UntilKnown(caller, later.Dequeue(), "late", random);
            }

            async Task<bool> Move(Google.Protobuf.IMessage request) => Running && (await Send(caller, calls, plan, plan.Of(request), later, random)).Succeeded;
        }

        while (later.TryDequeue(out var operation, out _))
        {
            await calls.UntilKnown(caller, operation, "late", random);
        }
    }

    private static int HashOf(int seed, int caller) => unchecked(seed * 1_000_003 + caller * 7_919);
}
