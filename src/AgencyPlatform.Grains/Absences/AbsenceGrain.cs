using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
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
            var (refusal, needs) = committed.IsDeparture ? (null, await BookedFrom(call, committed)) : await Off(call, committed);
            await Decide(call, (s, _) => s.Record(refusal, needs), s => s);
            return true;
        }

        var need = committed.NextNeed()!;
        var engagement = Grain<IEngagementGrain>(need.Engagement.Value);
        var known = (await engagement.Get(new Read(Key.Agency, call.SandboxNow))).Value!;
        var candidates = await Fitting(call, committed, need, known);
        var rejection = candidates.IsEmpty
            ? Rejection.Rule(
                Reasons.NobodyFits, $"Nobody else of the role has room for what {need.Engagement} lacks without {committed.Cmo}.",
                ("cmo", committed.Cmo.Value), ("engagement", need.Engagement.Value))
            : await Ask(call with { Request = RequestOf(committed, need.Engagement) }, committed, need, known, candidates[0]);
        await Decide(call, (s, _) => s.Record(need.Engagement, candidates, rejection), s => s);
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

    /// <summary>What engagements have booked with the CMO from the date on.</summary>
    private async Task<ImmutableArray<AbsenceNeed>> BookedFrom(Call call, Absence absence)
    {
        var read = new Read(Key.Agency, call.SandboxNow);
        var cmo = (await Grain<IFractionalCmoGrain>(absence.Cmo.Value).Get(read)).Value!;
        return
        [
            .. cmo.Bookings.Values.Where(b => b.Owner is not null).Select(b => (Engagement: b.Owner!.Value, Steps: b.Spec.Steps.From(absence.Dates.Start))).Where(b => !b.Steps.IsEmpty)
                .GroupBy(b => b.Engagement).OrderBy(g => g.Key).Take(MostEngagements)
                .Select(g => new AbsenceNeed(g.Key, ImmutableSortedDictionary<LocalDate, int>.Empty, g.First().Steps, [], false, null)),
        ];
    }

    /// <summary>Who of the same role, and not of the engagement already, has room for what is lacking.</summary>
    private async Task<ImmutableArray<CmoId>> Fitting(Call call, Absence absence, AbsenceNeed need, Engagement engagement)
    {
        var steps = absence.IsDeparture
            ? need.Steps
            : [new DatedStep(new DateRange(need.Minutes.Keys.First(), need.Minutes.Keys.Last().PlusDays(1)), need.Minutes)];
        var away = (await Grain<IFractionalCmoGrain>(absence.Cmo.Value).Get(new Read(Key.Agency, call.SandboxNow))).Value!;
        var rows = await ReadModels.List<CmoRow>(Key.Agency, Contracts.Journal.Query.All(MostAsked, Contracts.Journal.Filter.Eq(nameof(CmoRow.Role), away.Profile.Role)));
        var others = rows.Select(r => r.Id).Where(id => id != absence.Cmo && engagement.Plan.Members.All(m => m.Cmo != id)).ToList();
        var fitting = new List<CmoId>();
        foreach (var some in others.Chunk(AtOnce))
        {
            var checks = await Task.WhenAll(some.Select(id => Grain<IFractionalCmoGrain>(id.Value).Check(call, new BookingSpec(engagement.Client, engagement.Id, steps))));
            fitting.AddRange(some.Zip(checks).Where(c => c.Second.Value is { Refusal: null }).Select(c => c.First));
            if (fitting.Count >= Absence.MostCandidates)
            {
                break;
            }
        }

        return [.. fitting.Take(Absence.MostCandidates)];
    }

    /// <summary>A cover is requested, or of a CMO who leaves a change of scope proposed; or why not.</summary>
    private async Task<Rejection?> Ask(Call call, Absence absence, AbsenceNeed need, Engagement known, CmoId candidate)
    {
        var engagement = Grain<IEngagementGrain>(need.Engagement.Value);
        if (!absence.IsDeparture)
        {
            return (await engagement.RequestCover(call, new RequestCover(new CoverId(absence.Id.Value), absence.Cmo, candidate, need.Minutes, false, absence.Reason))).Rejection;
        }

        var note = $"Replaces {absence.Cmo} ({absence.Id}).";
        if (known.Running.Scope is { IsOpen: true } open && open.Proposal.Note != note)
        {
            return Rejection.Rule(
                Reasons.ScopeChangeOpen, $"The change of scope {open.Number} of {need.Engagement} is open: apply or withdraw it, then propose the replacement.",
                ("engagement", need.Engagement.Value), ("number", open.Number.ToString(System.Globalization.CultureInfo.InvariantCulture)));
        }

        var leaving = known.Plan.Members.FirstOrDefault(m => m.Cmo == absence.Cmo);
        return (await engagement.ProposeScope(call, new ProposeScope(
            new ScopeProposal(
                absence.Dates.Start, known.Plan.Lead == absence.Cmo ? candidate : null,
                [
                    .. known.Plan.Members.Where(m => m.Cmo != absence.Cmo).Select(m => new ScopeMember(m.Cmo, m.Role, [], m.AgreementWaived)),
                    new ScopeMember(candidate, leaving?.Role ?? "", need.Steps, false),
                ],
                null, note),
            null))).Rejection;
    }

    /// <summary>The request of an engagement's step: always the same, so that a repeat counts once.</summary>
    private Guid RequestOf(Absence absence, EngagementId engagement) =>
        new(SHA256.HashData(Encoding.UTF8.GetBytes($"{Key.Agency}/{absence.Id}/{absence.Request}/{engagement}")).AsSpan(0, 16));
}
