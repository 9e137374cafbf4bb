using System.Text.Json;
using AgencyPlatform.LoadTest.Calls;
using AgencyPlatform.Protocol.Capacity.V1;

namespace AgencyPlatform.LoadTest.Checking;

/// <summary>
/// Q: refusals and answers to questions, with the feed's order as witness. A call was decided on a state of the CMO between two versions: not before
/// one that was acknowledged before the call was sent, not behind one that was asked for only after the call was answered. On one of the states
/// between, the naive model must say the same. The cost: each call is tried on those states until one says so, at the worst as many as calls of
/// that CMO were under way with it; memory for the calls alone, since states are passed once, in order.
/// </summary>
internal sealed partial class Checker
{
    private static readonly HashSet<string> s_judged = new(StringComparer.Ordinal)
    {
        "NOT_FOUND", "HOLD_EXPIRED", "ALREADY_EXISTS", "ALREADY_CONFIRMED", "OWNED_BY_ENGAGEMENT", "BELOW_SMALLEST_BLOCK", "ABOVE_PATTERN", "NO_PATTERN", "COMPETITOR_FENCE", "MAX_CLIENTS",
        "CAPACITY_EXCEEDED",
    };

    private static readonly NaiveFence s_noFence = new(new HashSet<string>(), new HashSet<string>());

    private readonly Dictionary<string, List<Question>> _questions = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<NaiveFence>> _fences = new(StringComparer.Ordinal);
    private readonly List<(long Version, int Percent, int CoolingOff, string Request)> _policies = [];

    /// <summary>A call to be judged, and between which versions of its CMO it was decided.</summary>
    private sealed record Question(CallRecord Call, string Cmo, string Booking, string Client, IReadOnlyList<Step>? Asked, bool Change, CheckBookingResponse? Answer, long From, long To);

    /// <summary>Finds the calls to be judged, the competitors that were ever named, and the agency's policies.</summary>
    private void Ask()
    {
        Competitors();
        foreach (var e in _seen.Feed.Where(e => e.Type is "agency.created" or "agency.limits-changed"))
        {
            using var document = JsonDocument.Parse(e.Payload);
            _policies.Add((e.Version, document.RootElement.Int("overbookingPercent"), document.RootElement.Int("coolingOffDays"), e.RequestId));
        }

        var sent = _seen.Calls.Where(c => c.Id.Length > 0).GroupBy(c => c.Id, StringComparer.Ordinal).ToDictionary(
            g => g.Key, g => (Begin: g.Min(c => c.Begin), End: g.Where(c => c.Succeeded).Select(c => c.End!.Value).DefaultIfEmpty(long.MaxValue).Min()), StringComparer.Ordinal);
        var windows = _streams.Where(s => s.Key.Kind == "cmo").ToDictionary(
            s => s.Key.Aggregate, s => new Window(s.Value.Where(e => sent.ContainsKey(e.RequestId)).Select(e => (e.Version, sent[e.RequestId].Begin, sent[e.RequestId].End))), StringComparer.Ordinal);
        foreach (var call in _seen.Calls.Where(c => c.End is not null && (c.Succeeded ? c.Method == "Check" : !c.Unknown && s_judged.Contains(c.Reason))))
        {
            var message = call.RequestMessage();
            var (cmo, booking, client, steps, change) = message switch
            {
                CheckBookingRequest r => (r.Parent, "", r.Booking.ClientCompany, r.Booking.Steps, false),
                HoldBookingRequest r => (r.Parent, r.BookingId, r.Booking.ClientCompany, r.Booking.Steps, false),
                BookRequest r => (r.Parent, r.BookingId, r.Booking.ClientCompany, r.Booking.Steps, false),
                ChangeBookingRequest r => (CmoName(r.Name), NaiveBooking.Last(r.Name), "", r.Steps, true),
                ConfirmBookingRequest r => (CmoName(r.Name), NaiveBooking.Last(r.Name), "", null, false),
                ExtendHoldRequest r => (CmoName(r.Name), NaiveBooking.Last(r.Name), "", null, false),
                ReleaseBookingRequest r => (CmoName(r.Name), NaiveBooking.Last(r.Name), "", null, false),
                _ => ("", "", "", null, false),
            };
            if (cmo.Length == 0 || !windows.TryGetValue(NaiveBooking.Last(cmo), out var window))
            {
                continue;
            }

            var (from, to) = window.Of(call.Begin, call.End!.Value);
            var id = NaiveBooking.Last(cmo);
            if (!_questions.TryGetValue(id, out var list))
            {
                _questions[id] = list = [];
            }

            list.Add(new Question(
                call, id, booking, NaiveBooking.Last(client), steps is null ? null : [.. steps.Select(Step.From)], change, call.Succeeded ? (CheckBookingResponse)call.ResponseMessage() : null, from, to));
        }
    }

    /// <summary>Whom each client named, and who named it, at any time: a decision may have known any of them.</summary>
    private void Competitors()
    {
        var named = new Dictionary<string, HashSet<string>>(StringComparer.Ordinal);
        foreach (var e in _seen.Feed.Where(e => e.Type == "client.competitors-set"))
        {
            using var document = JsonDocument.Parse(e.Payload);
            named[e.Aggregate] = document.RootElement.Strings("competitors").ToHashSet(StringComparer.Ordinal);
            foreach (var client in named[e.Aggregate].Append(e.Aggregate))
            {
                var fence = new NaiveFence(
                    named.GetValueOrDefault(client, []).ToHashSet(StringComparer.Ordinal), named.Where(n => n.Value.Contains(client)).Select(n => n.Key).ToHashSet(StringComparer.Ordinal));
                if (!_fences.TryGetValue(client, out var list))
                {
                    _fences[client] = list = [s_noFence];
                }

                list.Add(fence);
            }
        }
    }

    /// <summary>Which versions a call may have been decided on, by what other calls of the same CMO were told.</summary>
    private sealed class Window
    {
        private readonly (long At, long Version)[] _acknowledged;
        private readonly (long At, long Version)[] _asked;

        public Window(IEnumerable<(long Version, long Begin, long End)> effects)
        {
            var all = effects.ToArray();
            _acknowledged = [.. all.Where(e => e.End < long.MaxValue).Select(e => (e.End, e.Version)).Order()];
            for (var i = 1; i < _acknowledged.Length; i++)
            {
                _acknowledged[i].Version = Math.Max(_acknowledged[i].Version, _acknowledged[i - 1].Version);
            }

            _asked = [.. all.Select(e => (e.Begin, e.Version)).Order()];
            for (var i = _asked.Length - 2; i >= 0; i--)
            {
                _asked[i].Version = Math.Min(_asked[i].Version, _asked[i + 1].Version);
            }
        }

        public (long From, long To) Of(long begin, long end)
        {
            var before = First(_acknowledged, begin) - 1;
            var behind = First(_asked, end + 1);
            return (before < 0 ? 1 : _acknowledged[before].Version, behind == _asked.Length ? long.MaxValue : _asked[behind].Version - 1);
        }

        /// <summary>The first place at or after a time.</summary>
        private static int First((long At, long Version)[] times, long at)
        {
            var place = Array.BinarySearch(times, (at, long.MinValue));
            return place < 0 ? ~place : place;
        }
    }

    /// <summary>Tries the calls of a CMO on its states, one after another.</summary>
    private sealed class Answering(Checker checker, NaiveCmo cmo, List<Question> questions)
    {
        private readonly Queue<Question> _coming = new(questions.OrderBy(q => q.From));
        private readonly List<Question> _open = [];

        public void After(long version)
        {
            while (_coming.TryPeek(out var next) && next.From <= version)
            {
                _open.Add(_coming.Dequeue());
            }

            // A call of which every state is past was never right.
            _open.RemoveAll(q =>
            {
                if (q.To < version)
                {
                    Wrong(q);
                    return true;
                }

                return IsRight(q);
            });
        }

        public void End()
        {
            foreach (var question in _open.Concat(_coming))
            {
                Wrong(question);
            }

            checker._report.Count("refusals and answers judged", questions.Count);
        }

        private bool IsRight(Question q)
        {
            foreach (var fence in q.Client.Length > 0 && checker._fences.TryGetValue(q.Client, out var ever) ? ever
                : q.Change && cmo.Bookings.TryGetValue(q.Booking, out var standing) && checker._fences.TryGetValue(standing.Client, out var its) ? its : [s_noFence])
            {
                if (Says(q, fence, null)
                    || checker._policies.Where(p => p.Version > cmo.PolicyVersion && checker.AskedBefore(p.Request, q.Call.End!.Value)).Any(p => Says(q, fence, (p.Percent, p.CoolingOff))))
                {
                    return true;
                }
            }

            return false;
        }

        private bool Says(Question q, NaiveFence fence, (int, int)? policy) => q.Answer is { } answer
            ? cmo.Answers(answer, q.Client, q.Asked!, fence, policy)
            : cmo.Refuses(q.Call.Reason, q.Booking, q.Client, q.Asked, q.Change, fence, policy);

        private void Wrong(Question q) => checker._report.Violated(
            "Q",
            $"{q.Call.Method} {q.Call.Id} of CMO {q.Cmo} was answered {(q.Answer is { } a ? a.Fits ? "that it fits" : a.Refusal.Rule : q.Call.Reason)}; on no state from version {q.From} to {(q.To == long.MaxValue ? "the last" : q.To)} is that so.");
    }

    /// <summary>Whether a request was sent before a time; what is not in the log may have been.</summary>
    private bool AskedBefore(string request, long at) => !_sentAt.Value.TryGetValue(request, out var begin) || begin <= at;

    private readonly Lazy<Dictionary<string, long>> _sentAt;
}
