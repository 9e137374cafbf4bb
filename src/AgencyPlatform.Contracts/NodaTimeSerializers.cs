namespace AgencyPlatform.Contracts;

// How NodaTime's values cross a grain boundary: exactly, to the nanosecond, dates as ISO dates.

[GenerateSerializer, Immutable, Alias("noda.duration")]
internal struct DurationSurrogate
{
    [Id(0)] public int Days;
    [Id(1)] public long NanosecondOfDay;
}

[RegisterConverter]
internal sealed class DurationConverter : IConverter<Duration, DurationSurrogate>
{
    public Duration ConvertFromSurrogate(in DurationSurrogate surrogate) => Duration.FromDays(surrogate.Days) + Duration.FromNanoseconds(surrogate.NanosecondOfDay);

    public DurationSurrogate ConvertToSurrogate(in Duration value) => new() { Days = value.Days, NanosecondOfDay = value.NanosecondOfDay };
}

[GenerateSerializer, Immutable, Alias("noda.instant")]
internal struct InstantSurrogate
{
    [Id(0)] public int Days;
    [Id(1)] public long NanosecondOfDay;
}

[RegisterConverter]
internal sealed class InstantConverter : IConverter<Instant, InstantSurrogate>
{
    public Instant ConvertFromSurrogate(in InstantSurrogate surrogate) =>
        NodaConstants.UnixEpoch + Duration.FromDays(surrogate.Days) + Duration.FromNanoseconds(surrogate.NanosecondOfDay);

    public InstantSurrogate ConvertToSurrogate(in Instant value)
    {
        var sinceEpoch = value - NodaConstants.UnixEpoch;
        return new() { Days = sinceEpoch.Days, NanosecondOfDay = sinceEpoch.NanosecondOfDay };
    }
}

[GenerateSerializer, Immutable, Alias("noda.local-date")]
internal struct LocalDateSurrogate
{
    [Id(0)] public int Year;
    [Id(1)] public int Month;
    [Id(2)] public int Day;
}

[RegisterConverter]
internal sealed class LocalDateConverter : IConverter<LocalDate, LocalDateSurrogate>
{
    public LocalDate ConvertFromSurrogate(in LocalDateSurrogate surrogate) => new(surrogate.Year, surrogate.Month, surrogate.Day);

    public LocalDateSurrogate ConvertToSurrogate(in LocalDate value) => new() { Year = value.Year, Month = value.Month, Day = value.Day };
}

[GenerateSerializer, Immutable, Alias("noda.year-month")]
internal struct YearMonthSurrogate
{
    [Id(0)] public int Year;
    [Id(1)] public int Month;
}

[RegisterConverter]
internal sealed class YearMonthConverter : IConverter<YearMonth, YearMonthSurrogate>
{
    public YearMonth ConvertFromSurrogate(in YearMonthSurrogate surrogate) => new(surrogate.Year, surrogate.Month);

    public YearMonthSurrogate ConvertToSurrogate(in YearMonth value) => new() { Year = value.Year, Month = value.Month };
}
