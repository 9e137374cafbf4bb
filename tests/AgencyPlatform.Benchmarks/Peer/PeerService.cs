using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using AgencyPlatform.Protocol.Capacity.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Google.Type;
using Grpc.Core;

namespace AgencyPlatform.Benchmarks.Peer;

/// <summary>
/// Book and Release of the platform's own contract, as a service of row locks does them: validate, hash the payload, one round trip, answer. Only bookings of one
/// flexible step of whole weeks are understood, which is what is measured.
/// </summary>
internal sealed class PeerService(PeerStore store, PeerKeys keys, TimeProvider clock) : CapacityService.CapacityServiceBase
{
    private static readonly byte[] s_released = new ReleaseBookingResponse().ToByteArray();

    public override async Task<Booking> Book(BookRequest request, ServerCallContext context)
    {
        var agency = await keys.Agency(context.RequestHeaders);
        var (cmo, _) = Names(request.Parent, agency);
        var (id, hash) = Identify(request.RequestId, request, static (r, value) => r.RequestId = value);
        var booking = request.Booking;
        if (request.BookingId.Length is 0 or > 63
            || booking is not { Steps: [{ FormCase: BookingStep.FormOneofCase.Flexible, StartDate: { } first, EndDate: { } last } step] }
            || step.Flexible.WeeklyMinutes is < 1 or > 10_080
            || !booking.ClientCompany.StartsWith($"agencies/{agency}/clientCompanies/", StringComparison.Ordinal))
        {
            throw Invalid("booking: one flexible step of whole weeks, for a client company of the agency, with an id.");
        }

        var (start, end) = (Day(first), Day(last));
        if (start >= end || start.DayOfWeek != System.DayOfWeek.Monday || end.DayNumber - start.DayNumber is var days && (days % 7 != 0 || days > 7 * 104))
        {
            throw Invalid("booking.steps: from a Monday, 1 to 104 whole weeks.");
        }

        var now = clock.GetUtcNow();
        booking.Name = $"{request.Parent}/bookings/{request.BookingId}";
        booking.State = Booking.Types.State.Confirmed;
        booking.CreateTime = booking.UpdateTime = Timestamp.FromDateTimeOffset(now);
        var call = new PeerCall(agency, cmo, request.BookingId, id, hash, booking.ToByteArray(), Microseconds(now));
        var outcome = await store.Book(call, booking.ClientCompany, start, end, step.Flexible.WeeklyMinutes);
        return outcome == PeerOutcome.Done ? booking : Booking.Parser.ParseFrom(await Repeated(call, outcome));
    }

    public override async Task<ReleaseBookingResponse> ReleaseBooking(ReleaseBookingRequest request, ServerCallContext context)
    {
        var agency = await keys.Agency(context.RequestHeaders);
        var (cmo, name) = Names(request.Name, agency);
        var (id, hash) = Identify(request.RequestId, request, static (r, value) => r.RequestId = value);
        var call = new PeerCall(agency, cmo, name ?? throw Invalid("name: agencies/{agency}/cmos/{cmo}/bookings/{booking}."), id, hash, s_released, Microseconds(clock.GetUtcNow()));
        var outcome = await store.Release(call);
        return outcome == PeerOutcome.Done ? new ReleaseBookingResponse() : ReleaseBookingResponse.Parser.ParseFrom(await Repeated(call, outcome));
    }

    /// <summary>Nothing was done: either it was done before, and that is the answer, or it is refused.</summary>
    private async Task<byte[]> Repeated(PeerCall call, PeerOutcome outcome)
    {
        if (await store.Recall(call.Agency, call.Request) is { } stored)
        {
            return stored.Hash.AsSpan().SequenceEqual(call.Hash) ? stored.Answer : throw new RpcException(new Status(StatusCode.FailedPrecondition, "REQUEST_ID_REUSED"));
        }

        throw new RpcException(outcome switch
        {
            PeerOutcome.TooMuch => new Status(StatusCode.FailedPrecondition, "CAPACITY_EXCEEDED"),
            PeerOutcome.Missing => new Status(StatusCode.NotFound, "There is no such object."),
            _ => new Status(StatusCode.AlreadyExists, "The booking is there already."),
        });
    }

    /// <summary>The CMO and, where there is one, the booking of a name; another agency's is not found.</summary>
    private static (string Cmo, string? Booking) Names(string name, string agency)
    {
        var (of, cmo, booking) = name.Split('/') switch
        {
            ["agencies", var a, "cmos", var c] => (a, c, null),
            ["agencies", var a, "cmos", var c, "bookings", var b] => (a, c, b),
            _ => throw Invalid("A name is no name of a CMO or booking."),
        };
        return of == agency ? (cmo, (string?)booking) : throw new RpcException(new Status(StatusCode.NotFound, "There is no such object."));
    }

    /// <summary>The request's id, and the SHA-256 of the request without it.</summary>
    private static (Guid Id, byte[] Hash) Identify<T>(string id, T request, Action<T, string> set) where T : IMessage
    {
        if (!Guid.TryParse(id, out var guid))
        {
            throw Invalid("request_id: a UUID.");
        }

        set(request, "");
        var hash = SHA256.HashData(request.ToByteArray());
        set(request, id);
        return (guid, hash);
    }

    private static DateOnly Day(Date date)
    {
        try
        {
            return new DateOnly(date.Year, date.Month, date.Day);
        }
        catch (ArgumentOutOfRangeException)
        {
            throw Invalid("A date is no date.");
        }
    }

    private static long Microseconds(DateTimeOffset instant) => (instant - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;

    private static RpcException Invalid(string message) => new(new Status(StatusCode.InvalidArgument, message));
}

/// <summary>Whose a key is: stored hashed, believed for 30 s.</summary>
internal sealed class PeerKeys(PeerStore store, TimeProvider clock)
{
    private static readonly TimeSpan s_believed = TimeSpan.FromSeconds(30);
    private readonly ConcurrentDictionary<string, (string Agency, DateTimeOffset Until)> _good = new();

    public async ValueTask<string> Agency(Metadata headers)
    {
        const string Scheme = "Bearer ";
        var header = headers.GetValue("authorization");
        if (header is null || !header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) || header.Length > 300)
        {
            throw Refused();
        }

        var hash = Hash(header[Scheme.Length..]);
        var key = Convert.ToHexString(hash);
        var now = clock.GetUtcNow();
        if (_good.TryGetValue(key, out var known) && known.Until > now)
        {
            return known.Agency;
        }

        var agency = await store.AgencyOf(hash) ?? throw Refused();
        _good[key] = (agency, now + s_believed);
        return agency;
    }

    public static byte[] Hash(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));

    private static RpcException Refused() => new(new Status(StatusCode.Unauthenticated, "No good key."));
}
