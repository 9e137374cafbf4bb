using AgencyPlatform.Client;
using AgencyPlatform.Protocol.Agencies.V1;
using AgencyPlatform.Protocol.Clients.V1;
using AgencyPlatform.Protocol.Events.V1;
using FieldMask = Google.Protobuf.WellKnownTypes.FieldMask;

namespace AgencyPlatform.Faults;

/// <summary>
/// Some agencies, in each a few callers that rename a client company of their own at a constant pace through the client library with its default
/// repeats. Each rename is one event: in the end there are as many as were acknowledged.
/// </summary>
internal sealed class ConstantLoad : IDisposable
{
    private const int Callers = 2;
    private static readonly TimeSpan s_pace = TimeSpan.FromMilliseconds(150);
    private readonly List<Agency> _agencies = [];
    private volatile bool _stop;
    private Task _running = Task.CompletedTask;

    /// <summary>One agency's callers and when they were answered.</summary>
    private sealed class Agency(string name, AgencyPlatformClient client) : IDisposable
    {
        private readonly Lock _lock = new();
        private readonly List<(long Sent, long At)> _answers = [];

        public string Name => name;

        public AgencyPlatformClient Client => client;

        public long FirstEvents { get; set; }

        public int Acknowledged
        {
            get
            {
                lock (_lock)
                {
                    return _answers.Count;
                }
            }
        }

        public List<string> Failed { get; } = [];

        public void Answered(long sent)
        {
            lock (_lock)
            {
                _answers.Add((sent, TimeProvider.System.GetTimestamp()));
            }
        }

        public void Fail(string what)
        {
            lock (_lock)
            {
                Failed.Add(what);
            }
        }

        /// <summary>Answers to what was sent since then.</summary>
        public int Since(long begin)
        {
            lock (_lock)
            {
                return _answers.Count(a => a.Sent >= begin);
            }
        }

        /// <summary>From then until now: the longest time without an answer, and the longest call.</summary>
        public (TimeSpan Silence, TimeSpan Call) Longest(long begin)
        {
            lock (_lock)
            {
                var (last, silence, call) = (begin, TimeSpan.Zero, TimeSpan.Zero);
                foreach (var (sent, at) in _answers.Where(a => a.At >= begin))
                {
                    var gap = TimeProvider.System.GetElapsedTime(last, at);
                    var took = TimeProvider.System.GetElapsedTime(sent, at);
                    (last, silence, call) = (at, gap > silence ? gap : silence, took > call ? took : call);
                }

                var open = TimeProvider.System.GetElapsedTime(last);
                return (open > silence ? open : silence, call);
            }
        }

        public void Dispose() => client.Dispose();
    }

    public IReadOnlyList<(string Name, AgencyPlatformClient Client)> Agencies => [.. _agencies.Select(a => (a.Name, a.Client))];

    public int Acknowledged => _agencies.Sum(a => a.Acknowledged);

    public IReadOnlyList<string> Failed => [.. _agencies.SelectMany(a => a.Failed)];

    public static async Task<ConstantLoad> Prepare(Cluster cluster, int agencies)
    {
        var load = new ConstantLoad();
        using var platform = Client(cluster, "apo_development");
        for (var i = 0; i < agencies; i++)
        {
            var name = $"agencies/agency-{i}";
            await platform.Agencies.CreateAgencyAsync(new CreateAgencyRequest
            {
                AgencyId = $"agency-{i}",
                Agency = new() { DisplayName = name, TimeZone = "America/New_York", DefaultCurrency = "USD" },
                LegalEntities = { new LegalEntity { Name = "us", LegalName = "Agency LLC", Country = "US", TimeZone = "America/New_York", Currency = "USD" } },
            });
            var key = await platform.Agencies.CreateApiKeyAsync(new CreateApiKeyRequest { Parent = name, ApiKey = new ApiKey { DisplayName = "Load", Roles = { Role.AgencyAdmin } } });
            var agency = new Agency(name, Client(cluster, key.Key));
            for (var caller = 0; caller < Callers; caller++)
            {
                await agency.Client.Clients.CreateClientCompanyAsync(new CreateClientCompanyRequest
                {
                    Parent = name,
                    ClientCompanyId = $"client-{caller}",
                    ClientCompany = new ClientCompany { DisplayName = "Client", TimeZone = "America/New_York" },
                });
            }

            agency.FirstEvents = await Events(agency);
            load._agencies.Add(agency);
        }

        return load;
    }

    public void Start() => _running = Task.WhenAll(_agencies.SelectMany(a => Enumerable.Range(0, Callers).Select(c => Task.Run(() => Rename(a, c)))));

    public async Task Stop()
    {
        _stop = true;
        await _running;
    }

    /// <summary>Until every caller of every agency was answered about as often as it takes, for what it sent after this began.</summary>
    public async Task Answered(int times)
    {
        var begin = TimeProvider.System.GetTimestamp();
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        while (_agencies.Any(a => a.Since(begin) < times * Callers) && await tick.WaitForNextTickAsync())
        {
        }
    }

    /// <summary>From then until now, agency by agency.</summary>
    public IReadOnlyList<(string Agency, TimeSpan Silence, TimeSpan Call)> Longest(long begin) =>
        [.. _agencies.Select(a => a.Longest(begin) is var longest ? (a.Name, longest.Silence, longest.Call) : default)];

    /// <summary>Agencies in which not exactly what was acknowledged stands. After failed calls there may be one event more for each.</summary>
    public async Task<IReadOnlyList<string>> Differences()
    {
        var differences = new List<string>();
        foreach (var agency in _agencies)
        {
            var found = await Events(agency) - agency.FirstEvents;
            if (found < agency.Acknowledged || found > agency.Acknowledged + agency.Failed.Count)
            {
                differences.Add($"{agency.Name}: {agency.Acknowledged} acknowledged, {found} found");
            }
        }

        return differences;
    }

    public void Dispose() => _agencies.ForEach(a => a.Dispose());

    private static AgencyPlatformClient Client(Cluster cluster, string key) =>
        new(new() { Address = cluster.Gateways[0].Grpc!, OtherAddresses = [.. cluster.Gateways.Skip(1).Select(g => g.Grpc!)], ApiKey = key });

    private async Task Rename(Agency agency, int caller)
    {
        using var pace = new PeriodicTimer(s_pace);
        for (var i = 0; !_stop && await pace.WaitForNextTickAsync(); i++)
        {
            var sent = TimeProvider.System.GetTimestamp();
            try
            {
                await agency.Client.Clients.UpdateClientCompanyAsync(new UpdateClientCompanyRequest
                {
                    ClientCompany = new ClientCompany { Name = $"{agency.Name}/clientCompanies/client-{caller}", DisplayName = $"Name {i}" },
                    UpdateMask = new FieldMask { Paths = { "display_name" } },
                });
                agency.Answered(sent);
            }
            catch (ApiException e)
            {
                agency.Fail($"{agency.Name}: {e.StatusCode} {e.Message}");
            }
        }
    }

    /// <summary>How many events there are; a feed with a gap is refused.</summary>
    private static async Task<long> Events(Agency agency)
    {
        var (count, cursor) = (0L, "");
        while (await agency.Client.Events.ListEventsAsync(new ListEventsRequest { Parent = agency.Name, After = cursor, PageSize = 1000 }) is { Events.Count: > 0 } page)
        {
            foreach (var e in page.Events)
            {
                if (e.Sequence != ++count)
                {
                    throw new InvalidOperationException($"{agency.Name}: event {e.Sequence} comes after {count - 1}.");
                }
            }

            cursor = page.NextCursor;
        }

        return count;
    }
}
