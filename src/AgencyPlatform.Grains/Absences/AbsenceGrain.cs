using System.Collections.Immutable;
using AgencyPlatform.Contracts.Absences;
using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Cmos;
using AgencyPlatform.Contracts.Engagements;
using AgencyPlatform.Domain.Absences;
using AgencyPlatform.Domain.Capacity;
using AgencyPlatform.Domain.Cmos;
using AgencyPlatform.Domain.Engagements;
using Orleans.Concurrency;

namespace AgencyPlatform.Grains.Absences;

/// <summary>See <see cref="IAbsenceGrain"/>.</summary>
[Reentrant]
public sealed class AbsenceGrain(GrainServices services) : AggregateGrain<Absence>(services), IAbsenceGrain
{
    /// <summary>CMOs of the role who are asked, in order of id.</summary>
    private const int MostAsked = 1_000;
    private const int AtOnce = 16;
    private const int MostEngagements = 500;

    private readonly TimeProvider _system = services.System;

    public async Task<Reply<Absence>> Report(Call call, ReportAbsence c)
    {
        var cmo = await Grain<IFractionalCmoGrain>(c.Cmo.Value).Get(new Read(Key.Agency, call.SandboxNow));
        var request = call.Request ?? Guid.CreateVersion7(_system.GetUtcNow());
        return await RunSaga(
            call with { Request = request }, (s, now) => s.Report(c, request, now),
            (s, id) => s.Request != id || s.IsUnderWay ? null : new SagaEnd(s.Refusal), s => s, cmo.Rejection);
    }

    public Task<Reply<Absence>> Get(Read read) => Query(read, (s, _) => s);

    /// <summary>First the CMO is told, then one engagement after the other is looked after; each step is idempotent by its id.</summary>
    protected override async Task<bool> Step(Absence committed)
    {
        if (!committed.Exists || !committed.IsUnderWay)
        {
            return false;
        }

        var context = await Grain<IAgencyGrain>(Key.Agency.Value).GetContext();
        var call = StepCall() with { PolicyVersion = context?.PolicyVersion ?? 0 };
        if (committed.Needs is null)
        {
            var (refusal, needs) = committed.IsDeparture ? await Leaves(call, committed) : await Off(call, committed);
            await Decide(call, (s, _) => s.Record(refusal, needs), s => s);
            return true;
        }

        var need = committed.NextNeed()!;
        var known = (await Grain<IEngagementGrain>(need.Engagement.Value).Get(new Read(Key.Agency, call.SandboxNow))).Value!;
        var (candidates, rejection) = await Ask(call, committed, need, known);
        await Decide(call, (s, _) => s.Record(need, candidates, rejection), s => s);
        return true;
    }

    /// <summary>The CMO is off, and what engagements lack by it.</summary>
    private async Task<(Rejection? Refusal, ImmutableArray<AbsenceNeed> Needs)> Off(Call call, Absence absence)
    {
        var cmo = Grain<IFractionalCmoGrain>(absence.Cmo.Value);
        var timeOff = new TimeOff(new TimeOffId(absence.Id.Value), absence.Dates.Start, absence.Dates.End!.Value, TimeOffKind.WholeDays);
        if ((await cmo.AddTimeOff(call, timeOff)).Rejection is { } refusal)
        {
            return (refusal, []);
        }

        var lost = await cmo.GetLostTo(new Read(Key.Agency, call.SandboxNow), timeOff.Id);
        return (null, [.. lost.Value!.Lost.Select(l => new AbsenceNeed(l.Engagement, l.Minutes, [], [], false, null))]);
    }

    /// <summary>
    /// The CMO leaves, and what engagements have booked with them from the date on: as a member, also what a pause has put aside, and as a cover of others.
    /// </summary>
    private async Task<(Rejection? Refusal, ImmutableArray<AbsenceNeed> Needs)> Leaves(Call call, Absence absence)
    {
        var (cmo, from) = (absence.Cmo, absence.Dates.Start);
        var left = await Grain<IFractionalCmoGrain>(cmo.Value).Leave(call, from);
        if (left.Rejection is { } refusal)
        {
            return (refusal, []);
        }

        var booked = left.Value!.Cmo.Bookings;
        var concerned = booked.Values.Where(b => b.Owner is not null).Select(b => b.Owner!.Value).Distinct().Order().Take(MostEngagements);
        var needs = ImmutableArray.CreateBuilder<AbsenceNeed>();
        foreach (var some in concerned.Chunk(AtOnce))
        {
            foreach (var engagement in await Task.WhenAll(some.Select(async id => (await Grain<IEngagementGrain>(id.Value).Get(new Read(Key.Agency, call.SandboxNow))).Value!)))
            {
                var own = engagement.Bookings.TryGetValue(cmo, out var member) && booked.TryGetValue(member.Booking, out var booking) ? booking.Spec.Steps.From(from) : [];
                var paused = engagement.Running.OpenPause?.Suspended.FirstOrDefault(s => s.Cmo == cmo)?.Steps.From(from) ?? [];
                if (own is not [] || paused is not [])
                {
                    needs.Add(new AbsenceNeed(engagement.Id, ImmutableSortedDictionary<LocalDate, int>.Empty, own is [] ? paused : own, [], false, null));
                }

                foreach (var cover in engagement.Running.Covers.Values.Where(c => c.Covering == cmo && c.Booking is not null && c.Minutes.Keys.Last() >= from))
                {
                    needs.Add(new AbsenceNeed(engagement.Id, cover.Minutes.Where(m => m.Key >= from).ToImmutableSortedDictionary(), [], [], false, null, cover.Id));
                }
            }
        }

        return (null, needs.ToImmutable());
    }

    /// <summary>Who would fit, and why nothing could be asked of the first of them; null: it was asked.</summary>
    private async Task<(ImmutableArray<CmoId> Candidates, Rejection? Refusal)> Ask(Call call, Absence absence, AbsenceNeed need, Engagement known)
    {
        var request = RequestOf(absence, need);
        return absence.IsDeparture && need.Cover is null
            ? await WithCandidates(call, absence, known, need.Steps, candidate => Replace(call with { Request = request }, absence, need, known, candidate))
            : await Cover(call, request, absence, need, known);
    }

    /// <summary>Asks for a cover on those of the dates on which the engagement takes time. A cover of one who leaves is cancelled first.</summary>
    private async Task<(ImmutableArray<CmoId> Candidates, Rejection? Refusal)> Cover(Call call, Guid request, Absence absence, AbsenceNeed need, Engagement known)
    {
        var engagement = Grain<IEngagementGrain>(need.Engagement.Value);
        var away = absence.Cmo;
        if (need.Cover is { } former)
        {
            away = known.Running.Covers[former].Away;
            if ((await engagement.CancelCover(call with { Request = RequestOf(absence, need, "cancel") }, new CancelCover(former, absence.Dates.Start))).Rejection is { } stands)
            {
                return ([], stands);
            }
        }

        var minutes = need.Minutes.Where(m => known.RefuseTime(away, m.Key) is null).ToImmutableSortedDictionary();
        if (minutes.IsEmpty)
        {
            return ([], known.RefuseTime(away, need.Minutes.Keys.First()));
        }

        return await WithCandidates(
            call, absence, known, [new DatedStep(new DateRange(minutes.Keys.First(), minutes.Keys.Last().PlusDays(1)), minutes)],
            async candidate => (await engagement.RequestCover(
                call with { Request = request }, new RequestCover(absence.CoverFor(need), away, candidate, minutes, false, absence.Reason))).Rejection);
    }

    /// <summary>Proposes a change of scope with somebody in the place of the member who leaves.</summary>
    private async Task<Rejection?> Replace(Call call, Absence absence, AbsenceNeed need, Engagement known, CmoId candidate)
    {
        var note = $"Replaces {absence.Cmo} ({absence.Id}).";
        if (known.Running.Scope is { IsOpen: true } open && open.Proposal.Note != note)
        {
            return Rejection.Rule(
                Reasons.ScopeChangeOpen, $"The change of scope {open.Number} of {need.Engagement} is open: apply or withdraw it, then propose the replacement.",
                ("engagement", need.Engagement.Value), ("number", open.Number.ToString(System.Globalization.CultureInfo.InvariantCulture)));
        }

        // Who leaves before the engagement begins, or before its latest change, is replaced from then on.
        var from = LocalDate.Max(absence.Dates.Start, known.FirstScopeDay());
        var leaving = known.Plan.Members.FirstOrDefault(m => m.Cmo == absence.Cmo);
        return (await Grain<IEngagementGrain>(need.Engagement.Value).ProposeScope(call, new ProposeScope(
            new ScopeProposal(
                from, known.Plan.Lead == absence.Cmo ? candidate : null,
                [
                    .. known.Plan.Members.Where(m => m.Cmo != absence.Cmo).Select(m => new ScopeMember(m.Cmo, m.Role, [], m.AgreementWaived)),
                    new ScopeMember(candidate, leaving?.Role ?? "", need.Steps.From(from), false),
                ],
                null, note),
            null))).Rejection;
    }

    /// <summary>Asks the first who fits, if somebody does.</summary>
    private async Task<(ImmutableArray<CmoId> Candidates, Rejection? Refusal)> WithCandidates(
        Call call, Absence absence, Engagement engagement, ImmutableArray<BookingStep> steps, Func<CmoId, Task<Rejection?>> ask)
    {
        var candidates = await Fitting(call, absence, engagement, steps);
        return (candidates, candidates.IsEmpty
            ? Rejection.Rule(
                Reasons.NobodyFits, $"Nobody else of the role has room for what {engagement.Id} lacks without {absence.Cmo}.",
                ("cmo", absence.Cmo.Value), ("engagement", engagement.Id.Value))
            : await ask(candidates[0]));
    }

    /// <summary>Who of the same role, and not of the engagement already, has room for what is lacking; on named dates for all of it.</summary>
    private async Task<ImmutableArray<CmoId>> Fitting(Call call, Absence absence, Engagement engagement, ImmutableArray<BookingStep> steps)
    {
        var away = (await Grain<IFractionalCmoGrain>(absence.Cmo.Value).Get(new Read(Key.Agency, call.SandboxNow))).Value!;
        var rows = await ReadModels.List<CmoRow>(Key.Agency, Contracts.Journal.Query.All(MostAsked, Contracts.Journal.Filter.Eq(nameof(CmoRow.Role), away.Profile.Role)));
        var others = rows.Select(r => r.Id).Where(id => id != absence.Cmo && engagement.Plan.Members.All(m => m.Cmo != id)).ToList();
        var named = steps is [DatedStep];
        var fitting = new List<CmoId>();
        foreach (var some in others.Chunk(AtOnce))
        {
            var checks = await Task.WhenAll(some.Select(id => Grain<IFractionalCmoGrain>(id.Value).Check(call, new BookingSpec(engagement.Client, engagement.Id, steps))));
            fitting.AddRange(some.Zip(checks).Where(c => c.Second.Value is { Refusal: null } fits && (!named || fits.CutOffs.IsEmpty)).Select(c => c.First));
            if (fitting.Count >= Absence.MostCandidates)
            {
                break;
            }
        }

        return [.. fitting.Take(Absence.MostCandidates)];
    }

    /// <summary>The request of an engagement's step: always the same, so that a repeat counts once.</summary>
    private Guid RequestOf(Absence absence, AbsenceNeed need, string step = "") =>
        IdSyntax.GuidOf($"{Key.Agency}/{absence.Id}/{absence.Request}/{need.Engagement}{(need.Cover is { } cover ? $"/{cover}/{step}" : "")}");
}
