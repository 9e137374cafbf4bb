using System.Collections.Immutable;
using System.Text.Json.Serialization;
using AgencyPlatform.Domain.Capacity;
using NodaTime;

namespace AgencyPlatform.Domain.Matching;

/// <summary>
/// Several CMOs held as alternatives for one need. All of them are held or none; one is chosen, which books it, and the others are released. Sagas: what can be refused (holding
/// each, confirming the chosen one) comes before what cannot be taken back. Source: docs/matching.md.
/// </summary>
/// <param name="Request">The request whose saga is the last one.</param>
/// <param name="Since">When that began.</param>
/// <param name="Refusal">What it came to, when it was refused.</param>
/// <param name="ExpiresAt">The first of its holds to expire; null before any is held.</param>
/// <param name="Choice">The option that is being chosen, or was.</param>
[GenerateSerializer, Immutable, Alias("shortlist")]
public sealed record Shortlist(
    ShortlistId Id,
    ClientCompanyId Client,
    IntakeId? Intake,
    ImmutableArray<BookingStep> Steps,
    ImmutableArray<ShortlistOption> Options,
    Duration Expiry,
    ShortlistState State,
    Guid Request,
    Instant Since,
    Rejection? Refusal,
    Instant? ExpiresAt,
    string? Choice) : IState<Shortlist>
{
    public const int MostOptions = 10;

    /// <summary>For how long options are held where nothing else is said.</summary>
    public static readonly Duration DefaultExpiry = Duration.FromDays(7);

    /// <summary>How long a step may take before it is tried anew.</summary>
    private static readonly Duration s_sagaPatience = Duration.FromSeconds(30);

    public static string Kind => "shortlist";

    public static int FoldVersion => 1;

    public static Shortlist Initial { get; } = new(default, default, null, [], [], Duration.Zero, ShortlistState.Holding, default, default, null, null, null);

    [JsonIgnore]
    public bool Exists => Id.Value is not null;

    /// <summary>What each of its options is held for.</summary>
    [JsonIgnore]
    public BookingSpec Spec => new(Client, null, Steps);

    [JsonIgnore]
    public Instant? NextDue => !Exists ? null
        : NextStep() is not null ? Since + s_sagaPatience
        : State == ShortlistState.Open ? ExpiresAt
        : null;

    public ImmutableArray<IEvent> Settle(Instant now) => Exists && State == ShortlistState.Open && ExpiresAt <= now ? [new ShortlistLapsed(ExpiresAt.Value)] : [];

    // ---- decisions ----

    /// <summary>An id whose shortlist was refused may be used again.</summary>
    public Decision Create(CreateShortlist command, Guid request, Instant now)
    {
        if (Exists && (State != ShortlistState.Refused || NextStep() is not null))
        {
            return Rejection.AlreadyExists(Kind, command.Id.Value);
        }

        return new BookingSpec(command.Client, null, command.Steps).Violations() is { Length: > 0 } wrong
            ? Rejection.Invalid(wrong.AsSpan())
            : Decision.Accept(new ShortlistStarted(
                request, command.Id, command.Client, command.Intake, command.Steps, [.. command.Options.Select((o, i) => Option(command.Id, i, o.Cmo, o.Profile))], command.Expiry, now));
    }

    /// <summary>Books an option. Chosen again it changes nothing.</summary>
    public Decision Choose(string option, Guid request, Instant now)
    {
        if (!Exists || Options.All(o => o.Id != option))
        {
            return !Exists ? Rejection.NotFound(Kind, "") : Rejection.NotFound("option", option);
        }

        return State == ShortlistState.Chosen && Choice == option ? Decision.Nothing
            : State != ShortlistState.Open ? InState()
            : Options.First(o => o.Id == option).State != OptionState.Held ? OptionGone(option, Reasons.HoldExpired)
            : Decision.Accept(new ChoiceStarted(request, option, now));
    }

    /// <summary>Releases all options. Withdrawn again it changes nothing.</summary>
    public Decision Withdraw(Guid request, Instant now) =>
        !Exists ? Rejection.NotFound(Kind, "")
        : State == ShortlistState.Withdrawn ? Decision.Nothing
        : State != ShortlistState.Open ? InState()
        : Decision.Accept(new ShortlistWithdrawn(request, now));

    /// <summary>What is done next with one option; null: nothing.</summary>
    public ShortlistStep? NextStep() => !Exists ? null : State switch
    {
        ShortlistState.Holding => With(ShortlistAction.Hold, OptionState.Pending),
        ShortlistState.Choosing => new ShortlistStep(ShortlistAction.Confirm, Options.First(o => o.Id == Choice)),
        ShortlistState.Open => null,
        _ => With(ShortlistAction.Release, OptionState.Held),
    };

    /// <summary>Records what became of a step.</summary>
    /// <param name="expiresAt">Of a hold.</param>
    public Decision Record(ShortlistStep step, Instant? expiresAt, Rejection? refusal)
    {
        if (NextStep() is not { } next || next.Action != step.Action || next.Option.Id != step.Option.Id)
        {
            return Decision.Nothing;
        }

        var option = step.Option.Id;
        return step.Action switch
        {
            ShortlistAction.Hold when refusal is not null =>
                Decision.Accept(new ShortlistRefused(Request, refusal with { Metadata = refusal.Metadata.SetItem("cmo", step.Option.Cmo.Value) })),
            ShortlistAction.Hold when Options.Count(o => o.State == OptionState.Pending) == 1 => Decision.Accept(new OptionHeld(option, expiresAt!.Value), new ShortlistOpened(Request)),
            ShortlistAction.Hold => Decision.Accept(new OptionHeld(option, expiresAt!.Value)),
            ShortlistAction.Confirm when refusal is not null => Decision.Accept(new ChoiceRefused(Request, option, OptionGone(option, refusal.Reason))),
            ShortlistAction.Confirm => Decision.Accept(new ShortlistChosen(Request, option)),
            _ => Decision.Accept(new OptionReleased(option)),
        };
    }

    /// <summary>Whether the saga that a request started has ended, and what refused it.</summary>
    public (bool Ended, Rejection? Refusal) OutcomeOf(Guid request) =>
        (Request == request && State is not (ShortlistState.Holding or ShortlistState.Choosing) && NextStep() is null, Refusal);

    private ShortlistStep? With(ShortlistAction action, OptionState state) => Options.FirstOrDefault(o => o.State == state) is { } option ? new ShortlistStep(action, option) : null;

    private static ShortlistOption Option(ShortlistId shortlist, int index, CmoId cmo, Cmos.CmoExpertise profile)
    {
        var letter = ((char)('a' + index)).ToString();
        return new ShortlistOption(letter, cmo, new BookingId(IdSyntax.Fitting($"{shortlist}-{letter}")), profile, OptionState.Pending);
    }

    /// <summary>It is not as far as was asked, or over.</summary>
    public Rejection InState() => Rejection.Rule(
        Reasons.ShortlistState, $"The shortlist '{Id}' is {State.ToString().ToLowerInvariant()}: make a new one if the need stands.",
        ("shortlist", Id.Value), ("state", State.ToString().ToUpperInvariant()));

    private Rejection OptionGone(string option, string cause)
    {
        var left = Options.Where(o => o.State == OptionState.Held && o.Id != option).Select(o => o.Id).ToList();
        return Rejection.Rule(
            Reasons.ShortlistOptionGone,
            $"Option '{option}' of the shortlist '{Id}' is held no more ({cause}): {(left.Count > 0 ? $"choose one of {string.Join(", ", left)}, or make a new shortlist" : "make a new shortlist")}.",
            ("shortlist", Id.Value), ("option", option), ("cause", cause), ("left", string.Join(",", left)));
    }

    // ---- fold ----

    public Shortlist Apply(IEvent @event) => @event switch
    {
        ShortlistStarted e => Initial with
        {
            Id = e.Id,
            Client = e.Client,
            Intake = e.Intake,
            Steps = e.Steps,
            Options = e.Options,
            Expiry = e.Expiry,
            Request = e.Request,
            Since = e.At,
        },
        OptionHeld e => In(e.Option, OptionState.Held) with { ExpiresAt = ExpiresAt is { } first && first <= e.ExpiresAt ? first : e.ExpiresAt },
        ShortlistOpened => this with { State = ShortlistState.Open },
        ShortlistRefused e => this with { State = ShortlistState.Refused, Refusal = e.Rejection, Options = All(OptionState.Pending, OptionState.Released) },
        ChoiceStarted e => this with { State = ShortlistState.Choosing, Choice = e.Option, Request = e.Request, Since = e.At, Refusal = null },
        ShortlistChosen e => In(e.Option, OptionState.Chosen) with { State = ShortlistState.Chosen },
        ChoiceRefused e => In(e.Option, OptionState.Gone) with
        {
            State = Options.Any(o => o.State == OptionState.Held && o.Id != e.Option) ? ShortlistState.Open : ShortlistState.Lapsed,
            Choice = null,
            Refusal = e.Rejection,
        },
        ShortlistWithdrawn e => this with { State = ShortlistState.Withdrawn, Request = e.Request, Since = e.At, Refusal = null },
        ShortlistLapsed e => this with { State = ShortlistState.Lapsed, Since = e.At },
        OptionReleased e => In(e.Option, State == ShortlistState.Lapsed ? OptionState.Gone : OptionState.Released),
        NothingChanged => this,
        _ => throw new InvalidOperationException($"A shortlist does not know {@event.GetType().Name}."),
    };

    private Shortlist In(string option, OptionState state) => this with { Options = [.. Options.Select(o => o.Id == option ? o with { State = state } : o)] };

    private ImmutableArray<ShortlistOption> All(OptionState from, OptionState to) => [.. Options.Select(o => o.State == from ? o with { State = to } : o)];

    // ---- read models ----

    public IEnumerable<RowChange> Project(IEvent @event, EventInfo info) => @event is NothingChanged or OptionHeld or OptionReleased ? [] : [new Put(new ShortlistRow(Id, Client, Intake, State))];
}
