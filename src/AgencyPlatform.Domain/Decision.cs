using System.Collections.Immutable;
using AgencyPlatform.Domain.Billing;
using NodaTime;

namespace AgencyPlatform.Domain;

/// <summary>What happened to an aggregate. Stored for ever under the name and version of its <see cref="EventAttribute"/>; holds no personal data.</summary>
public interface IEvent;

/// <summary>The stable name and schema version under which an event is stored. Neither changes once released.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class EventAttribute(string name, int version = 1) : Attribute
{
    /// <summary>For example <c>cmo.booking-held</c>: aggregate kind, dot, what happened.</summary>
    public string Name { get; } = name;
    public int Version { get; } = version;
}

/// <summary>What the journal keeps and those who follow the agency's events are not shown: what would help to guess a secret.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class HiddenAttribute : Attribute;

/// <summary>An event that posts to the ledger. Its legal entity's month must be open on <see cref="PostingDate"/>.</summary>
public interface IPosting : IEvent
{
    LegalEntityId LegalEntity { get; }
    LocalDate PostingDate { get; }

    /// <summary>The day that it belongs to, when that month was closed and it corrects it in a later one; null: its posting date.</summary>
    LocalDate? Effective { get; }

    /// <summary>What it posts.</summary>
    Posting Posting { get; }

    /// <summary>The same, posted on a later day, since the books are closed through its own.</summary>
    IPosting PostedOn(LocalDate date);
}

/// <summary>An event from which on nothing is posted into a legal entity's books up to a day.</summary>
public interface IClosing : IEvent
{
    LegalEntityId LegalEntity { get; }

    /// <summary>The last day that is closed.</summary>
    LocalDate ClosedThrough { get; }
}

/// <summary>
/// A command with a request id asked for what already was. It is recorded all the same, on any kind of aggregate, so that a repeat of the request is
/// answered as it was then, whatever has happened since.
/// </summary>
[Event("nothing-changed"), GenerateSerializer, Immutable, Alias("nothing-changed")]
public sealed record NothingChanged : IEvent;

/// <summary>What the people vault is to hold of a person. Never part of an event.</summary>
[GenerateSerializer, Immutable, Alias("person-details")]
public sealed record PersonDetails(string DisplayName, string? Email = null, string? Phone = null);

/// <summary>A write to the people vault, in the same transaction as the decision's events. No details: the person is erased.</summary>
public sealed record PersonWrite(PersonId Person, PersonDetails? Details);

/// <summary>What a command comes to: events, or a rejection; never both, never an exception.</summary>
public readonly record struct Decision
{
    private Decision(ImmutableArray<IEvent> events, ImmutableArray<PersonWrite> people, Rejection? rejection)
    {
        Events = events;
        People = people;
        Rejection = rejection;
    }

    public ImmutableArray<IEvent> Events { get; }
    public ImmutableArray<PersonWrite> People { get; }
    public Rejection? Rejection { get; }

    /// <summary>The command asks for what already is: nothing to record but the request's id, if it has one (<see cref="NothingChanged"/>).</summary>
    public static Decision Nothing { get; } = new([], [], null);

    public static Decision Accept(params ReadOnlySpan<IEvent> events) => new([.. events], [], null);

    public static Decision Accept(ImmutableArray<IEvent> events) => new(events, [], null);

    public static Decision Reject(Rejection rejection) => new([], [], rejection);

    /// <summary>The same decision, writing a person to the vault with it.</summary>
    public Decision With(params ReadOnlySpan<PersonWrite> people) => new(Events, [.. People, .. people], Rejection);

    /// <summary>The same decision with events that come before its own.</summary>
    public Decision After(ImmutableArray<IEvent> events) => new([.. events, .. Events], People, Rejection);

    /// <summary>The same decision with events that come after its own.</summary>
    public Decision Then(ImmutableArray<IEvent> events) => new([.. Events, .. events], People, Rejection);

    /// <summary>The same decision with each event as it is to be.</summary>
    public Decision Select(Func<IEvent, IEvent> change) => new(Events.IsDefaultOrEmpty ? Events : [.. Events.Select(change)], People, Rejection);

    public static implicit operator Decision(Rejection rejection) => Reject(rejection);
}
