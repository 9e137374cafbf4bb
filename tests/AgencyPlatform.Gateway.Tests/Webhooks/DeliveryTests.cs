using AgencyPlatform.Client;
using AgencyPlatform.Protocol.Agencies.V1;
using AgencyPlatform.Protocol.Clients.V1;
using AgencyPlatform.Protocol.Events.V1;
using AgencyPlatform.Protocol.Webhooks.V1;
using Google.Protobuf.WellKnownTypes;
using Microsoft.AspNetCore.Http;

namespace AgencyPlatform.Gateway.Tests.Webhooks;

/// <summary>A host whose webhooks may call loopback, give up after three attempts and wait a second before the second, and a receiver.</summary>
public sealed class WebhookHost : IAsyncLifetime
{
    internal static readonly (string Key, string Value)[] Settings =
    [
        ("Webhooks:AllowPrivateAddresses", "true"), ("Webhooks:TimeoutSeconds", "2"), ("Webhooks:FirstRetrySeconds", "1"), ("Webhooks:Attempts", "3"),
    ];

    internal PlatformFixture Platform { get; } = new(null, Settings);

    internal Receiver Receiver { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        await Platform.InitializeAsync();
        Receiver = await Receiver.Start();
    }

    public async Task DisposeAsync()
    {
        await Platform.DisposeAsync();
        await Receiver.DisposeAsync();
    }
}

/// <summary>Deliveries to a real web server that does as it should, or fails, hangs and lies.</summary>
public sealed class DeliveryTests(WebhookHost host) : IClassFixture<WebhookHost>
{
    private Receiver Receiver => host.Receiver;

    [Fact]
    public async Task Every_event_comes_once_in_order_one_at_a_time_signed_as_a_CloudEvent()
    {
        var agency = await host.Platform.NewAgency(sandbox: false);
        var admin = await agency.Admin();
        var webhook = await Create(agency, "all");
        await Create(agency, "other");
        await Clients(admin, agency, "new", 60, atOnce: 16);

        var feed = (await Feed(admin, agency)).Where(e => e.Sequence > webhook.Position && e.Kind != "webhook").ToList();
        var received = await Receiver.Next("all", feed.Count);

        Assert.Equal(60, feed.Count);
        Assert.Equal(feed.Select(e => (e.Sequence, e.Id)), received.Select(r => (r.Sequence, r.Id)));
        Assert.Equal(1, Receiver.UnderWay["/all"].Most);
        Assert.Empty(Receiver.Rest("all"));
        Assert.All(received, r => Assert.Equal((1, 0), (r.SignedBy(webhook.Secret), r.SignedBy("whsec_" + new string('A', 43) + "="))));
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        Assert.All(received, r => Assert.InRange(long.Parse(r.Timestamp, System.Globalization.CultureInfo.InvariantCulture), now - 120, now + 1));
        foreach (var (e, r) in feed.Zip(received))
        {
            Assert.Equal("application/cloudevents+json; charset=utf-8", r.ContentType);
            string Text(string name) => r.Event.GetProperty(name).GetString()!;
            Assert.Equal(
                ("1.0", e.Id, e.Type, agency.Name, e.Resource, e.Kind, e.AggregateId, e.Actor, "application/json", $"urn:agencyplatform:{e.Type}:1"),
                (Text("specversion"), Text("id"), Text("type"), Text("source"), Text("subject"), Text("kind"), Text("aggregateid"), Text("actor"), Text("datacontenttype"), Text("dataschema")));
            Assert.Equal(e.OccurTime.ToDateTimeOffset(), r.Event.GetProperty("time").GetDateTimeOffset(), TimeSpan.FromMicroseconds(1));
            Assert.Equal(e.Payload, Struct.Parser.ParseJson(r.Event.GetProperty("data").GetRawText()));
        }
    }

    /// <summary>Each way to fail once, and then to do as one should: the event that failed comes again before the next one. And ways that are odd, and no failure.</summary>
    [Theory]
    [InlineData("fails", 2, "answered 500")]
    [InlineData("closes", 2, "ended the connection without an answer that is HTTP")]
    [InlineData("stalls-in-the-middle", 1, "")]
    [InlineData("never-answers", 2, "did not answer within 2 s")]
    [InlineData("redirects", 2, "answered 307; redirects are not followed")]
    [InlineData("too-many-headers", 2, "answered with too many headers")]
    [InlineData("slowly", 1, "")]
    [InlineData("endless", 1, "")]
    public async Task What_a_receiver_fails_at_comes_again_and_the_next_event_waits_for_it(string way, int times, string error)
    {
        var agency = await host.Platform.NewAgency(sandbox: false);
        var admin = await agency.Admin();
        var first = true;
        Receiver.Answer(way, async http =>
        {
            if (first)
            {
                first = false;
                await Misbehave(way, http);
            }
        });
        await Create(agency, way);
        await Clients(admin, agency, "new", 3);

        var received = await Receiver.Next(way, times + 2);

        Assert.Equal(["new-0", .. times == 2 ? ["new-0"] : Array.Empty<string>(), "new-1", "new-2"], received.Select(r => r.Event.GetProperty("aggregateid").GetString()!));
        Assert.Equal(3, received.Select(r => r.Id).Distinct().Count());
        Assert.Empty(Receiver.Rest("elsewhere"));
        var failures = (await Feed(admin, agency)).Where(e => e.Type == "webhook.attempt-failed").Select(e => e.Payload.Fields["delivery"].StructValue.Fields["last"].StructValue.Fields["error"].StringValue);
        Assert.Equal(error.Length > 0 ? [error] : [], failures);
    }

    [Fact]
    public async Task What_fails_too_often_is_given_up_the_next_goes_on_and_it_is_sent_again_by_hand()
    {
        var agency = await host.Platform.NewAgency(sandbox: false);
        var admin = await agency.Admin();
        var service = await agency.As(Role.Service);
        var bad = "new-0";
        Receiver.Answer("poison", http => Task.FromResult(http.Response.StatusCode = Aggregate(http) == bad ? 422 : 200));
        var webhook = await Create(agency, "poison");
        await Clients(admin, agency, "new", 2);

        var received = await Receiver.Next("poison", 4);

        Assert.Equal(["new-0", "new-0", "new-0", "new-1"], received.Select(r => r.Event.GetProperty("aggregateid").GetString()!));
        await Until(async () => (await Get(admin, webhook)).FailingSince is null);
        var failed = Assert.Single((await admin.Webhooks.ListFailedDeliveriesAsync(new ListFailedDeliveriesRequest { Parent = webhook.Name })).FailedDeliveries);
        Assert.Equal((received[0].Sequence, "client.created", 3, 422, "answered 422"), (failed.Sequence, failed.Type, failed.Attempts, failed.LastAttempt.HttpStatus, failed.LastAttempt.Error));

        var again = await service.Webhooks.RedeliverEventAsync(new RedeliverEventRequest { Name = webhook.Name, Sequence = failed.Sequence });
        Assert.Equal((false, 422), (again.Taken, again.HttpStatus));
        Assert.Equal(4, Assert.Single((await admin.Webhooks.ListFailedDeliveriesAsync(new ListFailedDeliveriesRequest { Parent = webhook.Name })).FailedDeliveries).Attempts);
        bad = "";
        again = await service.Webhooks.RedeliverEventAsync(new RedeliverEventRequest { Name = webhook.Name, Sequence = failed.Sequence });
        Assert.Equal((true, 200, received[0].Id), (again.Taken, again.HttpStatus, again.MessageId));
        Assert.Empty((await admin.Webhooks.ListFailedDeliveriesAsync(new ListFailedDeliveriesRequest { Parent = webhook.Name })).FailedDeliveries);
        Assert.Equal([received[0].Id, received[0].Id], Receiver.Rest("poison").Select(r => r.Id));
        Assert.Equal("NOT_FOUND", (await Refused.By(service.Webhooks.RedeliverEventAsync(new RedeliverEventRequest { Name = webhook.Name, Sequence = 1_000_000 }))).Reason);
    }

    [Fact]
    public async Task An_endpoint_is_not_asked_sooner_than_it_says()
    {
        var agency = await host.Platform.NewAgency(sandbox: false);
        var admin = await agency.Admin();
        Receiver.Answer("busy", http =>
        {
            http.Response.StatusCode = 503;
            http.Response.Headers.RetryAfter = "120";
            return Task.CompletedTask;
        });
        var webhook = await Create(agency, "busy");
        await Clients(admin, agency, "new", 1);
        await Receiver.Next("busy");

        await Until(async () => (webhook = await Get(admin, webhook)).Retried is not null);
        Assert.Equal((1, 503), (webhook.Retried.Attempts, webhook.Retried.LastAttempt.HttpStatus));
        Assert.Equal(TimeSpan.FromSeconds(120), webhook.RetryTime.ToDateTimeOffset() - webhook.Retried.LastAttempt.SendTime.ToDateTimeOffset());

        // Whoever knows that it is well again need not wait.
        Receiver.Answer("busy", 204);
        await admin.Webhooks.ReplayWebhookAsync(new ReplayWebhookRequest { Name = webhook.Name, FromSequence = webhook.Retried.Sequence });
        Assert.Equal(webhook.Retried.Sequence, (await Receiver.Next("busy")).Sequence);
    }

    [Fact]
    public async Task A_dead_endpoint_makes_no_other_one_wait()
    {
        var agency = await host.Platform.NewAgency(sandbox: false);
        var admin = await agency.Admin();
        var released = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Receiver.Answer("dead", async http => await Task.WhenAny(released.Task, Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, http.RequestAborted)));
        await Create(agency, "dead");
        await Create(agency, "alive");
        await Clients(admin, agency, "new", 40, atOnce: 8);

        var alive = await Receiver.Next("alive", 40);

        // All forty, while the other one is still at its first.
        Assert.Single((await Receiver.Next("dead", 1)).Concat(Receiver.Rest("dead")).Select(r => r.Id).Distinct());
        Assert.Equal(40, alive.Select(r => r.Id).Distinct().Count());
        released.SetResult();
    }

    [Fact]
    public async Task After_a_rotation_both_secrets_sign_for_a_while_and_a_lost_one_ends_at_once()
    {
        var agency = await host.Platform.NewAgency(sandbox: false);
        var admin = await agency.Admin();
        var webhook = await Create(agency, "rotated");
        async Task<Received> Ping()
        {
            Assert.True((await admin.Webhooks.PingWebhookAsync(new PingWebhookRequest { Name = webhook.Name })).Taken);
            return await Receiver.Next("rotated");
        }

        var rotated = await admin.Webhooks.RotateWebhookSecretAsync(new RotateWebhookSecretRequest { Name = webhook.Name });
        var both = await Ping();
        Assert.Equal(("webhook.ping", webhook.Name), (both.Type, both.Event.GetProperty("subject").GetString()));
        Assert.Equal((2, 1, 1), (both.Signature.Split(' ').Length, both.SignedBy(rotated.Secret), both.SignedBy(webhook.Secret)));
        Assert.NotNull(rotated.PreviousSecretUntil);

        var lost = await admin.Webhooks.RotateWebhookSecretAsync(new RotateWebhookSecretRequest { Name = webhook.Name, Overlap = new Duration() });
        var one = await Ping();
        Assert.Equal((1, 1, 0, 0), (one.Signature.Split(' ').Length, one.SignedBy(lost.Secret), one.SignedBy(rotated.Secret), one.SignedBy(webhook.Secret)));
    }

    [Fact]
    public async Task The_whole_history_is_delivered_when_it_is_asked_for()
    {
        var agency = await host.Platform.NewAgency(sandbox: false);
        var admin = await agency.Admin();
        await Clients(admin, agency, "old", 100, atOnce: 16);
        var webhook = await Create(agency, "history", kinds: ["client", "agency"]);
        var feed = (await Feed(admin, agency)).Where(e => e.Kind != "webhook").ToList();
        Assert.Equal(feed[^1].Sequence, webhook.Position);

        await admin.Webhooks.ReplayWebhookAsync(new ReplayWebhookRequest { Name = webhook.Name, FromSequence = 1 });

        var received = await Receiver.Next("history", feed.Count);
        Assert.Equal(feed.Select(e => e.Id), received.Select(r => r.Id));
        Assert.Equal(["agency.created"], received.Where(r => r.Sequence == 1).Select(r => r.Type));

        // The hash of a key's secret is for nobody's eyes, neither here nor in the feed.
        Assert.All(received.Where(r => r.Type == "agency.api-key-created"), r => Assert.False(r.Event.GetProperty("data").GetProperty("key").TryGetProperty("secretHash", out _)));
        Assert.All(feed.Where(e => e.Type == "agency.api-key-created"), e => Assert.DoesNotContain("secretHash", e.Payload.Fields["key"].StructValue.Fields.Keys));
        Assert.Contains(feed, e => e.Type == "agency.api-key-created");
    }

    [Fact]
    public async Task A_disabled_one_is_delivered_later_what_it_missed()
    {
        var agency = await host.Platform.NewAgency(sandbox: false);
        var admin = await agency.Admin();
        var webhook = await Create(agency, "paused", kinds: ["client"]);
        await Clients(admin, agency, "before", 1);
        Assert.Equal("before-0", (await Receiver.Next("paused")).Event.GetProperty("aggregateid").GetString());
        await Update(new Webhook { Name = webhook.Name, Disabled = true });
        await Clients(admin, agency, "while", 2);
        await admin.Agencies.UpdateAgencyAsync(new UpdateAgencyRequest { Agency = new Agency { Name = agency.Name, OverbookingPercent = 5 } });
        Assert.Empty(Receiver.Rest("paused"));

        await Update(new Webhook { Name = webhook.Name });
        Assert.Equal(["while-0", "while-1"], (await Receiver.Next("paused", 2)).Select(r => r.Event.GetProperty("aggregateid").GetString()!));

        Receiver.Answer("paused", 410);
        await Clients(admin, agency, "gone", 2);
        await Until(async () => (await Get(admin, webhook)) is { Disabled: true, DisabledReason: DisabledReason.Gone });
        Assert.Equal("gone-0", Assert.Single(Receiver.Rest("paused")).Event.GetProperty("aggregateid").GetString());

        async Task Update(Webhook changed) =>
            Assert.Equal(changed.Disabled, (await admin.Webhooks.UpdateWebhookAsync(new UpdateWebhookRequest { Webhook = changed, UpdateMask = FieldMask.FromFieldNumbers<Webhook>(Webhook.DisabledFieldNumber) })).Disabled);
    }

    [Fact]
    public async Task In_a_sandbox_events_are_delivered_by_the_worlds_clock_and_recorded_by_its_own()
    {
        var agency = await host.Platform.NewAgency();
        var admin = await agency.Admin();
        var first = true;
        Receiver.Answer("sandbox", http =>
        {
            http.Response.StatusCode = first ? 500 : 204;
            first = false;
            return Task.CompletedTask;
        });
        await Create(agency, "sandbox");
        await Clients(admin, agency, "new", 1);

        Assert.Equal(2, (await Receiver.Next("sandbox", 2)).Count);
        var advanced = await admin.Agencies.AdvanceClockAsync(new AdvanceClockRequest { Name = agency.Name, To = Timestamp.FromDateTime(new DateTime(2026, 2, 1, 0, 0, 0, DateTimeKind.Utc)) });
        Assert.Empty(advanced.Response.Unpack<AdvanceClockResponse>().Unsettled);
        Assert.Equal("agency.sandbox-clock-advanced", (await Receiver.Next("sandbox")).Type);
        await Until(async () => (await Feed(admin, agency)).Any(e => e.Type == "webhook.progressed"));
        Assert.All(await Feed(admin, agency), e => Assert.InRange(e.RecordTime.ToDateTime(), new DateTime(2026, 1, 5), new DateTime(2026, 2, 1, 1, 0, 0)));
    }

    [Fact]
    public async Task A_host_that_ends_in_the_middle_loses_nothing_and_keeps_the_order()
    {
        var own = new PlatformFixture(null, WebhookHost.Settings);
        await own.InitializeAsync();
        PlatformFixture? next = null;
        try
        {
            var agency = await own.NewAgency(sandbox: false);
            var admin = await agency.Admin();
            var webhook = await Create(agency, "restart");

            // One event fails just before the end: when it is tried again is remembered too.
            Receiver.Answer("restart", http => Task.FromResult(http.Response.StatusCode = Aggregate(http) == "new-30" ? 500 : 204));
            await Clients(admin, agency, "new", 100, atOnce: 16);
            var feed = (await Feed(admin, agency)).Where(e => e.Sequence > webhook.Position && e.Kind != "webhook").ToList();
            var before = new List<Received>();
            while (before.LastOrDefault()?.Event.GetProperty("aggregateid").GetString() != "new-30")
            {
                before.Add(await Receiver.Next("restart"));
            }

            await Until(async () => (await Get(admin, webhook)).Retried is not null);
            await own.Stop();
            Receiver.Answer("restart", 204);
            next = new PlatformFixture(null, [.. WebhookHost.Settings, ("Data:Directory", own.Folder)]);
            await next.InitializeAsync();
            var again = await Get(next.Client(await agency.Key(Role.AgencyAdmin)), webhook);
            Assert.Equal(again.Retried is not null ? before[^1].Sequence : 0, again.Retried?.Sequence ?? 0);

            var after = new List<Received>();
            while (after.LastOrDefault()?.Sequence != feed[^1].Sequence)
            {
                after.Add(await Receiver.Next("restart"));
            }

            Assert.Equal(before.Select(r => r.Sequence).Order(), before.Select(r => r.Sequence));
            Assert.Equal(after.Select(r => r.Sequence).Order(), after.Select(r => r.Sequence));
            Assert.Equal(before[^1].Id, after[0].Id);
            Assert.Equal(feed.Select(e => e.Id), before.Concat(after).DistinctBy(r => r.Id).Select(r => r.Id));
        }
        finally
        {
            await (next?.DisposeAsync() ?? Task.CompletedTask);
            await own.DisposeAsync();
        }
    }

    // ---- what the facts are built of ----

    private async Task<Webhook> Create(TestAgency agency, string path, string[]? kinds = null) => await (await agency.Admin()).Webhooks.CreateWebhookAsync(new CreateWebhookRequest
    {
        Parent = agency.Name,
        WebhookId = path,
        Webhook = new Webhook { DisplayName = path, Url = Receiver.Url(path), Kinds = { kinds ?? [] } },
    });

    private static async Task<Webhook> Get(AgencyPlatformClient client, Webhook webhook) => await client.Webhooks.GetWebhookAsync(new GetWebhookRequest { Name = webhook.Name });

    private async Task Misbehave(string way, HttpContext http)
    {
        switch (way)
        {
            case "fails":
                http.Response.StatusCode = 500;
                break;
            case "closes":
                http.Abort();
                break;
            case "stalls-in-the-middle":
                http.Response.StatusCode = 200;
                await http.Response.WriteAsync("some");
                await http.Response.Body.FlushAsync();
                await Task.WhenAny(Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, http.RequestAborted));
                break;
            case "never-answers":
                await Task.WhenAny(Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, http.RequestAborted));
                break;
            case "redirects":
                http.Response.StatusCode = 307;
                http.Response.Headers.Location = Receiver.Url("elsewhere");
                break;
            case "too-many-headers":
                for (var i = 0; i < 32; i++)
                {
                    http.Response.Headers["x-" + i] = new string('x', 1_000);
                }

                break;
            case "slowly":
                await Task.Delay(TimeSpan.FromMilliseconds(500), TimeProvider.System);
                http.Response.StatusCode = 200;
                break;
            case "endless":
                http.Response.StatusCode = 200;
                var much = new byte[64 * 1024];
                while (!http.RequestAborted.IsCancellationRequested)
                {
                    await http.Response.Body.WriteAsync(much, http.RequestAborted);
                }

                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(way), way, null);
        }
    }

    /// <summary>Which aggregate a request is about.</summary>
    private static string Aggregate(HttpContext http) => ((Received)http.Items[typeof(Received)]!).Event.GetProperty("aggregateid").GetString()!;

    private static Task Clients(AgencyPlatformClient admin, TestAgency agency, string prefix, int count, int atOnce = 1) =>
        Parallel.ForAsync(0, count, new ParallelOptions { MaxDegreeOfParallelism = atOnce }, async (i, _) => await admin.Clients.CreateClientCompanyAsync(new CreateClientCompanyRequest
        {
            Parent = agency.Name,
            ClientCompanyId = $"{prefix}-{i}",
            ClientCompany = new ClientCompany { DisplayName = "Client", TimeZone = "America/New_York" },
        }));

    private static async Task<List<Event>> Feed(AgencyPlatformClient admin, TestAgency agency)
    {
        var (all, page) = (new List<Event>(), new ListEventsResponse());
        do
        {
            page = await admin.Events.ListEventsAsync(new ListEventsRequest { Parent = agency.Name, After = page.NextCursor, PageSize = 1_000 });
            all.AddRange(page.Events);
        }
        while (!page.EndOfFeed);
        return all;
    }

    private static async Task Until(Func<Task<bool>> condition)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!await condition())
        {
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, patience.Token);
        }
    }
}
