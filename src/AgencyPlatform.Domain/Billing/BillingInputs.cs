using System.Collections.Immutable;
using AgencyPlatform.Domain.Time;
using NodaTime;

namespace AgencyPlatform.Domain.Billing;

/// <summary>Approved minutes of one entry that something is charged for.</summary>
/// <param name="Overage">Charged at the overage rate of the terms on the date.</param>
/// <param name="Charged">Charged at the rate of the terms on the date, by the hour or by the day.</param>
/// <param name="Disputed">It goes on no new invoice; what stands invoiced of it stays.</param>
[GenerateSerializer, Immutable, Alias("billing.billable-entry")]
public sealed record BillableEntry(TimeEntryKey Entry, CmoId Cmo, LocalDate Date, int Overage, int Charged, bool Disputed = false);

/// <summary>All of an engagement that its bills are computed from; they follow from this and from what was invoiced, and from nothing else.</summary>
/// <param name="Service">The days served.</param>
/// <param name="BillingStartsOn">Nothing earlier is ever billed.</param>
/// <param name="Terms">Effective-dated, in order.</param>
/// <param name="Entries">In the order of date, then entry.</param>
/// <param name="Milestones">Those that were reached; null: none.</param>
/// <param name="Blocks">Prepaid blocks that were sold; null: none.</param>
/// <param name="Apart">It has invoices of its own: no other engagement is on them, and it is on none of others.</param>
[GenerateSerializer, Immutable, Alias("billing.inputs")]
public sealed record BillingInputs(
    EngagementId Engagement, ClientCompanyId Client, string Title, DateRange Service, LocalDate BillingStartsOn, ImmutableArray<Terms> Terms, ImmutableArray<BillableEntry> Entries,
    ImmutableArray<ReachedMilestone>? Milestones = null, ImmutableArray<PrepaidBlock>? Blocks = null, bool Apart = false);
