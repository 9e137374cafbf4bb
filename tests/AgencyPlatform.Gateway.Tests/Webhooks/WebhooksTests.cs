using AgencyPlatform.Protocol.Agencies.V1;
using AgencyPlatform.Protocol.Events.V1;
using AgencyPlatform.Protocol.Webhooks.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace AgencyPlatform.Gateway.Tests.Webhooks;

/// <summary>A host whose webhooks call the public internet only.</summary>
public sealed class CarefulHost : IAsyncLifetime
{
    internal PlatformFixture Platform { get; } = new(null, ("Webhooks:AllowPrivateAddresses", "false"));

    public Task InitializeAsync() => Platform.InitializeAsync();

    public Task DisposeAsync() => Platform.DisposeAsync();
}

/// <summary>Webhooks over the API; what is delivered is in <see cref="DeliveryTests"/>.</summary>
public sealed class WebhooksTests(WebhookHost host, CarefulHost careful) : IClassFixture<WebhookHost>, IClassFixture<CarefulHost>
{
    [Fact]
    public async Task A_webhook_is_made_read_changed_listed_and_deleted_and_shows_its_secret_once()
    {
        var agency = await host.Platform.NewAgency();
        var admin = await agency.Admin();
        var request = New(agency, "crm");
        request.Webhook.Kinds.Add(["client", "cmo", "client"]);
        request.RequestId = Guid.CreateVersion7().ToString();
        var made = await admin.Webhooks.CreateWebhookAsync(request);

        Assert.Equal(32, Convert.FromBase64String(made.Secret["whsec_".Length..]).Length);
        Assert.Equal(made, await admin.Webhooks.CreateWebhookAsync(request));
        Assert.Equal(["client", "cmo"], made.Kinds);
        var read = await admin.Webhooks.GetWebhookAsync(new GetWebhookRequest { Name = made.Name });
        Assert.Equal("", read.Secret);
        made.Secret = "";
        Assert.Equal(made, read);

        var changed = await admin.Webhooks.UpdateWebhookAsync(new UpdateWebhookRequest { Webhook = new Webhook { Name = made.Name, Etag = made.Etag, DisplayName = "Renamed", EventTypes = { "engagement.created" } } });
        Assert.Equal(("Renamed", made.Url, ""), (changed.DisplayName, changed.Url, changed.Secret));
        Assert.Equal(["client", "cmo"], changed.Kinds);
        Assert.Equal(["engagement.created"], changed.EventTypes);
        Assert.Equal("ETAG_MISMATCH", (await Refused.By(admin.Webhooks.UpdateWebhookAsync(new UpdateWebhookRequest { Webhook = new Webhook { Name = made.Name, Etag = made.Etag, DisplayName = "Late" } }))).Reason);

        await admin.Webhooks.CreateWebhookAsync(New(agency, "another"));
        Assert.Equal(["another", "crm"], (await admin.Webhooks.ListWebhooksAsync(new ListWebhooksRequest { Parent = agency.Name })).Webhooks.Select(w => w.Name.Split('/')[^1]));
        await admin.Webhooks.DeleteWebhookAsync(new DeleteWebhookRequest { Name = made.Name });
        Assert.Equal(["another"], (await admin.Webhooks.ListWebhooksAsync(new ListWebhooksRequest { Parent = agency.Name })).Webhooks.Select(w => w.Name.Split('/')[^1]));
        var gone = await Refused.By(admin.Webhooks.GetWebhookAsync(new GetWebhookRequest { Name = made.Name }));
        Assert.Equal((StatusCode.NotFound, made.Name), (gone.StatusCode, gone.Metadata["resource_name"]));
        Assert.Equal(StatusCode.AlreadyExists, (await Refused.By(admin.Webhooks.CreateWebhookAsync(New(agency, "crm")))).StatusCode);
    }

    [Fact]
    public async Task Two_webhooks_have_two_secrets_and_neither_is_in_the_feed()
    {
        var agency = await host.Platform.NewAgency();
        var admin = await agency.Admin();
        var secrets = new HashSet<string>();
        var made = await admin.Webhooks.CreateWebhookAsync(New(agency, "one"));
        secrets.Add(made.Secret);
        secrets.Add((await admin.Webhooks.CreateWebhookAsync(New(agency, "two"))).Secret);
        secrets.Add((await admin.Webhooks.RotateWebhookSecretAsync(new RotateWebhookSecretRequest { Name = made.Name })).Secret);
        Assert.Equal(3, secrets.Count);

        var feed = (await admin.Events.ListEventsAsync(new ListEventsRequest { Parent = agency.Name, PageSize = 1_000 })).Events.Where(e => e.Kind == "webhook").ToList();
        Assert.Equal(3, feed.Count(e => e.Payload.Fields.ContainsKey("secret")));
        Assert.All(feed.Where(e => e.Payload.Fields.ContainsKey("secret")), e => Assert.Equal(["keyId"], e.Payload.Fields["secret"].StructValue.Fields.Keys));
        Assert.All(feed, e => Assert.Equal($"{agency.Name}/webhooks/{e.AggregateId}", e.Resource));
    }

    [Fact]
    public async Task Every_bad_field_is_named()
    {
        var agency = await host.Platform.NewAgency();
        var admin = await agency.Admin();
        var bad = New(agency, "bad");
        bad.Webhook.DisplayName = "";
        bad.Webhook.Url = new string('x', 2_001);
        bad.Webhook.Disabled = true;
        bad.Webhook.Kinds.Add(["client", "webhook", "nonsense"]);
        bad.Webhook.EventTypes.Add(["webhook.disabled", "client.created"]);
        bad.Webhook.Secret = "whsec_mine";
        Assert.Equal(
            ["webhook.disabled", "webhook.display_name", "webhook.event_types[0]", "webhook.kinds[1]", "webhook.kinds[2]", "webhook.secret", "webhook.url"],
            (await Refused.By(admin.Webhooks.CreateWebhookAsync(bad))).FieldViolations.Select(v => v.Field).Order(StringComparer.Ordinal));

        var made = await admin.Webhooks.CreateWebhookAsync(New(agency, "good"));
        foreach (var overlap in new[] { new Duration { Seconds = -1 }, new Duration { Seconds = 7 * 86_400 + 1 }, new Duration { Nanos = 5 } })
        {
            Assert.Equal(["overlap"], (await Refused.By(admin.Webhooks.RotateWebhookSecretAsync(new RotateWebhookSecretRequest { Name = made.Name, Overlap = overlap }))).FieldViolations.Select(v => v.Field));
        }

        Assert.Equal(["from_sequence"], (await Refused.By(admin.Webhooks.ReplayWebhookAsync(new ReplayWebhookRequest { Name = made.Name, FromSequence = 10_000 }))).FieldViolations.Select(v => v.Field));
        Assert.Equal(["from_sequence"], (await Refused.By(admin.Webhooks.ReplayWebhookAsync(new ReplayWebhookRequest { Name = made.Name }))).FieldViolations.Select(v => v.Field));
        Assert.Equal(["sequence"], (await Refused.By(admin.Webhooks.RedeliverEventAsync(new RedeliverEventRequest { Name = made.Name }))).FieldViolations.Select(v => v.Field));
    }

    [Theory]
    [InlineData("crm.example/hook")]
    [InlineData("/hook")]
    [InlineData("ftp://crm.example/")]
    [InlineData("http://crm.example/")]
    [InlineData("https://user:password@crm.example/")]
    [InlineData("https://crm.example/#part")]
    [InlineData("https://127.0.0.1/")]
    [InlineData("https://2130706433/")]
    [InlineData("https://0x7f.1/")]
    [InlineData("https://10.1.2.3:8443/")]
    [InlineData("https://[::1]/")]
    [InlineData("https://[::ffff:192.168.0.1]/")]
    [InlineData("https://169.254.169.254/latest/meta-data/")]
    public async Task An_address_that_is_not_of_the_public_internet_is_refused(string url)
    {
        var agency = await careful.Platform.NewAgency();
        var admin = await agency.Admin();
        var made = New(agency, "hook");
        made.Webhook.Url = url;
        Assert.Equal(["webhook.url"], (await Refused.By(admin.Webhooks.CreateWebhookAsync(made))).FieldViolations.Select(v => v.Field));

        made.Webhook.Url = "https://crm.example/";
        var name = (await admin.Webhooks.CreateWebhookAsync(made)).Name;
        Assert.Equal(["webhook.url"], (await Refused.By(admin.Webhooks.UpdateWebhookAsync(new UpdateWebhookRequest { Webhook = new Webhook { Name = name, Url = url } }))).FieldViolations.Select(v => v.Field));
    }

    [Fact]
    public async Task A_name_that_has_a_private_address_is_not_called()
    {
        var agency = await careful.Platform.NewAgency();
        var admin = await agency.Admin();
        var request = New(agency, "lies");
        request.Webhook.Url = $"https://localhost:{host.Receiver.Address.Port}/private";
        var made = await admin.Webhooks.CreateWebhookAsync(request);

        var ping = await admin.Webhooks.PingWebhookAsync(new PingWebhookRequest { Name = made.Name });

        Assert.Equal((false, 0, "its name has no address of the public internet"), (ping.Taken, ping.HttpStatus, ping.Error));
        Assert.Empty(host.Receiver.Rest("private"));
    }

    [Fact]
    public async Task An_agency_has_twenty_at_most()
    {
        var agency = await host.Platform.NewAgency();
        var admin = await agency.Admin();
        for (var i = 0; i < 20; i++)
        {
            await admin.Webhooks.CreateWebhookAsync(New(agency, $"hook-{i}"));
        }

        var full = await Refused.By(admin.Webhooks.CreateWebhookAsync(New(agency, "one-more")));
        Assert.Equal((StatusCode.FailedPrecondition, "TOO_MANY_WEBHOOKS", "20"), (full.StatusCode, full.Reason, full.Metadata["maximum"]));
        await admin.Webhooks.DeleteWebhookAsync(new DeleteWebhookRequest { Name = $"{agency.Name}/webhooks/hook-7" });
        await admin.Webhooks.CreateWebhookAsync(New(agency, "one-more"));
    }

    [Fact]
    public async Task A_repeat_of_a_ping_sends_nothing()
    {
        var agency = await host.Platform.NewAgency();
        var admin = await agency.Admin();
        var made = await admin.Webhooks.CreateWebhookAsync(New(agency, "pinged"));
        var request = new PingWebhookRequest { Name = made.Name, RequestId = Guid.CreateVersion7().ToString() };
        var first = await admin.Webhooks.PingWebhookAsync(request);

        Assert.True(first.Taken);
        Assert.Equal(first, await admin.Webhooks.PingWebhookAsync(request));
        Assert.Equal(first.MessageId, Assert.Single(host.Receiver.Rest("pinged"), r => r.Type == "webhook.ping").Id);
    }

    [Fact]
    public async Task Without_a_key_of_the_platform_there_are_no_webhooks_and_an_unknown_one_signs_nothing()
    {
        var own = new PlatformFixture(null, [.. WebhookHost.Settings, ("Webhooks:SecretKeys", new string('1', 64))]);
        await own.InitializeAsync();
        PlatformFixture? other = null;
        try
        {
            var agency = await own.NewAgency();
            var made = await (await agency.Admin()).Webhooks.CreateWebhookAsync(New(agency, "keyed"));
            await own.Stop();
            other = new PlatformFixture(null, [.. WebhookHost.Settings, ("Data:Directory", own.Folder), ("Webhooks:SecretKeys", new string('2', 64))]);
            await other.InitializeAsync();
            var admin = other.Client(await agency.Key(Role.AgencyAdmin));
            Assert.Equal("WEBHOOKS_UNAVAILABLE", (await Refused.By(admin.Webhooks.PingWebhookAsync(new PingWebhookRequest { Name = made.Name }))).Reason);
            Assert.Empty(host.Receiver.Rest("keyed"));

            // Its secret is made with the key that there is; and both are known where both are set.
            var rotated = await admin.Webhooks.RotateWebhookSecretAsync(new RotateWebhookSecretRequest { Name = made.Name });
            Assert.True((await admin.Webhooks.PingWebhookAsync(new PingWebhookRequest { Name = made.Name })).Taken);
            Assert.Equal(1, (await host.Receiver.Next("keyed")).SignedBy(rotated.Secret));
        }
        finally
        {
            await (other?.DisposeAsync() ?? Task.CompletedTask);
            await own.DisposeAsync();
        }
    }

    private CreateWebhookRequest New(TestAgency agency, string id) =>
        new() { Parent = agency.Name, WebhookId = id, Webhook = new Webhook { DisplayName = id, Url = host.Receiver.Url(id) } };
}
