using System.Collections.Immutable;
using NodaTime;

namespace AgencyPlatform.Domain.Time;

/// <summary>Id of a grant within its engagement: what gave it and the first day of its period (<c>included-2026-04-01</c>).</summary>
[GenerateSerializer, Immutable, Alias("id.grant")]
public readonly record struct GrantId([property: Id(0)] string Value) : IId<GrantId>, IComparable<GrantId>
{
    public static GrantId Of(string value) => new(value);
    public int CompareTo(GrantId other) => string.CompareOrdinal(Value, other.Value);
    public override string ToString() => Value;
}

/// <summary>Where the minutes of a grant come from.</summary>
public enum GrantOrigin
{
    /// <summary>What a closed period left, as far as the terms carry it.</summary>
    Carried,

    /// <summary>The included minutes of a retainer's period.</summary>
    Included,

    /// <summary>A block sold up front.</summary>
    Prepaid,
}

/// <summary>Minutes that worked time may draw on. Source: domain §4.</summary>
/// <param name="Minutes">What it gave, ≥ 0.</param>
/// <param name="EffectiveAt">The first date of entries that may draw on it.</param>
/// <param name="ExpiresAt">The first date that no longer may; null: never.</param>
/// <param name="Priority">Lower is drawn first: carried 10, included 20, prepaid 30 unless the terms say otherwise.</param>
[GenerateSerializer, Immutable, Alias("time.grant")]
public sealed record Grant(GrantId Id, int Minutes, LocalDate EffectiveAt, LocalDate? ExpiresAt, int Priority, GrantOrigin Origin)
{
    public const int CarriedPriority = 10;
    public const int IncludedPriority = 20;
    public const int PrepaidPriority = 30;

    public bool IsAliveOn(LocalDate date) => date >= EffectiveAt && (ExpiresAt is not { } end || date < end);
}

/// <summary>What an entry takes from one grant.</summary>
[GenerateSerializer, Immutable, Alias("time.grant-draw")]
public sealed record GrantDraw(GrantId Grant, int Minutes);

/// <summary>Grants and what was drawn of each. Pure arithmetic; who may draw, and what happens beyond the grants, is the engagement's matter.</summary>
public readonly record struct Meter(ImmutableArray<Grant> Grants, ImmutableSortedDictionary<GrantId, int> Drawn)
{
    public static ImmutableSortedDictionary<GrantId, int> NothingDrawn { get; } = ImmutableSortedDictionary<GrantId, int>.Empty;

    /// <summary>The grants that an entry of this date draws on, in burn order: lowest priority, soonest expiry, earliest grant; then by id.</summary>
    public IEnumerable<Grant> BurnOrder(LocalDate date) => Grants
        .Where(g => g.IsAliveOn(date))
        .OrderBy(g => g.Priority).ThenBy(g => g.ExpiresAt ?? LocalDate.MaxIsoValue).ThenBy(g => g.EffectiveAt).ThenBy(g => g.Id);

    /// <summary>What is left of a grant; never below 0.</summary>
    public int Remaining(Grant grant) => Math.Max(0, grant.Minutes - Drawn.GetValueOrDefault(grant.Id));

    /// <summary>What an entry of this date could still draw.</summary>
    public int RemainingOn(LocalDate date) => BurnOrder(date).Sum(Remaining);

    /// <summary>What an entry of this many minutes takes of each grant, in burn order; less in sum than asked when the grants have no more.</summary>
    public ImmutableArray<GrantDraw> Draw(LocalDate date, int minutes)
    {
        var draws = ImmutableArray.CreateBuilder<GrantDraw>();
        foreach (var grant in BurnOrder(date))
        {
            var taken = Math.Min(minutes, Remaining(grant));
            if (taken > 0)
            {
                draws.Add(new GrantDraw(grant.Id, taken));
                minutes -= taken;
            }
        }

        return draws.ToImmutable();
    }

    /// <summary>The drawn minutes with these added.</summary>
    public static ImmutableSortedDictionary<GrantId, int> Taken(ImmutableSortedDictionary<GrantId, int> drawn, ImmutableArray<GrantDraw> draws) =>
        draws.Aggregate(drawn, (all, d) => all.SetItem(d.Grant, all.GetValueOrDefault(d.Grant) + d.Minutes));

    /// <summary>The drawn minutes with these given back to their grants: a reversal.</summary>
    public static ImmutableSortedDictionary<GrantId, int> GivenBack(ImmutableSortedDictionary<GrantId, int> drawn, ImmutableArray<GrantDraw> draws) =>
        draws.Aggregate(drawn, (all, d) => all.GetValueOrDefault(d.Grant) > d.Minutes ? all.SetItem(d.Grant, all[d.Grant] - d.Minutes) : all.Remove(d.Grant));
}
