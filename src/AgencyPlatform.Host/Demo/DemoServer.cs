using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using AgencyPlatform.Host.Configuration;

namespace AgencyPlatform.Host.Demo;

/// <summary>This program as a server in a process of its own, which is killed and started again on the same data and ports.</summary>
internal sealed class DemoServer : IAsyncDisposable
{
    private static readonly TimeSpan s_startTime = TimeSpan.FromSeconds(120);
    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(50);

    private readonly Dictionary<string, string?> _settings;
    private readonly string _environment;
    private Process? _process;

    private DemoServer(Dictionary<string, string?> settings, string environment, Uri grpc, Uri http) => (_settings, _environment, Grpc, Http) = (settings, environment, grpc, http);

    public Uri Grpc { get; }

    public Uri Http { get; }

    /// <summary>Starts it and waits until it serves.</summary>
    /// <exception cref="DemoException">It does not.</exception>
    public static async Task<DemoServer> Start(IReadOnlyDictionary<string, string?> overrides, string environment, CancellationToken cancellation)
    {
        PlatformHost.Configured(overrides, environment, out var settings);

        // The same ports after every start, also where any would do.
        var (grpc, http) = (Free(settings.GrpcPort, settings.Address), Free(settings.HttpPort, settings.Address));
        var fixedPorts = new Dictionary<string, string?>(overrides, StringComparer.OrdinalIgnoreCase)
        {
            [$"{HostSettings.Section}:Listen:GrpcPort"] = $"{grpc}",
            [$"{HostSettings.Section}:Listen:HttpPort"] = $"{http}",
        };
        var host = settings.Address.Equals(IPAddress.Any) || settings.Address.Equals(IPAddress.IPv6Any) ? IPAddress.Loopback : settings.Address;
        var server = new DemoServer(fixedPorts, environment, new Uri($"http://{new IPEndPoint(host, grpc)}"), new Uri($"http://{new IPEndPoint(host, http)}"));
        await server.Begin(cancellation);
        return server;
    }

    /// <summary>kill -9, and a new start. Says how long nobody was answered.</summary>
    public async Task<TimeSpan> Kill(CancellationToken cancellation)
    {
        var began = Stopwatch.GetTimestamp();
        await End(cancellation);
        await Begin(cancellation);
        return Stopwatch.GetElapsedTime(began);
    }

    /// <summary>kill -9 for the last time; the settings with which another goes on in its place.</summary>
    public async Task<IReadOnlyDictionary<string, string?>> Stop(CancellationToken cancellation)
    {
        await End(cancellation);
        return _settings;
    }

    private async Task End(CancellationToken cancellation)
    {
        _process!.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync(cancellation);
    }

    public ValueTask DisposeAsync()
    {
        if (_process is { HasExited: false } running)
        {
            running.Kill(entireProcessTree: true);
        }

        _process?.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task Begin(CancellationToken cancellation)
    {
        _process?.Dispose();
        var program = typeof(DemoServer).Assembly.Location;
        var self = Environment.ProcessPath!;
        var start = new ProcessStartInfo(self) { RedirectStandardOutput = true, RedirectStandardError = true };
        if (Path.GetFileNameWithoutExtension(self).Equals("dotnet", StringComparison.OrdinalIgnoreCase))
        {
            start.ArgumentList.Add(program);
        }

        start.ArgumentList.Add("--environment");
        start.ArgumentList.Add(_environment);
        foreach (var (key, value) in _settings)
        {
            start.ArgumentList.Add("--set");
            start.ArgumentList.Add($"{key[(HostSettings.Section.Length + 1)..]}={value}");
        }

        _process = Process.Start(start)!;
        var errors = new List<string>();
        _process.OutputDataReceived += static (_, _) => { };
        _process.ErrorDataReceived += (_, line) =>
        {
            lock (errors)
            {
                // The first of them says why it did not start.
                if (line.Data is { } text && errors.Count < 20)
                {
                    errors.Add(text);
                }
            }
        };
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();

        using var http = new HttpClient { BaseAddress = Http };
        var began = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(began) < s_startTime && !_process.HasExited)
        {
            try
            {
                using var health = await http.GetAsync("health", cancellation);
                if (health.IsSuccessStatusCode)
                {
                    return;
                }
            }
            catch (HttpRequestException)
            {
                // Not yet.
            }

            await Task.Delay(s_look, TimeProvider.System, cancellation);
        }

        lock (errors)
        {
            throw new DemoException($"The server {(_process.HasExited ? "ended before it served" : "does not serve")}.{string.Concat(errors.Select(e => $"{Environment.NewLine}  {e}"))}");
        }
    }

    private static int Free(int port, IPAddress address)
    {
        if (port != 0)
        {
            return port;
        }

        using var probe = new TcpListener(address, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }
}
