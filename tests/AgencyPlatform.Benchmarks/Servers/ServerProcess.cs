using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using AgencyPlatform.Benchmarks.Peer;

namespace AgencyPlatform.Benchmarks.Servers;

/// <summary>A server in a process of its own, on free loopback ports. Stopped by its id when disposed.</summary>
internal sealed partial class ServerProcess : IAsyncDisposable
{
    /// <summary>The key of the platform's operator in the servers started here.</summary>
    public const string OperatorKey = "apo_benchmark";

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(180);
    private readonly Process _process;
    private readonly HttpClient _http = new();

    private ServerProcess(Process process) => _process = process;

    /// <summary>Null for a silo alone.</summary>
    public Uri Grpc { get; private init; } = null!;

    /// <summary>Null for the bare server and the peer.</summary>
    public Uri? Http { get; private init; }

    /// <summary>From the start of the process until it said that it serves.</summary>
    public TimeSpan StartUp { get; private init; }

    /// <summary>Resident memory, in mebibytes.</summary>
    public double ResidentMebibytes => ProcessTimes.ResidentMebibytes(_process.Id);

    /// <summary>Processor time used so far.</summary>
    public TimeSpan Cpu => ProcessTimes.Of(_process.Id);

    public int Id => _process.Id;

    public static Task<ServerProcess> Bare(CancellationToken cancellation) => Start(typeof(ServerProcess).Assembly.Location, ["bare"], cancellation);

    public static Task<ServerProcess> Peer(string connectionString, int pool, PeerStyle style, CancellationToken cancellation) => Start(
        typeof(ServerProcess).Assembly.Location,
        ["peer", "--connection", connectionString, "--pool", pool.ToString(CultureInfo.InvariantCulture), "--peer-style", style.ToString()],
        cancellation);

    /// <summary>The platform's own executable with everything on.</summary>
    /// <param name="telemetry">Where traces (1 %) and logs go.</param>
    /// <param name="settings">Further settings, as Key=Value.</param>
    public static Task<ServerProcess> Platform(string data, Uri telemetry, IEnumerable<string> settings, CancellationToken cancellation) => Start(
        typeof(Host.PlatformHost).Assembly.Location,
        ["--environment", "Production", "--grpc-port", "0", "--http-port", "0", "--data", data, .. Settings(telemetry).Concat(settings).SelectMany(s => new[] { "--set", s })],
        cancellation);

    /// <summary>The same with nothing stored of what CMOs decide.</summary>
    public static Task<ServerProcess> Unstored(string data, Uri telemetry, CancellationToken cancellation) => Start(
        typeof(ServerProcess).Assembly.Location, ["unstored", "--data", data, .. Settings(telemetry).SelectMany(s => new[] { "--set", s })], cancellation);

    private static string[] Settings(Uri telemetry) =>
    [
        "Tls:TerminatedBy=proxy",
        $"Gateway:OperatorKeyHash={Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(OperatorKey)))}",
        $"Telemetry:OtlpEndpoint={telemetry}",
        "Telemetry:TraceRatio=0.01",
    ];

    /// <summary>Transactions and rows that the journal has written, from the server's metrics.</summary>
    public async Task<(double Commits, double Rows)> Journal(CancellationToken cancellation)
    {
        if (Http is null)
        {
            return default;
        }

        var metrics = await _http.GetStringAsync(new Uri(Http, "metrics"), cancellation);
        return (Sum(CommitCount(), metrics), Sum(CommitRows(), metrics));

        static double Sum(Regex regex, string text) => regex.Matches(text).Sum(m => double.Parse(m.Groups[1].ValueSpan, CultureInfo.InvariantCulture));
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
        _http.Dispose();
    }

    private static async Task<ServerProcess> Start(string assembly, IEnumerable<string> arguments, CancellationToken cancellation)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(assembly);
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        start.Environment.Remove("DOTNET_ENVIRONMENT");
        start.Environment.Remove("ASPNETCORE_ENVIRONMENT");
        var begun = Stopwatch.GetTimestamp();
        var process = Process.Start(start)!;
        var output = new StringBuilder();
        process.ErrorDataReceived += (_, line) =>
        {
            if (line.Data is { } said)
            {
                Console.Error.WriteLine(said);
            }
        };
        process.BeginErrorReadLine();
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(s_patience);
        try
        {
            while (await process.StandardOutput.ReadLineAsync(patience.Token) is { } line)
            {
                output.AppendLine(line);
                if (line.StartsWith("Ctrl+C", StringComparison.Ordinal))
                {
                    // What it says from now on is read, so that the pipe never fills.
                    _ = process.StandardOutput.BaseStream.CopyToAsync(Stream.Null, CancellationToken.None);
                    var text = output.ToString();
                    return new ServerProcess(process)
                    {
                        StartUp = Stopwatch.GetElapsedTime(begun),
                        Grpc = GrpcLine().Match(text) is { Success: true } grpc ? new Uri("http://" + grpc.Groups[1].Value) : null!,
                        Http = HttpLine().Match(text) is { Success: true } http ? new Uri(http.Groups[1].Value) : null,
                    };
                }
            }

            throw new BenchmarkException($"A server ended before it served: {output}");
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            End(process);
            throw new BenchmarkException($"A server did not serve within {s_patience.TotalSeconds:0} s: {output}");
        }
        catch
        {
            End(process);
            throw;
        }

        static void End(Process process)
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
        }
    }

    [GeneratedRegex(@"gRPC \(HTTP/2, reflection\)\s+(\S+)")]
    private static partial Regex GrpcLine();

    [GeneratedRegex(@"health · metrics\s+(\S+)health")]
    private static partial Regex HttpLine();

    [GeneratedRegex(@"^agencyplatform_storage_commit_rows\w*_count(?:\{[^}]*\})? (\S+)", RegexOptions.Multiline)]
    private static partial Regex CommitCount();

    [GeneratedRegex(@"^agencyplatform_storage_commit_rows\w*_sum(?:\{[^}]*\})? (\S+)", RegexOptions.Multiline)]
    private static partial Regex CommitRows();
}

/// <summary>Processor time and memory of other processes, from /proc.</summary>
internal static class ProcessTimes
{
    private static readonly double s_secondsPerTick = 1.0 / 100;

    public static TimeSpan Of(int process) => Read(process) is { } stat ? stat.Cpu : TimeSpan.Zero;

    /// <summary>0 when it is not known.</summary>
    public static double ResidentMebibytes(int process)
    {
        try
        {
            var line = File.ReadLines($"/proc/{process}/status").First(l => l.StartsWith("VmRSS:", StringComparison.Ordinal));
            return double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidOperationException)
        {
            return 0;
        }
    }

    /// <summary>Of a process and its children: a database server forks.</summary>
    public static TimeSpan OfTree(int root)
    {
        var sum = Read(root)?.WithEnded ?? TimeSpan.Zero;
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), out var id) && Read(id) is { } stat && stat.Parent == root)
            {
                sum += stat.Cpu;
            }
        }

        return sum;
    }

    private static (int Parent, TimeSpan Cpu, TimeSpan WithEnded)? Read(int process)
    {
        try
        {
            var text = File.ReadAllText($"/proc/{process}/stat");
            var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
            TimeSpan Seconds(int first, int count) => TimeSpan.FromSeconds(fields.Skip(first).Take(count).Sum(f => long.Parse(f, CultureInfo.InvariantCulture)) * s_secondsPerTick);
            return (int.Parse(fields[1], CultureInfo.InvariantCulture), Seconds(11, 2), Seconds(11, 4));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}

/// <summary>The benchmark cannot be run; the message says why and what to do.</summary>
internal sealed class BenchmarkException(string message) : Exception(message);
