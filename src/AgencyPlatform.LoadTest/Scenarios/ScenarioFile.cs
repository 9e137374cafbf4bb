using System.Globalization;
using System.Text.Json;

namespace AgencyPlatform.LoadTest.Scenarios;

/// <summary>A scenario file is wrong: every wrong field at once, by path, with what would be right.</summary>
internal sealed class WrongScenarioException(string file, IReadOnlyList<string> wrong)
    : Exception($"The scenario {file} is wrong:{string.Concat(wrong.Select(w => $"\n  {w}"))}")
{
    public IReadOnlyList<string> Wrong { get; } = wrong;
}

/// <summary>Reads a scenario from JSON (comments and trailing commas allowed). What is left out has the default of <c>capacity</c>.</summary>
internal static class ScenarioFile
{
    private static readonly string s_shipped = Path.Combine(AppContext.BaseDirectory, "Scenarios");

    /// <summary>The scenarios that come with the program.</summary>
    public static IReadOnlyList<string> Shipped => Directory.Exists(s_shipped)
        ? [.. Directory.EnumerateFiles(s_shipped, "*.json").Select(f => Path.GetFileNameWithoutExtension(f)).Order(StringComparer.Ordinal)]
        : [];

    /// <summary>A file by its path, or a scenario that comes with the program by its name.</summary>
    public static Scenario Load(string nameOrPath)
    {
        var path = File.Exists(nameOrPath) ? nameOrPath : Path.Combine(s_shipped, nameOrPath + ".json");
        return File.Exists(path)
            ? Parse(path, File.ReadAllText(path))
            : throw new WrongScenarioException(nameOrPath, [$"there is no such file, and no scenario of this name; there are {string.Join(", ", Shipped)}"]);
    }

    public static Scenario Parse(string file, string json)
    {
        var wrong = new List<string>();
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
            var scenario = Read(new Fields(document.RootElement, "", wrong), Path.GetFileNameWithoutExtension(file));
            return wrong.Count == 0 ? scenario : throw new WrongScenarioException(file, wrong);
        }
        catch (JsonException e)
        {
            throw new WrongScenarioException(file, [$"no JSON: {e.Message}"]);
        }
    }

    /// <summary>What a noisy neighbour needs of the rest, however the rest was given.</summary>
    public static IEnumerable<string> Problems(Scenario scenario)
    {
        if (scenario.Neighbour is not { } neighbour)
        {
            yield break;
        }

        if (scenario.Arrivals is not OpenLoop)
        {
            yield return "needs arrivals in an open loop: a closed one sends less when it is answered late";
        }

        if (scenario.Seconds < 4 * neighbour.WindowSeconds)
        {
            yield return $"needs four windows at least, two of which warm up: {scenario.Seconds} seconds do not hold four of {neighbour.WindowSeconds}";
        }
    }

    private static Scenario Read(Fields f, string name)
    {
        var mix = f.Object("mix");
        var skew = f.Object("skew");
        var repeats = f.Object("repeats");
        var neighbour = f.Object("neighbour");
        var scenario = new Scenario(
            name,
            f.Text("about"),
            f.Int("agencies", 1, 1, 10_000),
            f.Int("clientsPerAgency", 40, 2, 100_000),
            f.Int("cmosPerAgency", 64, 1, 10_000),
            f.Int("seconds", 60, 1, 86_400),
            f.Int("seed", 1, 0, int.MaxValue),
            ReadArrivals(f.Object("arrivals")),
            Enum.GetValues<Kind>().ToDictionary(k => k, k => mix.Int(Spelled(k), 0, 0, 1_000_000)),
            skew.Number("agencies", 1, 0.1, 10),
            skew.Number("cmos", 2, 0.1, 10),
            new Repeats(repeats.Int("concurrentPercent", 12, 0, 100), repeats.Int("latePercent", 13, 0, 100), repeats.Int("otherContentPercent", 3, 0, 100), repeats.Int("cancelledPercent", 9, 0, 100)),
            f.Int("bookingsPerCmo", 18, 1, 200),
            f.Int("overbookingPercent", 20, 0, 100),
            f.Int("stopOverbookingAtPercent", 30, 0, 100),
            f.Int("patienceSeconds", 120, 1, 3_600),
            neighbour.IsThere ? new NoisyNeighbour(neighbour.Number("times", 10, 0.1, 1_000), neighbour.Int("windowSeconds", 15, 1, 3_600)) : null);
        if (scenario.Mix.Values.Sum() == 0)
        {
            mix.Wrong("", $"must give weight to one operation at least: {string.Join(", ", Enum.GetValues<Kind>().Select(Spelled))}");
        }

        if (scenario.Repeats is var r && r.Concurrent + r.Late + r.OtherContent + r.Cancelled is > 100 and var sum)
        {
            repeats.Wrong("", $"must sum to 100 at most, not {sum}");
        }

        foreach (var problem in Problems(scenario))
        {
            neighbour.Wrong("", problem);
        }

        mix.NothingElse();
        skew.NothingElse();
        repeats.NothingElse();
        neighbour.NothingElse();
        f.NothingElse();
        return scenario;
    }

    private static Arrivals ReadArrivals(Fields f)
    {
        // Only what belongs to its loop: a rate in a closed loop would be believed and mean nothing.
        Arrivals arrivals = f.Choice("loop", "closed", "open") == "closed"
            ? new ClosedLoop(f.Int("callers", 200, 1, 10_000), f.Int("thinkMilliseconds", 0, 0, 3_600_000))
            : new OpenLoop(
                f.Number("callsPerSecond", 100, 0.01, 100_000), f.Choice("spacing", "poisson", "constant") == "poisson", f.Int("rampSeconds", 0, 0, 86_400),
                f.Int("mostInFlight", 2_000, 1, 100_000));
        f.NothingElse();
        return arrivals;
    }

    private static string Spelled(Kind kind) => JsonNamingPolicy.CamelCase.ConvertName(kind.ToString());

    /// <summary>An object whose fields are asked for by name; what is wrong is collected.</summary>
    private sealed class Fields
    {
        private readonly JsonElement? _object;
        private readonly string _path;
        private readonly List<string> _wrong;
        private readonly List<string> _known = [];

        public Fields(JsonElement? element, string path, List<string> wrong)
        {
            (_path, _wrong) = (path, wrong);
            if (element is { ValueKind: JsonValueKind.Object })
            {
                _object = element;
                foreach (var twice in element.Value.EnumerateObject().GroupBy(p => p.Name, StringComparer.Ordinal).Where(g => g.Skip(1).Any()))
                {
                    Wrong(twice.Key, "is there twice");
                }
            }
            else if (element is { } other)
            {
                Wrong("", $"must be an object, not {other.ValueKind.ToString().ToLowerInvariant()}");
            }
        }

        public bool IsThere => _object is not null;

        public void Wrong(string field, string what) => _wrong.Add($"{(field.Length == 0 ? (_path.Length == 0 ? "the file" : _path) : Path(field))}: {what}");

        public Fields Object(string name) => new(Find(name), Path(name), _wrong);

        public string Text(string name)
        {
            if (Find(name) is { ValueKind: not JsonValueKind.String })
            {
                Wrong(name, "must be a text");
                return "";
            }

            return Find(name)?.GetString() ?? "";
        }

        public string Choice(string name, params ReadOnlySpan<string> of)
        {
            if (Find(name) is not { } value)
            {
                return of[0];
            }

            var text = value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText();
            if (of.Contains(text))
            {
                return text;
            }

            Wrong(name, $"must be {string.Join(" or ", of.ToArray().Select(o => $"\"{o}\""))}, not {value.GetRawText()}");
            return of[0];
        }

        public int Int(string name, int otherwise, int least, int most)
        {
            if (Find(name) is not { } value)
            {
                return otherwise;
            }

            if (value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) && number >= least && number <= most)
            {
                return number;
            }

            Wrong(name, $"must be a whole number from {least} to {most}, not {value.GetRawText()}");
            return otherwise;
        }

        public double Number(string name, double otherwise, double least, double most)
        {
            if (Find(name) is not { } value)
            {
                return otherwise;
            }

            if (value.ValueKind == JsonValueKind.Number && value.GetDouble() is var number && number >= least && number <= most)
            {
                return number;
            }

            Wrong(name, string.Create(CultureInfo.InvariantCulture, $"must be a number from {least} to {most}, not {value.GetRawText()}"));
            return otherwise;
        }

        /// <summary>Every field that nobody asked for is wrong.</summary>
        public void NothingElse()
        {
            foreach (var field in _object?.EnumerateObject().Select(p => p.Name).Distinct(StringComparer.Ordinal).Except(_known, StringComparer.Ordinal) ?? [])
            {
                Wrong(field, $"is unknown; there are {string.Join(", ", _known)}");
            }
        }

        private JsonElement? Find(string name)
        {
            if (!_known.Contains(name, StringComparer.Ordinal))
            {
                _known.Add(name);
            }

            return _object?.TryGetProperty(name, out var value) == true ? value : null;
        }

        private string Path(string name) => _path.Length == 0 ? name : $"{_path}.{name}";
    }
}
