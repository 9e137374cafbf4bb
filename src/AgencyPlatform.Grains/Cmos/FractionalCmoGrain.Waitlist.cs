using System.Collections.Immutable;
using AgencyPlatform.Contracts.Cmos;
using AgencyPlatform.Domain.Cmos;

namespace AgencyPlatform.Grains.Cmos;

/// <summary>The waitlist.</summary>
public sealed partial class FractionalCmoGrain
{
    public Task<Reply<WaitlistPlace>> JoinWaitlist(Call call, JoinWaitlist c) => WithFacts(call, c.Spec.Client, facts =>
        Decide(call, (s, now) => s.JoinWaitlist(c, facts, now), s => s.PlaceOf(c.Id)!));

    public Task<Reply<BookingId>> LeaveWaitlist(Call call, BookingId id) => Decide(call, (s, now) => s.LeaveWaitlist(id, now), _ => id);

    public Task<Reply<WaitlistPlace>> GetWaitlistEntry(Read read, BookingId id) => Query(read, (s, _) => s.PlaceOf(id), Rejection.NotFound("waitlist_entry", id.Value));

    public Task<Reply<CmoWaitlist>> GetWaitlist(Read read) => Query(read, (s, _) => new CmoWaitlist(s.Places()));

    public async Task<Reply<FractionalCmo>> NoteFences(Call call, ImmutableArray<ClientCompanyId> clients)
    {
        var noted = await Get(new Read(call.Agency, call.SandboxNow));
        foreach (var client in clients)
        {
            // Who no longer is there names nobody new; the fence that is known stands.
            if ((await Fence(call, client)).Value is { } fence)
            {
                noted = await Decide(call.AsStep(), (s, now) => s.NoteFacts(new BookingFacts(fence, null), now), s => s);
            }
        }

        return noted;
    }

    public Task<Reply<BookingId>> JoinFor(Call call, JoinWaitlist c) => WithFacts(call, c.Spec.Client, facts => Decide(call, (s, now) => s.JoinFor(c, facts, now), _ => c.Id));

    public Task<Reply<BookingId>> LeaveFor(Call call, CapacityRequestId request) => Decide(call, (s, now) => s.LeaveFor(request, now), _ => request.Booking);

    /// <summary>Asks the request of an entry that has room here who was first. It is asked after the append, on its own: no call waits for a call back.</summary>
    protected override async Task<bool> Step(FractionalCmo committed)
    {
        if (committed.NextToAsk() is not { } request)
        {
            return false;
        }

        var call = StepCall();
        var answer = await Grain<ICapacityRequestGrain>(request.Value).Offer(call, committed.Id);
        // A request that is not there has lost its place.
        await Decide(call, (s, now) => s.Answer(request, answer.Value?.Cmo == committed.Id, now), s => s);
        return true;
    }
}
