using System.Collections.Immutable;
using AgencyPlatform.Domain.Engagements;
using NodaTime;
using static AgencyPlatform.Domain.Engagements.EngagementState;

namespace AgencyPlatform.Life.Tests.Model;

/// <summary>Pause, resume, change of scope, cover and taper.</summary>
internal sealed partial class ModelEngagement
{
    /// <summary>A booking as the engagement knows it.</summary>
    public sealed record Standing(string Booking, ImmutableArray<Step> Steps);

    public SortedDictionary<string, Standing> Booked { get; } = new(StringComparer.Ordinal);
    public List<ModelPause> Pauses { get; } = [];
    public ModelScope? Scope { get; private set; }
    public LocalDate? ScopeFrom { get; private set; }
    public List<(string Cmo, LocalDate From, LocalDate Until)> Former { get; } = [];
    public Dictionary<string, LocalDate> Joined { get; } = [];
    public SortedDictionary<string, ModelCover> Covers { get; } = new(StringComparer.Ordinal);
    public (LocalDate From, int Percent)[]? Taper { get; private set; }

    /// <summary>By item: its title, and whether it is done.</summary>
    public SortedDictionary<string, (string Title, bool Done)> Checklist { get; } = new(StringComparer.Ordinal);

    public ModelPause? OpenPause => Pauses.Count > 0 && Pauses[^1].End is null ? Pauses[^1] : null;

    public Verdict Pause(LocalDate from, LocalDate? keepUntil, int feePercent, Guid request) => In([Active], () =>
        from < Plan.Start || from >= End ? Verdict.No("MOVE_DATE_OUT_OF_RANGE")
        : keepUntil <= from || keepUntil > End ? Verdict.No("INVALID_ARGUMENT")
        : Pauses.Count > 0 && from < Pauses[^1].End ? Verdict.No("PAUSE_OVERLAPS")
        : ApprovedFrom(from) ? Verdict.No("APPROVED_TIME_STANDS")
        : Move(
            request, "pause", keepUntil is null ? CutAll(from) : [], "engagement.paused",
            WithSuspended(suspended =>
            {
                State = Paused;
                Pauses.Add(new ModelPause(from, keepUntil, feePercent, suspended));
            }),
            (cmo, date) => date >= from || Refuses(cmo, date) is not null));

    public Verdict Resume(LocalDate on, Guid request) => In([Paused], () =>
    {
        var pause = OpenPause!;
        return on <= pause.Start || on >= End ? Verdict.No("MOVE_DATE_OUT_OF_RANGE")
            : Move(
                request, "resume",
                pause.FreedFrom is not { } freed ? []
                    : [
                        .. pause.Suspended.Select(s => (Cmo: s.Key, Steps: s.Value.After(LocalDate.Max(on, freed)))).Where(s => !s.Steps.IsEmpty)
                            .Select(s => Rebook(s.Cmo, [.. StepsOf(s.Cmo), .. s.Steps])),
                    ],
                "engagement.resumed",
                () =>
                {
                    State = Active;
                    pause.End = on;
                },
                (cmo, date) => Refuses(cmo, date, day => Pauses.Any(p => p.Covers(day) && (p != pause || day < on))) is not null);
    });

    public Verdict ProposeScope(ModelProposal proposal, Instant? expires) => In([Active], () =>
    {
        if (RefusesScope(proposal) is { } refused)
        {
            return refused;
        }

        // What a month will cost from the date on.
        var need = Client.NeedFor(
            proposal.Terms is { } terms ? terms.Monthly(Plan.CycleMonths) : HighestMonthlyFrom(proposal.From), Plan.Signatures, scope: true);
        return expires <= agency.Clock ? Verdict.No("INVALID_ARGUMENT")
            : !Client.CanMeet(need) ? Verdict.No("SIGN_OFF_UNREACHABLE")
            : Verdict.Yes(
                () => Scope = new ModelScope((Scope?.Number ?? 0) + 1, proposal, expires, need, [
                    .. proposal.Members.Where(m => !m.Waived && (Members.Find(k => k.Cmo == m.Cmo) is not { } known || (!known.Waived && IsMore(m.Steps, StepsOf(m.Cmo).After(proposal.From)))))
                        .Select(m => m.Cmo),
                ]),
                "engagement.scope-proposed");
    });

    public Verdict SignScope(string person, int number, string? by) =>
        Scope is { IsOpen: true } open && (number == 0 || number == open.Number) && open.Signed.Contains(person) ? Verdict.Nothing
        : OfScope(number, [ScopeState.Proposed], scope => Unsigned(scope.Need, person, by) ?? (scope.Need.IsMetBy(scope.Signed.Append(person))
            ? Verdict.Yes(
                () =>
                {
                    scope.Signed.Add(person);
                    scope.State = ScopeState.Accepted;
                },
                "engagement.scope-signed", "engagement.scope-accepted")
            : Verdict.Yes(() => scope.Signed.Add(person), "engagement.scope-signed")));

    public Verdict AgreeToScope(string cmo, int number) => OfScope(number, [ScopeState.Proposed, ScopeState.Accepted], scope =>
        !scope.MustAgree.Contains(cmo) ? Verdict.No("NOT_FOUND") : scope.Agreed.Contains(cmo) ? Verdict.Nothing : Verdict.Yes(() => scope.Agreed.Add(cmo), "engagement.scope-agreed"));

    public Verdict CloseScope(int number, bool byClient) => OfScope(number, byClient ? [ScopeState.Proposed] : [ScopeState.Proposed, ScopeState.Accepted], scope =>
        Verdict.Yes(() => scope.State = byClient ? ScopeState.Declined : ScopeState.Withdrawn, "engagement.scope-closed"));

    public Verdict ApplyScope(int number, Guid request) => In([Active], () => OfScope(number, [ScopeState.Accepted], scope =>
    {
        var p = scope.Proposal;
        return RefusesScope(p) ?? (scope.MustAgree.Any(c => !scope.Agreed.Contains(c) && !agency.Cmo(c).Waives) ? Verdict.No("AGREEMENT_MISSING")
            : Move(
                request, "apply scope change",
                p.Members.IsEmpty ? []
                    : [
                        .. Booked.Where(b => IsMember(b.Key) && p.Members.All(m => m.Cmo != b.Key) && !b.Value.Steps.After(p.From).IsEmpty).Select(b => Cut(b.Key, p.From)),
                        .. p.Members.Where(m => !m.Steps.IsEmpty).Select(m => Rebook(m.Cmo, [.. StepsOf(m.Cmo).Before(p.From), .. m.Steps])),
                    ],
                "engagement.scope-changed", () => Changed(scope),
                (cmo, date) => Refuses(cmo, date, involved: c => IsAfter(p, c) || IsMember(c) || Former.Any(f => f.Cmo == c) || CoversNow(c), works: (c, day) => WorksAfter(p, c, day)) is not null));
    }));

    private bool IsAfter(ModelProposal p, string cmo) => p.Members.IsEmpty ? IsMember(cmo) : p.Members.Any(m => m.Cmo == cmo);

    private bool WorksAfter(ModelProposal p, string cmo, LocalDate date) => IsAfter(p, cmo)
        ? date >= (IsMember(cmo) ? Joined.GetValueOrDefault(cmo, Plan.Start) : p.From) || WorkedBefore(cmo, date) || WorksAsCover(cmo, date)
        : (IsMember(cmo) && date >= Joined.GetValueOrDefault(cmo, Plan.Start) && date < p.From) || WorkedBefore(cmo, date) || WorksAsCover(cmo, date);

    public Verdict RequestCover(string id, string away, string covering, ImmutableSortedDictionary<LocalDate, int> minutes, bool waived) => In([Active, Paused, Transitioning], () =>
        Covers.TryGetValue(id, out var known)
            ? known.Away == away && known.Covering == covering && known.Minutes.SequenceEqual(minutes) ? Verdict.Nothing : Verdict.No("ALREADY_EXISTS")
        : covering == away ? Verdict.No("INVALID_ARGUMENT")
        : minutes.Keys.Select(date => RefusesTime(away, date)).FirstOrDefault(r => r is not null) is { } why ? Verdict.No(why)
        : Verdict.Yes(() => Covers[id] = new ModelCover(id, away, covering, minutes, waived), "engagement.cover-requested"));

    public Verdict ConsentToCover(string id, string person, string? by) => OfCover(id, CoverState.Requested, cover =>
        cover.ConsentOf is not null ? Verdict.Nothing
        : Unsigned(new ModelNeed(1, [], []), person, by) ?? Verdict.Yes(() => cover.ConsentOf = person, "engagement.cover-consented"));

    public Verdict AgreeToCover(string id, string cmo) => OfCover(id, CoverState.Requested, cover =>
        cover.Covering != cmo ? Verdict.No("NOT_FOUND") : cover.Agreed ? Verdict.Nothing : Verdict.Yes(() => cover.Agreed = true, "engagement.cover-agreed"));

    public Verdict DeclineCover(string id) => OfCover(id, CoverState.Requested, cover => Verdict.Yes(() => cover.State = CoverState.Declined, "engagement.cover-declined"));

    public Verdict BookCover(string id, Guid request) => In([Active, Paused, Transitioning], () => OfCover(id, CoverState.Requested, cover =>
        cover.ConsentOf is null ? Verdict.No("CONSENT_MISSING")
        : !cover.Agreed && !cover.Waived && !agency.Cmo(cover.Covering).Waives ? Verdict.No("AGREEMENT_MISSING")
        : cover.Minutes.Keys.Select(date => RefusesTime(cover.Away, date)).FirstOrDefault(r => r is not null) is { } why ? Verdict.No(why)
        : Move(
            request, "book cover", [new ModelPart(PartForm.Place, cover.Covering, CoverBookingOf(id), [Step.Named(cover.Minutes)]) { Cover = id }], "engagement.cover-booked",
            () => { },
            (cmo, date) => Refuses(cmo, date, works: (c, day) => WorksOn(c, day) || (c == cover.Covering && cover.Minutes.ContainsKey(day))) is not null)));

    public Verdict CancelCover(string id, LocalDate from, Guid request) => In([Active, Paused, Transitioning], () => OfCover(id, CoverState.Booked, cover =>
        cover.Minutes.Keys.Last() < from ? Verdict.No("INVALID_ARGUMENT")
        : ApprovedFrom(from, cover.Covering) ? Verdict.No("APPROVED_TIME_STANDS")
        : Move(request, "cancel cover", [Cut(cover, from)], "engagement.cover-cancelled", () => { },
            (cmo, date) => Refuses(
                cmo, date,
                involved: c => IsMember(c) || Former.Any(f => f.Cmo == c) || IsAskedForScope(c) || Covers.Values.Any(o => o.Covering == c && (o != cover || cover.Minutes.Keys.First() < from) && o.State is CoverState.Requested or CoverState.Booked && o.Covering == c),
                works: (c, day) => WorksAsMember(c, day) || Covers.Values.Any(o => o.Covering == c && o.Booked && o.Minutes.ContainsKey(day) && (o != cover || day < from))) is not null)));

    public Verdict StartTransition((LocalDate From, int Percent)[] taper, string[] items, Guid request) => In([Active, Paused], () =>
    {
        if (taper.Length == 0 || taper.Zip(taper.Skip(1)).Any(t => t.Second.From <= t.First.From || t.Second.Percent > t.First.Percent))
        {
            return Verdict.No("INVALID_ARGUMENT");
        }

        var first = new[] { Plan.Start, ScopeFrom ?? Plan.Start, OpenPause?.Start.PlusDays(1) ?? (Pauses.Count > 0 ? Pauses[^1].End!.Value : Plan.Start) }.Max();
        if (taper.Any(t => t.From < first || t.From >= End))
        {
            return Verdict.No("MOVE_DATE_OUT_OF_RANGE");
        }

        var from = taper[0].From;
        var parts = new List<ModelPart>();
        foreach (var (cmo, agreed) in (OpenPause?.Suspended ?? Booked.ToDictionary(b => b.Key, b => b.Value.Steps)).Where(a => IsMember(a.Key)))
        {
            ImmutableArray<Step> tapered =
            [
                .. taper.SelectMany((t, i) => (i + 1 < taper.Length ? agreed.After(t.From).Before(taper[i + 1].From) : agreed.After(t.From)).Share(t.Percent)),
            ];
            if (!tapered.IsEmpty)
            {
                parts.Add(Rebook(cmo, [.. StepsOf(cmo).Before(from), .. tapered]));
            }
            else if (!StepsOf(cmo).After(from).IsEmpty)
            {
                parts.Add(Cut(cmo, from));
            }
        }

        return Move(
            request, "start transition", parts, "engagement.transition-started",
            () =>
            {
                State = Transitioning;
                if (OpenPause is { } pause)
                {
                    pause.End = from;
                }

                Taper = taper;
                foreach (var item in items)
                {
                    Checklist[item] = (item, false);
                }
            },
            (cmo, date) => Refuses(cmo, date, day => Pauses.Any(p => p.Covers(day) && (p != OpenPause || day < from))) is not null);
    });

    public Verdict PutHandoverItem(string item, string? title, bool done) => In([Transitioning], () =>
        !Checklist.TryGetValue(item, out var known) && title is null ? Verdict.No("NOT_FOUND")
        : Checklist.ContainsKey(item) && (title ?? known.Title, done) == known ? Verdict.Nothing
        : Verdict.Yes(() => Checklist[item] = (title ?? known.Title, done), "engagement.handover-item-put"));

    // ---- time on its dates ----

    /// <summary>Why time of a CMO on a date is not the engagement's; null when it is. What a move under way would refuse waits for its end.</summary>
    public string? RefusesTime(string cmo, LocalDate date) =>
        Saga is { Refusal: null, RefusesTime: { } would } && would(cmo, date) ? "MOVE_UNDER_WAY" : Refuses(cmo, date);

    private string? Refuses(string cmo, LocalDate date, Func<LocalDate, bool>? paused = null, Func<string, bool>? involved = null, Func<string, LocalDate, bool>? works = null)
    {
        if (!(involved ?? IsInvolved)(cmo))
        {
            return "NOT_A_MEMBER";
        }

        var serves = date >= Plan.Start && !(date >= End);
        if (serves && !(works ?? WorksOn)(cmo, date))
        {
            return "NOT_A_MEMBER_ON_DATE";
        }

        return (paused ?? (day => Pauses.Any(p => p.Covers(day))))(date) ? "TIME_ON_PAUSED_DAY"
            : serves && State is Active or Paused or Transitioning or Ended ? null
            : "TIME_OUTSIDE_ENGAGEMENT";
    }

    private bool IsInvolved(string cmo) =>
        IsMember(cmo) || Former.Any(f => f.Cmo == cmo) || IsAskedForScope(cmo) || CoversNow(cmo);

    private bool IsAskedForScope(string cmo) => Scope is { IsOpen: true } open && open.MustAgree.Contains(cmo);

    private bool CoversNow(string cmo) => Covers.Values.Any(c => c.Covering == cmo && c.State is CoverState.Requested or CoverState.Booked && c.Covering == cmo);

    private bool WorksOn(string cmo, LocalDate date) => WorksAsMember(cmo, date) || WorksAsCover(cmo, date);

    private bool WorksAsMember(string cmo, LocalDate date) => (IsMember(cmo) && date >= Joined.GetValueOrDefault(cmo, Plan.Start)) || WorkedBefore(cmo, date);

    private bool WorkedBefore(string cmo, LocalDate date) => Former.Any(f => f.Cmo == cmo && f.From <= date && date < f.Until);

    private bool WorksAsCover(string cmo, LocalDate date) => Covers.Values.Any(c => c.Covering == cmo && c.Booked && c.Minutes.ContainsKey(date));

    // ---- what time alone does ----

    private IEnumerable<(Instant At, Verdict Does)> DueOfRunning()
    {
        if (State == Paused && OpenPause is { FreedFrom: null, KeptUntil: { } until } pause)
        {
            yield return (agency.StartOf(Zone, until), Move(
                Guid.Empty, "free",
                [
                    .. pause.Suspended.Where(s => !s.Value.After(until).IsEmpty).Select(s => Cut(s.Key, until)),
                    .. CoversFrom(until).Select(c => Cut(c, until)),
                ],
                "engagement.kept-capacity-freed", () => pause.FreedFrom = until,
                (cmo, date) => Refuses(
                    cmo, date,
                    works: (c, day) => WorksAsMember(c, day) || Covers.Values.Any(o => o.Covering == c && o.Booked && o.Minutes.ContainsKey(day) && day < until)) is not null));
        }

        if (Scope is { IsOpen: true, ExpiresAt: { } expires } scope)
        {
            yield return (expires, Verdict.Yes(() => scope.State = ScopeState.Expired, "engagement.scope-closed"));
        }
    }

    // ---- sagas ----

    /// <summary>A move of the running engagement; one that changes no booking is done at once.</summary>
    private Verdict Move(Guid request, string move, List<ModelPart> parts, string end, Action finish, Func<string, LocalDate, bool> refusesTime) =>
        Start(request, move, parts, ["engagement.move-started"], [end], finish, "engagement.move-refused", refusesTime);

    private Verdict Start(
        Guid request, string move, List<ModelPart> parts, string[] started, string[] end, Action finish, string? refusedAs, Func<string, LocalDate, bool>? refusesTime = null)
    {
        var verdict = Verdict.Yes(() => { }, started);
        return verdict with
        {
            Apply = () =>
            {
                Saga = new ModelSaga(request, move, parts, end, finish, refusedAs) { StartedAt = agency.Clock, RefusesTime = refusesTime };
                if (parts.Count == 0)
                {
                    verdict.Later.AddRange(Finish());
                }
            },
        };
    }

    /// <summary>The engagement records that a booking is as the move wants it, or is given back; with the last the move ends.</summary>
    public Verdict Recorded(ModelPart part, PartPhase phase, string @event)
    {
        part.Phase = phase;
        if (phase == PartPhase.Done)
        {
            Rebooked(part);
        }

        return Advanced(@event);
    }

    /// <summary>The engagement records that a CMO refused: nothing more is held, and what was is given back.</summary>
    public Verdict RecordedRefusal(string reason, params string[] events)
    {
        Saga!.Refusal = reason;
        return Advanced(events);
    }

    private Verdict Advanced(params string[] events)
    {
        var saga = Saga!;
        if (!saga.IsOver)
        {
            return Verdict.Yes(() => { }, events);
        }

        return Verdict.Yes(() => { }, [.. events, .. Finish()]);
    }

    /// <summary>Ends the move under way.</summary>
    /// <returns>The events that say so, with what it means for the meter.</returns>
    private string[] Finish()
    {
        var saga = Saga!;
        Outcomes[saga.Request] = saga.Refusal;
        if (saga.Refusal is not null)
        {
            Saga = null;
            return [saga.RefusedAs!];
        }

        var included = Parked().ToDictionary(a => a.Key, a => IncludedOn(a.Value.Date));
        saga.Finish();
        Saga = null;
        return saga.Move == "activate" ? saga.End : [.. Served(included), .. ReachedNow(), .. saga.End];
    }

    private void Rebooked(ModelPart part)
    {
        if (Saga!.Move is "activate" or "end")
        {
            if (part.Cover is { } ended)
            {
                Covers[ended].CutAt(part.CutAt);
            }
        }
        else if (part.Cover is { } cover)
        {
            if (part.Form == PartForm.Cut)
            {
                Covers[cover].CutAt(part.CutAt);
            }
            else
            {
                (Covers[cover].Booked, Covers[cover].State) = (true, CoverState.Booked);
            }
        }
        else if (part.Steps.IsEmpty)
        {
            Booked.Remove(part.Cmo);
        }
        else
        {
            Booked[part.Cmo] = new Standing(part.Booking, part.Steps);
        }
    }

    private List<ModelPart> CutAll(LocalDate date) =>
        [.. Booked.Where(b => !b.Value.Steps.After(date).IsEmpty).Select(b => Cut(b.Key, date)), .. CoversFrom(date).Select(c => Cut(c, date))];

    private ModelPart Cut(string cmo, LocalDate date) => new(PartForm.Cut, cmo, Booked[cmo].Booking, Booked[cmo].Steps.Before(date)) { CutAt = date };

    private ModelPart Cut(ModelCover cover, LocalDate date)
    {
        var left = cover.Minutes.Where(m => m.Key < date).ToImmutableSortedDictionary();
        return new ModelPart(PartForm.Cut, cover.Covering, CoverBookingOf(cover.Id), left.IsEmpty ? [] : [Step.Named(left)]) { CutAt = date, Cover = cover.Id };
    }

    private ModelPart Rebook(string cmo, ImmutableArray<Step> steps) => Booked.TryGetValue(cmo, out var standing)
        ? new ModelPart(PartForm.Swap, cmo, standing.Booking, steps)
        : new ModelPart(PartForm.Place, cmo, BookingOf(cmo), steps);

    private ImmutableArray<Step> StepsOf(string cmo) => Booked.TryGetValue(cmo, out var standing) ? standing.Steps : [];

    private IEnumerable<ModelCover> CoversFrom(LocalDate date) => Covers.Values.Where(c => c.Booked && c.Minutes.Keys.Last() >= date);

    private Action WithSuspended(Action<Dictionary<string, ImmutableArray<Step>>> apply)
    {
        var suspended = Booked.ToDictionary(b => b.Key, b => b.Value.Steps);
        return () => apply(suspended);
    }

    private Verdict? RefusesScope(ModelProposal p)
    {
        var first = new[] { Plan.Start, ScopeFrom ?? Plan.Start, Pauses.Count > 0 ? Pauses[^1].End!.Value : Plan.Start }.Max();
        var wrong = (p.Lead is null && p.Members.IsEmpty && p.Terms is null)
            || !(p.Members.IsEmpty ? Members.Select(m => m.Cmo) : p.Members.Select(m => m.Cmo)).Contains(p.Lead ?? Lead)
            || p.Members.Any(m => m.Steps.IsEmpty && !IsMember(m.Cmo))
            || p.Members.Any(m => m.Steps.Any(s => s.From < p.From || (End is { } end && (s.Until is null || s.Until > end))));
        return p.From < first || p.From >= End ? Verdict.No("MOVE_DATE_OUT_OF_RANGE")
            : wrong ? Verdict.No("INVALID_ARGUMENT")
            : p.Terms is { } charged && Approved.Values.Any(a => a.Date >= p.From && IsChargedOtherwise(a, charged)) ? Verdict.No("APPROVED_TIME_STANDS")
            : !p.Members.IsEmpty && Members.Any(m => p.Members.All(n => n.Cmo != m.Cmo) && ApprovedFrom(p.From, m.Cmo)) ? Verdict.No("APPROVED_TIME_STANDS")
            : null;
    }

    /// <summary>Approved time was split and charged by the terms of its day: those of another kind, or at another rate where it is charged already, do not reach it.</summary>
    private bool IsChargedOtherwise(ModelApproved approved, ModelTerms terms)
    {
        var was = TermsOn(approved.Date);
        return was.Retainer != terms.Retainer || ((approved.Charged > 0 || approved.Overage > 0) && !was.Retainer && was.Amount != terms.Amount);
    }

    private void Changed(ModelScope scope)
    {
        var p = scope.Proposal;
        scope.State = ScopeState.Applied;
        ScopeFrom = p.From;
        Lead = p.Lead ?? Lead;
        if (p.Terms is { } terms)
        {
            foreach (var later in _agreed.Keys.Where(d => d >= p.From).ToList())
            {
                _agreed.Remove(later);
            }

            _agreed[p.From] = terms;
        }

        if (p.Members.IsEmpty)
        {
            return;
        }

        foreach (var left in Members.Where(m => p.Members.All(n => n.Cmo != m.Cmo)))
        {
            Former.Add((left.Cmo, Joined.GetValueOrDefault(left.Cmo, Plan.Start), p.From));
            Joined.Remove(left.Cmo);
        }

        foreach (var come in p.Members.Where(m => !IsMember(m.Cmo)))
        {
            Joined[come.Cmo] = p.From;
        }

        Members =
        [
            .. p.Members.Select(m => m.Steps.IsEmpty
                ? Members.First(k => k.Cmo == m.Cmo)
                : m with { Waived = m.Waived || Members.Any(k => k.Cmo == m.Cmo && k.Waived) }),
        ];
    }

    /// <summary>A week with more minutes than any week of the others, an earlier beginning, or a later end.</summary>
    private static bool IsMore(ImmutableArray<Step> steps, ImmutableArray<Step> others) =>
        steps.Select(s => s.Weekly).DefaultIfEmpty(0).Max() > others.Select(s => s.Weekly).DefaultIfEmpty(0).Max()
        || (!steps.IsEmpty && (steps.Min(s => s.From) < others.Min(s => s.From) || steps.Max(s => s.Until ?? LocalDate.MaxIsoValue) > others.Max(s => s.Until ?? LocalDate.MaxIsoValue)));

    private Verdict OfScope(int number, ScopeState[] states, Func<ModelScope, Verdict> decide) =>
        !Exists ? Verdict.No("NOT_FOUND")
        : Saga is not null ? Verdict.No("MOVE_UNDER_WAY")
        : Scope is not { } scope ? Verdict.No("NOT_FOUND")
        : number != 0 && number != scope.Number ? Verdict.No("REVISION_CHANGED")
        : !states.Contains(scope.State) ? Verdict.No("MOVE_NOT_ALLOWED")
        : decide(scope);

    private Verdict OfCover(string id, CoverState state, Func<ModelCover, Verdict> decide) =>
        !Exists ? Verdict.No("NOT_FOUND")
        : Saga is not null ? Verdict.No("MOVE_UNDER_WAY")
        : !Covers.TryGetValue(id, out var cover) ? Verdict.No("NOT_FOUND")
        : cover.State != state ? Verdict.No("MOVE_NOT_ALLOWED")
        : decide(cover);

    private bool ApprovedFrom(LocalDate date, string? cmo = null) => Approved.Values.Any(a => a.Date >= date && (cmo is null || a.Cmo == cmo));
}
