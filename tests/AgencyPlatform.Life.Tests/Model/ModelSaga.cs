using System.Collections.Immutable;
using NodaTime;

namespace AgencyPlatform.Life.Tests.Model;

/// <summary>What a move does with one booking.</summary>
internal enum PartForm { Place, TakeOver, Swap, Cut }

/// <summary>How far it is: with the CMO, and as the engagement has recorded it.</summary>
internal enum PartPhase { Open, HeldAtCmo, Held, DoneAtCmo, Done, UndoneAtCmo, Undone }

internal sealed class ModelPart(PartForm form, string cmo, string booking, ImmutableArray<Step> steps)
{
    public PartForm Form { get; } = form;
    public string Cmo { get; } = cmo;
    public string Booking { get; } = booking;
    public ImmutableArray<Step> Steps { get; set; } = steps;
    public LocalDate CutAt { get; init; }
    public string? Cover { get; init; }

    /// <summary>The id of the hold beside a booking that takes other steps: learned when the move starts.</summary>
    public string? Swap { get; set; }

    public PartPhase Phase { get; set; } = form == PartForm.Cut ? PartPhase.Held : PartPhase.Open;

    public override string ToString() => $"{Form} {Cmo} {Booking}{(Cover is null ? "" : $" of {Cover}")} {Steps.Text()}{(Form == PartForm.Cut ? $" at {CutAt:uuuu-MM-dd}" : "")}";
}

/// <summary>
/// A move that changes bookings: every one that can be refused is held before any is changed; refused, what was held is given back. In which order the bookings
/// of one phase come is not the model's business.
/// </summary>
internal sealed class ModelSaga(Guid request, string move, List<ModelPart> parts, string[] end, Action finish, string? refusedAs)
{
    public Guid Request { get; } = request;
    public string Move { get; } = move;
    public List<ModelPart> Parts { get; } = parts;

    /// <summary>The events that end it.</summary>
    public string[] End { get; } = end;

    public Action Finish { get; } = finish;

    /// <summary>The event that ends it when it is refused; null: it cannot be.</summary>
    public string? RefusedAs { get; } = refusedAs;

    /// <summary>Whether time of a CMO on a date is refused once the move is done: until then it waits. Null: the move changes nothing about time.</summary>
    public Func<string, LocalDate, bool>? RefusesTime { get; init; }

    public string? Refusal { get; set; }
    public Instant StartedAt { get; set; }

    /// <summary>Why CMOs would have refused what is still to be held, at any time since it was to be.</summary>
    public Dictionary<ModelPart, HashSet<string>> Refusals { get; } = [];

    public bool AllHeld => Parts.All(p => p.Phase is not (PartPhase.Open or PartPhase.HeldAtCmo));

    public bool IsOver => Refusal is null ? Parts.All(p => p.Phase == PartPhase.Done) : Parts.All(p => p.Phase is PartPhase.Open or PartPhase.Undone || p.Form == PartForm.Cut);
}
