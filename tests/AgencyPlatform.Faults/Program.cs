using System.CommandLine;
using AgencyPlatform.Faults;

// Exit codes: 0 all held, 1 not, 2 wrong usage.
var folder = new Option<DirectoryInfo>("--out") { Description = "Where logs and reports go.", Recursive = true, DefaultValueFactory = _ => new DirectoryInfo(Path.Combine("artifacts", "faults")) };
var kills = new Option<int>("--kills") { Description = "How often.", DefaultValueFactory = _ => 20 };
var agencies = new Option<int>("--agencies") { Description = "How many are loaded; they spread over the silos.", DefaultValueFactory = _ => 12 };
var kill = new Command("kills", "kill -9 of a silo, again and again: for how long an agency is not answered, and whether anything is lost.") { kills, agencies };
kill.SetAction((parsed, _) => Kills.Run(parsed.GetValue(kills), parsed.GetValue(agencies), parsed.GetValue(folder)!.FullName));
var root = new RootCommand("Faults against a cluster of real processes under load. Needs PostgreSQL's server.") { folder, kill };
var asked = root.Parse(args);
var code = await asked.InvokeAsync();
return asked.Errors.Count > 0 ? 2 : code;
