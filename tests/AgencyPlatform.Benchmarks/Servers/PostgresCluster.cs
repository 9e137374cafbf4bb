using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace AgencyPlatform.Benchmarks.Servers;

/// <summary>A PostgreSQL cluster of the benchmark's own, on a free loopback port, durable as in operation. Stopped when disposed.</summary>
internal sealed class PostgresCluster : IAsyncDisposable
{
    // Stopping writes out all that is not on disk yet.
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(3);
    private readonly string _binaries;
    private readonly string _folder;

    private PostgresCluster(string binaries, string folder) => (_binaries, _folder) = (binaries, folder);

    /// <summary>Of the application's role, as in operation: bound by row-level security.</summary>
    public required string ConnectionString { get; init; }

    /// <summary>Of the role that makes the platform's tables.</summary>
    public required string OwnerConnectionString { get; init; }

    /// <summary>Of the superuser.</summary>
    public required string AdminConnectionString { get; init; }

    /// <summary>The platform's settings for it.</summary>
    public string[] Settings => ["Storage:Provider=Postgres", $"Storage:ConnectionString={ConnectionString}"];

    /// <summary>The process whose children are the database's.</summary>
    public required int Id { get; init; }

    /// <param name="folder">Where it is, or will be made.</param>
    /// <param name="prepare">Makes the tables, given the cluster.</param>
    /// <param name="settings">Further settings of the server, as command-line options.</param>
    public static async Task<PostgresCluster> Start(string folder, Func<PostgresCluster, Task> prepare, CancellationToken cancellation, string settings = "")
    {
        var binaries = Binaries();
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();
        var cluster = Path.Combine(folder, "cluster");
        if (Environment.UserName == "root")
        {
            // The server refuses to run as root: it runs as the user that its package made.
            await Run("chown", ["postgres", folder], cancellation);
        }

        if (!Directory.Exists(cluster))
        {
            await AsPostgres([Path.Combine(binaries, "initdb"), "-D", cluster, "-U", "agencyplatform", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-instructions"], cancellation);
        }

        await AsPostgres(
            [
                Path.Combine(binaries, "pg_ctl"), "-D", cluster, "-w", "-l", Path.Combine(folder, "postgres.log"),
                "-o", string.Create(CultureInfo.InvariantCulture, $"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='{folder}' -c shared_buffers=512MB -c max_wal_size=4GB -c jit=off {settings}"),
                "start",
            ],
            cancellation);
        var id = int.Parse(File.ReadLines(Path.Combine(cluster, "postmaster.pid")).First(), CultureInfo.InvariantCulture);
        var started = new PostgresCluster(binaries, cluster) { ConnectionString = As("agencyplatform_app"), OwnerConnectionString = As("agencyplatform_owner"), AdminConnectionString = As("agencyplatform"), Id = id };
        try
        {
            await prepare(started);
            return started;
        }
        catch
        {
            await started.DisposeAsync();
            throw;
        }

        string As(string user) => string.Create(CultureInfo.InvariantCulture, $"Host=127.0.0.1;Port={port};Database=postgres;Username={user}");
    }

    /// <summary>Runs statements as the superuser.</summary>
    public async Task Execute(string sql, CancellationToken cancellation)
    {
        await using var connection = new NpgsqlConnection(AdminConnectionString + ";Pooling=false");
        await connection.OpenAsync(cancellation);
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync(cancellation);
    }

    /// <summary>One number, asked as the superuser.</summary>
    public async Task<long> Number(string sql, CancellationToken cancellation)
    {
        await using var connection = new NpgsqlConnection(AdminConnectionString + ";Pooling=false");
        await connection.OpenAsync(cancellation);
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        return Convert.ToInt64(await command.ExecuteScalarAsync(cancellation), CultureInfo.InvariantCulture);
    }

    /// <summary>Transactions and rows that it has written so far, as its statistics say: they lag by up to a second.</summary>
    public async Task<(double Commits, double Rows)> Written(CancellationToken cancellation)
    {
        await using var connection = new NpgsqlConnection(AdminConnectionString + ";Pooling=false");
        await connection.OpenAsync(cancellation);
        await using var command = new NpgsqlCommand("SELECT xact_commit::float8, (tup_inserted + tup_updated + tup_deleted)::float8 FROM pg_stat_database WHERE datname = current_database()", connection);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        await reader.ReadAsync(cancellation);
        return (reader.GetDouble(0), reader.GetDouble(1));
    }

    public async ValueTask DisposeAsync() => await AsPostgres([Path.Combine(_binaries, "pg_ctl"), "-D", _folder, "-m", "fast", "-w", "-t", "170", "stop"], CancellationToken.None);

    private static string Binaries()
    {
        var found = Directory.Exists("/usr/lib/postgresql")
            ? Directory.EnumerateDirectories("/usr/lib/postgresql").Select(d => Path.Combine(d, "bin")).Where(d => File.Exists(Path.Combine(d, "postgres"))).OrderDescending().FirstOrDefault()
            : null;
        found ??= (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).FirstOrDefault(d => File.Exists(Path.Combine(d, "initdb")));
        return found ?? throw new BenchmarkException(
            "PostgreSQL's server programs (initdb, pg_ctl, postgres) are not there: install them (Debian and Ubuntu: apt-get install postgresql), or leave the rows out that need it: --rows echo,grain,sqlite.");
    }

    private static Task AsPostgres(string[] command, CancellationToken cancellation) =>
        Environment.UserName == "root" ? Run("runuser", ["-u", "postgres", "--", .. command], cancellation) : Run(command[0], command[1..], cancellation);

    private static async Task Run(string program, string[] arguments, CancellationToken cancellation)
    {
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true, RedirectStandardError = false, WorkingDirectory = "/" };
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        using var process = Process.Start(start)!;
        // pg_ctl leaves a server behind that inherits the pipe: what it says is drained, the end of the pipe not waited for.
        process.OutputDataReceived += static (_, _) => { };
        process.BeginOutputReadLine();
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(s_patience);
        try
        {
            while (!process.HasExited)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, patience.Token);
            }
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new BenchmarkException($"PostgreSQL's {string.Join(' ', arguments)} did not end within {s_patience.TotalSeconds:0} s.");
        }

        if (process.ExitCode != 0)
        {
            throw new BenchmarkException($"{Path.GetFileName(arguments.Length > 3 && program == "runuser" ? arguments[3] : program)} ended with {process.ExitCode}: see the messages above.");
        }
    }
}
