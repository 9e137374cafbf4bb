using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Npgsql;

namespace AgencyPlatform.Testing;

/// <summary>
/// A PostgreSQL cluster of the test process's own: a temporary folder, a free loopback port, gone when the process is (whichever way it ends) and
/// after an hour at the latest. One a process, started by the first test that needs it; every test takes a database of its own.
/// </summary>
public sealed class PostgresServer
{
    // Its standard input is the lease: it ends when this process closes it, by dying too. A server that ends otherwise is started again, as by a
    // supervisor. Its default collation is a linguistic one, so that an order that should be by bytes shows when it is not. What it is told to spare is
    // safety against a power failure.
    private const string Script =
        """
        set -e
        bin=$1 port=$2 fsync=$3 primary=$4
        dir=$(mktemp -d "${TMPDIR:-/tmp}/agencyplatform-postgres.XXXXXX")
        trap 'rm -rf "$dir"' EXIT
        if [ -n "$primary" ]; then
          "$bin/pg_basebackup" -h 127.0.0.1 -p "$primary" -U postgres -D "$dir/data" -R -X stream -c fast
        else
          "$bin/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --locale-provider=icu --icu-locale=en-US -N >/dev/null
        fi
        {
          until [ -e "$dir/stop" ]; do
            "$bin/postgres" -D "$dir/data" -h 127.0.0.1 -p "$port" -k "$dir" -c fsync="$fsync" -c full_page_writes="$fsync" -c max_connections=300 -c shared_buffers=128MB || true
            [ -e "$dir/stop" ] || sleep 0.2
          done
          touch "$dir/stopped"
        } 2>&1 &
        timeout 3600 cat >/dev/null || true
        touch "$dir/stop"
        until [ -e "$dir/stopped" ]; do
          kill -INT "$(head -n 1 "$dir/data/postmaster.pid" 2>/dev/null)" 2>/dev/null || true
          sleep 0.1
        done
        """;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(180);
    private static readonly string? s_binaries = FindBinaries();
    private static readonly Lazy<Task<PostgresServer>> s_shared = new(() => Start(durable: false));
    private static int s_databases;

    private readonly Process _process;

    private PostgresServer(Process process, int port)
    {
        _process = process;
        Port = port;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Stop();
    }

    public int Port { get; }

    /// <summary>The folder of the server's programs.</summary>
    public static string Binaries => s_binaries ?? throw new InvalidOperationException("PostgreSQL's server (15 or later) is not installed.");

    /// <summary>Why tests on PostgreSQL are not run here; null when they are. Under CI=true they always run, and fail without one.</summary>
    public static string? NotRun =>
        s_binaries is not null || string.Equals(Environment.GetEnvironmentVariable("CI"), "true", StringComparison.OrdinalIgnoreCase)
            ? null
            : "Not run: PostgreSQL's server (15 or later) is not installed.";

    /// <summary>The process's cluster.</summary>
    public static Task<PostgresServer> Shared => s_shared.Value;

    /// <summary>An empty database of the process's cluster: its connection string, of a superuser.</summary>
    public static async Task<string> NewDatabase() => await (await Shared).CreateDatabase();

    /// <summary>Starts a cluster beside the shared one; <paramref name="durable"/> as in real operation, for measurements.</summary>
    public static Task<PostgresServer> Start(bool durable) => Start(durable, primary: null);

    /// <summary>Starts a standby of this one: a copy that follows it, and is asked to be a server of its own by <c>pg_promote()</c>.</summary>
    public Task<PostgresServer> StartStandby() => Start(durable: true, primary: this);

    private static async Task<PostgresServer> Start(bool durable, PostgresServer? primary)
    {
        if (s_binaries is null)
        {
            throw new InvalidOperationException("PostgreSQL's server (15 or later) is not installed.");
        }

        // The free port may be taken meanwhile.
        var log = "";
        for (var attempt = 0; attempt < 3; attempt++)
        {
            var port = FreePort();
            var process = Run(port, durable, primary);
            var (ready, output) = await Ready(process);
            if (ready)
            {
                return new PostgresServer(process, port);
            }

            log = output;
            process.StandardInput.Close();
        }

        throw new InvalidOperationException($"PostgreSQL does not start: {log}");
    }

    /// <summary>An empty database of this cluster: its connection string, of a superuser.</summary>
    public async Task<string> CreateDatabase()
    {
        var name = $"test_{Environment.ProcessId}_{Interlocked.Increment(ref s_databases)}";
        await using var connection = new NpgsqlConnection(ConnectionString("postgres") + ";Pooling=false");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand($"CREATE DATABASE {name}", connection);
        await command.ExecuteNonQueryAsync();
        return ConnectionString(name);
    }

    public string ConnectionString(string database, string user = "postgres") => $"Host=127.0.0.1;Port={Port};Username={user};Database={database}";

    /// <summary>Runs a statement as a superuser.</summary>
    public async Task<object?> Execute(string sql, string database = "postgres")
    {
        await using var connection = new NpgsqlConnection(ConnectionString(database) + ";Pooling=false");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync();
    }

    /// <summary>Ids of the server's processes, the one that started the others first.</summary>
    public async Task<IReadOnlyList<int>> Processes()
    {
        var data = (string)(await Execute("SHOW data_directory"))!;
        var postmaster = int.Parse(File.ReadLines(Path.Combine(data, "postmaster.pid")).First(), System.Globalization.CultureInfo.InvariantCulture);
        return [postmaster, .. Directory.EnumerateDirectories("/proc").Select(d => int.TryParse(Path.GetFileName(d), out var id) ? id : 0).Where(id => id > 0 && Parent(id) == postmaster)];
    }

    /// <summary>It is not started again when it ends.</summary>
    public async Task LeaveAlone()
    {
        var data = (string)(await Execute("SHOW data_directory"))!;
        await File.WriteAllTextAsync(Path.Combine(Path.GetDirectoryName(data)!, "stop"), "");
    }

    public void Stop()
    {
        try
        {
            _process.StandardInput.Close();
            _process.WaitForExit(TimeSpan.FromSeconds(20));
        }
        catch (Exception e) when (e is IOException or InvalidOperationException or ObjectDisposedException)
        {
            // It is gone already.
        }
    }

    private static Process Run(int port, bool durable, PostgresServer? primary)
    {
        // PostgreSQL refuses to run as root.
        var start = Environment.UserName == "root" ? new ProcessStartInfo("runuser", ["-u", "postgres", "--", "sh"]) : new ProcessStartInfo("sh");
        foreach (var argument in new[] { "-c", Script, "postgres", s_binaries!, port.ToString(System.Globalization.CultureInfo.InvariantCulture), durable ? "on" : "off", primary?.Port.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "" })
        {
            start.ArgumentList.Add(argument);
        }

        (start.RedirectStandardInput, start.RedirectStandardOutput, start.RedirectStandardError) = (true, true, true);
        start.WorkingDirectory = Path.GetTempPath();
        return Process.Start(start)!;
    }

    private static async Task<(bool Ready, string Output)> Ready(Process process)
    {
        var output = new StringBuilder();
        var ready = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        void Line(string? line)
        {
            lock (output)
            {
                if (line is null)
                {
                    ready.TrySetResult(false);
                }
                else if (output.Length < 20_000)
                {
                    output.AppendLine(line);
                }
            }

            if (line?.Contains("ready to accept", StringComparison.Ordinal) is true)
            {
                ready.TrySetResult(true);
            }
            else if (line?.Contains("database system is shut down", StringComparison.Ordinal) is true || line?.Contains("FATAL:", StringComparison.Ordinal) is true)
            {
                ready.TrySetResult(false);
            }
        }

        process.OutputDataReceived += (_, e) => Line(e.Data);
        process.ErrorDataReceived += (_, e) =>
        {
            if (e.Data is not null)
            {
                Line(e.Data);
            }
        };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        bool answered;
        try
        {
            answered = await ready.Task.WaitAsync(s_patience);
        }
        catch (TimeoutException)
        {
            process.StandardInput.Close();
            throw;
        }

        lock (output)
        {
            return (answered, output.ToString());
        }
    }

    /// <summary>A process's parent; 0: it is gone.</summary>
    private static int Parent(int process)
    {
        try
        {
            // What follows the name in parentheses: state, parent.
            var stat = File.ReadAllText($"/proc/{process}/stat");
            return int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }

    private static string? FindBinaries()
    {
        var debian = Directory.Exists("/usr/lib/postgresql")
            ? Directory.GetDirectories("/usr/lib/postgresql")
                .Where(d => int.TryParse(Path.GetFileName(d), out var version) && version >= 15)
                .OrderByDescending(d => int.Parse(Path.GetFileName(d), System.Globalization.CultureInfo.InvariantCulture))
                .Select(d => Path.Combine(d, "bin"))
            : [];
        var path = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);
        return debian.Concat(path).FirstOrDefault(d => File.Exists(Path.Combine(d, "postgres")) && File.Exists(Path.Combine(d, "initdb")));
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
