using System.Collections.Immutable;
using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Clients;
using AgencyPlatform.Contracts.Cmos;
using AgencyPlatform.Domain.Agencies;
using AgencyPlatform.Domain.Capacity;
using AgencyPlatform.Domain.Clients;
using AgencyPlatform.Domain.Cmos;
using Orleans.Concurrency;

namespace AgencyPlatform.Grains.Cmos;

/// <summary>See <see cref="IFractionalCmoGrain"/>.</summary>
[Reentrant]
public sealed partial class FractionalCmoGrain(GrainServices services) : AggregateGrain<FractionalCmo>(services), IFractionalCmoGrain
{
    public Task<Reply<FractionalCmo>> Create(Call call, CreateCmo c) => Decide(call, (s, now) => s.Create(c, now), s => s);

    public Task<Reply<FactResult>> Update(Call call, UpdateCmo c) => Fact(call, (s, now) => s.Update(c, now));

    public Task<Reply<FractionalCmo>> SetCostRate(Call call, CostRate rate) => Decide(call, (s, _) => s.SetCostRate(rate), s => s);

    public Task<Reply<FactResult>> SetWorkingPattern(Call call, WorkingPattern pattern) => Fact(call, (s, now) => s.SetWorkingPattern(pattern, now));

    public Task<Reply<FactResult>> Leave(Call call, LocalDate from) => Fact(call, (s, now) => s.Leave(from, now));

    public Task<Reply<FactResult>> SetHolidays(Call call, SetHolidays c) => Fact(call, (s, now) => s.SetHolidays(c, now));

    public Task<Reply<FactResult>> AddTimeOff(Call call, TimeOff timeOff) => Fact(call, (s, now) => s.AddTimeOff(timeOff, now));

    public Task<Reply<ImportResult>> ImportTimeOff(Call call, ImportTimeOff c) =>
        Fact(call, (s, now) => s.ImportTimeOff(c, now), s => new ImportResult(s, s.LastConsequences, s.LastImport ?? ImmutableSortedDictionary<string, ImportOutcome>.Empty));

    public Task<Reply<FactResult>> CancelTimeOff(Call call, TimeOffId id) => Fact(call, (s, now) => s.CancelTimeOff(id, now));

    public async Task<Reply<FractionalCmo>> NotePolicy(Call call)
    {
        var policy = await NewerPolicy(call.PolicyVersion, call.SandboxNow);
        return await Decide(call, (s, now) => policy is null ? Decision.Nothing : s.NotePolicy(policy, now), s => s);
    }

    public Task<Reply<FractionalCmo>> Get(Read read) => Query(read, (s, _) => s);

    public Task<Reply<CostRateAt>> GetCostRate(Read read, LocalDate date) => Query(read, (s, _) => new CostRateAt(s.CostRateOn(date)));

    public async Task<Reply<CmoWeeks>> GetWeeks(Read read, LocalDate from, int weeks)
    {
        // The past is told as it was known then.
        var policy = read.ReadTime is null ? await NewerPolicy(read.PolicyVersion, read.SandboxNow) : null;
        return await Query(read, (s, _) => new CmoWeeks(Reports.Weeks(s.Under(policy).Facts, from, weeks)));
    }

    public Task<Reply<CmoLostTime>> GetLostTo(Read read, TimeOffId timeOff) => Query(read, (s, _) => new CmoLostTime(s.LostTo(timeOff)));

    public async Task<Reply<CmoPlan>> GetPlan(Read read, LocalDate from, LocalDate to)
    {
        var policy = read.ReadTime is null ? await NewerPolicy(read.PolicyVersion, read.SandboxNow) : null;
        return await Query(read, (s, _) => new CmoPlan(WorkPlan.Of(s.Under(policy).Facts, from, to)));
    }

    public Task<Reply<Booking>> GetBooking(Read read, BookingId id) => Query(read, (s, _) => s.Bookings.GetValueOrDefault(id), Rejection.NotFound("booking", id.Value));

    public Task<Reply<CheckResult>> Check(Call call, BookingSpec spec, int priority) => WithFacts(call, spec.Client, facts =>
        Query(new Read(call.Agency, call.SandboxNow), (s, now) => s.Check(spec, facts, now, priority)));

    public Task<Reply<Booking>> Hold(Call call, HoldBooking c) => WithFacts(call, c.Spec.Client, facts =>
        Decide(call, (s, now) => s.Hold(c, facts, now), s => s.Bookings[c.Id]));

    public Task<Reply<Booking>> Book(Call call, Book c) => WithFacts(call, c.Spec.Client, facts =>
        Decide(call, (s, now) => s.Book(c, facts, now), s => s.Bookings[c.Id]));

    public Task<Reply<Booking>> Confirm(Call call, BookingId id) => Decide(call, (s, now) => s.Confirm(id, now), s => s.Bookings[id]);

    public Task<Reply<Booking>> ExtendHold(Call call, BookingId id, Duration expiry) => Decide(call, (s, now) => s.ExtendHold(id, expiry, now), s => s.Bookings[id]);

    public Task<Reply<Booking>> Change(Call call, ChangeBooking c) => WithClient(call, c.Id, facts =>
        Decide(call, (s, now) => s.Change(c, facts, now), s => s.Bookings[c.Id]));

    public Task<Reply<BookingId>> Release(Call call, BookingId id) => Decide(call, (s, now) => s.Release(id, now), _ => id);

    public Task<Reply<Booking>> PlaceFor(Call call, EngagementId engagement, Book c) => WithFacts(call, c.Spec.Client, facts =>
        Decide(call, (s, now) => s.PlaceFor(engagement, c, facts, now), s => s.Bookings[c.Id]));

    public Task<Reply<Booking>> TakeOver(Call call, EngagementId engagement, BookingId id) => Decide(call, (s, now) => s.TakeOver(engagement, id, now), s => s.Bookings[id]);

    public Task<Reply<BookingId>> GiveBack(Call call, EngagementId engagement, BookingId id) => Decide(call, (s, now) => s.GiveBack(engagement, id, now), _ => id);

    public Task<Reply<Booking>> ConfirmFor(Call call, EngagementId engagement, BookingId id) => Decide(call, (s, now) => s.ConfirmFor(engagement, id, now), s => s.Bookings[id]);

    public Task<Reply<BookingId>> ReleaseFor(Call call, EngagementId engagement, BookingId id) => Decide(call, (s, now) => s.ReleaseFor(engagement, id, now), _ => id);

    public Task<Reply<BookingId>> FreeFor(Call call, ClientCompanyId client, BookingId id) => Decide(call, (s, now) => s.FreeFor(client, id, now), _ => id);

    public Task<Reply<Booking>> HoldSwapFor(Call call, EngagementId engagement, HoldSwap c) => WithClient(call, c.Booking, facts =>
        Decide(call, (s, now) => s.HoldSwapFor(engagement, c, facts, now), s => s.Bookings[c.Swap]));

    public Task<Reply<BookingId>> SwapFor(Call call, EngagementId engagement, BookingId booking, BookingId swap) =>
        Decide(call, (s, now) => s.SwapFor(engagement, booking, swap, now), _ => booking);

    public Task<Reply<BookingId>> EndFor(Call call, EngagementId engagement, BookingId id, LocalDate end) => Decide(call, (s, now) => s.EndFor(engagement, id, end, now), _ => id);

    /// <summary>A fact is weighed under the newest policy that its caller has seen.</summary>
    private Task<Reply<FactResult>> Fact(Call call, Func<FractionalCmo, Instant, Decision> decide) => Fact(call, decide, s => new FactResult(s, s.LastConsequences));

    private async Task<Reply<T>> Fact<T>(Call call, Func<FractionalCmo, Instant, Decision> decide, Func<FractionalCmo, T> view)
    {
        var policy = await NewerPolicy(call.PolicyVersion, call.SandboxNow);
        return await Decide(call, (s, now) => s.Under(policy, now, decide), view);
    }

    /// <summary>The same for a booking that is there: its client's fence.</summary>
    private async Task<Reply<T>> WithClient<T>(Call call, BookingId id, Func<BookingFacts, Task<Reply<T>>> decide) =>
        await WithFacts(call, (await GetBooking(new Read(call.Agency, call.SandboxNow), id)).Value?.Spec.Client, decide);

    /// <summary>
    /// Fetches what the decision needs of others: the client's fence, and the agency's policy when the caller has seen a newer one. Those who wait are
    /// offered what newer facts free first, whatever becomes of the command.
    /// </summary>
    /// <param name="client">Null: the booking is unknown, and the decision says so.</param>
    private async Task<Reply<T>> WithFacts<T>(Call call, ClientCompanyId? client, Func<BookingFacts, Task<Reply<T>>> decide)
    {
        if (client is not { } known)
        {
            return await decide(new BookingFacts(new ClientFence(default, 0, [], []), null));
        }

        var fence = await Fence(call, known);
        if (fence.Rejection is { } unknown)
        {
            return Reply<T>.No(unknown);
        }

        if (!Committed.Exists)
        {
            // Loads it: who waits is in the state.
            await Get(new Read(call.Agency, call.SandboxNow));
        }

        var facts = new BookingFacts(fence.Value!, await NewerPolicy(call.PolicyVersion, call.SandboxNow));
        if (Committed.Awaits(facts))
        {
            await Decide(call.AsStep(), (s, now) => s.NoteFacts(facts, now), s => s);
        }

        return await decide(facts);
    }

    private async ValueTask<Reply<ClientFence>> Fence(Call call, ClientCompanyId client) =>
        ActiveFacts.Fence(Key.Agency, client, SystemNow - Clients.Competitors.Stands(Key.Agency)) is { } told
            ? new Reply<ClientFence>(told, null, null)
            : await Grain<IClientCompanyGrain>(client.Value).GetFence(new Read(Key.Agency, call.SandboxNow));

    private async Task<AgencyPolicy?> NewerPolicy(long seen, Instant? sandboxNow) =>
        seen <= Committed.Policy.Version
            ? null
            : (await Grain<IAgencyGrain>(Key.Agency.Value).GetPolicy(new Read(Key.Agency, sandboxNow))).Value;
}
