using System.Collections.Immutable;
using NodaTime;

namespace AgencyPlatform.Domain.Engagements;

/// <summary>Id of an item of a handover checklist.</summary>
[GenerateSerializer, Immutable, Alias("id.handover-item")]
public readonly record struct HandoverItemId([property: Id(0)] string Value) : IId<HandoverItemId>, IComparable<HandoverItemId>
{
    public static HandoverItemId Of(string value) => new(value);
    public int CompareTo(HandoverItemId other) => string.CompareOrdinal(Value, other.Value);
    public override string ToString() => Value;
}

/// <summary>From a date on, a share of what was agreed at the taper's start.</summary>
/// <param name="Percent">0–100, never above the step before.</param>
[GenerateSerializer, Immutable, Alias("engagement.taper-step")]
public sealed record TaperStep(LocalDate From, int Percent);

/// <summary>Something to hand over.</summary>
/// <param name="Title">1–200 characters; no personal data.</param>
/// <param name="DoneBy">Who said that it is done, as events name actors; null: it is open.</param>
[GenerateSerializer, Immutable, Alias("engagement.handover-item")]
public sealed record HandoverItem(HandoverItemId Id, string Title, string? DoneBy, Instant? DoneAt);

/// <summary>The taper to an in-house hire.</summary>
/// <param name="Steps">In order of their dates.</param>
/// <param name="Checklist">In the order in which it was written.</param>
[GenerateSerializer, Immutable, Alias("engagement.transition")]
public sealed record Transition(ImmutableArray<TaperStep> Steps, ImmutableArray<HandoverItem> Checklist, string Note)
{
    public const int MostSteps = 36;
    public const int MostItems = 100;
}

// ---- commands ----

/// <param name="Note">For the record; no personal data; may be empty.</param>
[GenerateSerializer, Immutable, Alias("engagement.start-transition")]
public sealed record StartTransition(ImmutableArray<TaperStep> Steps, ImmutableArray<HandoverItem> Checklist, string Note)
{
    /// <summary>Every part that is wrong in itself, by its path in the request.</summary>
    public ImmutableArray<FieldViolation> Violations()
    {
        var wrong = ImmutableArray.CreateBuilder<FieldViolation>();
        Check(Steps.Length is >= 1 and <= Transition.MostSteps, "transition.steps", $"must be 1 to {Transition.MostSteps} steps");
        for (var i = 0; i < Steps.Length; i++)
        {
            Check(Steps[i].Percent is >= 0 and <= 100, $"transition.steps[{i}].percent", "must be 0 to 100");
            Check(i == 0 || Steps[i].From > Steps[i - 1].From, $"transition.steps[{i}].effective_date", "must be after the step before it");
            Check(i == 0 || Steps[i].Percent <= Steps[i - 1].Percent, $"transition.steps[{i}].percent", "must not be above the step before it");
        }

        Check(Checklist.Length <= Transition.MostItems, "transition.checklist", $"must be at most {Transition.MostItems} items");
        Check(Checklist.Select(i => i.Id).Distinct().Count() == Checklist.Length, "transition.checklist", "must have each item id once");
        return wrong.ToImmutable();

        void Check(bool right, string field, string rule)
        {
            if (!right)
            {
                wrong.Add(new FieldViolation(field, rule));
            }
        }
    }
}

/// <param name="Title">Null: an item that is there is marked only.</param>
/// <param name="Done">Whether it is done.</param>
[GenerateSerializer, Immutable, Alias("engagement.put-handover-item")]
public sealed record PutHandoverItem(HandoverItemId Id, string? Title, bool Done);

// ---- events ----

/// <summary>The taper is booked.</summary>
[Event("engagement.transition-started"), GenerateSerializer, Immutable, Alias("engagement.transition-started")]
public sealed record TransitionStarted(Guid Request, Transition Transition) : MoveEnd(Request);

/// <summary>An item was added, renamed, or marked as done or open.</summary>
[Event("engagement.handover-item-put"), GenerateSerializer, Immutable, Alias("engagement.handover-item-put")]
public sealed record HandoverItemPut(HandoverItem Item) : IRunningEvent;
