using System.Collections.Immutable;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Domain.Engagements;
using NodaTime;

namespace AgencyPlatform.Life.Tests.Model;

/// <param name="Amount">A retainer's fee of a period, or an hourly rate, in minor units.</param>
/// <param name="Included">Minutes of a period.</param>
/// <param name="Estimate">What a month of hourly terms is expected to come to.</param>
internal sealed record ModelTerms(bool Retainer, long Amount, int Included, OverageGate Gate, Rollover? Rollover, long? Estimate)
{
    public const long OverageRate = 25_000;

    /// <summary>What a month comes to, rounded once; null: not stated.</summary>
    public long? Monthly(int months) => Retainer ? (2 * Amount + months) / (2 * months) : Estimate;

    /// <summary>With a share of the fee and of the included minutes.</summary>
    public ModelTerms Share(int feePercent, int includedPercent) => Retainer
        ? this with { Amount = Whole.HalfUp(Amount * feePercent, 100), Included = Whole.HalfUp((long)Included * includedPercent, 100) }
        : this;
}

internal sealed record ModelTerm(int Months, Renewal Renewal, int RenewalMonths, int NoticeDays)
{
    public LocalDate EndOf(LocalDate start, int renewals) => start.PlusMonths(Months + renewals * RenewalMonths);
}

/// <param name="Hold">The proposal's hold, instead of steps.</param>
internal sealed record ModelMember(string Cmo, ImmutableArray<Step> Steps, string? Hold, bool Waived);

/// <param name="Members">The first is the lead.</param>
internal sealed record ModelPlan(
    LocalDate Start, LocalDate? End, ModelTerm? Term, ImmutableArray<ModelMember> Members, ModelTerms Terms, int CycleDay, int CycleMonths, int Signatures)
{
    public bool IsValid => !(End <= Start);
}

/// <param name="Members">Everybody who works from the date on; empty: as they are. A member without steps stays as booked.</param>
internal sealed record ModelProposal(LocalDate From, string? Lead, ImmutableArray<ModelMember> Members, ModelTerms? Terms);

internal sealed class ModelScope(int number, ModelProposal proposal, Instant? expiresAt, ModelNeed need, HashSet<string> mustAgree)
{
    public int Number { get; } = number;
    public ModelProposal Proposal { get; } = proposal;
    public Instant? ExpiresAt { get; } = expiresAt;
    public ModelNeed Need { get; } = need;
    public HashSet<string> MustAgree { get; } = mustAgree;
    public ScopeState State { get; set; } = ScopeState.Proposed;
    public HashSet<string> Signed { get; } = [];
    public HashSet<string> Agreed { get; } = [];
    public bool IsOpen => State is ScopeState.Proposed or ScopeState.Accepted;
}

internal sealed class ModelCover(string id, string away, string covering, ImmutableSortedDictionary<LocalDate, int> minutes, bool waived)
{
    public string Id { get; } = id;
    public string Away { get; } = away;
    public string Covering { get; } = covering;
    public ImmutableSortedDictionary<LocalDate, int> Minutes { get; set; } = minutes;
    public bool Waived { get; } = waived;
    public CoverState State { get; set; } = CoverState.Requested;
    public string? ConsentOf { get; set; }
    public bool Agreed { get; set; }
    public bool Booked { get; set; }

    public void CutAt(LocalDate date)
    {
        var left = Minutes.Where(m => m.Key < date).ToImmutableSortedDictionary();
        if (left.IsEmpty)
        {
            (Booked, State) = (false, CoverState.Cancelled);
        }
        else
        {
            Minutes = left;
        }
    }
}

internal sealed class ModelPause(LocalDate start, LocalDate? keptUntil, int feePercent, Dictionary<string, ImmutableArray<Step>> suspended)
{
    public LocalDate Start { get; } = start;
    public LocalDate? End { get; set; }
    public LocalDate? KeptUntil { get; } = keptUntil;
    public LocalDate? FreedFrom { get; set; } = keptUntil is null ? start : null;
    public int FeePercent { get; } = feePercent;

    /// <summary>What was booked at the pause.</summary>
    public Dictionary<string, ImmutableArray<Step>> Suspended { get; } = suspended;

    public bool Covers(LocalDate day) => day >= Start && (End is not { } end || day < end);
}
