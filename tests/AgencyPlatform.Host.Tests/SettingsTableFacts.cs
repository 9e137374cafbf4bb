using AgencyPlatform.Host.Configuration;

namespace AgencyPlatform.Host.Tests;

public sealed class SettingsTableFacts
{
    [Fact]
    public void The_operations_page_lists_exactly_the_settings_with_their_defaults()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder!.FullName, "AgencyPlatform.sln")))
        {
            folder = folder.Parent;
        }

        var rows = File.ReadLines(Path.Combine(folder.FullName, "docs", "operations.md"))
            .SkipWhile(line => !line.StartsWith("| setting |", StringComparison.Ordinal))
            .Skip(2)
            .TakeWhile(line => line.StartsWith('|'))
            .Select(line => line.Split('|').Skip(1).Take(2).Select(cell => cell.Trim().Trim('`')).ToArray())
            .Select(cells => (cells[0], cells[1]));

        Assert.Equal(HostSettings.Known.Select(k => (k.Key, k.Default)), rows);
    }
}
