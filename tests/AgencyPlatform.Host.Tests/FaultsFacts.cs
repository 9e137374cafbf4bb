using System.Diagnostics;

namespace AgencyPlatform.Host.Tests;

/// <summary>The fast part of the table of invariants and faults: the command itself, on the engine that needs one process only.</summary>
public sealed class FaultsFacts
{
    [Fact]
    public async Task All_invariants_hold_after_a_kill_9_of_everything_and_in_a_backup_that_is_restored_elsewhere()
    {
        using var folder = new TempFolder();
        var document = Path.Combine(folder.Path, "page.md");
        await File.WriteAllTextAsync(document, "before\n<!-- faults: begin -->\n| `all-killed` | one process, SQLite | outdated |\n| `none` | cluster | another run's |\n<!-- faults: end -->\nafter\n");

        var (code, output, error) = await Run(
            "table", "--engine", "Sqlite", "--faults", "all-killed,backup-restored", "--seconds", "5", "--out", folder.Path, "--markdown", document);

        Assert.True(code == 0, output + error);
        var text = await File.ReadAllTextAsync(document);
        Assert.Matches(@"\| `all-killed` \| one process, SQLite \|( 0 \|){10} .*\| whole \| holds", text);
        Assert.Matches(@"\| `backup-restored` \| one process, SQLite \|( 0 \|){10} .*\| whole \| holds", text);
        Assert.Contains("| `none` | cluster | another run's |\n", text, StringComparison.Ordinal);
        Assert.DoesNotContain("outdated", text, StringComparison.Ordinal);
        Assert.EndsWith("<!-- faults: end -->\nafter\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_watcher_has_its_agencys_whole_sequence_after_a_kill_9_and_a_stop_of_the_server()
    {
        using var folder = new TempFolder();

        var (code, output, error) = await Run("watches", "--engine", "Sqlite", "--watchers", "40", "--agencies", "4", "--seconds", "6", "--out", folder.Path);

        Assert.True(code == 0, output + error);
        Assert.Contains("40 of 40 watchers have their agency's sequence whole", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_fault_that_there_is_not_is_wrong_usage_and_those_that_there_are_are_named()
    {
        var (code, output, error) = await Run("table", "--faults", "flood");

        Assert.Equal(2, code);
        Assert.Contains("There is no fault flood; there are none, silo-killed", output + error, StringComparison.Ordinal);
    }

    private static Task<(int Code, string Output, string Error)> Run(params string[] arguments)
    {
        var program = Path.Combine(AppContext.BaseDirectory.Replace("AgencyPlatform.Host.Tests", "AgencyPlatform.Faults", StringComparison.Ordinal), "AgencyPlatform.Faults.dll");
        return HostProcess.Ended(Process.Start(new ProcessStartInfo("dotnet", [program, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true })!);
    }
}
