using AgencyPlatform.Contracts.Cmos;
using AgencyPlatform.Domain.Cmos;
using AgencyPlatform.Domain.Absences;
using AgencyPlatform.Domain.Engagements;
using AgencyPlatform.Domain.Time;
using AgencyPlatform.Life.Tests.Model;
using AgencyPlatform.Life.Tests.Moves;
using NodaTime;

namespace AgencyPlatform.Life.Tests.Driving;

/// <summary>The same text of what the product shows and of what the model holds.</summary>
internal static class Views
{
    public static string Of(Engagement e) => Lines(
        ("state", $"{e.State} revision {e.Revision} [{e.Plan.Start:R}, {e.End:R}) until {e.ExpiresAt} {(e.Saga is null ? "" : "under way")}"),
        ("members", $"{string.Join(",", e.Plan.Members.Select(m => m.Cmo))} lead {e.Plan.Lead}"),
        ("signed", Sorted(e.Signatures.Select(s => $"{s.Person}/{s.By ?? s.Person}"))),
        ("agreed", Sorted(e.Agreements.Keys.Select(c => c.Value))),
        ("asked", Sorted(e.Proposal.Asked.Select(a => $"{a.Key}:{a.Value.Answer}:{a.Value.ExpiresAt}"))),
        ("comments", $"{e.Proposal.Comments.Length}, to free {Sorted(e.Proposal.ToFree.Keys.Select(k => k.Value))}"),
        ("term", $"{e.Term.Renewals} signed {Sorted(e.Term.Signatures.Select(s => s.Person.Value))}"),
        ("booked", Sorted(e.Bookings.Select(b => $"{b.Key} {b.Value.Booking} {AllMoves.Text(b.Value.Steps!.Value)}"))),
        ("pauses", string.Join("; ", e.Running.Pauses.Select(p => $"[{p.Dates.Start:R}, {p.Dates.End:R}) {p.FeePercent} kept {p.KeptUntil:R} freed {p.FreedFrom:R}"))),
        ("scope", e.Running.Scope is { } s
            ? $"{s.Number} {s.State} until {s.ExpiresAt} signed {Sorted(s.Signatures.Select(x => x.Person.Value))} must agree {Sorted(s.MustAgree.Select(c => c.Value))} agreed {Sorted(s.Agreements.Keys.Select(c => c.Value))} needs {s.Need!.Needed}"
            : ""),
        ("former", Sorted(e.Running.Former.Select(f => $"{f.Cmo} [{f.Dates.Start:R}, {f.Dates.End:R})"))),
        ("joined", Sorted(e.Running.Joined.Select(j => $"{j.Key} {j.Value:R}"))),
        ("covers", Sorted(e.Running.Covers.Values.Select(c =>
            $"{c.Id} {c.Away} by {c.Covering} {Step.Named(c.Minutes)} {c.State} {(c.Booking is null ? "" : "booked")} consent {c.ConsentOf?.Person} {(c.AgreedAt is null ? "" : "agreed")}"))),
        ("transition", e.Running.Transition is { } t
            ? $"{string.Join(", ", t.Steps.Select(x => $"{x.From:R} {x.Percent}"))} items {Sorted(t.Checklist.Select(i => $"{i.Id}:{i.Title}:{i.DoneBy is not null}"))}"
            : ""));

    public static string Of(ModelEngagement e) => Lines(
        ("state", $"{e.State} revision {e.Revision} [{e.Plan.Start:R}, {e.End:R}) until {e.ExpiresAt} {(e.Saga is null ? "" : "under way")}"),
        ("members", $"{string.Join(",", e.Members.Select(m => m.Cmo))} lead {e.Lead}"),
        ("signed", Sorted(e.Signatures.Select(s => $"{s.Key}/{s.Value}"))),
        ("agreed", Sorted(e.Agreements)),
        ("asked", Sorted(e.Asked.Select(a => $"{a.Key}:{a.Value.Answer}:{a.Value.Until}"))),
        ("comments", $"{e.Comments}, to free {Sorted(e.ToFree.Keys)}"),
        ("term", $"{e.Renewals} signed {Sorted(e.RenewalSigned)}"),
        ("booked", Sorted(e.Booked.Select(b => $"{b.Key} {b.Value.Booking} {b.Value.Steps.Text()}"))),
        ("pauses", string.Join("; ", e.Pauses.Select(p => $"[{p.Start:R}, {p.End:R}) {p.FeePercent} kept {p.KeptUntil:R} freed {p.FreedFrom:R}"))),
        ("scope", e.Scope is { } s
            ? $"{s.Number} {s.State} until {s.ExpiresAt} signed {Sorted(s.Signed)} must agree {Sorted(s.MustAgree)} agreed {Sorted(s.Agreed)} needs {s.Need.Needed}"
            : ""),
        ("former", Sorted(e.Former.Select(f => $"{f.Cmo} [{f.From:R}, {f.Until:R})"))),
        ("joined", Sorted(e.Joined.Select(j => $"{j.Key} {j.Value:R}"))),
        ("covers", Sorted(e.Covers.Values.Select(c =>
            $"{c.Id} {c.Away} by {c.Covering} {Step.Named(c.Minutes)} {c.State} {(c.Booked ? "booked" : "")} consent {c.ConsentOf} {(c.Agreed ? "agreed" : "")}"))),
        ("transition", e.Taper is { } taper
            ? $"{string.Join(", ", taper.Select(x => $"{x.From:R} {x.Percent}"))} items {Sorted(e.Checklist.Select(i => $"{i.Key}:{i.Value.Title}:{i.Value.Done}"))}"
            : ""));

    public static string Of(MeterView m) => m.Period is not { } period
        ? $"none, parked in all {m.ParkedInAll}"
        : $"[{period.Start:uuuu-MM-dd}, {period.End:uuuu-MM-dd}) {string.Join(" ", m.Grants.Select(g => $"{g.Grant.Id}:{g.Drawn}/{g.Remaining}"))} "
            + $"left {m.Remaining} overage {m.Overage} parked {m.Parked} charged {m.Charged} parked in all {m.ParkedInAll}";

    public static string Of(FractionalCmo cmo) => Lines(
    [
        .. cmo.Bookings.Values.OrderBy(b => b.Age).Select(b => (
            "booking",
            $"{b.Id} for {b.Spec.Client}{(b.Owner is { } owner ? $" of {owner}" : "")} {(b.State == Domain.Capacity.BookingState.Confirmed ? "confirmed" : b.ExpiresAt is { } at ? $"held until {at}" : "held")} {AllMoves.Text(b.Spec.Steps)}")),
        ("off", Sorted(cmo.Calendar.TimeOff.Values.Select(t => $"{t.Id} {t.Start:R} {t.End:R}"))),
    ]);

    public static string Of(ModelCmo cmo) => Lines(
        [.. cmo.Bookings.Select(b => ("booking", b.ToString())), ("off", Sorted(cmo.TimeOff.Select(t => $"{t.Id} {t.Start:R} {t.End:R}")))]);

    public static string Of(CmoWeeks weeks) => string.Join("\n", weeks.Weeks.Select(w =>
        $"{w.Monday:uuuu-MM-dd} confirmed {w.ConfirmedMinutes} held {w.HeldMinutes} available {w.AvailableMinutes} excess {w.ExcessMinutes}"));

    public static string Of(Timesheet sheet) => Lines(
    [
        .. sheet.Entries.Values.Select(e => (
            "entry",
            $"{e.Id} {e.Work.Engagement} {e.Work.Date:MM-dd} {e.Work.Minutes}{(e.Work.Billable ? "" : " free")}{(e.Work.Paid ? "" : " unpaid")} {e.State} {(e.Parts is { } p ? $"drawn {p.DrawnMinutes()} overage {p.Overage} parked {p.Parked} charged {p.Charged}" : "")}".TrimEnd())),
        ("nothing worked", sheet.NothingWorked.ToString()),
        ("under way", (sheet.Approvals.Length + sheet.Corrections.Length).ToString(System.Globalization.CultureInfo.InvariantCulture)),
    ]);

    public static string Of(ModelSheet sheet) => Lines(
    [
        .. sheet.Entries.Values.Select(e => ("entry", e.ToString())),
        ("nothing worked", sheet.NothingWorked.ToString()),
        ("under way", sheet.Rounds.Count.ToString(System.Globalization.CultureInfo.InvariantCulture)),
    ]);

    public static string Of(Absence absence) => $"{absence.Cmo} [{absence.Dates.Start:R}, {absence.Dates.End:R}) {absence.Refusal?.Reason} {absence.Settled}";

    public static string Of(ModelAbsence absence) => $"{absence.Cmo} [{absence.Off.Start:R}, {absence.Off.End:R}) {absence.Refusal} {absence.Settled}";

    /// <summary>The lines in which two texts differ.</summary>
    public static string Difference(string product, string model)
    {
        var (left, right) = (product.Split('\n'), model.Split('\n'));
        return string.Join("\n", Enumerable.Range(0, Math.Max(left.Length, right.Length))
            .Where(i => left.ElementAtOrDefault(i) != right.ElementAtOrDefault(i))
            .Select(i => $"  product: {left.ElementAtOrDefault(i)}\n  model:   {right.ElementAtOrDefault(i)}"));
    }

    private static string Lines(params (string Name, string Text)[] lines) => string.Join("\n", lines.Select(l => $"{l.Name}: {l.Text}"));

    private static string Sorted(IEnumerable<string> parts) => string.Join(" ", parts.Order(StringComparer.Ordinal));
}
