using AgencyPlatform.Client;
using AgencyPlatform.Protocol.Agencies.V1;
using AgencyPlatform.Protocol.Capacity.V1;
using AgencyPlatform.Protocol.Clients.V1;
using AgencyPlatform.Protocol.Cmos.V1;
using AgencyPlatform.Protocol.Events.V1;
using Grpc.Core;
using Date = Google.Type.Date;

namespace AgencyPlatform.Host.Tests;

public sealed class HostFacts
{
    private const string Operator = "apo_development";

    [Fact]
    public async Task Every_wrong_setting_is_named_at_once_with_exit_code_2_and_no_stack_trace()
    {
        var (code, _, error) = await HostProcess.Run(
            "--set", "Listen:GrpcPort=99999", "--set", "Listen:Address=nowhere", "--set", "Storage:Provider=oracle", "--set", "Foo:Bar=1", "--set", "Gateway:KeyCacheSeconds=99");

        Assert.Equal(2, code);
        foreach (var wrong in new[] { "Listen:GrpcPort", "Listen:Address", "Storage:Provider", "Foo:Bar", "Gateway:KeyCacheSeconds", "Tls:TerminatedBy" })
        {
            Assert.Contains($"AgencyPlatform:{wrong}", error, StringComparison.Ordinal);
        }

        Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_development_key_is_refused_outside_Development()
    {
        var hash = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(Operator)));
        var (code, _, error) = await HostProcess.Run("--environment", "Production", "--set", "Tls:TerminatedBy=proxy", "--set", $"Gateway:OperatorKeyHash={hash}");

        Assert.Equal(2, code);
        Assert.Contains("development key", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_serves_health_metrics_and_JSON()
    {
        using var folder = new TempFolder();
        using var host = await HostProcess.Serve(folder.Path);
        using var http = new HttpClient { BaseAddress = host.Http };

        Assert.Equal("serving\n", await http.GetStringAsync("health"));
        Assert.Contains("target_info", await http.GetStringAsync("metrics"), StringComparison.Ordinal);
        using var request = new HttpRequestMessage(HttpMethod.Get, "v1/agencies");
        request.Headers.Add("authorization", $"Bearer {Operator}");
        using var answer = await http.SendAsync(request);
        Assert.Equal("""{"agencies":[],"nextPageToken":""}""", await answer.Content.ReadAsStringAsync());
        Assert.Equal(System.Net.HttpStatusCode.Unauthorized, (await http.GetAsync("v1/agencies")).StatusCode);
    }

    [Fact]
    public async Task A_second_host_on_the_same_database_or_port_is_refused_in_a_sentence()
    {
        using var folder = new TempFolder();
        using var other = new TempFolder();
        using var host = await HostProcess.Serve(folder.Path);

        var (database, _, sole) = await HostProcess.Run("--environment", "Development", "--data", folder.Path, "--grpc-port", "0", "--http-port", "0");
        var (port, _, taken) = await HostProcess.Run("--environment", "Development", "--data", other.Path, "--grpc-port", "0", "--http-port", $"{host.Http.Port}");

        Assert.Equal((1, 1), (database, port));
        Assert.StartsWith("Another process serves", sole, StringComparison.Ordinal);
        Assert.StartsWith($"Another process has port {host.Http.Port}", taken, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", sole + taken, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("verify")]
    [InlineData("rebuild")]
    [InlineData("export")]
    public async Task The_journal_commands_do_not_make_a_database_where_there_is_none(string command)
    {
        using var folder = new TempFolder();

        var (code, output, error) = await HostProcess.Run("journal", command, "--data", folder.Path);

        Assert.Equal((1, ""), (code, output));
        Assert.StartsWith("There is no database", error, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(folder.Path));
    }

    [Fact]
    public async Task A_data_folder_that_is_a_file_is_refused_in_a_sentence()
    {
        using var folder = new TempFolder();
        var file = Path.Combine(folder.Path, "file");
        await File.WriteAllTextAsync(file, "");

        var (code, _, error) = await HostProcess.Run("--environment", "Development", "--data", file, "--grpc-port", "0", "--http-port", "0");

        Assert.Equal(1, code);
        Assert.Contains(file, error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--cmos", "abc")]
    [InlineData("--months", "9999999999")]
    [InlineData("--clients", "0")]
    public async Task A_number_that_the_demo_cannot_take_is_refused_in_a_sentence(string option, string value)
    {
        var (code, _, error) = await HostProcess.Run("demo", option, value);

        Assert.Equal(2, code);
        Assert.Contains(option, error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_journal_shows_an_aggregate_with_its_events_and_state()
    {
        using var folder = new TempFolder();
        using (var host = await HostProcess.Serve(folder.Path))
        {
            await Prepare(host);
        }

        var (code, output, error) = await HostProcess.Run("journal", "show", "agencies/acme/cmos/cmo-0", "--data", folder.Path);

        Assert.True(code == 0, output + error);
        Assert.Contains("cmo.created", output, StringComparison.Ordinal);
        Assert.Contains("Folded state of acme/cmo/cmo-0", output, StringComparison.Ordinal);
        Assert.Equal(1, (await HostProcess.Run("journal", "show", "agencies/acme/cmos/nobody", "--data", folder.Path)).Code);
        Assert.Equal(2, (await HostProcess.Run("journal", "show", "what", "--data", folder.Path)).Code);
    }

    /// <summary>Reads the whole feed, which has no gap; answers with its last number.</summary>
    internal static async Task<long> Contiguous(AgencyPlatformClient platform)
    {
        var (sequence, cursor) = (0L, "");
        while (await platform.Events.ListEventsAsync(new ListEventsRequest { Parent = "agencies/acme", After = cursor, PageSize = 100 }) is { Events.Count: > 0 } page)
        {
            Assert.All(page.Events, e => Assert.Equal(++sequence, e.Sequence));
            cursor = page.NextCursor;
        }

        return sequence;
    }

    internal static async Task<string> Prepare(HostProcess host)
    {
        using var platform = new AgencyPlatformClient(new() { Address = host.Grpc, ApiKey = Operator });
        await platform.Agencies.CreateAgencyAsync(new CreateAgencyRequest
        {
            AgencyId = "acme",
            Agency = new Agency { DisplayName = "Acme", TimeZone = "America/New_York", DefaultCurrency = "USD" },
            LegalEntities = { new LegalEntity { Name = "us", LegalName = "Acme LLC", Country = "US", TimeZone = "America/New_York", Currency = "USD" } },
        });
        var key = (await platform.Agencies.CreateApiKeyAsync(new CreateApiKeyRequest
        {
            Parent = "agencies/acme",
            ApiKeyId = "admin",
            ApiKey = new ApiKey { DisplayName = "Test", Roles = { Role.AgencyAdmin } },
        })).Key;
        using var acme = new AgencyPlatformClient(new() { Address = host.Grpc, ApiKey = key });
        await acme.Service<ClientsService.ClientsServiceClient>().CreateClientCompanyAsync(
            new CreateClientCompanyRequest { Parent = "agencies/acme", ClientCompanyId = "client", ClientCompany = new ClientCompany { DisplayName = "Client", TimeZone = "America/New_York" } });
        for (var i = 0; i < 4; i++)
        {
            await acme.Service<CmosService.CmosServiceClient>().CreateCmoAsync(new CreateCmoRequest
            {
                Parent = "agencies/acme",
                CmoId = $"cmo-{i}",
                Cmo = new Cmo
                {
                    DisplayName = "Jane",
                    Role = "CMO",
                    TimeZone = "America/New_York",
                    MaxClients = 5,
                    WorkingPatterns = { new WorkingPattern { EffectiveDate = new Date { Year = 2027, Month = 1, Day = 4 }, MondayMinutes = 480, TuesdayMinutes = 480 } },
                },
            });
        }

        return key;
    }

    /// <summary>Books five minutes of a week.</summary>
    /// <param name="week">So many weeks after the first: a CMO has room for 192 such bookings in each.</param>
    internal static async Task<Booking> Book(AgencyPlatformClient platform, (string Request, string Cmo) call, int week = 0) =>
        await platform.Service<CapacityService.CapacityServiceClient>().BookAsync(new BookRequest
        {
            Parent = call.Cmo,
            RequestId = call.Request,
            Booking = new Booking
            {
                ClientCompany = "agencies/acme/clientCompanies/client",
                Steps =
                {
                    new BookingStep
                    {
                        StartDate = Monday(week),
                        EndDate = Monday(week + 1),
                        Flexible = new FlexibleForm { WeeklyMinutes = 5 },
                    },
                },
            },
        });

    internal static async Task<List<string>> Bookings(AgencyPlatformClient platform)
    {
        var names = new List<string>();
        for (var i = 0; i < 4; i++)
        {
            var request = new ListBookingsRequest { Parent = $"agencies/acme/cmos/cmo-{i}", PageSize = 1000 };
            do
            {
                var page = await platform.Service<CapacityService.CapacityServiceClient>().ListBookingsAsync(request);
                names.AddRange(page.Bookings.Select(b => b.Name));
                request.PageToken = page.NextPageToken;
            }
            while (request.PageToken.Length > 0);
        }

        return names;
    }

    private static Date Monday(int week)
    {
        var day = new DateOnly(2027, 2, 1).AddDays(7 * week);
        return new Date { Year = day.Year, Month = day.Month, Day = day.Day };
    }
}
