using System.Collections.Immutable;
using NodaTime;

namespace AgencyPlatform.Domain.Agencies;

/// <summary>The agency's facts that capacity decisions need. They come to a CMO with their version, are recorded there, and a later change is reported, never undone.</summary>
/// <param name="Version">The agency aggregate's version at which the policy last changed.</param>
/// <param name="OverbookingPercent">0–100: limit(day) = availability × (100 + percent) ÷ 100, rounded down.</param>
/// <param name="CoolingOffDays">0–3,650: by how much each of two competitors' periods is lengthened at its end.</param>
/// <param name="HolidayCalendars">By region id: the days off.</param>
[GenerateSerializer, Immutable, Alias("agency.policy")]
public sealed record AgencyPolicy(long Version, int OverbookingPercent, int CoolingOffDays, ImmutableSortedDictionary<string, ImmutableSortedSet<LocalDate>> HolidayCalendars)
{
    public static AgencyPolicy None { get; } = new(0, 0, 0, ImmutableSortedDictionary<string, ImmutableSortedSet<LocalDate>>.Empty);
}
