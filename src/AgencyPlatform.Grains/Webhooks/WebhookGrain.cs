using System.Diagnostics;
using System.Threading.Channels;
using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Webhooks;
using AgencyPlatform.Domain.Webhooks;
using Microsoft.Extensions.Logging;
using Orleans.Concurrency;

namespace AgencyPlatform.Grains.Webhooks;

/// <summary>
/// See <see cref="IWebhookGrain"/>. While it is active and enabled it follows the feed: it is woken by what this silo commits, and by its deadline, which brings it back wherever the agency lives.
/// </summary>
[Reentrant]
internal sealed partial class WebhookGrain(GrainServices services, WebhookSender sender, WebhookSecrets secrets, WebhookOptions options, FeedWakes wakes) : AggregateGrain<Webhook>(services), IWebhookGrain
{
    /// <summary>Events that are read at once.</summary>
    private const int PageEvents = 64;

    /// <summary>The position is recorded after so many deliveries: so many come again at most after a crash.</summary>
    private const int TakenUntilRecorded = 100;

    /// <summary>The same, where a filter lets few events through: so many are read again at most.</summary>
    private const int PassedUntilRecorded = 10_000;

    /// <summary>And after so long, where deliveries are few: an endpoint adds an event a minute to the feed at most.</summary>
    private static readonly Duration s_untilRecorded = Duration.FromMinutes(1);

    private readonly ILogger _log = services.Loggers.CreateLogger<WebhookGrain>();
    private readonly IJournal _journal = services.Journal;
    private readonly TimeProvider _system = services.System;
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly CancellationTokenSource _stop = new();

    /// <summary>One request to the endpoint at a time.</summary>
    private readonly SemaphoreSlim _turn = new(1);

    private Task? _following;

    // Where it is in the feed, ahead of what was recorded.
    private long _position;
    private int _replays = -1;
    private int _taken;
    private Instant _recordedAt;
    private bool _keyMissed;

    public async Task<Reply<WebhookWithSecret>> Create(Call call, CreateWebhook c)
    {
        var others = await ReadModels.List<WebhookRow>(Key.Agency, Contracts.Journal.Query.All(Webhook.MostPerAgency));
        var refusal = Refusal(c.Endpoint.Url)
            ?? (others.Count >= Webhook.MostPerAgency
                ? Rejection.Rule(Reasons.TooManyWebhooks, $"An agency has at most {Webhook.MostPerAgency} webhooks: delete one first.", ("maximum", $"{Webhook.MostPerAgency}"))
                : null);
        var head = await ReadFeedHead();
        return await Decide(call, (s, _) => s.Create(c, secrets.New(), head.Sequence, SystemNow), WithSecret, refusal);
    }

    public Task<Reply<Webhook>> Update(Call call, UpdateWebhook c) => Decide(call, (s, _) => s.Update(c, SystemNow), s => s, c.Url is { } url ? Refusal(url) : null);

    public Task<Reply<WebhookWithSecret>> RotateSecret(Call call, RotateWebhookSecret c) =>
        Decide(call, (s, _) => s.RotateSecret(c, secrets.New(), SystemNow), WithSecret, secrets.Any ? null : NoKey());

    public Task<Reply<Webhook>> Delete(Call call) => Decide(call, (s, _) => s.Delete(), s => s);

    public Task<Reply<Webhook>> Get(Read read) => Query(read, (s, _) => s);

    public async Task<Reply<Webhook>> Replay(Call call, long fromSequence)
    {
        var head = await ReadFeedHead();
        return await Decide(call, (s, _) => s.Replay(fromSequence, head.Sequence), s => s);
    }

    public async Task<Reply<WebhookAttempt>> Redeliver(Call call, long sequence)
    {
        var stored = (await _journal.ReadFeed(Key.Agency, sequence - 1, 1)).SingleOrDefault(e => e.Sequence == sequence && e.Key.Kind != Webhook.Kind);
        return stored is null
            ? await Decide(call, (_, _) => Rejection.NotFound("event", $"{sequence}"), s => s.LastByHand!)
            : await ByHand(call, () => WebhookMessage.Of(stored), (s, attempt) => s.Redelivered(sequence, attempt));
    }

    public Task<Reply<WebhookAttempt>> Ping(Call call) => ByHand(
        call, () => WebhookMessage.Ping(Key, Guid.CreateVersion7(_system.GetUtcNow()), Instant.Max(SystemNow, call.SandboxNow ?? SystemNow)), (s, attempt) => s.Pinged(attempt));

    /// <summary>It follows the feed beside the calls, so that nobody who wakes it waits for an endpoint.</summary>
    protected override Task<bool> Step(Webhook committed)
    {
        if (committed.Delivers && _following is null or { IsCompleted: true } && !_stop.IsCancellationRequested)
        {
            wakes.Add(Key.Agency, _wake.Writer);
            _following = Follow();
        }

        _wake.Writer.TryWrite(true);
        return Task.FromResult(false);
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        wakes.Remove(Key.Agency, _wake.Writer);
        await _stop.CancelAsync();
        try
        {
            if (_following is { } following)
            {
                await following.WaitAsync(cancellationToken);
                await Record(StepCall(), cancellationToken);
            }
        }
        catch (Exception e)
        {
            LogUnrecorded(_log, Key, e.Message);
        }

        await base.OnDeactivateAsync(reason, cancellationToken);
    }

    /// <summary>Sends once what was asked for, after what is under way, and records what came of it. A repeat is answered as it was, and nothing is sent.</summary>
    private async Task<Reply<WebhookAttempt>> ByHand(Call call, Func<WebhookMessage> message, Func<Webhook, WebhookAttempt, Decision> decide)
    {
        Sent? sent = null;
        if (!await HasAnswered(call) && (await Query(new Read(Key.Agency, call.SandboxNow), (s, _) => s)).Value is { } webhook)
        {
            sent = await Send(webhook, message());
        }

        return await Decide(call, (s, _) => sent is null ? NotSent(s) : decide(s, sent.Attempt), s => s.LastByHand!);

        Rejection NotSent(Webhook s) => s.Exists ? NoKey() : Rejection.NotFound(Key.Kind, Key.Id);
    }

    private async Task<Sent?> Send(Webhook webhook, WebhookMessage message)
    {
        await _turn.WaitAsync(_stop.Token);
        try
        {
            var sent = await sender.Send(Key.Agency, webhook, message, _stop.Token);
            GrainTelemetry.Delivered(sent?.Attempt);
            return sent;
        }
        finally
        {
            _turn.Release();
        }
    }

    private async Task Follow()
    {
        // Of its own: the call that happened to start it ends.
        Activity.Current = null;
        CallerAgency.Set(Key.Agency);
        try
        {
            // What is recorded in a sandbox is dated by its clock, also when nobody has called since the silo's start.
            var sandbox = (ActiveFacts.Context(Key.Agency) ?? await Grain<IAgencyGrain>(Key.Agency.Value).GetContext())?.SandboxNow;
            _recordedAt = SystemNow;
            while (await _wake.Reader.WaitToReadAsync(_stop.Token))
            {
                _wake.Reader.TryRead(out _);
                try
                {
                    await CatchUp(() => StepCall() is { SandboxNow: not null } call ? call : StepCall() with { SandboxNow = sandbox });
                }
                catch (Exception e) when (!_stop.IsCancellationRequested)
                {
                    LogStopped(_log, Key, e.Message);
                }
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // This activation goes; another one goes on from what was recorded.
        }
        catch (Exception e)
        {
            // The next to wake it begins again.
            wakes.Remove(Key.Agency, _wake.Writer);
            LogStopped(_log, Key, e.Message);
        }
    }

    /// <summary>Delivers what there is, in order, until the feed's end, a failure, or that it is not to go on.</summary>
    private async Task CatchUp(Func<Call> step)
    {
        while (MayGoOn())
        {
            if (_replays != Committed.Replays)
            {
                (_replays, _position, _taken) = (Committed.Replays, Committed.Position, 0);
            }

            var page = await _journal.ReadFeed(Key.Agency, _position, PageEvents, cancellation: _stop.Token);
            foreach (var stored in page)
            {
                if (!MayGoOn() || _replays != Committed.Replays)
                {
                    break;
                }

                if (!Committed.Takes(stored.Key.Kind, stored.Event.Name))
                {
                    _position = stored.Sequence;
                }
                else if (!await Deliver(stored, step))
                {
                    return;
                }

                await RecordWhenDue(step);
                if (_position < stored.Sequence)
                {
                    // It failed, and comes again.
                    break;
                }
            }

            if (page.Count == 0)
            {
                await RecordWhenDue(step);
                return;
            }
        }

        if (!Committed.Delivers && _replays == Committed.Replays)
        {
            // Disabled: where it goes on from one day.
            await Record(step(), _stop.Token);
        }
    }

    /// <summary>Whether something is to be sent now.</summary>
    private bool MayGoOn() => Committed.Delivers && !_stop.IsCancellationRequested && (Committed.Retried is not { } retried || retried.RetryAt <= SystemNow);

    /// <summary>Sends an event and moves on where it was taken or given up. False: nothing can be sent.</summary>
    private async Task<bool> Deliver(StoredEvent stored, Func<Call> step)
    {
        var sent = await Send(Committed, WebhookMessage.Of(stored));
        if (sent is null)
        {
            if (!_keyMissed)
            {
                LogKeyMissed(_log, Key);
                _keyMissed = true;
            }

            return false;
        }

        if (!sent.Attempt.Taken)
        {
            var failed = new FailDelivery(stored.Sequence, stored.Event.Name, sent.Attempt, Random.Shared.Next(1_001), sent.RetryAfter, _replays, options.Retries);
            await Decide(step() with { Cause = stored.Event.Id }, (s, _) => s.Fail(failed), s => s);
            if (_replays == Committed.Replays && Committed.Position >= _position)
            {
                // What went before is recorded with it.
                (_position, _taken, _recordedAt) = (Committed.Position, 0, SystemNow);
            }
        }
        else if (_replays == Committed.Replays)
        {
            (_position, _taken) = (stored.Sequence, _taken + 1);
        }

        return true;
    }

    private async Task RecordWhenDue(Func<Call> step)
    {
        var recovered = Committed.Retried is { } retried ? _position >= retried.Sequence : _taken > 0 && Committed.FailingSince is not null;
        if (recovered || _taken >= TakenUntilRecorded || _position - Committed.Position >= PassedUntilRecorded || (_taken > 0 && SystemNow - _recordedAt >= s_untilRecorded))
        {
            await Record(step(), _stop.Token);
        }
    }

    private async Task Record(Call call, CancellationToken cancellation)
    {
        var (position, taken, replays) = (_position, _taken, _replays);
        if (position <= Committed.Position || replays != Committed.Replays)
        {
            return;
        }

        await Decide(call, (s, _) => s.Progress(position, taken, replays), s => s).WaitAsync(cancellation);
        (_taken, _recordedAt) = (_taken - taken, SystemNow);
    }

    private WebhookWithSecret WithSecret(Webhook webhook) => new(webhook, secrets.Text(Key.Agency, webhook));

    private Rejection? Refusal(string url) => !secrets.Any ? NoKey() : sender.Unfit(url) is { } why ? Rejection.Invalid(new FieldViolation("webhook.url", why)) : null;

    private static Rejection NoKey() => Rejection.Rule(Reasons.WebhooksUnavailable, "The platform has no key to make webhooks' secrets with, or not the one that made this secret: its operator sets Webhooks:SecretKeys, or the secret is rotated.");

    [LoggerMessage(LogLevel.Warning, "{Webhook} stops delivering: {Error} It is woken again within half a minute.")]
    private static partial void LogStopped(ILogger log, AggregateKey webhook, string error);

    [LoggerMessage(LogLevel.Debug, "{Webhook} goes without having recorded how far it came: {Error} Some of its events come again.")]
    private static partial void LogUnrecorded(ILogger log, AggregateKey webhook, string error);

    [LoggerMessage(LogLevel.Error, "The key that made a secret of {Webhook} is not among Webhooks:SecretKeys: nothing is delivered until it is, or the secret is rotated.")]
    private static partial void LogKeyMissed(ILogger log, AggregateKey webhook);
}
