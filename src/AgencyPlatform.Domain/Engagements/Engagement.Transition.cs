using System.Collections.Immutable;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Domain.Capacity;
using NodaTime;

namespace AgencyPlatform.Domain.Engagements;

/// <summary>The taper to an in-house hire: bookings and fees shrink by dated shares, and a checklist is handed over. Source: domain §3.</summary>
public sealed partial record Engagement
{
    /// <summary>Resizes every booking and the terms from each date on to a share of what was agreed at the first one, all bookings or none. A pause ends there.</summary>
    public Decision StartTransition(StartTransition command, ImmutableArray<BookedSteps> asked, Guid request, Instant now) =>
        In("start transition", [EngagementState.Active, EngagementState.Paused], () =>
        {
            if (command.Violations() is { Length: > 0 } wrong)
            {
                return Rejection.Invalid(wrong.AsSpan());
            }

            var first = new[]
            {
                Plan.Start, Running.ScopeFrom ?? Plan.Start, Running.OpenPause?.Dates.Start.PlusDays(1) ?? Running.Pauses.LastOrDefault()?.Dates.End ?? Plan.Start,
            }.Max();
            if (command.Steps.FirstOrDefault(s => s.From < first || s.From >= End) is { } outside)
            {
                return OutOfRange("taper", outside.From, first);
            }

            var booked = Booked(asked);
            var agreed = Running.OpenPause?.Suspended ?? booked;
            return StartMove(
                [.. agreed.Where(a => Plan.Members.Any(m => m.Cmo == a.Cmo)).Select(a => Tapered(a, booked, command.Steps, request)).OfType<Rebooking>()],
                new TransitionStarted(request, new Transition(command.Steps, command.Checklist, command.Note)), now);
        });

    /// <summary>Adds an item to the checklist, renames one, or marks it as done by the caller, or as open.</summary>
    public Decision PutHandoverItem(PutHandoverItem command, string actor, Instant now) => In("put handover item", [EngagementState.Transitioning], () =>
    {
        var items = Running.Transition!.Checklist;
        var known = items.FirstOrDefault(i => i.Id == command.Id);
        if (known is null && (command.Title is null || items.Length >= Transition.MostItems))
        {
            return command.Title is null
                ? Rejection.NotFound("handover_item", command.Id.Value)
                : Rejection.Invalid(new FieldViolation("item_id", $"must be at most {Transition.MostItems} items"));
        }

        var item = (known ?? new HandoverItem(command.Id, "", null, null)) with { Title = command.Title ?? known!.Title };
        item = !command.Done ? item with { DoneBy = null, DoneAt = null }
            : item.DoneBy is null ? item with { DoneBy = actor, DoneAt = now }
            : item;
        return item == known ? Decision.Nothing : Decision.Accept(new HandoverItemPut(item));
    });

    /// <summary>A member's booking as the taper wants it; null when nothing of it changes.</summary>
    private Rebooking? Tapered(BookedSteps agreed, ImmutableArray<BookedSteps> booked, ImmutableArray<TaperStep> taper, Guid request)
    {
        var from = taper[0].From;
        var current = booked.FirstOrDefault(b => b.Cmo == agreed.Cmo)?.Steps ?? [];
        var steps = current.Until(from);
        for (var i = 0; i < taper.Length; i++)
        {
            var part = agreed.Steps.From(taper[i].From);
            steps = [.. steps, .. (i + 1 < taper.Length ? part.Until(taper[i + 1].From) : part).Scaled(taper[i].Percent)];
        }

        return steps.Length > 0 && steps[^1].Dates.Start >= from ? Rebook(agreed.Cmo, steps, request)
            : current.From(from).IsEmpty ? null
            : new Rebooking(agreed.Cmo, Bookings[agreed.Cmo].Booking, RebookingForm.Cut, steps, CutAt: from);
    }

    private Engagement Transitioning(TransitionStarted e)
    {
        var from = e.Transition.Steps[0].From;
        var agreed = Running.OpenPause is { } pause ? AgreedFrom(pause, from).Last(t => t.EffectiveFrom <= from) : TermsOn(from);
        return this with
        {
            State = EngagementState.Transitioning,
            Terms = [.. Terms.Where(t => t.EffectiveFrom < from), .. e.Transition.Steps.Select(s => Share(agreed, s.Percent) with { EffectiveFrom = s.From })],
            Running = (Running.OpenPause is null ? Running : Running.WithLastPause(p => p with { Dates = p.Dates with { End = from }, Suspended = [], Agreed = [] }))
                with
            { Transition = e.Transition },
        };
    }

    /// <summary>A share of a retainer's fee and included minutes; a rate stays.</summary>
    private static Terms Share(Terms terms, int percent) => terms is RetainerTerms retainer
        ? retainer with
        {
            Fee = new Money(retainer.Fee, retainer.Currency).Times(percent, 100).Minor,
            IncludedMinutes = (int)Rounding.HalfUp((System.Numerics.BigInteger)retainer.IncludedMinutes * percent, 100),
        }
        : terms;

    private Engagement WithItem(HandoverItem item)
    {
        var items = Running.Transition!.Checklist;
        var known = items.FirstOrDefault(i => i.Id == item.Id);
        return this with
        {
            Running = Running with { Transition = Running.Transition with { Checklist = known is null ? items.Add(item) : items.Replace(known, item) } },
        };
    }
}
