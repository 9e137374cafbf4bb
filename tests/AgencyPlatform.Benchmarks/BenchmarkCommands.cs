using System.CommandLine;
using AgencyPlatform.Benchmarks.Servers;
using Spectre.Console;

namespace AgencyPlatform.Benchmarks;

/// <summary>The command line. Exit codes: 0 measured, 1 could not be measured (said in a sentence), 2 wrong usage.</summary>
internal static class BenchmarkCommands
{
    public static async Task<int> Run(string[] args)
    {
        if (Console.IsOutputRedirected)
        {
            AnsiConsole.Profile.Width = 220;
        }

        var root = new RootCommand("Measures the platform.") { ThroughputCommand(), DecisionsCommand(), BareCommand() };
        var parsed = root.Parse(args);
        var code = await parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromSeconds(20) });
        return parsed.Errors.Count > 0 ? 2 : code;
    }

    private static Command ThroughputCommand()
    {
        var rounds = Number("--rounds", "How many times the rows take turns.", 5, 1, 100);
        var seconds = new Option<double>("--seconds") { Description = "Length of one row's turn.", DefaultValueFactory = _ => 8 };
        var callers = new Option<int[]>("--callers")
        {
            Description = "How many callers at the same time; several, separated by commas.",
            DefaultValueFactory = _ => [64, 256],
            CustomParser = result => [.. result.Tokens.SelectMany(t => t.Value.Split(',')).Select(int.Parse)],
        };
        var warmUp = new Option<double>("--warm-up") { Description = "Seconds of load for each server before the first round: early calls cost several times as much.", DefaultValueFactory = _ => 20 };
        var connections = Number("--connections", "HTTP/2 connections to each server.", 4, 1, 64);
        var engines = new Option<string[]>("--engines")
        {
            Description = "Sqlite, Postgres.",
            DefaultValueFactory = _ => ["Sqlite", "Postgres"],
            CustomParser = result => [.. result.Tokens.SelectMany(t => t.Value.Split(','))],
        };
        engines.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<string[]>()?.FirstOrDefault(e => e is not ("Sqlite" or "Postgres")) is { } unknown)
            {
                result.AddError($"{unknown} is no engine: Sqlite, Postgres.");
            }
        });
        var agencies = Number("--agencies", "Agencies of the spread rows.", 1_000, 1, 10_000);
        var cmos = Number("--cmos", "CMOs of the spread rows.", 10_000, 1, 200_000);
        var hot = Number("--hot", "CMOs of the hot rows.", 64, 1, 10_000);
        var data = new Option<string>("--data") { Description = "Folder for the databases, on the disk to be measured; emptied afterwards.", DefaultValueFactory = _ => Path.Combine("artifacts", "benchmarks") };
        var json = new Option<FileInfo?>("--json") { Description = "Writes all figures, round by round." };
        var markdown = new Option<FileInfo?>("--markdown") { Description = "Puts the table into this document, between its marks (docs/benchmarks.md)." };
        var command = new Command("throughput", "Durable calls a second beside a bare gRPC echo and a grain that stores nothing, in one run.")
        {
            rounds, seconds, callers, warmUp, connections, engines, agencies, cmos, hot, data, json, markdown,
        };
        command.SetAction((parsed, cancellation) => Guarded(async () =>
        {
            var options = new ThroughputOptions(
                parsed.GetValue(rounds), TimeSpan.FromSeconds(parsed.GetValue(seconds)), parsed.GetValue(callers)!, TimeSpan.FromSeconds(parsed.GetValue(warmUp)), parsed.GetValue(connections),
                parsed.GetValue(engines)!, parsed.GetValue(agencies), Math.Max(parsed.GetValue(cmos), parsed.GetValue(agencies)), Math.Min(parsed.GetValue(hot), parsed.GetValue(cmos)), parsed.GetValue(data)!);
            var report = await Throughput.Run(options, cancellation);
            report.Print();
            if (parsed.GetValue(json) is { } file)
            {
                await File.WriteAllTextAsync(file.FullName, report.Json(), cancellation);
            }

            if (parsed.GetValue(markdown) is { } document)
            {
                report.WriteInto(document.FullName);
            }
        }));
        return command;
    }

    private static Command DecisionsCommand()
    {
        var seconds = new Option<double>("--seconds") { Description = "Time for each line.", DefaultValueFactory = _ => 1 };
        var command = new Command("decisions", "What a capacity decision costs on one core, without grains, gRPC and storage.") { seconds };
        command.SetAction(parsed => Decisions.Run(TimeSpan.FromSeconds(parsed.GetValue(seconds))));
        return command;
    }

    private static Command BareCommand()
    {
        var command = new Command("bare", "The server that the platform is measured against.") { Hidden = true };
        command.SetAction((_, cancellation) => BareServer.Run(cancellation));
        return command;
    }

    private static Option<int> Number(string name, string description, int fallback, int least, int most)
    {
        var option = new Option<int>(name) { Description = description, DefaultValueFactory = _ => fallback };
        option.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is var value && (value < least || value > most))
            {
                result.AddError($"{name} must be from {least} to {most}, not {value}.");
            }
        });
        return option;
    }

    private static async Task<int> Guarded(Func<Task> run)
    {
        try
        {
            await run();
            return 0;
        }
        catch (BenchmarkException e)
        {
            Console.Error.WriteLine(e.Message);
            return 1;
        }
        catch (OperationCanceledException)
        {
            Console.Error.WriteLine("Stopped.");
            return 1;
        }
    }
}
