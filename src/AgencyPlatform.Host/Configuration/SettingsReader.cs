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
            Wrong(key, $"is no setting; these are: {string.Join(", ", names.Order(StringComparer.Ordinal))}");
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

    public void ThrowIfWrong()
    {
        if (_problems.Count > 0)
        {
            throw new SettingsException(_problems);
        }
    }
}
