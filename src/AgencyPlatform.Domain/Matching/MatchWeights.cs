using System.Collections.Immutable;
using System.Text.Json.Serialization;
using NodaTime;

namespace AgencyPlatform.Domain.Matching;

/// <summary>What a match is scored by, in the order in which it is explained.</summary>
public enum MatchPart
{
    /// <summary>Has led at this growth stage, or at the one beside it.</summary>
    Stage,

    /// <summary>Has led in companies of this headcount.</summary>
    Headcount,

    /// <summary>Knows the industry.</summary>
    Industry,

    /// <summary>Has the specialisms that are wanted.</summary>
    Specialism,

    /// <summary>Years of leading marketing.</summary>
    Years,

    /// <summary>What is left of the budget.</summary>
    Budget,

    /// <summary>Can begin on time.</summary>
    Timeline,

    /// <summary>Values and ways of working.</summary>
    Style,
}

/// <summary>How much each part counts beside the others, 0–1,000; not all 0.</summary>
[GenerateSerializer, Immutable, Alias("match-weights.weights")]
public sealed record MatchWeights(int Stage, int Headcount, int Industry, int Specialism, int Years, int Budget, int Timeline, int Style)
{
    public const int MostWeight = 1_000;

    /// <summary>Where an agency has set none.</summary>
    public static MatchWeights Default { get; } = new(20, 10, 20, 20, 10, 10, 5, 5);

    public int Of(MatchPart part) => part switch
    {
        MatchPart.Stage => Stage,
        MatchPart.Headcount => Headcount,
        MatchPart.Industry => Industry,
        MatchPart.Specialism => Specialism,
        MatchPart.Years => Years,
        MatchPart.Budget => Budget,
        MatchPart.Timeline => Timeline,
        MatchPart.Style => Style,
        _ => throw new ArgumentOutOfRangeException(nameof(part), part, "No part of a match."),
    };

    /// <summary>What is wrong with them in themselves.</summary>
    public ImmutableArray<FieldViolation> Violations(string path)
    {
        var wrong = ImmutableArray.CreateBuilder<FieldViolation>();
        foreach (var part in Enum.GetValues<MatchPart>())
        {
            if (Of(part) is < 0 or > MostWeight)
            {
                wrong.Add(new FieldViolation($"{path}.{part.ToString().ToLowerInvariant()}", $"must be 0 to {MostWeight}; it is {Of(part)}"));
            }
        }

        if (wrong.Count == 0 && Enum.GetValues<MatchPart>().All(part => Of(part) == 0))
        {
            wrong.Add(new FieldViolation(path, "must not all be 0: by nothing nobody is put before anybody"));
        }

        return wrong.ToImmutable();
    }
}

/// <summary>The weights that an agency has set; there is one of them, <see cref="TheOne"/>.</summary>
[GenerateSerializer, Immutable, Alias("match-weights")]
public sealed record AgencyMatchWeights(MatchWeights? Weights) : IState<AgencyMatchWeights>
{
    /// <summary>Its id.</summary>
    public const string TheOne = "weights";

    public static string Kind => "match-weights";

    public static int FoldVersion => 1;

    public static AgencyMatchWeights Initial { get; } = new((MatchWeights?)null);

    [JsonIgnore]
    public bool Exists => Weights is not null;

    /// <summary>Nothing of them changes by time alone.</summary>
    [JsonIgnore]
    public Instant? NextDue => null;

    public ImmutableArray<IEvent> Settle(Instant now) => [];

    public Decision Set(MatchWeights weights) =>
        weights.Violations("weights") is { Length: > 0 } wrong ? Rejection.Invalid(wrong.AsSpan()) : weights == Weights ? Decision.Nothing : Decision.Accept(new MatchWeightsSet(weights));

    public AgencyMatchWeights Apply(IEvent @event) => @event switch
    {
        MatchWeightsSet e => this with { Weights = e.Weights },
        NothingChanged => this,
        _ => throw new InvalidOperationException($"Weights of matching do not know {@event.GetType().Name}."),
    };

    public IEnumerable<RowChange> Project(IEvent @event, EventInfo info) => [];
}

[Event("match-weights.set"), GenerateSerializer, Immutable, Alias("match-weights.set")]
public sealed record MatchWeightsSet(MatchWeights Weights) : IEvent;
