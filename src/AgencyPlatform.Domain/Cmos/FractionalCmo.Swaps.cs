using System.Collections.Immutable;
using AgencyPlatform.Domain.Capacity;
using NodaTime;

namespace AgencyPlatform.Domain.Cmos;

/// <summary>
/// How an engagement's saga changes one of its bookings so that it can still be taken back: a hold with the new steps is checked as if it had taken the
/// booking's place, and stands beside it until the saga confirms or releases it. Both count meanwhile, so whichever of them goes, the other fits.
/// </summary>
public sealed partial record FractionalCmo
{
    /// <summary>Holds the new steps of a booking without a clock expiry. Refused: the booking stands as it is.</summary>
    public Decision HoldSwapFor(EngagementId engagement, HoldSwap command, BookingFacts facts, Instant now) =>
        Bookings.TryGetValue(command.Swap, out var held) && held.Owner == engagement
            ? Decision.Nothing
            : Owned(engagement, command.Booking, booking =>
            {
                var spec = booking.Spec with { Steps = command.Steps };
                if (spec.Violations() is { Length: > 0 } wrong)
                {
                    return Rejection.Invalid(wrong.AsSpan());
                }

                var (state, noted) = Noting(facts.Policy, facts.Fence, now);
                return Feasibility.Check(state.Facts, spec, facts.Fence, booking, seekStart: false) is { } refusal
                    ? refusal.ToRejection()
                    : Decision.Accept(noted.Add(new BookingHeld(command.Swap, spec, now, null, engagement, facts.Fence, command.Booking)));
            }, free: false);

    /// <summary>The booking takes the hold's steps, and the hold is gone; cannot be refused. The age stays.</summary>
    public Decision SwapFor(EngagementId engagement, BookingId booking, BookingId swap, Instant now) =>
        Idempotent(engagement, swap, _ => Decision.Accept(new BookingSwapped(booking, swap, now)));

    private FractionalCmo Swapped(BookingSwapped e)
    {
        var held = Bookings[e.Swap];
        return Without(e.Swap).With(Bookings[e.Id] with { Spec = held.Spec, Fence = held.Fence, Frozen = held.Frozen, UpdatedAt = e.At });
    }
}

/// <summary>New steps for a booking of an engagement, held beside it.</summary>
/// <param name="Swap">The hold's id.</param>
/// <param name="Booking">The booking that it is to replace.</param>
[GenerateSerializer, Immutable, Alias("cmo.hold-swap")]
public sealed record HoldSwap(BookingId Swap, BookingId Booking, ImmutableArray<BookingStep> Steps);

/// <summary>A booking took the steps of the hold that was checked in its place; the hold is gone.</summary>
[Event("cmo.booking-swapped"), GenerateSerializer, Immutable, Alias("cmo.booking-swapped")]
public sealed record BookingSwapped(BookingId Id, BookingId Swap, Instant At) : IEvent;
