using System.Text.Json;
using AgencyPlatform.Host.Configuration;
using AgencyPlatform.Storage;

namespace AgencyPlatform.Host.Commands;

/// <summary>Says in one line each how configuration and database are. It changes nothing and starts nothing.</summary>
internal static class DoctorCommand
{
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    /// <returns>0 when nothing failed (warnings are no failures), else 1.</returns>
    public static async Task<int> Run(IReadOnlyDictionary<string, string?> overrides, string? environment, bool quick, bool json, CancellationToken cancellation)
    {
        var findings = new List<Finding>();
        await foreach (var finding in Examine(overrides, environment, quick, cancellation))
        {
            findings.Add(finding);
            if (!json)
            {
                Console.WriteLine($"{Word(finding.Health),-8} {finding.Subject,-14} {finding.Sentence}");
            }
        }

        var failed = findings.Count(f => f.Health == Health.Failed);
        if (json)
        {
            Console.WriteLine(JsonSerializer.Serialize(
                new { Healthy = failed == 0, Findings = findings.Select(f => new { f.Subject, Health = Word(f.Health).ToLowerInvariant(), f.Sentence }) }, s_json));
        }

        return failed == 0 ? 0 : 1;
    }

    private static async IAsyncEnumerable<Finding> Examine(
        IReadOnlyDictionary<string, string?> overrides, string? environment, bool quick, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
    {
        HostSettings? settings = null;
        IReadOnlyList<string> wrong = [];
        try
        {
            var builder = PlatformHost.Configured(overrides, environment, out settings);
            environment = builder.Environment.EnvironmentName;
        }
        catch (SettingsException e)
        {
            wrong = e.Problems;
        }

        if (settings is null)
        {
            foreach (var problem in wrong)
            {
                yield return new Finding(Health.Failed, problem) { Subject = "configuration" };
            }

            yield break;
        }

        yield return new Finding(Health.Ok, $"{environment}, role {settings.Role.ToString().ToLowerInvariant()}, {settings.Storage.Provider}{ServeCommand.Place(settings.Storage)}") { Subject = "configuration" };
        if (HostCommands.MissingFile(settings.Storage) is { } missing)
        {
            yield return new Finding(Health.Failed, missing) { Subject = "database" };
            yield break;
        }

        var services = new ServiceCollection();
        services.AddLogging();
        services.AddAgencyPlatformStorage(settings.Storage);
        await using var provider = services.BuildServiceProvider();
        IDatabaseDoctor? doctor = null;
        var unusable = "";
        try
        {
            doctor = provider.GetRequiredService<IDatabaseDoctor>();
        }
        catch (SchemaException e)
        {
            unusable = e.Message;
        }

        if (doctor is null)
        {
            yield return new Finding(Health.Failed, unusable) { Subject = "database" };
            yield break;
        }

        await foreach (var finding in doctor.Examine(quick, progress: null, cancellation))
        {
            yield return finding;
        }
    }

    private static string Word(Health health) => health switch
    {
        Health.Ok => "ok",
        Health.Warning => "warning",
        _ => "FAILED",
    };
}
