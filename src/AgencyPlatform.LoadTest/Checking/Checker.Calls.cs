using System.Text.Json;
using AgencyPlatform.LoadTest.Calls;
using AgencyPlatform.Protocol.Capacity.V1;

namespace AgencyPlatform.LoadTest.Checking;

/// <summary>L and C: what callers were told against what the feed says.</summary>
internal sealed partial class Checker
{
    /// <summary>A success of these may change nothing: it was so already.</summary>
    private static readonly HashSet<string> s_mayChangeNothing = new(StringComparer.Ordinal) { "Confirm", "UpdateAgency" };

    private void Calls()
    {
        _report.Count("calls sent", _seen.Calls.Count);
        foreach (var why in _seen.Calls.Where(c => c.Id.Length > 0).GroupBy(c => c.Why, StringComparer.Ordinal))
        {
            _report.Count($"changing calls sent as {why.Key}", why.Count());
        }

        var known = new HashSet<string>(StringComparer.Ordinal);
        var effects = new Dictionary<string, List<(long Version, long FirstBegin, long FirstEnd, string Id)>>(StringComparer.Ordinal);
        foreach (var call in _seen.Calls.Where(c => c.Code == "Internal" && c.Message.StartsWith("An error of ours", StringComparison.Ordinal)))
        {
            _report.Violated("L", $"{call.Method} {call.Id} was answered with an error of the service's own: {call.Message}");
        }

        foreach (var calls in _seen.Calls.Where(c => c.Id.Length > 0).GroupBy(c => c.Id, StringComparer.Ordinal))
        {
            known.Add(calls.Key);
            Request(calls.Key, [.. calls.OrderBy(c => c.Begin)], effects);
        }

        RealTimeOrder(effects);
        if (_seen.Own)
        {
            foreach (var e in _seen.Feed.Where(e => s_bookingEvents.Contains(e.Type)))
            {
                NobodyElses(e, known);
            }
        }
    }

    /// <summary>All sendings of one request id.</summary>
    private void Request(string id, IReadOnlyList<CallRecord> sent, Dictionary<string, List<(long Version, long FirstBegin, long FirstEnd, string Id)>> effects)
    {
        _report.Count("requests");
        var method = sent[0].Method;
        var same = sent.Where(c => c.Request.Span.SequenceEqual(sent[0].Request.Span)).ToList();
        var succeeded = same.Where(c => c.Succeeded).ToList();
        _report.Count("repeats of a request", same.Count - 1);
        _byRequest.TryGetValue(id, out var effect);
        foreach (var reused in same.Where(c => c.Reason == "REQUEST_ID_REUSED" && same.Count == sent.Count))
        {
            _report.Violated("C", $"{method} {id} was refused as {reused.Reason}, and was never sent with other content.");
        }

        if (succeeded.Count == 0)
        {
            if (effect is not null && EndOfSaga(id, effect) is not "refused")
            {
                foreach (var refused in same.Where(c => !c.Unknown && c.Code != "ResourceExhausted" && (same.All(o => !o.Unknown) || StoodBefore(effect, c))))
                {
                    _report.Violated("C", $"{method} {id} was refused ({refused.Code} {refused.Reason}) and took effect all the same: event {effect.Sequence}.");
                }
            }

            _report.Count(same[^1].Unknown ? "requests of unknown outcome" : "requests refused");
            return;
        }

        _report.Count("requests acknowledged");
        var answer = succeeded[0].Response.Span;
        foreach (var other in succeeded.Skip(1))
        {
            if (effect is not null && !other.Response.Span.SequenceEqual(answer))
            {
                _report.Violated("C", $"{method} {id} was answered in two ways: {succeeded[0].ResponseMessage()} and {other.ResponseMessage()}.");
            }
        }

        if (effect is null)
        {
            _report.Violated("L", $"{method} {id} was acknowledged and is not in the feed.");
            return;
        }

        var acknowledged = succeeded.Min(c => c.End!.Value);
        foreach (var late in same.Where(c => c.Begin > acknowledged && !c.Succeeded && !c.Unknown && c.Code != "ResourceExhausted"))
        {
            _report.Violated("C", $"{method} {id} was acknowledged and then refused: {late.Code} {late.Reason}.");
        }

        foreach (var other in sent.Where(c => !same.Contains(c)))
        {
            _report.Count("same id with other content");
            if (other.Succeeded || (other.Begin > acknowledged && !other.Unknown && other.Code != "ResourceExhausted" && other.Reason != "REQUEST_ID_REUSED"))
            {
                _report.Violated("C", $"{method} {id} with other content was answered {other.Code} {other.Reason}, not REQUEST_ID_REUSED.");
            }
        }

        if (EndOfSaga(id, effect) is "refused" or "open")
        {
            _report.Violated("L", $"{method} {id} was acknowledged; by the feed it was not carried out.");
        }

        Effect(id, succeeded[0], effect);
        var key = $"{effect.Kind}/{effect.Aggregate}";
        if (!effects.TryGetValue(key, out var list))
        {
            effects[key] = list = [];
        }

        list.Add((effect.Version, sent[0].Begin, acknowledged, id));
    }

    /// <summary>How the longer process that a request started ended: done, refused, open; null: it starts none.</summary>
    private string? EndOfSaga(string id, FeedEvent effect)
    {
        if (effect.Type is not ("engagement.activation-started" or "engagement.end-started"))
        {
            return null;
        }

        // The end names the request that started it.
        var end = _streams[(effect.Kind, effect.Aggregate)].Find(e =>
            e.Version > effect.Version && e.Type is "engagement.activated" or "engagement.activation-refused" or "engagement.end-agreed" or "engagement.ended" && e.Payload.Contains(id, StringComparison.OrdinalIgnoreCase));
        return end?.Type switch { null => "open", "engagement.activation-refused" => "refused", _ => "done" };
    }

    /// <summary>Whether the effect was recorded before a call was sent; a second's grace for clocks that differ.</summary>
    private static bool StoodBefore(FeedEvent effect, CallRecord call) => effect.RecordedAt / 1_000 + 1_000_000 < call.Begin;

    /// <summary>An acknowledged success whose event says that nothing changed: allowed only where it was so already.</summary>
    private void ChangedNothing(string id, CallRecord call)
    {
        if (!s_mayChangeNothing.Contains(call.Method))
        {
            _report.Violated("L", $"{call.Method} {id} was acknowledged, and by the feed it changed nothing.");
            return;
        }

        _report.Count("acknowledged, and changed nothing");
        if (call.ResponseMessage() is Booking booking
            && !(_cmos.TryGetValue(CmoOf(booking.Name), out var cmo) && cmo.WasConfirmed(NaiveBooking.Last(booking.Name))))
        {
            _report.Violated("L", $"Confirm {id} was acknowledged, and {booking.Name} was never confirmed.");
        }
    }

    /// <summary>The event is what was asked for, and the answer is the view right after it.</summary>
    private void Effect(string id, CallRecord call, FeedEvent effect)
    {
        if (effect.Type == "nothing-changed")
        {
            ChangedNothing(id, call);
            return;
        }

        if (effect.Kind != "cmo")
        {
            return;
        }

        // A newer policy may have been noted first, in the same decision.
        var stream = _streams[(effect.Kind, effect.Aggregate)];
        if (effect.Type == "cmo.policy-noted")
        {
            effect = At(stream, effect.Version + 1) ?? effect;
        }

        var request = call.RequestMessage();
        var (type, target, booking) = request switch
        {
            HoldBookingRequest r => ("cmo.booking-held", r.Parent, r.BookingId),
            BookRequest r => ("cmo.booking-booked", r.Parent, r.BookingId),
            ConfirmBookingRequest r => ("cmo.booking-confirmed", CmoName(r.Name), NaiveBooking.Last(r.Name)),
            ExtendHoldRequest r => ("cmo.hold-moved", CmoName(r.Name), NaiveBooking.Last(r.Name)),
            ChangeBookingRequest r => ("cmo.booking-changed", CmoName(r.Name), NaiveBooking.Last(r.Name)),
            ReleaseBookingRequest r => ("cmo.booking-released", CmoName(r.Name), NaiveBooking.Last(r.Name)),
            _ => ("", "", ""),
        };
        if (type.Length == 0)
        {
            return;
        }

        using var document = JsonDocument.Parse(effect.Payload);
        var payload = document.RootElement;
        if (effect.Type != type || NaiveBooking.Last(target) != effect.Aggregate || (booking.Length > 0 && payload.Text("id") != booking))
        {
            _report.Violated("C", $"{call.Method} {id} took another effect: event {effect.Sequence}, {effect.Type} of CMO {effect.Aggregate}, booking {payload.Text("id")}.");
            return;
        }

        var asked = request switch
        {
            HoldBookingRequest r => r.Booking.Steps,
            BookRequest r => r.Booking.Steps,
            ChangeBookingRequest r => r.Steps,
            _ => null,
        };
        if (asked is not null && Step.TextOf(asked.Select(Step.From)) != Step.TextOf(NaiveBooking.StepsOf(payload.GetProperty("spec"))))
        {
            _report.Violated("L", $"{call.Method} {id} asked for {Step.TextOf(asked.Select(Step.From))}; event {effect.Sequence} says {Step.TextOf(NaiveBooking.StepsOf(payload.GetProperty("spec")))}.");
        }

        if (call.ResponseMessage() is Booking answer)
        {
            _report.Count("answers compared with the feed");
            var folded = _cmos[effect.Aggregate].TextAt(payload.Text("id"), effect.Version);
            if (NaiveBooking.TextOf(answer) != folded)
            {
                _report.Violated("L", $"{call.Method} {id} was answered {NaiveBooking.TextOf(answer)}; after event {effect.Sequence} it was {folded ?? "gone"}.");
            }
        }
    }

    /// <summary>What was answered before another call was sent stands before it in the feed.</summary>
    private void RealTimeOrder(Dictionary<string, List<(long Version, long FirstBegin, long FirstEnd, string Id)>> effects)
    {
        foreach (var (aggregate, list) in effects)
        {
            var latestBegin = (At: long.MinValue, Id: "");
            foreach (var (_, begin, end, id) in list.OrderBy(e => e.Version))
            {
                if (end < latestBegin.At)
                {
                    _report.Violated("F", $"Request {id} was acknowledged before {latestBegin.Id} was sent, and stands behind it in the history of {aggregate}.");
                }

                if (begin > latestBegin.At)
                {
                    latestBegin = (begin, id);
                }
            }
        }
    }

    /// <summary>In an agency of the run's own, nothing happens to bookings that no logged call asked for.</summary>
    private void NobodyElses(FeedEvent e, HashSet<string> known)
    {
        if (e.RequestId.Length > 0 ? known.Contains(e.RequestId) : e.Actor == "system" || e.Cause.Length > 0)
        {
            return;
        }

        if (e.RequestId.Length == 0 && At(_streams[(e.Kind, e.Aggregate)], e.Version - 1) is { Type: "cmo.policy-noted", RequestId.Length: > 0 } before && known.Contains(before.RequestId))
        {
            return;
        }

        _report.Violated("C", $"Event {e.Sequence} ({e.Type} of CMO {e.Aggregate}) is the effect of no call that was made: request '{e.RequestId}', actor {e.Actor}.");
    }

    /// <summary>The event of a version; in a stream with a gap it is not where it should be.</summary>
    private static FeedEvent? At(List<FeedEvent> stream, long version) =>
        version >= 1 && version <= stream.Count && stream[(int)version - 1] is var e && e.Version == version ? e : stream.Find(other => other.Version == version);

    private static string CmoName(string booking) => booking[..booking.LastIndexOf("/bookings/", StringComparison.Ordinal)];

    private static string CmoOf(string booking) => NaiveBooking.Last(CmoName(booking));
}
