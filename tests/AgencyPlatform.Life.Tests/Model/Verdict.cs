namespace AgencyPlatform.Life.Tests.Model;

/// <summary>What the model says to a move or a step: why it is refused, or which events it is recorded as and what it makes of the model.</summary>
/// <param name="Refused">The reason; where the rules name no order several, separated by a bar; null: it is accepted.</param>
/// <param name="Events">Names of the events, in order.</param>
internal sealed record Verdict(string? Refused, string[] Events, Action Apply)
{
    public const string NothingChanged = "nothing-changed";

    /// <summary>Accepted, and it changes nothing: recorded as such when a caller asked.</summary>
    public static Verdict Nothing { get; } = new(null, [NothingChanged], () => { });

    public static Verdict No(string reason) => new(reason, [], () => { });

    public static Verdict Yes(Action apply, params IEnumerable<string> events) => new(null, [.. events], apply);

    /// <summary>Events that follow and are known once it is applied.</summary>
    public List<string> Later { get; } = [];

    /// <summary>The same, and something besides.</summary>
    public Verdict And(Action more) => this with
    {
        Apply = () =>
        {
            Apply();
            more();
        },
    };

    /// <summary>Whether the model would refuse it for this.</summary>
    public bool IsRefusedFor(string reason) => Refused is not null && Refused.Split('|').Contains(reason);
}

/// <summary>The product and the model differ.</summary>
internal sealed class DifferenceException(string message) : Exception(message);
