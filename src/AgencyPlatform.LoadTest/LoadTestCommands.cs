using System.CommandLine;
using System.Globalization;
using AgencyPlatform.Client;
using AgencyPlatform.LoadTest.Calls;
using AgencyPlatform.LoadTest.Capacity;
using AgencyPlatform.LoadTest.Checking;
using Grpc.Core;
using Spectre.Console;

namespace AgencyPlatform.LoadTest;

/// <summary>The command line. Exit codes: 0 the invariants hold, 1 one is violated, 2 wrong usage or not to be judged.</summary>
public static class LoadTestCommands
{
    private const int Violated = 1;
    private const int NotJudged = 2;

    private static readonly Option<Uri> s_address = new("--address") { Description = "Where the gRPC service listens.", Recursive = true, DefaultValueFactory = _ => new Uri("http://127.0.0.1:5081"), CustomParser = AddressOf };
    private static readonly Option<string> s_operatorKey = new("--operator-key") { Description = "The platform operator's key; makes agencies and a stranger. Empty: T is not judged.", Recursive = true, DefaultValueFactory = _ => "apo_development" };
    private static readonly Option<string> s_agency = new("--agency") { Description = "An agency that is there, agencies/…; needs --key. Without it a run makes one of its own.", Recursive = true, DefaultValueFactory = _ => "" };
    private static readonly Option<string> s_key = new("--key") { Description = "A key of --agency with the role agency_admin.", Recursive = true, DefaultValueFactory = _ => "" };
    private static readonly Option<FileInfo> s_log = new("--log") { Description = "The log of every call (JSON lines); a run appends to it.", Recursive = true, DefaultValueFactory = _ => new FileInfo("load.jsonl") };
    private static readonly Option<FileInfo?> s_report = new("--report") { Description = "Where to write the report as JSON.", Recursive = true };

    public static async Task<int> Run(string[] args)
    {
        if (Console.IsOutputRedirected)
        {
            AnsiConsole.Profile.Width = 200;
        }

        var root = new RootCommand("Loads the platform through its public API, and judges from outside whether its promises held.")
        {
            s_address, s_operatorKey, s_agency, s_key, s_log, s_report, RunCommand(), CheckCommand(),
        };
        var parsed = root.Parse(args);
        var code = await parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });
        return parsed.Errors.Count > 0 ? NotJudged : code;
    }

    private static Command RunCommand()
    {
        var scenario = new Argument<string>("scenario") { Description = "capacity", DefaultValueFactory = _ => "capacity" };
        scenario.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<string>() is var value && value != "capacity")
            {
                result.AddError($"There is no scenario '{value}'; there is 'capacity'.");
            }
        });
        var seed = new Option<int>("--seed") { Description = "Seed of all draws.", DefaultValueFactory = _ => 1 };
        var callers = Within("--callers", "Concurrent callers.", 200, 1, 10_000);
        var cmos = Within("--cmos", "CMOs.", 64, 1, 10_000);
        var clients = Within("--clients", "Client companies.", 40, 2, 10_000);
        var seconds = Within("--seconds", "How long new calls are made.", 60, 1, 86_400);
        var patience = Within("--patience", "For how many seconds a call of unknown outcome is sent again.", 120, 1, 3_600);
        var skew = new Option<double>("--skew") { Description = "How uneven the CMOs are asked: 1 evenly; 2: an eighth of the calls for the first of 64.", DefaultValueFactory = _ => 2 };
        var run = new Command("run", "Makes the load of a scenario, then checks.") { scenario, seed, callers, cmos, clients, seconds, patience, skew };
        run.SetAction((parsed, _) => Guarded(() => RunAndCheck(parsed, new CapacityOptions(
            parsed.GetValue(s_address)!, parsed.GetValue(s_operatorKey)!, parsed.GetValue(s_agency)!, parsed.GetValue(s_key)!, parsed.GetValue(seed), parsed.GetValue(callers),
            parsed.GetValue(cmos), parsed.GetValue(clients), parsed.GetValue(seconds), parsed.GetValue(skew), TimeSpan.FromSeconds(parsed.GetValue(patience)),
            parsed.GetValue(s_log)!.FullName))));
        return run;
    }

    private static Command CheckCommand()
    {
        var check = new Command("check", "Judges what the runs of a log left behind: the last one's agency, or --agency.");
        check.SetAction((parsed, _) => Guarded(() => Check(parsed)));
        return check;
    }

    private static Uri? AddressOf(System.CommandLine.Parsing.ArgumentResult result)
    {
        if (Uri.TryCreate(result.Tokens[0].Value, UriKind.Absolute, out var address) && address.Scheme is "http" or "https")
        {
            return address;
        }

        result.AddError($"--address must be an http or https address, not {result.Tokens[0].Value}.");
        return null;
    }

    private static Option<int> Within(string name, string description, int value, int least, int most)
    {
        var option = new Option<int>(name) { Description = description, DefaultValueFactory = _ => value };
        option.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is var given && (given < least || given > most))
            {
                result.AddError($"{name} must be from {least} to {most}, not {given}.");
            }
        });
        return option;
    }

    private static async Task<int> RunAndCheck(ParseResult parsed, CapacityOptions options)
    {
        if (options.Agency.Length > 0 && options.Key.Length == 0)
        {
            throw new CannotJudgeException("--agency needs --key.");
        }

        var time = TimeProvider.System;
        var agency = await LoadAgency.Prepare(options, time);
        Console.WriteLine($"{agency.Name}: {options.Callers} callers, {options.Cmos} CMOs, {options.Seconds} s, seed {options.Seed}; every call goes to {options.Log}");
        WriteKey(KeyOf(options.Log), agency.Key);
        LoggedCalls calls;
        var started = time.GetTimestamp();
        using (var log = new CallLog(options.Log, new RunHeader(agency.Name, agency.Own, options.Seed, options.Callers, options.Cmos, options.Seconds, options.Address.ToString(), time.GetUtcNow()), time))
        {
            calls = await new CapacityRun(options, agency, log, time).Execute(Progress.Show);
        }

        var elapsed = time.GetElapsedTime(started);
        Console.WriteLine("Checking");
        var (runs, records) = CallLog.Read(options.Log);
        var check = await Judge(options.Address, options.OperatorKey, agency.Name, agency.Key, runs, records);
        return await Report(parsed, new RunReport(agency.Name, LoadFigures.Of(calls, elapsed, records.Where(r => r.Run == runs.Count - 1)), check));
    }

    private static async Task<int> Check(ParseResult parsed)
    {
        var log = parsed.GetValue(s_log)!;
        if (!log.Exists)
        {
            throw new CannotJudgeException($"There is no log {log.FullName}.");
        }

        var (runs, records) = CallLog.Read(log.FullName);
        var agency = parsed.GetValue(s_agency) is { Length: > 0 } named ? named : runs.LastOrDefault()?.Agency ?? throw new CannotJudgeException($"{log.FullName} holds no run.");
        var (address, operatorKey, key) = (parsed.GetValue(s_address)!, parsed.GetValue(s_operatorKey)!, parsed.GetValue(s_key)!);
        if (key.Length == 0)
        {
            var kept = KeyOf(log.FullName);
            key = kept.Exists
                ? await File.ReadAllTextAsync(kept.FullName)
                : throw new CannotJudgeException($"A check needs --key; the run would have left its agency's in {kept.FullName}.");
        }

        return await Report(parsed, new RunReport(agency, null, await Judge(address, operatorKey, agency, key, runs, records)));
    }

    /// <summary>Where a run leaves its agency's key, for checks to come: beside its log.</summary>
    private static FileInfo KeyOf(string log) => new(log + ".key");

    private static void WriteKey(FileInfo file, string key)
    {
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using var writer = new StreamWriter(file.FullName, options);
        writer.Write(key);
    }

    private static async Task<CheckReport> Judge(Uri address, string operatorKey, string agency, string key, List<RunHeader> runs, List<CallRecord> records)
    {
        using var platform = new AgencyPlatformClient(new() { Address = address, ApiKey = key, Retries = 10 });
        using var @operator = operatorKey.Length > 0 ? new AgencyPlatformClient(new() { Address = address, ApiKey = operatorKey, Retries = 10 }) : null;
        var mine = records.Where(r => runs[r.Run].Agency == agency).ToList();
        var own = runs.Any(r => r.Agency == agency && r.Own);
        return Checker.Check(await new Observer(platform, agency, TimeProvider.System).Observe(own, mine, @operator, address));
    }

    private static async Task<int> Report(ParseResult parsed, RunReport report)
    {
        Console.WriteLine(report.ToText());
        if (parsed.GetValue(s_report) is { } file)
        {
            await File.WriteAllTextAsync(file.FullName, report.ToJson() + "\n");
        }

        return report.Check.Holds ? 0 : Violated;
    }

    private static async Task<int> Guarded(Func<Task<int>> run)
    {
        try
        {
            return await run();
        }
        catch (CannotJudgeException e)
        {
            await Console.Error.WriteLineAsync(e.Message);
            return NotJudged;
        }
        catch (RpcException e)
        {
            await Console.Error.WriteLineAsync($"The platform answered {e.StatusCode}: {e.Status.Detail}");
            return NotJudged;
        }
        catch (IOException e)
        {
            await Console.Error.WriteLineAsync(e.Message);
            return NotJudged;
        }
    }
}

/// <summary>Live figures while a load runs: one line, drawn over on a screen, every five seconds in a file.</summary>
internal static class Progress
{
    private static long s_lastSent;

    public static void Show(LoggedCalls calls, TimeSpan elapsed)
    {
        var sent = calls.Sent;
        var line = string.Create(
            CultureInfo.InvariantCulture,
            $"{elapsed.TotalSeconds,5:N0} s  {sent,9:N0} sent  {calls.Succeeded,9:N0} succeeded  {calls.Refusals.Values.Sum(),8:N0} refused  {calls.Unknown,7:N0} unknown");
        if (!Console.IsOutputRedirected)
        {
            AnsiConsole.MarkupInterpolated($"\r{line}  [green]{sent - s_lastSent,6:N0}/s[/]   ");
        }
        else if ((int)elapsed.TotalSeconds % 5 == 0)
        {
            Console.WriteLine(line);
        }

        s_lastSent = sent;
    }
}
