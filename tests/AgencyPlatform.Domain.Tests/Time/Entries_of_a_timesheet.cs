using System.Collections.Immutable;
using System.Text.Json;
using AgencyPlatform.Domain.Engagements;
using AgencyPlatform.Domain.Time;
using NodaTime;
using Xunit;

namespace AgencyPlatform.Domain.Tests.Time;

public sealed class Entries_of_a_timesheet
{
    private static readonly IsoWeek s_week = new(2026, 14);
    private static readonly LocalDate s_tuesday = new(2026, 3, 31);
    private static readonly Instant s_now = Instant.FromUtc(2026, 4, 4, 12, 0);
    private static readonly CmoId s_ada = new("ada");
    private static readonly EngagementId s_acme = new("acme");
    private static readonly Rejection s_no = Rejection.Rule(Reasons.MeterExhausted, "No.");

    private static Guid Request(int number) => new(number, 0, 0, new byte[8]);

    private static TimeEntryId Id(string id) => new(id);

    private static LoggedEntry Entry(string id, int minutes = 60, LocalDate? date = null, string engagement = "acme") =>
        new(Id(id), new Work(new EngagementId(engagement), date ?? s_tuesday, minutes, "strategy", true, true, "note"));

    private static Decision Log(Timesheet sheet, params LoggedEntry[] entries) => sheet.Log(new LogTime(s_ada, s_week, [.. entries]), "Australia/Sydney", s_now);

    private static Timesheet Fold(Timesheet sheet, Decision decision)
    {
        Assert.Null(decision.Rejection);
        return decision.Events.Aggregate(sheet, (s, e) => s.Apply(EventJson.Deserialize(EventJson.NameOf(e).Name, EventJson.NameOf(e).Version, EventJson.Serialize(e))));
    }

    private static Timesheet Submitted(params LoggedEntry[] entries)
    {
        var sheet = Fold(Timesheet.Initial, Log(Timesheet.Initial, entries));
        return Fold(sheet, sheet.Submit(new SubmitEntries([])));
    }

    [Fact]
    public void Bad_entries_are_named_field_by_field()
    {
        var refused = Log(Timesheet.Initial, Entry("a", 0), Entry("b", 1_441), Entry("c", 60, new LocalDate(2026, 4, 6))).Rejection!;
        Assert.Equal(["entries[0].minutes", "entries[1].minutes", "entries[2].date"], refused.Fields.Select(f => f.Field));
    }

    [Fact]
    public void A_day_has_1440_minutes_over_all_engagements()
    {
        var sheet = Fold(Timesheet.Initial, Log(Timesheet.Initial, Entry("a", 1_000)));
        var refused = Log(sheet, Entry("b", 441, engagement: "other")).Rejection!;
        Assert.Equal((Reasons.DayOverfull, "1441"), (refused.Reason, refused.Metadata["minutes"]));
        Assert.Null(Log(sheet, Entry("b", 440, engagement: "other")).Rejection);
        Assert.Null(Log(sheet, Entry("a", 1_440)).Rejection);
    }

    [Fact]
    public void Today_is_the_CMOs()
    {
        // Sydney is in its Saturday when New York is in its Friday.
        var late = Instant.FromUtc(2026, 4, 3, 20, 0);
        var saturday = new LogTime(s_ada, s_week, [Entry("a", 60, new LocalDate(2026, 4, 4))]);
        Assert.Null(Timesheet.Initial.Log(saturday, "Australia/Sydney", late).Rejection);
        Assert.Equal(Reasons.TimeInFuture, Timesheet.Initial.Log(saturday, "America/New_York", late).Rejection!.Reason);
    }

    [Fact]
    public void Logging_the_same_again_changes_nothing_and_another_engagement_is_refused()
    {
        var sheet = Fold(Timesheet.Initial, Log(Timesheet.Initial, Entry("a")));
        Assert.Empty(Log(sheet, Entry("a")).Events);
        Assert.Equal(Reasons.EntryEngagementFixed, Log(sheet, Entry("a", engagement: "other")).Rejection!.Reason);
    }

    [Fact]
    public void Submitted_time_changes_only_after_a_rejection()
    {
        var sheet = Submitted(Entry("a"));
        Assert.Equal(Reasons.EntryStateNotAllowed, Log(sheet, Entry("a", 30)).Rejection!.Reason);
        Assert.Equal(Reasons.EntryStateNotAllowed, sheet.Remove(new RemoveEntries([Id("a")])).Rejection!.Reason);
        var rejected = Fold(sheet, sheet.Reject(new RejectEntries([Id("a")], "Too long")));
        Assert.Equal(TimeEntryState.Rejected, rejected.Entries[Id("a")].State);
        Assert.Equal(Reasons.EntryStateNotAllowed, rejected.Submit(new SubmitEntries([Id("a")])).Rejection!.Reason);
        var again = Fold(rejected, Log(rejected, Entry("a", 30)));
        Assert.Equal(TimeEntryState.Draft, again.Entries[Id("a")].State);
        Assert.Empty(Fold(again, again.Remove(new RemoveEntries([Id("a")]))).Entries);
    }

    [Fact]
    public void Nobody_approves_their_own_time()
    {
        var sheet = Submitted(Entry("a"));
        Assert.Equal(Reasons.OwnTime, sheet.Approve(new ApproveEntries([]), Request(1), "cmo:ada", s_now).Rejection!.Reason);
        Assert.Null(sheet.Approve(new ApproveEntries([]), Request(1), "cmo:bob", s_now).Rejection);
    }

    [Fact]
    public void Each_entry_of_an_approval_comes_out_for_itself()
    {
        var (first, second) = (Request(1), Request(2));
        var sheet = Submitted(Entry("a"), Entry("b"), Entry("c"));
        sheet = Fold(sheet, Log(sheet, Entry("d")));
        sheet = Fold(sheet, sheet.Approve(new ApproveEntries([Id("a"), Id("b"), Id("d")]), first, "key:ops", s_now));
        Assert.Equal(Id("a"), sheet.NextStep()!.Value.Entry.Id);
        Assert.Equal(s_now + Duration.FromSeconds(15), sheet.NextDue);
        Assert.Equal(Reasons.ApprovalUnderWay, sheet.Reject(new RejectEntries([Id("a")], "no")).Rejection!.Reason);

        sheet = Fold(sheet, sheet.Record(first, Id("a"), new TimeParts([], 0, 0, 60), null));
        Assert.Empty(sheet.Record(first, Id("a"), null, s_no).Events);
        Assert.Null(sheet.OutcomeOf(first));
        sheet = Fold(sheet, sheet.Record(first, Id("b"), null, s_no));

        var outcomes = sheet.OutcomeOf(first)!.Outcomes.ToDictionary(o => o.Entry.Value, o => o.Refusal?.Reason);
        Assert.Equal((null, Reasons.MeterExhausted, Reasons.EntryStateNotAllowed), (outcomes["a"], outcomes["b"], outcomes["d"]));
        Assert.Equal(
            [TimeEntryState.Approved, TimeEntryState.Submitted, TimeEntryState.Submitted, TimeEntryState.Draft], sheet.Entries.Values.Select(e => e.State));
        Assert.Equal(Reasons.MeterExhausted, sheet.Entries[Id("b")].Refusal!.Reason);
        Assert.Null(sheet.NextStep());
        Assert.Null(sheet.NextDue);

        // Approved again: the answer is there at once.
        sheet = Fold(sheet, sheet.Approve(new ApproveEntries([Id("a")]), second, "key:ops", s_now));
        Assert.Null(Assert.Single(sheet.OutcomeOf(second)!.Outcomes).Refusal);
        var read = JsonSerializer.Serialize(JsonSerializer.Deserialize<Timesheet>(JsonSerializer.Serialize(sheet, EventJson.Options), EventJson.Options), EventJson.Options);
        Assert.Equal(JsonSerializer.Serialize(sheet, EventJson.Options), read);
    }

    [Fact]
    public void Weeks_are_written_and_read_in_ISO_form()
    {
        Assert.Equal(s_week, IsoWeek.Parse("2026-w14"));
        Assert.Equal("2026-W14", s_week.ToString());
        Assert.Equal(new IsoWeek(2026, 53), IsoWeek.Of(new LocalDate(2027, 1, 3)));
        Assert.Null(IsoWeek.Parse("2025-W53"));
        Assert.Equal(new LocalDate(2026, 3, 30), s_week.Monday());
    }
}
