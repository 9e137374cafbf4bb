using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Cmos;
using AgencyPlatform.Domain.Capacity;
using AgencyPlatform.Domain.Cmos;
using AgencyPlatform.Gateway.Capacity;
using AgencyPlatform.Gateway.Cmos;
using AgencyPlatform.Planning.Portfolio;
using Book = AgencyPlatform.Domain.Cmos.Book;
using V1 = AgencyPlatform.Protocol.Planning.V1;

namespace AgencyPlatform.Gateway.Planning;

internal sealed partial class PlanningService
{
    public override async Task<V1.ApplyPlanResponse> ApplyPlan(V1.ApplyPlanRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var agency = fields.Agency("parent", request.Parent);
        var count = request.Assignments.Count;
        fields.Require(count is >= 1 and <= PlanningRequest.MostNeeds, "assignments", $"must be 1 to {PlanningRequest.MostNeeds}; they are {count}");
        fields.Require(request.Mode is V1.ApplyPlanRequest.Types.Mode.Hold or V1.ApplyPlanRequest.Types.Mode.Book, "mode", "must be MODE_HOLD or MODE_BOOK");
        var holds = request.Mode == V1.ApplyPlanRequest.Types.Mode.Hold;
        fields.Require(holds || request.Expiry is null, "expiry", "goes with MODE_HOLD only");
        Duration? expiry = request.Expiry is null ? null : CapacityService.Expiry(request.Expiry, fields);
        var (steps, ids) = (new List<Applied>(), new HashSet<string>(StringComparer.Ordinal));
        foreach (var (i, wire) in request.Assignments.Take(PlanningRequest.MostNeeds).Index())
        {
            var path = $"assignments[{i}]";
            var id = PlanningRequest.NeedId($"{path}.need_id", wire.NeedId, ids, fields);
            var cmo = fields.Reference<CmoId>($"{path}.cmo", wire.Cmo, agency, CmosService.Collection);
            var spec = CapacityWire.Spec($"{path}.booking", fields.Message($"{path}.booking", wire.Booking), agency, fields);
            steps.Add(new Applied(id, cmo, spec, PlanningRequest.Today($"{path}.today_booking", wire.TodayBooking, agency, fields)));
        }

        var call = await calls.Mutation(context, request, fields, agency);
        (await grains.Agency(agency).Note(call)).OrThrow();
        // Those that only take room first together; then moves, again as long as one of them has made room for another.
        await Parallel.ForEachAsync(steps.Where(s => s.Today is null), new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = context.CancellationToken }, async (s, _) => await Place(s));
        var moves = steps.Where(s => s.Today is not null).ToList();
        for (var moved = true; moved;)
        {
            moved = false;
            foreach (var move in moves.Where(m => m.Booking is null))
            {
                await Move(move);
                moved |= move.Booking is not null;
            }

            if (moved)
            {
                foreach (var refused in steps.Where(s => s is { Today: null, Refusal: not null }))
                {
                    await Place(refused);
                }
            }
        }

        return new V1.ApplyPlanResponse { Results = { steps.Select(s => s.ToWire(agency)) }, Refused = steps.Count(s => s.Refusal is not null) };

        IFractionalCmoGrain Cmo(CmoId id) => grains.Of<IFractionalCmoGrain>(agency, id.Value);

        Call PartOf(string part) => call with { Request = call.Request is { } id ? IdSyntax.GuidOf($"{id}/{part}") : null };

        async Task Place(Applied step)
        {
            var part = PartOf($"{step.Need}/place");
            // A repeat of the whole finds what it made.
            var id = new BookingId(IdSyntax.FromRequestId(part.Request ?? Guid.CreateVersion7()));
            var reply = holds ? await Cmo(step.Cmo).Hold(part, new HoldBooking(id, step.Spec, expiry)) : await Cmo(step.Cmo).Book(part, new Book(id, step.Spec));
            (step.Booking, step.Refusal) = (reply.Value, reply.Rejection);
        }

        async Task Move(Applied step)
        {
            var (today, release) = (step.Today!, PartOf($"{step.Need}/release"));
            if (today.Cmo == step.Cmo)
            {
                var stays = await Cmo(today.Cmo).GetBooking(new Read(agency, call.SandboxNow), today.Booking);
                (step.Booking, step.Refusal) = (stays.Value, stays.Rejection);
                return;
            }

            // What is to be released is looked at before anything is made for it; a repeat of what was done finds it gone.
            if (!await Cmo(step.Cmo).HasAnswered(PartOf($"{step.Need}/place")))
            {
                var stands = await Cmo(today.Cmo).GetBooking(new Read(agency, call.SandboxNow), today.Booking);
                step.Refusal = stands.Rejection ?? (stands.Value!.Owner is { } owner
                    ? Rejection.Rule(Reasons.OwnedByEngagement, $"Booking '{today.Booking}' belongs to engagement '{owner}', which alone moves it.", ("booking", today.Booking.Value), ("engagement", owner.Value))
                    : null);
                if (step.Refusal is not null)
                {
                    return;
                }
            }

            await Place(step);
            if (step.Refusal is null)
            {
                step.Refusal = (await Cmo(today.Cmo).Release(release, today.Booking)).Rejection;
                step.Released = step.Refusal is null ? today : null;
            }
        }
    }

    /// <summary>One assignment and what became of it.</summary>
    private sealed record Applied(string Need, CmoId Cmo, BookingSpec Spec, StandingBooking? Today)
    {
        public Domain.Capacity.Booking? Booking { get; set; }
        public Rejection? Refusal { get; set; }
        public StandingBooking? Released { get; set; }

        public V1.AppliedAssignment ToWire(AgencyId agency)
        {
            var wire = new V1.AppliedAssignment
            {
                NeedId = Need,
                Booking = Booking is null ? null : CapacityWire.ToWire(agency, Cmo, Booking),
                ReleasedBooking = Released is { } released ? CapacityWire.BookingName(agency, released.Cmo, released.Booking) : "",
                Reason = Refusal?.Reason ?? "",
                Message = Refusal?.Message ?? "",
            };
            wire.Metadata.Put(Refusal?.Metadata ?? System.Collections.Immutable.ImmutableSortedDictionary<string, string>.Empty);
            return wire;
        }
    }
}
