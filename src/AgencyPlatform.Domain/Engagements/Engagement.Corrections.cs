using System.Collections.Immutable;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Domain.Time;
using NodaTime;

namespace AgencyPlatform.Domain.Engagements;

/// <summary>Takes a drawn entry back: the reversal's step. Repeated, it changes nothing.</summary>
/// <param name="ReversedBy">The actor who reversed it.</param>
[GenerateSerializer, Immutable, Alias("engagement.reverse-time")]
public sealed record ReverseTime(TimeEntryKey Entry, string Reason, string ReversedBy);

/// <summary>Marks a drawn entry as disputed, or clears that: the steps of a dispute. Repeated, they change nothing.</summary>
/// <param name="Dispute">The dispute's id.</param>
[GenerateSerializer, Immutable, Alias("engagement.dispute-time")]
public sealed record DisputeTime(TimeEntryKey Entry, Guid Dispute);

/// <summary>A drawn entry was taken back: its minutes are its grants' again, also a closed period's, and what was parked or overage of it is no more.</summary>
/// <param name="Entry">The entry that this corrects.</param>
/// <param name="Parts">What is given back.</param>
[Event("engagement.time-reversed"), GenerateSerializer, Immutable, Alias("engagement.time-reversed")]
public sealed record TimeReversed(TimeEntryKey Entry, CmoId Cmo, LocalDate Date, TimeParts Parts, string Reason, string ReversedBy) : IEngagementTimeEvent;

/// <summary>A drawn entry is disputed: it stays drawn, and goes on no new invoice.</summary>
[Event("engagement.time-disputed"), GenerateSerializer, Immutable, Alias("engagement.time-disputed")]
public sealed record TimeDisputed(TimeEntryKey Entry, Guid Dispute) : IEngagementTimeEvent;

/// <summary>The dispute is over and the entry stands.</summary>
[Event("engagement.time-dispute-ended"), GenerateSerializer, Immutable, Alias("engagement.time-dispute-ended")]
public sealed record TimeDisputeEnded(TimeEntryKey Entry, Guid Dispute) : IEngagementTimeEvent;

/// <summary>What an engagement does when an approved entry is reversed or disputed. Source: domain §4.</summary>
public sealed partial record Engagement
{
    /// <summary>
    /// Gives the minutes of a drawn entry back to the grants that they came from, and posts the reverse of what it posted, on the seller's today. The carry of
    /// a closed period is not computed again: what comes back is there for entries dated in it.
    /// </summary>
    public Decision Reverse(ReverseTime command, Instant now)
    {
        if (Time.Reversed.ContainsKey(command.Entry))
        {
            return Decision.Nothing;
        }

        if (!Exists || !Time.Approved.TryGetValue(command.Entry, out var approved))
        {
            return Rejection.NotFound("time_entry", command.Entry.Value);
        }

        var reversed = new TimeReversed(command.Entry, approved.Cmo, approved.Date, approved.Parts, command.Reason, command.ReversedBy);
        var (accrued, terms) = (new Accrued(this, approved.Cmo), TermsOn(approved.Date));
        foreach (var key in approved.Accruals.Where(a => !a.Key.IsDays).GroupBy(a => a.Key))
        {
            accrued.Add(key.Key, -key.Sum(a => a.Minutes), terms.Currency);
        }

        if (terms is DayRateTerms days)
        {
            AddDays(accrued, approved.Cmo, approved.Date, -approved.Parts.Charged, days);
        }

        var today = now.InZone(DateTimeZoneProviders.Tzdb[Time.TimeZone ?? "UTC"]).Date;
        var date = LocalDate.Max(today, approved.Date);
        ImmutableArray<IEvent> events = accrued.Posted(command.Entry, approved.Seller ?? terms.Seller, date) is { } posted ? [reversed, posted] : [reversed];
        return Decision.Accept(events).Then([.. EarnedBy([reversed], date)]);
    }

    /// <summary>Keeps a drawn entry off every new invoice, until the dispute ends. What stands invoiced of it stays.</summary>
    public Decision Dispute(DisputeTime command) =>
        !Exists || !Time.Approved.TryGetValue(command.Entry, out var approved)
            ? Time.Reversed.ContainsKey(command.Entry) ? Decision.Nothing : Rejection.NotFound("time_entry", command.Entry.Value)
        : approved.Disputes.Contains(command.Dispute) ? Decision.Nothing
        : Decision.Accept(new TimeDisputed(command.Entry, command.Dispute));

    /// <summary>The disputed entry stands.</summary>
    public Decision EndDispute(DisputeTime command) =>
        Time.Approved.TryGetValue(command.Entry, out var approved) && approved.Dispute == command.Dispute
            ? Decision.Accept(new TimeDisputeEnded(command.Entry, command.Dispute))
            : Decision.Nothing;
}
