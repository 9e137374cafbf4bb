using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;

namespace AgencyPlatform.Host.Tests;

/// <summary>The real executable as a process of its own, on free loopback ports and a folder of its own.</summary>
internal sealed partial class HostProcess : IDisposable
{
    /// <summary>What takes half a minute on a machine of its own takes several where builds and browsers run beside it.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(300);

    // Another project's tests start it too.
    private static readonly string s_tests = typeof(HostProcess).Assembly.GetName().Name!;
    private readonly Process _process;

    private HostProcess(Process process) => _process = process;

    public Uri Grpc { get; private set; } = null!;
    public Uri Http { get; private set; } = null!;

    /// <summary>Where a silo without an API says that others reach it.</summary>
    public string Silo { get; private set; } = "";

    /// <summary>What it said when it began to serve.</summary>
    public string Welcome { get; private set; } = "";

    /// <summary>Starts it and waits until it says where it answers.</summary>
    /// <param name="at">Where it answered before; null: on free ports.</param>
    /// <param name="limitable">Start it so that <see cref="LimitFiles"/> makes its writes fail instead of ending it (Linux).</param>
    /// <param name="more">More arguments.</param>
    public static async Task<HostProcess> Serve(string data, HostProcess? at = null, bool limitable = false, params string[] more)
    {
        var process = Start(
            typeof(PlatformHost).Assembly, limitable, [.. more, "--environment", "Development", "--grpc-port", Port(at?.Grpc), "--http-port", Port(at?.Http), "--data", data]);
        var output = new StringBuilder();
        using var patience = new CancellationTokenSource(s_patience);
        while (await process.StandardOutput.ReadLineAsync(patience.Token) is { } line)
        {
            output.AppendLine(line);
            if (line.StartsWith("Ctrl+C", StringComparison.Ordinal))
            {
                var text = output.ToString();

                // Whoever logs to a full pipe stands still.
                _ = process.StandardOutput.BaseStream.CopyToAsync(Stream.Null, CancellationToken.None);
                _ = process.StandardError.BaseStream.CopyToAsync(Stream.Null, CancellationToken.None);
                return new HostProcess(process)
                {
                    Welcome = text,
                    Grpc = GrpcLine().Match(text) is { Success: true } grpc ? new Uri("http://" + grpc.Groups[1].Value) : null!,
                    Http = new Uri((HttpLine().Match(text) is { Success: true } http ? http : MetricsLine().Match(text)).Groups[1].Value),
                    Silo = SiloLine().Match(text).Groups[1].Value,
                };
            }
        }

        throw new InvalidOperationException($"The host ended before it served: {output}{await process.StandardError.ReadToEndAsync(patience.Token)}");
    }

    /// <summary>Runs it to its end.</summary>
    public static Task<(int Code, string Output, string Error)> Run(params string[] arguments) => Ended(StartProgram(typeof(PlatformHost).Assembly, arguments));

    /// <summary>Waits for a program's end; what it printed from now on.</summary>
    public static async Task<(int Code, string Output, string Error)> Ended(Process program)
    {
        using var process = program;
        using var patience = new CancellationTokenSource(s_patience);
        var error = process.StandardError.ReadToEndAsync(patience.Token);
        var output = await process.StandardOutput.ReadToEndAsync(patience.Token);
        await process.WaitForExitAsync(patience.Token);
        return (process.ExitCode, output, await error);
    }

    /// <summary>kill -9.</summary>
    public async Task Kill()
    {
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
    }

    /// <summary>SIGTERM; answers with the exit code once it has ended.</summary>
    public async Task<int> Terminate()
    {
        Signal(_process.Id, SigTerm);
        using var patience = new CancellationTokenSource(s_patience);
        await _process.WaitForExitAsync(patience.Token);
        return _process.ExitCode;
    }

    /// <summary>SIGSTOP, and later SIGCONT.</summary>
    public void Freeze(bool frozen) => Signal(_process.Id, frozen ? SigStop : SigCont);

    /// <summary>Waits until it has ended by itself.</summary>
    public async Task Gone()
    {
        using var patience = new CancellationTokenSource(s_patience);
        await _process.WaitForExitAsync(patience.Token);
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
        }

        _process.Dispose();
    }

    /// <summary>Starts one of the house's programs.</summary>
    public static Process StartProgram(System.Reflection.Assembly program, params string[] arguments) => Start(program, false, arguments);

    /// <summary>Where a program was built, with what it needs: beside these tests some of that is left to another framework.</summary>
    private static string Built(System.Reflection.Assembly program)
    {
        var beside = Path.GetDirectoryName(program.Location)!;
        var name = program.GetName().Name!;
        var built = new[] { "src", "samples" }.Select(root => beside.Replace(Path.Combine("tests", s_tests), Path.Combine(root, name), StringComparison.Ordinal));
        return Path.Combine(built.FirstOrDefault(Directory.Exists) ?? beside, name + ".dll");
    }

    private static string Port(Uri? at) => (at?.Port ?? 0).ToString(System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>From now on the running process cannot write a file beyond so many bytes: the system refuses it as it refuses a full disk. Null: no limit.</summary>
    public void LimitFiles(long? bytes)
    {
        var limit = new FileLimit { Soft = bytes is { } most ? (ulong)most : ulong.MaxValue, Hard = ulong.MaxValue };
        if (SetLimit(_process.Id, FileSize, in limit, 0) != 0)
        {
            throw new InvalidOperationException($"prlimit: error {Marshal.GetLastPInvokeError()}");
        }
    }

    private static Process Start(System.Reflection.Assembly program, bool limitable, params string[] arguments)
    {
        var start = new ProcessStartInfo(limitable ? "sh" : "dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        if (limitable)
        {
            // The signal of an exceeded limit ends a process that does not ignore it; ignored, the write fails.
            foreach (var argument in new[] { "-c", "trap '' XFSZ; exec dotnet \"$@\"", "sh" })
            {
                start.ArgumentList.Add(argument);
            }
        }

        start.ArgumentList.Add(Built(program));
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        start.Environment.Remove("DOTNET_ENVIRONMENT");
        start.Environment.Remove("ASPNETCORE_ENVIRONMENT");
        return Process.Start(start)!;
    }

    private const int FileSize = 1;
    private const int SigTerm = 15;
    private const int SigCont = 18;
    private const int SigStop = 19;

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static extern int Signal(int process, int signal);

    [StructLayout(LayoutKind.Sequential)]
    private struct FileLimit
    {
        public ulong Soft;
        public ulong Hard;
    }

    [DllImport("libc", EntryPoint = "prlimit", SetLastError = true)]
    private static extern int SetLimit(int process, int resource, in FileLimit limit, nint old);

    [GeneratedRegex(@"gRPC \(HTTP/2, reflection\)\s+(\S+)")]
    private static partial Regex GrpcLine();

    [GeneratedRegex(@"silo\s+(\S+:\d+)")]
    private static partial Regex SiloLine();

    [GeneratedRegex(@"health · metrics\s+(\S+/)health")]
    private static partial Regex MetricsLine();

    [GeneratedRegex(@"JSON, gRPC-Web\s+(\S+)")]
    private static partial Regex HttpLine();
}

/// <summary>A folder that goes when the test does.</summary>
internal sealed class TempFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("agencyplatform-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
