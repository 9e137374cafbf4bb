namespace AgencyPlatform.Domain;

public static partial class Reasons
{
    /// <summary>The month of the KPIs is closed: its values and targets stand. Metadata: month, closed_through. Record from the next month on.</summary>
    public const string KpiPeriodClosed = "KPI_PERIOD_CLOSED";

    /// <summary>A month is closed when it is over in the client's time zone. Metadata: month, today. Close it from its last day's end on.</summary>
    public const string KpiPeriodNotOver = "KPI_PERIOD_NOT_OVER";

    /// <summary>Another value was recorded for the month already. Metadata: kpi, month, channel, value. Say in <c>reason</c> why it is corrected.</summary>
    public const string KpiValueExists = "KPI_VALUE_EXISTS";

    /// <summary>The coaching session was held or cancelled already, or its programme has ended. Metadata: programme, session, state. Plan another session, or start another programme.</summary>
    public const string CoachingOver = "COACHING_OVER";

    /// <summary>The scorecard, or the coaching programme, has as many of them as it may. Metadata: what, maximum. Use those that are there.</summary>
    public const string ScorecardFull = "SCORECARD_FULL";

    /// <summary>The commitment was kept or dropped already. Metadata: commitment, state. Make a new one.</summary>
    public const string CommitmentClosed = "COMMITMENT_CLOSED";
}
