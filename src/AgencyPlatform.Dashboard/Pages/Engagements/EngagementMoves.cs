using System.Globalization;
using AgencyPlatform.Dashboard.Session;
using AgencyPlatform.Dashboard.Shared;
using AgencyPlatform.Protocol.Agencies.V1;
using AgencyPlatform.Protocol.Clients.V1;
using AgencyPlatform.Protocol.Engagements.V1;
using AgencyPlatform.Protocol.Time.V1;
using Google.Protobuf.WellKnownTypes;
using MudBlazor;
using Transition = AgencyPlatform.Protocol.Engagements.V1.Transition;

namespace AgencyPlatform.Dashboard.Pages.Engagements;

/// <summary>
/// What whoever is signed in may do with an engagement as it stands: buttons and what each asks for. What is not offered, the API would refuse; what is offered, it may refuse all the same, and says why.
/// </summary>
/// <param name="client">Who signs there; null: not known to whoever is signed in.</param>
public sealed class EngagementMoves(AgencySession session, Engagement e, ClientCompany? client, Names names)
{
    private const string Why = "why";
    private const string Who = "who";
    private const string By = "by";
    private const string From = "from";
    private const string To = "to";
    private const string Minutes = "minutes";

    private EngagementsService.EngagementsServiceClient Api => session.Platform.Engagements;

    private bool Operates => session.Operates;

    /// <summary>Whether they may speak for the client's decision makers.</summary>
    private bool Signs => client is not null && (Operates || session.Is(Role.ClientApprover));

    private bool IsProposal => e.State is EngagementState.Proposed or EngagementState.Accepted;

    /// <summary>What moves the whole engagement, the one that leads on first.</summary>
    public IEnumerable<Move> Actions() => OfProposal().Concat(OfRenewal()).Concat(Operates ? OfTheAgency() : []).Concat(OfComment());

    /// <summary>The client's word on a proposal.</summary>
    public IEnumerable<Move> OfProposal()
    {
        if (!Signs || e.State != EngagementState.Proposed)
        {
            yield break;
        }

        yield return Move.Of<SignEngagementRequest>(
            "Sign", "Sign the proposal", $"Revision {e.Revision}. A signature counts once; when as many as needed have signed, the proposal is accepted.",
            v => new() { Name = e.Name, Revision = e.Revision, PersonId = v.Text(Who), SignedBy = v.Text(By) }, r => Api.SignEngagementAsync(r).ResponseAsync, "Signed.", leads: true,
            fields: [Person("Who signs", e.SignOff?.Signers, e.Signatures), Delegate]);
        yield return Move.Of<DeclineEngagementRequest>(
            "Decline", "Decline the proposal", "The proposal is over then; the agency may make another.",
            v => new() { Name = e.Name, Revision = e.Revision, PersonId = v.Text(Who), DeclinedBy = v.Text(By), Reason = v.Text(Why) }, r => Api.DeclineEngagementAsync(r).ResponseAsync, "Declined.", Color.Error,
            fields: [Person("Who declines", e.SignOff?.Signers, e.Signatures), Delegate, Reason()]);
    }

    /// <summary>A signature of the next term.</summary>
    public IEnumerable<Move> OfRenewal()
    {
        if (Signs && e.CanSignRenewal())
        {
            yield return Move.Of<SignRenewalRequest>(
                "Sign the next term", "Sign the next term", "When as many as needed have signed, the engagement goes on for the next term as it is.",
                v => new() { Name = e.Name, Renewal = e.TermStatus.Renewals + 1, PersonId = v.Text(Who), SignedBy = v.Text(By) }, r => Api.SignRenewalAsync(r).ResponseAsync, "Signed.",
                fields: [Person("Who signs", null, e.TermStatus.RenewalSignatures), Delegate]);
        }
    }

    /// <summary>A word about a proposal.</summary>
    public IEnumerable<Move> OfComment()
    {
        if ((Operates || session.Is(Role.ClientApprover)) && e.State is EngagementState.Draft or EngagementState.Proposed or EngagementState.Accepted)
        {
            yield return Move.Of<CommentOnEngagementRequest>(
                "Comment", "Say something about it", "No personal data: it stays in the history.",
                v => new() { Name = e.Name, PersonId = v.Text(Who), Text = v.Text(Why) }, r => Api.CommentOnEngagementAsync(r).ResponseAsync, "Said.",
                fields: [new(Who, "Who says it", MoveInput.Choice) { Choices = [.. Operates ? [("", "The agency")] : Array.Empty<(string, string)>(), .. Stakeholders()] }, Reason("What") with { Required = true }]);
        }
    }

    private IEnumerable<Move> OfTheAgency()
    {
        if (e.State == EngagementState.Draft)
        {
            yield return Move.Of<ProposeEngagementRequest>(
                "Propose", "Propose it", "It is put before the client's decision makers; who must sign is told by the client's rule for the amount.",
                v => new() { Name = e.Name, ExpireTime = Until(v.Date(To)), HoldsAtProposalEnd = v.Text(By) == "free" ? HoldsAtProposalEnd.Free : HoldsAtProposalEnd.Keep },
                r => Api.ProposeEngagementAsync(r).ResponseAsync, "Proposed.", leads: true,
                fields: [new(To, "Last day to sign (empty: no matter when)", MoveInput.Date), new(By, "Holds of its members, if nothing comes of it", MoveInput.Choice) { Choices = [("keep", "stand until they expire"), ("free", "are released")] }]);
        }

        if (e.State == EngagementState.Accepted)
        {
            yield return Move.Of<ActivateEngagementRequest>(
                "Activate", "Activate it", "Every member is booked, or none: then it says why, and nothing has changed.",
                _ => new() { Name = e.Name }, r => Api.ActivateEngagementAsync(r).ResponseAsync, "Active.", leads: true);
        }

        if (IsProposal && e.Members.Any(m => m.AgreementState is AgreementState.Open or AgreementState.Declined or AgreementState.Lapsed))
        {
            yield return Move.Of<RequestAgreementRequest>(
                "Ask the CMOs", "Ask the CMOs to agree", "All whose agreement is missing are asked.",
                v => new() { Name = e.Name, ExpireTime = Until(v.Date(To)) }, r => Api.RequestAgreementAsync(r).ResponseAsync, "Asked.",
                fields: [new(To, "Last day to answer (empty: no matter when)", MoveInput.Date)]);
        }

        if (e.State == EngagementState.Paused)
        {
            yield return Move.Of<ResumeEngagementRequest>(
                "Resume", "Resume it", "What the pause has freed is taken again, with every CMO or with none.",
                v => new() { Name = e.Name, ResumeDate = v.Date(From)?.ToWire() }, r => Api.ResumeEngagementAsync(r).ResponseAsync, "Resumed.", leads: true,
                fields: [Day(From, "First day with work again", session.Today)]);
        }

        if (e.State == EngagementState.Active)
        {
            yield return Move.Of<PauseEngagementRequest>(
                "Pause", "Pause it", "No time is accepted from the first day on, and no minutes are included. Capacity is freed unless it is kept.",
                v => new() { Name = e.Name, StartDate = v.Date(From)?.ToWire(), KeepUntilDate = v.Date(To)?.ToWire(), FeePercent = v.Number(Minutes), Reason = v.Text(Why) },
                r => Api.PauseEngagementAsync(r).ResponseAsync, "Paused.",
                fields:
                [
                    Day(From, "First day without work", session.Today.AddDays(1)), new(To, "Free the capacity on (empty: at once)", MoveInput.Date),
                    new(Minutes, "Fee charged meanwhile, %", MoveInput.Number) { Initial = "0", Most = 100, Required = true }, Reason(),
                ]);
        }

        if (e.State is EngagementState.Active or EngagementState.Paused)
        {
            yield return Move.Of<StartTransitionRequest>(
                "Taper to in-house", "Taper to an in-house hire", "From each date on bookings, fee and included hours are a share of what was agreed. Afterwards only covers, the checklist and the end are left.",
                v => new() { Name = e.Name, Transition = Taper(v) }, r => Api.StartTransitionAsync(r).ResponseAsync, "It tapers off.",
                fields:
                [
                    Day(From, "First date", new DateOnly(session.Today.Year, session.Today.Month, 1).AddMonths(1)), new(Minutes, "Share from then on, %", MoveInput.Number) { Initial = "50", Most = 100, Required = true },
                    new(To, "Second date (empty: none)", MoveInput.Date), new(By, "Share from then on, %", MoveInput.Number) { Initial = "25", Most = 100 },
                    new(Who, "To hand over, one thing a line", MoveInput.Text), Reason("Note"),
                ]);
        }

        if (e.IsRunning())
        {
            yield return Move.Of<RequestCoverRequest>(
                "Cover", "Ask for cover", "While a member is away another CMO takes their working days: the client is asked for consent, the covering CMO to agree. The hours draw the same meter.",
                v => new() { Name = e.Name, Cover = Covered(v) }, r => Api.RequestCoverAsync(r).ResponseAsync, "Asked for.",
                fields:
                [
                    new(Who, "Who is away", MoveInput.Choice) { Choices = [.. e.Members.Select(m => (m.Cmo, names[m.Cmo]))], Required = true },
                    new(By, "Who covers", MoveInput.Choice) { Choices = [.. names.Of("cmos").Where(c => e.Members.All(m => m.Cmo != c.Key)).Select(c => (c.Key, c.Value))], Required = true },
                    Day(From, "First day", session.Today.AddDays(1)), Day(To, "Last day", session.Today.AddDays(5)), new(Minutes, "Hours a working day", MoveInput.Hours) { Initial = "240", Most = 1_440, Required = true }, Reason(),
                ]);
            yield return Move.Of<SellPrepaidHoursRequest>(
                "Sell hours", "Sell a block of hours", e.TermsOn(session.Today)?.Prepaid is null ? "It is on the meter beside the included hours, and charged on its first day." : "What is left empty is as the terms say.",
                v => new() { Name = e.Name, Minutes = v.Number(Minutes), Price = v.Amount(By), EffectiveDate = v.Date(From)?.ToWire(), ExpireDate = v.Date(To)?.AddDays(1).ToWire() },
                r => Api.SellPrepaidHoursAsync(r).ResponseAsync, "Sold.",
                fields: [new(Minutes, "Hours", MoveInput.Hours), new(By, $"Price, {Currency}", MoveInput.Amount) { Currency = Currency }, Day(From, "First day", session.Today), new(To, "Last day", MoveInput.Date)]);
            yield return Move.Of<EndEngagementRequest>(
                "End", "End it", EndText(),
                v => new() { Name = e.Name, EndDate = v.Date(To)?.AddDays(1).ToWire(), NoticeWaiverReason = v.Text(Why) }, r => Api.EndEngagementAsync(r).ResponseAsync, "Its end is set.", Color.Error,
                fields: [Day(To, "Last day served", e.TermStatus?.EndDate.ToDateOnly()?.AddDays(-1)), Reason("Why term and notice are waived (empty: they are not)")]);
        }

        if (e.State == EngagementState.Proposed)
        {
            yield return Move.Of<ReviseEngagementRequest>(
                "Revise", "Take it back into a draft", "What was signed and agreed is void; the next proposal says what it changed.",
                _ => new() { Name = e.Name }, r => Api.ReviseEngagementAsync(r).ResponseAsync, "A draft again.");
        }

        if (e.State == EngagementState.Draft || IsProposal)
        {
            yield return Move.Of<WithdrawEngagementRequest>(
                "Withdraw", "Withdraw it", "The agency takes it back; it is over then.",
                v => new() { Name = e.Name, Reason = v.Text(Why) }, r => Api.WithdrawEngagementAsync(r).ResponseAsync, "Withdrawn.", Color.Error, fields: [Reason()]);
        }
    }

    /// <summary>A member's agreement to the proposal: by the CMO, or told by the agency.</summary>
    public IEnumerable<Move> OfAgreement(Member member)
    {
        if (!IsProposal || !SpeaksFor(member.Cmo) || member.AgreementState == AgreementState.Waived)
        {
            yield break;
        }

        if (member.AgreementState is AgreementState.Open or AgreementState.Asked)
        {
            yield return Move.Of<AgreeToEngagementRequest>(
                "Agrees", $"{names[member.Cmo]} agrees", $"To revision {e.Revision}.",
                _ => new() { Name = e.Name, Cmo = member.Cmo, Revision = e.Revision }, r => Api.AgreeToEngagementAsync(r).ResponseAsync, "Agreed.", leads: !Operates);
        }

        if (member.AgreementState != AgreementState.Declined)
        {
            yield return Move.Of<DeclineAgreementRequest>(
                "Declines", $"{names[member.Cmo]} does not agree", "Whoever declined must be asked again before they can agree.",
                v => new() { Name = e.Name, Cmo = member.Cmo, Revision = e.Revision, Reason = v.Text(Why) }, r => Api.DeclineAgreementAsync(r).ResponseAsync, "Declined.", Color.Error,
                fields: [Reason() with { Required = true }]);
        }
    }

    /// <summary>What may be done with the latest change of scope.</summary>
    public IEnumerable<Move> OfScopeChange()
    {
        if (!e.ScopeChange.IsOpen() || e.State != EngagementState.Active)
        {
            yield break;
        }

        var change = e.ScopeChange;
        if (Signs && change.State == ScopeState.Proposed)
        {
            yield return Move.Of<SignScopeChangeRequest>(
                "Sign", "Sign the change", $"Change {change.Number}. When as many as needed have signed, it is accepted.",
                v => new() { Name = e.Name, Number = change.Number, PersonId = v.Text(Who), SignedBy = v.Text(By) }, r => Api.SignScopeChangeAsync(r).ResponseAsync, "Signed.", leads: true,
                fields: [Person("Who signs", change.SignOff?.Signers, change.Signatures), Delegate]);
            yield return Move.Of<DeclineScopeChangeRequest>(
                "Decline", "Decline the change", "Everything stays as it is.",
                v => new() { Name = e.Name, Number = change.Number, Reason = v.Text(Why) }, r => Api.DeclineScopeChangeAsync(r).ResponseAsync, "Declined.", Color.Error, fields: [Reason()]);
        }

        foreach (var member in change.Members.Where(m => m is { MustAgree: true, AgreeTime: null } && SpeaksFor(m.Cmo)))
        {
            yield return Move.Of<AgreeToScopeChangeRequest>(
                $"{names[member.Cmo]} agrees", $"{names[member.Cmo]} agrees", $"To change {change.Number}.",
                _ => new() { Name = e.Name, Number = change.Number, Cmo = member.Cmo }, r => Api.AgreeToScopeChangeAsync(r).ResponseAsync, "Agreed.");
            yield return Move.Of<DeclineScopeChangeRequest>(
                $"{names[member.Cmo]} declines", $"{names[member.Cmo]} does not agree", "Everything stays as it is.",
                v => new() { Name = e.Name, Number = change.Number, Cmo = member.Cmo, Reason = v.Text(Why) }, r => Api.DeclineScopeChangeAsync(r).ResponseAsync, "Declined.", Color.Error, fields: [Reason()]);
        }

        if (Operates)
        {
            if (change.State == ScopeState.Accepted)
            {
                yield return Move.Of<ApplyScopeChangeRequest>(
                    "Apply", "Apply the change", "Every CMO whom it concerns is booked, or none: then it says why, and nothing has changed.",
                    _ => new() { Name = e.Name, Number = change.Number }, r => Api.ApplyScopeChangeAsync(r).ResponseAsync, "Applied.", leads: true);
            }

            yield return Move.Of<WithdrawScopeChangeRequest>(
                "Withdraw", "Withdraw the change", "The agency takes it back; everything stays as it is.",
                v => new() { Name = e.Name, Number = change.Number, Reason = v.Text(Why) }, r => Api.WithdrawScopeChangeAsync(r).ResponseAsync, "Withdrawn.", Color.Error, fields: [Reason()]);
        }
    }

    /// <summary>What may be done with a cover.</summary>
    public IEnumerable<Move> OfCover(Cover cover)
    {
        var speaksForCmo = SpeaksFor(cover.CoveringCmo);
        if (cover.State == CoverState.Requested)
        {
            if (Signs && cover.Consent is null)
            {
                yield return Move.Of<ConsentToCoverRequest>(
                    "Consent", "Consent to the cover", $"{names[cover.CoveringCmo]} takes {cover.Dates.Sum(d => d.Minutes).Hours()} while {names[cover.AwayCmo]} is away. The hours draw the same meter.",
                    v => new() { Name = e.Name, CoverId = cover.CoverId, PersonId = v.Text(Who), ConsentedBy = v.Text(By) }, r => Api.ConsentToCoverAsync(r).ResponseAsync, "Consented.", leads: true,
                    fields: [Person("Who consents", null, []), Delegate]);
            }

            if (speaksForCmo && cover.AgreeTime is null && !cover.CmoAgreementWaived)
            {
                yield return Move.Of<AgreeToCoverRequest>(
                    Operates ? "CMO agrees" : "Agree", $"{names[cover.CoveringCmo]} agrees", "To cover these dates.",
                    _ => new() { Name = e.Name, CoverId = cover.CoverId, Cmo = cover.CoveringCmo }, r => Api.AgreeToCoverAsync(r).ResponseAsync, "Agreed.", leads: !Operates);
            }

            if (Operates && cover.Consent is not null && (cover.AgreeTime is not null || cover.CmoAgreementWaived))
            {
                yield return Move.Of<BookCoverRequest>(
                    "Book", "Book the cover", $"{names[cover.CoveringCmo]} is booked on the dates, or it says why not.",
                    _ => new() { Name = e.Name, CoverId = cover.CoverId }, r => Api.BookCoverAsync(r).ResponseAsync, "Booked.", leads: true);
            }

            if (Signs || speaksForCmo)
            {
                yield return Move.Of<DeclineCoverRequest>(
                    "Decline", "Decline the cover", "It is not booked.",
                    v => new() { Name = e.Name, CoverId = cover.CoverId, Reason = v.Text(Why) }, r => Api.DeclineCoverAsync(r).ResponseAsync, "Declined.", Color.Error, fields: [Reason()]);
            }
        }
        else if (cover.State == CoverState.Booked && Operates && cover.Dates.Any(d => d.Date.ToDateOnly() >= session.Today))
        {
            yield return Move.Of<CancelCoverRequest>(
                "Cancel", "Cancel the cover", "The covering CMO is free from the date on.",
                v => new() { Name = e.Name, CoverId = cover.CoverId, StartDate = v.Date(From)?.ToWire() }, r => Api.CancelCoverAsync(r).ResponseAsync, "Cancelled.", Color.Error,
                fields: [Day(From, "First date that is not covered any more", cover.Dates.Select(d => d.Date.ToDateOnly()).FirstOrDefault(d => d >= session.Today))]);
        }
    }

    /// <summary>Lets parked minutes be charged; null: none are, or it is not theirs to say.</summary>
    public Move? OfOverage()
    {
        if (e.ParkedMinutes is not (> 0 and var parked) || !(Operates || session.Is(Role.ClientApprover)))
        {
            return null;
        }

        return Move.Of<ConsentToOverageRequest>(
            "Consent to overage", "Consent to overage", $"{parked.Hours()} were worked beyond what is included. What you consent to is charged at the overage rate of its days, oldest first; the rest waits on.",
            v => new() { Name = e.Name, Minutes = v.Number(Minutes), Note = v.Text(Why) }, r => session.Platform.Time.ConsentToOverageAsync(r).ResponseAsync, "Consented.", leads: true,
            fields: [new(Minutes, "Hours", MoveInput.Hours) { Initial = parked.ToString(CultureInfo.InvariantCulture), Most = parked, Required = true }, Reason(Operates ? "How the client said so" : "Note") with { Required = Operates }]);
    }

    /// <summary>A milestone of the terms: reached, or not after all.</summary>
    public Move? OfMilestone(Milestone milestone)
    {
        if (!session.IsStaff || !(e.IsRunning() || e.State == EngagementState.Ended))
        {
            return null;
        }

        return e.ReachedMilestones.Any(r => r.MilestoneId == milestone.MilestoneId)
            ? Move.Of<ReopenMilestoneRequest>(
                "Reopen", $"Reopen {milestone.DisplayName}", "Nothing is due for it then, and what was invoiced of it is credited by the next bill.",
                v => new() { Name = e.Name, MilestoneId = milestone.MilestoneId, Reason = v.Text(Why) }, r => Api.ReopenMilestoneAsync(r).ResponseAsync, "Open again.", Color.Error, fields: [Reason() with { Required = true }])
            : Move.Of<MarkMilestoneReachedRequest>(
                "Reached", $"{milestone.DisplayName} is reached", "Its amount is due.",
                v => new() { Name = e.Name, MilestoneId = milestone.MilestoneId, ReachDate = v.Date(From)?.ToWire() }, r => Api.MarkMilestoneReachedAsync(r).ResponseAsync, "Reached.", leads: true,
                fields: [Day(From, "On", session.Today)]);
    }

    /// <summary>An item of the handover: done, or open again.</summary>
    public Move? OfHandover(HandoverItem item) => e.State != EngagementState.Transitioning || !(Operates || session.Is(Role.Cmo)) ? null : Move.Of<PutHandoverItemRequest>(
        item.DoneBy.Length == 0 ? "Done" : "Open again", item.Title, item.DoneBy.Length == 0 ? "It is handed over." : "It is not handed over yet.",
        _ => new() { Name = e.Name, ItemId = item.ItemId, Done = item.DoneBy.Length == 0 }, r => Api.PutHandoverItemAsync(r).ResponseAsync, "Noted.");

    private string Currency => e.TermsOn(session.Today)?.Currency ?? session.Agency.DefaultCurrency;

    private bool SpeaksFor(string cmo) => Operates || (session.Is(Role.Cmo) && session.Caller.Cmo == cmo);

    private string EndText() => e.TermStatus is { } term
        ? string.Create(CultureInfo.InvariantCulture, $"Its term ends on {term.EndDate.ToDateOnly()?.AddDays(-1):d MMMM yyyy}{(term.LastNoticeDate.ToDateOnly() is { } last ? $"; the last day of notice for it is {last:d MMMM yyyy}" : "")}. Every booking is cut at the end, at once; until then it goes on as it was.")
        : "Every booking is cut at the end, at once; until then it goes on as it was.";

    private static MoveField Reason(string label = "Why") => new(Why, label, MoveInput.Text);

    private static MoveField Day(string key, string label, DateOnly? initial) =>
        new(key, label, MoveInput.Date) { Required = true, Initial = initial?.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture) ?? "" };

    private IEnumerable<(string, string)> Stakeholders() => client?.Stakeholders.Select(s => (s.PersonId, Said(s))) ?? [];

    private static string Said(Stakeholder s) => s.Title.Length == 0 ? s.DisplayName : $"{s.DisplayName}, {s.Title}";

    private MoveField Person(string label, IEnumerable<string>? counted, IEnumerable<Signature> signed)
    {
        var of = counted?.ToHashSet(StringComparer.Ordinal) ?? [];
        var done = signed.Select(s => s.PersonId).ToHashSet(StringComparer.Ordinal);
        return new(Who, label, MoveInput.Choice)
        {
            Required = true,
            Choices = [.. (client?.Stakeholders ?? []).Where(s => s.DecisionMaker && (of.Count == 0 || of.Contains(s.PersonId)) && !done.Contains(s.PersonId)).Select(s => (s.PersonId, Said(s)))],
        };
    }

    private MoveField Delegate => new(By, "In their place", MoveInput.Choice)
    {
        Choices =
        [
            ("", "they themselves"),
            .. (client?.Delegations ?? []).Where(d => d.StartDate.ToDateOnly() <= session.Today && d.EndDate.ToDateOnly() > session.Today)
                .Select(d => (d.DelegateId, $"{PersonName(d.DelegateId)} for {PersonName(d.PersonId)}")),
        ],
    };

    private string PersonName(string id) => client?.Stakeholders.FirstOrDefault(s => s.PersonId == id)?.DisplayName ?? id;

    private Timestamp? Until(DateOnly? lastDay) => lastDay is { } day ? session.EndOf(day) : null;

    private static Transition Taper(MoveValues v)
    {
        var transition = new Transition { Note = v.Text(Why) };
        foreach (var (date, share) in new[] { (v.Date(From), v.Number(Minutes)), (v.Date(To), v.Number(By)) })
        {
            if (date is { } from)
            {
                transition.Steps.Add(new TaperStep { EffectiveDate = from.ToWire(), Percent = share });
            }
        }

        transition.Checklist.AddRange(v.Text(Who).Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select((title, i) => new HandoverItem { ItemId = $"item-{i + 1}", Title = title }));
        return transition;
    }

    private static Cover Covered(MoveValues v)
    {
        var cover = new Cover { AwayCmo = v.Text(Who), CoveringCmo = v.Text(By), Reason = v.Text(Why) };
        if (v.Date(From) is { } from && v.Date(To) is { } to)
        {
            for (var day = from; day <= to && cover.Dates.Count < 100; day = day.AddDays(1))
            {
                if (day.DayOfWeek is not (DayOfWeek.Saturday or DayOfWeek.Sunday))
                {
                    cover.Dates.Add(new CoverDate { Date = day.ToWire(), Minutes = v.Number(Minutes) });
                }
            }
        }

        return cover;
    }
}
