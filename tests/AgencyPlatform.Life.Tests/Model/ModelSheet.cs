using AgencyPlatform.Domain.Time;
using NodaTime;
using static AgencyPlatform.Domain.Time.TimeEntryState;

namespace AgencyPlatform.Life.Tests.Model;

internal sealed class ModelEntry(string id, string engagement, LocalDate date, int minutes, bool billable, bool paid)
{
    public string Id { get; } = id;
    public string Engagement { get; } = engagement;
    public LocalDate Date { get; } = date;
    public int Minutes { get; } = minutes;
    public bool Billable { get; } = billable;
    public bool Paid { get; } = paid;
    public TimeEntryState State { get; set; } = Draft;
    public Instant? ApprovedAt { get; set; }

    /// <summary>While it is disputed: the dispute, and the state before.</summary>
    public (Guid Id, TimeEntryState Before)? Dispute { get; set; }

    /// <summary>How it was split at its approval.</summary>
    public string Parts { get; set; } = "";

    public bool SameAs(ModelEntry other) => (Engagement, Date, Minutes, Billable, Paid) == (other.Engagement, other.Date, other.Minutes, other.Billable, other.Paid);

    public override string ToString() => $"{Id} {Engagement} {Date:MM-dd} {Minutes}{(Billable ? "" : " free")}{(Paid ? "" : " unpaid")} {State} {Parts}".TrimEnd();
}

/// <summary>An approval, reversal, dispute or its end under way: the entries that still wait for their engagements, and how the others came out.</summary>
internal sealed class ModelRound(Guid request, string what, Instant startedAt)
{
    public Guid Request { get; } = request;
    public string What { get; } = what;
    public Instant StartedAt { get; } = startedAt;
    public HashSet<string> Waiting { get; } = [];
    public SortedDictionary<string, string?> Outcomes { get; } = new(StringComparer.Ordinal);

    /// <summary>Entries of which the engagement has done its part.</summary>
    public HashSet<string> WithEngagement { get; } = [];

    /// <summary>Why engagements would have refused what waits, at any time since it did.</summary>
    public Dictionary<string, HashSet<string>> Refusals { get; } = [];

    public string Text => string.Join(" ", Outcomes.Select(o => $"{o.Key}:{o.Value ?? "OK"}"));
}

/// <summary>A CMO's week of entries (domain §4, docs/time-and-meter.md).</summary>
internal sealed class ModelSheet(string cmo, IsoWeek week, ModelAgency agency)
{
    public string Cmo { get; } = cmo;
    public IsoWeek Week { get; } = week;
    public string Key => $"{Cmo}/{Week}";
    public bool Exists { get; private set; }
    public SortedDictionary<string, ModelEntry> Entries { get; } = new(StringComparer.Ordinal);

    /// <summary>Under way, oldest first.</summary>
    public List<ModelRound> Rounds { get; } = [];

    public Dictionary<Guid, string> Outcomes { get; } = [];
    public bool NothingWorked { get; private set; }
    public int Changes { get; set; }

    private LocalDate Today => agency.Today(agency.Cmo(Cmo).Zone);

    public string EntryKey(string entry) => $"{Cmo}/{Week}/{entry}";

    public Verdict Log(ModelEntry[] rows)
    {
        if (rows.Any(r => r.Date > Today))
        {
            return Verdict.No("TIME_IN_FUTURE");
        }

        var there = rows.Select(r => Entries.GetValueOrDefault(r.Id)).ToList();
        if (there.Any(e => e is not null && e.State is not (Draft or Rejected)))
        {
            return Verdict.No("ENTRY_STATE_NOT_ALLOWED");
        }

        if (rows.Zip(there).Any(r => r.Second is not null && r.Second.Engagement != r.First.Engagement))
        {
            return Verdict.No("ENTRY_ENGAGEMENT_FIXED");
        }

        var after = Entries.Values.Where(e => rows.All(r => r.Id != e.Id)).Concat(rows).Where(Counts).ToList();
        return rows.Any(r => after.Where(e => e.Date == r.Date).Sum(e => e.Minutes) > 1440) ? Verdict.No("DAY_OVERFULL")
            : rows.Zip(there).All(r => r.Second is { State: Draft } && r.Second.SameAs(r.First)) ? Verdict.Nothing
            : Verdict.Yes(
                () =>
                {
                    (Exists, NothingWorked) = (true, false);
                    foreach (var row in rows)
                    {
                        Entries[row.Id] = new ModelEntry(row.Id, row.Engagement, row.Date, row.Minutes, row.Billable, row.Paid);
                    }
                },
                NothingWorked ? ["timesheet.nothing-worked-withdrawn", "timesheet.time-logged"] : ["timesheet.time-logged"]);
    }

    public Verdict Remove(string entry) =>
        !Exists ? Verdict.No("NOT_FOUND")
        : !Entries.TryGetValue(entry, out var e) ? Verdict.Nothing
        : e.State is not (Draft or Rejected) ? Verdict.No("ENTRY_STATE_NOT_ALLOWED")
        : Verdict.Yes(() => Entries.Remove(entry), "timesheet.entries-removed");

    /// <param name="chosen">Empty: every draft.</param>
    public Verdict Submit(string[] chosen) => Of(chosen, e => e.State == Draft, entries =>
        entries.Any(e => e.State is not (Draft or Submitted or TimeEntryState.Approved)) ? Verdict.No("ENTRY_STATE_NOT_ALLOWED")
        : entries.All(e => e.State != Draft) ? Verdict.Nothing
        : Verdict.Yes(() => entries.Where(e => e.State == Draft).ToList().ForEach(e => e.State = Submitted), "timesheet.entries-submitted"));

    public Verdict Reject(string[] chosen) => Of(chosen, _ => false, entries =>
        entries.Any(e => e.State is not (Submitted or Rejected)) ? Verdict.No("ENTRY_STATE_NOT_ALLOWED")
        : entries.Select(e => UnderWay(e.Id)).FirstOrDefault(r => r is not null) is { } busy ? Verdict.No(busy)
        : entries.All(e => e.State == Rejected) ? Verdict.Nothing
        : Verdict.Yes(() => entries.ForEach(e => e.State = Rejected), "timesheet.entries-rejected"));

    /// <param name="chosen">Empty: every submitted one.</param>
    public Verdict Approve(string[] chosen, Guid request, string actor) => Of(chosen, e => e.State == Submitted && UnderWay(e.Id) is null, entries =>
        actor == $"cmo:{Cmo}" ? Verdict.No("OWN_TIME") : StartEach("approve", request, entries, TimeEntryState.Approved, Submitted, "timesheet.approval-started", "timesheet.approval-ended"));

    public Verdict Reverse(string[] chosen, Guid request, string actor) => Of(chosen, _ => false, entries =>
        actor == $"cmo:{Cmo}" ? Verdict.No("OWN_TIME") : StartEach("reverse", request, entries, Reversed, TimeEntryState.Approved, "timesheet.correction-started", "timesheet.correction-ended"));

    public Verdict Dispute(string entry, bool byClient, Guid request) => Of([entry], _ => false, entries =>
    {
        var e = entries[0];
        if (e.State is not (Submitted or TimeEntryState.Approved))
        {
            return Verdict.No("ENTRY_STATE_NOT_ALLOWED");
        }

        return UnderWay(entry) is { } busy ? Verdict.No(busy)
            : byClient && e.ApprovedAt is { } at && agency.Today(ModelAgency.AgencyZone) > agency.DayOf(ModelAgency.AgencyZone, at).PlusDays(14) ? Verdict.No("DISPUTE_TOO_LATE")
            : e.State == TimeEntryState.Approved ? StartOne("dispute", request, entry)
            : AtOnce(request, entry, "timesheet.entry-disputed", () => (e.State, e.Dispute) = (Disputed, (request, Submitted)));
    });

    public Verdict Resolve(string entry, DisputeResolution resolution, Guid request, string actor) => Of([entry], _ => false, entries =>
    {
        var e = entries[0];
        if (actor == $"cmo:{Cmo}")
        {
            return Verdict.No("OWN_TIME");
        }

        if (e.State != Disputed)
        {
            return Verdict.No("ENTRY_STATE_NOT_ALLOWED");
        }

        return UnderWay(entry) is { } busy ? Verdict.No(busy)
            : (resolution, e.Dispute!.Value.Before) switch
            {
                (DisputeResolution.Restored, TimeEntryState.Approved) => StartOne("restore", request, entry),
                (DisputeResolution.Restored, _) => AtOnce(request, entry, "timesheet.entry-restored", () => (e.State, e.Dispute) = (Submitted, null)),
                (DisputeResolution.Reversed, TimeEntryState.Approved) => StartOne("reverse", request, entry),
                (DisputeResolution.Rejected, Submitted) => AtOnce(request, entry, "timesheet.entries-rejected", () => (e.State, e.Dispute) = (Rejected, null)),
                _ => Verdict.No("RESOLUTION_NOT_ALLOWED"),
            };
    });

    public Verdict ReportNothingWorked() =>
        NothingWorked ? Verdict.Nothing
        : Today < Week.Monday() ? Verdict.No("TIME_IN_FUTURE")
        : Entries.Values.Any(Counts) ? Verdict.No("WEEK_HAS_ENTRIES")
        : Verdict.Yes(() => (Exists, NothingWorked) = (true, true), "timesheet.nothing-worked-reported");

    /// <summary>Records how one entry of what is under way came out, and its end with the last.</summary>
    public Verdict Recorded(ModelRound round, string entry, string? refusal, string @event)
    {
        var e = Entries[entry];
        switch (round.What)
        {
            case "approve" when refusal is null:
                (e.State, e.ApprovedAt) = (TimeEntryState.Approved, round.StartedAt);
                break;
            case "reverse":
                (e.State, e.Dispute) = (Reversed, null);
                break;
            case "dispute":
                (e.State, e.Dispute) = (Disputed, (round.Request, e.State));
                break;
            case "restore":
                (e.State, e.Dispute) = (e.Dispute!.Value.Before, null);
                break;
        }

        round.Waiting.Remove(entry);
        round.Outcomes[entry] = refusal;
        if (round.Waiting.Count > 0)
        {
            return Verdict.Yes(() => { }, @event);
        }

        Rounds.Remove(round);
        Outcomes[round.Request] = round.Text;
        return Verdict.Yes(() => { }, @event, round.What == "approve" ? "timesheet.approval-ended" : "timesheet.correction-ended");
    }

    private Verdict StartEach(string what, Guid request, List<ModelEntry> entries, TimeEntryState done, TimeEntryState needed, string started, string ended)
    {
        var round = new ModelRound(request, what, agency.Clock);
        foreach (var e in entries)
        {
            if (e.State == done)
            {
                round.Outcomes[e.Id] = null;
            }
            else if (e.State != needed)
            {
                round.Outcomes[e.Id] = "ENTRY_STATE_NOT_ALLOWED";
            }
            else if (UnderWay(e.Id) is { } busy)
            {
                round.Outcomes[e.Id] = busy;
            }
            else
            {
                round.Waiting.Add(e.Id);
            }
        }

        return round.Waiting.Count > 0 ? Verdict.Yes(() => Rounds.Add(round), started) : Verdict.Yes(() => Outcomes[request] = round.Text, started, ended);
    }

    private Verdict StartOne(string what, Guid request, string entry) => Verdict.Yes(
        () =>
        {
            var round = new ModelRound(request, what, agency.Clock);
            round.Waiting.Add(entry);
            Rounds.Add(round);
        },
        "timesheet.correction-started");

    private Verdict AtOnce(Guid request, string entry, string @event, Action apply) => Verdict.Yes(
        () =>
        {
            apply();
            Outcomes[request] = $"{entry}:OK";
        },
        "timesheet.correction-started", @event, "timesheet.correction-ended");

    private Verdict Of(string[] chosen, Func<ModelEntry, bool> byDefault, Func<List<ModelEntry>, Verdict> decide) =>
        !Exists || chosen.Any(c => !Entries.ContainsKey(c)) ? Verdict.No("NOT_FOUND")
        : decide(chosen.Length == 0 ? [.. Entries.Values.Where(byDefault)] : [.. chosen.Distinct().Select(c => Entries[c])]);

    private string? UnderWay(string entry) =>
        Rounds.Any(r => r.What == "approve" && r.Waiting.Contains(entry)) ? "APPROVAL_UNDER_WAY" : Rounds.Any(r => r.Waiting.Contains(entry)) ? "CORRECTION_UNDER_WAY" : null;

    private static bool Counts(ModelEntry e) => e.State is not (Rejected or Reversed);
}
