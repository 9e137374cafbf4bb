using System.Collections.Immutable;
using AgencyPlatform.Contracts;
using AgencyPlatform.Contracts.Absences;
using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Cmos;
using AgencyPlatform.Contracts.Engagements;
using AgencyPlatform.Contracts.Time;
using AgencyPlatform.Domain;
using AgencyPlatform.Domain.Absences;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Domain.Capacity;
using AgencyPlatform.Domain.Cmos;
using AgencyPlatform.Domain.Engagements;
using AgencyPlatform.Domain.Time;
using AgencyPlatform.Life.Tests.Model;
using NodaTime;
using Step = AgencyPlatform.Life.Tests.Model.Step;

namespace AgencyPlatform.Life.Tests.Moves;

/// <summary>Every move: what is sent, and what the model is asked.</summary>
internal static class AllMoves
{
    public static readonly Currency Dollars = new("USD");
    public static readonly LegalEntityId Seller = new("main");
    private static readonly ImmutableSortedDictionary<string, string> s_none = ImmutableSortedDictionary<string, string>.Empty;

    // ---- the way to an agreement ----

    public static Move Create(Guid request, string id, ModelClient client, ModelPlan plan) => Of(
        "create", $"{id} for {client.Id}: {Text(plan)}", request, id, e => e.Create(plan),
        (grain, call) => grain.Create(call, new CreateEngagement(new EngagementId(id), new ClientCompanyId(client.Id), ToPlan(plan))));

    public static Move Update(Guid request, string id, ModelPlan plan) => Of(
        "update", $"{id}: {Text(plan)}", request, id, e => e.Update(plan), (grain, call) => grain.Update(call, new UpdateEngagement(ToPlan(plan))));

    public static Move Propose(Guid request, string id, Instant? expires, bool freesHolds) => Of(
        "propose", $"{id} until {expires}{(freesHolds ? ", frees holds" : "")}", request, id, e => e.Propose(expires, freesHolds),
        (grain, call) => grain.Propose(call, new ProposeEngagement(expires, freesHolds)));

    public static Move Revise(Guid request, string id) => Of("revise", id, request, id, e => e.Revise(), (grain, call) => grain.Revise(call));

    public static Move Sign(Guid request, string id, string person, string? by, int revision) => Of(
        "sign", $"{id} revision {revision} {person} by {by}", request, id, e => e.Sign(person, by, revision),
        (grain, call) => grain.Sign(call, new SignEngagement(new PersonId(person), revision, Person(by))));

    public static Move Decline(Guid request, string id, string? person, int revision) => Of(
        "decline", $"{id} revision {revision} {person}", request, id, e => e.Decline(person, null, revision),
        (grain, call) => grain.Decline(call, new CloseProposal("", Person(person), null, revision)));

    public static Move Withdraw(Guid request, string id) => Of("withdraw", id, request, id, e => e.Withdraw(), (grain, call) => grain.Withdraw(call, new CloseProposal("")));

    public static Move Comment(Guid request, string id, string? person) => Of(
        "comment", $"{id} {person}", request, id, e => e.Comment(person), (grain, call) => grain.Comment(call, new CommentOnEngagement(Person(person), "A word.")));

    public static Move RequestAgreement(Guid request, string id, string[] cmos, Instant? expires) => Of(
        "request agreement", $"{id} {string.Join(",", cmos)} until {expires}", request, id, e => e.RequestAgreement(cmos, expires),
        (grain, call) => grain.AskToAgree(call, new RequestAgreement([.. cmos.Select(c => new CmoId(c))], expires)));

    public static Move Agree(Guid request, string id, string cmo, int revision) => Of(
        "agree", $"{id} revision {revision} {cmo}", request, id, e => e.Agree(cmo, revision), (grain, call) => grain.Agree(call, new AgreeAsCmo(new CmoId(cmo), revision)));

    public static Move DeclineAgreement(Guid request, string id, string cmo, int revision) => Of(
        "decline agreement", $"{id} revision {revision} {cmo}", request, id, e => e.DeclineAgreement(cmo, revision),
        (grain, call) => grain.DeclineAs(call, new DeclineAsCmo(new CmoId(cmo), revision, "Too much.")));

    public static Move Activate(Guid request, string id) => Saga("activate", id, request, id, e => e.Activate(request), (grain, call) => grain.Activate(call));

    // ---- running ----

    public static Move SignRenewal(Guid request, string id, string person, int number, string? by) => Of(
        "sign renewal", $"{id} number {number} {person} by {by}", request, id, e => e.SignRenewal(person, number, by),
        (grain, call) => grain.SignRenewal(call, new SignRenewal(new PersonId(person), number, Person(by))));

    public static Move Pause(Guid request, string id, LocalDate from, LocalDate? keepUntil, int feePercent) => Saga(
        "pause", $"{id} from {from:R} keep until {keepUntil:R} {feePercent} %", request, id, e => e.Pause(from, keepUntil, feePercent, request),
        (grain, call) => grain.Pause(call, new PauseEngagement(from, keepUntil, feePercent, "")));

    public static Move Resume(Guid request, string id, LocalDate on) => Saga(
        "resume", $"{id} on {on:R}", request, id, e => e.Resume(on, request), (grain, call) => grain.Resume(call, new ResumeEngagement(on)));

    public static Move ProposeScope(Guid request, string id, ModelPlan plan, ModelProposal p, Instant? expires) => Of(
        "propose scope change",
        $"{id} from {p.From:R} lead {p.Lead} members {string.Join(", ", p.Members.Select(m => $"{m.Cmo}{(m.Waived ? " waived" : "")} {m.Steps.Text()}"))} terms {p.Terms} until {expires}",
        request, id, e => e.ProposeScope(p, expires),
        (grain, call) => grain.ProposeScope(call, new ProposeScope(
            new ScopeProposal(
                p.From, p.Lead is null ? null : new CmoId(p.Lead), [.. p.Members.Select(m => new ScopeMember(new CmoId(m.Cmo), "", ToSteps(m.Steps), m.Waived))],
                p.Terms is null ? null : ToTerms(p.Terms, plan, p.From), ""),
            expires)));

    public static Move SignScope(Guid request, string id, string person, int number, string? by) => Of(
        "sign scope change", $"{id} number {number} {person} by {by}", request, id, e => e.SignScope(person, number, by),
        (grain, call) => grain.SignScope(call, new SignScope(new PersonId(person), number, Person(by))));

    public static Move AgreeToScope(Guid request, string id, string cmo, int number) => Of(
        "agree to scope change", $"{id} number {number} {cmo}", request, id, e => e.AgreeToScope(cmo, number),
        (grain, call) => grain.AgreeToScope(call, new AgreeToScope(new CmoId(cmo), number)));

    public static Move CloseScope(Guid request, string id, int number, bool byClient) => Of(
        byClient ? "decline scope change" : "withdraw scope change", $"{id} number {number}", request, id, e => e.CloseScope(number, byClient),
        (grain, call) => grain.CloseScope(call, new CloseScope(number, byClient, "")));

    public static Move ApplyScope(Guid request, string id, int number) => Saga(
        "apply scope change", $"{id} number {number}", request, id, e => e.ApplyScope(number, request), (grain, call) => grain.ApplyScope(call, new ApplyScope(number)));

    public static Move RequestCover(Guid request, string id, string cover, string away, string covering, ImmutableSortedDictionary<LocalDate, int> minutes, bool waived) => Of(
        "request cover", $"{id} {cover}: {covering} for {away} {Step.Named(minutes)}{(waived ? " waived" : "")}", request, id, e => e.RequestCover(cover, away, covering, minutes, waived),
        (grain, call) => grain.RequestCover(call, new RequestCover(new CoverId(cover), new CmoId(away), new CmoId(covering), minutes, waived, "")));

    public static Move ConsentToCover(Guid request, string id, string cover, string person) => Of(
        "consent to cover", $"{id} {cover} {person}", request, id, e => e.ConsentToCover(cover, person, null),
        (grain, call) => grain.ConsentToCover(call, new ConsentToCover(new CoverId(cover), new PersonId(person))));

    public static Move AgreeToCover(Guid request, string id, string cover, string cmo) => Of(
        "agree to cover", $"{id} {cover} {cmo}", request, id, e => e.AgreeToCover(cover, cmo),
        (grain, call) => grain.AgreeToCover(call, new AgreeToCover(new CoverId(cover), new CmoId(cmo))));

    public static Move DeclineCover(Guid request, string id, string cover) => Of(
        "decline cover", $"{id} {cover}", request, id, e => e.DeclineCover(cover), (grain, call) => grain.DeclineCover(call, new DeclineCover(new CoverId(cover), "")));

    public static Move BookCover(Guid request, string id, string cover) => Saga(
        "book cover", $"{id} {cover}", request, id, e => e.BookCover(cover, request), (grain, call) => grain.BookCover(call, new BookCover(new CoverId(cover))));

    public static Move CancelCover(Guid request, string id, string cover, LocalDate from) => Saga(
        "cancel cover", $"{id} {cover} from {from:R}", request, id, e => e.CancelCover(cover, from, request),
        (grain, call) => grain.CancelCover(call, new CancelCover(new CoverId(cover), from)));

    public static Move StartTransition(Guid request, string id, (LocalDate From, int Percent)[] taper, string[] items) => Saga(
        "start transition", $"{id} {string.Join(", ", taper.Select(t => $"{t.From:R} {t.Percent} %"))}", request, id, e => e.StartTransition(taper, items, request),
        (grain, call) => grain.StartTransition(call, new StartTransition(
            [.. taper.Select(t => new TaperStep(t.From, t.Percent))], [.. items.Select(i => new HandoverItem(new HandoverItemId(i), i, null, null))], "")));

    public static Move PutHandoverItem(Guid request, string id, string item, string? title, bool done) => Of(
        "put handover item", $"{id} {item} {title} {(done ? "done" : "open")}", request, id, e => e.PutHandoverItem(item, title, done),
        (grain, call) => grain.PutHandoverItem(call, new PutHandoverItem(new HandoverItemId(item), title, done)));

    public static Move End(Guid request, string id, LocalDate date, bool waived) => Saga(
        "end", $"{id} on {date:R}{(waived ? ", notice waived" : "")}", request, id, e => e.EndOn(date, waived, request),
        (grain, call) => grain.End(call, new EndEngagement(date, waived ? "Agreed by both." : null)));

    public static Move ConsentToOverage(Guid request, string id, int minutes) => Of(
        "consent to overage", $"{id} {minutes}", request, id, e => e.Consent(minutes),
        async (grain, call) => Answered(await grain.Consent(call, new ConsentToOverage(minutes, ""))));

    // ---- time ----

    public static Move LogTime(Guid request, string cmo, IsoWeek week, ModelEntry[] rows) => OfSheet(
        "log time", $"{cmo}/{week}: {string.Join(", ", rows.Select(r => r.ToString()))}", request, cmo, week, s => s.Log(rows),
        async (grain, call) => Answered(await grain.Log(call, new LogTime(new CmoId(cmo), week, [
            .. rows.Select(r => new LoggedEntry(new TimeEntryId(r.Id), new Work(new EngagementId(r.Engagement), r.Date, r.Minutes, "", r.Billable, r.Paid, ""))),
        ])))) with
    {
        Facts = model => rows.Select(r => model.Engagement(r.Engagement) is { Exists: true } e ? e.RefusesTime(cmo, r.Date) : "NOT_FOUND").FirstOrDefault(r => r is not null),
    };

    public static Move RemoveEntry(Guid request, string cmo, IsoWeek week, string entry) => OfSheet(
        "remove entry", $"{cmo}/{week}/{entry}", request, cmo, week, s => s.Remove(entry),
        async (grain, call) => Answered(await grain.Remove(call, new RemoveEntries([new TimeEntryId(entry)]))), entry);

    public static Move Submit(Guid request, string cmo, IsoWeek week, string[] entries) => OfSheet(
        "submit", $"{cmo}/{week} {string.Join(",", entries)}", request, cmo, week, s => s.Submit(entries),
        async (grain, call) => Answered(await grain.Submit(call, new SubmitEntries(Ids(entries)))), entries);

    public static Move Reject(Guid request, string cmo, IsoWeek week, string[] entries) => OfSheet(
        "reject", $"{cmo}/{week} {string.Join(",", entries)}", request, cmo, week, s => s.Reject(entries),
        async (grain, call) => Answered(await grain.Reject(call, new RejectEntries(Ids(entries), "No."))), entries);

    public static Move Approve(Guid request, string cmo, IsoWeek week, string[] entries, string actor) => OfSheet(
        "approve", $"{cmo}/{week} {string.Join(",", entries)} by {actor}", request, cmo, week, s => s.Approve(entries, request, actor),
        async (grain, call) => Answered(await grain.Approve(call, new ApproveEntries(Ids(entries)))), entries) with
    {
        Actor = actor,
        Outcome = OutcomeOf(request, cmo, week, told: true),
    };

    public static Move Reverse(Guid request, string cmo, IsoWeek week, string[] entries, string actor) => OfSheet(
        "reverse", $"{cmo}/{week} {string.Join(",", entries)} by {actor}", request, cmo, week, s => s.Reverse(entries, request, actor),
        async (grain, call) => Answered(await grain.Reverse(call, new ReverseEntries(Ids(entries), "Wrong."))), entries) with
    {
        Actor = actor,
        Outcome = OutcomeOf(request, cmo, week, told: true),
    };

    public static Move Dispute(Guid request, string cmo, IsoWeek week, string entry, bool byClient) => OfSheet(
        "dispute", $"{cmo}/{week}/{entry}{(byClient ? " by the client" : "")}", request, cmo, week, s => s.Dispute(entry, byClient, request),
        async (grain, call) => Answered(await grain.Dispute(call, new DisputeEntry(new TimeEntryId(entry), "Really?", byClient))), entry) with
    {
        Outcome = OutcomeOf(request, cmo, week, told: false),
    };

    public static Move Resolve(Guid request, string cmo, IsoWeek week, string entry, DisputeResolution resolution, string actor) => OfSheet(
        "resolve", $"{cmo}/{week}/{entry} {resolution} by {actor}", request, cmo, week, s => s.Resolve(entry, resolution, request, actor),
        async (grain, call) => Answered(await grain.Resolve(call, new ResolveDispute(new TimeEntryId(entry), resolution, "Asked."))), entry) with
    {
        Actor = actor,
        Outcome = OutcomeOf(request, cmo, week, told: false),
    };

    public static Move ReportNothingWorked(Guid request, string cmo, IsoWeek week) => OfSheet(
        "report nothing worked", $"{cmo}/{week}", request, cmo, week, s => s.ReportNothingWorked(),
        async (grain, call) => Answered(await grain.ReportNothingWorked(call, new CmoId(cmo), week)));

    // ---- capacity ----

    public static Move Hold(Guid request, string cmo, string booking, string client, ImmutableArray<Step> steps, Duration expiry) => OfCmo(
        "hold", $"{cmo} {booking} for {client} {steps.Text()} for {expiry}", request, cmo, (c, now) => c.Hold(booking, client, steps, expiry, now),
        async (grain, call) => Answered(await grain.Hold(call, new HoldBooking(new BookingId(booking), new BookingSpec(new ClientCompanyId(client), null, ToSteps(steps)), expiry))));

    public static Move Book(Guid request, string cmo, string booking, string client, ImmutableArray<Step> steps) => OfCmo(
        "book", $"{cmo} {booking} for {client} {steps.Text()}", request, cmo, (c, _) => c.Book(booking, client, steps),
        async (grain, call) => Answered(await grain.Book(call, new Book(new BookingId(booking), new BookingSpec(new ClientCompanyId(client), null, ToSteps(steps))))));

    public static Move Confirm(Guid request, string cmo, string booking) => OfCmo(
        "confirm", $"{cmo} {booking}", request, cmo, (c, _) => c.Confirm(booking), async (grain, call) => Answered(await grain.Confirm(call, new BookingId(booking))));

    public static Move ExtendHold(Guid request, string cmo, string booking, Duration expiry) => OfCmo(
        "extend hold", $"{cmo} {booking} by {expiry}", request, cmo, (c, now) => c.Extend(booking, expiry, now),
        async (grain, call) => Answered(await grain.ExtendHold(call, new BookingId(booking), expiry)));

    public static Move Change(Guid request, string cmo, string booking, ImmutableArray<Step> steps) => OfCmo(
        "change booking", $"{cmo} {booking} {steps.Text()}", request, cmo, (c, _) => c.Change(booking, steps),
        async (grain, call) => Answered(await grain.Change(call, new ChangeBooking(new BookingId(booking), ToSteps(steps)))));

    public static Move Release(Guid request, string cmo, string booking) => OfCmo(
        "release", $"{cmo} {booking}", request, cmo, (c, _) => c.Release(booking), async (grain, call) => Answered(await grain.Release(call, new BookingId(booking))));

    public static Move AddTimeOff(Guid request, string cmo, string id, LocalDate start, LocalDate end) => OfCmo(
        "add time off", $"{cmo} {id} [{start:R}, {end:R})", request, cmo, (c, _) => c.AddTimeOff(new ModelTimeOff(id, start, end)),
        async (grain, call) => Answered(await grain.AddTimeOff(call, new TimeOff(new TimeOffId(id), start, end, TimeOffKind.WholeDays))));

    public static Move CancelTimeOff(Guid request, string cmo, string id) => OfCmo(
        "cancel time off", $"{cmo} {id}", request, cmo, (c, _) => c.CancelTimeOff(id), async (grain, call) => Answered(await grain.CancelTimeOff(call, new TimeOffId(id))));

    public static Move ReportAbsence(Guid request, string id, string cmo, LocalDate start, LocalDate end) => new(
        "report absence", $"{id}: {cmo} [{start:R}, {end:R})", request, model => model.Absence(id).Report(cmo, start, end, request),
        async (grains, call) => Answered(await grains.Of<IAbsenceGrain>(call.Agency, id).Report(call, new ReportAbsence(new AbsenceId(id), new CmoId(cmo), new DateRange(start, end), ""))),
        model => model.Absence(id) is { Exists: true } absence ? absence.IsUnderWay ? "under way" : "there" : "none")
    {
        Outcome = model => model.Absence(id).Outcomes.TryGetValue(request, out var refused) ? (true, refused, null) : (false, null, null),
    };

    // ---- translation ----

    public static ImmutableArray<BookingStep> ToSteps(IEnumerable<Step> steps) =>
        [.. steps.Select(BookingStep (s) => s.Dates is { } dates ? new DatedStep(new DateRange(s.From, s.Until), dates) : new FlexibleStep(new DateRange(s.From, s.Until), s.Weekly))];

    public static string Text(ImmutableArray<BookingStep> steps) => string.Join(" ", steps.Select(s => s switch
    {
        FlexibleStep flexible => new Step(s.Dates.Start, s.Dates.End, flexible.WeeklyMinutes),
        DatedStep dated => new Step(s.Dates.Start, s.Dates.End, 0, dated.Minutes),
        _ => throw new DifferenceException($"No move books {s}."),
    }));

    private static EngagementPlan ToPlan(ModelPlan plan) => new(
        "Launch", ServiceType.FractionalCmo, new CmoId(plan.Members[0].Cmo),
        [.. plan.Members.Select(m => new EngagementMember(new CmoId(m.Cmo), "", ToSteps(m.Steps), m.Hold is null ? null : new BookingId(m.Hold), m.Waived))],
        ToTerms(plan.Terms, plan, plan.Start), plan.Start, plan.End, null, plan.Signatures, s_none, s_none,
        plan.Term is { } t ? new TermRules(t.Months, t.Renewal, t.RenewalMonths, t.NoticeDays) : null);

    private static Terms ToTerms(ModelTerms terms, ModelPlan plan, LocalDate from)
    {
        var cycle = new BillCycle(plan.CycleDay, plan.CycleMonths);
        return terms.Retainer
            ? new RetainerTerms(from, Seller, Dollars, cycle, terms.Amount, terms.Included, ModelTerms.OverageRate, terms.Gate, Rollover: terms.Rollover)
            : new HourlyTerms(from, Seller, Dollars, cycle, terms.Amount, terms.Estimate);
    }

    private static string Text(ModelPlan plan) =>
        $"[{plan.Start:R}, {plan.End:R}) {plan.Term} {string.Join(", ", plan.Members.Select(m => $"{m.Cmo}{(m.Waived ? " waived" : "")} {m.Hold ?? m.Steps.Text()}"))} "
        + $"{plan.Terms} bill day {plan.CycleDay} every {plan.CycleMonths} signatures {plan.Signatures}";

    private static PersonId? Person(string? id) => id is null ? null : new PersonId(id);

    private static ImmutableArray<TimeEntryId> Ids(string[] entries) => [.. entries.Select(e => new TimeEntryId(e))];

    private static Answer Answered<T>(Reply<T> reply) => new(
        reply.Rejection?.Reason, reply.Meta?.Version ?? 0,
        reply.Value is ApprovalResult result ? string.Join(" ", result.Outcomes.OrderBy(o => o.Entry.Value, StringComparer.Ordinal).Select(o => $"{o.Entry}:{o.Refusal?.Reason ?? "OK"}")) : null);

    private static Move Of(string name, string text, Guid request, string id, Func<ModelEngagement, Verdict> decide, Func<IEngagementGrain, Call, Task<Reply<Engagement>>> send) =>
        Of(name, text, request, id, decide, async (grain, call) => Answered(await send(grain, call)));

    private static Move Of(string name, string text, Guid request, string id, Func<ModelEngagement, Verdict> decide, Func<IEngagementGrain, Call, Task<Answer>> send) => new(
        name, text, request, model => decide(model.Engagement(id)), (grains, call) => send(grains.Of<IEngagementGrain>(call.Agency, id), call),
        model => model.Engagement(id) is { Exists: true } e ? e.State.ToString().ToUpperInvariant() : "none");

    private static Move Saga(string name, string text, Guid request, string id, Func<ModelEngagement, Verdict> decide, Func<IEngagementGrain, Call, Task<Reply<Engagement>>> send) =>
        Of(name, text, request, id, decide, send) with
        {
            Outcome = model => model.Engagement(id).Outcomes.TryGetValue(request, out var refused) ? (true, refused, null) : (false, null, null),
        };

    private static Move OfSheet(
        string name, string text, Guid request, string cmo, IsoWeek week, Func<ModelSheet, Verdict> decide, Func<ITimesheetGrain, Call, Task<Answer>> send, params string[] entries) => new(
        name, text, request, model => decide(model.Sheet(cmo, week)), (grains, call) => send(grains.Of<ITimesheetGrain>(call.Agency, $"{cmo}/{week}"), call),
        model => entries.Length > 0 && model.Sheet(cmo, week).Entries.TryGetValue(entries[0], out var entry) ? entry.State.ToString().ToUpperInvariant() : "any");

    private static Move OfCmo(string name, string text, Guid request, string cmo, Func<ModelCmo, Instant, Verdict> decide, Func<IFractionalCmoGrain, Call, Task<Answer>> send) => new(
        name, text, request, model => decide(model.Cmo(cmo), model.Clock), (grains, call) => send(grains.Of<IFractionalCmoGrain>(call.Agency, cmo), call), _ => "any");

    private static Func<ModelAgency, (bool, string?, string?)> OutcomeOf(Guid request, string cmo, IsoWeek week, bool told) => model =>
        model.Sheet(cmo, week).Outcomes.TryGetValue(request, out var outcomes) ? (true, null, told ? outcomes : null) : (false, null, null);
}
