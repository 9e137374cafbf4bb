using AgencyPlatform.Benchmarks.Servers;
using AgencyPlatform.Protocol.Capacity.V1;
using Grpc.Core;

namespace AgencyPlatform.Benchmarks.Load;

/// <summary>More is asked of one CMO at once than there is: what each durable row must get right, or its figures mean nothing.</summary>
internal static class Contest
{
    private const int Callers = 32;
    private const int Minutes = 600;
    private const int Fit = 4;

    /// <summary>Books until the CMO is full, repeats what was accepted, reuses its request ids, and releases it.</summary>
    /// <param name="target">With nothing booked.</param>
    /// <returns>Calls that had an effect.</returns>
    /// <exception cref="BenchmarkException">An answer was wrong.</exception>
    public static async Task<int> Run(string row, Connections connections, Target target)
    {
        var clients = connections.Channels.Select(c => new CapacityService.CapacityServiceClient(c)).ToArray();
        var template = Work.Template(target.Clients[0], Minutes);
        var asked = await Task.WhenAll(Enumerable.Range(0, Callers).Select(async caller =>
        {
            var request = Work.Request(target.Cmo, $"contest-{caller}", template);
            return (Client: clients[caller % clients.Length], Request: request, Answer: await Outcome(clients[caller % clients.Length].BookAsync(request, target.Headers)));
        }));
        var accepted = asked.Where(a => a.Answer.Value is not null).ToArray();
        Ensure(accepted.Length == Fit, $"{accepted.Length} bookings of {Minutes} minutes were accepted where {Fit} fit");
        Ensure(asked.All(a => a.Answer.Code is StatusCode.OK or StatusCode.FailedPrecondition), "a booking was refused otherwise than by a rule");
        foreach (var (client, request, answer) in accepted)
        {
            Ensure((await Outcome(client.BookAsync(request, target.Headers))).Value?.Equals(answer.Value) is true, "a repeated booking was answered otherwise");
            var other = request.Clone();
            other.Booking.Steps[0].Flexible.WeeklyMinutes = 1;
            Ensure((await Outcome(client.BookAsync(other, target.Headers))).Code == StatusCode.FailedPrecondition, "a reused request id was not refused");
            var release = new ReleaseBookingRequest { Name = $"{request.Parent}/bookings/{request.BookingId}", RequestId = Guid.CreateVersion7().ToString() };
            Ensure((await Outcome(client.ReleaseBookingAsync(release, target.Headers))).Value is not null, "a booking was not released");
            Ensure((await Outcome(client.ReleaseBookingAsync(release, target.Headers))).Value is not null, "a repeated release was answered otherwise");
        }

        return 2 * Fit;

        void Ensure(bool holds, string otherwise)
        {
            if (!holds)
            {
                throw new BenchmarkException($"{row} is not correct, so its figures mean nothing: {otherwise}.");
            }
        }
    }

    private static async Task<(T? Value, StatusCode Code)> Outcome<T>(AsyncUnaryCall<T> call) where T : class
    {
        try
        {
            return (await call, StatusCode.OK);
        }
        catch (RpcException e)
        {
            return (null, e.StatusCode);
        }
    }
}
