using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using AgencyPlatform.Life.Tests.Driving;
using AgencyPlatform.Life.Tests.Moves;

// The command of its own: as many sequences as asked for, with progress and a table of what was tried. See docs/engagement-life.md.
var sequences = new Option<int>("--sequences") { Description = "How many.", DefaultValueFactory = _ => 10_000 };
var seed = new Option<int>("--seed") { Description = "Of the first; each further one has the next.", DefaultValueFactory = _ => Random.Shared.Next(1_000_000) };
var rounds = new Option<int>("--rounds") { Description = "Of moves in a sequence.", DefaultValueFactory = _ => 24 };
var atOnce = new Option<int>("--parallel") { Description = "Sequences at a time.", DefaultValueFactory = _ => 8 };
var perStart = new Option<int>("--per-start") { Description = "After so many sequences the silo is stopped and started.", DefaultValueFactory = _ => 100 };
var command = new RootCommand("Random lives of engagements, against a model of their own.") { sequences, seed, rounds, atOnce, perStart };
command.SetAction(async (arguments, _) =>
{
    var (wanted, first) = (arguments.GetValue(sequences), arguments.GetValue(seed));
    Console.WriteLine($"{wanted} sequences from seed {first} on");
    var clock = Stopwatch.StartNew();
    var result = await LifeRun.Of(wanted, first, arguments.GetValue(rounds), arguments.GetValue(atOnce), arguments.GetValue(perStart), tell: (done, coverage) =>
    {
        if (done % 100 == 0 || done == wanted)
        {
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"{clock.Elapsed:hh\\:mm\\:ss} {done} sequences, {coverage.AcceptedMoves} moves accepted, {coverage.Of("outcome unknown, asked again")} asked again"));
        }
    });
    Console.WriteLine();
    Console.WriteLine(result.Coverage.Table());
    foreach (var difference in result.Differences)
    {
        Console.WriteLine(difference);
    }

    var never = result.Coverage.NeverAccepted(Generator.Names).ToList();
    if (never.Count > 0)
    {
        Console.WriteLine($"Never accepted: {string.Join(", ", never)}");
    }

    Console.WriteLine($"{result.Coverage.Of("sequences")} sequences as the model says, {result.Differences.Count} not, in {clock.Elapsed:hh\\:mm\\:ss}");
    return result.Differences.Count == 0 && never.Count == 0 ? 0 : 1;
});
return await command.Parse(args).InvokeAsync();
