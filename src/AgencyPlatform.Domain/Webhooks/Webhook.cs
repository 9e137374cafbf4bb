using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json.Serialization;
using NodaTime;

namespace AgencyPlatform.Domain.Webhooks;

/// <summary>
/// An endpoint that an agency's events are delivered to, in the order of the feed, one after the other, each at least once. Its position in the feed is recorded now and then: what was
/// delivered since is delivered again after a crash, under the same id. Source: docs/webhooks.md.
/// </summary>
/// <param name="Secrets">The newest first; at most two sign.</param>
/// <param name="Since">When it was made or last enabled, by the system's clock.</param>
/// <param name="Position">Everything up to this event of the feed was delivered, given up or filtered out.</param>
/// <param name="Replays">How often it was set back: what was sent before counts for nothing.</param>
/// <param name="Retried">The event right after the position, when it failed.</param>
/// <param name="FailingSince">Nothing came through since; null: the last request was taken.</param>
/// <param name="Failed">Events that were given up, by sequence number: the newest <see cref="MostFailed"/>.</param>
/// <param name="LastByHand">What came of the last request that was asked for.</param>
[GenerateSerializer, Immutable, Alias("webhook")]
public sealed record Webhook(
    WebhookId Id,
    WebhookEndpoint Endpoint,
    WebhookState State,
    ImmutableArray<WebhookSecret> Secrets,
    Instant Since,
    long Position,
    int Replays,
    RetriedDelivery? Retried,
    Instant? FailingSince,
    ImmutableSortedDictionary<long, FailedDelivery> Failed,
    WebhookAttempt? LastByHand) : IState<Webhook>
{
    public const int MostPerAgency = 20;
    public const int MostFilters = 100;
    public const int MostFailed = 1_000;

    /// <summary>HTTP 410.</summary>
    private const int Gone = 410;

    public static string Kind => "webhook";

    public static int FoldVersion => 1;

    public static bool WakesBySystemClock => true;

    public static Webhook Initial { get; } = new(
        default, new WebhookEndpoint("", "", [], []), WebhookState.Deleted, [], default, 0, 0, null, null, ImmutableSortedDictionary<long, FailedDelivery>.Empty, null);

    [JsonIgnore]
    public bool Exists => State != WebhookState.Deleted;

    [JsonIgnore]
    public bool Delivers => State == WebhookState.Enabled;

    /// <summary>
    /// While it is enabled it is due for good: it is woken again and again, and so finds what nobody has told it of, because a silo has ended or the agency has moved.
    /// What fails is due when it is tried again.
    /// </summary>
    [JsonIgnore]
    public Instant? NextDue => Delivers ? Retried?.RetryAt ?? Since : null;

    public ImmutableArray<IEvent> Settle(Instant now) => [];

    /// <summary>Whether an event of the feed is delivered. Never what happens to webhooks, which would not end, nor that a request changed nothing.</summary>
    public bool Takes(string kind, string type) =>
        kind != Kind && type != NothingChangedName
        && ((Endpoint.Kinds.IsEmpty && Endpoint.Types.IsEmpty) || Endpoint.Kinds.Contains(kind) || Endpoint.Types.Contains(type));

    /// <summary>The secrets that sign now, the newest first.</summary>
    public ImmutableArray<WebhookSecret> Signing(Instant now) => [.. Secrets.Where(s => s.SignsUntil is not { } until || now < until)];

    // ---- decisions ----

    /// <param name="position">The end of the feed.</param>
    /// <param name="now">By the system's clock, as in all decisions of a webhook.</param>
    public Decision Create(CreateWebhook command, WebhookSecret secret, long position, Instant now) =>
        Id.Value is not null ? Rejection.AlreadyExists(Kind, command.Id.Value) : Decision.Accept(new WebhookCreated(command.Id, command.Endpoint, secret, position, now));

    public Decision Update(UpdateWebhook command, Instant now)
    {
        if (!Exists)
        {
            return NotFound();
        }

        var events = ImmutableArray.CreateBuilder<IEvent>();
        var endpoint = new WebhookEndpoint(command.Url ?? Endpoint.Url, command.DisplayName ?? Endpoint.DisplayName, command.Kinds ?? Endpoint.Kinds, command.Types ?? Endpoint.Types);
        if (!endpoint.SameAs(Endpoint))
        {
            events.Add(new WebhookUpdated(endpoint));
        }

        if (command.Disabled == Delivers)
        {
            events.Add(Delivers ? new WebhookDisabled(WebhookState.Disabled, null) : new WebhookEnabled(now));
        }

        return Decision.Accept(events.ToImmutable());
    }

    public Decision RotateSecret(RotateWebhookSecret command, WebhookSecret secret, Instant now) =>
        Exists ? Decision.Accept(new WebhookSecretRotated(secret, now + command.Overlap)) : NotFound();

    public Decision Delete() => Exists ? Decision.Accept(new WebhookDeleted()) : NotFound();

    /// <summary>Everything up to a place was seen to.</summary>
    /// <param name="replays">Of the state that it was sent by.</param>
    public Decision Progress(long position, int taken, int replays) =>
        Exists && replays == Replays && position > Position ? Decision.Accept(new WebhookProgressed(position, taken)) : Decision.Nothing;

    /// <summary>A request failed: it is tried again, given up, or the endpoint is disabled.</summary>
    public Decision Fail(FailDelivery command)
    {
        var (sequence, type, attempt, _, _, replays, retries) = command;
        if (!Delivers || replays != Replays || sequence <= Position)
        {
            return Decision.Nothing;
        }

        if (attempt.Status == Gone)
        {
            return Decision.Accept(new WebhookDisabled(WebhookState.Gone, attempt));
        }

        if (FailingSince is { } since && attempt.At - since >= retries.DisableAfter)
        {
            return Decision.Accept(new WebhookDisabled(WebhookState.FailedTooLong, attempt));
        }

        var attempts = (Retried?.Sequence == sequence ? Retried.Attempts : 0) + 1;
        return attempts >= retries.MostAttempts
            ? Decision.Accept(new WebhookDeliveryGivenUp(new FailedDelivery(sequence, type, attempts, attempt)))
            : Decision.Accept(new WebhookAttemptFailed(new RetriedDelivery(sequence, type, attempts, attempt.At + retries.After(attempts, command.Jitter, command.RetryAfter), attempt)));
    }

    /// <summary>Sets it back, or forward: everything from a place on is delivered, in order, whatever was delivered of it before.</summary>
    /// <param name="head">The end of the feed.</param>
    public Decision Replay(long fromSequence, long head) =>
        !Exists ? NotFound()
        : fromSequence < 1 || fromSequence > head + 1
            ? Rejection.Invalid(new FieldViolation("from_sequence", string.Create(CultureInfo.InvariantCulture, $"must be 1 to {head + 1}, right after the feed's end; it is {fromSequence}")))
        : Decision.Accept(new WebhookReplayed(fromSequence));

    /// <summary>One event was sent by hand.</summary>
    public Decision Redelivered(long sequence, WebhookAttempt attempt) => Exists ? Decision.Accept(new WebhookEventRedelivered(sequence, attempt)) : NotFound();

    public Decision Pinged(WebhookAttempt attempt) => Exists ? Decision.Accept(new WebhookPinged(attempt)) : NotFound();

    // ---- fold ----

    public Webhook Apply(IEvent @event) => @event switch
    {
        WebhookCreated e => Initial with { Id = e.Id, Endpoint = e.Endpoint, State = WebhookState.Enabled, Secrets = [e.Secret], Since = e.At, Position = e.Position },

        // Another address begins anew.
        WebhookUpdated e when e.Endpoint.Url != Endpoint.Url => this with { Endpoint = e.Endpoint, Retried = null, FailingSince = null },
        WebhookUpdated e => this with { Endpoint = e.Endpoint },
        WebhookEnabled e => this with { State = WebhookState.Enabled, Since = e.At, Retried = null, FailingSince = null },
        WebhookDisabled e => this with { State = e.Because },
        WebhookSecretRotated e => this with { Secrets = [e.Secret, Secrets[0] with { SignsUntil = e.PreviousSignsUntil }] },
        WebhookProgressed e => this with { Position = e.Position, Retried = null, FailingSince = e.Taken > 0 ? null : FailingSince },
        WebhookAttemptFailed e => this with { Position = e.Delivery.Sequence - 1, Retried = e.Delivery, FailingSince = FailingSince ?? e.Delivery.Last.At },
        WebhookDeliveryGivenUp e => this with
        {
            Position = e.Delivery.Sequence,
            Retried = null,
            FailingSince = FailingSince ?? e.Delivery.Last.At,
            Failed = Newest(Failed.SetItem(e.Delivery.Sequence, e.Delivery)),
        },
        WebhookEventRedelivered { Attempt.Taken: true } e => this with { Failed = Failed.Remove(e.Sequence), LastByHand = e.Attempt },
        WebhookEventRedelivered e => this with
        {
            LastByHand = e.Attempt,
            Failed = Failed.TryGetValue(e.Sequence, out var failed) ? Failed.SetItem(e.Sequence, failed with { Attempts = failed.Attempts + 1, Last = e.Attempt }) : Failed,
        },
        WebhookReplayed e => this with
        {
            Position = e.FromSequence - 1,
            Replays = Replays + 1,
            Retried = null,
            Failed = Failed.RemoveRange(Failed.Keys.Where(s => s >= e.FromSequence)),
        },
        WebhookPinged e => this with { LastByHand = e.Attempt },
        WebhookDeleted => this with { State = WebhookState.Deleted },
        NothingChanged => this,
        _ => throw new InvalidOperationException($"A webhook does not know {@event.GetType().Name}."),
    };

    public IEnumerable<RowChange> Project(IEvent @event, EventInfo info) => @event switch
    {
        WebhookCreated e => [new Put(new WebhookRow(e.Id))],
        WebhookDeleted => [new Drop(new WebhookRow(Id))],
        _ => [],
    };

    private static string NothingChangedName { get; } = EventJson.Catalogue[typeof(NothingChanged)].Name;

    private static ImmutableSortedDictionary<long, FailedDelivery> Newest(ImmutableSortedDictionary<long, FailedDelivery> failed) =>
        failed.Count > MostFailed ? failed.Remove(failed.Keys.First()) : failed;

    private static Rejection NotFound() => Rejection.NotFound(Kind, "");
}
