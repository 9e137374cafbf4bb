using System.CommandLine;
using System.Globalization;
using AgencyPlatform.Benchmarks.Peer;
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

        var root = new RootCommand("Measures the platform.") { ThroughputCommand(), DecisionsCommand(), BareCommand(), PeerCommand() };
        var parsed = root.Parse(args);
        var code = await parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromSeconds(20) });
        return parsed.Errors.Count > 0 ? 2 : code;
    }

    private static Command ThroughputCommand()
    {
        var rounds = Number("--rounds", "How many times the rows take turns.", 5, 1, 100);
        var seconds = new Option<double>("--seconds") { Description = "Length of one row's turn.", DefaultValueFactory = _ => 8 };
        var callers = Numbers("--callers", "How many callers at the same time; several, separated by commas.", [1, 16, 64, 256], 1, 10_000);
        var warmUp = new Option<double>("--warm-up") { Description = "Seconds of load for each server before the first round: early calls cost several times as much.", DefaultValueFactory = _ => 20 };
        var connections = Number("--connections", "HTTP/2 connections to each server.", 4, 1, 64);
        var rows = new Option<string[]>("--rows")
        {
            Description = $"Which rows: {string.Join(", ", Throughput.Rows)}; several, separated by commas.",
            DefaultValueFactory = _ => [.. Throughput.Rows],
            CustomParser = result => [.. result.Tokens.SelectMany(t => t.Value.Split(',')).Distinct()],
        };
        rows.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<string[]>()?.FirstOrDefault(r => !Throughput.Rows.Contains(r)) is { } unknown)
            {
                result.AddError($"{unknown} is no row: {string.Join(", ", Throughput.Rows)}.");
            }
        });
        var agencies = Number("--agencies", "Agencies that all CMOs are spread over.", 1_000, 1, 10_000);
        var cmos = Numbers("--cmos", "How many CMOs the callers share, a line each; several, separated by commas.", [4, 64, 10_000], 1, 200_000);
        var pool = Number("--pool", "The peer's connections to its database.", 16, 1, 90);
        var style = new Option<PeerStyle>("--peer-style") { Description = "Whether the peer's calls are functions of the database or batches of statements.", DefaultValueFactory = _ => PeerStyle.Function };
        var data = new Option<string>("--data") { Description = "Folder for the databases, on the disk to be measured; emptied afterwards.", DefaultValueFactory = _ => Path.Combine("artifacts", "benchmarks") };
        var json = new Option<FileInfo?>("--json") { Description = "Writes all figures, round by round." };
        var markdown = new Option<FileInfo?>("--markdown") { Description = "Puts the table into this document, between its marks (docs/benchmarks.md)." };
        var command = new Command("throughput", "Durable calls a second beside a bare gRPC echo, a grain that stores nothing and a row-lock service, in one run.")
        {
            rounds, seconds, callers, warmUp, connections, rows, agencies, cmos, pool, style, data, json, markdown,
        };
        command.SetAction((parsed, cancellation) => Guarded(async () =>
        {
            var options = new ThroughputOptions(
                parsed.GetValue(rounds), TimeSpan.FromSeconds(parsed.GetValue(seconds)), parsed.GetValue(callers)!, TimeSpan.FromSeconds(parsed.GetValue(warmUp)), parsed.GetValue(connections),
                parsed.GetValue(rows)!, Math.Min(parsed.GetValue(agencies), parsed.GetValue(cmos)!.Max()), parsed.GetValue(cmos)!, parsed.GetValue(pool), parsed.GetValue(style), parsed.GetValue(data)!);
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

    private static Command PeerCommand()
    {
        var connection = new Option<string>("--connection") { Description = "Of its database.", Required = true };
        var pool = Number("--pool", "Connections.", 16, 1, 90);
        var style = new Option<PeerStyle>("--peer-style") { Description = "How statements reach the database." };
        var command = new Command("peer", "The row-lock service that the platform is measured against.") { connection, pool, style };
        command.Hidden = true;
        command.SetAction((parsed, cancellation) => PeerServer.Run(parsed.GetValue(connection)!, parsed.GetValue(pool), parsed.GetValue(style), cancellation));
        return command;
    }

    private static Option<int[]> Numbers(string name, string description, int[] fallback, int least, int most)
    {
        var option = new Option<int[]>(name)
        {
            Description = description,
            DefaultValueFactory = _ => fallback,
            CustomParser = result =>
            {
                var numbers = new List<int>();
                foreach (var text in result.Tokens.SelectMany(t => t.Value.Split(',')))
                {
                    if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) || value < least || value > most)
                    {
                        result.AddError($"{name} must be numbers from {least} to {most}, not {text}.");
                        return null;
                    }

                    numbers.Add(value);
                }

                return [.. numbers.Distinct()];
            },
        };
        return option;
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
