using System.Collections.Immutable;
using System.Text.Json.Serialization;
using AgencyPlatform.Domain.Billing;
using NodaTime;

namespace AgencyPlatform.Domain.Engagements;

// ---- commands ----

/// <param name="On">The day on which it was reached: of the engagement, and not after the seller's today.</param>
[GenerateSerializer, Immutable, Alias("engagement.mark-milestone")]
public sealed record MarkMilestone(PartId Milestone, LocalDate On);

/// <param name="Reason">Why it was not reached after all; no personal data.</param>
[GenerateSerializer, Immutable, Alias("engagement.reopen-milestone")]
public sealed record ReopenMilestone(PartId Milestone, string Reason);

// ---- events ----

/// <summary>A milestone was reached: its amount is due.</summary>
[Event("engagement.milestone-reached")]
public sealed record MilestoneReached(ReachedMilestone Milestone, string By, LegalEntityId LegalEntity, Posting Posting, LocalDate? Posted = null) : IPosting
{
    [JsonIgnore]
    public LocalDate PostingDate => Posted ?? Milestone.On;

    [JsonIgnore]
    public LocalDate? Effective => Posted is null ? null : Milestone.On;

    public IPosting PostedOn(LocalDate date) => this with { Posted = date };
}

/// <summary>A milestone was not reached after all: nothing is due for it, and what was invoiced of it is credited by the next bill.</summary>
[Event("engagement.milestone-reopened")]
public sealed record MilestoneReopened(PartId Milestone, string Reason, string By, LegalEntityId LegalEntity, LocalDate PostingDate, Posting Posting, LocalDate? Effective = null) : IPosting
{
    public IPosting PostedOn(LocalDate date) => this with { PostingDate = date, Effective = Effective ?? PostingDate };
}

/// <summary>Milestones: named amounts, each due when it is marked as reached. Source: domain §5.</summary>
public sealed partial record Engagement
{
    private static readonly ImmutableArray<EngagementState> s_running = [EngagementState.Active, EngagementState.Paused, EngagementState.Transitioning];

    /// <summary>The same milestone on the same day again changes nothing.</summary>
    /// <param name="actor">Who marks it.</param>
    public Decision MarkMilestone(MarkMilestone command, string actor, Instant now) => In("mark milestone", [.. s_running, EngagementState.Ended], () =>
    {
        if (Milestones?.FirstOrDefault(m => m.Id == command.Milestone) is { } reached)
        {
            return reached.On == command.On ? Decision.Nothing : Rejection.Rule(
                Reasons.MilestoneReached, $"The milestone {command.Milestone} was reached on {Text(reached.On)}: reopen it first when that is wrong.",
                ("milestone", command.Milestone.Value), ("date", Text(reached.On)));
        }

        if (!Service.Contains(command.On) || command.On > SellersToday(now))
        {
            return Rejection.Rule(
                Reasons.MilestoneDateOutOfRange, $"{Text(command.On)} is not a day of the engagement {Service} up to today, {Text(SellersToday(now))}.",
                ("date", Text(command.On)), ("start", Text(Plan.Start)), ("end", End is { } end ? Text(end) : "open"), ("today", Text(SellersToday(now))));
        }

        var terms = TermsOn(command.On);
        return (terms as MilestoneTerms)?.Milestones.FirstOrDefault(m => m.Id == command.Milestone) is not { } milestone
            ? Rejection.NotFound("milestone", command.Milestone.Value)
            : Decision.Accept(new MilestoneReached(
                new ReachedMilestone(milestone.Id, milestone.Name, milestone.Amount, command.On), actor, terms.Seller, Earned(milestone.Amount, command.On)));
    });

    /// <summary>Takes the mark back. One that is not reached stays so.</summary>
    /// <param name="actor">Who takes it back.</param>
    public Decision ReopenMilestone(ReopenMilestone command, string actor, Instant now) => In("reopen milestone", [.. s_running, EngagementState.Ended], () =>
        Milestones?.FirstOrDefault(m => m.Id == command.Milestone) is { } reached
            ? Decision.Accept(new MilestoneReopened(
                reached.Id, command.Reason, actor, TermsOn(reached.On).Seller, LocalDate.Max(SellersToday(now), reached.On), Earned(-reached.Amount, reached.On)))
            : Terms.OfType<MilestoneTerms>().Any(t => t.Milestones.Any(m => m.Id == command.Milestone)) ? Decision.Nothing
            : Rejection.NotFound("milestone", command.Milestone.Value));

    /// <summary>Why terms of another seller or currency cannot hold from their date on: what is charged in those of now stands.</summary>
    private Rejection? SoldOtherwise(Terms terms)
    {
        var stands = (Milestones ?? []).Select(m => m.On).Concat((Time.Blocks ?? []).Select(b => b.EffectiveAt))
            .Where(d => d >= terms.EffectiveFrom && (TermsOn(d).Seller, TermsOn(d).Currency) != (terms.Seller, terms.Currency)).Order().ToList();
        return stands.Count == 0 ? null : Rejection.Rule(
            Reasons.ChargesStand, $"A milestone reached or a block sold on {Text(stands[0])} is charged by the terms of now: their seller and currency cannot change from {Text(terms.EffectiveFrom)} on.",
            ("date", Text(terms.EffectiveFrom)), ("charged_date", Text(stands[0])));
    }

    /// <summary>Why an end from a date on would leave a milestone unbilled whose amount is earned; null when none was reached since.</summary>
    private Rejection? MilestoneReachedFrom(LocalDate date) =>
        Milestones?.Where(m => m.On >= date).MaxBy(m => m.On) is { } reached
            ? Rejection.Rule(
                Reasons.ChargesStand, $"The milestone {reached.Id} was reached on {Text(reached.On)}: choose a later end than that, or reopen it first.",
                ("date", Text(date)), ("charged_date", Text(reached.On)))
            : null;

    private Posting Earned(long amount, LocalDate on, PostingWorkings? workings = null)
    {
        if (!IsBilledOn(on))
        {
            return new Posting([]);
        }

        if (workings is not null)
        {
            workings.Steps.Currency = TermsOn(on).Currency;
            workings.Lines(2, workings.Posted(Workings.Money(FigureKind.Price, amount) with { Dates = new DateRange(on, on.PlusDays(1)) }));
        }

        return new Posting(Posting.Pair(LedgerAccount.UnbilledReceivable, LedgerAccount.Revenue, new Money(amount, TermsOn(on).Currency), Client, Id, null));
    }

    private LocalDate SellersToday(Instant now) => now.InZone(DateTimeZoneProviders.Tzdb[Time.TimeZone ?? "UTC"]).Date;
}
