using AgencyPlatform.Protocol.Capacity.V1;

namespace AgencyPlatform.LoadTest.Checking;

/// <summary>What a client said of its competitors at some time: whom it names and who names it.</summary>
internal sealed record NaiveFence(IReadOnlySet<string> Names, IReadOnlySet<string> NamedBy);

/// <summary>Would this CMO, as it stands now, refuse?</summary>
internal sealed partial class NaiveCmo
{
    /// <summary>Whether the rule that a refusal names stands in the way now.</summary>
    /// <param name="booking">Its id; empty for a question.</param>
    /// <param name="asked">The steps asked for; null: none.</param>
    /// <param name="policy">The agency's policy if the decision may have known a newer one than this CMO has noted.</param>
    public bool Refuses(string reason, string booking, string client, IReadOnlyList<Step>? asked, bool change, NaiveFence fence, (int Percent, int CoolingOff)? policy)
    {
        var standing = Bookings.GetValueOrDefault(booking);
        switch (reason)
        {
            case "NOT_FOUND":
                return !Exists || standing is null;
            case "HOLD_EXPIRED":
                return standing is null && _expired.Contains(booking);
            case "ALREADY_EXISTS":
                return standing is not null;
            case "ALREADY_CONFIRMED":
                return standing is { Confirmed: true };
            case "OWNED_BY_ENGAGEMENT":
                return standing is { Owner.Length: > 0 };
        }

        if (asked is null || (change && standing is null))
        {
            return false;
        }

        var (percent, cooling) = (Calendar.OverbookingPercent, Calendar.CoolingOffDays);
        try
        {
            if (policy is { } newer)
            {
                (Calendar.OverbookingPercent, Calendar.CoolingOffDays) = newer;
            }

            return Breaks(reason, booking, change ? standing!.Client : client, asked, change ? standing : null, fence);
        }
        finally
        {
            (Calendar.OverbookingPercent, Calendar.CoolingOffDays) = (percent, cooling);
        }
    }

    /// <summary>The rule that a question's answer names, as <see cref="Refuses"/>; empty: none may stand in the way.</summary>
    public bool Answers(CheckBookingResponse answer, string client, IReadOnlyList<Step> asked, NaiveFence fence, (int Percent, int CoolingOff)? policy) => answer.Fits
        ? !s_rules.Any(rule => (rule != "NO_PATTERN" || asked.All(s => s.Form != Form.PerPeriod)) && Refuses(rule, "", client, asked, change: false, fence, policy))
        : Refuses(answer.Refusal.Rule, "", client, asked, change: false, fence, policy);

    private static readonly string[] s_rules = ["BELOW_SMALLEST_BLOCK", "ABOVE_PATTERN", "NO_PATTERN", "COMPETITOR_FENCE", "MAX_CLIENTS", "CAPACITY_EXCEEDED"];

    private bool Breaks(string reason, string booking, string client, IReadOnlyList<Step> asked, NaiveBooking? before, NaiveFence fence)
    {
        // The rules that accepted bookings are judged by, asked of this one: what they would report is what stands in the way.
        var found = new CheckReport();
        var wanted = new NaiveBooking(
            booking.Length > 0 ? booking : "?", client, "", before?.Demand.ChangedTo(asked) ?? new NaiveDemand(asked), false, null, "", 0, 0, 0, fence.Names, fence.NamedBy);
        var judge = new NaiveCmo(id, found) { MaxClients = MaxClients, MinBlock = MinBlock, Calendar = Calendar };
        var others = Bookings.Values.Where(b => b.Id != wanted.Id).ToArray();
        var end = wanted.End ?? Horizon(others, wanted);
        var nowhere = new FeedEvent("", 0, "", "", 0, "", "", 0, 0, "", "", "");
        switch (reason)
        {
            case "BELOW_SMALLEST_BLOCK":
                judge.SmallestBlock(nowhere, wanted);
                break;
            case "MAX_CLIENTS":
                judge.MaximumClients(nowhere, wanted, others, end);
                break;
            case "COMPETITOR_FENCE":
                judge.Fence(nowhere, wanted, others);
                break;
            case "ABOVE_PATTERN" or "NO_PATTERN":
                return asked.Any(s => s.Form == Form.PerPeriod) && reason == "NO_PATTERN" || Against(judge, nowhere, wanted, end, found);
            case "CAPACITY_EXCEEDED":
                judge.Weeks(nowhere, wanted, before, others, end);
                break;
            default:
                return true;
        }

        return !found.Holds;
    }

    private static bool Against(NaiveCmo judge, FeedEvent nowhere, NaiveBooking wanted, DateOnly end, CheckReport found)
    {
        for (var monday = wanted.Start.Monday(); monday < end && found.Holds; monday = monday.AddDays(7))
        {
            judge.Stated(nowhere, wanted, monday);
        }

        return !found.Holds;
    }
}
