using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using AgencyPlatform.Benchmarks.Protocol;
using AgencyPlatform.Benchmarks.Servers;
using AgencyPlatform.Protocol.Agencies.V1;
using AgencyPlatform.Protocol.Capacity.V1;
using AgencyPlatform.Protocol.Clients.V1;
using AgencyPlatform.Protocol.Cmos.V1;
using Google.Type;
using Grpc.Core;
using Grpc.Net.Client;

namespace AgencyPlatform.Benchmarks.Load;

/// <summary>What one caller does over and over.</summary>
internal abstract class Work
{
    /// <summary>One round of it: one call or several, each reported to the recorder.</summary>
    public abstract Task Once(int caller, long turn, Random random, Recorder recorder);

    /// <summary>One call of it in an open loop.</summary>
    /// <param name="due">When it was to be sent: its time counts from then.</param>
    public abstract Task Arrive(long turn, long due, Random random, Recorder recorder);

    /// <summary>The request that all rows send: four weeks, so few minutes a week that all callers together fit one CMO.</summary>
    public static BookRequest Request(string parent, string booking, Booking template) => new()
    {
        Parent = parent,
        BookingId = booking,
        RequestId = Guid.CreateVersion7().ToString(),
        Booking = template,
    };

    public static Booking Template(string client, int weeklyMinutes = 5) => new() { ClientCompany = client, Steps = { Step(weeklyMinutes) } };

    /// <summary>Four weeks from a Monday to come.</summary>
    protected static BookingStep Step(int weeklyMinutes)
    {
        var monday = DateOnly.FromDateTime(TimeProvider.System.GetUtcNow().UtcDateTime).AddDays(14);
        monday = monday.AddDays(-(((int)monday.DayOfWeek + 6) % 7));
        return new BookingStep { StartDate = Wire(monday), EndDate = Wire(monday.AddDays(28)), Flexible = new FlexibleForm { WeeklyMinutes = weeklyMinutes } };
    }

    protected static Date Wire(DateOnly date) => new() { Year = date.Year, Month = date.Month, Day = date.Day };
}

/// <summary>The echo, or the grain without storage.</summary>
internal sealed class FloorWork(Connections connections, bool grain) : Work
{
    private readonly FloorService.FloorServiceClient[] _clients = [.. connections.Channels.Select(c => new FloorService.FloorServiceClient(c))];
    private readonly Booking _template = Template("agencies/bench-0/clientCompanies/acme");

    // The same metadata as the platform's calls carry.
    private readonly Metadata _headers = new() { { "authorization", "Bearer apk_bench-0_admin_0123456789abcdef0123456789abcdef0123456789a" } };

    public override Task Once(int caller, long turn, Random random, Recorder recorder) =>
        Call(_clients[caller % _clients.Length], $"b{caller}-{turn}", Stopwatch.GetTimestamp(), random, recorder);

    public override Task Arrive(long turn, long due, Random random, Recorder recorder) => Call(_clients[turn % _clients.Length], $"b{turn}", due, random, recorder);

    private async Task Call(FloorService.FloorServiceClient client, string id, long started, Random random, Recorder recorder)
    {
        var request = Request($"agencies/bench-0/cmos/c{random.Next(64)}", id, _template);
        try
        {
            _ = grain ? await client.GrainAsync(request, _headers) : await client.EchoAsync(request, _headers);
            recorder.Done(started);
        }
        catch (RpcException e)
        {
            recorder.Failed(e);
        }
    }
}

/// <summary>Book and Release in pairs, so that the state stays as it is.</summary>
internal sealed class PairWork(Connections connections, IReadOnlyList<Target> targets) : Work
{
    private readonly CapacityService.CapacityServiceClient[] _clients = [.. connections.Channels.Select(c => new CapacityService.CapacityServiceClient(c))];
    private readonly BookingStep _step = Step(weeklyMinutes: 5);
    private readonly ConcurrentQueue<(Target Target, string Id)> _booked = new();
    private long _acknowledged;

    /// <summary>Calls that were answered with success, in and outside of windows.</summary>
    public long Acknowledged => Volatile.Read(ref _acknowledged);

    public override async Task Once(int caller, long turn, Random random, Recorder recorder)
    {
        var client = _clients[caller % _clients.Length];
        var target = targets[random.Next(targets.Count)];
        var id = $"b{caller}-{turn}-{random.Next(1_000_000)}";
        if (await Book(client, target, id, random, Stopwatch.GetTimestamp(), recorder))
        {
            await Release(client, target, id, Stopwatch.GetTimestamp(), recorder);
        }
    }

    /// <summary>Books and releases in turn; what is released is what was booked longest ago.</summary>
    public override async Task Arrive(long turn, long due, Random random, Recorder recorder)
    {
        var client = _clients[turn / 2 % _clients.Length];
        if (turn % 2 == 1 && _booked.TryDequeue(out var booked))
        {
            await Release(client, booked.Target, booked.Id, due, recorder);
            return;
        }

        var target = targets[random.Next(targets.Count)];
        var id = $"o{due}-{turn}";
        if (await Book(client, target, id, random, due, recorder))
        {
            _booked.Enqueue((target, id));
        }
    }

    /// <summary>Releases what an open loop left standing.</summary>
    public async Task ReleaseRest()
    {
        var recorder = new Recorder();
        while (_booked.TryDequeue(out var booked))
        {
            await Release(_clients[0], booked.Target, booked.Id, Stopwatch.GetTimestamp(), recorder);
        }
    }

    private async Task<bool> Book(CapacityService.CapacityServiceClient client, Target target, string id, Random random, long started, Recorder recorder)
    {
        var booking = new Booking { ClientCompany = target.Clients[random.Next(target.Clients.Count)], Steps = { _step } };
        return await Done(client.BookAsync(Request(target.Cmo, id, booking), target.Headers), started, recorder);
    }

    private Task<bool> Release(CapacityService.CapacityServiceClient client, Target target, string id, long started, Recorder recorder) =>
        Done(client.ReleaseBookingAsync(new ReleaseBookingRequest { Name = $"{target.Cmo}/bookings/{id}", RequestId = Guid.CreateVersion7().ToString() }, target.Headers), started, recorder);

    private async Task<bool> Done<T>(AsyncUnaryCall<T> call, long started, Recorder recorder)
    {
        try
        {
            using (call)
            {
                await call;
            }

            recorder.Done(started);
            Interlocked.Increment(ref _acknowledged);
            return true;
        }
        catch (RpcException e)
        {
            recorder.Failed(e);
            return false;
        }
    }
}

/// <param name="Cmo">Resource name.</param>
/// <param name="Clients">Resource names of the client companies that are booked for.</param>
/// <param name="Headers">With a key of the agency.</param>
internal sealed record Target(string Cmo, IReadOnlyList<string> Clients, Metadata Headers);

/// <summary>Several HTTP/2 connections to each of some servers, the servers in turn.</summary>
internal sealed class Connections : IDisposable
{
    public Connections(Uri address, int count) : this([address], count)
    {
    }

    public Connections(IReadOnlyList<Uri> addresses, int count) =>
        Channels = [.. Enumerable.Range(0, count).SelectMany(_ => addresses).Select(address => GrpcChannel.ForAddress(address, new GrpcChannelOptions { HttpHandler = new SocketsHttpHandler(), DisposeHttpClient = true, MaxRetryAttempts = null }))];

    public IReadOnlyList<GrpcChannel> Channels { get; }

    public void Dispose()
    {
        foreach (var channel in Channels)
        {
            channel.Dispose();
        }
    }
}

/// <summary>Creates the agencies and CMOs through the public API.</summary>
internal static class Population
{
    public static async Task<IReadOnlyList<Target>> Create(Connections connections, int agencies, int cmos, CancellationToken cancellation)
    {
        var targets = new Target[cmos];
        var @operator = new Metadata { { "authorization", $"Bearer {ServerProcess.OperatorKey}" } };
        await Parallel.ForAsync(0, agencies, new ParallelOptions { MaxDegreeOfParallelism = 32, CancellationToken = cancellation }, async (a, ct) =>
        {
            var channel = connections.Channels[a % connections.Channels.Count];
            var id = string.Create(CultureInfo.InvariantCulture, $"bench-{a}");
            var name = $"agencies/{id}";
            var agency = new AgenciesService.AgenciesServiceClient(channel);
            await agency.CreateAgencyAsync(
                new CreateAgencyRequest
                {
                    AgencyId = id,
                    RequestId = Guid.CreateVersion7().ToString(),
                    Agency = new Agency { DisplayName = "Agency " + id, TimeZone = "America/New_York", DefaultCurrency = "USD" },
                    LegalEntities = { new LegalEntity { Name = "main", LegalName = "Agency LLC", Country = "US", TimeZone = "America/New_York", Currency = "USD" } },
                },
                @operator,
                cancellationToken: ct);
            var key = await agency.CreateApiKeyAsync(
                new CreateApiKeyRequest
                {
                    Parent = name,
                    ApiKeyId = "admin",
                    RequestId = Guid.CreateVersion7().ToString(),
                    ApiKey = new ApiKey { DisplayName = "Benchmark", Roles = { Role.AgencyAdmin } },
                },
                @operator,
                cancellationToken: ct);
            var headers = new Metadata { { "authorization", $"Bearer {key.Key}" } };
            await new ClientsService.ClientsServiceClient(channel).CreateClientCompanyAsync(
                new CreateClientCompanyRequest
                {
                    Parent = name,
                    ClientCompanyId = "acme",
                    RequestId = Guid.CreateVersion7().ToString(),
                    ClientCompany = new ClientCompany { DisplayName = "Acme", TimeZone = "America/New_York" },
                },
                headers,
                cancellationToken: ct);
            var service = new CmosService.CmosServiceClient(channel);

            // An agency's CMOs stand next to each other: the first 64 are those of a few agencies.
            for (var c = a * cmos / agencies; c < (a + 1) * cmos / agencies; c++)
            {
                await service.CreateCmoAsync(
                    new CreateCmoRequest
                    {
                        Parent = name,
                        CmoId = $"c{c}",
                        RequestId = Guid.CreateVersion7().ToString(),
                        Cmo = new Cmo
                        {
                            DisplayName = $"CMO {c}",
                            Role = "CMO",
                            TimeZone = "America/New_York",
                            MaxClients = 10,
                            WorkingPatterns =
                            {
                                new WorkingPattern
                                {
                                    EffectiveDate = new Date { Year = 2025, Month = 1, Day = 6 },
                                    MondayMinutes = 480, TuesdayMinutes = 480, WednesdayMinutes = 480, ThursdayMinutes = 480, FridayMinutes = 480,
                                },
                            },
                        },
                    },
                    headers,
                    cancellationToken: ct);
                targets[c] = new Target($"{name}/cmos/c{c}", [$"{name}/clientCompanies/acme"], headers);
            }
        });
        return targets;
    }
}
