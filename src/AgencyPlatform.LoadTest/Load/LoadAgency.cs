using System.Globalization;
using AgencyPlatform.Client;
using AgencyPlatform.LoadTest.Calls;
using AgencyPlatform.LoadTest.Scenarios;
using AgencyPlatform.Protocol.Agencies.V1;
using AgencyPlatform.Protocol.Clients.V1;
using AgencyPlatform.Protocol.Cmos.V1;

namespace AgencyPlatform.LoadTest.Load;

/// <summary>The agency that the load is for: many CMOs, no two groups alike, and clients of whom some compete.</summary>
internal sealed class LoadAgency
{
    public required string Name { get; init; }
    public required string Key { get; init; }

    /// <summary>Whether the run made it.</summary>
    public required bool Own { get; init; }

    /// <summary>A Monday at least two weeks ahead: nothing that the load books is over while it runs.</summary>
    public required DateOnly FirstMonday { get; init; }

    /// <summary>What the ids of everything in it begin with: no two agencies of a run share one.</summary>
    public required string Tag { get; init; }

    public required Scenario Scenario { get; init; }

    /// <summary>What its callers know to stand.</summary>
    public LoadBoard Board { get; } = new();

    public string Cmo(int i) => string.Create(CultureInfo.InvariantCulture, $"{Name}/cmos/{Tag}cmo-{i}");

    public string Client(int i) => string.Create(CultureInfo.InvariantCulture, $"{Name}/clientCompanies/{Tag}client-{i}");

    /// <summary>Makes what is not there yet.</summary>
    /// <param name="named">An agency that is there, with a key of its admin; null: one is made.</param>
    /// <param name="gate">Bounds the calls of all preparations that go on at the same time.</param>
    /// <param name="made">Told of every client company.</param>
    public static async Task<LoadAgency> Prepare(
        Connection connection, Scenario scenario, string id, int index, (string Name, string Key)? named, SemaphoreSlim gate, Action made, TimeProvider time)
    {
        var today = DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime);
        var own = named is null;
        var (name, key) = named ?? await CreateAgency(connection.Operator, id, scenario.OverbookingPercent);
        using var platform = connection.As(key, retries: 10);
        var api = new Api(platform);
        var monday = today.Monday().AddDays(21);
        var tag = own ? string.Create(CultureInfo.InvariantCulture, $"a{index}-") : string.Create(CultureInfo.InvariantCulture, $"{time.GetUtcNow().ToUnixTimeSeconds()}-");
        if (own)
        {
            await platform.Agencies.SetHolidayCalendarAsync(new SetHolidayCalendarRequest
            {
                Name = $"{name}/holidayCalendars/us",
                Days = { monday.AddDays(7).ToWire(), monday.AddDays(24).ToWire(), monday.AddDays(60).ToWire(), monday.AddDays(120).ToWire() },
            });
        }

        // Before all that may be worked or served.
        var patternsFrom = monday.AddDays(-21 - 7 * 20);
        var clients = Enumerable.Range(0, scenario.Clients).Select(i => $"{tag}client-{i}").ToArray();
        await Each(clients, async (id, i) =>
        {
            await api.Clients.CreateClientCompanyAsync(new CreateClientCompanyRequest
            {
                Parent = name,
                ClientCompanyId = id,
                ClientCompany = new ClientCompany { DisplayName = $"Client {i}", TimeZone = "America/New_York" },
            });
            made();
            if (scenario.HasEngagements)
            {
                await api.Clients.PutStakeholderAsync(new PutStakeholderRequest
                {
                    Name = $"{name}/clientCompanies/{id}",
                    Stakeholder = new Stakeholder { PersonId = $"{id}-ceo", DisplayName = $"CEO of client {i}", Title = "CEO", DecisionMaker = true },
                });
            }
        });
        // Every tenth names its neighbour, and one of two is enough.
        await Each([.. clients.Where((_, i) => i % 10 == 0 && i + 1 < clients.Length)], async (id, _) => await api.Clients.SetCompetitorsAsync(new SetCompetitorsRequest
        {
            Name = $"{name}/clientCompanies/{id}",
            Competitors = { $"{name}/clientCompanies/{clients[int.Parse(id[(id.LastIndexOf('-') + 1)..], CultureInfo.InvariantCulture) + 1]}" },
        }));

        var cmos = Enumerable.Range(0, scenario.Cmos).Select(i => $"{tag}cmo-{i}").ToArray();
        await Each(cmos, async (id, i) =>
        {
            var cmo = new Cmo
            {
                DisplayName = $"CMO {i}",
                Role = "CMO",
                TimeZone = (i % 3) switch { 0 => "America/New_York", 1 => "Europe/Berlin", _ => "Australia/Sydney" },
                MaxClients = 3 + i % 10,
                MinBlockMinutes = (i % 4) switch { 0 => 0, 1 => 30, 2 => 60, _ => 15 },
                WorkingPatterns = { Pattern(i, patternsFrom) },
            };
            if (own && i % 2 == 0)
            {
                cmo.HolidayRegions.Add(new HolidayRegion { EffectiveDate = patternsFrom.ToWire(), Region = "us" });
            }

            await api.Cmos.CreateCmoAsync(new CreateCmoRequest { Parent = name, CmoId = id, Cmo = cmo });
            if (i % 3 == 0)
            {
                await api.Cmos.AddTimeOffAsync(new AddTimeOffRequest
                {
                    Name = $"{name}/cmos/{id}",
                    TimeOff = new TimeOff
                    {
                        TimeOffId = "summer",
                        StartDate = monday.AddDays(30 + i % 20).ToWire(),
                        EndDate = monday.AddDays(37 + i % 20).ToWire(),
                        Kind = (i % 9) switch { 0 => TimeOff.Types.Kind.WholeDays, 3 => TimeOff.Types.Kind.HalfDays, _ => TimeOff.Types.Kind.Minutes },
                        MinutesPerDay = i % 9 == 6 ? 100 : 0,
                    },
                });
            }

            if (i % 5 == 0)
            {
                // Another pattern from a Wednesday on: that week has both.
                await api.Cmos.SetWorkingPatternAsync(new SetWorkingPatternRequest { Name = $"{name}/cmos/{id}", WorkingPattern = Pattern(i + 1, monday.AddDays(72)) });
            }
        });

        Task Each(IReadOnlyList<string> ids, Func<string, int, Task> make) => Parallel.ForEachAsync(
            Enumerable.Range(0, ids.Count), new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (i, _) =>
            {
                await gate.WaitAsync(CancellationToken.None);
                try
                {
                    await make(ids[i], i);
                }
                finally
                {
                    gate.Release();
                }
            });

        return new LoadAgency
        {
            Name = name,
            Key = key,
            Own = own,
            FirstMonday = monday,
            Tag = tag,
            Scenario = scenario,
        };
    }

    /// <summary>A new agency with an admin's key, made by the platform's operator.</summary>
    public static async Task<(string Name, string Key)> CreateAgency(AgencyPlatformClient @operator, string id, int overbookingPercent)
    {
        await @operator.Agencies.CreateAgencyAsync(new CreateAgencyRequest
        {
            AgencyId = id,
            Agency = new Agency { DisplayName = id, TimeZone = "America/New_York", DefaultCurrency = "USD", OverbookingPercent = overbookingPercent, CoolingOffDays = 7 },
            LegalEntities = { new LegalEntity { Name = "us", LegalName = "Load LLC", Country = "US", TimeZone = "America/New_York", Currency = "USD" } },
        });
        var key = await @operator.Agencies.CreateApiKeyAsync(new CreateApiKeyRequest
        {
            Parent = $"agencies/{id}",
            ApiKeyId = "load",
            ApiKey = new ApiKey { DisplayName = "Load", Roles = { Role.AgencyAdmin } },
        });
        return ($"agencies/{id}", key.Key);
    }

    private static WorkingPattern Pattern(int group, DateOnly from) => (group % 4) switch
    {
        0 => new() { EffectiveDate = from.ToWire(), MondayMinutes = 480, TuesdayMinutes = 480, WednesdayMinutes = 480, ThursdayMinutes = 480 },
        1 => new() { EffectiveDate = from.ToWire(), MondayMinutes = 450, TuesdayMinutes = 450, WednesdayMinutes = 450, ThursdayMinutes = 450, FridayMinutes = 450 },
        2 => new() { EffectiveDate = from.ToWire(), MondayMinutes = 241, TuesdayMinutes = 239, WednesdayMinutes = 240, ThursdayMinutes = 240, FridayMinutes = 127 },
        _ => new() { EffectiveDate = from.ToWire(), TuesdayMinutes = 360, WednesdayMinutes = 360, ThursdayMinutes = 360, SaturdayMinutes = 180 },
    };

}
