using AgencyPlatform.Domain.Capacity;
using AgencyPlatform.Domain.Cmos;

namespace AgencyPlatform.Contracts.Cmos;

/// <summary>A fractional CMO and their capacity. Its grain key is <c>{agency}/{cmo}</c>. Asks the agency for its policy and the client for its fence before it decides.</summary>
[Alias("IFractionalCmoGrain")]
public interface IFractionalCmoGrain : IAggregateGrain
{
    [Alias("Create")]
    Task<Reply<FractionalCmo>> Create(Call call, CreateCmo command);

    [Alias("Update")]
    Task<Reply<FactResult>> Update(Call call, UpdateCmo command);

    [Alias("SetCostRate")]
    Task<Reply<FractionalCmo>> SetCostRate(Call call, CostRate rate);

    [Alias("SetWorkingPattern")]
    Task<Reply<FactResult>> SetWorkingPattern(Call call, WorkingPattern pattern);

    /// <summary>The CMO leaves: from the date on nothing is available.</summary>
    [Alias("Leave")]
    Task<Reply<FactResult>> Leave(Call call, LocalDate from);

    [Alias("SetHolidays")]
    Task<Reply<FactResult>> SetHolidays(Call call, SetHolidays command);

    [Alias("AddTimeOff")]
    Task<Reply<FactResult>> AddTimeOff(Call call, TimeOff timeOff);

    /// <summary>Time off as a calendar file has it.</summary>
    [Alias("ImportTimeOff")]
    Task<Reply<ImportResult>> ImportTimeOff(Call call, ImportTimeOff command);

    [Alias("CancelTimeOff")]
    Task<Reply<FactResult>> CancelTimeOff(Call call, TimeOffId id);

    /// <summary>Notes the agency's policy now, without another command: what it does to standing bookings is in the feed then.</summary>
    [Alias("NotePolicy")]
    Task<Reply<FractionalCmo>> NotePolicy(Call call);

    [Alias("Get")]
    Task<Reply<FractionalCmo>> Get(Read read);

    [Alias("GetCostRate")]
    Task<Reply<CostRateAt>> GetCostRate(Read read, LocalDate date);

    [Alias("GetWeeks")]
    Task<Reply<CmoWeeks>> GetWeeks(Read read, LocalDate from, int weeks);

    /// <summary>What engagements lack because of a time off.</summary>
    [Alias("GetLostTo")]
    Task<Reply<CmoLostTime>> GetLostTo(Read read, TimeOffId timeOff);

    /// <summary>What confirmed bookings of engagements come to, day by day, over [from, to).</summary>
    [Alias("GetPlan")]
    Task<Reply<CmoPlan>> GetPlan(Read read, LocalDate from, LocalDate to);

    [Alias("GetBooking")]
    Task<Reply<Booking>> GetBooking(Read read, BookingId id);

    /// <param name="priority">With which the booking would wait.</param>
    [Alias("Check")]
    Task<Reply<CheckResult>> Check(Call call, BookingSpec spec, int priority = 0);

    [Alias("Hold")]
    Task<Reply<Booking>> Hold(Call call, HoldBooking command);

    /// <summary>Hold and confirm at once.</summary>
    [Alias("Book")]
    Task<Reply<Booking>> Book(Call call, Book command);

    [Alias("Confirm")]
    Task<Reply<Booking>> Confirm(Call call, BookingId id);

    [Alias("ExtendHold")]
    Task<Reply<Booking>> ExtendHold(Call call, BookingId id, Duration expiry);

    [Alias("Change")]
    Task<Reply<Booking>> Change(Call call, ChangeBooking command);

    /// <summary>Answers with the id: nothing of the booking is left.</summary>
    [Alias("Release")]
    Task<Reply<BookingId>> Release(Call call, BookingId id);

    // The waitlist.

    [Alias("JoinWaitlist")]
    Task<Reply<WaitlistPlace>> JoinWaitlist(Call call, JoinWaitlist command);

    /// <summary>Takes an entry off the list, or declines its offer. Answers with the id: nothing of the entry is left.</summary>
    [Alias("LeaveWaitlist")]
    Task<Reply<BookingId>> LeaveWaitlist(Call call, BookingId id);

    [Alias("GetWaitlistEntry")]
    Task<Reply<WaitlistPlace>> GetWaitlistEntry(Read read, BookingId id);

    /// <summary>The whole list: offered ones first, then those that wait, in order.</summary>
    [Alias("GetWaitlist")]
    Task<Reply<CmoWaitlist>> GetWaitlist(Read read);

    /// <summary>Notes the fences of clients of whom one no longer names another, if somebody waits here: what that frees is offered.</summary>
    [Alias("NoteFences")]
    Task<Reply<FractionalCmo>> NoteFences(Call call, ImmutableArray<ClientCompanyId> clients);

    // For the saga of a request for any of several CMOs only; idempotent by the request's id.

    [Alias("JoinFor")]
    Task<Reply<BookingId>> JoinFor(Call call, JoinWaitlist command);

    [Alias("LeaveFor")]
    Task<Reply<BookingId>> LeaveFor(Call call, CapacityRequestId request);

    // For the engagement's sagas only; idempotent by booking id.

    [Alias("PlaceFor")]
    Task<Reply<Booking>> PlaceFor(Call call, EngagementId engagement, Book command);

    [Alias("TakeOver")]
    Task<Reply<Booking>> TakeOver(Call call, EngagementId engagement, BookingId id);

    [Alias("GiveBack")]
    Task<Reply<BookingId>> GiveBack(Call call, EngagementId engagement, BookingId id);

    [Alias("ConfirmFor")]
    Task<Reply<Booking>> ConfirmFor(Call call, EngagementId engagement, BookingId id);

    [Alias("ReleaseFor")]
    Task<Reply<BookingId>> ReleaseFor(Call call, EngagementId engagement, BookingId id);

    /// <summary>Releases a hold for the client that no engagement owns: a proposal that ended leaves it. Anything else is left alone.</summary>
    [Alias("FreeFor")]
    Task<Reply<BookingId>> FreeFor(Call call, ClientCompanyId client, BookingId id);

    /// <summary>Holds new steps of a booking beside it, checked as if they had taken its place.</summary>
    [Alias("HoldSwapFor")]
    Task<Reply<Booking>> HoldSwapFor(Call call, EngagementId engagement, HoldSwap command);

    /// <summary>The booking takes the steps of the hold, which is gone then.</summary>
    [Alias("SwapFor")]
    Task<Reply<BookingId>> SwapFor(Call call, EngagementId engagement, BookingId booking, BookingId swap);

    [Alias("EndFor")]
    Task<Reply<BookingId>> EndFor(Call call, EngagementId engagement, BookingId id, LocalDate end);
}

/// <param name="Rate">Null where none is in force.</param>
[GenerateSerializer, Immutable, Alias("cmo.cost-rate-at")]
public sealed record CostRateAt(CostRate? Rate);

[GenerateSerializer, Immutable, Alias("cmo.lost-times")]
public sealed record CmoLostTime(ImmutableArray<LostTime> Lost);

[GenerateSerializer, Immutable, Alias("cmo.weeks")]
public sealed record CmoWeeks(ImmutableArray<WeekReport> Weeks);

[GenerateSerializer, Immutable, Alias("cmo.waitlist-places")]
public sealed record CmoWaitlist(ImmutableArray<WaitlistPlace> Places);

[GenerateSerializer, Immutable, Alias("cmo.plan")]
public sealed record CmoPlan(ImmutableArray<PlannedWork> Work);
