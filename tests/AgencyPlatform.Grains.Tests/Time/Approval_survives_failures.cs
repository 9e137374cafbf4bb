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
public sealed class Approval_survives_failures(SagaSilo silo) : IClassFixture<SagaSilo>
{

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
        var (sheet, engagement) = await WorkedWeek.Submitted(silo, agency, OverageGate.Block);
        silo.Faults.Arm(agency, [nameof(IEngagementGrain.Draw)], step, after);

        var request = Guid.CreateVersion7();
        var reply = await Repeated(sheet, () => sheet.Approve(Called(agency, request, "approve"), new ApproveEntries([])));
        Assert.True(silo.Faults.Fired(agency));

        Assert.Equal([null, null, Reasons.MeterExhausted], reply.Value!.Outcomes.OrderBy(o => o.Entry).Select(o => o.Refusal?.Reason));
        Assert.Equal([TimeEntryState.Approved, TimeEntryState.Approved, TimeEntryState.Submitted], reply.Value.Timesheet.Entries.Values.Select(e => e.State));
        var meter = (await engagement.GetMeter(new Read(agency, WorkedWeek.Friday), WorkedWeek.Monday)).Value!;
        Assert.Equal((500, 100), (Assert.Single(meter.Grants).Drawn, meter.Remaining));

        // A repeat answers the same and changes nothing; so does another approval of what is approved.
        var again = await sheet.Approve(Called(agency, request, "approve"), new ApproveEntries([]));
        Assert.Equal((reply.Meta!.Version, reply.Value.Outcomes.Length), (again.Meta!.Version, again.Value!.Outcomes.Length));
        var other = await sheet.Approve(Called(agency, Guid.CreateVersion7(), "other"), new ApproveEntries([new("a")]));
        Assert.Null(Assert.Single(other.Value!.Outcomes).Refusal);
        Assert.Equal(500, Assert.Single((await engagement.GetMeter(new Read(agency, WorkedWeek.Friday), WorkedWeek.Monday)).Value!.Grants).Drawn);

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
        var (sheet, _) = await WorkedWeek.Submitted(silo, agency, OverageGate.Block);
        var request = Guid.CreateVersion7();
        var first = await sheet.Approve(Called(agency, request, "approve"), new ApproveEntries([]));
        await Task.WhenAll(Enumerable.Range(0, 257).Select(i => sheet.Approve(Called(agency, Guid.CreateVersion7(), $"other-{i}"), new ApproveEntries([new("a")]))));
        Assert.Null((await sheet.Get(new Read(agency, WorkedWeek.Friday))).Value!.OutcomeOf(request));

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

    private static Call Called(AgencyId agency, Guid? request = null, string hash = "") => WorkedWeek.Called(agency, request, hash);
}
