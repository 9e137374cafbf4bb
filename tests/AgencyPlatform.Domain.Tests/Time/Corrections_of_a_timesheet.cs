using System.Collections.Immutable;
using System.Text.Json;
using AgencyPlatform.Domain.Time;
using CsCheck;
using NodaTime;
using Xunit;

namespace AgencyPlatform.Domain.Tests.Time;

/// <summary>Reversals and disputes of a sheet's entries, and what they leave.</summary>
public sealed class Corrections_of_a_timesheet
{
    private static readonly IsoWeek s_week = new(2026, 14);
    private static readonly LocalDate s_tuesday = new(2026, 3, 31);
    private static readonly Instant s_now = Instant.FromUtc(2026, 4, 4, 12, 0);
    private static readonly CmoId s_ada = new("ada");
    private static readonly DisputeDeadline s_fortnight = new(14, "America/New_York");

    private static Guid Request(int number) => new(number, 0, 0, new byte[8]);

    private static TimeEntryId Id(string id) => new(id);

    private static LoggedEntry Entry(string id, int minutes = 60, string? corrects = null) => new(
        Id(id), new Work(new EngagementId("acme"), s_tuesday, minutes, "", true, true, "", corrects is null ? null : Id(corrects)));

    private static Decision Log(Timesheet sheet, params LoggedEntry[] entries) => sheet.Log(new LogTime(s_ada, s_week, [.. entries]), "Australia/Sydney", s_now);

    private static Timesheet Fold(Timesheet sheet, Decision decision)
    {
        Assert.Null(decision.Rejection);
        return decision.Events.Aggregate(sheet, (s, e) => s.Apply(EventJson.Deserialize(EventJson.NameOf(e).Name, EventJson.NameOf(e).Version, EventJson.Serialize(e))));
    }

    /// <summary>Entries a and b approved, c submitted, d a draft.</summary>
    private static Timesheet Sheet()
    {
        var sheet = Fold(Timesheet.Initial, Log(Timesheet.Initial, Entry("a"), Entry("b"), Entry("c"), Entry("d")));
        sheet = Fold(sheet, sheet.Submit(new SubmitEntries([Id("a"), Id("b"), Id("c")])));
        sheet = Fold(sheet, sheet.Approve(new ApproveEntries([Id("a"), Id("b")]), Request(1), "key:ops", s_now));
        sheet = Fold(sheet, sheet.Record(Request(1), Id("a"), new TimeParts([], 0, 0, 60), null));
        return Fold(sheet, sheet.Record(Request(1), Id("b"), new TimeParts([], 0, 0, 60), null));
    }

    private static Timesheet Disputed(string id)
    {
        var sheet = Fold(Sheet(), Sheet().Dispute(new DisputeEntry(Id(id), "Not ours", false), s_fortnight, Request(7), "key:ops", s_now));
        return sheet.NextCorrection() is var (correction, entry) ? Fold(sheet, sheet.Record(correction.Request, entry.Id)) : sheet;
    }

    private static TimeEntryState State(Timesheet sheet, string id) => sheet.Entries[Id(id)].State;

    [Fact]
    public void Each_entry_of_a_reversal_comes_out_for_itself_and_stays_on_the_sheet()
    {
        var sheet = Sheet();
        sheet = Fold(sheet, sheet.Reverse(new ReverseEntries([Id("a"), Id("b"), Id("c")], "Wrong client"), Request(2), "key:ops", s_now));
        Assert.Equal(s_now + Duration.FromSeconds(15), sheet.NextDue);
        Assert.Equal(Reasons.CorrectionUnderWay, sheet.Dispute(new DisputeEntry(Id("a"), "no", false), s_fortnight, Request(3), "key:ops", s_now).Rejection!.Reason);
        Assert.Equal(Id("a"), sheet.NextCorrection()!.Value.Entry.Id);

        sheet = Fold(sheet, sheet.Record(Request(2), Id("a")));
        Assert.Empty(sheet.Record(Request(2), Id("a")).Events);
        Assert.Null(sheet.OutcomeOf(Request(2)));
        sheet = Fold(sheet, sheet.Record(Request(2), Id("b")));

        Assert.Equal(
            [("a", null), ("b", null), ("c", Reasons.EntryStateNotAllowed)],
            sheet.OutcomeOf(Request(2))!.Outcomes.OrderBy(o => o.Entry).Select(o => (o.Entry.Value, o.Refusal?.Reason)));
        Assert.Equal([TimeEntryState.Reversed, TimeEntryState.Reversed, TimeEntryState.Submitted, TimeEntryState.Draft], sheet.Entries.Values.Select(e => e.State));
        Assert.Equal(new Reversal("Wrong client", "key:ops", s_now), sheet.Entries[Id("a")].Reversal);
        Assert.Null(sheet.NextDue);

        // Reversed again: the answer is there at once. Nothing else is done to it.
        sheet = Fold(sheet, sheet.Reverse(new ReverseEntries([Id("a")], "Again"), Request(4), "key:ops", s_now));
        Assert.Null(Assert.Single(sheet.OutcomeOf(Request(4))!.Outcomes).Refusal);
        Assert.Equal(Reasons.EntryStateNotAllowed, Log(sheet, Entry("a", 30)).Rejection!.Reason);
        Assert.Equal(Reasons.EntryStateNotAllowed, sheet.Remove(new RemoveEntries([Id("a")])).Rejection!.Reason);
        var read = JsonSerializer.Deserialize<Timesheet>(JsonSerializer.Serialize(sheet, EventJson.Options), EventJson.Options);
        Assert.Equal(JsonSerializer.Serialize(sheet, EventJson.Options), JsonSerializer.Serialize(read, EventJson.Options));
    }

    [Fact]
    public void The_right_time_names_the_reversed_entry_that_it_corrects_and_a_reversed_one_fills_no_day()
    {
        var sheet = Sheet();
        Assert.Equal(Reasons.NothingToCorrect, Log(sheet, Entry("e", corrects: "a")).Rejection!.Reason);
        sheet = Fold(sheet, sheet.Reverse(new ReverseEntries([Id("a")], "Wrong client"), Request(2), "key:ops", s_now));
        sheet = Fold(sheet, sheet.Record(Request(2), Id("a")));

        // b, c and d have 180 minutes.
        Assert.Equal("1441", Log(sheet, Entry("e", 1_261, "a")).Rejection!.Metadata["minutes"]);
        Assert.Equal(Id("a"), Fold(sheet, Log(sheet, Entry("e", 1_260, "a"))).Entries[Id("e")].Work.Corrects);
    }

    [Theory]
    [InlineData("a", DisputeResolution.Restored, TimeEntryState.Approved, null)]
    [InlineData("a", DisputeResolution.Reversed, TimeEntryState.Reversed, null)]
    [InlineData("a", DisputeResolution.Rejected, TimeEntryState.Disputed, Reasons.ResolutionNotAllowed)]
    [InlineData("c", DisputeResolution.Restored, TimeEntryState.Submitted, null)]
    [InlineData("c", DisputeResolution.Rejected, TimeEntryState.Rejected, null)]
    [InlineData("c", DisputeResolution.Reversed, TimeEntryState.Disputed, Reasons.ResolutionNotAllowed)]
    public void A_dispute_ends_as_the_state_before_it_allows(string id, DisputeResolution resolution, TimeEntryState after, string? refusal)
    {
        var sheet = Disputed(id);
        Assert.Equal((TimeEntryState.Disputed, "Not ours"), (State(sheet, id), sheet.Entries[Id(id)].Dispute!.Reason));
        Assert.NotNull(sheet.OutcomeOf(Request(7)));

        var resolved = sheet.Resolve(new ResolveDispute(Id(id), resolution, "Looked at"), Request(8), "key:ops", s_now);
        Assert.Equal(refusal, resolved.Rejection?.Reason);
        if (resolved.Rejection is null)
        {
            sheet = Fold(sheet, resolved);
            sheet = sheet.NextCorrection() is var (correction, entry) ? Fold(sheet, sheet.Record(correction.Request, entry.Id)) : sheet;
            Assert.Null(sheet.Entries[Id(id)].Dispute);
            Assert.Null(Assert.Single(sheet.OutcomeOf(Request(8))!.Outcomes).Refusal);
        }

        Assert.Equal(after, State(sheet, id));
    }

    [Fact]
    public void What_is_disputed_is_neither_approved_nor_rejected_nor_reversed_nor_disputed_again()
    {
        var sheet = Disputed("c");
        Assert.Equal(Reasons.EntryStateNotAllowed, sheet.Reject(new RejectEntries([Id("c")], "no")).Rejection!.Reason);
        Assert.Equal(Reasons.EntryStateNotAllowed, sheet.Dispute(new DisputeEntry(Id("c"), "no", false), s_fortnight, Request(8), "key:ops", s_now).Rejection!.Reason);
        var approval = Fold(sheet, sheet.Approve(new ApproveEntries([Id("c")]), Request(9), "key:ops", s_now));
        Assert.Equal(Reasons.EntryStateNotAllowed, Assert.Single(approval.OutcomeOf(Request(9))!.Outcomes).Refusal!.Reason);
        var reversal = Fold(sheet, sheet.Reverse(new ReverseEntries([Id("c")], "no"), Request(10), "key:ops", s_now));
        Assert.Equal(Reasons.EntryStateNotAllowed, Assert.Single(reversal.OutcomeOf(Request(10))!.Outcomes).Refusal!.Reason);
        Assert.Equal(Reasons.EntryStateNotAllowed, sheet.Resolve(new ResolveDispute(Id("a"), DisputeResolution.Restored, "no"), Request(11), "key:ops", s_now).Rejection!.Reason);
        Assert.Equal(Reasons.EntryStateNotAllowed, sheet.Dispute(new DisputeEntry(Id("d"), "no", false), s_fortnight, Request(12), "key:ops", s_now).Rejection!.Reason);
    }

    /// <summary>Approved on Saturday 4 April in New York; the last day is Saturday 18 April there.</summary>
    [Theory]
    [InlineData("2026-04-19T03:59:00Z", true, null)]
    [InlineData("2026-04-19T04:00:00Z", true, Reasons.DisputeTooLate)]
    [InlineData("2026-04-19T04:00:00Z", false, null)]
    public void A_client_disputes_until_some_days_after_the_approval_and_the_agency_whenever(string at, bool byClient, string? refusal)
    {
        var decision = Sheet().Dispute(new DisputeEntry(Id("a"), "Not ours", byClient), s_fortnight, Request(7), "client:acme", NodaTime.Text.InstantPattern.ExtendedIso.Parse(at).Value);
        Assert.Equal(refusal, decision.Rejection?.Reason);
        Assert.Null(Sheet().Dispute(new DisputeEntry(Id("c"), "Not ours", true), s_fortnight, Request(7), "client:acme", s_now + Duration.FromDays(100)).Rejection);
    }

    [Fact]
    public void Nobody_corrects_their_own_time_and_every_correction_has_a_reason()
    {
        Assert.Equal(Reasons.OwnTime, Sheet().Reverse(new ReverseEntries([Id("a")], "Mine"), Request(2), "cmo:ada", s_now).Rejection!.Reason);
        Assert.Equal(Reasons.OwnTime, Disputed("a").Resolve(new ResolveDispute(Id("a"), DisputeResolution.Restored, "Mine"), Request(8), "cmo:ada", s_now).Rejection!.Reason);
        Assert.Equal(["reason"], Sheet().Reverse(new ReverseEntries([Id("a")], ""), Request(2), "key:ops", s_now).Rejection!.Fields.Select(f => f.Field));
        Assert.Equal(["reason"], Sheet().Dispute(new DisputeEntry(Id("a"), new string('x', 501), false), s_fortnight, Request(2), "key:ops", s_now).Rejection!.Fields.Select(f => f.Field));
        Assert.Equal(["note"], Disputed("a").Resolve(new ResolveDispute(Id("a"), DisputeResolution.Restored, ""), Request(8), "key:ops", s_now).Rejection!.Fields.Select(f => f.Field));
        Assert.Equal(RejectionKind.NotFound, Sheet().Reverse(new ReverseEntries([Id("z")], "Gone"), Request(2), "key:ops", s_now).Rejection!.Kind);
    }

    /// <summary>Whatever is asked of a sheet, in whatever order: its rules hold after each move, and its events say all of it.</summary>
    [Fact]
    public void After_any_moves_a_days_minutes_and_every_entrys_state_are_right_and_replay_equals_live() =>
        Gen.Select(Gen.Int[0, 10], Gen.Int[0, 4], Gen.Int[1, 900]).Array[1, 60].Sample(moves =>
        {
            var (live, replayed) = (Timesheet.Initial, Timesheet.Initial);
            foreach (var ((kind, entry, minutes), i) in moves.Select((m, i) => (m, i)))
            {
                var (before, request, id) = (live, Request(100 + i), Id("e" + entry));
                var decision = kind switch
                {
                    0 => Log(live, Entry(id.Value, minutes)),
                    1 => live.LogEach(new LogTime(s_ada, s_week, [Entry(id.Value, minutes), Entry("f", minutes)]), ImmutableDictionary<TimeEntryId, Rejection>.Empty, "UTC", s_now, 0),
                    2 => live.Submit(new SubmitEntries([])),
                    3 => live.Reject(new RejectEntries([id], "no")),
                    4 => live.Approve(new ApproveEntries([id]), request, "key:ops", s_now),
                    5 => live.Remove(new RemoveEntries([id])),
                    6 => live.Reverse(new ReverseEntries([id], "no"), request, "key:ops", s_now),
                    7 => live.Dispute(new DisputeEntry(id, "no", minutes % 2 == 0), s_fortnight, request, "key:ops", s_now),
                    8 => live.Resolve(new ResolveDispute(id, (DisputeResolution)(minutes % 3), "no"), request, "key:ops", s_now),
                    9 => live.ReportNothingWorked(s_ada, s_week, "UTC", s_now),
                    _ when live.NextStep() is var (approval, drawn) =>
                        minutes % 4 == 0 ? live.Record(approval.Request, drawn.Id, null, Rejection.Rule(Reasons.MeterExhausted, "No.")) : live.Record(approval.Request, drawn.Id, new TimeParts([], 0, 0, 60), null),
                    _ when live.NextCorrection() is var (correction, corrected) => live.Record(correction.Request, corrected.Id),
                    _ => Decision.Nothing,
                };
                live = decision.Events.Aggregate(live, (s, e) => s.Apply(e));
                replayed = Fold(replayed, decision.Rejection is null ? decision : Decision.Nothing);

                var counting = live.Entries.Values.Where(e => e.State is not (TimeEntryState.Rejected or TimeEntryState.Reversed)).ToList();
                Assert.InRange(counting.Sum(e => e.Work.Minutes), 0, Timesheet.MinutesOfDay);
                Assert.True(!live.NothingWorked || counting.Count == 0);
                Assert.All(live.Entries.Values, e => Assert.Equal(e.State == TimeEntryState.Disputed, e.Dispute is { Before: TimeEntryState.Submitted or TimeEntryState.Approved }));
                Assert.All(live.Entries.Values, e => Assert.Equal(e.State == TimeEntryState.Reversed, e.Reversal is not null));
                Assert.All(before.Entries.Values.Where(e => e.State == TimeEntryState.Reversed), e => Assert.Equal(e, live.Entries[e.Id]));
                Assert.All(
                    before.Entries.Values.Where(e => e.State is TimeEntryState.Approved or TimeEntryState.Disputed),
                    e => Assert.True(live.Entries[e.Id].Work == e.Work));
                Assert.Equal(live.NextStep() is null && live.NextCorrection() is null, live.NextDue is null);
            }

            Assert.Equal(JsonSerializer.Serialize(live, EventJson.Options), JsonSerializer.Serialize(replayed, EventJson.Options));
        }, iter: 2_000);
}
