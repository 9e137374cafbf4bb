using System.Globalization;
using AgencyPlatform.LoadTest.Calls;
using AgencyPlatform.LoadTest.Checking;
using AgencyPlatform.Protocol.Billing.V1;
using AgencyPlatform.Protocol.Capacity.V1;
using AgencyPlatform.Protocol.Cmos.V1;
using AgencyPlatform.Protocol.Engagements.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace AgencyPlatform.LoadTest.Tests;

/// <summary>
/// A small agency as an honest platform would show it: its feed, the calls that made it, lists, Get and availability. A test changes one thing
/// and sees the checker find it.
/// </summary>
internal sealed class Story
{
    public const string Agency = "agencies/acme";
    public const string Ada = "agencies/acme/cmos/ada";
    private const long Begin = 1_800_000_000;

    private readonly Dictionary<string, NaiveBooking> _folded = new(StringComparer.Ordinal);
    private long _version;
    private int _requests;

    public List<FeedEvent> Feed { get; } = [];
    public List<CallRecord> Calls { get; } = [];
    public List<Booking> Bookings { get; } = [];
    public List<Engagement> Engagements { get; } = [];
    public List<string> Leaks { get; } = [];
    public List<Invoice> Invoices { get; } = [];
    public List<AccountBalance> Balances { get; } = [];
    public Dictionary<string, Booking?> Got { get; } = new(StringComparer.Ordinal);
    public List<CapacityWeek> Weeks { get; } = [];
    public List<(long, string)>? SecondReader { get; set; }
    public long CmoVersion { get; set; }

    /// <summary>Ada works Monday to Thursday, 480 minutes; at most two clients; blocks of 30 minutes; no overbooking.</summary>
    public static Story Honest()
    {
        var story = new Story();
        story.Event("agency", "acme", 1, "agency.created", $$"""{"id":"acme","overbookingPercent":0,"coolingOffDays":7,"legalEntities":[]}""", "");
        story.Event("client", "north", 1, "client.created", """{"id":"north"}""", "");
        story.Event("client", "north", 2, "client.competitors-set", """{"competitors":["south"],"before":[]}""", "");
        story.Event("client", "south", 1, "client.created", """{"id":"south"}""", "");
        story.Event("client", "east", 1, "client.created", """{"id":"east"}""", "");
        story.Cmo("cmo.created", """
            {"id":"ada","profile":{"role":"CMO","timeZone":"America/New_York"},"limits":{"maxClients":2,"minBlockMinutes":30},
             "pattern":{"effectiveFrom":"2027-01-04","minutes":{"monday":480,"tuesday":480,"wednesday":480,"thursday":480,"friday":0,"saturday":0,"sunday":0}}}
            """);
        story.Cmo("cmo.policy-noted", """{"policy":{"version":1,"overbookingPercent":0,"coolingOffDays":7,"holidayCalendars":{}},"today":"2026-12-01"}""");
        story.Hold("h1", "north", 600, "2027-01-04", "2027-02-01");
        story.Confirm("h1");
        story.Book("b1", "east", 1_320, "2027-01-04", "2027-01-18");
        story.Hold("h2", "east", 60, "2027-02-01", "2027-02-08");
        story.Release("h2");
        story.Settle();
        return story;
    }

    /// <summary>What lists, Get and availability say when the feed is told.</summary>
    public void Settle()
    {
        Bookings.Clear();
        Got.Clear();
        foreach (var booking in _folded.Values)
        {
            var wire = Wire(booking);
            Bookings.Add(wire);
            Got[wire.Name] = wire;
        }

        Weeks.Clear();
        for (var monday = new DateOnly(2027, 1, 4); monday < new DateOnly(2027, 3, 1); monday = monday.AddDays(7))
        {
            var confirmed = _folded.Values.Where(b => b.Confirmed && b.Covers(monday)).Sum(b => (long)b.Steps[0].Minutes);
            var held = _folded.Values.Where(b => !b.Confirmed && b.Covers(monday)).Sum(b => (long)b.Steps[0].Minutes);
            Weeks.Add(new CapacityWeek
            {
                Monday = monday.ToWire(),
                PatternMinutes = 1_920,
                AvailableMinutes = 1_920,
                LimitMinutes = 1_920,
                ConfirmedMinutes = confirmed,
                HeldMinutes = held,
                ExcessMinutes = Math.Max(0, confirmed + held - 1_920),
            });
        }

        CmoVersion = _version;
    }

    public CheckReport Check() => Checker.Check(new Observation(
        Agency, true, Calls, Feed, SecondReader ?? [.. Feed.Select(e => (e.Sequence, Digest.Of(e)))], Bookings, Got, [Ada],
        new Dictionary<string, ObservedCmo> { [Ada] = new(Wire(), Weeks) }, Engagements, Invoices, [], Balances, Leaks, 1));

    // ---- calls with their events and answers ----

    public string Hold(string id, string client, int weekly, string start, string end, long expiresIn = 900, bool confirmed = false)
    {
        var request = new HoldBookingRequest { Parent = Ada, BookingId = id, Booking = Asked(client, weekly, start, end), RequestId = NextRequest() };
        return Made(id, client, weekly, start, end, "cmo.booking-held", $",\"expiresAt\":\"{Iso(Begin + _version + 1 + expiresIn)}\"", confirmed, "Hold", request, request.RequestId);
    }

    public string Book(string id, string client, int weekly, string start, string end)
    {
        var request = new BookRequest { Parent = Ada, BookingId = id, Booking = Asked(client, weekly, start, end), RequestId = NextRequest() };
        return Made(id, client, weekly, start, end, "cmo.booking-booked", "", true, "Book", request, request.RequestId);
    }

    public string Confirm(string id)
    {
        var request = new ConfirmBookingRequest { Name = $"{Ada}/bookings/{id}", RequestId = NextRequest() };
        var e = Cmo("cmo.booking-confirmed", $$"""{"id":"{{id}}","at":"{{Iso(Begin + _version + 1)}}"}""", request.RequestId);
        _folded[id] = _folded[id] with { Confirmed = true, ExpiresAt = null, UpdatedAt = e.OccurredAt };
        Call("Confirm", request, request.RequestId, Wire(_folded[id]));
        return request.RequestId;
    }

    public string Release(string id)
    {
        var request = new ReleaseBookingRequest { Name = $"{Ada}/bookings/{id}", RequestId = NextRequest() };
        Cmo("cmo.booking-released", $$"""{"id":"{{id}}","at":"{{Iso(Begin + _version + 1)}}"}""", request.RequestId);
        _folded.Remove(id);
        Call("Release", request, request.RequestId, new ReleaseBookingResponse());
        return request.RequestId;
    }

    /// <summary>Another sending of a logged call, after everything so far.</summary>
    public CallRecord Repeat(string request, string code = "OK", string reason = "", IMessage? response = null, IMessage? other = null)
    {
        var first = Calls.First(c => c.Id == request);
        var at = Calls.Max(c => c.Begin) + 10;
        var again = first with
        {
            Number = Calls.Count + 1,
            Why = "late",
            Begin = at,
            End = at + 5,
            Code = code,
            Reason = reason,
            Request = other?.ToByteArray() ?? first.Request,
            Response = code != "OK" ? default : response?.ToByteArray() ?? first.Response,
        };
        Calls.Add(again);
        return again;
    }

    public CallRecord Call(string method, IMessage request, string id, IMessage? response, string code = "OK", string reason = "")
    {
        var at = Calls.Count == 0 ? 0 : Calls.Max(c => c.Begin) + 10;
        at = Math.Max(at, Begin * 1_000_000);
        var call = new CallRecord(0, Agency, Calls.Count + 1, 1, method, id, "first", at, request.ToByteArray(), at + 5, code, reason, "", response?.ToByteArray() ?? default);
        Calls.Add(call);
        return call;
    }

    public string NextRequest() => $"00000000-0000-7000-8000-{++_requests:000000000000}";

    public FeedEvent Cmo(string type, string payload, string request = "") => Event("cmo", "ada", ++_version, type, payload, request);

    public FeedEvent Event(string kind, string aggregate, long version, string type, string payload, string request)
    {
        var at = (Int128)(Begin + _version) * 1_000_000_000;
        var e = new FeedEvent($"event-{Feed.Count + 1}", Feed.Count + 1, kind, aggregate, version, type, payload, at, at, request.Length > 0 ? "key:load" : "system", request, "");
        Feed.Add(e);
        return e;
    }

    /// <summary>Takes an event out; the rest moves up, so that only what is missing is missing.</summary>
    public void Remove(Predicate<FeedEvent> which)
    {
        var index = Feed.FindIndex(which);
        var gone = Feed[index];
        Feed.RemoveAt(index);
        for (var i = index; i < Feed.Count; i++)
        {
            var e = Feed[i];
            Feed[i] = e with { Sequence = e.Sequence - 1, Version = e.Kind == gone.Kind && e.Aggregate == gone.Aggregate ? e.Version - 1 : e.Version };
        }

        CmoVersion--;
    }

    public static Booking Asked(string client, int weekly, string start, string end) => new()
    {
        ClientCompany = $"{Agency}/clientCompanies/{client}",
        Steps = { new BookingStep { StartDate = Date(start), EndDate = Date(end), Flexible = new FlexibleForm { WeeklyMinutes = weekly } } },
    };

    private string Made(string id, string client, int weekly, string start, string end, string type, string expiry, bool confirmed, string method, IMessage request, string requestId)
    {
        var names = client == "north" ? "\"south\"" : "";
        var namedBy = client == "south" ? "\"north\"" : "";
        var fence = client == "north" ? 2 : 1;
        var payload = $$$"""
            {"id":"{{{id}}}","spec":{"client":"{{{client}}}","steps":[{"form":"flexible","weeklyMinutes":{{{weekly}}},"dates":{"start":"{{{start}}}","end":"{{{end}}}"}}]},
             "at":"{{{Iso(Begin + _version + 1)}}}"{{{expiry}}},"fence":{"client":"{{{client}}}","version":{{{fence}}},"names":[{{{names}}}],"namedBy":[{{{namedBy}}}]}}
            """;
        Cmo(type, payload, requestId);
        using var document = System.Text.Json.JsonDocument.Parse(payload);
        _folded[id] = NaiveBooking.New(document.RootElement, confirmed);
        Call(method, request, requestId, Wire(_folded[id]));
        return requestId;
    }

    private Cmo Wire() => new()
    {
        Name = Ada,
        Version = CmoVersion,
        MaxClients = 2,
        MinBlockMinutes = 30,
        TimeZone = "America/New_York",
        Role = "CMO",
        WorkingPatterns = { new WorkingPattern { EffectiveDate = Date("2027-01-04"), MondayMinutes = 480, TuesdayMinutes = 480, WednesdayMinutes = 480, ThursdayMinutes = 480 } },
    };

    private static Booking Wire(NaiveBooking b) => new()
    {
        Name = $"{Ada}/bookings/{b.Id}",
        ClientCompany = $"{Agency}/clientCompanies/{b.Client}",
        Steps = { b.Steps.Select(s => new BookingStep { StartDate = s.Start.ToWire(), EndDate = s.End?.ToWire(), Flexible = new FlexibleForm { WeeklyMinutes = s.Minutes } }) },
        State = b.Confirmed ? Booking.Types.State.Confirmed : Booking.Types.State.Held,
        ExpireTime = b.ExpiresAt is { } at ? At(at) : null,
        CreateTime = At(b.CreatedAt),
        UpdateTime = At(b.UpdatedAt),
    };

    private static Timestamp At(Int128 nanos) => new() { Seconds = (long)(nanos / 1_000_000_000), Nanos = (int)(nanos % 1_000_000_000) };

    private static Google.Type.Date Date(string iso) => DateOnly.ParseExact(iso, "yyyy-MM-dd", CultureInfo.InvariantCulture).ToWire();

    private static string Iso(long seconds) => DateTimeOffset.FromUnixTimeSeconds(seconds).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
