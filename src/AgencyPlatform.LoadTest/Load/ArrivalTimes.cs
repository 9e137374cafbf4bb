using AgencyPlatform.LoadTest.Scenarios;

namespace AgencyPlatform.LoadTest.Load;

/// <summary>
/// When the calls of an open loop are to be sent, from the load's beginning. The time does not depend on what becomes of any call: that is what
/// keeps a stall of the service from hiding behind calls that were never made (coordinated omission).
/// </summary>
internal static class ArrivalTimes
{
    /// <summary>The times up to the load's end, in order; the same for the same seed.</summary>
    public static IEnumerable<TimeSpan> Of(OpenLoop loop, TimeSpan length, int seed)
    {
        var random = new Random(seed);
        // Calls due by t: rate × t²/2r within a ramp of r seconds, rate × (t − r/2) behind it. The n-th call comes when that is n.
        var (rate, ramp) = (loop.CallsPerSecond, (double)loop.RampSeconds);
        for (var due = Gap(); ; due += Gap())
        {
            var inRamp = rate * ramp / 2;
            var seconds = due < inRamp ? Math.Sqrt(2 * due * ramp / rate) : due / rate + ramp / 2;
            if (seconds >= length.TotalSeconds)
            {
                yield break;
            }

            yield return TimeSpan.FromSeconds(seconds);
        }

        double Gap() => loop.Poisson ? -Math.Log(1 - random.NextDouble()) : 1;
    }
}
