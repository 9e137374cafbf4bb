using System.Globalization;
using AgencyPlatform.Client;
using AgencyPlatform.LoadTest.Calls;
using AgencyPlatform.LoadTest.Scenarios;
using AgencyPlatform.Protocol.Agencies.V1;
using AgencyPlatform.Protocol.Capacity.V1;
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

    /// <summary>Makes what is not there yet: its holidays, clients and CMOs. Every step has a request id of its own, always the same, so that it may be taken again.</summary>
    /// <param name="gate">Bounds the calls of all agencies that are filled at the same time.</param>
    /// <param name="made">Told of every client company.</param>
    public async Task Fill(Connection connection, SemaphoreSlim gate, Action made)
    {
        using var platform = connection.As(Key, retries: 10);
        var api = new Api(platform);
        var monday = FirstMonday;
        if (Own)
        {
            await platform.Agencies.SetHolidayCalendarAsync(new SetHolidayCalendarRequest
            {
                RequestId = Step("holidays"),
                Name = $"{Name}/holidayCalendars/us",
                Days = { monday.AddDays(7).ToWire(), monday.AddDays(24).ToWire(), monday.AddDays(60).ToWire(), monday.AddDays(120).ToWire() },
            });
        }

        await Each(Scenario.Clients, async i =>
        {
            var client = Client(i);
            var id = client[(client.LastIndexOf('/') + 1)..];
            await api.Clients.CreateClientCompanyAsync(new CreateClientCompanyRequest
            {
                RequestId = Step($"create {id}"),
                Parent = Name,
                ClientCompanyId = id,
                ClientCompany = new ClientCompany { DisplayName = $"Client {i}", TimeZone = "America/New_York" },
            });
            if (Scenario.HasEngagements)
            {
                await api.Clients.PutStakeholderAsync(new PutStakeholderRequest
                {
                    RequestId = Step($"stakeholder {id}"),
                    Name = client,
                    Stakeholder = new Stakeholder { PersonId = $"{id}-ceo", DisplayName = $"CEO of client {i}", Title = "CEO", DecisionMaker = true },
                });
            }

            made();
        });
        // Every tenth names its neighbour, and one of two is enough.
        await Each((Scenario.Clients + 8) / 10, async i => await api.Clients.SetCompetitorsAsync(new SetCompetitorsRequest
        {
            RequestId = Step($"competitors {i * 10}"),
            Name = Client(i * 10),
            Competitors = { Client(i * 10 + 1) },
        }));
        // Before all that may be worked or served.
        var patternsFrom = monday.AddDays(-21 - 7 * 20);
        await Each(Scenario.Cmos, async i =>
        {
            var name = Cmo(i);
            var id = name[(name.LastIndexOf('/') + 1)..];
            var cmo = new Cmo
            {
                DisplayName = $"CMO {i}",
                Role = "CMO",
                TimeZone = (i % 3) switch { 0 => "America/New_York", 1 => "Europe/Berlin", _ => "Australia/Sydney" },
                MaxClients = 3 + i % 10,
                MinBlockMinutes = (i % 4) switch { 0 => 0, 1 => 30, 2 => 60, _ => 15 },
                WorkingPatterns = { Pattern(i, patternsFrom) },
            };
            if (Own && i % 2 == 0)
            {
                cmo.HolidayRegions.Add(new HolidayRegion { EffectiveDate = patternsFrom.ToWire(), Region = "us" });
            }

            await api.Cmos.CreateCmoAsync(new CreateCmoRequest { RequestId = Step($"create {id}"), Parent = Name, CmoId = id, Cmo = cmo });
            if (i % 3 == 0)
            {
                await api.Cmos.AddTimeOffAsync(new AddTimeOffRequest
                {
                    RequestId = Step($"time off {id}"),
                    Name = name,
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
                await api.Cmos.SetWorkingPatternAsync(new SetWorkingPatternRequest { RequestId = Step($"pattern {id}"), Name = name, WorkingPattern = Pattern(i + 1, monday.AddDays(72)) });
            }
        });

        // An agency that somebody named may have been loaded before: nothing of it is repeated.
        string Step(string step) => Own ? Plan.RequestId(Name, step) : "";

        Task Each(int many, Func<int, Task> make) => Parallel.ForEachAsync(
            Enumerable.Range(0, many), new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (i, _) =>
            {
                await gate.WaitAsync(CancellationToken.None);
                try
                {
                    await make(i);
                }
                finally
                {
                    gate.Release();
                }
            });
    }

    /// <summary>Notes what an earlier run's load left standing.</summary>
    public async Task Remember(Connection connection)
    {
        using var platform = connection.As(Key, retries: 10);
        var api = new Api(platform);
        var token = "";
        do
        {
            var page = await api.Capacity.ListBookingsAsync(new ListBookingsRequest { Parent = $"{Name}/cmos/-", PageSize = 1_000, PageToken = token });
            foreach (var booking in page.Bookings.Where(b => b.Owner.Length == 0))
            {
                Board.Put(booking);
            }

            token = page.NextPageToken;
        }
        while (token.Length > 0);
    }

    /// <summary>Makes an agency, by the platform's operator, with an admin's key; a repeat makes nothing twice.</summary>
    /// <returns>The key; null: it was made before, and its answer was lost.</returns>
    public static async Task<string?> Create(AgencyPlatformClient @operator, string name, int overbookingPercent)
    {
        var id = name["agencies/".Length..];
        await @operator.Agencies.CreateAgencyAsync(new CreateAgencyRequest
        {
            RequestId = Plan.RequestId(name, "create"),
            AgencyId = id,
            Agency = new Agency { DisplayName = id, TimeZone = "America/New_York", DefaultCurrency = "USD", OverbookingPercent = overbookingPercent, CoolingOffDays = 7 },
            LegalEntities = { new LegalEntity { Name = "us", LegalName = "Load LLC", Country = "US", TimeZone = "America/New_York", Currency = "USD" } },
        });
        try
        {
            var key = await @operator.Agencies.CreateApiKeyAsync(new CreateApiKeyRequest
            {
                Parent = name,
                ApiKeyId = "load",
                ApiKey = new ApiKey { DisplayName = "Load", Roles = { Role.AgencyAdmin } },
            });
            return key.Key.Length > 0 ? key.Key : null;
        }
        catch (ApiException e) when (e.Reason is "ADMIN_EXISTS" or "ALREADY_EXISTS")
        {
            return null;
        }
    }

    private static WorkingPattern Pattern(int group, DateOnly from) => (group % 4) switch
    {
        0 => new() { EffectiveDate = from.ToWire(), MondayMinutes = 480, TuesdayMinutes = 480, WednesdayMinutes = 480, ThursdayMinutes = 480 },
        1 => new() { EffectiveDate = from.ToWire(), MondayMinutes = 450, TuesdayMinutes = 450, WednesdayMinutes = 450, ThursdayMinutes = 450, FridayMinutes = 450 },
        2 => new() { EffectiveDate = from.ToWire(), MondayMinutes = 241, TuesdayMinutes = 239, WednesdayMinutes = 240, ThursdayMinutes = 240, FridayMinutes = 127 },
        _ => new() { EffectiveDate = from.ToWire(), TuesdayMinutes = 360, WednesdayMinutes = 360, ThursdayMinutes = 360, SaturdayMinutes = 180 },
    };
}
