using System.Collections.Immutable;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Domain.Capacity;
using AgencyPlatform.Domain.Clients;
using NodaTime;

namespace AgencyPlatform.Domain.Engagements;

/// <summary>The term: until when an engagement is agreed, how it goes on, when notice is due, and what falls due. Source: domain §3.</summary>
public sealed partial record Engagement
{
    /// <summary>Months that an engagement of a fractional CMO lasts, as a yardstick.</summary>
    public const int TenureYardstickMonths = 40;

    /// <summary>The day after the last of the term that is agreed; null without terms.</summary>
    public LocalDate? TermEnd() => Plan.Term?.EndOf(Plan.Start, Term.Renewals);

    /// <summary>The first day of the latest term that is agreed.</summary>
    public LocalDate TermStart() => Term.Renewals == 0 ? Plan.Start : Plan.Term!.EndOf(Plan.Start, Term.Renewals - 1);

    /// <summary>The last day on which notice ends the engagement with the term that is agreed; null where none is due.</summary>
    public LocalDate? LastNoticeOn() => Plan.Term is { Renewal: Renewal.Automatic } && RunsOn ? TermEnd()!.Value.PlusDays(-Plan.Term.NoticeDays) : null;

    /// <summary>The first end that notice given on a day reaches: the end of a term, the notice before it; null without terms.</summary>
    public LocalDate? EarliestEnd(LocalDate noticeOn)
    {
        if (Plan.Term is not { } rules)
        {
            return null;
        }

        var renewals = Term.Renewals;
        while (rules.Renewal == Renewal.Automatic && rules.EndOf(Plan.Start, renewals).PlusDays(-rules.NoticeDays) < noticeOn)
        {
            renewals++;
        }

        return rules.EndOf(Plan.Start, renewals);
    }

    /// <summary>Whole months served up to a day, at most to the end; null before the activation.</summary>
    public int? TenureMonths(LocalDate today)
    {
        if (State is not (EngagementState.Active or EngagementState.Paused or EngagementState.Transitioning or EngagementState.Ended))
        {
            return null;
        }

        var until = End is { } end && end < today ? end : today;
        return until <= Plan.Start ? 0 : Period.Between(Plan.Start, until, PeriodUnits.Months).Months;
    }

    /// <summary>The engagement's day: by the calendar of the legal entity that sells.</summary>
    public LocalDate DayOf(Instant at) => at.InZone(Zone).Date;

    /// <summary>
    /// A decision maker signs the next term. It is agreed with the last signature needed, by the client's rule for the terms that hold then; one term ahead at most.
    /// </summary>
    public Decision SignRenewal(SignRenewal command, DecisionMakers client, Instant now) => In("sign renewal", [EngagementState.Active, EngagementState.Paused], () =>
    {
        var next = Term.Renewals + 1;
        if (Plan.Term is not { Renewal: Renewal.BySignature } rules || End is not null || (Term.Renewals > 0 && DayOf(now) < TermStart()) || (command.Number != 0 && command.Number != next))
        {
            return Rejection.Rule(
                Reasons.RenewalNotOpen,
                Plan.Term is { Renewal: Renewal.BySignature }
                    ? $"Renewal {(command.Number == 0 ? next : command.Number)} is not open: {Term.Renewals} are agreed, the latest from {TermStart():uuuu-MM-dd} on, and one term is signed ahead at most."
                    : "The engagement is not renewed by signature.",
                ("renewal", Text(command.Number == 0 ? next : command.Number)), ("renewals", Text(Term.Renewals)), ("term_start", Text(TermStart())));
        }

        if (Term.Signatures.Any(s => s.Person == command.Person))
        {
            return Decision.Nothing;
        }

        var (from, until) = (TermEnd()!.Value, rules.EndOf(Plan.Start, next));
        var ahead = TermsFrom(from);
        var need = Term.Need ?? SignOff.Needed(client.Policy, SignOffSubject.Proposal, ahead[0].Currency, SignOff.Amount(ahead), Plan.SignaturesNeeded);
        if ((SignOff.Refuse(need, client, Client, command.Person, command.By, now) ?? SignOff.Unreachable(need, client)) is { } refused)
        {
            return refused;
        }

        var signed = new RenewalSigned(command.Person, command.By == command.Person ? null : command.By, next, now, client.Version, need);
        return need.IsSatisfiedBy(Term.Signatures.Select(s => s.Person).Append(command.Person))
            ? Decision.Accept(signed, new TermRenewed(next, from, until, Renewal.BySignature))
            : Decision.Accept(signed);
    });

    /// <summary>Why the engagement may not end on the date yet; null when it may, or the notice is waived.</summary>
    private Rejection? RefuseNotice(EndEngagement command, Instant now)
    {
        var today = DayOf(now);
        if (command.NoticeWaived is not null || State == EngagementState.Transitioning || Plan.Term is not { } rules || EarliestEnd(today) is not { } earliest || command.End == earliest)
        {
            return null;
        }

        for (var renewals = Term.Renewals; rules.Renewal == Renewal.Automatic && rules.EndOf(Plan.Start, renewals) is var end && end <= command.End; renewals++)
        {
            if (end == command.End && end > earliest)
            {
                return null;
            }
        }

        return Rejection.Rule(
            Reasons.NoticeTooShort,
            $"The engagement ends with a term, {rules.NoticeDays} days after the notice at the earliest: on {earliest:uuuu-MM-dd}, not on {command.End:uuuu-MM-dd}. End it then, or say why the notice is waived.",
            ("end", Text(command.End)), ("earliest_end", Text(earliest)), ("notice_days", Text(rules.NoticeDays)), ("today", Text(today)));
    }

    // ---- what time alone does ----

    /// <summary>The terms that hold on a date or later.</summary>
    private ImmutableArray<Terms> TermsFrom(LocalDate date) => [TermsOn(date), .. Terms.Where(t => t.EffectiveFrom > date)];

    /// <summary>Whether its terms go on: it runs, and no end is set.</summary>
    private bool RunsOn => State is EngagementState.Active or EngagementState.Paused && End is null;

    private DateTimeZone Zone => DateTimeZoneProviders.Tzdb[Time.TimeZone ?? "UTC"];

    /// <summary>The start of the day after the last one: of the engagement, or of its term where no end is set. What tapers off has no term any more.</summary>
    private Instant? NextOfTerm => State is EngagementState.Active or EngagementState.Paused or EngagementState.Transitioning
        && (End ?? (State == EngagementState.Transitioning ? null : TermEnd())) is { } end
        ? Zone.AtStartOfDay(end).ToInstant()
        : null;

    private ImmutableArray<IEvent> MoveTerm(Instant due)
    {
        var (end, next) = (End ?? TermEnd()!.Value, Term.Renewals + 1);
        return End is null && Plan.Term!.Renewal == Renewal.Automatic
            ? [new TermRenewed(next, end, Plan.Term.EndOf(Plan.Start, next), Renewal.Automatic)]
            : [.. end == TermEnd() ? [new TermEnded(end)] : ReadOnlySpan<IEvent>.Empty, .. StartEnd(new EndStarted(EndingOf(end), end, due))];
    }

    /// <summary>As it is from the agreement on a day to come: what was booked, or put aside by a pause, from that day on is given up.</summary>
    private Engagement EndingOn(LocalDate end) => this with
    {
        End = end,
        Bookings = Bookings.Where(b => b.Value.Steps is not { } steps || !steps.Until(end).IsEmpty)
            .ToImmutableSortedDictionary(b => b.Key, b => b.Value with { Phase = MemberPhase.Booked, Steps = b.Value.Steps?.Until(end) }),
        Running = Running.OpenPause is null ? Running : Running.WithLastPause(p => p with { Suspended = [.. p.Suspended.Select(s => s with { Steps = s.Steps.Until(end) })] }),
    };

    /// <summary>The id under which time ends the engagement: always the same, whoever settles it.</summary>
    private Guid EndingOf(LocalDate end) => IdSyntax.GuidOf($"{Id}/{Text(end)}");

    /// <summary>What falls due, by date.</summary>
    private ImmutableArray<DueDate> Due()
    {
        var due = ImmutableSortedSet.CreateBuilder<DueDate>(Comparer<DueDate>.Create((a, b) => (a.Date, a.Kind).CompareTo((b.Date, b.Kind))));
        if (State is EngagementState.Proposed or EngagementState.Accepted)
        {
            var zone = DateTimeZoneProviders.Tzdb[Proposal.TimeZone];
            due.UnionWith(OpenRequests().Select(r => new DueDate(r.Value.ExpiresAt!.Value.InZone(zone).Date, DueKind.AgreementExpires)));
            if (ExpiresAt is { } expires)
            {
                due.Add(new DueDate(expires.InZone(zone).Date, DueKind.ProposalExpires));
            }
        }
        else if (RunsOn && TermEnd() is { } termEnd)
        {
            due.Add(new DueDate(termEnd, Plan.Term!.Renewal == Renewal.Automatic ? DueKind.Renewal : DueKind.RenewalToSign));
            if (LastNoticeOn() is { } notice)
            {
                due.Add(new DueDate(notice, DueKind.LastNotice));
            }
        }
        else if (State is EngagementState.Active or EngagementState.Paused or EngagementState.Transitioning or EngagementState.Ended && End is { } end)
        {
            due.Add(new DueDate(end, DueKind.End));
        }
        else if (State == EngagementState.Transitioning && Running.Transition is { } taper)
        {
            due.Add(new DueDate(taper.Steps[^1].From, DueKind.TaperEnds));
        }

        if (State is not EngagementState.Ended && Running.Scope is { IsOpen: true, ExpiresAt: { } lapses })
        {
            due.Add(new DueDate(lapses.InZone(DateTimeZoneProviders.Tzdb[Proposal.TimeZone]).Date, DueKind.ScopeChangeExpires));
        }

        return [.. due];
    }

    private IEnumerable<RowChange> DueRows()
    {
        var due = Due();
        return
        [
            .. DueBefore.Except(due).Select(RowChange (d) => new Drop(new EngagementDueRow(d.Date, d.Kind, Id, Client))),
            .. due.Except(DueBefore).Select(RowChange (d) => new Put(new EngagementDueRow(d.Date, d.Kind, Id, Client))),
        ];
    }
}
