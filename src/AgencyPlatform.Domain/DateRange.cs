using NodaTime;

namespace AgencyPlatform.Domain;

/// <summary>Whole local days, half-open: <c>[Start, End)</c>. No end means open. Never empty.</summary>
[GenerateSerializer, Immutable, Alias("date-range")]
public readonly record struct DateRange([property: Id(0)] LocalDate Start, [property: Id(1)] LocalDate? End)
{
    public bool Contains(LocalDate date) => date >= Start && (End is not { } end || date < end);

    public bool Overlaps(DateRange other) =>
        (End is not { } end || other.Start < end) && (other.End is not { } otherEnd || Start < otherEnd);

    /// <summary>The days in both, or null when there are none.</summary>
    public DateRange? Intersect(DateRange other)
    {
        if (!Overlaps(other))
        {
            return null;
        }

        var end = (End, other.End) switch
        {
            ({ } a, { } b) => LocalDate.Min(a, b),
            ({ } a, null) => a,
            (null, var b) => b,
        };
        return new DateRange(LocalDate.Max(Start, other.Start), end);
    }

    public override string ToString() => End is { } end ? $"[{Start:uuuu-MM-dd}, {end:uuuu-MM-dd})" : $"[{Start:uuuu-MM-dd}, open)";
}
