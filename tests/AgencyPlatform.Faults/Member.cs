using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;

namespace AgencyPlatform.Faults;

/// <summary>One of the house's programs as a process; what it says goes to a file.</summary>
internal sealed partial class Member : IDisposable
{
    public const int SigInt = 2;
    public const int SigKill = 9;
    public const int SigTerm = 15;
    public const int SigCont = 18;
    public const int SigStop = 19;

    /// <summary>For a start or an end. Generous: on a machine that is busy with other things both take minutes.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(300);
    private readonly Process _process;
    private readonly StreamWriter _log;
    private readonly TaskCompletionSource _serves = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private bool _told;

    private Member(string name, Process process, StreamWriter log)
    {
        (Name, _process, _log) = (name, process, log);
        process.OutputDataReceived += (_, e) => Say(e.Data);
        process.ErrorDataReceived += (_, e) => Say(e.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public string Name { get; }

    /// <summary>Where a gateway answers.</summary>
    public Uri? Grpc { get; private set; }

    /// <summary>Where its health and metrics are, and a gateway's JSON.</summary>
    public Uri? Http { get; private set; }

    public bool HasEnded => _process.HasExited;

    /// <summary>Whether it ended though nobody did anything to it.</summary>
    public bool EndedByItself => HasEnded && !_told;

    /// <summary>What it has in memory now, in bytes.</summary>
    public long Memory
    {
        get
        {
            _process.Refresh();
            return _process.WorkingSet64;
        }
    }

    /// <summary>That it ends is what is expected of it.</summary>
    public void MayEnd() => _told = true;

    /// <summary>Starts a program of src.</summary>
    /// <param name="programs">Where its folder is; null: as it was built beside this one.</param>
    public static Member Start(string program, string name, string folder, string? programs, string[] arguments, Launch? launch = null)
    {
        launch ??= Launch.Plain;
        var built = programs is null
            ? AppContext.BaseDirectory.Replace(Path.Combine("tests", "AgencyPlatform.Faults"), Path.Combine("src", program), StringComparison.Ordinal)
            : Path.Combine(programs, program);
        string[] line = [.. launch.Before, "dotnet", Path.Combine(built, program + ".dll"), .. arguments, .. launch.Settings];
        var start = new ProcessStartInfo(line[0], line[1..]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment.Remove("DOTNET_ENVIRONMENT");
        start.Environment.Remove("ASPNETCORE_ENVIRONMENT");
        foreach (var (variable, value) in launch.Environment)
        {
            start.Environment[variable] = value;
        }

        return new Member(name, Process.Start(start)!, new StreamWriter(Path.Combine(folder, name + ".log"), append: true) { AutoFlush = true });
    }

    /// <summary>A silo or gateway, once it serves.</summary>
    /// <param name="at">In whose place: on its ports.</param>
    /// <param name="programs">As for <see cref="Start"/>.</param>
    public static async Task<Member> Serve(string role, string name, string folder, string[] storage, Launch? launch = null, Member? at = null, string? programs = null)
    {
        static string Port(Uri? uri) => (uri?.Port ?? 0).ToString(CultureInfo.InvariantCulture);
        var member = Start(
            "AgencyPlatform.Host", name, folder, programs,
            ["--environment", "Development", "--role", role, "--grpc-port", Port(at?.Grpc), "--http-port", Port(at?.Http), .. storage],
            launch);
        using var late = new CancellationTokenSource(s_patience, TimeProvider.System);
        await Task.WhenAny(member._serves.Task, member._process.WaitForExitAsync(late.Token));
        if (member._serves.Task.IsCompleted)
        {
            return member;
        }

        member.Dispose();
        throw new InvalidOperationException($"{name} {(late.IsCancellationRequested ? "did not serve in time" : "ended before it served")}: see {Path.Combine(folder, name + ".log")}");
    }

    public void Signal(int signal)
    {
        _told = true;
        if (Kill(_process.Id, signal) != 0)
        {
            throw new InvalidOperationException($"{Name} cannot be sent signal {signal}: error {Marshal.GetLastPInvokeError()}");
        }
    }

    public static void Signal(int process, int signal) => _ = Kill(process, signal);

    /// <summary>kill -9.</summary>
    public async Task Kill()
    {
        _told = true;
        _process.Kill();
        await Ended();
    }

    public async Task<int> Terminate()
    {
        Signal(SigTerm);
        return await Ended();
    }

    public async Task<int> Ended(TimeSpan? patience = null)
    {
        await _process.WaitForExitAsync().WaitAsync(patience ?? s_patience);
        return _process.ExitCode;
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            _process.WaitForExit();
        }

        _process.Dispose();
        lock (_log)
        {
            _log.Dispose();
        }
    }

    private void Say(string? line)
    {
        if (line is null)
        {
            return;
        }

        Grpc ??= GrpcLine().Match(line) is { Success: true } grpc ? new Uri("http://" + grpc.Groups[1].Value) : null;
        Http ??= HttpLine().Match(line) is { Success: true } http ? new Uri(http.Groups[1].Value) : null;
        if (line.StartsWith("Ctrl+C", StringComparison.Ordinal))
        {
            _serves.TrySetResult();
        }

        lock (_log)
        {
            if (_log.BaseStream is { CanWrite: true })
            {
                _log.WriteLine(line);
            }
        }
    }

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static extern int Kill(int process, int signal);

    [GeneratedRegex(@"gRPC \(HTTP/2, reflection\)\s+(\S+)")]
    private static partial Regex GrpcLine();

    [GeneratedRegex(@"(?:JSON, gRPC-Web|health . metrics)\s+(http://[^/\s]+/)")]
    private static partial Regex HttpLine();
}
