using System.CommandLine;
using System.Globalization;
using AgencyPlatform.Client;
using AgencyPlatform.Contracts;
using AgencyPlatform.Host.Configuration;
using AgencyPlatform.Host.Demo;
using AgencyPlatform.Storage;
using Microsoft.Data.Sqlite;
using Spectre.Console;

namespace AgencyPlatform.Host.Commands;

/// <summary>The command line. Exit codes: 0 well, 1 did not go well (said in a sentence), 2 wrong settings or usage.</summary>
public static class HostCommands
{
    private const int Failed = 1;
    private const int WrongSettings = 2;

    private static readonly Option<string?> s_environment = new("--environment") { Description = "Development, Production, …", Recursive = true };
    private static readonly Option<string[]> s_set = new("--set") { Description = "A setting as Key=Value, for example --set Listen:GrpcPort=6081; may be repeated.", Recursive = true, DefaultValueFactory = _ => [] };

    /// <summary>Short names of the settings that are given most.</summary>
    private static readonly (Option<string?> Option, string Key)[] s_short =
    [
        (new("--role") { Description = "all, silo or gateway.", Recursive = true }, "Role"),
        (new("--data") { Description = "Folder of the embedded database.", Recursive = true }, "Data:Directory"),
        (new("--grpc-port") { Description = "Port of gRPC (HTTP/2); 0 takes a free one.", Recursive = true }, "Listen:GrpcPort"),
        (new("--http-port") { Description = "Port of HTTP/1.1; 0 takes a free one.", Recursive = true }, "Listen:HttpPort"),
    ];

    public static async Task<int> Run(string[] args)
    {
        if (Console.IsOutputRedirected)
        {
            // Lines of a pipe or a file are nobody's screen: no wrapping at 80.
            AnsiConsole.Profile.Width = 200;
        }

        var root = new RootCommand("The platform of agencies that place fractional marketing leaders. Without a command it serves.") { s_environment, s_set };
        foreach (var (option, _) in s_short)
        {
            root.Options.Add(option);
        }

        root.SetAction((parsed, cancellation) => Guarded(() => ServeCommand.Run(Overrides(parsed), parsed.GetValue(s_environment), cancellation)));
        root.Subcommands.Add(Migrate());
        root.Subcommands.Add(Backup());
        root.Subcommands.Add(Restore());
        root.Subcommands.Add(Doctor());
        root.Subcommands.Add(Journal());
        root.Subcommands.Add(DemoCommand());
        var parsed = root.Parse(args);
        var code = await parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });
        return parsed.Errors.Count > 0 ? WrongSettings : code;
    }

    private static Command Migrate()
    {
        var migrate = new Command("migrate", "Creates the database's tables or brings them to this program's version. On PostgreSQL it is for the owner's role.");
        migrate.SetAction((parsed, cancellation) => WithStorage(parsed, DatabaseCommands.Migrated, cancellation, create: true));
        return migrate;
    }

    private static Command Backup()
    {
        var file = new Option<FileInfo>("--to") { Description = "The file to write; it must not be there.", Required = true };
        var backup = new Command("backup", "Copies the embedded database to a file while a host goes on serving it. PostgreSQL has tools of its own.") { file };
        backup.SetAction((parsed, cancellation) => WithStorage(parsed, (services, ct) => DatabaseCommands.BackUp(services, parsed.GetValue(file)!, ct), cancellation));
        return backup;
    }

    private static Command Restore()
    {
        var file = new Option<FileInfo?>("--from") { Description = "A file that `backup` has written: it is copied to the data folder, which must have no database." };
        var adopt = new Option<bool>("--adopt") { Description = "The database is in place, restored by other means: PostgreSQL's, or a copied file." };
        var restore = new Command("restore", "Makes a backup the database that is served: a new epoch of the feeds, and no finalizing until each invoice series' last number is confirmed.") { file, adopt };
        restore.Validators.Add(result =>
        {
            if (result.GetValue(file) is null == !result.GetValue(adopt))
            {
                result.AddError("restore takes either --from FILE or --adopt.");
            }
        });
        restore.SetAction((parsed, cancellation) => WithStorage(
            parsed, (services, ct) => DatabaseCommands.Restore(services, parsed.GetValue(file), ct), cancellation, create: parsed.GetValue(file) is not null, ensure: false));
        return restore;
    }

    private static Command Doctor()
    {
        var quick = new Option<bool>("--quick") { Description = "Leave out what walks the whole journal." };
        var json = new Option<bool>("--json") { Description = "One JSON object instead of lines." };
        var doctor = new Command("doctor", "Looks at configuration and database, beside a running host, and says what it found. Exit code 1 when anything failed.") { quick, json };
        doctor.SetAction((parsed, cancellation) => Guarded(() => DoctorCommand.Run(
            Overrides(parsed), parsed.GetValue(s_environment), parsed.GetValue(quick), parsed.GetValue(json), cancellation)));
        return doctor;
    }

    private static Command Journal()
    {
        var name = new Argument<string>("name") { Description = "agencies/{agency}/cmos/{cmo} and the like, or {agency}/{kind}/{id}." };
        var show = new Command("show", "Prints an aggregate's events and its folded state.") { name };
        show.SetAction((parsed, cancellation) => WithStorage(parsed, (services, ct) => JournalCommands.Show(services, parsed.GetValue(name)!, ct), cancellation));
        var verify = new Command("verify", "Walks every agency's hash chain. Exit code 1 when one is broken.");
        verify.SetAction((parsed, cancellation) => WithStorage(parsed, JournalCommands.Verify, cancellation));
        var rebuild = new Command("rebuild", "Fills the read models anew from the journal and swaps them in.");
        rebuild.SetAction((parsed, cancellation) => WithStorage(parsed, JournalCommands.Rebuild, cancellation));
        var file = new Option<FileInfo?>("--to") { Description = "The file to write; without it, the standard output." };
        var agency = new Option<string?>("--agency") { Description = "One agency's id; without it, all." };
        var export = new Command("export", "Writes the events as lines of JSON, envelope and payload, in order of sequence.") { file, agency };
        export.SetAction((parsed, cancellation) => WithStorage(
            parsed, (services, ct) => JournalCommands.Export(services, parsed.GetValue(file), parsed.GetValue(agency), ct), cancellation));
        return new Command("journal", "Looks at the event journal, and repairs what is derived from it.") { show, verify, rebuild, export };
    }

    private static Command DemoCommand()
    {
        var roster = new Option<FileInfo?>("--roster") { Description = "CSV of the agency's own clients, CMOs and engagements (docs/roster.md)." };
        var skip = new Option<bool>("--skip-bad-rows") { Description = "Import the good rows of the roster even if others are wrong." };
        var exit = new Option<bool>("--exit") { Description = "Stop after the summary instead of serving on." };
        var year = new Option<bool>("--year") { Description = "A whole year of an agency whose clients come and go: 100 clients and 30 CMOs, unless it is said otherwise; the server is killed once meanwhile." };
        var clients = new Option<int?>("--clients") { Description = "How many client companies. [default: 40; with --year 100]" };
        var cmos = new Option<int?>("--cmos") { Description = "How many CMOs. [default: 12; with --year 30]" };
        var months = new Option<int?>("--months") { Description = "How many months are simulated. [default: 3; with --year 12]" };
        var seed = new Option<int>("--seed") { Description = "With --year: the same seed gives the same year.", DefaultValueFactory = _ => 1 };
        var kills = new Option<int?>("--kills") { Description = "How often the server is killed with SIGKILL and started again meanwhile. [default: 0; with --year 1]" };
        var pace = new Option<int>("--pace") { Description = "Seconds that a simulated week takes at least, to be watched on the dashboard.", DefaultValueFactory = _ => 0 };
        foreach (var (option, least, most) in new (Option, int, int)[] { (clients, 1, 500), (cmos, 1, 200), (months, 1, 24), (seed, 0, int.MaxValue), (kills, 0, 20), (pace, 0, 600) })
        {
            option.Validators.Add(result =>
            {
                // What is no number at all has its error already.
                if (int.TryParse(result.Tokens.SingleOrDefault()?.Value, CultureInfo.InvariantCulture, out var value) && (value < least || value > most))
                {
                    result.AddError($"{option.Name} must be from {least} to {most}, not {value}.");
                }
            });
        }

        var demo = new Command("demo", "Runs months of an agency in a sandbox through the public API, prints what came of it, and serves on.")
        {
            year, clients, cmos, months, seed, kills, pace, roster, skip, exit,
        };
        demo.Validators.Add(result =>
        {
            if (result.GetValue(year) && result.GetValue(roster) is not null)
            {
                result.AddError("--year invents its agency: leave out --roster, or --year.");
            }
        });
        demo.SetAction((parsed, cancellation) => Guarded(() =>
        {
            var whole = parsed.GetValue(year);
            var options = new DemoOptions(
                parsed.GetValue(clients) ?? (whole ? 100 : 40), parsed.GetValue(cmos) ?? (whole ? 30 : 12), parsed.GetValue(months) ?? (whole ? 12 : 3), parsed.GetValue(roster),
                parsed.GetValue(skip), parsed.GetValue(exit), whole, parsed.GetValue(seed), parsed.GetValue(kills) ?? (whole ? 1 : 0), parsed.GetValue(pace));
            return ServeCommand.RunDemo(Overrides(parsed), parsed.GetValue(s_environment), options, cancellation);
        }));
        return demo;
    }

    /// <param name="create">Whether an embedded database that is not there is made; else it is a mistake in the command.</param>
    /// <param name="ensure">Whether the database is brought to this program's version first.</param>
    private static Task<int> WithStorage(
        ParseResult parsed, Func<IServiceProvider, CancellationToken, Task<int>> run, CancellationToken cancellation, bool create = false, bool ensure = true) => Guarded(async () =>
    {
        var builder = PlatformHost.Configured(Overrides(parsed), parsed.GetValue(s_environment) ?? "Development", out var settings);
        if (!create && MissingFile(settings.Storage) is { } missing)
        {
            throw new SchemaException(missing);
        }

        var services = new ServiceCollection();
        services.AddSingleton(settings);
        services.AddLogging(logging => logging.AddConfiguration(builder.Configuration.GetSection("Logging")).AddConsole());
        services.AddSingleton<IHostEnvironment>(builder.Environment);
        services.AddAgencyPlatformStorage(settings.Storage);
        await using var provider = services.BuildServiceProvider();
        if (ensure)
        {
            await provider.GetRequiredService<IJournalMaintenance>().EnsureSchema(cancellation);
        }

        return await run(provider, cancellation);
    });

    /// <summary>A sentence for an embedded database that is not there; null when it is.</summary>
    internal static string? MissingFile(StorageOptions storage) =>
        storage.Provider == StorageProvider.Sqlite && new SqliteConnectionStringBuilder(storage.ConnectionString).DataSource is var file && !File.Exists(file)
            ? $"There is no database {Path.GetFullPath(file)}. Say where it is with --data FOLDER."
            : null;

    private static Dictionary<string, string?> Overrides(ParseResult parsed)
    {
        var overrides = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        foreach (var (option, key) in s_short)
        {
            if (parsed.GetValue(option) is { } value)
            {
                overrides[$"{HostSettings.Section}:{key}"] = value;
            }
        }

        var malformed = new List<string>();
        foreach (var setting in parsed.GetValue(s_set)!)
        {
            if (setting.IndexOf('=') is var equals and > 0)
            {
                overrides[$"{HostSettings.Section}:{setting[..equals]}"] = setting[(equals + 1)..];
            }
            else
            {
                malformed.Add($"--set {setting} is not Key=Value.");
            }
        }

        if (malformed.Count == 0)
        {
            return overrides;
        }

        try
        {
            PlatformHost.Configured(overrides, parsed.GetValue(s_environment), out _);
        }
        catch (SettingsException wrong)
        {
            // All that is wrong, at once.
            malformed.AddRange(wrong.Problems);
        }

        throw new SettingsException(malformed);
    }

    /// <summary>Says what went wrong in a sentence instead of a stack trace, where it is something that a person can mend.</summary>
    private static async Task<int> Guarded(Func<Task<int>> run)
    {
        try
        {
            return await run();
        }
        catch (SettingsException e)
        {
            await Console.Error.WriteLineAsync(e.Message);
            return WrongSettings;
        }
        catch (Exception e) when (Sentence(e) is { } sentence)
        {
            await Console.Error.WriteLineAsync(sentence);
            return Failed;
        }
        catch (OperationCanceledException)
        {
            return Failed;
        }
    }

    private static string? Sentence(Exception e) => e switch
    {
        SchemaException or DemoException or HostInUseException or ClusterException => e.Message,
        ApiException => $"The demo's call was refused: {e.Message}",
        Microsoft.AspNetCore.Connections.AddressInUseException => InUse(e),
        IOException { InnerException: Microsoft.AspNetCore.Connections.AddressInUseException } => InUse(e),
        UnauthorizedAccessException or IOException or UnavailableException => e.Message,
        Npgsql.PostgresException refused => $"PostgreSQL refuses: {refused.MessageText}. Looking at all agencies is for the owner's role (docs/operations.md).",
        _ => null,
    };

    private static string InUse(Exception e) => $"{e.Message} Another process has the port: stop it, or choose others with --grpc-port and --http-port.";
}
