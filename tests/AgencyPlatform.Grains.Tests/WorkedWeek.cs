using System.Collections.Immutable;
using AgencyPlatform.Contracts;
using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Clients;
using AgencyPlatform.Contracts.Cmos;
using AgencyPlatform.Contracts.Engagements;
using AgencyPlatform.Contracts.Time;
using AgencyPlatform.Domain;
using AgencyPlatform.Domain.Agencies;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Domain.Capacity;
using AgencyPlatform.Domain.Clients;
using AgencyPlatform.Domain.Cmos;
using AgencyPlatform.Domain.Engagements;
using AgencyPlatform.Domain.Time;
using NodaTime;

namespace AgencyPlatform.Grains.Tests;

/// <summary>A sandbox agency with one active engagement, and a week of worked time on it.</summary>
internal static class WorkedWeek
{
    private static readonly Instant s_start = Instant.FromUtc(2026, 3, 2, 9, 0);
    private static readonly CmoId s_ada = new("ada");
    private static readonly IsoWeek s_week = new(2026, 14);

    /// <summary>The week's first day.</summary>
    public static LocalDate Monday { get; } = new(2026, 3, 30);

    /// <summary>When everything is called, by the sandbox's clock.</summary>
    public static Instant Friday { get; } = Instant.FromUtc(2026, 4, 3, 20, 0);

    /// <summary>Three submitted entries of 250 minutes on a retainer of $8,000 with 600 of them, from 9 March 2026 on, billed on the 9th.</summary>
    public static async Task<(ITimesheetGrain Sheet, IEngagementGrain Engagement)> Submitted(SagaSilo silo, AgencyId agency, OverageGate gate)
    {
        var none = ImmutableSortedDictionary<string, string>.Empty;
        var dollars = new Currency("USD");
        var entity = new LegalEntity(new LegalEntityId("main"), "Main Inc", "US", "America/New_York", dollars, "", "", new InvoiceSeriesId("main"));
        var early = Called(agency) with { SandboxNow = s_start };
        Ok(await silo.Grains.Agency(agency).Create(early, new CreateAgency(agency, new AgencySettings("Agency", "America/New_York", dollars, [], none, none), 0, 0, [entity], s_start)));
        var (acme, ceo, from) = (new ClientCompanyId("acme"), new PersonId("ceo"), new LocalDate(2026, 3, 9));
        var client = silo.Grains.Of<IClientCompanyGrain>(agency, "acme");
        Ok(await client.Create(early, new CreateClient(acme, new ClientProfile("Acme", "", "", "America/New_York", new BillingDetails("", "", "", "", 30), none, none))));
        Ok(await client.PutStakeholder(early, new PutStakeholder(new Stakeholder(ceo, "CEO", true), new PersonDetails("Chief"))));
        Ok(await silo.Grains.Of<IFractionalCmoGrain>(agency, "ada").Create(early, new CreateCmo(
            s_ada, new CmoProfile(new PersonId("p-ada"), "CMO", "America/New_York", none, none), new PersonDetails("Ada"), new CmoLimits(5, 0),
            new WorkingPattern(new LocalDate(2026, 1, 1), new WeekdayMinutes(480, 480, 480, 480, 480, 0, 0)), new CostRate(new LocalDate(2026, 1, 1), 12_000, dollars), null)));
        var engagement = silo.Grains.Of<IEngagementGrain>(agency, "launch");
        var steps = ImmutableArray.Create<BookingStep>(new FlexibleStep(new DateRange(from, from.PlusYears(1)), 600));
        Ok(await engagement.Create(early, new CreateEngagement(new EngagementId("launch"), acme, new EngagementPlan(
            "Launch", ServiceType.FractionalCmo, s_ada, [new EngagementMember(s_ada, "lead", steps, null, true)],
            new RetainerTerms(from, entity.Id, dollars, new BillCycle(9, 1), 800_000, 600, 25_000, gate), from, from.PlusYears(1), null, 1, none, none))));
        Ok(await engagement.Propose(early, new ProposeEngagement(null)));
        Ok(await engagement.Sign(early, new SignEngagement(ceo, 1)));
        Ok(await engagement.Activate(early));
        var sheet = silo.Grains.Of<ITimesheetGrain>(agency, $"ada/{s_week}");
        Ok(await sheet.Log(Called(agency), new LogTime(s_ada, s_week, [.. new[] { "a", "b", "c" }.Select((id, i) => new LoggedEntry(
            new TimeEntryId(id), new Work(new EngagementId("launch"), Monday.PlusDays(i), 250, "", true, true, "")))])));
        Ok(await sheet.Submit(Called(agency), new SubmitEntries([])));
        return (sheet, engagement);
    }

    public static Call Called(AgencyId agency, Guid? request = null, string hash = "") => new(agency, "key:test", request, request is null ? "" : hash, SandboxNow: Friday);

    public static void Ok<T>(Reply<T> reply) => Assert.True(reply.Rejection is null, $"{reply.Rejection?.Reason}: {reply.Rejection?.Message}");
}
