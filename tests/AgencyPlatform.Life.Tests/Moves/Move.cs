using AgencyPlatform.Contracts;
using AgencyPlatform.Domain;
using AgencyPlatform.Life.Tests.Model;

namespace AgencyPlatform.Life.Tests.Moves;

/// <summary>What a caller was answered.</summary>
/// <param name="Refused">The reason; null: accepted.</param>
/// <param name="Outcomes">Of an approval or reversal: how each entry came out.</param>
internal sealed record Answer(string? Refused, long Version, string? Outcomes = null)
{
    public override string ToString() => Refused ?? (Outcomes is null ? $"OK, version {Version}" : $"OK, {Outcomes}");
}

/// <summary>One move of one caller, as it is sent to the product and as the model decides it.</summary>
/// <param name="Name">As docs/engagement-life.md calls it.</param>
/// <param name="Text">With everything that it names.</param>
/// <param name="Where">The state that it meets.</param>
internal sealed record Move(
    string Name, string Text, Guid Request, Func<ModelAgency, Verdict> Decide, Func<IGrainFactory, Call, Task<Answer>> Send, Func<ModelAgency, string> Where)
{
    /// <summary>Who asks.</summary>
    public string Actor { get; init; } = "key:test";

    /// <summary>Why what it asks of others before it is decided refuses it; null: nothing does. Asked and decided are two moments.</summary>
    public Func<ModelAgency, string?>? Facts { get; init; }

    /// <summary>How a move that takes steps came out; null: not yet.</summary>
    public Func<ModelAgency, (bool Known, string? Refused, string? Outcomes)>? Outcome { get; init; }
}
