using AgencyPlatform.Protocol.Capacity.V1;
using AgencyPlatform.Protocol.Engagements.V1;
using NodaTime;
using static AgencyPlatform.Host.Demo.DemoWire;

namespace AgencyPlatform.Host.Demo;

/// <summary>What becomes of running engagements: more or fewer hours, the taper to an in-house hire, notice, and what falls due.</summary>
internal sealed class DemoMoves(DemoStage stage, DemoPlacement placement)
{
    private const int NoticeOfWeek = 5;
    private const int MostRaises = 10;
    private static readonly string[] s_handover = ["channels", "dashboards", "contracts"];

    private readonly EngagementsService.EngagementsServiceClient _engagements = stage.Platform.Engagements;
    private readonly List<(DemoWork Work, LocalDate End)> _tapers = [];
    private readonly List<(DemoWork Work, LocalDate End)> _notices = [];
    private readonly HashSet<(string Engagement, LocalDate Date)> _toSign = [];
    private int _handedOver;

    /// <summary>A quarter more hours and fee from a date on, with the first CMO who has room for it; proposed, signed, agreed to and applied.</summary>
    public async Task<string?> ChangeScope()
    {
        var from = stage.Today.PlusDays(14);
        foreach (var work in stage.Free().Take(20))
        {
            var engagement = await Get(work);
            var (terms, minutes) = (engagement.Terms[^1].Clone(), work.MonthlyMinutesOn(stage.Today) * 5 / 4);
            terms.EffectiveDate = null;
            terms.Retainer.IncludedMinutes = minutes;
            terms.Retainer.Fee.MinorUnits = terms.Retainer.Fee.MinorUnits * 5 / 4;
            var step = new BookingStep { StartDate = Wire(from), PerPeriod = new PerPeriodForm { Minutes = minutes, BillCycleDay = 1, PeriodMonths = 1 } };
            var proposal = new ProposeScopeChangeRequest
            {
                Name = work.Name,
                ScopeChange = new ScopeChange { EffectiveDate = Wire(from), Members = { new ScopeMember { Cmo = work.Cmo, Steps = { step } } }, Terms = terms, Note = "A second market." },
                ValidateOnly = true,
            };
            if (await stage.Try($"more of {work.Id}", async () => await _engagements.ProposeScopeChangeAsync(proposal, cancellationToken: stage.Cancellation)) is null)
            {
                continue;
            }

            proposal.ValidateOnly = false;
            var changing = await _engagements.ProposeScopeChangeAsync(proposal, cancellationToken: stage.Cancellation);
            if (!await Applied(work, changing, $"more of {work.Id}"))
            {
                continue;
            }

            var before = work.MonthlyMinutesOn(stage.Today);
            work.From(from, minutes);
            work.IsFree = false;
            stage.Count(DemoEvent.ScopeChanged);
            return $"{work.Id} grows from {before / 60} to {minutes / 60} h a month from {Text(from)} on, signed by {changing.ScopeChange.Signatures.Count}";
        }

        return null;
    }

    /// <summary>Retainers that have run for half a year cost four in a hundred more from the month after next on, where their clients sign.</summary>
    public async Task<string?> RaisePrices()
    {
        var (from, raised, more) = (stage.NextMonth.PlusMonths(1), 0, 0L);
        foreach (var work in stage.Free().Where(w => w.Start <= stage.Today.PlusMonths(-6)).Take(MostRaises))
        {
            var terms = (await Get(work)).Terms[^1].Clone();
            terms.EffectiveDate = null;
            var before = terms.Retainer.Fee.MinorUnits;
            terms.Retainer.Fee.MinorUnits = before * 104 / 100;
            var changing = await _engagements.ProposeScopeChangeAsync(
                new ProposeScopeChangeRequest { Name = work.Name, ScopeChange = new ScopeChange { EffectiveDate = Wire(from), Terms = terms, Note = "Our prices of the new year." } }, cancellationToken: stage.Cancellation);
            if (await Applied(work, changing, $"new price of {work.Id}"))
            {
                (raised, more) = (raised + 1, more + terms.Retainer.Fee.MinorUnits - before);
                work.IsFree = false;
                stage.Count(DemoEvent.PriceRaised);
            }
        }

        return raised == 0 ? null : $"{raised} retainers cost {Dollars(more)} a month more from {Text(from)} on";
    }

    /// <summary>The client has hired: half of it from the next month on, a quarter from the middle of it, nothing after it.</summary>
    public async Task<string?> Taper()
    {
        if (stage.Free().FirstOrDefault() is not { } work)
        {
            return null;
        }

        var (first, second, end) = (stage.NextMonth, stage.NextMonth.PlusDays(15), stage.NextMonth.PlusMonths(1));
        var transition = new Transition { Steps = { new TaperStep { EffectiveDate = Wire(first), Percent = 50 }, new TaperStep { EffectiveDate = Wire(second), Percent = 25 } }, Note = "To an in-house CMO." };
        transition.Checklist.AddRange(s_handover.Select(item => new HandoverItem { ItemId = item, Title = $"Hand over the {item}" }));
        var started = await stage.Try($"taper of {work.Id}", async () => await _engagements.StartTransitionAsync(
            new StartTransitionRequest { Name = work.Name, Transition = transition }, cancellationToken: stage.Cancellation));
        if (started is null)
        {
            return null;
        }

        var minutes = work.MonthlyMinutesOn(stage.Today);
        work.From(first, minutes / 2);
        work.From(second, minutes / 4);
        work.State = EngagementState.Transitioning;
        work.IsFree = false;
        _tapers.Add((work, end));
        _handedOver = 0;
        stage.Count(DemoEvent.TaperStarted);
        return $"{work.Id} tapers off to an in-house hire: 50 % from {Text(first)}, 25 % from {Text(second)}";
    }

    /// <summary>One thing a week is handed over; after the last one the engagement ends.</summary>
    public async Task<string?> HandOver()
    {
        if (_tapers is not [.., ({ State: EngagementState.Transitioning } work, var end)])
        {
            return null;
        }

        if (_handedOver < s_handover.Length)
        {
            var item = s_handover[_handedOver++];
            await _engagements.PutHandoverItemAsync(new PutHandoverItemRequest { Name = work.Name, ItemId = item, Done = true }, cancellationToken: stage.Cancellation);
            return $"{work.Id} hands over the {item}";
        }

        await _engagements.EndEngagementAsync(new EndEngagementRequest { Name = work.Name, EndDate = Wire(end) }, cancellationToken: stage.Cancellation);
        work.From(end, 0);
        work.State = EngagementState.Ended;
        stage.Count(DemoEvent.TaperEnded);
        return $"{work.Id} is handed over and ends on {Text(end)}";
    }

    /// <summary>What falls due: once a quarter notice is given in time, and next terms are signed by all clients but every third.</summary>
    public async Task<IReadOnlyList<string>> LookAtWhatIsDue()
    {
        var notes = new List<string>();
        if (stage.Week % 13 == NoticeOfWeek && (await Due(DueKind.LastNotice, 7)).FirstOrDefault() is { } last)
        {
            var work = stage.Work.First(w => w.Name == last.Engagement);
            var end = FromWire((await Get(work)).TermStatus.EndDate);
            await _engagements.EndEngagementAsync(new EndEngagementRequest { Name = work.Name, EndDate = Wire(end) }, cancellationToken: stage.Cancellation);
            work.From(end, 0);
            work.State = EngagementState.Ended;
            _notices.Add((work, end));
            stage.Count(DemoEvent.EndedByNotice);
            notes.Add($"{work.ClientId} gives notice, the last day for it is {Text(FromWire(last.Date))}: {work.Id} ends on {Text(end)}");
        }

        foreach (var due in await Due(DueKind.RenewalToSign, 14))
        {
            var (work, date) = (stage.Work.First(w => w.Name == due.Engagement), FromWire(due.Date));
            if (!_toSign.Add((work.Name, date)))
            {
                continue;
            }

            if (_toSign.Count % 3 == 2)
            {
                work.TimeEndsItOn = date;
                work.From(date, 0);
                notes.Add($"{work.ClientId} does not sign again: {work.Id} will end on {Text(date)}");
                continue;
            }

            var signed = await Get(work);
            foreach (var person in stage.DecisionMakers(work.ClientId).TakeWhile(_ => signed.TermStatus.Renewals == work.Renewals))
            {
                signed = await _engagements.SignRenewalAsync(new SignRenewalRequest { Name = work.Name, PersonId = person }, cancellationToken: stage.Cancellation);
            }

            work.Renewals++;
            stage.Count(DemoEvent.RenewedBySignature);
            notes.Add($"{work.ClientId} signs again: {work.Id} until {Text(FromWire(signed.TermStatus.EndDate))}");
        }

        return notes;
    }

    /// <summary>Signed as its client's rule asks, agreed to by who must, and applied, unless a rule refuses it.</summary>
    private async Task<bool> Applied(DemoWork work, Engagement changing, string what)
    {
        foreach (var person in stage.DecisionMakers(work.ClientId).TakeWhile(_ => changing.ScopeChange.State == ScopeState.Proposed))
        {
            changing = await _engagements.SignScopeChangeAsync(
                new SignScopeChangeRequest { Name = work.Name, PersonId = person, Number = changing.ScopeChange.Number }, cancellationToken: stage.Cancellation);
        }

        placement.Signed(work.Name, work.ClientId, changing.ScopeChange.Terms.Retainer.Fee.MinorUnits, changing.ScopeChange.SignOff);
        foreach (var member in changing.ScopeChange.Members.Where(m => m.MustAgree))
        {
            await _engagements.AgreeToScopeChangeAsync(
                new AgreeToScopeChangeRequest { Name = work.Name, Cmo = member.Cmo, Number = changing.ScopeChange.Number }, cancellationToken: stage.Cancellation);
            stage.Count(DemoEvent.AgreedByCmo);
        }

        return await stage.Try(what, async () => await _engagements.ApplyScopeChangeAsync(
            new ApplyScopeChangeRequest { Name = work.Name, Number = changing.ScopeChange.Number }, cancellationToken: stage.Cancellation)) is not null;
    }

    /// <summary>What falls due from today on, the next things first.</summary>
    public async Task<IReadOnlyList<DueItem>> Next(int count) => (await _engagements.ListDueAsync(
        new ListDueRequest { Parent = stage.Agency, PageSize = count }, cancellationToken: stage.Cancellation)).Items;

    /// <summary>Every engagement is in the state, and its term where it must be; so are tapers and notices.</summary>
    public async Task<IReadOnlyList<DemoCheck>> Check()
    {
        var (states, terms, ends) = (new List<string>(), new List<string>(), new List<string>());
        foreach (var work in stage.Work)
        {
            var known = await Get(work);
            var overByTime = work.TimeEndsItOn <= stage.Today;
            stage.Count(DemoEvent.EndedByTime, overByTime ? 1 : 0);
            if (known.State != (overByTime ? EngagementState.Ended : StateOf(work)))
            {
                states.Add($"{work.Id} is {known.State}");
            }

            if (work.Term is { } term && known.TermStatus.Renewals != Renewals(work, term))
            {
                terms.Add($"{work.Id} has {known.TermStatus.Renewals}");
            }

            stage.Count(DemoEvent.RenewedByTime, work.Term?.Renewal == TermRules.Types.Renewal.Automatic ? known.TermStatus.Renewals : 0);
            if (_tapers.Concat(_notices).FirstOrDefault(e => e.Work == work && work.State == EngagementState.Ended) is { Work: not null } over
                && (FromWire(known.EndDate) != over.End || known.Transition?.Checklist.All(i => i.DoneTime is not null) == false))
            {
                ends.Add(work.Id);
            }
        }

        return
        [
            new("every engagement is in the state that its moves and time lead to", states.Count == 0, Found(states, $"{stage.Work.Count} of {stage.Work.Count}")),
            new("every term was renewed as often as dates and signatures say", terms.Count == 0, Found(terms, $"{stage.Work.Count(w => w.Term is not null)} terms")),
            new("every taper and notice ends on its day, all handed over", ends.Count == 0, Found(ends, $"{_tapers.Count(t => t.Work.State == EngagementState.Ended)} tapers, {_notices.Count} notices")),
        ];
    }

    /// <summary>Where the last move has led it by today: what ends on a day to come goes on until then.</summary>
    private EngagementState StateOf(DemoWork work) =>
        _tapers.Any(t => t.Work == work && t.Work.State == EngagementState.Ended && t.End > stage.Today) ? EngagementState.Transitioning
        : _notices.Any(n => n.Work == work && n.End > stage.Today) ? EngagementState.Active
        : work.State;

    /// <summary>How often a term must have been renewed by today: as often as it was signed, or by itself whenever one was over, unless notice was given for it.</summary>
    private int Renewals(DemoWork work, TermRules term)
    {
        if (term.Renewal != TermRules.Types.Renewal.Automatic)
        {
            return work.Renewals;
        }

        var until = _notices.Where(n => n.Work == work).Select(n => (LocalDate?)n.End).FirstOrDefault() ?? stage.Today.PlusDays(1);
        var renewals = 0;
        while (work.Start.PlusMonths(term.InitialMonths + (renewals * term.RenewalMonths)) < until)
        {
            renewals++;
        }

        return renewals;
    }

    private static string Found(List<string> wrong, string right) => wrong.Count == 0 ? right : string.Join(", ", wrong);

    private async Task<IReadOnlyList<DueItem>> Due(DueKind kind, int days) => (await _engagements.ListDueAsync(
        new ListDueRequest { Parent = stage.Agency, PageSize = 1000, Kind = kind, StartDate = Wire(stage.Today), EndDate = Wire(stage.Today.PlusDays(days)) },
        cancellationToken: stage.Cancellation)).Items;

    private async Task<Engagement> Get(DemoWork work) =>
        await _engagements.GetEngagementAsync(new GetEngagementRequest { Name = work.Name }, cancellationToken: stage.Cancellation);
}
