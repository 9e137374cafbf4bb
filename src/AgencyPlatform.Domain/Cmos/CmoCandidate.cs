using AgencyPlatform.Domain.Capacity;
using NodaTime;

namespace AgencyPlatform.Domain.Cmos;

/// <summary>A CMO as matching looks at them.</summary>
/// <param name="Hours">At which they work when the booking begins, in their time zone.</param>
/// <param name="Refusal">Why the booking does not fit; null: it fits.</param>
[GenerateSerializer, Immutable, Alias("cmo.candidate")]
public sealed record CmoCandidate(CmoId Cmo, CmoProfile Profile, WorkingHours Hours, CapacityRefusal? Refusal);

/// <summary>What matching asks of a CMO.</summary>
public sealed partial record FractionalCmo
{
    /// <summary>The CMO, and whether a booking would fit: as <see cref="Check"/>.</summary>
    public CmoCandidate AsCandidate(BookingSpec spec, BookingFacts facts, Instant now)
    {
        var start = spec.Steps[0].Dates.Start;
        var pattern = Calendar.Patterns.LastOrDefault(p => p.EffectiveFrom <= start);
        return new CmoCandidate(Id, Profile, pattern?.Hours ?? WorkingHours.Usual, Check(spec, facts, now).Refusal);
    }
}
