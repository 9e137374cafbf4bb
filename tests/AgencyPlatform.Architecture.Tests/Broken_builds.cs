using System.Diagnostics;
using System.Text.RegularExpressions;

namespace AgencyPlatform.Architecture.Tests;

/// <summary>The patches of tests/broken.sh, which nothing else holds to the code that they break.</summary>
public sealed partial class Broken_builds
{
    private static readonly string s_root = Root();

    public static TheoryData<string> Patches
    {
        get
        {
            var names = new TheoryData<string>();
            foreach (var patch in Directory.GetFiles(Path.Combine(s_root, "tests", "broken"), "*.patch").Order(StringComparer.Ordinal))
            {
                names.Add(Path.GetFileNameWithoutExtension(patch));
            }

            return names;
        }
    }

    [Theory, MemberData(nameof(Patches))]
    public void Each_still_applies_and_names_checks_that_there_are(string name)
    {
        var patch = Path.Combine("tests", "broken", name + ".patch");
        var start = new ProcessStartInfo("git", ["apply", "--check", patch]) { WorkingDirectory = s_root, RedirectStandardError = true };
        using var git = Process.Start(start)!;
        var error = git.StandardError.ReadToEnd();
        git.WaitForExit();
        Assert.True(git.ExitCode == 0, $"{patch} no longer applies: break the new code in its place. {error}");

        var header = File.ReadLines(Path.Combine(s_root, patch)).TakeWhile(line => !line.StartsWith("diff ", StringComparison.Ordinal)).ToArray();
        var checks = header.Skip(1).Where(line => line.Length > 0).Select(line => Check().Match(line)).ToArray();
        Assert.All(checks, check => Assert.True(check.Success, "Behind the first line of the header come checks only."));
        Assert.Contains(checks, check => check.Groups["kind"].Value == "Test");
        Assert.All(checks, check =>
        {
            var sources = Directory.GetFiles(Path.Combine(s_root, "tests", check.Groups["project"].Value), "*.cs", SearchOption.AllDirectories).Select(File.ReadAllText).ToArray();
            Assert.Contains(sources, source => source.Contains($"class {check.Groups["class"].Value}", StringComparison.Ordinal));
            Assert.Contains(sources, source => source.Contains($" {check.Groups["method"].Value}(", StringComparison.Ordinal));
        });
    }

    private static string Root()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "AgencyPlatform.sln")))
        {
            folder = Path.GetDirectoryName(folder)!;
        }

        return folder;
    }

    [GeneratedRegex(@"^(?<kind>Test|Checker): (?<project>\S+) (?<class>\w+)\.(?<method>\w+)( => .+)?$")]
    private static partial Regex Check();
}
