using System.Diagnostics;
using System.Text.RegularExpressions;
using AgencyPlatform.Client;
using AgencyPlatform.Protocol.Agencies.V1;
using AgencyPlatform.Protocol.Capacity.V1;
using AgencyPlatform.Protocol.Clients.V1;
using AgencyPlatform.Protocol.Cmos.V1;
using Date = Google.Type.Date;

namespace AgencyPlatform.Host.Tests;

/// <summary>What others build on: the .NET library as a package, and the sample in TypeScript, against a running host.</summary>
public sealed partial class ClientLibraryFacts
{
    private static readonly string s_root = Root();

    [Fact]
    public async Task The_client_library_is_a_package_that_a_project_of_its_own_books_with()
    {
        using var folder = new TempFolder();
        using var data = new TempFolder();
        var configuration = AppContext.BaseDirectory.Contains("Release", StringComparison.Ordinal) ? "Release" : "Debug";
        foreach (var project in new[] { "AgencyPlatform.Protocol", "AgencyPlatform.Client" })
        {
            await Ran("dotnet", s_root, "pack", $"src/{project}", "--no-build", "-c", configuration, "-o", folder.Path, "-v", "q");
        }

        var version = PackageName().Match(Path.GetFileName(Directory.GetFiles(folder.Path, "AgencyPlatform.Client.*.nupkg").Single())).Groups[1].Value;
        await File.WriteAllTextAsync(Path.Combine(folder.Path, "NuGet.config"), """
            <configuration>
              <config><add key="globalPackagesFolder" value="packages" /></config>
              <packageSources><add key="here" value="." /></packageSources>
            </configuration>
            """);
        await File.WriteAllTextAsync(Path.Combine(folder.Path, "Other.csproj"), $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup><OutputType>Exe</OutputType><TargetFramework>net10.0</TargetFramework><ImplicitUsings>enable</ImplicitUsings></PropertyGroup>
              <ItemGroup><PackageReference Include="AgencyPlatform.Client" Version="{version}" /></ItemGroup>
            </Project>
            """);
        await File.WriteAllTextAsync(Path.Combine(folder.Path, "Program.cs"), """
            using AgencyPlatform.Client;
            using var platform = new AgencyPlatformClient(new() { Address = new(args[0]), ApiKey = args[1] });
            var caller = await platform.Agencies.GetCallerAsync(new());
            Console.WriteLine($"{caller.Agency} {string.Join(',', caller.Roles)}");
            """);
        using var host = await HostProcess.Serve(data.Path);
        var key = await Seed(host);

        var said = await Ran("dotnet", folder.Path, "run", "--", host.Grpc.ToString(), key);

        Assert.Equal("agencies/acme AgencyAdmin", said.Trim());
    }

    [Fact]
    public async Task The_sample_in_TypeScript_watches_and_books()
    {
        using var data = new TempFolder();
        var sample = Path.Combine(s_root, "samples", "typescript");
        await Ran("npm", sample, "ci", "--no-fund", "--no-audit", "--silent");
        await Ran("npm", sample, "run", "--silent", "generate");
        await Ran("npm", sample, "run", "--silent", "build");
        using var host = await HostProcess.Serve(data.Path);
        var key = await Seed(host);
        string[] arguments = ["run", "--silent", "start", "--", "--address", host.Grpc.ToString().TrimEnd('/'), "--key", key, "--agency", "acme", "--cmo", "ada", "--client", "north", "--start", "2026-03-02"];

        var said = await Ran("npm", sample, [.. arguments, "--hours", "8"]);

        Assert.Contains("booked agencies/acme/cmos/ada/bookings/", said, StringComparison.Ordinal);
        Assert.Contains("cmo.booking-booked agencies/acme/cmos/ada", said, StringComparison.Ordinal);
        using var platform = new AgencyPlatformClient(new AgencyPlatformClientOptions { Address = host.Grpc, ApiKey = key });
        Assert.Equal(480, Assert.Single((await platform.Capacity.ListBookingsAsync(new ListBookingsRequest { Parent = "agencies/acme/cmos/ada" })).Bookings).Steps[0].Flexible.WeeklyMinutes);

        // What does not fit is said in words, and is no success.
        var (code, _, error) = await HostProcess.Ended(Start("npm", sample, [.. arguments, "--hours", "80"]));
        Assert.Equal(1, code);
        Assert.Contains("FailedPrecondition: The CMO lacks", error, StringComparison.Ordinal);
    }

    private static async Task<string> Seed(HostProcess host)
    {
        using var @operator = new AgencyPlatformClient(new AgencyPlatformClientOptions { Address = host.Grpc, ApiKey = "apo_development" });
        await @operator.Agencies.CreateAgencyAsync(new CreateAgencyRequest
        {
            AgencyId = "acme",
            Agency = new Protocol.Agencies.V1.Agency { DisplayName = "Acme", TimeZone = "America/New_York", DefaultCurrency = "USD" },
            LegalEntities = { new LegalEntity { Name = "us", LegalName = "Acme LLC", Country = "US", TimeZone = "America/New_York", Currency = "USD" } },
            Sandbox = true,
            SandboxStartTime = Google.Protobuf.WellKnownTypes.Timestamp.FromDateTime(new DateTime(2026, 1, 5, 17, 0, 0, DateTimeKind.Utc)),
        });
        var key = (await @operator.Agencies.CreateApiKeyAsync(new CreateApiKeyRequest { Parent = "agencies/acme", ApiKey = new ApiKey { DisplayName = "Admin", Roles = { Role.AgencyAdmin } } })).Key;
        using var platform = new AgencyPlatformClient(new AgencyPlatformClientOptions { Address = host.Grpc, ApiKey = key });
        await platform.Clients.CreateClientCompanyAsync(new CreateClientCompanyRequest
        {
            Parent = "agencies/acme",
            ClientCompanyId = "north",
            ClientCompany = new ClientCompany { DisplayName = "North", TimeZone = "America/New_York" },
        });
        await platform.Cmos.CreateCmoAsync(new CreateCmoRequest
        {
            Parent = "agencies/acme",
            CmoId = "ada",
            Cmo = new Cmo
            {
                DisplayName = "Ada",
                TimeZone = "America/New_York",
                MaxClients = 3,
                WorkingPatterns = { new WorkingPattern { EffectiveDate = new Date { Year = 2026, Month = 1, Day = 1 }, MondayMinutes = 480, TuesdayMinutes = 480 } },
            },
        });
        return key;
    }

    private static async Task<string> Ran(string program, string folder, params string[] arguments)
    {
        var (code, output, error) = await HostProcess.Ended(Start(program, folder, arguments));
        Assert.True(code == 0, $"{program} {string.Join(' ', arguments)}: {code}\n{output}\n{error}");
        return output;
    }

    private static Process Start(string program, string folder, params string[] arguments)
    {
        var start = new ProcessStartInfo(program) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        return Process.Start(start)!;
    }

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "AgencyPlatform.sln")))
        {
            folder = folder.Parent!;
        }

        return folder.FullName;
    }

    [GeneratedRegex(@"^AgencyPlatform\.Client\.(.+)\.nupkg$")]
    private static partial Regex PackageName();
}
