using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using AgencyPlatform.Protocol.Engagements.V1;

namespace AgencyPlatform.LoadTest.Checking;

/// <summary>
/// Judges an observation. Everything is computed anew from the feed by naive code of its own, and compared with what callers were told, with
/// lists, with Get and with availability.
/// </summary>
internal sealed partial class Checker
{
    private static readonly HashSet<string> s_bookingEvents = new(StringComparer.Ordinal)
    {
        "cmo.booking-held", "cmo.booking-booked", "cmo.booking-confirmed", "cmo.booking-changed", "cmo.booking-swapped", "cmo.hold-moved", "cmo.booking-released",
    };

    private readonly Observation _seen;
    private readonly CheckReport _report = new();
    private readonly Dictionary<string, FeedEvent> _byRequest = new(StringComparer.Ordinal);
    private readonly Dictionary<(string Kind, string Aggregate), List<FeedEvent>> _streams = [];
    private readonly ConcurrentDictionary<string, NaiveCmo> _cmos = new(StringComparer.Ordinal);

    private Checker(Observation seen)
    {
        _seen = seen;
        _sentAt = new(() => seen.Calls.Where(c => c.Method == "UpdateAgency").GroupBy(c => c.Id, StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.Min(c => c.Begin), StringComparer.Ordinal));
    }

    public static CheckReport Check(Observation seen)
    {
        var checker = new Checker(seen);
        checker.Feed();
        checker.Ask();
        checker.Fold();
        checker.Facts();
        checker.Calls();
        checker.Lists();
        checker.Engagements();
        checker.Numbers();
        checker.Ledger();
        checker.OpenInvoices();
        checker.Isolation();
        foreach (var leak in seen.Leaks)
        {
            checker._report.Violated("T", leak);
        }

        checker._report.Count("attempts of another agency", seen.Strangers);
        return checker._report;
    }

    /// <summary>F, and what makes request ids count once.</summary>
    private void Feed()
    {
        _report.Count("events", _seen.Feed.Count);
        var ids = new HashSet<string>(StringComparer.Ordinal);
        var (expected, recorded) = (0L, (Int128)0);
        foreach (var e in _seen.Feed)
        {
            expected++;
            if (e.Sequence != expected)
            {
                _report.Violated("F", $"After event {expected - 1} comes event {e.Sequence}.");
                expected = e.Sequence;
            }

            if (e.RecordedAt < recorded)
            {
                _report.Violated("F", $"Event {e.Sequence} was recorded before the one in front of it.");
            }

            recorded = e.RecordedAt;
            if (!ids.Add(e.Id))
            {
                _report.Violated("F", $"Event {e.Sequence} has the id {e.Id} of another event.");
            }

            if (e.RequestId.Length > 0 && !_byRequest.TryAdd(e.RequestId, e))
            {
                _report.Violated("C", $"Request {e.RequestId} took effect twice: events {_byRequest[e.RequestId].Sequence} and {e.Sequence}.");
            }

            if (!_streams.TryGetValue((e.Kind, e.Aggregate), out var stream))
            {
                _streams[(e.Kind, e.Aggregate)] = stream = [];
            }

            if (e.Version != (stream.Count == 0 ? 1 : stream[^1].Version + 1))
            {
                _report.Violated("F", $"Event {e.Sequence} is version {e.Version} of {e.Kind} {e.Aggregate}, after version {(stream.Count == 0 ? 0 : stream[^1].Version)}.");
            }

            if (stream.Count > 0 && e.OccurredAt < stream[^1].OccurredAt)
            {
                _report.Violated("F", $"For {e.Kind} {e.Aggregate} time runs back at event {e.Sequence}.");
            }

            stream.Add(e);
            Postings(e);
        }

        var mine = _seen.Feed.Select(e => (e.Sequence, Digest.Of(e)));
        if (!mine.SequenceEqual(_seen.SecondReader))
        {
            var first = mine.Zip(_seen.SecondReader).FirstOrDefault(p => p.First != p.Second).First.Sequence;
            _report.Violated("F", $"Two readers saw different feeds: {_seen.Feed.Count} and {_seen.SecondReader.Count} events, the first difference at event {first}.");
        }
    }

    /// <summary>Z: every event that posts.</summary>
    private void Postings(FeedEvent e)
    {
        if (!e.Payload.Contains("\"posting\"", StringComparison.Ordinal))
        {
            return;
        }

        using var document = JsonDocument.Parse(e.Payload);
        if (document.RootElement.Maybe("posting")?.Maybe("lines") is not { } lines)
        {
            return;
        }

        _report.Count("postings");
        foreach (var currency in lines.EnumerateArray().Select(l => l.GetProperty("amount")).GroupBy(a => a.GetProperty("currency").ToString(), StringComparer.Ordinal))
        {
            if (currency.Sum(a => a.Long("minor")) is not 0 and var sum)
            {
                _report.Violated("Z", $"Event {e.Sequence} posts {sum} minor units of {currency.Key} out of nothing.");
            }
        }
    }

    /// <summary>O: each CMO by itself, in the order of the feed.</summary>
    private void Fold() => Parallel.ForEach(_streams.Where(s => s.Key.Kind == "cmo"), stream =>
    {
        var cmo = _cmos[stream.Key.Aggregate] = new NaiveCmo(stream.Key.Aggregate, _report);
        var questions = new Answering(this, cmo, _questions.GetValueOrDefault(stream.Key.Aggregate, []));
        foreach (var e in stream.Value)
        {
            try
            {
                cmo.Apply(e);
                questions.After(e.Version);
            }
            catch (Exception wrong) when (wrong is KeyNotFoundException or FormatException or InvalidOperationException or JsonException)
            {
                throw new CannotJudgeException($"Event {e.Sequence} ({e.Type}) cannot be read: {wrong.Message}");
            }
        }

        questions.End();
    });

    /// <summary>What decisions were told of other aggregates is what those aggregates said: the agency's policy, the clients' competitors.</summary>
    private void Facts()
    {
        var policies = new Dictionary<long, (int Percent, int CoolingOff, string Holidays)>();
        var (percent, cooling) = (0, 0);
        var holidays = new Dictionary<string, HashSet<DateOnly>>(StringComparer.Ordinal);
        foreach (var e in _streams.Where(s => s.Key.Kind == "agency").SelectMany(s => s.Value))
        {
            using var document = JsonDocument.Parse(e.Payload);
            var payload = document.RootElement;
            switch (e.Type)
            {
                case "agency.created" or "agency.limits-changed":
                    (percent, cooling) = (payload.Int("overbookingPercent"), payload.Int("coolingOffDays"));
                    break;
                case "agency.holiday-calendar-set":
                    holidays[payload.Text("region")] = payload.Strings("days").Select(Json.ToDate).ToHashSet();
                    break;
            }

            policies[e.Version] = (percent, cooling, NaiveCmo.TextOf(holidays));
        }

        foreach (var (id, cmo) in _cmos)
        {
            foreach (var noted in cmo.Policies)
            {
                _report.Count("policies noted");
                if (!policies.TryGetValue(noted.Version, out var own) || own != (noted.Percent, noted.CoolingOff, noted.Holidays))
                {
                    _report.Violated("O", $"CMO {id} decided by a policy of version {noted.Version} that the agency did not have: {noted}, not {own}.");
                }
            }
        }

        foreach (var cmo in _cmos.Values)
        {
            // Reports go by the agency's newest policy, noted by the CMO or not.
            cmo.Calendar.SetPolicy(percent, cooling, holidays);
        }

        var competitors = new Dictionary<(string Client, long Version), string>();
        foreach (var (key, stream) in _streams.Where(s => s.Key.Kind == "client"))
        {
            var named = "";
            foreach (var e in stream)
            {
                if (e.Type == "client.competitors-set")
                {
                    using var document = JsonDocument.Parse(e.Payload);
                    named = string.Join(',', document.RootElement.Strings("competitors").Order(StringComparer.Ordinal));
                }

                competitors[(key.Aggregate, e.Version)] = named;
            }
        }

        foreach (var (id, cmo) in _cmos)
        {
            foreach (var booking in cmo.Bookings.Values.Where(b => b.FenceVersion > 0))
            {
                if (competitors.GetValueOrDefault((booking.Client, booking.FenceVersion)) is var named && named != string.Join(',', booking.Names.Order(StringComparer.Ordinal)))
                {
                    _report.Violated("O", $"Booking {booking.Id} of CMO {id} was decided with competitors of client {booking.Client} that it did not name at version {booking.FenceVersion}.");
                }
            }
        }
    }

    /// <summary>R: what is listed and answered is the fold of the feed.</summary>
    private void Lists()
    {
        var folded = _cmos.SelectMany(c => c.Value.Bookings.Values.Select(b => (Name: $"{_seen.Agency}/cmos/{c.Key}/bookings/{b.Id}", b.Text))).ToDictionary(b => b.Name, b => b.Text, StringComparer.Ordinal);
        var listed = new HashSet<string>(StringComparer.Ordinal);
        foreach (var booking in _seen.Bookings)
        {
            _report.Count("bookings compared");
            if (!listed.Add(booking.Name))
            {
                _report.Violated("R", $"{booking.Name} is listed twice.");
            }

            Same("the list", booking.Name, NaiveBooking.TextOf(booking), folded.GetValueOrDefault(booking.Name));
            if (_seen.Got.TryGetValue(booking.Name, out var got))
            {
                Same("Get", booking.Name, got is null ? null : NaiveBooking.TextOf(got), folded.GetValueOrDefault(booking.Name));
            }
        }

        foreach (var missing in folded.Keys.Where(name => !listed.Contains(name)))
        {
            _report.Violated("R", $"{missing} stands by the feed and is not listed.");
        }

        var cmos = _cmos.Where(c => c.Value.Exists).Select(c => $"{_seen.Agency}/cmos/{c.Key}").Order(StringComparer.Ordinal);
        if (!cmos.SequenceEqual(_seen.ListedCmos.Order(StringComparer.Ordinal)))
        {
            _report.Violated("R", $"The list has {_seen.ListedCmos.Count} CMOs, the feed {_cmos.Count}, or others.");
        }

        foreach (var (id, cmo) in _cmos)
        {
            if (_seen.Cmos.TryGetValue($"{_seen.Agency}/cmos/{id}", out var observed))
            {
                Cmo(id, cmo, observed);
            }
        }
    }

    private void Cmo(string id, NaiveCmo cmo, ObservedCmo observed)
    {
        var got = observed.Cmo;
        Same("Get", $"CMO {id}", TextOf(
            got.Version, got.MaxClients, got.MinBlockMinutes, got.TimeZone, got.Role,
            got.WorkingPatterns.Select(p => (p.EffectiveDate.ToDate(), new[] { p.MondayMinutes, p.TuesdayMinutes, p.WednesdayMinutes, p.ThursdayMinutes, p.FridayMinutes, p.SaturdayMinutes, p.SundayMinutes })),
            got.HolidayRegions.Select(r => (r.EffectiveDate.ToDate(), r.Region)),
            got.TimeOff.Select(t => (t.TimeOffId, t.StartDate.ToDate(), t.EndDate.ToDate(), t.Kind.ToString()))),
            TextOf(
                cmo.Version, cmo.MaxClients, cmo.MinBlock, cmo.TimeZone, cmo.Role, cmo.Calendar.Patterns.Select(p => (p.Key, p.Value)), cmo.Calendar.Regions.Select(r => (r.Key, r.Value)),
                cmo.Calendar.Off.Select(t => (t.Key, t.Value.Start, t.Value.End, t.Value.Kind))));

        var (held, confirmed) = (cmo.Bookings.Values.Where(b => !b.Confirmed).ToArray(), cmo.Bookings.Values.Where(b => b.Confirmed).ToArray());
        foreach (var week in observed.Weeks)
        {
            _report.Count("weeks of availability compared");
            var monday = week.Monday.ToDate();
            var (scale, all, limit) = cmo.Week(monday, cmo.Bookings.Values);
            var (_, firm, _) = cmo.Week(monday, confirmed);
            var (_, soft, _) = cmo.Week(monday, held);
            var worst = 0L;
            for (var i = 0; i < 7; i++)
            {
                for (var j = i; j < 7; j++)
                {
                    worst = Math.Max(worst, NaiveCmo.Excess(all, limit, scale, i, j));
                }
            }

            var days = Enumerable.Range(0, 7).Select(monday.AddDays).ToArray();
            var mine = (days.Sum(d => (long)cmo.Calendar.Pattern(d)), days.Sum(d => (long)cmo.Calendar.Available(d)), limit.Sum(), NaiveCmo.HalfUp(firm[0, 6], scale), NaiveCmo.HalfUp(soft[0, 6], scale), (worst + scale - 1) / scale);
            var theirs = (week.PatternMinutes, week.AvailableMinutes, week.LimitMinutes, week.ConfirmedMinutes, week.HeldMinutes, week.ExcessMinutes);
            Same("availability", $"CMO {id} in the week of {monday:yyyy-MM-dd}", theirs.ToString(), mine.ToString());
        }
    }

    private static string TextOf(
        long version, int clients, int block, string zone, string role, IEnumerable<(DateOnly From, int[] Minutes)> patterns, IEnumerable<(DateOnly From, string Region)> regions,
        IEnumerable<(string Id, DateOnly Start, DateOnly End, string Kind)> off) => string.Create(
        CultureInfo.InvariantCulture,
        $"version {version}, {clients} clients, block {block}, {zone}, {role}, {string.Join("; ", patterns.Select(p => $"{Iso(p.From)} {string.Join(',', p.Minutes)}"))}, "
        + $"{string.Join("; ", regions.Select(r => $"{Iso(r.From)} {r.Region}"))}, {string.Join("; ", off.Select(t => $"{t.Id} {Iso(t.Start)}..{Iso(t.End)} {t.Kind}"))}");

    private static string Iso(DateOnly date) => date.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    private void Same(string where, string what, string? seen, string? folded)
    {
        if (seen != folded)
        {
            _report.Violated("R", $"{what}: {where} says {seen ?? "nothing"}; by the feed it is {folded ?? "nothing"}.");
        }
    }

    /// <summary>S: an owned booking and its engagement belong together, and nothing is under way when all is quiet.</summary>
    private void Engagements()
    {
        var owned = _cmos.SelectMany(c => c.Value.Bookings.Values.Where(b => b.Owner.Length > 0).Select(b => (Cmo: c.Key, Booking: b))).ToList();
        var expected = new HashSet<(string Cmo, string Engagement)>();
        var covers = _seen.Engagements.SelectMany(e => e.Covers).Where(c => c.Booking.Length > 0).Select(c => (NaiveBooking.Last(c.CoveringCmo), NaiveBooking.Last(c.Booking))).ToHashSet();
        foreach (var engagement in _seen.Engagements)
        {
            _report.Count("engagements");
            var id = NaiveBooking.Last(engagement.Name);
            if (engagement.MoveUnderWay)
            {
                _report.Violated("S", $"{engagement.Name} is stuck in a move ({engagement.State}).");
            }

            // One that tapers off may have nothing left with a CMO.
            if (engagement.State == EngagementState.Active)
            {
                // Who was to join after an end that was agreed meanwhile has nothing left.
                foreach (var member in engagement.Members.Where(m => engagement.EndDate is not { } end || m.Steps.Count == 0 || m.Steps.Any(s => s.StartDate.ToDate() < end.ToDate())))
                {
                    expected.Add((NaiveBooking.Last(member.Cmo), id));
                }
            }
        }

        foreach (var (cmo, booking) in owned)
        {
            var engagement = _seen.Engagements.FirstOrDefault(e => NaiveBooking.Last(e.Name) == booking.Owner);
            var stands = engagement?.State is EngagementState.Active or EngagementState.Transitioning
                // What was served before the end stays, and before a pause that frees capacity.
                || (engagement?.State == EngagementState.Ended && booking.End is not null)
                || (engagement?.State == EngagementState.Paused && (engagement.Pauses.LastOrDefault()?.FreeFromDate is not { } free || booking.End <= free.ToDate()));
            if (!stands || !booking.Confirmed)
            {
                _report.Violated("S", $"Booking {booking.Id} of CMO {cmo} ({(booking.Confirmed ? "confirmed" : "held")}) is owned by {booking.Owner}, which is {engagement?.State.ToString() ?? "not there"}.");
            }
        }

        foreach (var (cmo, engagement) in expected)
        {
            if (owned.Count(o => o.Cmo == cmo && o.Booking.Owner == engagement && !covers.Contains((cmo, o.Booking.Id))) is not 1 and var many)
            {
                _report.Violated("S", $"Engagement {engagement} is active and has {many} bookings with CMO {cmo}.");
            }
        }
    }
}
