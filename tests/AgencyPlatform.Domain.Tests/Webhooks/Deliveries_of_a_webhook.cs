using System.Collections.Immutable;
using System.Text.Json;
using AgencyPlatform.Domain.Agencies;
using AgencyPlatform.Domain.Webhooks;
using NodaTime;

namespace AgencyPlatform.Domain.Tests.Webhooks;

/// <summary>How far a webhook is, what is tried again and when, what is given up, and when an endpoint is disabled.</summary>
public class Deliveries_of_a_webhook
{
    private static readonly Instant s_now = Instant.FromUtc(2026, 3, 2, 9, 0);
    private static readonly WebhookRetries s_retries = new(Duration.FromSeconds(5), 10, Duration.FromHours(72));
    private static readonly WebhookSecret s_secret = new(new string('a', 64), "k1");

    [Theory]
    [InlineData(1, 500, 5)]
    [InlineData(2, 500, 20)]
    [InlineData(3, 500, 80)]
    [InlineData(4, 500, 320)]
    [InlineData(5, 500, 1_280)]
    [InlineData(6, 500, 3_600)]
    [InlineData(9, 500, 3_600)]
    [InlineData(50, 500, 3_600)]
    [InlineData(6, 0, 2_700)]
    [InlineData(6, 1_000, 4_500)]
    public void Each_wait_is_four_times_the_one_before_an_hour_at_most_and_a_quarter_less_or_more(int attempts, int jitter, int seconds) =>
        Assert.Equal(Duration.FromSeconds(seconds), s_retries.After(attempts, jitter, asked: null));

    [Theory]
    [InlineData(2, 5)] // Sooner than the schedule: the schedule.
    [InlineData(120, 120)]
    [InlineData(7 * 86_400, 86_400)]
    public void An_endpoint_is_left_alone_for_as_long_as_it_asks_a_day_at_most(int asked, int seconds) =>
        Assert.Equal(Duration.FromSeconds(seconds), s_retries.After(1, 500, Duration.FromSeconds(asked)));

    [Theory]
    [InlineData("cmo", "cmo.booking-held", "", "", true)]
    [InlineData("cmo", "cmo.booking-held", "cmo", "", true)]
    [InlineData("cmo", "cmo.booking-held", "client", "", false)]
    [InlineData("cmo", "cmo.booking-held", "", "cmo.booking-held", true)]
    [InlineData("cmo", "cmo.booking-held", "", "cmo.booking-released", false)]
    [InlineData("cmo", "cmo.booking-held", "client", "cmo.booking-held", true)]
    [InlineData("cmo", "nothing-changed", "", "", false)]
    [InlineData("cmo", "nothing-changed", "cmo", "", false)]
    [InlineData("webhook", "webhook.progressed", "", "", false)]
    [InlineData("webhook", "webhook.disabled", "webhook", "webhook.disabled", false)]
    public void It_takes_what_its_kinds_or_types_name_and_never_what_happens_to_webhooks(string kind, string type, string kinds, string types, bool takes) =>
        Assert.Equal(takes, Made(kinds: Names(kinds), types: Names(types)).Takes(kind, type));

    [Fact]
    public void An_event_that_fails_is_tried_again_given_up_after_the_last_attempt_and_the_next_one_goes_on()
    {
        var webhook = Made();
        for (var attempt = 1; attempt < 10; attempt++)
        {
            webhook = Then(webhook, w => w.Fail(Failed(8)));
            Assert.Equal((8, attempt, 7), (webhook.Retried!.Sequence, webhook.Retried.Attempts, webhook.Position));
            Assert.Equal(webhook.Retried.RetryAt, webhook.NextDue);
        }

        webhook = Then(webhook, w => w.Fail(Failed(8)));

        Assert.Equal((8, null), (webhook.Position, webhook.Retried));
        Assert.Equal(10, Assert.Single(webhook.Failed).Value.Attempts);
        Assert.Equal(s_now, webhook.FailingSince);
        Assert.Equal(1, Then(webhook, w => w.Fail(Failed(9))).Retried!.Attempts);
    }

    [Fact]
    public void A_success_ends_the_failing_and_what_was_only_passed_over_does_not()
    {
        var failing = Then(Made(), w => w.Fail(Failed(8)));

        Assert.Null(Then(failing, w => w.Progress(8, 1, 0)).FailingSince);
        Assert.Equal(s_now, Then(failing, w => w.Progress(8, 0, 0)).FailingSince);
        Assert.Null(Then(failing, w => w.Progress(8, 0, 0)).Retried);
    }

    [Fact]
    public void An_endpoint_that_fails_for_too_long_is_disabled_and_goes_on_where_it_was_once_enabled()
    {
        var failing = Then(Made(), w => w.Fail(Failed(8)));
        var disabled = Then(failing, w => w.Fail(Failed(8, s_now + s_retries.DisableAfter)));

        Assert.Equal((WebhookState.FailedTooLong, 7L, null), (disabled.State, disabled.Position, disabled.NextDue));
        Assert.Empty(disabled.Fail(Failed(8)).Events);
        var enabled = Then(disabled, w => w.Update(new UpdateWebhook(null, null, null, null, Disabled: false), s_now));
        Assert.Equal((WebhookState.Enabled, 7L, null, null), (enabled.State, enabled.Position, enabled.Retried, enabled.FailingSince));
    }

    [Fact]
    public void One_that_says_it_is_gone_is_disabled_at_once() =>
        Assert.Equal(WebhookState.Gone, Then(Made(), w => w.Fail(Failed(8, status: 410))).State);

    [Fact]
    public void What_was_sent_before_a_replay_counts_for_nothing()
    {
        var replayed = Then(Then(Made(), w => w.Progress(20, 13, 0)), w => w.Replay(5, head: 30));

        Assert.Equal((4, 1), (replayed.Position, replayed.Replays));
        Assert.Empty(replayed.Progress(21, 1, replays: 0).Events);
        Assert.Empty(replayed.Fail(Failed(21)).Events);
        Assert.Equal(5, Then(replayed, w => w.Progress(5, 1, replays: 1)).Position);
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, true)]
    [InlineData(31, true)]
    [InlineData(32, false)]
    public void A_replay_begins_within_the_feed_or_right_behind_it(long from, bool accepted) => Assert.Equal(accepted, Made().Replay(from, head: 30).Rejection is null);

    [Fact]
    public void A_replay_takes_the_failed_deliveries_that_it_delivers_again_off_the_list()
    {
        var once = s_retries with { MostAttempts = 1 };
        var webhook = Then(Then(Made(), w => w.Fail(Failed(8) with { Retries = once })), w => w.Fail(Failed(12) with { Retries = once }));

        Assert.Equal([8, 12], webhook.Failed.Keys);
        Assert.Equal([8], Then(webhook, w => w.Replay(9, 30)).Failed.Keys);
        Assert.Equal([12], Then(webhook, w => w.Redelivered(8, Attempt(200))).Failed.Keys);
        Assert.Equal(2, Then(webhook, w => w.Redelivered(8, Attempt(500))).Failed[8].Attempts);
    }

    [Fact]
    public void Only_the_newest_failed_deliveries_are_listed()
    {
        var once = s_retries with { MostAttempts = 1, DisableAfter = Duration.FromDays(1_000) };
        var webhook = Made();
        for (var sequence = 8; sequence < 8 + Webhook.MostFailed + 2; sequence++)
        {
            webhook = Then(webhook, w => w.Fail(Failed(sequence) with { Retries = once }));
        }

        Assert.Equal((Webhook.MostFailed, 10L), (webhook.Failed.Count, webhook.Failed.Keys.First()));
    }

    [Fact]
    public void Two_secrets_sign_while_one_follows_the_other_and_no_third()
    {
        var (second, third) = (s_secret with { Salt = new string('b', 64) }, s_secret with { Salt = new string('c', 64) });
        var rotated = Then(Made(), w => w.RotateSecret(new RotateWebhookSecret(Duration.FromHours(24)), second, s_now));

        Assert.Equal([second.Salt, s_secret.Salt], rotated.Signing(s_now).Select(s => s.Salt));
        Assert.Equal([second.Salt], rotated.Signing(s_now + Duration.FromHours(24)).Select(s => s.Salt));
        Assert.Equal([third.Salt, second.Salt], Then(rotated, w => w.RotateSecret(new RotateWebhookSecret(Duration.FromHours(24)), third, s_now)).Signing(s_now).Select(s => s.Salt));
        Assert.Equal([second.Salt], Then(Made(), w => w.RotateSecret(new RotateWebhookSecret(Duration.Zero), second, s_now)).Signing(s_now).Select(s => s.Salt));
    }

    [Fact]
    public void It_is_woken_again_and_again_while_it_is_enabled()
    {
        Assert.Equal(s_now, Made().NextDue);
        Assert.Empty(Made().Settle(s_now + Duration.FromDays(1)));
        Assert.Null(Then(Made(), w => w.Update(new UpdateWebhook(null, null, null, null, Disabled: true), s_now)).NextDue);
        Assert.Null(Then(Made(), w => w.Delete()).NextDue);
    }

    [Fact]
    public void A_deleted_one_is_not_there_and_its_id_is_not_used_again()
    {
        var deleted = Then(Made(), w => w.Delete());

        Assert.Equal(RejectionKind.NotFound, deleted.Delete().Rejection!.Kind);
        Assert.Equal(RejectionKind.NotFound, deleted.Replay(1, 30).Rejection!.Kind);
        Assert.Equal(RejectionKind.AlreadyExists, deleted.Create(new CreateWebhook(new("hook"), deleted.Endpoint), s_secret, 0, s_now).Rejection!.Kind);
    }

    [Fact]
    public void Another_address_begins_anew_and_another_name_does_not()
    {
        var failing = Then(Made(), w => w.Fail(Failed(8)));

        Assert.NotNull(Then(failing, w => w.Update(new UpdateWebhook(null, "Other", null, null, null), s_now)).Retried);
        var moved = Then(failing, w => w.Update(new UpdateWebhook("https://other.example/", null, null, null, null), s_now));
        Assert.Equal((null, null, 7L), (moved.Retried, moved.FailingSince, moved.Position));
        Assert.Empty(failing.Update(new UpdateWebhook("https://hooks.example/", "Hook", [], [], Disabled: false), s_now).Events);
    }

    [Fact]
    public void Who_follows_the_events_is_shown_no_salt_and_no_hash_of_a_secret()
    {
        var created = Shown(new WebhookCreated(new("hook"), Made().Endpoint, s_secret, 7, s_now));
        var key = Shown(new ApiKeyCreated(new ApiKey(new("crm"), "CRM", new string('f', 64), [Role.Service], null, null, s_now, null, false)));

        Assert.Equal(["keyId"], created.GetProperty("secret").EnumerateObject().Select(p => p.Name));
        Assert.False(key.GetProperty("key").TryGetProperty("secretHash", out _));
        Assert.Equal("CRM", key.GetProperty("key").GetProperty("displayName").GetString());
        Assert.Equal("aaaa", Shown(new WebhookUpdated(Made().Endpoint with { DisplayName = "aaaa" })).GetProperty("endpoint").GetProperty("displayName").GetString());

        static JsonElement Shown(IEvent e) => JsonDocument.Parse(EventJson.Shown(EventJson.NameOf(e).Name, EventJson.NameOf(e).Version, EventJson.Serialize(e))).RootElement;
    }

    private static Webhook Made(ImmutableArray<string>? kinds = null, ImmutableArray<string>? types = null) => Then(
        Webhook.Initial, w => w.Create(new CreateWebhook(new("hook"), new WebhookEndpoint("https://hooks.example/", "Hook", kinds ?? [], types ?? [])), s_secret, 7, s_now));

    private static FailDelivery Failed(long sequence, Instant? at = null, int status = 500) => new(sequence, "cmo.booking-held", Attempt(status, at), 500, null, 0, s_retries);

    private static WebhookAttempt Attempt(int status, Instant? at = null) => new("id", at ?? s_now, status, status < 300 ? "" : $"answered {status}", 12);

    private static ImmutableArray<string> Names(string names) => [.. names.Split(' ', StringSplitOptions.RemoveEmptyEntries)];

    private static Webhook Then(Webhook webhook, Func<Webhook, Decision> decide)
    {
        var decision = decide(webhook);
        Assert.Null(decision.Rejection);
        return decision.Events.Aggregate(webhook, (w, e) => w.Apply(e));
    }
}
