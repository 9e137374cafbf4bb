using System.CommandLine;
using System.Globalization;
using AgencyPlatform.LoadTest.Calls;
using AgencyPlatform.LoadTest.Checking;
using AgencyPlatform.LoadTest.Load;
using AgencyPlatform.LoadTest.Reporting;
using AgencyPlatform.LoadTest.Scenarios;
using Grpc.Core;
using Spectre.Console;

namespace AgencyPlatform.LoadTest;

/// <summary>The command line. Exit codes: 0 the invariants hold, 1 one is violated, 2 wrong usage or not to be judged.</summary>
public static class LoadTestCommands
{
    private const int Violated = 1;
    private const int NotJudged = 2;

    private static readonly Option<Uri[]> s_address = new("--address") { Description = "Where the gRPC service listens; several gateways of one cluster: given as often.", Recursive = true, DefaultValueFactory = _ => [new Uri("http://127.0.0.1:5081")], CustomParser = AddressesOf };
    private static readonly Option<string> s_operatorKey = new("--operator-key") { Description = "The platform operator's key; makes agencies and a stranger. Empty: T is not judged.", Recursive = true, DefaultValueFactory = _ => "apo_development" };
    private static readonly Option<string> s_agency = new("--agency") { Description = "An agency that is there, agencies/…; needs --key. Without it a run makes one of its own.", Recursive = true, DefaultValueFactory = _ => "" };
    private static readonly Option<string> s_key = new("--key") { Description = "A key of --agency with the role agency_admin.", Recursive = true, DefaultValueFactory = _ => "" };
    private static readonly Option<FileInfo> s_log = new("--log") { Description = "The log of every call (JSON lines); a run appends to it.", Recursive = true, DefaultValueFactory = _ => new FileInfo("load.jsonl") };
    private static readonly Option<FileInfo?> s_report = new("--report") { Description = "Where to write the report as JSON.", Recursive = true };
    private static readonly Option<FileInfo?> s_html = new("--html") { Description = "Where to write the report as one HTML page.", Recursive = true };

    public static async Task<int> Run(string[] args)
    {
        if (Console.IsOutputRedirected)
        {
            AnsiConsole.Profile.Width = 200;
        }

        var root = new RootCommand("Loads the platform through its public API, and judges from outside whether its promises held.")
        {
            s_address, s_operatorKey, s_agency, s_key, s_log, s_report, s_html, RunCommand(), CheckCommand(),
        };
        var parsed = root.Parse(args);
        var code = await parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromHours(1) });
        return parsed.Errors.Count > 0 ? NotJudged : code;
    }

    private static Command RunCommand()
    {
        var name = new Argument<string>("scenario") { Description = $"A file, or one of {string.Join(", ", ScenarioFile.Shipped)}.", DefaultValueFactory = _ => "capacity" };
        var seed = Instead("--seed", 0, int.MaxValue);
        var callers = Instead("--callers", 1, 10_000);
        var agencies = Instead("--agencies", 1, 10_000);
        var cmos = Instead("--cmos", 1, 10_000);
        var clients = Instead("--clients", 2, 100_000);
        var seconds = Instead("--seconds", 1, 86_400);
        var rate = Instead("--rate", 1, 100_000);
        var patience = Instead("--patience", 1, 3_600);
        var run = new Command("run", "Makes the load of a scenario, then checks. Ctrl+C ends the load early and checks all the same.") { name, seed, callers, agencies, cmos, clients, seconds, rate, patience };
        run.SetAction((parsed, stop) => Guarded(() =>
        {
            var scenario = ScenarioFile.Load(parsed.GetValue(name)!);
            return RunAndCheck(parsed, scenario with
            {
                Seed = parsed.GetValue(seed) ?? scenario.Seed,
                Agencies = parsed.GetValue(s_agency)!.Length > 0 ? 1 : parsed.GetValue(agencies) ?? scenario.Agencies,
                Cmos = parsed.GetValue(cmos) ?? scenario.Cmos,
                Clients = parsed.GetValue(clients) ?? scenario.Clients,
                Seconds = parsed.GetValue(seconds) ?? scenario.Seconds,
                PatienceSeconds = parsed.GetValue(patience) ?? scenario.PatienceSeconds,
                Arrivals = (parsed.GetValue(callers), parsed.GetValue(rate), scenario.Arrivals) switch
                {
                    (not null, not null, _) => throw new CannotJudgeException("--callers are of a closed loop, --rate is of an open one: not both."),
                    ({ } many, _, var given) => new ClosedLoop(many, (given as ClosedLoop)?.ThinkMilliseconds ?? 0),
                    (_, { } callsPerSecond, OpenLoop given) => given with { CallsPerSecond = callsPerSecond },
                    (_, { } callsPerSecond, _) => new OpenLoop(callsPerSecond, Poisson: true, RampSeconds: 0, MostInFlight: 2_000),
                    (_, _, var given) => given,
                },
            }, stop);
        }));
        return run;
    }

    private static Command CheckCommand()
    {
        var check = new Command("check", "Judges what the runs of a log left behind: the last one's agency, or --agency.");
        check.SetAction((parsed, _) => Guarded(() => Check(parsed)));
        return check;
    }

    private static Uri[] AddressesOf(System.CommandLine.Parsing.ArgumentResult result)
    {
        var addresses = new List<Uri>();
        foreach (var token in result.Tokens)
        {
            if (Uri.TryCreate(token.Value, UriKind.Absolute, out var address) && address.Scheme is "http" or "https")
            {
                addresses.Add(address);
            }
            else
            {
                result.AddError($"--address must be an http or https address, not {token.Value}.");
            }
        }

        return [.. addresses];
    }

    /// <summary>An option that takes the place of a field of the scenario.</summary>
    private static Option<int?> Instead(string name, int least, int most)
    {
        var option = new Option<int?>(name) { Description = "Instead of the scenario's." };
        option.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int?>() is { } given && (given < least || given > most))
            {
                result.AddError($"{name} must be from {least} to {most}, not {given}.");
            }
        });
        return option;
    }

    private static async Task<int> RunAndCheck(ParseResult parsed, Scenario scenario, CancellationToken stop)
    {
        var (named, key, log) = (parsed.GetValue(s_agency)!, parsed.GetValue(s_key)!, parsed.GetValue(s_log)!.FullName);
        if (named.Length > 0 && key.Length == 0)
        {
            throw new CannotJudgeException("--agency needs --key.");
        }

        if (named.Length > 0 && scenario.Neighbour is not null)
        {
            throw new CannotJudgeException("--agency is one; a neighbour needs another.");
        }

        if (ScenarioFile.Problems(scenario).ToList() is { Count: > 0 } problems)
        {
            throw new WrongScenarioException(scenario.Name, [.. problems.Select(p => $"neighbour: {p}")]);
        }

        var time = TimeProvider.System;
        using var connection = new Connection(parsed.GetValue(s_address)!, parsed.GetValue(s_operatorKey)!);
        var screen = new Screen(AnsiConsole.Console, time);
        var begun = time.GetTimestamp();
        var preparation = new Preparation(connection, scenario, time);
        var agencies = await screen.Bar("client companies prepared", progress => preparation.Prepare(PreparedAgencies.Of(log), named.Length > 0 ? (named, key) : null, progress));
        var prepared = time.GetElapsedTime(begun);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{agencies[0].Name}{(agencies.Count > 1 ? $" and {agencies.Count - 1:N0} more" : "")} prepared in {prepared.TotalSeconds:N1} s; {scenario.Name}: {scenario.Arrivals}, {scenario.Seconds} s, seed {scenario.Seed}; every call goes to {log}"));
        var header = new RunHeader([.. agencies.Select(a => a.Name)], named.Length == 0, scenario.Name, scenario.Seed, connection.Address.ToString(), time.GetUtcNow());
        LoadFigures figures;
        using (var calls = new CallLog(log, header, time))
        {
            var load = new LoadRun(scenario, agencies, connection, calls, time);
            var elapsed = await screen.Load(load.Measures, load.NeighbourMeasures, progress => load.Execute(progress, stop));
            figures = LoadFigures.Of(scenario, load, prepared, elapsed);
        }

        var check = await screen.Bar("agencies checked", progress => Judgement.Of(connection, log, [.. agencies.Select(a => (a.Name, a.Key))], progress, time));
        return await Report(parsed, new RunReport(header.Agencies, scenario, figures, check));
    }

    private static async Task<int> Check(ParseResult parsed)
    {
        var log = parsed.GetValue(s_log)!;
        if (!log.Exists)
        {
            throw new CannotJudgeException($"There is no log {log.FullName}.");
        }

        var (runs, _) = CallLog.Read(log.FullName, new HashSet<string>());
        var names = parsed.GetValue(s_agency) is { Length: > 0 } named ? [named] : runs.LastOrDefault()?.Agencies ?? throw new CannotJudgeException($"{log.FullName} holds no run.");
        var keys = PreparedAgencies.Of(log.FullName);
        var kept = PreparedAgencies.Keys(keys).ToDictionary(StringComparer.Ordinal);
        if (parsed.GetValue(s_key) is { Length: > 0 } given && names.Count == 1)
        {
            kept[names[0]] = given;
        }

        if (names.FirstOrDefault(n => !kept.ContainsKey(n)) is { } without)
        {
            throw new CannotJudgeException($"A check needs a key of {without}: --key for one agency; the run would have left its agencies' in {keys.FullName}.");
        }

        using var connection = new Connection(parsed.GetValue(s_address)!, parsed.GetValue(s_operatorKey)!);
        var check = await new Screen(AnsiConsole.Console, TimeProvider.System).Bar(
            "agencies checked", progress => Judgement.Of(connection, log.FullName, [.. names.Select(n => (n, kept[n]))], progress, TimeProvider.System));
        return await Report(parsed, new RunReport(names, null, null, check));
    }

    private static async Task<int> Report(ParseResult parsed, RunReport report)
    {
        Console.WriteLine(report.ToText());
        if (parsed.GetValue(s_report) is { } file)
        {
            await File.WriteAllTextAsync(file.FullName, report.ToJson() + "\n");
        }

        if (parsed.GetValue(s_html) is { } page)
        {
            await File.WriteAllTextAsync(page.FullName, report.ToHtml());
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
        catch (WrongScenarioException e)
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
