using AgencyPlatform.Client;
using AgencyPlatform.Dashboard.Session;
using AgencyPlatform.Protocol.Capacity.V1;
using AgencyPlatform.Protocol.Engagements.V1;
using Grpc.Core;

namespace AgencyPlatform.Dashboard.Pages.Engagements;

/// <summary>What is booked or held of an engagement's members: a member that was proposed with a hold has no steps of its own.</summary>
internal static class MemberBookings
{
    /// <returns>Steps by CMO: the booking's or the hold's where whoever is signed in may see it and it stands, else the member's own.</returns>
    public static async Task<Dictionary<string, IReadOnlyList<BookingStep>>> Read(AgencySession session, Engagement e, CancellationToken cancellation)
    {
        var steps = new Dictionary<string, IReadOnlyList<BookingStep>>(StringComparer.Ordinal);
        foreach (var member in e.Members)
        {
            steps[member.Cmo] = member.Steps;
            var name = member.Booking.Length > 0 ? member.Booking : member.Hold;
            if (name.Length == 0 || !(session.IsStaff || session.Caller.Cmo == member.Cmo))
            {
                continue;
            }

            try
            {
                steps[member.Cmo] = (await session.Platform.Capacity.GetBookingAsync(new GetBookingRequest { Name = name }, cancellationToken: cancellation)).Steps;
            }
            catch (ApiException refused) when (refused.StatusCode == StatusCode.NotFound)
            {
                // Expired or released: what the engagement says is all there is.
            }
        }

        return steps;
    }
}
