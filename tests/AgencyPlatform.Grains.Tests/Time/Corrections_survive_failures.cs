using AgencyPlatform.Contracts;
using AgencyPlatform.Contracts.Engagements;
using AgencyPlatform.Contracts.Journal;
using AgencyPlatform.Contracts.Time;
using AgencyPlatform.Domain;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Domain.Time;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Core.Internal;

namespace AgencyPlatform.Grains.Tests.Time;

/// <summary>
/// Reversals and disputes of a week of three entries on a real silo with a SQLite file: at every call of an engagement, before it or after it (its answer
/// lost), the call fails and the timesheet's activation is thrown away; the caller repeats with the same request id.
/// </summary>
public sealed class Corrections_survive_failures(SagaSilo silo) : IClassFixture<SagaSilo>
{
    [Theory]
    [InlineData(0, false)]
    [InlineData(0, true)]
    [InlineData(1, false)]
    [InlineData(1, true)]
    [InlineData(2, false)]
    [InlineData(2, true)]
    public async Task Whatever_reversal_fails_every_minute_goes_back_once_and_the_books_are_empty(int step, bool after)
    {
        var agency = new AgencyId($"reverse-{step}-{(after ? "after" : "before")}");
        var (sheet, engagement) = await Approved(agency);
        silo.Faults.Arm(agency, [nameof(IEngagementGrain.Reverse)], step, after);

        var request = Guid.CreateVersion7();
        var reverse = new ReverseEntries([new("a"), new("b"), new("c")], "Wrong client");
        var reply = await Repeated(sheet, () => sheet.Reverse(Called(agency, request, "reverse"), reverse));
        Assert.True(silo.Faults.Fired(agency));

        Assert.All(reply.Value!.Outcomes, o => Assert.Null(o.Refusal));
        Assert.All(reply.Value.Timesheet.Entries.Values, e => Assert.Equal(TimeEntryState.Reversed, e.State));
        Assert.Equal((0, 600), await Meter(agency, engagement));
        var again = await sheet.Reverse(Called(agency, request, "reverse"), reverse);
        Assert.Equal((reply.Meta!.Version, 3), (again.Meta!.Version, again.Value!.Outcomes.Length));
        Assert.All((await sheet.Reverse(Called(agency, Guid.CreateVersion7(), "other"), reverse)).Value!.Outcomes, o => Assert.Null(o.Refusal));

        var rows = await silo.ReadModels.List<PostingRow>(agency, Query.All(100));
        Assert.NotEmpty(rows);
        Assert.All(rows.GroupBy(r => r.Account), account => Assert.Equal(0, account.Sum(r => r.Amount)));
        Assert.Empty((await engagement.GetBillingInputs(new Read(agency, WorkedWeek.Friday))).Value!.Entries);
    }

    [Theory]
    [InlineData(nameof(IEngagementGrain.Dispute), false, DisputeResolution.Restored)]
    [InlineData(nameof(IEngagementGrain.Dispute), true, DisputeResolution.Restored)]
    [InlineData(nameof(IEngagementGrain.EndDispute), false, DisputeResolution.Restored)]
    [InlineData(nameof(IEngagementGrain.EndDispute), true, DisputeResolution.Restored)]
    [InlineData(nameof(IEngagementGrain.Reverse), false, DisputeResolution.Reversed)]
    [InlineData(nameof(IEngagementGrain.Reverse), true, DisputeResolution.Reversed)]
    public async Task Whatever_step_of_a_dispute_fails_sheet_and_engagement_say_the_same(string method, bool after, DisputeResolution resolution)
    {
        var agency = new AgencyId($"dispute-{method.ToLowerInvariant()}-{(after ? "after" : "before")}");
        var (sheet, engagement) = await Approved(agency);
        silo.Faults.Arm(agency, [method], 0, after);

        // Entry c has 150 minutes of overage.
        var (dispute, resolve) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        var disputed = await Repeated(sheet, () => sheet.Dispute(Called(agency, dispute, "dispute"), new DisputeEntry(new("c"), "Not ours", false)));
        Assert.Equal(TimeEntryState.Disputed, disputed.Value!.Entries[new("c")].State);
        Assert.True(Assert.Single((await engagement.GetBillingInputs(new Read(agency, WorkedWeek.Friday))).Value!.Entries).Disputed);
        Assert.Equal((600, 0), await Meter(agency, engagement));

        var resolved = await Repeated(sheet, () => sheet.Resolve(Called(agency, resolve, "resolve"), new ResolveDispute(new("c"), resolution, "Looked at")));
        Assert.True(silo.Faults.Fired(agency));
        var inputs = (await engagement.GetBillingInputs(new Read(agency, WorkedWeek.Friday))).Value!;
        var restored = resolution == DisputeResolution.Restored;
        Assert.Equal(restored ? TimeEntryState.Approved : TimeEntryState.Reversed, resolved.Value!.Entries[new("c")].State);
        Assert.Equal(restored ? (600, 0) : (500, 100), await Meter(agency, engagement));
        Assert.Equal(restored ? [false] : [], inputs.Entries.Select(e => e.Disputed));

        var again = await sheet.Resolve(Called(agency, resolve, "resolve"), new ResolveDispute(new("c"), resolution, "Looked at"));
        Assert.Equal(resolved.Meta, again.Meta);
        Assert.Equal(disputed.Meta, (await sheet.Dispute(Called(agency, dispute, "dispute"), new DisputeEntry(new("c"), "Not ours", false))).Meta);
    }

    /// <summary>Entries a, b and c of 250 minutes, of which the 600 included cover two and 100 of the third.</summary>
    private async Task<(ITimesheetGrain Sheet, IEngagementGrain Engagement)> Approved(AgencyId agency)
    {
        var (sheet, engagement) = await WorkedWeek.Submitted(silo, agency, OverageGate.Bill);
        var approved = await sheet.Approve(Called(agency, Guid.CreateVersion7(), "approve"), new ApproveEntries([]));
        Assert.All(approved.Value!.Outcomes, o => Assert.Null(o.Refusal));
        return (sheet, engagement);
    }

    private static async Task<(int Drawn, int Remaining)> Meter(AgencyId agency, IEngagementGrain engagement)
    {
        var meter = (await engagement.GetMeter(new Read(agency, WorkedWeek.Friday), WorkedWeek.Monday)).Value!;
        return (Assert.Single(meter.Grants).Drawn, meter.Remaining);
    }

    private static async Task<Reply<T>> Repeated<T>(ITimesheetGrain sheet, Func<Task<Reply<T>>> call)
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

    private static Call Called(AgencyId agency, Guid request, string hash) => WorkedWeek.Called(agency, request, hash);
}
