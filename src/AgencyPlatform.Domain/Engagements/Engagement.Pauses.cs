using System.Collections.Immutable;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Domain.Capacity;
using NodaTime;

namespace AgencyPlatform.Domain.Engagements;

/// <summary>Pause and resume. Source: domain §3.</summary>
public sealed partial record Engagement
{
    /// <summary>
    /// No time is accepted from the date on, also when logged later, and the terms change to the share of the fee that is asked for, without included
    /// minutes. Capacity is freed from the date on, or kept until a date.
    /// </summary>
    public Decision Pause(PauseEngagement command, ImmutableArray<BookedSteps> asked, Guid request, Instant now) => In("pause", [EngagementState.Active], () =>
    {
        if (command.From < Plan.Start || command.From >= End)
        {
            return OutOfRange("pause", command.From, Plan.Start);
        }

        if (command.KeepUntil is { } until && (until <= command.From || until > End))
        {
            return Rejection.Invalid(new FieldViolation("keep_until_date", $"must be after the pause {Text(command.From)} and not after the engagement's end"));
        }

        if (Running.Pauses is [.., { } last] && command.From < last.Dates.End)
        {
            return Rejection.Rule(
                Reasons.PauseOverlaps, $"The engagement is paused over {last.Dates} already: choose a day from its end on.",
                ("start", Text(last.Dates.Start)), ("end", Text(last.Dates.End!.Value)));
        }

        if (Running.Pauses.Length >= EngagementRunning.MostPauses)
        {
            return Rejection.Invalid(new FieldViolation("start_date", $"must be at most {EngagementRunning.MostPauses} pauses over time"));
        }

        var booked = Booked(asked);
        return ApprovedTimeFrom(command.From) ?? StartMove(
            command.KeepUntil is null ? [.. CutAt(command.From, booked), .. CoversFrom(command.From).Select(c => CutAt(c, command.From))] : [],
            new EngagementPaused(request, command.From, command.KeepUntil, command.FeePercent, command.Reason, booked), now);
    });

    /// <summary>Capacity that was freed is taken again from the date on, all of it or none; the terms are the agreed ones again.</summary>
    public Decision Resume(ResumeEngagement command, Guid request, Instant now) => In("resume", [EngagementState.Paused], () =>
    {
        var pause = Running.OpenPause!;
        return command.On <= pause.Dates.Start || command.On >= End
            ? OutOfRange("resume", command.On, pause.Dates.Start.PlusDays(1))
            : StartMove(Restored(pause, command.On, request), new EngagementResumed(request, command.On), now);
    });

    /// <summary>The bookings with what a pause has freed, from a date on.</summary>
    private ImmutableArray<Rebooking> Restored(Pause pause, LocalDate on, Guid request) =>
        pause.FreedFrom is not { } freed
            ? []
            :
            [
                .. pause.Suspended.Select(s => (s.Cmo, Steps: s.Steps.From(LocalDate.Max(on, freed)))).Where(s => !s.Steps.IsEmpty)
                    .Select(s => Rebook(s.Cmo, [.. Bookings.GetValueOrDefault(s.Cmo)?.Steps ?? [], .. s.Steps], request)),
            ];

    /// <summary>When the capacity that a pause keeps is freed; null: never.</summary>
    private Instant? FreedAt =>
        State == EngagementState.Paused && Running.OpenPause is { FreedFrom: null, KeptUntil: { } until } ? StartOf(until) : null;

    /// <summary>The capacity that a pause kept is given up.</summary>
    private ImmutableArray<IEvent> FreeKept(Instant due)
    {
        var pause = Running.OpenPause!;
        var until = pause.KeptUntil!.Value;
        return StartMove([.. CutAt(until, pause.Suspended), .. CoversFrom(until).Select(c => CutAt(c, until))], new KeptCapacityFreed(RequestOf("free", until), until), due).Events;
    }

    /// <summary>When a date begins where the seller is.</summary>
    private Instant StartOf(LocalDate date) => DateTimeZoneProviders.Tzdb[Time.TimeZone ?? "UTC"].AtStartOfDay(date).ToInstant();

    private Engagement Paused(EngagementPaused e)
    {
        ImmutableArray<Terms> agreed = [TermsOn(e.From), .. Terms.Where(t => t.EffectiveFrom > e.From)];
        var pause = new Pause(new DateRange(e.From, null), e.KeepUntil, e.KeepUntil is null ? e.From : null, e.FeePercent, e.Reason, e.Suspended, agreed);
        return this with
        {
            State = EngagementState.Paused,
            Terms = [.. Terms.Where(t => t.EffectiveFrom < e.From), .. agreed.Select((t, i) => AtRest(t, e.FeePercent) with { EffectiveFrom = i == 0 ? e.From : t.EffectiveFrom })],
            Running = Running with { Pauses = Running.Pauses.Add(pause) },
        };
    }

    private Engagement Resumed(EngagementResumed e) => this with
    {
        State = EngagementState.Active,
        Terms = AgreedFrom(Running.OpenPause!, e.On),
        Running = Running.WithLastPause(p => p with { Dates = p.Dates with { End = e.On }, Suspended = [], Agreed = [] }),
    };

    /// <summary>The terms with the agreed ones from a date on, which a pause had put aside.</summary>
    private ImmutableArray<Terms> AgreedFrom(Pause pause, LocalDate date) =>
    [
        .. Terms.Where(t => t.EffectiveFrom < date),
        pause.Agreed.Last(t => t.EffectiveFrom <= date) with { EffectiveFrom = date },
        .. pause.Agreed.Where(t => t.EffectiveFrom > date),
    ];

    /// <summary>The terms while nobody works: a share of a retainer's fee, and no included minutes.</summary>
    private static Terms AtRest(Terms terms, int feePercent) => terms is RetainerTerms retainer
        ? retainer with { Fee = new Money(retainer.Fee, retainer.Currency).Times(feePercent, 100).Minor, IncludedMinutes = 0 }
        : terms;
}
