using AgencyPlatform.Protocol.Capacity.V1;
using AgencyPlatform.Protocol.Engagements.V1;
using Google.Protobuf.WellKnownTypes;
using static AgencyPlatform.Host.Demo.DemoWire;

namespace AgencyPlatform.Host.Demo;

/// <summary>From a client's wish to an active engagement: a hold, a proposal that is revised or declined now and then, the CMO's agreement, the sign-off, the start.</summary>
internal sealed class DemoPlacement(DemoStage stage)
{
    private readonly EngagementsService.EngagementsServiceClient _engagements = stage.Platform.Engagements;
    private readonly List<(string Engagement, int Expected, SignOffNeed Was)> _signOffs = [];
    private readonly List<string> _notes = [];
    private int _proposals;

    public List<RosterEngagement> Unplaced { get; } = [];

    /// <summary>What was told of proposals since the last time it was asked.</summary>
    public IReadOnlyList<string> Told()
    {
        var told = _notes.ToList();
        _notes.Clear();
        return told;
    }

    /// <summary>With the CMO who is asked first, or another who fits.</summary>
    public async Task<bool> Place(RosterEngagement e)
    {
        var booking = Wanted(e);
        var hold = await stage.Try($"{e.Client} with {e.Cmo}", () => Hold(e.Cmo, e.Id, booking));
        if (hold is null)
        {
            var found = await stage.Platform.Capacity.FindCmosAsync(new FindCmosRequest { Parent = stage.Agency, Booking = booking }, cancellationToken: stage.Cancellation);
            if (found.Candidates.FirstOrDefault(c => c.Fits) is { } other)
            {
                hold = await stage.Try($"{e.Client} with {Last(other.Cmo)}", () => Hold(Last(other.Cmo), e.Id, booking));
            }
        }

        if (hold is not null && await Start(e, hold, TermOf(e)))
        {
            return true;
        }

        Unplaced.Add(e);
        return false;
    }

    /// <summary>What an engagement books.</summary>
    public Booking Wanted(RosterEngagement e) => new()
    {
        ClientCompany = stage.ClientName(e.Client),
        Steps =
        {
            new BookingStep
            {
                StartDate = Wire(e.Start),
                EndDate = e.End is { } end ? Wire(end) : null,
                PerPeriod = new PerPeriodForm { Minutes = e.MonthlyMinutes, BillCycleDay = 1, PeriodMonths = 1 },
            },
        },
    };

    /// <summary>From a hold to the start.</summary>
    public async Task<bool> Start(RosterEngagement e, Booking hold, TermRules? term)
    {
        var number = _proposals++;
        var asksConsent = e.Retainer && number % 2 == 0;
        var proposed = await Propose(e, hold, term, asksConsent);
        if (number % 14 == 2)
        {
            (e, proposed) = await Revise(e, proposed, asksConsent);
        }
        else if (number % 14 == 5)
        {
            (e, proposed) = await ComeBackAfter(proposed, e, hold, term, asksConsent);
        }

        var cmo = hold.Name[..hold.Name.IndexOf("/bookings/", StringComparison.Ordinal)];
        if (e.Retainer)
        {
            await _engagements.RequestAgreementAsync(new RequestAgreementRequest { Name = proposed.Name, ExpireTime = Midday(stage.Today.PlusDays(7)) }, cancellationToken: stage.Cancellation);
            await _engagements.AgreeToEngagementAsync(
                new AgreeToEngagementRequest { Name = proposed.Name, Cmo = cmo, Revision = proposed.Revision }, cancellationToken: stage.Cancellation);
            stage.Count(DemoEvent.AgreedByCmo);
        }

        foreach (var person in stage.DecisionMakers(e.Client).TakeWhile(_ => proposed.State == EngagementState.Proposed))
        {
            proposed = await _engagements.SignEngagementAsync(
                new SignEngagementRequest { Name = proposed.Name, PersonId = person, Revision = proposed.Revision }, cancellationToken: stage.Cancellation);
        }

        Signed(proposed.Name, e.Client, MonthlyCents(e), proposed.SignOff);
        var activated = await stage.Try(
            $"start of {e.Id}", async () => await _engagements.ActivateEngagementAsync(new ActivateEngagementRequest { Name = proposed.Name }, cancellationToken: stage.Cancellation));
        if (activated is null)
        {
            return false;
        }

        stage.Work.Add(new DemoWork(e, activated.Name, stage.ClientName(e.Client), cmo, term, asksConsent));
        return true;
    }

    /// <summary>Remembers a sign-off, to be checked against what the client's rule asks for.</summary>
    public void Signed(string engagement, string clientId, long monthlyCents, SignOffNeed was)
    {
        var expected = stage.SignaturesNeeded(clientId, monthlyCents);
        _signOffs.Add((engagement, expected, was));
        stage.Count(DemoEvent.SignedByTwo, expected == 2 ? 1 : 0);
    }

    public IEnumerable<DemoCheck> Check()
    {
        var wrong = _signOffs.Where(s => s.Was.Needed != s.Expected || s.Was.Signed != s.Expected).Select(s => Last(s.Engagement)).ToList();
        yield return new DemoCheck(
            "everything was signed by as many as its client's rule asks for", wrong.Count == 0,
            wrong.Count == 0 ? $"{_signOffs.Count} sign-offs, {_signOffs.Count(s => s.Expected == 2)} of them by two of three" : string.Join(", ", wrong));
    }

    private async Task<Engagement> Propose(RosterEngagement e, Booking hold, TermRules? term, bool asksConsent)
    {
        var cmo = hold.Name[..hold.Name.IndexOf("/bookings/", StringComparison.Ordinal)];
        var draft = new Engagement
        {
            ClientCompany = stage.ClientName(e.Client),
            Title = e.Title,
            ServiceType = e.Retainer ? ServiceType.FractionalCmo : ServiceType.Consultant,
            Lead = cmo,
            // Who advises by the hour has agreed to it once for all.
            Members = { new Member { Cmo = cmo, Hold = hold.Name, CmoAgreementWaived = !e.Retainer } },
            Terms = { TermsOf(e, asksConsent) },
            StartDate = Wire(e.Start),
            EndDate = e.End is { } end ? Wire(end) : null,
            Term = term,
        };
        var created = await _engagements.CreateEngagementAsync(
            new CreateEngagementRequest { Parent = stage.Agency, EngagementId = e.Id, Engagement = draft }, cancellationToken: stage.Cancellation);
        return await _engagements.ProposeEngagementAsync(new ProposeEngagementRequest { Name = created.Name }, cancellationToken: stage.Cancellation);
    }

    /// <summary>The client finds it dear; the agency takes it back and proposes it anew for less.</summary>
    private async Task<(RosterEngagement, Engagement)> Revise(RosterEngagement e, Engagement proposed, bool asksConsent)
    {
        await _engagements.CommentOnEngagementAsync(
            new CommentOnEngagementRequest { Name = proposed.Name, PersonId = stage.DecisionMakers(e.Client)[0], Text = "Good, but dear: can you come down a little?" }, cancellationToken: stage.Cancellation);
        var draft = await _engagements.ReviseEngagementAsync(new ReviseEngagementRequest { Name = proposed.Name }, cancellationToken: stage.Cancellation);
        var cheaper = e with { Amount = e.Amount * 95 / 100 };
        await _engagements.UpdateEngagementAsync(
            new UpdateEngagementRequest
            {
                Engagement = new Engagement { Name = draft.Name, Etag = draft.Etag, Terms = { TermsOf(cheaper, asksConsent) } },
                UpdateMask = new FieldMask { Paths = { "terms" } },
            },
            cancellationToken: stage.Cancellation);
        stage.Count(DemoEvent.Revised);
        _notes.Add($"{e.Client} finds {e.Id} dear: it is revised from {Dollars(e.Amount)} to {Dollars(cheaper.Amount)}");
        return (cheaper, await _engagements.ProposeEngagementAsync(new ProposeEngagementRequest { Name = draft.Name }, cancellationToken: stage.Cancellation));
    }

    /// <summary>The client declines; another proposal takes the same hold, which stands until it expires.</summary>
    private async Task<(RosterEngagement, Engagement)> ComeBackAfter(Engagement declined, RosterEngagement e, Booking hold, TermRules? term, bool asksConsent)
    {
        await _engagements.DeclineEngagementAsync(
            new DeclineEngagementRequest { Name = declined.Name, PersonId = stage.DecisionMakers(e.Client)[0], Revision = declined.Revision, Reason = "Not at this price." }, cancellationToken: stage.Cancellation);
        stage.Count(DemoEvent.Declined);
        var again = e with { Id = $"{e.Id}-2", Amount = e.Amount * 9 / 10 };
        _notes.Add($"{e.Client} declines {e.Id}, and takes {again.Id} for {Dollars(again.Amount)} with the same hold");
        return (again, await Propose(again, hold, term, asksConsent));
    }

    private async Task<Booking> Hold(string cmo, string id, Booking booking) => await stage.Platform.Capacity.HoldBookingAsync(
        new HoldBookingRequest { Parent = stage.CmoName(cmo), BookingId = $"for-{id}", Booking = booking, Expiry = Days(14) }, cancellationToken: stage.Cancellation);

    private Terms TermsOf(RosterEngagement e, bool asksConsent)
    {
        var terms = new Terms { Seller = stage.LegalEntity, Currency = "USD", BillCycleDay = 1 };
        if (e.Retainer)
        {
            terms.Retainer = new RetainerTerms
            {
                Fee = Usd(e.Amount),
                IncludedMinutes = e.MonthlyMinutes,
                OverageHourlyRate = Usd(250_00),
                OverageGate = asksConsent ? OverageGate.Consent : OverageGate.Bill,
            };
        }
        else
        {
            terms.Hourly = new HourlyTerms { HourlyRate = Usd(e.Amount), EstimatedMonthly = Usd(MonthlyCents(e)) };
        }

        return terms;
    }

    private static long MonthlyCents(RosterEngagement e) => e.Retainer ? e.Amount : e.Amount * e.MonthlyMinutes / 60;

    /// <summary>Some retainers are agreed for two months at a time, to be renewed by themselves or by signature; the others go on until somebody ends them.</summary>
    private TermRules? TermOf(RosterEngagement e) => (e.Retainer && e.End is null, _proposals % 10) switch
    {
        (true, 0) => new TermRules { InitialMonths = 2, Renewal = TermRules.Types.Renewal.Automatic, RenewalMonths = 2, NoticeDays = 21 },
        (true, 4) => new TermRules { InitialMonths = 2, Renewal = TermRules.Types.Renewal.BySignature, RenewalMonths = 3 },
        _ => null,
    };
}
