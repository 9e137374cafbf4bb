using System.Globalization;

namespace AgencyPlatform.Host.Configuration;

/// <summary>Every wrong setting at once, in one message for people.</summary>
public sealed class SettingsException(IReadOnlyList<string> problems)
    : Exception($"{(problems.Count == 1 ? "A setting is wrong" : $"{problems.Count} settings are wrong")}:{string.Concat(problems.Select(p => $"{Environment.NewLine}  {p}"))}")
{
    public IReadOnlyList<string> Problems { get; } = problems;
}

internal delegate bool TryRead<T>(string value, out T result);

/// <summary>Reads a section's settings one by one and collects what is wrong with them.</summary>
internal sealed class SettingsReader
{
    private readonly IConfigurationSection _section;
    private readonly List<string> _problems = [];

    public SettingsReader(IConfigurationSection section, IEnumerable<string> known)
    {
        _section = section;
        var names = known.ToHashSet(StringComparer.OrdinalIgnoreCase);
        foreach (var (key, _) in section.AsEnumerable(makePathsRelative: true).Where(p => p.Key.Length > 0 && p.Value is not null && !names.Contains(p.Key)).OrderBy(p => p.Key, StringComparer.Ordinal))
        {
            Wrong(key, $"is no setting; the nearest is {Section(Nearest(key, names))}");
        }
    }

    /// <summary>The value, or null when it is missing or empty.</summary>
    public string? Text(string key) => _section[key] is { Length: > 0 } value ? value : null;

    public T Get<T>(string key, string rule, TryRead<T> tryRead, T fallback)
    {
        if (Text(key) is not { } value)
        {
            return fallback;
        }

        if (tryRead(value, out var result))
        {
            return result;
        }

        Wrong(key, $"\"{value}\" is not {rule}");
        return fallback;
    }

    public int Port(string key, int fallback) => Get(
        key, "a port from 0 to 65535", (string v, out int port) => int.TryParse(v, NumberStyles.None, CultureInfo.InvariantCulture, out port) && port <= 65535, fallback);

    public int Number(string key, int fallback) => Get(
        key, "a whole number", (string v, out int number) => int.TryParse(v, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out number), fallback);

    /// <summary>A sentence that begins with the setting's key and ends with a full stop.</summary>
    public void Wrong(string sentence) => _problems.Add($"{HostSettings.Section}:{sentence}");

    public void Wrong(string key, string problem) => Problem($"{HostSettings.Section}:{key}", problem);

    public void Problem(string name, string problem) => _problems.Add($"{name} {problem}.");

    private static string Section(string key) => $"{HostSettings.Section}:{key}";

    /// <summary>The name that the key begins, else the one that takes the fewest edits to come to, in its whole or in its last part.</summary>
    private static string Nearest(string key, IEnumerable<string> names) => names
        .OrderBy(name => name.StartsWith(key, StringComparison.OrdinalIgnoreCase) || key.StartsWith(name + ":", StringComparison.OrdinalIgnoreCase) ? 0 : Math.Min(Edits(key, name), 1 + Edits(Last(key), Last(name))))
        .ThenBy(name => Edits(key, name))
        .ThenBy(name => name, StringComparer.Ordinal)
        .First();

    private static string Last(string key) => key[(key.LastIndexOf(':') + 1)..];

    /// <summary>Levenshtein's distance, the case of letters apart.</summary>
    private static int Edits(string from, string to)
    {
        var row = Enumerable.Range(0, to.Length + 1).ToArray();
        for (var i = 1; i <= from.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= to.Length; j++)
            {
                var same = char.ToUpperInvariant(from[i - 1]) == char.ToUpperInvariant(to[j - 1]);
                (diagonal, row[j]) = (row[j], Math.Min(Math.Min(row[j], row[j - 1]) + 1, diagonal + (same ? 0 : 1)));
            }
        }

        return row[to.Length];
    }

    public void ThrowIfWrong()
    {
        if (_problems.Count > 0)
        {
            throw new SettingsException(_problems);
        }
    }
}
