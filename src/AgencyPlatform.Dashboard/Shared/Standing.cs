using AgencyPlatform.Dashboard.Session;
using AgencyPlatform.Protocol.Engagements.V1;
using AgencyPlatform.Protocol.Events.V1;

namespace AgencyPlatform.Dashboard.Shared;

/// <summary>Whose turn it is.</summary>
public enum Turn
{
    Agency,
    Client,
    Cmo,
}

/// <summary>Something that an engagement waits for.</summary>
public sealed record Awaited(Turn Of, string Text);

/// <summary>Something that will happen to an engagement by its date.</summary>
public sealed record NextDue(DateOnly Date, string Text);

/// <summary>Where an engagement stands, in words.</summary>
public static class Standing
{
    public static bool IsOver(this Engagement e) => e.State is EngagementState.Ended or EngagementState.Declined or EngagementState.Withdrawn or EngagementState.Expired;

    /// <summary>Whether it is being served, or will be from its start on.</summary>
    public static bool IsRunning(this Engagement e) => e.State is EngagementState.Active or EngagementState.Paused or EngagementState.Transitioning;

    public static string Chip(this Engagement e) => e.State switch
    {
        EngagementState.Active => "chip-good",
        EngagementState.Proposed or EngagementState.Accepted or EngagementState.Paused or EngagementState.Transitioning => "chip-wait",
        EngagementState.Declined or EngagementState.Withdrawn or EngagementState.Expired => "chip-bad",
        _ => "",
    };

    /// <summary>What is charged on a day; before the first terms, these.</summary>
    public static Terms? TermsOn(this Engagement e, DateOnly day) => e.Terms.LastOrDefault(t => t.EffectiveDate.ToDateOnly() is not { } from || from <= day) ?? e.Terms.FirstOrDefault();

    /// <summary>Whether the latest change of scope is still to be signed, agreed to or applied.</summary>
    public static bool IsOpen(this ScopeChange? change) => change is { State: ScopeState.Proposed or ScopeState.Accepted };

    /// <summary>The day of the meter that is of interest: today, or the nearest day of the engagement.</summary>
    public static DateOnly MeterDay(this Engagement e, DateOnly today)
    {
        var (start, end) = (e.StartDate.ToDateOnly() ?? today, e.EndDate.ToDateOnly());
        var day = end is { } over && today >= over ? over.AddDays(-1) : today;
        return day < start ? start : day;
    }

    /// <summary>Whether a timesheet, as an event names it, is of somebody who works in it: what is logged changes what its meter projects.</summary>
    public static bool IsOfMember(this Engagement e, Event happened) => happened.Kind == "timesheet" && e.Members.Any(m => happened.AggregateId.StartsWith($"{m.Cmo.Id()}/", StringComparison.Ordinal));

    /// <summary>What it waits for, and of whom.</summary>
    public static IEnumerable<Awaited> Awaited(this Engagement e, Names names)
    {
        if (e.MoveUnderWay)
        {
            yield return new(Turn.Agency, "a move is under way");
        }

        switch (e.State)
        {
            case EngagementState.Draft:
                yield return new(Turn.Agency, "to be proposed");
                break;
            case EngagementState.Proposed when e.SignOff is { } need:
                yield return new(Turn.Client, $"{need.Signed} of {need.Needed} signed");
                break;
            case EngagementState.Accepted when !e.MoveUnderWay && e.Members.All(m => m.AgreementState is AgreementState.Agreed or AgreementState.Waived):
                yield return new(Turn.Agency, "to be activated");
                break;
            case EngagementState.Paused:
                yield return new(Turn.Agency, "to be resumed");
                break;
        }

        if (e.State is EngagementState.Proposed or EngagementState.Accepted)
        {
            foreach (var member in e.Members)
            {
                switch (member.AgreementState)
                {
                    case AgreementState.Open:
                        yield return new(Turn.Agency, $"{names[member.Cmo]} to be asked");
                        break;
                    case AgreementState.Asked:
                        yield return new(Turn.Cmo, $"{names[member.Cmo]} to agree");
                        break;
                    case AgreementState.Declined:
                        yield return new(Turn.Agency, $"{names[member.Cmo]} declined");
                        break;
                    case AgreementState.Lapsed:
                        yield return new(Turn.Agency, $"{names[member.Cmo]} did not answer");
                        break;
                }
            }
        }

        if (e.ParkedMinutes > 0)
        {
            yield return new(Turn.Client, $"{e.ParkedMinutes.Hours()} of overage: consent");
        }

        if (e.IsOver())
        {
            yield break;
        }

        if (e.ScopeChange is { State: ScopeState.Proposed } proposed)
        {
            yield return new(Turn.Client, $"change of scope: {proposed.SignOff?.Signed ?? 0} of {proposed.SignOff?.Needed ?? 1} signed");
        }

        if (e.ScopeChange.IsOpen())
        {
            var missing = e.ScopeChange.Members.Where(m => m is { MustAgree: true, AgreeTime: null }).ToList();
            foreach (var member in missing)
            {
                yield return new(Turn.Cmo, $"change of scope: {names[member.Cmo]} to agree");
            }

            if (e.ScopeChange.State == ScopeState.Accepted && missing.Count == 0)
            {
                yield return new(Turn.Agency, "change of scope to be applied");
            }
        }

        foreach (var cover in e.Covers.Where(c => c.State == CoverState.Requested))
        {
            if (cover.Consent is null)
            {
                yield return new(Turn.Client, $"cover by {names[cover.CoveringCmo]}: consent");
            }

            if (cover.AgreeTime is null && !cover.CmoAgreementWaived)
            {
                yield return new(Turn.Cmo, $"cover: {names[cover.CoveringCmo]} to agree");
            }
            else if (cover.Consent is not null)
            {
                yield return new(Turn.Agency, $"cover by {names[cover.CoveringCmo]} to be booked");
            }
        }

        if (e.RenewalToSign())
        {
            yield return new(Turn.Client, $"next term: {e.TermStatus.RenewalSignatures.Count} of {Math.Max(1, e.TermStatus.RenewalSignaturesNeeded)} signed");
        }
    }

    /// <summary>Whether the next term goes on only with signatures, and has been begun to be signed.</summary>
    private static bool RenewalToSign(this Engagement e) => e.CanSignRenewal() && e.TermStatus.RenewalSignatures.Count > 0;

    /// <summary>Whether the client's decision makers may sign the next term.</summary>
    public static bool CanSignRenewal(this Engagement e) =>
        e is { Term.Renewal: TermRules.Types.Renewal.BySignature, TermStatus: not null, EndDate: null, State: EngagementState.Active or EngagementState.Paused };

    /// <summary>What falls due next; null: nothing.</summary>
    public static NextDue? NextDue(this Engagement e, AgencySession session)
    {
        var today = session.Today;
        if (e.IsOver())
        {
            return null;
        }

        var due = new List<NextDue>();
        if (e.State is EngagementState.Proposed or EngagementState.Accepted)
        {
            Add(Day(e.ExpireTime, session), "the proposal lapses");
            foreach (var member in e.Members.Where(m => m.AgreementState == AgreementState.Asked))
            {
                Add(Day(member.AgreementExpireTime, session), $"{member.Cmo.Id()}'s answer");
            }

            Add(e.StartDate.ToDateOnly(), "it starts");
        }

        if (e.ScopeChange.IsOpen())
        {
            Add(Day(e.ScopeChange.ExpireTime, session), "the change of scope lapses");
        }

        if (e.IsRunning())
        {
            Add(e.StartDate.ToDateOnly(), "it starts");
            Add(e.EndDate.ToDateOnly(), "it ends");
            if (e.EndDate is null && e.TermStatus is { } term)
            {
                Add(term.LastNoticeDate.ToDateOnly(), "last day of notice");
                Add(term.EndDate.ToDateOnly(), e.Term?.Renewal == TermRules.Types.Renewal.BySignature ? "it ends unless the next term is signed" : "it renews by itself");
            }

            foreach (var step in e.Transition?.Steps ?? [])
            {
                Add(step.EffectiveDate.ToDateOnly(), $"tapers to {step.Percent} %");
            }
        }

        return due.MinBy(d => d.Date);

        void Add(DateOnly? date, string text)
        {
            if (date is { } day && day >= today)
            {
                due.Add(new NextDue(day, text));
            }
        }
    }

    private static DateOnly? Day(Google.Protobuf.WellKnownTypes.Timestamp? at, AgencySession session) =>
        at is null ? null : DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(at.ToDateTimeOffset(), session.Zone).DateTime);
}
