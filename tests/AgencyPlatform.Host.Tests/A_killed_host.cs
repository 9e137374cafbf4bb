using AgencyPlatform.Client;
using AgencyPlatform.Gateway.Tests.Webhooks;
using AgencyPlatform.Testing;

namespace AgencyPlatform.Host.Tests;

/// <summary>kill -9 of the real process in the middle of bookings, and its restart on the same data. The same on each engine.</summary>
public abstract class A_killed_host
{
    /// <summary>Arguments with which the host serves, and with which an operator's commands run.</summary>
    protected abstract Task<(string[] Serving, string[] Operating)> NewStorage();

    [EngineFact]
    public async Task After_kill_9_what_was_acknowledged_is_there_and_a_repeated_request_id_counts_once()
    {
        using var folder = new TempFolder();
        var storage = await NewStorage();
        string key;
        List<(string Request, string Cmo)> calls = [];
        HashSet<string> acknowledged = [];
        using (var host = await HostProcess.Serve(folder.Path, null, false, storage.Serving))
        {
            key = await HostFacts.Prepare(host);
            using var platform = new AgencyPlatformClient(new() { Address = host.Grpc, ApiKey = key, Retries = 0 });
            calls = [.. Enumerable.Range(0, 200).Select(i => (Guid.CreateVersion7(TimeProvider.System.GetUtcNow()).ToString(), $"agencies/acme/cmos/cmo-{i % 4}"))];
            var enough = new TaskCompletionSource();
            var load = Parallel.ForEachAsync(calls, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (call, _) =>
            {
                try
                {
                    var booking = await HostFacts.Book(platform, call);
                    lock (acknowledged)
                    {
                        acknowledged.Add(booking.Name);
                        if (acknowledged.Count == 60)
                        {
                            enough.TrySetResult();
                        }
                    }
                }
                catch (ApiException)
                {
                    // The process died under it: the outcome is unknown, the repeat tells.
                }
            });
            await Task.WhenAny(enough.Task, load);
            await host.Kill();
            await load;
        }

        Assert.NotEmpty(acknowledged);
        using (var again = await HostProcess.Serve(folder.Path, null, false, storage.Serving))
        {
            using var platform = new AgencyPlatformClient(new() { Address = again.Grpc, ApiKey = key });
            var before = await HostFacts.Bookings(platform);
            Assert.Superset(acknowledged, before.ToHashSet());
            foreach (var call in calls)
            {
                await HostFacts.Book(platform, call);
            }

            var after = await HostFacts.Bookings(platform);
            Assert.Equal(calls.Count, after.Count);
            Assert.Equal(after.Count, after.Distinct().Count());
            Assert.True(await HostFacts.Contiguous(platform) >= calls.Count);
        }

        var (code, output, error) = await HostProcess.Run(["journal", "verify", "--data", folder.Path, .. storage.Operating]);
        Assert.True(code == 0, output + error);
        Assert.Contains("Whole:", output, StringComparison.Ordinal);
    }

    [EngineFact]
    public async Task Through_kill_9_and_a_restart_whoever_watches_sees_each_event_once_and_in_order()
    {
        const int Watches = 40;
        using var folder = new TempFolder();
        using var ends = new CancellationTokenSource(TimeSpan.FromSeconds(300));
        var storage = await NewStorage();
        var seen = Enumerable.Range(0, Watches).Select(_ => new List<long>()).ToList();
        var host = await HostProcess.Serve(folder.Path, null, false, storage.Serving);
        try
        {
            var key = await HostFacts.Prepare(host);
            using var platform = new AgencyPlatformClient(new() { Address = host.Grpc, ApiKey = key, Retries = 50 });
            var begun = await HostFacts.Contiguous(platform);
            var enough = new TaskCompletionSource();
            var load = Parallel.ForAsync(0, 400, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (i, _) =>
            {
                await HostFacts.Book(platform, (Guid.CreateVersion7(TimeProvider.System.GetUtcNow()).ToString(), $"agencies/acme/cmos/cmo-{i % 4}"));
                if (i > 60)
                {
                    enough.TrySetResult();
                }
            });
            var goal = long.MaxValue;
            var first = await platform.Events.ListEventsAsync(new() { Parent = "agencies/acme", PageSize = 1 });
            var watches = seen.Select((events, i) => Watch(events, i % 3 == 0 ? first.NextCursor : "")).ToList();
            await enough.Task;
            await host.Kill();
            host.Dispose();
            host = await HostProcess.Serve(folder.Path, host, false, storage.Serving);
            await load;

            goal = await HostFacts.Contiguous(platform) + 1;
            await HostFacts.Book(platform, (Guid.CreateVersion7(TimeProvider.System.GetUtcNow()).ToString(), "agencies/acme/cmos/cmo-0"));
            await Task.WhenAll(watches);

            Assert.True(goal > begun + 400);
            Assert.All(seen, (events, i) =>
            {
                Assert.Equal(events, Enumerable.Range(0, events.Count).Select(n => events[0] + n));
                Assert.Equal(goal, events[^1]);
                Assert.True(i % 3 != 0 || events[0] == 2, $"The watch after the first event begins with {events[0]}.");
            });

            async Task Watch(List<long> events, string after)
            {
                await foreach (var message in platform.Watch(new() { Parent = "agencies/acme", After = after }, ends.Token))
                {
                    events.AddRange(message.Events.Select(e => e.Sequence));
                    if (events.LastOrDefault() >= Volatile.Read(ref goal))
                    {
                        return;
                    }
                }
            }
        }
        finally
        {
            host.Dispose();
        }
    }

    [EngineFact]
    public async Task Through_kill_9_and_a_restart_a_webhook_gets_every_event_in_order_and_what_comes_twice_under_the_same_id()
    {
        using var folder = new TempFolder();
        await using var receiver = await Receiver.Start();
        var storage = await NewStorage();
        string[] serving = [.. storage.Serving, "--set", "Webhooks:AllowPrivateAddresses=true"];
        var host = await HostProcess.Serve(folder.Path, null, false, serving);
        try
        {
            var key = await HostFacts.Prepare(host);
            using var platform = new AgencyPlatformClient(new() { Address = host.Grpc, ApiKey = key, Retries = 50 });
            var webhook = await platform.Webhooks.CreateWebhookAsync(new() { Parent = "agencies/acme", WebhookId = "hook", Webhook = new() { DisplayName = "Hook", Url = receiver.Url("hook") } });
            var load = Parallel.ForAsync(0, 400, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (i, _) =>
                await HostFacts.Book(platform, (Guid.CreateVersion7(TimeProvider.System.GetUtcNow()).ToString(), $"agencies/acme/cmos/cmo-{i % 4}")));

            // Beyond the first hundred, after which the place is recorded, and in the middle of the next.
            var received = await receiver.Next("hook", 150);
            await host.Kill();
            host.Dispose();
            received.AddRange(receiver.Rest("hook"));
            var before = received.Count;
            host = await HostProcess.Serve(folder.Path, host, false, serving);
            await load;

            var feed = new List<Protocol.Events.V1.Event>();
            for (var page = new Protocol.Events.V1.ListEventsResponse(); !page.EndOfFeed; feed.AddRange(page.Events))
            {
                page = await platform.Events.ListEventsAsync(new() { Parent = "agencies/acme", After = page.NextCursor, PageSize = 1_000 });
            }

            feed.RemoveAll(e => e.Sequence <= webhook.Position || e.Kind == "webhook" || e.Type == "nothing-changed");
            while (received[^1].Sequence < feed[^1].Sequence)
            {
                received.Add(await receiver.Next("hook"));
            }

            Assert.Equal(feed.Select(e => e.Id), received.DistinctBy(r => r.Id).Select(r => r.Id));
            Assert.Equal(received[..before].Select(r => r.Sequence).Order(), received[..before].Select(r => r.Sequence));
            Assert.Equal(received[before..].Select(r => r.Sequence).Order(), received[before..].Select(r => r.Sequence));
            Assert.InRange(received.Count - feed.Count, 0, 101);
            Assert.All(received, r => Assert.Equal(1, r.SignedBy(webhook.Secret)));
        }
        finally
        {
            host.Dispose();
        }
    }
}

public sealed class A_killed_host_on_SQLite : A_killed_host
{
    protected override Task<(string[] Serving, string[] Operating)> NewStorage() => Task.FromResult<(string[], string[])>(([], []));
}

/// <summary>On PostgreSQL as docs/operations.md says: the owner migrates and verifies, the application's role serves.</summary>
[NeedsPostgres]
public sealed class A_killed_host_on_PostgreSQL : A_killed_host
{
    [EngineFact]
    public async Task The_demo_runs_and_its_books_balance()
    {
        using var folder = new TempFolder();
        var (serving, operating) = await NewStorage();

        var (code, output, error) = await HostProcess.Run(
            ["demo", "--exit", "--clients", "6", "--cmos", "3", "--months", "1", "--grpc-port", "0", "--http-port", "0", "--data", folder.Path, .. serving]);

        Assert.True(code == 0, output + error);
        (code, output, error) = await HostProcess.Run(["journal", "rebuild", .. operating]);
        Assert.True(code == 0, output + error);
        Assert.Empty(Directory.GetFileSystemEntries(folder.Path));
    }

    [EngineFact]
    public async Task Outside_Development_a_role_that_row_level_security_does_not_bind_is_refused()
    {
        var (_, operating) = await NewStorage();

        var (code, _, error) = await HostProcess.Run(
            ["--environment", "Production", "--grpc-port", "0", "--http-port", "0", "--set", "Tls:TerminatedBy=proxy", .. operating]);

        Assert.Equal(1, code);
        Assert.Contains("row-level security", error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
    }

    protected override async Task<(string[] Serving, string[] Operating)> NewStorage()
    {
        var roles = await PostgresRoles.NewDatabase();
        string[] As(string connection) => ["--set", "Storage:Provider=Postgres", "--set", $"Storage:ConnectionString={connection}"];
        var (code, output, error) = await HostProcess.Run(["migrate", .. As(roles.Owner)]);
        Assert.True(code == 0, output + error);
        return (As(roles.Application), As(roles.Owner));
    }
}
