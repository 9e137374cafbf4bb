using System.Collections.Concurrent;
using System.Globalization;
using System.Text.RegularExpressions;
using AgencyPlatform.Client;
using AgencyPlatform.Testing;

namespace AgencyPlatform.Host.Tests;

/// <summary>Three silos and two gateways, each the real process, on a database of their own with the roles of deploy/postgresql.</summary>
public sealed partial class LoopbackCluster : IAsyncLifetime
{
    private readonly TempFolder _folder = new();
    private readonly List<HostProcess> _all = [];
    private string[] _storage = [];

    internal List<HostProcess> Silos { get; } = [];

    internal List<HostProcess> Gateways { get; } = [];

    internal string Key { get; private set; } = "";

    /// <summary>Of the application's role.</summary>
    internal string Connection => _storage[^1]["Storage:ConnectionString=".Length..];

    public async Task InitializeAsync()
    {
        if (PostgresServer.NotRun is not null)
        {
            return;
        }

        _storage = await NewStorage();
        Silos.AddRange(await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => Start("silo"))));
        Gateways.AddRange(await Task.WhenAll(Enumerable.Range(0, 2).Select(_ => Start("gateway"))));
        Key = await HostFacts.Prepare(Gateways[0]);
    }

    public Task DisposeAsync()
    {
        _all.ForEach(process => process.Dispose());
        _folder.Dispose();
        return Task.CompletedTask;
    }

    internal static async Task<string[]> NewStorage()
    {
        var roles = await PostgresRoles.NewDatabase();
        string[] As(string connection) => ["--set", "Storage:Provider=Postgres", "--set", $"Storage:ConnectionString={connection}"];
        var (code, output, error) = await HostProcess.Run(["migrate", .. As(roles.Owner)]);
        Assert.True(code == 0, output + error);
        await roles.Set();
        return As(roles.Application);
    }

    internal async Task<HostProcess> Start(string role, HostProcess? at = null)
    {
        var process = await HostProcess.Serve(_folder.Path, at, false, ["--role", role, .. _storage]);
        lock (_all)
        {
            _all.Add(process);
        }

        return process;
    }

    /// <summary>A client of all gateways, or of some.</summary>
    internal AgencyPlatformClient Client(params HostProcess[] gateways)
    {
        var some = gateways.Length > 0 ? gateways : [.. Gateways];
        return new(new() { Address = some[0].Grpc, OtherAddresses = [.. some.Skip(1).Select(g => g.Grpc)], ApiKey = Key });
    }

    /// <summary>The silo where the agency's CMOs are: the one whose count of decisions grows with a booking.</summary>
    internal async Task<HostProcess> Home(AgencyPlatformClient platform)
    {
        while (true)
        {
            // Anew each time: what a silo tells is some milliseconds old, and after a silo has come the CMOs may move home meanwhile.
            var before = await Task.WhenAll(Silos.Select(Decisions));
            await HostFacts.Book(platform, (Guid.CreateVersion7(TimeProvider.System.GetUtcNow()).ToString(), "agencies/acme/cmos/cmo-0"), week: 51);
            var after = await Task.WhenAll(Silos.Select(Decisions));
            if (Enumerable.Range(0, Silos.Count).Where(i => after[i] > before[i]).ToArray() is [var home])
            {
                return Silos[home];
            }
        }
    }

    private static async Task<long> Decisions(HostProcess silo)
    {
        using var http = new HttpClient { BaseAddress = silo.Http };
        return CmoDecisions().Matches(await http.GetStringAsync("metrics")).Sum(m => long.Parse(m.Groups[1].Value, CultureInfo.InvariantCulture));
    }

    [GeneratedRegex("""^agencyplatform_decisions\w*\{[^}]*kind="cmo"[^}]*\} (\d+)""", RegexOptions.Multiline)]
    private static partial Regex CmoDecisions();
}

/// <summary>A cluster of real processes, and what it survives.</summary>
[NeedsPostgres]
public sealed class ClusterFacts(LoopbackCluster cluster) : IClassFixture<LoopbackCluster>
{
    [EngineFact]
    public async Task A_booking_through_one_gateway_is_seen_through_the_other()
    {
        using var first = cluster.Client(cluster.Gateways[0]);
        using var second = cluster.Client(cluster.Gateways[1]);

        var booking = await HostFacts.Book(first, Call(1));

        Assert.Contains(booking.Name, await HostFacts.Bookings(second));
    }

    /// <summary>The sample of docs/live.md, as a process of its own, beside a watch through a gateway.</summary>
    [EngineFact]
    public async Task An_Orleans_client_of_another_process_hears_every_event_and_a_gateway_s_watch_sees_the_same()
    {
        using var ends = new CancellationTokenSource(TimeSpan.FromSeconds(300));
        using var platform = cluster.Client();
        using var listener = HostProcess.StartProgram(
            typeof(Samples.FeedListener.Listener).Assembly, "--connection", cluster.Connection, "--address", cluster.Gateways[0].Grpc.ToString(), "--key", cluster.Key, "--agency", "acme");
        try
        {
            Assert.Equal("Listening.", await listener.StandardOutput.ReadLineAsync(ends.Token));
            await using var watch = platform.Watch(new() { Parent = "agencies/acme" }, ends.Token).GetAsyncEnumerator(ends.Token);
            Assert.True(await watch.MoveNextAsync());
            await Parallel.ForAsync(0, 60, new ParallelOptions { MaxDegreeOfParallelism = 6 }, async (i, _) => await HostFacts.Book(platform, Call(i), week: 40));

            var (heard, seen, byStream) = (new List<string>(), new List<string>(), false);
            while (seen.Count(e => e.Contains(" cmo.booking-booked ", StringComparison.Ordinal)) < 60 && await watch.MoveNextAsync())
            {
                seen.AddRange(watch.Current.Events.Select(e => $"{e.Sequence} {e.Type} {e.Kind}/{e.AggregateId}"));
            }

            while (heard.LastOrDefault() != seen[^1] && await listener.StandardOutput.ReadLineAsync(ends.Token) is { } line)
            {
                heard.Add(line[..line.LastIndexOf(" (", StringComparison.Ordinal)]);
                byStream |= line.EndsWith("(stream)", StringComparison.Ordinal);
            }

            Assert.Equal(seen, heard.SkipWhile(line => line != seen[0]));
            Assert.True(byStream, "The stream brought nothing.");
        }
        finally
        {
            listener.Kill(entireProcessTree: true);
        }
    }

    [EngineFact]
    public async Task After_kill_9_of_an_agencys_silo_it_answers_again_and_nothing_acknowledged_is_lost()
    {
        using var platform = cluster.Client();
        var home = await cluster.Home(platform);
        await using var load = new Load(platform);
        await load.Acknowledged(20);

        await home.Kill();
        cluster.Silos.Remove(home);

        // With the client library's own repeats no call fails meanwhile.
        await load.Acknowledged(100);
        await load.Ended();
        Assert.Superset(load.Bookings, (await HostFacts.Bookings(platform)).ToHashSet());
        await HostFacts.Contiguous(platform);
        cluster.Silos.Add(await cluster.Start("silo"));
    }

    [EngineFact]
    public async Task Rolling_restart_under_load_fails_no_call()
    {
        using var platform = cluster.Client();
        await using var load = new Load(platform);
        await load.Acknowledged(20);

        var home = await cluster.Home(platform);
        Assert.Equal(0, await home.Terminate());
        cluster.Silos.Remove(home);
        cluster.Silos.Add(await cluster.Start("silo"));
        await load.Acknowledged(20);
        var gateway = cluster.Gateways[0];
        Assert.Equal(0, await gateway.Terminate());
        cluster.Gateways[0] = await cluster.Start("gateway", at: gateway);

        await load.Acknowledged(20);
        await load.Ended();
        Assert.Superset(load.Bookings, (await HostFacts.Bookings(platform)).ToHashSet());
    }

    [EngineFact]
    public async Task A_frozen_silo_is_voted_out_and_ends_when_it_comes_back()
    {
        using var platform = cluster.Client();
        var home = await cluster.Home(platform);
        await using var load = new Load(platform, patient: true);
        await load.Acknowledged(10);

        home.Freeze(true);
        cluster.Silos.Remove(home);
        await load.Acknowledged(50);
        home.Freeze(false);

        await home.Gone();
        await load.Acknowledged(10);
        await load.Ended();
        Assert.Superset(load.Bookings, (await HostFacts.Bookings(platform)).ToHashSet());
        await HostFacts.Contiguous(platform);
        cluster.Silos.Add(await cluster.Start("silo"));
    }

    private static (string Request, string Cmo) Call(int i) =>
        (Guid.CreateVersion7(TimeProvider.System.GetUtcNow()).ToString(), $"agencies/acme/cmos/cmo-{i % 4}");

    /// <summary>Four callers that book one after the other, twenty times a second each, until told; a call that fails ends it.</summary>
    private sealed class Load : IAsyncDisposable
    {
        private static readonly TimeSpan s_pace = TimeSpan.FromMilliseconds(50);
        private readonly AgencyPlatformClient _platform;
        private readonly bool _patient;
        private readonly Task _running;
        private readonly ConcurrentBag<string> _bookings = [];
        private readonly SemaphoreSlim _acknowledged = new(0);
        private volatile bool _stop;

        public Load(AgencyPlatformClient platform, bool patient = false)
        {
            (_platform, _patient) = (platform, patient);
            _running = Task.WhenAll(Enumerable.Range(0, 4).Select(i => Task.Run(() => Book(i))));
        }

        /// <summary>Every booking that was acknowledged.</summary>
        public HashSet<string> Bookings => [.. _bookings];

        /// <summary>Waits for so many acknowledgements from now on.</summary>
        public async Task Acknowledged(int more)
        {
            while (_acknowledged.Wait(0, CancellationToken.None))
            {
            }

            for (var i = 0; i < more; i++)
            {
                var next = _acknowledged.WaitAsync();
                if (await Task.WhenAny(next, _running) == _running)
                {
                    await _running;
                }

                await next;
            }
        }

        public async Task Ended()
        {
            _stop = true;
            await _running;
        }

        public async ValueTask DisposeAsync()
        {
            _stop = true;
            await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        private async Task Book(int caller)
        {
            using var pace = new PeriodicTimer(s_pace);
            for (var i = 0; !_stop && await pace.WaitForNextTickAsync(); i++)
            {
                _bookings.Add(await Repeated(Call(caller), i % 50));
                _acknowledged.Release();
            }
        }

        private async Task<string> Repeated((string Request, string Cmo) call, int week)
        {
            while (true)
            {
                try
                {
                    return (await HostFacts.Book(_platform, call, week)).Name;
                }
                catch (ApiException e) when (_patient && e.OutcomeUnknown)
                {
                    // Longer than the library repeats: the same id again.
                }
            }
        }
    }
}
