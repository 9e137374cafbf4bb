using System.Diagnostics;
using AgencyPlatform.Benchmarks.Load;
using AgencyPlatform.Benchmarks.Reporting;
using AgencyPlatform.Benchmarks.Servers;
using AgencyPlatform.Protocol.Agencies.V1;
using AgencyPlatform.Protocol.Clients.V1;
using AgencyPlatform.Protocol.Cmos.V1;
using AgencyPlatform.Protocol.Events.V1;
using Grpc.Core;

namespace AgencyPlatform.Benchmarks.Growth;

/// <summary>Who is asked in a seeded database.</summary>
internal static class Reads
{
    public static Metadata Headers(string agency) => new() { { "authorization", $"Bearer {Seeder.KeyOf(agency)}" } };

    /// <summary>Every CMO, with its own clients. Those of an agency stand next to each other.</summary>
    public static IReadOnlyList<Target> Targets(GrowthSize size) =>
    [
        .. Enumerable.Range(0, size.Agencies).SelectMany(a =>
        {
            var agency = GrowthSize.Agency(a);
            var headers = Headers(agency);
            return Enumerable.Range(0, size.CmosOf(a)).Select(c => new Target(
                $"agencies/{agency}/cmos/{GrowthSize.Cmo(c)}",
                [
                    .. Enumerable.Range(c * GrowthSize.ClientsOfCmo, Math.Min(GrowthSize.ClientsOfCmo, size.ClientsOf(a) - (c * GrowthSize.ClientsOfCmo)))
                        .Select(k => $"agencies/{agency}/clientCompanies/{GrowthSize.Client(k)}"),
                ],
                headers));
        }),
    ];

    /// <summary>Activates every agency, CMO and client company but those with a long history.</summary>
    public static async Task TouchAll(Connections connections, GrowthSize size, CancellationToken cancellation) =>
        await Parallel.ForAsync(0, size.Agencies, new ParallelOptions { MaxDegreeOfParallelism = 32, CancellationToken = cancellation }, async (a, ct) =>
        {
            var channel = connections.Channels[a % connections.Channels.Count];
            var (cmos, clients) = (new CmosService.CmosServiceClient(channel), new ClientsService.ClientsServiceClient(channel));
            var agency = GrowthSize.Agency(a);
            var headers = Headers(agency);
            for (var c = 0; c < size.CmosOf(a); c++)
            {
                await cmos.GetCmoAsync(new GetCmoRequest { Name = $"agencies/{agency}/cmos/{GrowthSize.Cmo(c)}" }, headers, cancellationToken: ct);
            }

            for (var c = 0; c < size.ClientsOf(a); c++)
            {
                await clients.GetClientCompanyAsync(new GetClientCompanyRequest { Name = $"agencies/{agency}/clientCompanies/{GrowthSize.Client(c)}" }, headers, cancellationToken: ct);
            }
        });
}

/// <summary>What one caller waits for, in milliseconds: medians.</summary>
/// <param name="Cmo">The first answer of a CMO with a long history.</param>
/// <param name="CmoMost">The longest of them.</param>
/// <param name="Agency">The first answer of an agency with a long history, its key checked by it.</param>
/// <param name="FirstPage">50 client companies from the beginning of the list; null where lists were not asked for.</param>
/// <param name="DeepPage">The last 50 to 1,000 entries before the end, 50 of them.</param>
/// <param name="FirstEvents">50 events from the beginning of an agency's history.</param>
/// <param name="DeepEvents">50 events near its end.</param>
internal sealed record ColdTimes(double Cmo, double CmoMost, double Agency, double? FirstPage, double? DeepPage, double? FirstEvents, double? DeepEvents)
{
    private const int Repeats = 15;
    private const int PageSize = 50;
    private const int LargestPage = 1_000;

    /// <summary>Asks a server on which nobody but the first agencies was ever asked for.</summary>
    public static async Task<ColdTimes> Measure(ServerProcess server, GrowthSize size, bool lists, CancellationToken cancellation)
    {
        using var connections = new Connections(server.Grpc, 1);
        var channel = connections.Channels[0];
        var (agencies, cmos) = (new AgenciesService.AgenciesServiceClient(channel), new CmosService.CmosServiceClient(channel));
        var (clients, events) = (new ClientsService.ClientsServiceClient(channel), new EventsService.EventsServiceClient(channel));

        // Code that was never run is compiled first: not what is asked here.
        foreach (var target in Reads.Targets(size with { Clients = Math.Min(size.Clients, 3 * GrowthSize.ClientsOfAgency) }))
        {
            var agency = target.Cmo.Split('/')[1];
            await Ask(target.Cmo, target.Headers);
            await agencies.GetAgencyAsync(new GetAgencyRequest { Name = $"agencies/{agency}" }, target.Headers, cancellationToken: cancellation);
            await ListClients(agency, target.Headers, PageSize, "");
            await ListEvents(agency, target.Headers, PageSize, "");
        }

        var agencyTimes = new List<double>();
        var cmoTimes = new List<double>();
        for (var v = 0; v < GrowthSize.Veterans; v++)
        {
            var agency = GrowthSize.Veteran(v);
            var headers = Reads.Headers(agency);
            agencyTimes.Add(await Time(() => agencies.GetAgencyAsync(new GetAgencyRequest { Name = $"agencies/{agency}" }, headers, cancellationToken: cancellation).ResponseAsync));
            for (var c = 0; c < GrowthSize.VeteranCmos; c++)
            {
                cmoTimes.Add(await Time(() => Ask($"agencies/{agency}/cmos/{GrowthSize.Cmo(c)}", headers)));
            }

            if (v == 0)
            {
                // It compiled what folds a history.
                agencyTimes.Clear();
                cmoTimes.Clear();
            }
        }

        var times = new ColdTimes(Figures.Median(cmoTimes), cmoTimes.Max(), Figures.Median(agencyTimes), null, null, null, null);
        return lists ? await WithLists(times) : times;

        async Task<ColdTimes> WithLists(ColdTimes known)
        {
            var agency = GrowthSize.Veteran(0);
            var headers = Reads.Headers(agency);
            var (page, last) = ("", "");
            do
            {
                last = page;
                page = (await ListClients(agency, headers, LargestPage, page)).NextPageToken;
            }
            while (page.Length > 0);

            var (cursor, end) = ("", false);
            while (!end)
            {
                var answer = await ListEvents(agency, headers, LargestPage, cursor);
                end = answer.EndOfFeed;
                cursor = end ? cursor : answer.NextCursor;
            }

            return known with
            {
                FirstPage = await Repeated(() => ListClients(agency, headers, PageSize, "")),
                DeepPage = await Repeated(() => ListClients(agency, headers, PageSize, last)),
                FirstEvents = await Repeated(() => ListEvents(agency, headers, PageSize, "")),
                DeepEvents = await Repeated(() => ListEvents(agency, headers, PageSize, cursor)),
            };
        }

        Task<Cmo> Ask(string name, Metadata headers) => cmos.GetCmoAsync(new GetCmoRequest { Name = name }, headers, cancellationToken: cancellation).ResponseAsync;

        Task<ListClientCompaniesResponse> ListClients(string agency, Metadata headers, int pageSize, string token) => clients.ListClientCompaniesAsync(
            new ListClientCompaniesRequest { Parent = $"agencies/{agency}", PageSize = pageSize, PageToken = token }, headers, cancellationToken: cancellation).ResponseAsync;

        Task<ListEventsResponse> ListEvents(string agency, Metadata headers, int pageSize, string cursor) => events.ListEventsAsync(
            new ListEventsRequest { Parent = $"agencies/{agency}", PageSize = pageSize, After = cursor }, headers, cancellationToken: cancellation).ResponseAsync;
    }

    private static async Task<double> Repeated<T>(Func<Task<T>> ask)
    {
        var times = new double[Repeats];
        for (var i = 0; i < Repeats; i++)
        {
            times[i] = await Time(ask);
        }

        return Figures.Median(times);
    }

    private static async Task<double> Time<T>(Func<Task<T>> ask)
    {
        var began = Stopwatch.GetTimestamp();
        await ask();
        return Stopwatch.GetElapsedTime(began).TotalMilliseconds;
    }
}
