using System.Globalization;
using AgencyPlatform.Client;
using AgencyPlatform.Protocol.Events.V1;

namespace AgencyPlatform.Faults;

/// <summary>Many watch some agencies that are loaded, while a server is killed, and later told to stop, and started again: whether each has its agency's whole sequence, each event once and in order.</summary>
internal static class Watches
{
    /// <summary>For the last of them to come to the end, the restarts included.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(120);

    /// <param name="length">Of the load. After a third of it every process that serves the API is killed, after two thirds told to stop; both times it is started again.</param>
    /// <returns>0: every one has; 1: not.</returns>
    public static async Task<int> Run(int watchers, int agencies, TimeSpan length, Engine engine, string folder)
    {
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }

        await using var cluster = await Cluster.Start(folder, engine);
        using var load = await ConstantLoad.Prepare(cluster, agencies);
        var all = new List<FeedFollower>();
        try
        {
            foreach (var (i, agency) in Enumerable.Range(0, watchers).Select(i => (i, load.Agencies[i % agencies])))
            {
                // Every other one begins behind the first event, the others now.
                var page = i / agencies % 2 == 0 ? await agency.Client.Events.ListEventsAsync(new ListEventsRequest { Parent = agency.Name, PageSize = 1 }) : new ListEventsResponse();
                all.Add(new FeedFollower(agency.Client, agency.Name, page.NextCursor));
            }

            await Task.WhenAll(all.Select(w => w.Begun()));
            Say($"{watchers} watch {agencies} agencies; load of the machine {Kills.Machine()}");
            load.Start();
            var failed = 0;
            await Task.Delay(length / 3, TimeProvider.System);
            Say($"kill -9; {load.Acknowledged} calls were acknowledged, {all.Sum(w => w.Seen)} events delivered");
            await Task.WhenAll(cluster.Gateways.Select(g => g.Kill()));
            await Restart();
            await Task.Delay(length / 3, TimeProvider.System);
            Say($"SIGTERM; {load.Acknowledged} calls were acknowledged, {all.Sum(w => w.Seen)} events delivered");
            foreach (var gateway in cluster.Gateways)
            {
                var begin = TimeProvider.System.GetTimestamp();
                var code = await gateway.Terminate();
                failed += code == 0 ? 0 : 1;
                Say($"{gateway.Name} ended with {code} after {TimeProvider.System.GetElapsedTime(begin).TotalSeconds:N1} s");
            }

            await Restart();
            await Task.Delay(length / 3, TimeProvider.System);
            await load.Stop();
            var memory = cluster.Gateways.Max(g => g.Memory) >> 20;
            var wrong = new List<string>();
            foreach (var (name, client) in load.Agencies)
            {
                var feed = await Feed.Read(client, name);
                if (!feed.Events.Select(e => e.Sequence).SequenceEqual(Enumerable.Range(1, feed.Events.Count).Select(n => (long)n)))
                {
                    wrong.Add($"{name}: the feed has a gap");
                }

                wrong.AddRange((await Task.WhenAll(all.Where(w => w.Agency == name).Select(w => w.Compare(feed, s_patience)))).OfType<string>());
            }

            var different = await load.Differences();
            var verified = await cluster.Command("journal", "verify");
            var late = all.SelectMany(w => w.Late).Order().ToList();
            Say($"{load.Acknowledged} calls acknowledged, {load.Failed.Count} failed after the library's repeats; {late.Count:N0} events delivered, half of them within {late[late.Count / 2].TotalMilliseconds:N0} ms of being recorded, 95 % within {late[late.Count * 95 / 100].TotalMilliseconds:N0} ms (restarts, and history that was asked for, included)");
            Say($"{watchers - wrong.Count} of {watchers} watchers have their agency's sequence whole, each event once and in order; memory of a server at the end {memory} MB; journal verify: exit code {verified}; load of the machine {Kills.Machine()}; logs in {folder}");
            foreach (var what in wrong.Concat(different).Take(10))
            {
                Say($"  {what}");
            }

            return wrong.Count + different.Count + failed + verified == 0 ? 0 : 1;
        }
        finally
        {
            await Task.WhenAll(all.Select(w => w.DisposeAsync().AsTask()));
        }

        async Task Restart()
        {
            var begin = TimeProvider.System.GetTimestamp();
            await Task.WhenAll(Enumerable.Range(0, cluster.Gateways.Length).Select(cluster.StartGateway));
            Say($"serves again after {TimeProvider.System.GetElapsedTime(begin).TotalSeconds:N1} s");
        }
    }

    private static void Say(FormattableString line) => Console.WriteLine($"{TimeProvider.System.GetLocalNow():HH:mm:ss} {line.ToString(CultureInfo.InvariantCulture)}");
}
