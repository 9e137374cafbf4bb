using System.Globalization;
using AgencyPlatform.Client;
using AgencyPlatform.Protocol.Capacity.V1;
using AgencyPlatform.Protocol.Events.V1;
using Google.Protobuf.WellKnownTypes;

namespace AgencyPlatform.Faults;

/// <summary>An aggregate that is due and can never settle: an event of it cannot be read.</summary>
internal sealed class DeadlineThrows : Fault
{
    private const int Attempts = 4;

    /// <summary>Until the broken one's hold expires: nobody may settle it before it is broken.</summary>
    private static readonly TimeSpan s_untilBroken = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan s_toAttempts = TimeSpan.FromSeconds(120);
    private static readonly TimeSpan s_toSettle = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_afterwards = TimeSpan.FromSeconds(120);
    private static readonly TimeSpan s_leastBetween = TimeSpan.FromSeconds(12);
    private OwnAgency _broken = new("", "");

    public override string Name => "deadline-throws";

    public override string What => "A CMO with a hold that is due has an event that cannot be read (a byte more, by the database's owner): each attempt to settle it fails. It is tried ever more seldom, metrics and doctor report it, and holds of others expire on time. Once mended it settles by itself.";

    public override TimeSpan Bound => TimeSpan.FromSeconds(5);

    public override async Task<Cluster> Start(string folder, Engine engine)
    {
        var cluster = await base.Start(folder, engine);
        _broken = await OwnAgency.Make(cluster, "broken");
        using (var client = _broken.Client(cluster.Addresses.First()))
        {
            await Hold(client, _broken, s_untilBroken);
        }

        // Nobody may have it in memory, or a snapshot of it.
        await Task.WhenAll(cluster.Silos.Select(s => s.Terminate()));
        await cluster.Roles.Execute("DELETE FROM orleansstorage");
        await cluster.Roles.Execute($"UPDATE events SET payload = '\\xff'::bytea || payload WHERE agency = '{_broken.Id}' AND kind = 'cmo' AND version = 1");
        await Task.WhenAll(Enumerable.Range(0, cluster.Silos.Length).Select(cluster.StartSilo));
        return cluster;
    }

    public override async Task Strike(Scene scene, int time)
    {
        var roles = scene.Cluster.Roles;

        // Late enough for the doctor to say so. Instants are stored in ticks of 100 ns since 1970.
        var due = (TimeProvider.System.GetUtcNow() - DateTimeOffset.UnixEpoch - TimeSpan.FromMinutes(11)).Ticks;
        await roles.Execute(string.Create(CultureInfo.InvariantCulture, $"UPDATE deadlines SET due_at = {due} WHERE agency = '{_broken.Id}' AND kind = 'cmo'"));
        var begin = TimeProvider.System.GetTimestamp();
        await Until(s_toAttempts, async () => await Count("attempts") > 0);
        var first = TimeProvider.System.GetTimestamp();
        await Until(s_toAttempts, async () => await Count("attempts") >= Attempts);
        var between = TimeProvider.System.GetElapsedTime(first);
        var attempts = await Count("attempts");
        scene.Note(string.Create(CultureInfo.InvariantCulture, $"{attempts} attempts, the last {between.TotalSeconds:N0} s after the first, which came {TimeProvider.System.GetElapsedTime(begin, first).TotalSeconds:N0} s after it was due"));
        if (attempts < Attempts || between < s_leastBetween)
        {
            scene.Wrong($"it was tried {attempts} times within {between.TotalSeconds:N0} s: it is not tried, or ever again");
        }

        var sound = await OwnAgency.Make(scene.Cluster, "sound");
        using (var client = sound.Client(scene.Cluster.Addresses.First()))
        {
            await Hold(client, sound, TimeSpan.FromSeconds(3));
            if (!await Until(s_toSettle, async () => await Expired(client, sound)))
            {
                scene.Wrong($"another agency's hold of 3 s has not expired after {s_toSettle.TotalSeconds:N0} s");
            }
        }

        var failed = 0;
        using (var http = new HttpClient())
        {
            foreach (var silo in scene.Cluster.Silos)
            {
                var metrics = await http.GetStringAsync(new Uri(silo.Http!, "metrics"));
                failed += metrics.Split('\n').Count(l => l.Contains("deadlines", StringComparison.Ordinal) && l.Contains("outcome=\"failed\"", StringComparison.Ordinal) && !l.Contains("} 0", StringComparison.Ordinal));
            }
        }

        if (failed == 0)
        {
            scene.Wrong("no silo's metrics say that a deadline failed");
        }

        await scene.Cluster.Command("doctor", "--quick", "--environment=Development");
        var said = File.ReadLines(System.IO.Path.Combine(scene.Folder, "doctor.log")).FirstOrDefault(l => l.Contains("minutes late", StringComparison.Ordinal));
        scene.Note($"doctor: {said?.Trim()}");
        if (said is null)
        {
            scene.Wrong("doctor does not say that a deadline is late");
        }

        async Task<long> Count(string column) => await roles.Count($"SELECT coalesce(max({column}), 0) FROM deadlines WHERE agency = '{_broken.Id}' AND kind = 'cmo'");
    }

    public override async Task Judge(Scene scene)
    {
        await scene.Cluster.Roles.Execute($"UPDATE events SET payload = substring(payload FROM 2) WHERE agency = '{_broken.Id}' AND kind = 'cmo' AND version = 1");
        if (!await Until(s_afterwards, async () => await scene.Cluster.Roles.Count($"SELECT count(*) FROM deadlines WHERE agency = '{_broken.Id}' AND kind = 'cmo' AND attempts > 0") == 0))
        {
            scene.Wrong($"mended, it has not settled after {s_afterwards.TotalSeconds:N0} s");
        }
    }

    private static async Task Hold(AgencyPlatformClient client, OwnAgency agency, TimeSpan expiry) => await client.Capacity.HoldBookingAsync(new HoldBookingRequest
    {
        Parent = agency.Cmo,
        Expiry = Duration.FromTimeSpan(expiry),
        Booking = new Booking
        {
            ClientCompany = agency.ClientCompany,
            Steps =
            {
                new BookingStep
                {
                    StartDate = OwnAgency.Monday(weeks: 4),
                    EndDate = OwnAgency.Monday(weeks: 5),
                    Flexible = new FlexibleForm { WeeklyMinutes = 5 },
                },
            },
        },
    });

    /// <summary>Nobody asks the CMO itself: a decision or a question would settle it too.</summary>
    private static async Task<bool> Expired(AgencyPlatformClient client, OwnAgency agency) =>
        (await client.Events.ListEventsAsync(new ListEventsRequest { Parent = agency.Name, PageSize = 1000 })).Events.Any(e => e.Type.EndsWith("hold-expired", StringComparison.Ordinal));

    private static async Task<bool> Until(TimeSpan patience, Func<Task<bool>> so)
    {
        var begin = TimeProvider.System.GetTimestamp();
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(200));
        while (!await so())
        {
            if (TimeProvider.System.GetElapsedTime(begin) > patience)
            {
                return false;
            }

            await tick.WaitForNextTickAsync();
        }

        return true;
    }
}
