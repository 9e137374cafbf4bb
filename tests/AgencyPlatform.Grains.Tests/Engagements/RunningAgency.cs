using System.Collections.Immutable;
using AgencyPlatform.Contracts;
using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Clients;
using AgencyPlatform.Contracts.Cmos;
using AgencyPlatform.Contracts.Engagements;
using AgencyPlatform.Domain;
using AgencyPlatform.Domain.Agencies;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Domain.Capacity;
using AgencyPlatform.Domain.Clients;
using AgencyPlatform.Domain.Cmos;
using AgencyPlatform.Domain.Engagements;
using NodaTime;
using Orleans.Core.Internal;

namespace AgencyPlatform.Grains.Tests.Engagements;

/// <summary>
/// An agency whose clock stands, with CMOs ada, bob and cy of 1,920 minutes a week (Monday to Thursday), and an active engagement of ada (600, the
/// lead) and bob (300, by a hold of the proposal) for a client from 4 January 2027 on, for a year.
/// </summary>
internal sealed class RunningAgency(SagaSilo silo, string id)
{
    public static readonly LocalDate Start = new(2027, 1, 4);
    public static readonly LocalDate End = new(2028, 1, 4);

    private static readonly Instant s_now = Instant.FromUtc(2026, 12, 1, 9, 0);
    private static readonly ImmutableSortedDictionary<string, string> s_none = ImmutableSortedDictionary<string, string>.Empty;

    public AgencyId Agency { get; } = new(id);

    public static CmoId Ada { get; } = new("ada");

    public static CmoId Bob { get; } = new("bob");

    public static CmoId Cy { get; } = new("cy");

    public static PersonId Ceo { get; } = new("ceo");

    public IEngagementGrain Engagement => silo.Grains.Of<IEngagementGrain>(Agency, "launch");

    public IFractionalCmoGrain Cmo(CmoId cmo) => silo.Grains.Of<IFractionalCmoGrain>(Agency, cmo.Value);

    public Call Called(Guid? request = null, string hash = "") => new(Agency, "key:test", request, request is null ? "" : hash, SandboxNow: s_now);

    public Read Read => new(Agency, s_now);

    public async Task<RunningAgency> Activated()
    {
        var entity = new LegalEntity(new LegalEntityId("main"), "Main Inc", "US", "America/New_York", new Currency("USD"), "", "", new InvoiceSeriesId("main"));
        Ok(await silo.Grains.Agency(Agency).Create(
            Called(), new CreateAgency(Agency, new AgencySettings("Agency", "America/New_York", new Currency("USD"), [], s_none, s_none), 0, 0, [entity], s_now)));
        foreach (var client in new[] { "acme", "other" })
        {
            var grain = silo.Grains.Of<IClientCompanyGrain>(Agency, client);
            Ok(await grain.Create(Called(), new CreateClient(new ClientCompanyId(client), new ClientProfile(client, "", "", "America/New_York", new BillingDetails("", "", "", "", 30), s_none, s_none))));
            Ok(await grain.PutStakeholder(Called(), new PutStakeholder(new Stakeholder(Ceo, "CEO", true), new PersonDetails("Chief"))));
        }

        foreach (var cmo in new[] { Ada, Bob, Cy })
        {
            Ok(await Cmo(cmo).Create(Called(), new CreateCmo(
                cmo, new CmoProfile(new PersonId($"p-{cmo}"), "CMO", "America/New_York", s_none, s_none), new PersonDetails(cmo.Value), new CmoLimits(5, 0),
                new WorkingPattern(new LocalDate(2026, 1, 1), new WeekdayMinutes(480, 480, 480, 480, 0, 0, 0)), new CostRate(new LocalDate(2026, 1, 1), 12_000, new Currency("USD")), null)));
        }

        var acme = new ClientCompanyId("acme");
        Ok(await Cmo(Bob).Hold(Called(), new HoldBooking(new BookingId("slot"), new BookingSpec(acme, null, Weekly(300)), Duration.FromDays(20))));
        Ok(await Engagement.Create(Called(), new CreateEngagement(new EngagementId("launch"), acme, new EngagementPlan(
            "Launch", ServiceType.FractionalCmo, Ada,
            [new EngagementMember(Ada, "lead", Weekly(600), null, true), new EngagementMember(Bob, "", [], new BookingId("slot"), true)],
            new RetainerTerms(Start, entity.Id, entity.Currency, new BillCycle(1, 1), 1_000_000, 2_400, 25_000, OverageGate.Consent), Start, End, null, 1, s_none, s_none))));
        Ok(await Engagement.Propose(Called(), new ProposeEngagement(null)));
        Ok(await Engagement.Sign(Called(), new SignEngagement(Ceo, 1)));
        Ok(await Engagement.Activate(Called()));
        return this;
    }

    /// <summary>Somebody else books a CMO.</summary>
    public async Task Taken(CmoId cmo, string booking, ImmutableArray<BookingStep> steps) =>
        Ok(await Cmo(cmo).Book(Called(), new Book(new BookingId(booking), new BookingSpec(new ClientCompanyId("other"), null, steps))));

    public static ImmutableArray<BookingStep> Weekly(int minutes, LocalDate? from = null, LocalDate? until = null) =>
        [new FlexibleStep(new DateRange(from ?? Start, until ?? End), minutes)];

    /// <summary>Calls until answered; after a failure the engagement's activation is thrown away, as if its silo had died.</summary>
    public async Task<Reply<Engagement>> Repeated(Func<IEngagementGrain, Task<Reply<Engagement>>> call)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return await call(Engagement);
            }
            catch (UnavailableException) when (attempt < 3)
            {
                await Engagement.AsReference<IGrainManagementExtension>().DeactivateOnIdle();
            }
        }
    }

    /// <summary>What each CMO has booked, as text: <c>ada launch-ada confirmed 600 [2027-01-04, 2028-01-04)</c>.</summary>
    public async Task<string[]> Booked()
    {
        var booked = new List<string>();
        foreach (var cmo in new[] { Ada, Bob, Cy })
        {
            booked.AddRange((await Cmo(cmo).Get(Read)).Value!.Bookings.Values.Where(b => b.Spec.Client.Value == "acme").SelectMany(b => b.Spec.Steps.Select(s =>
                $"{cmo} {(b.Owner?.Value == "launch" ? "" : "not ")}owned {b.State} {s switch { FlexibleStep f => f.WeeklyMinutes, DatedStep d => d.Minutes.Values.Sum(), _ => -1 }} {s.Dates}")));
        }

        return [.. booked];
    }

    public static void Ok<T>(Reply<T> reply) => Assert.True(reply.Rejection is null, $"{reply.Rejection?.Reason}: {reply.Rejection?.Message}");
}
