using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;

namespace AgencyPlatform.Host.Tests;

/// <summary>The real executable as a process of its own, on free loopback ports and a folder of its own.</summary>
internal sealed partial class HostProcess : IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(120);
    private readonly Process _process;

    private HostProcess(Process process) => _process = process;

    public Uri Grpc { get; private set; } = null!;
    public Uri Http { get; private set; } = null!;

    /// <summary>Starts it and waits until it says where it answers.</summary>
    /// <param name="limitable">Start it so that <see cref="LimitFiles"/> makes its writes fail instead of ending it (Linux).</param>
    /// <param name="settings">Further arguments.</param>
    public static async Task<HostProcess> Serve(string data, bool limitable = false, params string[] settings)
    {
        var process = Start(limitable, ["--environment", "Development", "--grpc-port", "0", "--http-port", "0", "--data", data, .. settings]);
        var output = new StringBuilder();
        using var patience = new CancellationTokenSource(s_patience);
        while (await process.StandardOutput.ReadLineAsync(patience.Token) is { } line)
        {
            output.AppendLine(line);
            if (line.StartsWith("Ctrl+C", StringComparison.Ordinal))
            {
                var text = output.ToString();
                return new HostProcess(process)
                {
                    Grpc = new Uri("http://" + GrpcLine().Match(text).Groups[1].Value),
                    Http = new Uri(HttpLine().Match(text).Groups[1].Value),
                };
            }
        }

        throw new InvalidOperationException($"The host ended before it served: {output}{await process.StandardError.ReadToEndAsync(patience.Token)}");
    }

    /// <summary>Runs it to its end.</summary>
    public static async Task<(int Code, string Output, string Error)> Run(params string[] arguments)
    {
        using var process = Start(false, arguments);
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

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
        }

        _process.Dispose();
    }

    /// <summary>From now on the running process cannot write a file beyond so many bytes: the system refuses it as it refuses a full disk. Null: no limit.</summary>
    public void LimitFiles(long? bytes)
    {
        var limit = new FileLimit { Soft = bytes is { } most ? (ulong)most : ulong.MaxValue, Hard = ulong.MaxValue };
        if (SetLimit(_process.Id, FileSize, in limit, 0) != 0)
        {
            throw new InvalidOperationException($"prlimit: error {Marshal.GetLastPInvokeError()}");
        }
    }

    private static Process Start(bool limitable, params string[] arguments)
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

        start.ArgumentList.Add(typeof(PlatformHost).Assembly.Location);
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        start.Environment.Remove("DOTNET_ENVIRONMENT");
        start.Environment.Remove("ASPNETCORE_ENVIRONMENT");
        return Process.Start(start)!;
    }

    private const int FileSize = 1;

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

    [GeneratedRegex(@"JSON, gRPC-Web\s+(\S+)")]
    private static partial Regex HttpLine();
}

/// <summary>A folder that goes when the test does.</summary>
internal sealed class TempFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("agencyplatform-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
