using System.Collections.Immutable;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Domain.Time;
using NodaTime;

namespace AgencyPlatform.Domain.Engagements;

/// <summary>Minutes that were left at the cut-over.</summary>
/// <param name="Id">Of the grant, and of the block if it is one.</param>
/// <param name="Minutes">0: nothing of the origin is left.</param>
/// <param name="Deferred">Of a prepaid block: minor units of its price that are not earned yet.</param>
[GenerateSerializer, Immutable, Alias("engagement.imported-grant")]
public sealed record ImportedGrant(PartId Id, GrantOrigin Origin, int Minutes, LocalDate ExpiresAt, long Deferred);

/// <summary>Takes an engagement's part of an import. It cannot be refused; the same again changes nothing.</summary>
[GenerateSerializer, Immutable, Alias("engagement.import-grants")]
public sealed record ImportGrants(OpenBooksImportId Import, LocalDate On, ImmutableArray<ImportedGrant> Grants);

/// <summary>A meter that was kept elsewhere until the cut-over.</summary>
/// <param name="On">The first cut-over: what the engagement gave before it ended with it.</param>
/// <param name="Imports">Those that it has taken.</param>
/// <param name="Grants">What was left of carried and included minutes.</param>
/// <param name="Blocks">Which prepaid blocks were left.</param>
[GenerateSerializer, Immutable, Alias("engagement.opening-meter")]
public sealed record OpeningMeter(LocalDate On, ImmutableArray<OpenBooksImportId> Imports, ImmutableArray<Grant> Grants, ImmutableArray<PartId> Blocks);

/// <summary>An import has said what was left on the meter at the cut-over: that is on it from then on, in place of what the engagement itself gave before.</summary>
[Event("engagement.opening-grants-imported"), GenerateSerializer, Immutable, Alias("engagement.opening-grants-imported")]
public sealed record OpeningGrantsImported(OpenBooksImportId Import, LocalDate On, ImmutableArray<Grant> Grants, ImmutableArray<PrepaidBlock> Blocks) : IEngagementTimeEvent;

/// <summary>What an import of a running agency's open books brings to an engagement's meter. Source: domain §4, §5, docs/cut-over.md.</summary>
public sealed partial record Engagement
{
    /// <summary>What an import of open books asks before it is accepted.</summary>
    public EngagementAtCutOver AtCutOver(LocalDate on)
    {
        var terms = TermsOn(LocalDate.Max(on, Plan.Start));
        return new EngagementAtCutOver(
            Id, Client, State is EngagementState.Active or EngagementState.Paused or EngagementState.Transitioning && !(End <= on), Plan.BillingStartsOn ?? Plan.Start, terms.Seller, terms.Currency,
            terms.HasMeter, terms is RetainerTerms { Fee: > 0, Timing: FeeTiming.InAdvance }, Time.Approved.Values.Any(a => a.Date >= on), Time.Blocks?.Length ?? 0);
    }

    public Decision Import(ImportGrants command)
    {
        if (!Exists)
        {
            return Rejection.NotFound(Kind, "");
        }

        if (Time.Opening?.Imports.Contains(command.Import) == true)
        {
            return Decision.Nothing;
        }

        var from = LocalDate.Max(command.On, Plan.Start);
        var left = command.Grants.Where(g => g.Minutes > 0).ToList();
        ImmutableArray<IEvent> events =
        [
            .. Time.Opening is null ? EndedBy(command.On) : [],
            new OpeningGrantsImported(
                command.Import, command.On,
                [
                    .. left.Where(g => g.Origin != GrantOrigin.Prepaid).Select(g => new Grant(
                        new GrantId(g.Id.Value), g.Minutes, from, g.ExpiresAt,
                        g.Origin == GrantOrigin.Included ? Grant.IncludedPriority : (TermsOn(from) as RetainerTerms)?.Rollover?.Priority ?? Grant.CarriedPriority, g.Origin)),
                ],
                [
                    .. left.Where(g => g.Origin == GrantOrigin.Prepaid).Select(g => new PrepaidBlock(
                        g.Id, g.Minutes, 0, from, g.ExpiresAt, (TermsOn(from) as PrepaidTerms)?.Priority ?? Grant.PrepaidPriority, Deferred: g.Deferred)),
                ]),
        ];
        return Decision.Accept(events).Then([.. EarnedBy(events, command.On)]);
    }

    /// <summary>From which day on a period includes minutes: what was included before the first billed day was given where the meter was kept.</summary>
    private LocalDate MeterStarts => Time.Opening is null ? Plan.Start : Plan.BillingStartsOn ?? Plan.Start;

    /// <summary>What the engagement itself gave before the cut-over and would still be there on it.</summary>
    private IEnumerable<IEvent> EndedBy(LocalDate on)
    {
        foreach (var grant in Time.Carried.Concat((Time.Blocks ?? []).Select(b => b.Grant)).Where(g => IsFromBefore(g, on) && g.IsAliveOn(on)))
        {
            var left = grant.Minutes - Time.Drawn.GetValueOrDefault(grant.Id) - Time.CarriedOut.GetValueOrDefault(grant.Id);
            if (left > 0 && Time.Lapsed?.Contains(grant.Id) != true)
            {
                yield return new GrantExpired(grant.Id, left);
            }
        }
    }

    /// <summary>A grant of the engagement's own: one from before the cut-over ends with it.</summary>
    private Grant Kept(Grant grant) =>
        Time.Opening is { } opening && IsFromBefore(grant, opening.On) && grant.IsAliveOn(opening.On) && !opening.Blocks.Contains(new PartId(grant.Id.Value))
            ? grant with { ExpiresAt = opening.On }
            : grant;

    /// <summary>A carry that begins with the cut-over comes from before it; a block that is sold for that day does not.</summary>
    private static bool IsFromBefore(Grant grant, LocalDate on) => grant.EffectiveAt < on || (grant.EffectiveAt == on && grant.Origin == GrantOrigin.Carried);
}
