namespace AgencyPlatform.LoadTest.Scenarios;

/// <summary>What a load is: how much there is, how calls arrive, and what they are. Read from a file by <see cref="ScenarioFile"/>.</summary>
/// <param name="Clients">Client companies of each agency.</param>
/// <param name="Cmos">CMOs of each agency.</param>
/// <param name="Seconds">How long new calls are made.</param>
/// <param name="Mix">How often each operation is drawn, as weights.</param>
/// <param name="AgencySkew">How uneven the agencies are asked: one is drawn as ⌊agencies × u^skew⌋; 1 is even, 2 gives the first of 64 an eighth of the calls.</param>
/// <param name="CmoSkew">The same for the CMOs of an agency.</param>
/// <param name="BookingsPerCmo">Around this many standing bookings as many come as go.</param>
/// <param name="OverbookingPercent">What the agencies allow at first.</param>
/// <param name="StopOverbookingAtPercent">After this share of the time the first agency stops overbooking; 100: never.</param>
/// <param name="PatienceSeconds">For how long, from its first sending, a call whose outcome is unknown is sent again.</param>
/// <param name="Neighbour">One more agency, which is noisy in every other window; null: there is none.</param>
internal sealed record Scenario(
    string Name,
    string About,
    int Agencies,
    int Clients,
    int Cmos,
    int Seconds,
    int Seed,
    Arrivals Arrivals,
    IReadOnlyDictionary<Kind, int> Mix,
    double AgencySkew,
    double CmoSkew,
    Repeats Repeats,
    int BookingsPerCmo,
    int OverbookingPercent,
    int StopOverbookingAtPercent,
    int PatienceSeconds,
    NoisyNeighbour? Neighbour = null)
{
    /// <summary>The noisy neighbour, the last of all, included.</summary>
    public int AgenciesInAll => Agencies + (Neighbour is null ? 0 : 1);

    /// <summary>Whether time is logged: then engagements start in the past.</summary>
    public bool HasTime => Mix.GetValueOrDefault(Kind.Log) > 0;

    /// <summary>Whether engagements are led: then client companies have decision makers.</summary>
    public bool HasEngagements => HasTime || Mix.GetValueOrDefault(Kind.Engage) > 0;
}

/// <summary>An operation of the mix.</summary>
internal enum Kind
{
    /// <summary>Asks whether a booking would fit.</summary>
    Check,

    /// <summary>Holds; two of three for half an hour, the others for some seconds.</summary>
    Hold,

    /// <summary>Books at once.</summary>
    Book,

    /// <summary>Confirms a booking that somebody made.</summary>
    Confirm,

    /// <summary>Extends a hold.</summary>
    Extend,

    /// <summary>Resizes, moves, shortens, prolongs.</summary>
    Change,

    /// <summary>Releases.</summary>
    Release,

    /// <summary>Adds or cancels time off.</summary>
    TimeOff,

    /// <summary>The next move of an engagement: draft, proposal, signature, activation, end.</summary>
    Engage,

    /// <summary>Logs time on an active engagement.</summary>
    Log,

    /// <summary>Submits a timesheet.</summary>
    Submit,

    /// <summary>Approves a timesheet.</summary>
    Approve,

    /// <summary>Previews an invoice.</summary>
    Preview,

    /// <summary>Drafts an invoice.</summary>
    Invoice,

    /// <summary>Finalizes a drafted invoice.</summary>
    Finalize,

    /// <summary>Reads: a page of bookings or clients, availability, the feed's beginning, the trial balance.</summary>
    Read,
}

/// <summary>How calls arrive.</summary>
internal abstract record Arrivals;

/// <summary>Callers that send their next call when the last one is answered. A slow answer slows the callers: what they wait for is not seen as latency.</summary>
/// <param name="ThinkMilliseconds">The mean of an exponential pause between an answer and the next call.</param>
internal sealed record ClosedLoop(int Callers, int ThinkMilliseconds) : Arrivals;

/// <summary>Calls that come at their time whatever became of the others; latency counts from the time at which a call should have been sent.</summary>
/// <param name="Poisson">Exponential gaps; otherwise even ones.</param>
/// <param name="RampSeconds">How long the rate grows from nothing, linearly.</param>
/// <param name="MostInFlight">A call that comes while so many are under way waits, and its wait counts.</param>
internal sealed record OpenLoop(double CallsPerSecond, bool Poisson, int RampSeconds, int MostInFlight) : Arrivals;

/// <summary>
/// One more agency than the load has, which sends nothing in one window and too much in the next, and so on. What it costs the others is the ratio of
/// their p99 in noisy windows to that in quiet ones.
/// </summary>
/// <param name="Times">How often it sends what one of the others sends, on the mean: their fair load.</param>
/// <param name="WindowSeconds">How long each window is.</param>
internal sealed record NoisyNeighbour(double Times, int WindowSeconds);

/// <summary>In percent of the changing calls, what is sent more than once with its request id.</summary>
/// <param name="Concurrent">Twice at the same time.</param>
/// <param name="Late">Again up to ten seconds after its answer.</param>
/// <param name="OtherContent">Again with other content: must be refused.</param>
/// <param name="Cancelled">Cancelled within 12 ms of being sent, then sent again.</param>
internal sealed record Repeats(int Concurrent, int Late, int OtherContent, int Cancelled);
