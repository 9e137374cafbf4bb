using Google.Protobuf.WellKnownTypes;

namespace AgencyPlatform.Dashboard.Session;

/// <summary>Days of the agency's calendar as moments.</summary>
public static class SessionDays
{
    /// <summary>When a day is over where the agency is.</summary>
    public static Timestamp EndOf(this AgencySession session, DateOnly day)
    {
        // Where clocks go forward at midnight, the next day begins later.
        var over = day.AddDays(1).ToDateTime(TimeOnly.MinValue);
        while (session.Zone.IsInvalidTime(over))
        {
            over = over.AddMinutes(15);
        }

        return Timestamp.FromDateTime(TimeZoneInfo.ConvertTimeToUtc(over, session.Zone));
    }
}
