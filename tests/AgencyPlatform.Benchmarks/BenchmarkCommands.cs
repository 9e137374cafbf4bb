using System.CommandLine;
using System.Globalization;
using AgencyPlatform.Benchmarks.Billing;
using AgencyPlatform.Benchmarks.FanOut;
using AgencyPlatform.Benchmarks.Growth;
using AgencyPlatform.Benchmarks.Peer;
using AgencyPlatform.Benchmarks.Planning;
using AgencyPlatform.Benchmarks.Reporting;
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
            AnsiConsole.Profile.Width = 260;
        }

        var root = new RootCommand("Measures the platform.")
        {
            ThroughputCommand(), LatencyCommand(), SilosCommand(), GrowthCommand(), BillingCommand(), FanOutCommand(), PlanCommand(), DecisionsCommand(), BareCommand(), UnstoredCommand(), PeerCommand(),
        };
        var parsed = root.Parse(args);
        var code = await parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromSeconds(20) });
        return parsed.Errors.Count > 0 ? 2 : code;
    }

    private static Command ThroughputCommand()
    {
        var rounds = Number("--rounds", "How many times the rows take turns.", 3, 1, 100);
        var seconds = Seconds("--seconds", "Length of one row's turn.", 3);
        var callers = Numbers("--callers", "How many callers at the same time; several, separated by commas.", [1, 16, 64, 256], 1, 10_000);
        var contenders = new ContenderSettings(Contenders.Rows, [4, 64, 10_000]);
        var results = new Results("throughput");
        var command = new Command("throughput", "Durable calls a second beside a bare gRPC echo, a grain that stores nothing and a row-lock service, in one run.") { rounds, seconds, callers };
        contenders.AddTo(command);
        results.AddTo(command);
        command.SetAction((parsed, cancellation) => Guarded(async () =>
        {
            var report = await Throughput.Run(
                new ThroughputOptions(parsed.GetValue(rounds), TimeSpan.FromSeconds(parsed.GetValue(seconds)), parsed.GetValue(callers)!, contenders.Read(parsed)), cancellation);
            await results.Put(parsed, report, [report.Table()]);
        }));
        return command;
    }

    private static Command LatencyCommand()
    {
        var rounds = Number("--rounds", "How many times the rows take turns.", 5, 1, 100);
        var seconds = Seconds("--seconds", "Length of one row's turn at half load.", 5);
        var closed = Seconds("--closed-seconds", "Length of the closed loop before it, which tells what half load is.", 2);
        var callers = Number("--callers", "Callers of the closed loop.", 256, 1, 10_000);
        var share = new Option<double>("--share") { Description = "Share of what the closed loop did at which calls arrive.", DefaultValueFactory = _ => 0.5 };
        Within(share, 0.01, 0.95);
        var contenders = new ContenderSettings(["echo", "grain", "sqlite", "postgres"], [64, 10_000]);
        var results = new Results("latency");
        var command = new Command("latency", "How fast calls are answered at half load, beside a bare gRPC echo at half of its own.") { rounds, seconds, closed, callers, share };
        contenders.AddTo(command);
        results.AddTo(command);
        command.SetAction((parsed, cancellation) => Guarded(async () =>
        {
            var report = await Latency.Run(
                new LatencyOptions(
                    parsed.GetValue(rounds), TimeSpan.FromSeconds(parsed.GetValue(seconds)), TimeSpan.FromSeconds(parsed.GetValue(closed)), parsed.GetValue(callers), parsed.GetValue(share),
                    contenders.Read(parsed)),
                cancellation);
            await results.Put(parsed, report, [report.Table()]);
        }));
        return command;
    }

    private static Command SilosCommand()
    {
        var rounds = Number("--rounds", "How many times the shapes take turns; each is started anew in each.", 3, 1, 100);
        var seconds = Seconds("--seconds", "Length of one window.", 4);
        var warmUp = Seconds("--warm-up", "Seconds of load after each start.", 12);
        var silos = Numbers("--silos", "How many silos; several, separated by commas.", [1, 3], 1, 9);
        var gateways = Numbers("--gateways", "How many gateways before them; 0: each silo takes calls itself (role all). Several, separated by commas.", [0, 1, 2], 0, 9);
        var callers = Number("--callers", "How many callers at the same time.", 128, 1, 10_000);
        var connections = Number("--connections", "HTTP/2 connections to each process that takes calls.", 4, 1, 64);
        var agencies = Number("--agencies", "Agencies that the CMOs are spread over.", 1_000, 1, 10_000);
        var cmos = Number("--cmos", "CMOs that the callers share.", 10_000, 1, 200_000);
        var data = Data();
        var results = new Results("silos");
        var command = new Command("silos", "One silo against several on one PostgreSQL, through gateways and without.") { rounds, seconds, warmUp, silos, gateways, callers, connections, agencies, cmos, data };
        results.AddTo(command);
        command.SetAction((parsed, cancellation) => Guarded(async () =>
        {
            var report = await Silos.Run(
                new SilosOptions(
                    parsed.GetValue(rounds), TimeSpan.FromSeconds(parsed.GetValue(seconds)), TimeSpan.FromSeconds(parsed.GetValue(warmUp)), parsed.GetValue(silos)!, parsed.GetValue(gateways)!,
                    parsed.GetValue(callers), parsed.GetValue(connections), Math.Min(parsed.GetValue(agencies), parsed.GetValue(cmos)), parsed.GetValue(cmos), parsed.GetValue(data)!),
                cancellation);
            await results.Put(parsed, report, [report.Table()]);
        }));
        return command;
    }

    private static Command GrowthCommand()
    {
        var sizes = Numbers("--sizes", "How many client companies, in ascending order; several, separated by commas.", [100, 1_000, 10_000, 100_000], 1, 1_000_000);
        var events = new Option<long>("--events") { Description = "A further line: the largest size with a history of so many events; 0: none.", DefaultValueFactory = _ => 10_000_000 };
        Within(events, 0, 1_000_000_000);
        var history = Number("--long-history", "Events of each CMO that is activated cold; the lists paged through have half as many items.", 10_000, 40, 1_000_000);
        var engines = Names("--engines", "Which engines", ["sqlite", "postgres"], ["sqlite", "postgres"]);
        var rounds = Number("--rounds", "How many times the sizes take turns.", 5, 1, 100);
        var seconds = Seconds("--seconds", "Length of one size's turn.", 3);
        var warmUp = Seconds("--warm-up", "Seconds of load for each server before the first round.", 20);
        var callers = Number("--callers", "How many callers at the same time.", 64, 1, 1_000);
        var connections = Number("--connections", "HTTP/2 connections to each server.", 4, 1, 64);
        var data = Data();
        data.Description = "Folder for the databases, on the disk to be measured. Seeded ones are kept in it and used again; delete it to have the room back.";
        var seedOnly = new Option<bool>("--seed-only") { Description = "Makes the databases and measures nothing." };
        var results = new Results("growth");
        var command = new Command("growth", "The same work with ever more agencies, and after a long history: cost a call, activation, lists, start, memory, disk.")
        {
            sizes, events, history, engines, rounds, seconds, warmUp, callers, connections, data, seedOnly,
        };
        results.AddTo(command);
        command.SetAction((parsed, cancellation) => Guarded(async () =>
        {
            var options = new GrowthOptions(
                [.. parsed.GetValue(sizes)!.Order()], parsed.GetValue(events), parsed.GetValue(history), parsed.GetValue(engines)!, parsed.GetValue(rounds),
                TimeSpan.FromSeconds(parsed.GetValue(seconds)), TimeSpan.FromSeconds(parsed.GetValue(warmUp)), parsed.GetValue(callers), parsed.GetValue(connections), parsed.GetValue(data)!);
            if (parsed.GetValue(seedOnly))
            {
                await GrowthRun.Seed(options, cancellation);
                return;
            }

            var report = await GrowthRun.Run(options, cancellation);
            await results.Put(parsed, report, report.Tables());
        }));
        return command;
    }

    private static Command BillingCommand()
    {
        var clients = Number("--clients", "Client companies.", 2_000, 1, 100_000);
        var engagements = Number("--engagements", "Engagements of each, by the hour.", 5, 1, 20);
        var entries = Number("--entries", "Approved entries of each engagement.", 20, 1, 60);
        var kills = Number("--kills", "How often the server is killed while the run is under way.", 2, 0, 20);
        var engines = Names("--engines", "Which engines", ["sqlite", "postgres"], ["sqlite", "postgres"]);
        var data = Data();
        var results = new Results("billing");
        var command = new Command("billing", "One call bills an agency while the server is killed: complete, gapless and exact, or no figures; beside a plain program that makes one transaction an invoice.")
        {
            clients, engagements, entries, kills, engines, data,
        };
        results.AddTo(command);
        command.SetAction((parsed, cancellation) => Guarded(async () =>
        {
            var size = new BilledSize(parsed.GetValue(clients), parsed.GetValue(engagements), parsed.GetValue(entries));
            var report = await BillingRuns.Run(new BillingOptions(parsed.GetValue(engines)!, size, parsed.GetValue(kills), parsed.GetValue(data)!), cancellation);
            await results.Put(parsed, report, [report.Table()]);
        }));
        return command;
    }

    private static Command FanOutCommand()
    {
        var rounds = Number("--rounds", "How many times the rows take turns.", 5, 1, 100);
        var seconds = Seconds("--seconds", "Length of one turn.", 4);
        var warmUp = Seconds("--warm-up", "Seconds of the first round, which does not count.", 15);
        var agencies = Numbers("--agencies", "How many agencies the watchers are spread over; several, separated by commas.", [1, 10], 1, 1_000);
        var watchers = Number("--watchers", "How many watch at the same time.", 200, 1, 10_000);
        var callers = Number("--callers", "How many callers cause events.", 16, 1, 1_000);
        var connections = Number("--connections", "HTTP/2 connections to each server.", 8, 1, 64);
        var data = Data();
        var results = new Results("fan-out");
        var command = new Command("fan-out", "What watches are sent, beside a bare gRPC server stream that broadcasts the same messages, in one run.") { rounds, seconds, warmUp, agencies, watchers, callers, connections, data };
        results.AddTo(command);
        command.SetAction((parsed, cancellation) => Guarded(async () =>
        {
            var report = await FanOutRun.Run(
                new FanOutOptions(
                    parsed.GetValue(rounds), TimeSpan.FromSeconds(parsed.GetValue(seconds)), TimeSpan.FromSeconds(parsed.GetValue(warmUp)), parsed.GetValue(agencies)!,
                    Math.Max(parsed.GetValue(watchers), parsed.GetValue(agencies)!.Max()), parsed.GetValue(callers), parsed.GetValue(connections), parsed.GetValue(data)!),
                cancellation);
            await results.Put(parsed, report, [report.Table()]);
        }));
        return command;
    }

    private static Command PlanCommand()
    {
        var files = new Argument<string[]>("instances")
        {
            Description = "Files of Generalized Assignment problems, or folders of them (*.txt). A README.md beside them may name the optima in a table.",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var sense = new Option<string>("--sense") { Description = "min or max; auto: as published, the most in gap1.txt to gap12.txt, which hold several problems, else the least.", DefaultValueFactory = _ => "auto" };
        sense.AcceptOnlyFromAmong("auto", "min", "max");
        var rounds = Number("--rounds", "How often each instance is solved by each.", 3, 1, 100);
        var limit = Seconds("--limit", "Seconds for one solving.", 120);
        var workers = Number("--workers", "Threads of the solver.", Environment.ProcessorCount, 1, 64);
        var seed = Number("--seed", "Of the solver and of the generated portfolio.", 1, 0, int.MaxValue);
        var clients = Number("--clients", "Clients of the generated portfolio; 0: none.", 300, 0, 2_000);
        var cmos = Number("--cmos", "Its CMOs.", 60, 1, 500);
        var portfolioLimit = Seconds("--portfolio-limit", "Seconds for it, from its facts to the answer.", 55);
        var results = new Results("plan");
        var command = new Command("plan", "Published Generalized Assignment problems by the planner and by the raw CP-SAT model in turn, and a generated portfolio with all rules.")
        {
            files, sense, rounds, limit, workers, seed, clients, cmos, portfolioLimit,
        };
        results.AddTo(command);
        command.SetAction((parsed, cancellation) => Guarded(async () =>
        {
            var instances = (parsed.GetValue(files) ?? []).SelectMany<string, string>(f => Directory.Exists(f) ? Directory.GetFiles(f, "*.txt").Order(StringComparer.Ordinal) : [f]).ToArray();
            var report = PlanRuns.Run(
                new PlanRunOptions(
                    instances, parsed.GetValue(sense) switch { "min" => false, "max" => true, _ => null }, parsed.GetValue(rounds), TimeSpan.FromSeconds(parsed.GetValue(limit)),
                    parsed.GetValue(workers), parsed.GetValue(seed), parsed.GetValue(clients), parsed.GetValue(cmos), TimeSpan.FromSeconds(parsed.GetValue(portfolioLimit))),
                cancellation);
            await results.Put(parsed, report, report.Tables());
        }));
        return command;
    }

    private static Command DecisionsCommand()
    {
        var seconds = Seconds("--seconds", "Time for each line.", 1);
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

    private static Command UnstoredCommand()
    {
        var data = new Option<string>("--data") { Description = "Folder of what is stored all the same.", Required = true };
        var settings = new Option<string[]>("--set") { Description = "Settings of the platform." };
        var command = new Command("unstored", "The platform, with nothing stored of what CMOs decide.") { data, settings };
        command.Hidden = true;
        command.SetAction((parsed, cancellation) => UnstoredServer.Run(parsed.GetValue(data)!, parsed.GetValue(settings) ?? [], cancellation));
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

    /// <summary>What is compared, and how it is set up.</summary>
    private sealed class ContenderSettings(IReadOnlyList<string> rows, int[] cmos)
    {
        private readonly Option<string[]> _rows = Names("--rows", "Which rows", Contenders.Rows, [.. rows]);
        private readonly Option<double> _warmUp = Seconds("--warm-up", "Seconds of load for each server before the first round: early calls cost several times as much.", 20);
        private readonly Option<int> _connections = Number("--connections", "HTTP/2 connections to each server.", 4, 1, 64);
        private readonly Option<int> _agencies = Number("--agencies", "Agencies that all CMOs are spread over.", 1_000, 1, 10_000);
        private readonly Option<int[]> _cmos = Numbers("--cmos", "How many CMOs the callers share, a line each; several, separated by commas.", cmos, 1, 200_000);
        private readonly Option<int> _pool = Number("--pool", "The peer's connections to its database.", 16, 1, 90);
        private readonly Option<PeerStyle> _style = new("--peer-style") { Description = "Whether the peer's calls are functions of the database or batches of statements.", DefaultValueFactory = _ => PeerStyle.Function };
        private readonly Option<string> _data = Data();

        public void AddTo(Command command)
        {
            foreach (var option in new Option[] { _rows, _warmUp, _connections, _agencies, _cmos, _pool, _style, _data })
            {
                command.Add(option);
            }
        }

        public ContenderOptions Read(ParseResult parsed) => new(
            parsed.GetValue(_rows)!, TimeSpan.FromSeconds(parsed.GetValue(_warmUp)), parsed.GetValue(_connections), Math.Min(parsed.GetValue(_agencies), parsed.GetValue(_cmos)!.Max()),
            parsed.GetValue(_cmos)!, parsed.GetValue(_pool), parsed.GetValue(_style), parsed.GetValue(_data)!);
    }

    /// <summary>Where results go.</summary>
    private sealed class Results(string mark)
    {
        private readonly Option<FileInfo?> _json = new("--json") { Description = "Writes all figures, round by round." };
        private readonly Option<FileInfo?> _markdown = new("--markdown") { Description = $"Puts the table into this document, between its marks \"{mark}\" (docs/benchmarks.md)." };

        public void AddTo(Command command)
        {
            command.Add(_json);
            command.Add(_markdown);
        }

        public async Task Put<T>(ParseResult parsed, T report, IReadOnlyList<ResultTable> tables)
        {
            foreach (var table in tables)
            {
                table.Print();
            }

            if (parsed.GetValue(_json) is { } file)
            {
                await File.WriteAllTextAsync(file.FullName, Figures.Json(report));
            }

            if (parsed.GetValue(_markdown) is { } document)
            {
                ResultTable.WriteInto(document.FullName, mark, tables);
            }
        }
    }

    private static Option<string> Data() => new("--data")
    {
        Description = "Folder for the databases, on the disk to be measured; emptied afterwards.",
        DefaultValueFactory = _ => Path.Combine("artifacts", "benchmarks"),
    };

    private static Option<double> Seconds(string name, string description, double fallback)
    {
        var option = new Option<double>(name) { Description = description, DefaultValueFactory = _ => fallback };
        Within(option, 0.1, 600);
        return option;
    }

    private static Option<string[]> Names(string name, string description, IReadOnlyList<string> known, string[] fallback)
    {
        var option = new Option<string[]>(name)
        {
            Description = $"{description}: {string.Join(", ", known)}; several, separated by commas.",
            DefaultValueFactory = _ => fallback,
            CustomParser = result => [.. result.Tokens.SelectMany(t => t.Value.Split(',')).Distinct()],
        };
        option.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<string[]>()?.FirstOrDefault(r => !known.Contains(r)) is { } unknown)
            {
                result.AddError($"{name}: {unknown} is none of {string.Join(", ", known)}.");
            }
        });
        return option;
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
        Within(option, least, most);
        return option;
    }

    private static void Within<T>(Option<T> option, T least, T most) where T : IComparable<T> => option.Validators.Add(result =>
    {
        if (result.GetValueOrDefault<T>() is { } value && (value.CompareTo(least) < 0 || value.CompareTo(most) > 0))
        {
            result.AddError(string.Create(CultureInfo.InvariantCulture, $"{option.Name} must be from {least} to {most}, not {value}."));
        }
    });

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
