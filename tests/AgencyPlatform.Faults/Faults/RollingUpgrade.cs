using System.Diagnostics;

namespace AgencyPlatform.Faults;

/// <summary>
/// A cluster of an older state of this repository becomes one of this state, process by process, as docs/operations.md says: between the first and the last
/// both serve together.
/// </summary>
internal sealed class RollingUpgrade : RollingRestart
{
    /// <summary>What is built and started first: a commit. Empty: the one that the released protos are of.</summary>
    public string OldVersion { get; set; } = "";

    public override string Name => "rolling-upgrade";

    public override string What => "A cluster of an older version; migrate; then SIGTERM to one process after the other, each started again in this version; callers with the client library's default repeats see no failed call.";

    public override async Task<Cluster> Start(string folder, Engine engine)
    {
        var repository = (await Ran("git", ["rev-parse", "--show-toplevel"], AppContext.BaseDirectory)).Trim();
        var commit = OldVersion.Length > 0 ? OldVersion : (await Ran("git", ["log", "-1", "--format=%H", "--", "protos/released.binpb"], repository)).Trim();
        var tree = Path.Combine(Path.GetTempPath(), $"agencyplatform-{Guid.CreateVersion7(TimeProvider.System.GetUtcNow()):N}");
        await Ran("git", ["worktree", "add", "--detach", tree, commit], repository);
        try
        {
            var programs = Path.Combine(folder, "old");
            await Ran("dotnet", ["build", Path.Combine(tree, "src", "AgencyPlatform.Host"), "-c", "Release", "-o", Path.Combine(programs, "AgencyPlatform.Host"), "--nologo", "-v", "quiet", "-p:RunAnalyzers=false"], tree);
            return await Cluster.Start(folder, engine, programs);
        }
        finally
        {
            await Ran("git", ["worktree", "remove", "--force", tree], repository);
        }
    }

    public override async Task Strike(Scene scene, int time)
    {
        if (await scene.Cluster.Upgrade() != 0)
        {
            throw new InvalidOperationException($"The database cannot be brought to this version: see {scene.Folder}");
        }

        await base.Strike(scene, time);
    }

    private static async Task<string> Ran(string program, string[] arguments, string where)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = where })!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? await output : throw new InvalidOperationException($"{program} {string.Join(' ', arguments)}: {await output}{await error}");
    }
}
