using System.Collections.Concurrent;
using System.Collections.Immutable;
using AgencyPlatform.Contracts;
using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Clients;
using AgencyPlatform.Contracts.Cmos;
using AgencyPlatform.Contracts.Engagements;
using AgencyPlatform.Contracts.Journal;
using AgencyPlatform.Contracts.Time;
using AgencyPlatform.Domain;
using AgencyPlatform.Domain.Agencies;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Domain.Capacity;
using AgencyPlatform.Domain.Clients;
using AgencyPlatform.Domain.Cmos;
using AgencyPlatform.Domain.Engagements;
using AgencyPlatform.Domain.Time;
using AgencyPlatform.Storage;
using AgencyPlatform.Storage.Snapshots;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using NodaTime;
using Orleans.Configuration;
using Orleans.Core.Internal;

namespace AgencyPlatform.Grains.Tests.Time;

/// <summary>
/// The approval of three entries on a real silo with a SQLite file: at every draw, before it or after it (its answer lost), the call fails and
/// the timesheet's activation is thrown away; the caller repeats with the same request id.
/// </summary>
public sealed class Approval_survives_failures(TimeSilo silo) : IClassFixture<TimeSilo>
{
    private static readonly LocalDate s_monday = new(2026, 3, 30);
    private static readonly Instant s_start = Instant.FromUtc(2026, 3, 2, 9, 0);
    private static readonly Instant s_friday = Instant.FromUtc(2026, 4, 3, 20, 0);
    private static readonly CmoId s_ada = new("ada");
    private static readonly IsoWeek s_week = new(2026, 14);

    [Theory]
    [InlineData(0, false)]
    [InlineData(0, true)]
    [InlineData(1, false)]
    [InlineData(1, true)]
    [InlineData(2, false)]
    [InlineData(2, true)]
    public async Task Whatever_draw_fails_every_entry_counts_once_and_the_refused_one_is_submitted_again(int step, bool after)
    {
        var agency = new AgencyId($"time-{step}-{(after ? "after" : "before")}");
        var (sheet, engagement) = await Submitted(agency);
        silo.Faults.Arm(agency, step, after);

        var request = Guid.CreateVersion7();
        var reply = await Repeated(sheet, () => sheet.Approve(Called(agency, request, "approve"), new ApproveEntries([])));
        Assert.True(silo.Faults.Fired(agency));

        Assert.Equal([null, null, Reasons.MeterExhausted], reply.Value!.Outcomes.OrderBy(o => o.Entry).Select(o => o.Refusal?.Reason));
        Assert.Equal([TimeEntryState.Approved, TimeEntryState.Approved, TimeEntryState.Submitted], reply.Value.Timesheet.Entries.Values.Select(e => e.State));
        var meter = (await engagement.GetMeter(new Read(agency, s_friday), s_monday)).Value!;
        Assert.Equal((500, 100), (Assert.Single(meter.Grants).Drawn, meter.Remaining));

        // A repeat answers the same and changes nothing; so does another approval of what is approved.
        var again = await sheet.Approve(Called(agency, request, "approve"), new ApproveEntries([]));
        Assert.Equal((reply.Meta!.Version, reply.Value.Outcomes.Length), (again.Meta!.Version, again.Value!.Outcomes.Length));
        var other = await sheet.Approve(Called(agency, Guid.CreateVersion7(), "other"), new ApproveEntries([new("a")]));
        Assert.Null(Assert.Single(other.Value!.Outcomes).Refusal);
        Assert.Equal(500, Assert.Single((await engagement.GetMeter(new Read(agency, s_friday), s_monday)).Value!.Grants).Drawn);

        // The ledger balances, with each approved minute once: 500 minutes at $120 an hour.
        var rows = await silo.ReadModels.List<PostingRow>(agency, Query.All(100));
        Assert.Equal(0, rows.Sum(r => r.Amount));
        Assert.Equal(100_000, rows.Where(r => r.Account == LedgerAccount.CostOfService).Sum(r => r.Amount));
        var entries = await silo.ReadModels.List<TimeEntryRow>(agency, Query.All(100, Filter.Eq(nameof(TimeEntryRow.State), TimeEntryState.Approved)));
        Assert.Equal(500, entries.Sum(e => e.Drawn));
    }

    [Fact]
    public async Task A_repeat_older_than_the_remembered_outcomes_is_answered_with_the_end_of_its_own_approval()
    {
        var agency = new AgencyId("old-approval");
        var (sheet, _) = await Submitted(agency);
        var request = Guid.CreateVersion7();
        var first = await sheet.Approve(Called(agency, request, "approve"), new ApproveEntries([]));
        await Task.WhenAll(Enumerable.Range(0, 257).Select(i => sheet.Approve(Called(agency, Guid.CreateVersion7(), $"other-{i}"), new ApproveEntries([new("a")]))));
        Assert.Null((await sheet.Get(new Read(agency, s_friday))).Value!.OutcomeOf(request));

        var again = await sheet.Approve(Called(agency, request, "approve"), new ApproveEntries([]));

        Assert.Equal(first.Meta, again.Meta);
        Assert.Equal(first.Value!.Outcomes.Select(o => (o.Entry, o.Refusal?.Reason)), again.Value!.Outcomes.Select(o => (o.Entry, o.Refusal?.Reason)));
    }

    private static async Task<Reply<ApprovalResult>> Repeated(ITimesheetGrain sheet, Func<Task<Reply<ApprovalResult>>> call)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return await call();
            }
            catch (UnavailableException) when (attempt < 3)
            {
                await sheet.AsReference<IGrainManagementExtension>().DeactivateOnIdle();
            }
        }
    }

    /// <summary>Three submitted entries of 250 minutes on a retainer with 600, whose gate blocks.</summary>
    private async Task<(ITimesheetGrain Sheet, IEngagementGrain Engagement)> Submitted(AgencyId agency)
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
            new RetainerTerms(from, entity.Id, dollars, new BillCycle(9, 1), 800_000, 600, 25_000, OverageGate.Block), from, from.PlusYears(1), null, 1, none, none))));
        Ok(await engagement.Propose(early, new ProposeEngagement(null)));
        Ok(await engagement.Sign(early, new SignEngagement(ceo, 1)));
        Ok(await engagement.Activate(early));
        var sheet = silo.Grains.Of<ITimesheetGrain>(agency, $"ada/{s_week}");
        Ok(await sheet.Log(Called(agency), new LogTime(s_ada, s_week, [.. new[] { "a", "b", "c" }.Select((id, i) => new LoggedEntry(
            new TimeEntryId(id), new Work(new EngagementId("launch"), s_monday.PlusDays(i), 250, "", true, true, "")))])));
        Ok(await sheet.Submit(Called(agency), new SubmitEntries([])));
        return (sheet, engagement);
    }

    private static Call Called(AgencyId agency, Guid? request = null, string hash = "") => new(agency, "key:test", request, request is null ? "" : hash, SandboxNow: s_friday);

    private static void Ok<T>(Reply<T> reply) => Assert.True(reply.Rejection is null, $"{reply.Rejection?.Reason}: {reply.Rejection?.Message}");
}

/// <summary>A silo over a SQLite file of its own, whose draws can be made to fail.</summary>
public sealed class TimeSilo : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("agencyplatform-time").FullName;
    private IHost? _host;

    public DrawFaults Faults { get; } = new();

    public IGrainFactory Grains => _host!.Services.GetRequiredService<IGrainFactory>();

    public IReadModels ReadModels => _host!.Services.GetRequiredService<IReadModels>();

    public async Task InitializeAsync()
    {
        var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { EnvironmentName = "Test" });
        builder.Services.AddAgencyPlatformStorage(new StorageOptions { Provider = StorageProvider.Sqlite, ConnectionString = $"Data Source={Path.Combine(_folder, "journal.db")}" });
        builder.UseOrleans(silo =>
        {
            silo.UseLocalhostClustering(FreePort(), gatewayPort: 0, primarySiloEndpoint: null, serviceId: "test", clusterId: "test");
            silo.Configure<EndpointOptions>(endpoint => endpoint.AdvertisedIPAddress = System.Net.IPAddress.Loopback);
            silo.AddAgencyPlatformSnapshots(GrainServices.SnapshotStorage);
            silo.AddAgencyPlatformGrains();
            silo.AddIncomingGrainCallFilter(Faults);
        });
        _host = builder.Build();
        await _host.StartAsync();
    }

    public async Task DisposeAsync()
    {
        await _host!.StopAsync();
        _host.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private static int FreePort()
    {
        using var listener = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        return ((System.Net.IPEndPoint)listener.LocalEndpoint).Port;
    }
}

/// <summary>Makes the n-th draw of an agency fail once: before it reaches the engagement, or after, so that only its answer is lost.</summary>
public sealed class DrawFaults : IIncomingGrainCallFilter
{
    private readonly ConcurrentDictionary<string, (int Step, bool After, int Seen)> _faults = new();

    public void Arm(AgencyId agency, int step, bool after) => _faults[agency.Value] = (step, after, 0);

    public bool Fired(AgencyId agency) => _faults[agency.Value] is var fault && fault.Seen > fault.Step;

    public async Task Invoke(IIncomingGrainCallContext context)
    {
        var agency = context.MethodName == nameof(IEngagementGrain.Draw) ? AggregateKey.AgencyOf(context.TargetId.Key.ToString()!) : "";
        if (!_faults.TryGetValue(agency, out var fault))
        {
            await context.Invoke();
            return;
        }

        _faults[agency] = fault with { Seen = fault.Seen + 1 };
        if (fault.Seen != fault.Step || fault.After)
        {
            await context.Invoke();
        }

        if (fault.Seen == fault.Step)
        {
            throw new UnavailableException("The test lets this draw fail.");
        }
    }
}
