using AgencyPlatform.Domain.Capacity;
using NodaTime;

namespace AgencyPlatform.Domain.Cmos;

/// <summary>The list of CMOs.</summary>
[RowTable("cmos", nameof(Id))]
public sealed record CmoRow(CmoId Id, PersonId Person, string Role, string TimeZone) : IRow;

/// <summary>The list of bookings: what is held and confirmed. A release or expiry takes the row away; the history tells of it.</summary>
/// <param name="Spec">The booking's steps, as JSON.</param>
[RowTable("bookings", nameof(Cmo), nameof(Id), Indexes = [nameof(Client)])]
public sealed record BookingRow(
    CmoId Cmo, BookingId Id, ClientCompanyId Client, EngagementId? Engagement, BookingState State, Instant? ExpiresAt, EngagementId? OwnedBy, Instant CreatedAt, Instant UpdatedAt, byte[] Spec) : IRow;
