using AgencyPlatform.Protocol.Absences.V1;
using AgencyPlatform.Protocol.Capacity.V1;
using AgencyPlatform.Protocol.Cmos.V1;
using AgencyPlatform.Protocol.Engagements.V1;
using NodaTime;
using static AgencyPlatform.Host.Demo.DemoWire;

namespace AgencyPlatform.Host.Demo;

/// <summary>CMOs who are away: a week off that is planned, and "ill today", where others cover with the client's consent.</summary>
internal sealed class DemoAbsences(DemoStage stage)
{
    private readonly EngagementsService.EngagementsServiceClient _engagements = stage.Platform.Engagements;
    private readonly List<(string Engagement, string Cover, string Cmo)> _covers = [];

    /// <summary>Minutes that engagements lacked, by whatever absence.</summary>
    public long LackingMinutes { get; private set; }

    /// <summary>A fact: never refused, always reported.</summary>
    public async Task<string?> TakeWeekOff()
    {
        var (from, to) = (stage.Today.PlusWeeks(2), stage.Today.PlusWeeks(3));
        if (Present(from, to).Skip(stage.Week % stage.Roster.Cmos.Count).Concat(Present(from, to)).FirstOrDefault() is not { } cmo)
        {
            return null;
        }

        var change = await stage.Platform.Cmos.AddTimeOffAsync(
            new AddTimeOffRequest
            {
                Name = cmo,
                TimeOff = new TimeOff { TimeOffId = $"off-{stage.Week}", StartDate = Wire(from), EndDate = Wire(to), Kind = TimeOff.Types.Kind.WholeDays },
            },
            cancellationToken: stage.Cancellation);
        stage.KnownExcess.UnionWith(change.InfeasibleWeeks.Select(w => (cmo, FromWire(w.Monday))));
        stage.Away.Add((cmo, from, to));
        stage.Count(DemoEvent.TimeOff);
        var missing = change.Shortfalls.Sum(s => s.Minutes);
        LackingMinutes += missing;
        return $"{Last(cmo)} takes the week of {Text(from)} off: {Hours(missing)} of shortfall in {change.Shortfalls.Count} bookings";
    }

    /// <summary>The CMO with the most engagements is ill from today to Thursday.</summary>
    public async Task<string?> FallIll()
    {
        var until = stage.Today.PlusDays(4);
        var cmo = Present(stage.Today, until).Where(c => Engagements(c) > 0).MaxBy(Engagements);
        if (cmo is null)
        {
            return null;
        }

        var absence = await stage.Platform.Absences.CreateAbsenceAsync(
            new CreateAbsenceRequest
            {
                Parent = stage.Agency,
                AbsenceId = $"ill-{stage.Week}",
                Absence = new Absence { Cmo = cmo, StartDate = Wire(stage.Today), EndDate = Wire(until), Reason = "Ill today." },
            },
            cancellationToken: stage.Cancellation);
        stage.Away.Add((cmo, stage.Today, until));
        stage.Count(DemoEvent.FellIll);
        var weeks = await stage.Platform.Capacity.GetAvailabilityAsync(
            new GetAvailabilityRequest { Name = cmo, StartDate = Wire(stage.Today), Weeks = 8 }, cancellationToken: stage.Cancellation);
        stage.KnownExcess.UnionWith(weeks.Weeks.Where(w => w.ExcessMinutes > 0).Select(w => (cmo, FromWire(w.Monday))));

        var covering = new List<string>();
        foreach (var need in absence.Needs)
        {
            LackingMinutes += need.Dates.Sum(d => d.Minutes);
            if (need.CoverId.Length == 0)
            {
                stage.Refusals.Add(new DemoRefusal(need.RefusalReason, $"cover for {Last(need.Engagement)}", need.RefusalMessage));
            }
            else if (await Cover(absence, need) is { } other)
            {
                covering.Add(other);
            }
        }

        return $"{Last(cmo)} is ill until {Text(until)}: {absence.Needs.Count} engagements lack {Hours(absence.Needs.Sum(n => n.Dates.Sum(d => d.Minutes)))}, "
            + (covering.Count == 0 ? "nobody else has room" : $"{covering.Count} covered by {Names(covering)}");
    }

    /// <summary>Every cover that was booked stands with the client's consent and the covering CMO's agreement.</summary>
    public async Task<DemoCheck> Check()
    {
        var right = 0;
        foreach (var (engagement, id, cmo) in _covers)
        {
            var known = await _engagements.GetEngagementAsync(new GetEngagementRequest { Name = engagement }, cancellationToken: stage.Cancellation);
            right += known.Covers.Any(c => c.CoverId == id && c.CoveringCmo == cmo && c.State == CoverState.Booked && c.Consent is not null && c.AgreeTime is not null) ? 1 : 0;
        }

        return new DemoCheck("every cover is booked with consent and agreement", right == _covers.Count, $"{right} of {_covers.Count}");
    }

    /// <summary>The first candidate who still has room: the client consents, the CMO agrees, and it is booked.</summary>
    private async Task<string?> Cover(Absence absence, AbsenceNeed need)
    {
        for (var i = 0; i < need.Candidates.Count && i < 3; i++)
        {
            var (id, candidate) = (i == 0 ? need.CoverId : $"{need.CoverId}-{i + 1}", need.Candidates[i]);
            if (i > 0)
            {
                var cover = new Cover { CoverId = id, AwayCmo = absence.Cmo, CoveringCmo = candidate, Reason = absence.Reason };
                cover.Dates.AddRange(need.Dates.Select(d => new CoverDate { Date = d.Date, Minutes = d.Minutes }));
                await _engagements.RequestCoverAsync(new RequestCoverRequest { Name = need.Engagement, Cover = cover }, cancellationToken: stage.Cancellation);
            }

            var client = stage.Work.First(w => w.Name == need.Engagement).ClientId;
            await _engagements.ConsentToCoverAsync(
                new ConsentToCoverRequest { Name = need.Engagement, CoverId = id, PersonId = stage.DecisionMakers(client)[0] }, cancellationToken: stage.Cancellation);
            await _engagements.AgreeToCoverAsync(new AgreeToCoverRequest { Name = need.Engagement, CoverId = id, Cmo = candidate }, cancellationToken: stage.Cancellation);
            var booked = await stage.Try(
                $"{Last(candidate)} for {Last(need.Engagement)}",
                async () => await _engagements.BookCoverAsync(new BookCoverRequest { Name = need.Engagement, CoverId = id }, cancellationToken: stage.Cancellation));
            if (booked is not null)
            {
                stage.Covers.Add(new DemoCover(need.Engagement, candidate, need.Dates.ToDictionary(d => FromWire(d.Date), d => d.Minutes)));
                _covers.Add((need.Engagement, id, candidate));
                stage.Count(DemoEvent.Covered);
                return candidate;
            }

            await _engagements.DeclineCoverAsync(
                new DeclineCoverRequest { Name = need.Engagement, CoverId = id, Reason = "Somebody else's cover took the room." }, cancellationToken: stage.Cancellation);
        }

        return null;
    }

    private int Engagements(string cmo) => stage.Work.Count(w => w.Cmo == cmo && w.IsActiveOn(stage.Today));

    /// <summary>Who has no day off then, and is measured by no other chapter.</summary>
    private IEnumerable<string> Present(LocalDate from, LocalDate to) =>
        stage.Roster.Cmos.Select(c => stage.CmoName(c.Id)).Where(c => !stage.Measured.Contains(c) && !stage.IsAway(c, from, to));
}
