using System.Collections.Immutable;
using System.Text.Json.Serialization;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Domain.Engagements;
using NodaTime;

namespace AgencyPlatform.Domain.Matching;

/// <summary>
/// A company that asks for help: what it says of itself and of what it needs, saved as far as it is known, until it becomes a client company and a proposal in one
/// step. Source: docs/matching.md.
/// </summary>
/// <param name="Reason">Why it was closed.</param>
/// <param name="Conversion">The last one; null: none was started.</param>
[GenerateSerializer, Immutable, Alias("intake")]
public sealed record Intake(IntakeId Id, IntakeBrief Brief, IntakeState State, string Reason, IntakeConversion? Conversion) : IState<Intake>
{
    /// <summary>How long a step may take before it is tried anew.</summary>
    private static readonly Duration s_sagaPatience = Duration.FromSeconds(30);

    public static string Kind => "intake";

    public static int FoldVersion => 1;

    public static Intake Initial { get; } = new(default, IntakeBrief.Empty, IntakeState.Open, "", null);

    [JsonIgnore]
    public bool Exists => Id.Value is not null;

    /// <summary>The contact, whom nobody else names before the intake is converted.</summary>
    [JsonIgnore]
    public PersonId Contact => PersonOf(Id);

    public static PersonId PersonOf(IntakeId intake) => new(IdSyntax.Fitting($"{intake}-contact"));

    [JsonIgnore]
    public Instant? NextDue => State == IntakeState.Converting ? Conversion!.StartedAt + s_sagaPatience : null;

    public ImmutableArray<IEvent> Settle(Instant now) => [];

    // ---- decisions ----

    public Decision Create(CreateIntake command) =>
        Exists ? Rejection.AlreadyExists(Kind, command.Id.Value)
        : WithContact(Decision.Accept(new IntakeCreated(command.Id, command.Brief)), PersonOf(command.Id), command.Brief, command.Contact);

    public Decision Update(UpdateIntake command) => Open(() => WithContact(Decision.Accept(new IntakeUpdated(command.Brief)), Contact, command.Brief, command.Contact));

    public Decision Close(CloseIntake command) =>
        State == IntakeState.Closed ? Decision.Nothing : Open(() => Decision.Accept(new IntakeClosed(command.Reason)));

    /// <summary>Becomes a client company and a proposal. What others may refuse was asked before, so that it is done whole or not begun.</summary>
    public Decision Convert(ConvertIntake command, Guid request, Instant now) => Open(() =>
    {
        if (Brief.Missing("company_name", "time_zone", "monthly_minutes", "start_date") is { Length: > 0 } missing)
        {
            return Incomplete("converted", missing);
        }

        var dates = Brief.Dates();
        var member = new EngagementMember(command.Lead, "lead", command.Hold is null ? Brief.Steps() : [], command.Hold, false);
        var terms = new RetainerTerms(
            dates.Start, command.Seller, command.Fee.Currency, Brief.Cycle(), command.Fee.Minor, Brief.MonthlyMinutes!.Value, command.OverageHourlyRate,
            command.OverageHourlyRate is null ? OverageGate.Block : OverageGate.Consent);
        var plan = new EngagementPlan(
            command.Title.Length > 0 ? command.Title : Brief.Company, Brief.ServiceType, command.Lead, [member], terms, dates.Start, dates.End, null, 1,
            ImmutableSortedDictionary<string, string>.Empty, ImmutableSortedDictionary<string, string>.Empty);
        if (plan.Violations() is { Length: > 0 } wrong)
        {
            return Rejection.Invalid([.. wrong.Select(v => new FieldViolation("name", $"must be of an intake that can be proposed: {v.Field} {v.Description}"))]);
        }

        ConversionStep?[] steps =
        [
            Brief.Client is null ? ConversionStep.CreateClient : null,
            Brief.Client is null && Brief.Competitors.Count > 0 ? ConversionStep.NameCompetitors : null,
            Brief.ContactTitle is not null ? ConversionStep.PutContact : null,
            ConversionStep.CreateEngagement,
            command.Propose ? ConversionStep.Propose : null,
        ];
        return Decision.Accept(new ConversionStarted(request, Brief.Client ?? command.Client, command.Engagement, plan, [.. steps.OfType<ConversionStep>()], now));
    });

    /// <summary>What is done next; null: nothing.</summary>
    public ConversionStep? NextStep() => State == IntakeState.Converting && Conversion!.Done < Conversion.Steps.Length ? Conversion.Steps[Conversion.Done] : null;

    /// <summary>Records what became of a step; the last one ends it. What is refused ends it too, but for the proposal: then the engagement stays a draft.</summary>
    public Decision Record(ConversionStep step, Rejection? refusal)
    {
        if (NextStep() != step)
        {
            return Decision.Nothing;
        }

        if (refusal is not null && step != ConversionStep.Propose)
        {
            return Decision.Accept(new ConversionRefused(Conversion!.Request, refusal));
        }

        var advanced = new ConversionAdvanced(step, refusal);
        return Conversion!.Done + 1 < Conversion.Steps.Length ? Decision.Accept(advanced) : Decision.Accept(advanced, new IntakeConverted(Conversion.Request));
    }

    /// <summary>How the conversion that a request started came out; null before.</summary>
    public (bool Ended, Rejection? Refusal) OutcomeOf(Guid request) => (Conversion?.Request == request && State != IntakeState.Converting, Conversion?.Refusal);

    /// <summary>What the intake must say before it is matched; null: it says it.</summary>
    public Rejection? NotReadyToMatch() =>
        State != IntakeState.Open ? InState() : Brief.Missing("time_zone", "monthly_minutes", "start_date") is { Length: > 0 } missing ? Incomplete("matched", missing) : null;

    private Rejection Incomplete(string what, ImmutableArray<string> missing) => Rejection.Rule(
        Reasons.IntakeIncomplete, $"The intake '{Id}' cannot be {what} yet, it does not say: {string.Join(", ", missing)}. Fill those in first.",
        ("intake", Id.Value), ("missing", string.Join(",", missing)));

    private Decision Open(Func<Decision> decide) => !Exists ? Rejection.NotFound(Kind, "") : State != IntakeState.Open ? InState() : decide();

    private Rejection InState() => Rejection.Rule(
        Reasons.IntakeState, $"The intake '{Id}' is {State.ToString().ToLowerInvariant()} and no longer changes.", ("intake", Id.Value), ("state", State.ToString().ToUpperInvariant()));

    /// <summary>Who the contact is goes to the people vault; without a contact nobody is left there.</summary>
    private static Decision WithContact(Decision decision, PersonId person, IntakeBrief brief, PersonDetails? details) =>
        brief.ContactTitle is not null && details is null ? decision : decision.With(new PersonWrite(person, brief.ContactTitle is null ? null : details));

    // ---- fold ----

    public Intake Apply(IEvent @event) => @event switch
    {
        IntakeCreated e => this with { Id = e.Id, Brief = e.Brief },
        IntakeUpdated e => this with { Brief = e.Brief },
        IntakeClosed e => this with { State = IntakeState.Closed, Reason = e.Reason },
        ConversionStarted e => this with
        {
            State = IntakeState.Converting,
            Conversion = new IntakeConversion(e.Request, e.Client, e.Engagement, e.Plan, e.Steps, 0, e.At, null, null),
        },
        ConversionAdvanced e => this with
        {
            Brief = e.Step == ConversionStep.CreateClient ? Brief with { Client = Conversion!.Client } : Brief,
            Conversion = Conversion! with { Done = Conversion.Done + 1, NotProposed = e.Refusal },
        },
        ConversionRefused e => this with { State = IntakeState.Open, Conversion = Conversion! with { Refusal = e.Rejection } },
        IntakeConverted => this with { State = IntakeState.Converted },
        NothingChanged => this,
        _ => throw new InvalidOperationException($"An intake does not know {@event.GetType().Name}."),
    };

    // ---- read models ----

    public IEnumerable<RowChange> Project(IEvent @event, EventInfo info) => @event is NothingChanged ? [] : [new Put(Row())];

    private IntakeRow Row() => new(
        Id, Brief.Company, State, Brief.Stage, Brief.Headcount, Brief.Industry, Brief.MonthlyMinutes, Brief.Client, State == IntakeState.Converted ? Conversion!.Engagement : null);
}
