using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using AgencyPlatform.LoadTest.Scenarios;

namespace AgencyPlatform.LoadTest.Load;

/// <summary>What a preparation makes: with the same plan the same agencies, whatever has been made of them.</summary>
/// <param name="Stamp">Begins the ids of its agencies, so that no two plans share one.</param>
/// <param name="Monday">The first Monday of the load, the same for every run that goes on with the plan: a repeated call asks for the same.</param>
internal sealed record Plan(string Stamp, string Address, DateOnly Monday, int Agencies, int Clients, int Cmos, int OverbookingPercent, bool Stakeholders)
{
    public static Plan Of(Scenario scenario, Uri address, TimeProvider time)
    {
        var now = time.GetUtcNow();
        return new Plan(
            string.Create(CultureInfo.InvariantCulture, $"{now:yyyyMMdd-HHmmss}-{scenario.Seed}"), address.ToString(), DateOnly.FromDateTime(now.UtcDateTime).Monday().AddDays(21),
            scenario.AgenciesInAll, scenario.Clients, scenario.Cmos, scenario.OverbookingPercent, scenario.HasEngagements);
    }

    /// <summary>Whether a run that would make the other plan can go on with this one: nothing that it books may be over by then.</summary>
    public bool Serves(Plan other) => this with { Stamp = other.Stamp, Monday = other.Monday } == other && Monday >= other.Monday.AddDays(-7);

    /// <summary>The request id of a step, always the same: a step that was taken before counts once.</summary>
    public static string RequestId(string agency, string step) => new Guid(SHA256.HashData(Encoding.UTF8.GetBytes($"{agency} {step}")).AsSpan(0, 16)).ToString();
}

/// <summary>
/// The file beside a log that says which agencies its runs have, with their keys, and how far their preparation is: a plan, then a line for each
/// agency when it has its key and one when it is ready. A preparation that ended early goes on from it, and a check takes the keys from it.
/// </summary>
internal sealed class PreparedAgencies : IDisposable
{
    private readonly Lock _gate = new();
    private readonly FileStream _file;
    private readonly Dictionary<string, string> _keys;
    private readonly HashSet<string> _ready;

    private PreparedAgencies(FileStream file, Plan? plan, Dictionary<string, string> keys, HashSet<string> ready)
    {
        (_file, Plan, _keys, _ready) = (file, plan, keys, ready);
    }

    /// <summary>Null: agencies that somebody named.</summary>
    public Plan? Plan { get; }

    /// <summary>How many are ready.</summary>
    public int Ready
    {
        get
        {
            lock (_gate)
            {
                return _ready.Count;
            }
        }
    }

    /// <summary>The file of a log.</summary>
    public static FileInfo Of(string log) => new(log + ".keys");

    /// <summary>Goes on with what is there if it serves the plan; null: it does not.</summary>
    public static PreparedAgencies? GoOn(FileInfo file, Plan plan)
    {
        if (!file.Exists)
        {
            return null;
        }

        var (found, keys, ready) = Read(file);
        return found?.Serves(plan) == true ? new PreparedAgencies(Open(file, FileMode.Append), found, keys, ready) : null;
    }

    /// <summary>Begins a file; one that is there is written over.</summary>
    public static PreparedAgencies Begin(FileInfo file, Plan? plan)
    {
        var prepared = new PreparedAgencies(Open(file, FileMode.Create), plan, new(StringComparer.Ordinal), new(StringComparer.Ordinal));
        prepared.Write(new Line(plan, null, null));
        return prepared;
    }

    /// <summary>The keys by agency.</summary>
    public static IReadOnlyDictionary<string, string> Keys(FileInfo file) => file.Exists ? Read(file).Keys : new Dictionary<string, string>();

    /// <summary>An agency's key; null: it has none yet.</summary>
    public string? KeyOf(string agency)
    {
        lock (_gate)
        {
            return _keys.GetValueOrDefault(agency);
        }
    }

    public bool IsReady(string agency)
    {
        lock (_gate)
        {
            return _ready.Contains(agency);
        }
    }

    public void HasKey(string agency, string key)
    {
        lock (_gate)
        {
            _keys[agency] = key;
            Write(new Line(null, agency, key));
        }
    }

    public void IsReadyNow(string agency)
    {
        lock (_gate)
        {
            _ready.Add(agency);
            Write(new Line(null, agency, null));
        }
    }

    public void Dispose() => _file.Dispose();

    private static FileStream Open(FileInfo file, FileMode mode)
    {
        // No buffer of ours between a line and the operating system, and nobody else's eyes on the keys.
        var options = new FileStreamOptions { Mode = mode, Access = FileAccess.Write, BufferSize = 0 };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        return new FileStream(file.FullName, options);
    }

    private static (Plan? Plan, Dictionary<string, string> Keys, HashSet<string> Ready) Read(FileInfo file)
    {
        Plan? plan = null;
        var (keys, ready) = (new Dictionary<string, string>(StringComparer.Ordinal), new HashSet<string>(StringComparer.Ordinal));
        foreach (var text in File.ReadLines(file.FullName))
        {
            Line? line;
            try
            {
                line = JsonSerializer.Deserialize<Line>(text);
            }
            catch (JsonException)
            {
                // The line that a kill cut off.
                continue;
            }

            switch (line)
            {
                case { Plan: { } begun }:
                    plan = begun;
                    break;
                case { Agency: { } agency, Key: { } key }:
                    keys[agency] = key;
                    break;
                case { Agency: { } agency }:
                    ready.Add(agency);
                    break;
            }
        }

        return (plan, keys, ready);
    }

    private void Write(Line line) => _file.Write([.. JsonSerializer.SerializeToUtf8Bytes(line), (byte)'\n']);

    private sealed record Line(Plan? Plan, string? Agency, string? Key);
}
