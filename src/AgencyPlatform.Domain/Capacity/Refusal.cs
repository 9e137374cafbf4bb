using System.Collections.Immutable;
using NodaTime;

namespace AgencyPlatform.Domain.Capacity;

/// <summary>The rules that can refuse a booking, in the order in which they are asked.</summary>
public enum CapacityRule
{
    /// <summary>What is agreed per week, day or period is below the CMO's smallest block.</summary>
    SmallestBlock,

    /// <summary>Fixed or dated minutes above the pattern of their day.</summary>
    AbovePattern,

    /// <summary>A flexible week, or a period, without any pattern minutes.</summary>
    NoPattern,

    /// <summary>A competitor of the client is booked within the cooling-off time.</summary>
    CompetitorFence,

    /// <summary>More distinct client companies on a day than the CMO takes.</summary>
    MaxClients,

    /// <summary>A run of days would be asked for more than its limit.</summary>
    Capacity,

    /// <summary>The CMO has left on some of the days. Asked before the competitor fence.</summary>
    CmoLeaves,
}

/// <param name="Monday">The ISO week's Monday.</param>
/// <param name="MissingMinutes">The week's largest excess, rounded up.</param>
[GenerateSerializer, Immutable, Alias("capacity.failing-week")]
public sealed record FailingWeek(LocalDate Monday, long MissingMinutes);

/// <summary>A refusal that explains itself. Source: domain §2.</summary>
/// <param name="Rule">Which rule refuses.</param>
/// <param name="Date">The first day on which it does (with <see cref="CapacityRule.Capacity"/>: the Monday of the first failing week).</param>
/// <param name="MissingMinutes">The first failing week's largest excess, rounded up; with <see cref="CapacityRule.SmallestBlock"/> and <see cref="CapacityRule.AbovePattern"/> the minutes at fault's distance.</param>
/// <param name="Run">The shortest, then earliest run of days of the first failing week that has this excess.</param>
/// <param name="FailingWeeks">The first failing weeks, at most <see cref="MostWeeks"/>.</param>
/// <param name="EarliestStart">The earliest start within 104 weeks after the one asked for at which the same booking fits.</param>
/// <param name="Clashes">The booking that stands in the way (competitor fence).</param>
/// <param name="StartSought">Whether a later start was looked for: not where part of a booking stands and only the rest would begin later.</param>
[GenerateSerializer, Immutable, Alias("capacity.refusal")]
public sealed record CapacityRefusal(
    CapacityRule Rule, LocalDate? Date, long MissingMinutes, DateRange? Run, ImmutableArray<FailingWeek> FailingWeeks, LocalDate? EarliestStart, BookingId? Clashes, bool StartSought = true)
{
    public const int MostWeeks = 26;

    public static CapacityRefusal Of(CapacityRule rule, LocalDate? date = null, long missing = 0, BookingId? clashes = null) =>
        new(rule, date, missing, null, [], null, clashes);

    public Rejection ToRejection()
    {
        var metadata = new List<(string, string)> { ("rule", Reason) };
        if (Date is { } date)
        {
            metadata.Add((Rule == CapacityRule.Capacity ? "week" : "date", date.ToString("uuuu-MM-dd", null)));
        }

        if (MissingMinutes > 0)
        {
            metadata.Add(("missing_minutes", MissingMinutes.ToString(System.Globalization.CultureInfo.InvariantCulture)));
        }

        if (Run is { } run)
        {
            metadata.Add(("run_start", run.Start.ToString("uuuu-MM-dd", null)));
            metadata.Add(("run_end", run.End!.Value.ToString("uuuu-MM-dd", null)));
        }

        if (FailingWeeks.Length > 0)
        {
            metadata.Add(("failing_weeks", string.Join(",", FailingWeeks.Select(w => w.Monday.ToString("uuuu-MM-dd", null)))));
        }

        if (Clashes is { } clash)
        {
            metadata.Add(("clashing_booking", clash.Value));
        }

        if (StartSought)
        {
            metadata.Add(("earliest_start", EarliestStart?.ToString("uuuu-MM-dd", null) ?? "none within 104 weeks"));
        }

        return Rejection.Rule(Reason, Message, [.. metadata]);
    }

    private string Reason => ReasonOf(Rule);

    /// <summary>The rule as refusals name it on the wire.</summary>
    public static string ReasonOf(CapacityRule rule) => rule switch
    {
        CapacityRule.SmallestBlock => Reasons.BelowSmallestBlock,
        CapacityRule.AbovePattern => Reasons.AbovePattern,
        CapacityRule.NoPattern => Reasons.NoPattern,
        CapacityRule.CompetitorFence => Reasons.CompetitorFence,
        CapacityRule.MaxClients => Reasons.MaxClients,
        CapacityRule.Capacity => Reasons.CapacityExceeded,
        CapacityRule.CmoLeaves => Reasons.CmoLeaves,
        _ => throw new InvalidOperationException($"Unknown rule {rule}."),
    };

    [System.Text.Json.Serialization.JsonIgnore]
    public string Message => Rule switch
    {
        CapacityRule.SmallestBlock => $"The booking is {MissingMinutes} minutes below the CMO's smallest block: ask for more at a time.",
        CapacityRule.AbovePattern => $"The booking states {MissingMinutes} minutes more than the CMO's pattern on {Date:uuuu-MM-dd}: state less or choose another day.",
        CapacityRule.NoPattern => $"The CMO has no working time at all from {Date:uuuu-MM-dd}: choose other dates.",
        CapacityRule.CompetitorFence => $"A competitor of the client is booked with this CMO (cooling-off included) around {Date:uuuu-MM-dd}: choose another CMO or another time.",
        CapacityRule.MaxClients => $"The CMO would have more clients than their limit on {Date:uuuu-MM-dd}: choose another CMO or another time.",
        CapacityRule.CmoLeaves => $"The CMO has left on {Date:uuuu-MM-dd}: end the booking by then or choose another CMO.",
        _ when !StartSought => $"The CMO lacks {MissingMinutes} minutes in the week of {Date:uuuu-MM-dd}.",
        _ => $"The CMO lacks {MissingMinutes} minutes in the week of {Date:uuuu-MM-dd}" + (EarliestStart is { } start ? $"; the same booking fits from {start:uuuu-MM-dd}." : ", and no start in the 104 weeks after fits either."),
    };
}
