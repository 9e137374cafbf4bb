using System.Collections.Immutable;
using AgencyPlatform.Domain.Engagements;
using AgencyPlatform.Domain.Time;
using NodaTime;

namespace AgencyPlatform.Domain.Billing;

/// <summary>Who did something, and when.</summary>
/// <param name="By">The actor, as events name it.</param>
[GenerateSerializer, Immutable, Alias("billing.deed")]
public sealed record Deed(string By, Instant At);

/// <summary>A client's consent, as far as it is for one entry.</summary>
/// <param name="Minutes">Parked minutes of the entry that became overage by it.</param>
[GenerateSerializer, Immutable, Alias("billing.entry-consent")]
public sealed record EntryConsent(int Minutes, Deed Given);

/// <summary>Where an approved entry comes from.</summary>
/// <param name="Minutes">As approved.</param>
/// <param name="Reversed">When its approval was taken back; null: it stands.</param>
[GenerateSerializer, Immutable, Alias("billing.entry-source")]
public sealed record EntrySource(TimeEntryKey Entry, CmoId Cmo, LocalDate Date, int Minutes, Deed Approved, ImmutableArray<EntryConsent> Consents, Deed? Reversed = null);

/// <summary>What made terms hold.</summary>
public enum TermsOrigin
{
    /// <summary>They were proposed with the engagement.</summary>
    Proposal,

    /// <summary>A change of scope.</summary>
    ScopeChange,

    /// <summary>A pause, or the resume after one.</summary>
    Pause,

    /// <summary>A taper.</summary>
    Taper,
}

/// <summary>Where terms come from.</summary>
/// <param name="EffectiveFrom">Which terms.</param>
/// <param name="Made">By whom and when they were put down; of the first terms, when they were proposed last.</param>
/// <param name="Signatures">Of the client's decision makers; none where nobody has to sign.</param>
[GenerateSerializer, Immutable, Alias("billing.terms-source")]
public sealed record TermsSource(LocalDate EffectiveFrom, TermsOrigin Origin, Deed Made, ImmutableArray<Signature> Signatures);

/// <summary>Where a milestone's mark or a block's sale comes from.</summary>
[GenerateSerializer, Immutable, Alias("billing.part-source")]
public sealed record PartSource(PartId Part, Deed Made);

/// <summary>What an engagement's bills were computed from at a moment, and where each of it comes from.</summary>
/// <param name="Entries">Every entry that was ever approved, reversed ones too, by key.</param>
/// <param name="Milestones">Of those that are marked as reached.</param>
[GenerateSerializer, Immutable, Alias("billing.sources")]
public sealed record BillingSources(
    BillingInputs Inputs, ImmutableArray<EntrySource> Entries, ImmutableArray<TermsSource> Terms, ImmutableArray<PartSource> Milestones, ImmutableArray<PartSource> Blocks);
