using System.CommandLine;
using AgencyPlatform.Faults;

// Exit codes: 0 all held, 1 not, 2 wrong usage.
var folder = new Option<DirectoryInfo>("--out") { Description = "Where logs and reports go.", Recursive = true, DefaultValueFactory = _ => new DirectoryInfo(Path.Combine("artifacts", "faults")) };

var kills = new Option<int>("--kills") { Description = "How often.", DefaultValueFactory = _ => 20 };
var agencies = new Option<int>("--agencies") { Description = "How many are loaded; they spread over the silos.", DefaultValueFactory = _ => 12 };
var bound = new Option<double>("--bound") { Description = "For how many seconds an agency may be without an answer.", DefaultValueFactory = _ => 5 };
var kill = new Command("kills", "kill -9 of a silo, again and again: for how long an agency is not answered, and whether anything is lost.") { kills, agencies, bound };
kill.SetAction((parsed, _) => Kills.Run(parsed.GetValue(kills), parsed.GetValue(agencies), TimeSpan.FromSeconds(parsed.GetValue(bound)), parsed.GetValue(folder)!.FullName));

var faults = new Option<string>("--faults") { Description = $"Only these, separated by commas: {string.Join(", ", FaultList.All.Select(f => f.Name))}.", DefaultValueFactory = _ => "" };
faults.Validators.Add(result =>
{
    try
    {
        FaultList.Named(Names(result.GetValueOrDefault<string>()));
    }
    catch (ArgumentException e)
    {
        result.AddError(e.Message);
    }
});
var seconds = new Option<int>("--seconds") { Description = "How long each load lasts at least.", DefaultValueFactory = _ => 30 };
var engine = new Option<Engine>("--engine") { Description = "Postgres: three silos and two gateways. PostgresAlone, Sqlite: one process, and the faults that there are for it.", DefaultValueFactory = _ => Engine.Postgres };
var markdown = new Option<FileInfo?>("--markdown") { Description = "Puts the rows into the table of this document, between its marks (docs/faults.md); rows of other faults stay." };
var table = new Command("table", "Each fault under load, judged by the load tester's checker: the table of invariants and faults.") { faults, seconds, engine, markdown };
var old = new Option<string>("--old-version") { Description = "The commit that rolling-upgrade begins with; left out: the one that the released protos are of.", DefaultValueFactory = _ => "" };
table.Options.Add(old);
table.SetAction((parsed, _) =>
{
    foreach (var upgrade in FaultList.All.OfType<RollingUpgrade>())
    {
        upgrade.OldVersion = parsed.GetValue(old)!;
    }

    return FaultTable.Run(
        FaultList.Named(Names(parsed.GetValue(faults))), parsed.GetValue(engine), TimeSpan.FromSeconds(parsed.GetValue(seconds)), parsed.GetValue(folder)!.FullName, parsed.GetValue(markdown));
});

var minutes = new Option<double>("--minutes") { Description = "For how long.", DefaultValueFactory = _ => 10 };
var calm = new Command("calm", "A load and no fault: no process may be taken for dead.") { minutes, markdown };
calm.SetAction((parsed, _) => FaultTable.Run(
    [new Calm(TimeSpan.FromMinutes(parsed.GetValue(minutes)), Console.WriteLine)], Engine.Postgres, TimeSpan.Zero, parsed.GetValue(folder)!.FullName, parsed.GetValue(markdown)));

var watchers = new Option<int>("--watchers") { Description = "How many watch; an agency has at most 200.", DefaultValueFactory = _ => 1_000 };
var watched = new Option<int>("--agencies") { Description = "How many are watched and loaded.", DefaultValueFactory = _ => 20 };
var watch = new Command("watches", "Many watch loaded agencies while the server is killed, then told to stop, and started again: each must have its agency's whole sequence.") { watchers, watched, seconds, engine };
watch.SetAction((parsed, _) => Watches.Run(
    parsed.GetValue(watchers), parsed.GetValue(watched), TimeSpan.FromSeconds(parsed.GetValue(seconds)), parsed.GetValue(engine), Path.Combine(parsed.GetValue(folder)!.FullName, "watches")));

var root = new RootCommand("Faults against a cluster of real processes under load. Needs PostgreSQL's server.") { folder, table, kill, calm, watch };
var asked = root.Parse(args);
var code = await asked.InvokeAsync();
return asked.Errors.Count > 0 ? 2 : code;

static string[] Names(string? list) => (list ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
