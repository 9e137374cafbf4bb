using System.Collections.Immutable;
using System.Globalization;
using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Webhooks;
using AgencyPlatform.Domain.Webhooks;
using V1 = AgencyPlatform.Protocol.Webhooks.V1;
using Webhook = AgencyPlatform.Domain.Webhooks.Webhook;

namespace AgencyPlatform.Gateway.Webhooks;

/// <summary>The service of webhooks.</summary>
internal sealed class WebhooksService(Calls calls, IGrainFactory grains, IReadModels readModels) : V1.WebhooksService.WebhooksServiceBase
{
    internal const string Collection = "webhooks";

    private static readonly Duration s_overlap = Duration.FromHours(24);
    private static readonly Duration s_longestOverlap = Duration.FromDays(7);

    /// <summary>What may be asked for: everything that happens in an agency, but not what happens to webhooks.</summary>
    private static readonly ImmutableSortedSet<string> s_kinds = [.. AggregateCatalogue.Kinds.Where(kind => kind != Webhook.Kind)];

    private static readonly ImmutableSortedSet<string> s_types = [.. EventJson.Catalogue.Values.Select(e => e.Name).Where(type => !type.StartsWith(Webhook.Kind + ".", StringComparison.Ordinal))];

    public override async Task<V1.Webhook> CreateWebhook(V1.CreateWebhookRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var agency = fields.Agency("parent", request.Parent);
        var id = fields.NewId<WebhookId>("webhook_id", request.WebhookId, request.RequestId);
        var wire = fields.Message("webhook", request.Webhook);
        fields.Require(!wire.Disabled, "webhook.disabled", "must be false: a webhook is made to be delivered to");
        var endpoint = new WebhookEndpoint(Url(wire, fields), DisplayName(wire, fields), Kinds(wire, fields), Types(wire, fields));
        var call = await calls.Mutation(context, request, fields, agency);
        return WithSecret(agency, await Grain(agency, id).Create(call, new CreateWebhook(id, endpoint)));
    }

    public override async Task<V1.Webhook> GetWebhook(V1.GetWebhookRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, id) = fields.Name<WebhookId>("name", request.Name, Collection);
        return ToWire(agency, await Grain(agency, id).Get(await calls.Read(context, request, fields, agency)));
    }

    public override async Task<V1.ListWebhooksResponse> ListWebhooks(V1.ListWebhooksRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var agency = fields.Agency("parent", request.Parent);
        var page = Page.Of(context, request, fields);
        var read = await calls.Read(context, request, fields, agency);
        var (rows, next) = page.Cut(await readModels.List<WebhookRow>(agency, page.Query<WebhookRow>(), context.CancellationToken));
        var webhooks = await Task.WhenAll(rows.Select(row => Grain(agency, row.Id).Get(read)));

        // One that was deleted since is left out.
        return new V1.ListWebhooksResponse { Webhooks = { webhooks.Where(w => w.Rejection is not { Kind: RejectionKind.NotFound }).Select(w => ToWire(agency, w)) }, NextPageToken = next };
    }

    public override async Task<V1.Webhook> UpdateWebhook(V1.UpdateWebhookRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var wire = fields.Message("webhook", request.Webhook);
        var (agency, id) = fields.Name<WebhookId>("webhook.name", wire.Name, Collection);
        var mask = fields.Mask("update_mask", request.UpdateMask, wire, "display_name", "url", "kinds", "event_types", "disabled");
        var command = new UpdateWebhook(
            mask.Contains("url") ? Url(wire, fields) : null, mask.Contains("display_name") ? DisplayName(wire, fields) : null,
            mask.Contains("kinds") ? Kinds(wire, fields) : null, mask.Contains("event_types") ? Types(wire, fields) : null, mask.Contains("disabled") ? wire.Disabled : null);
        var call = await calls.Mutation(context, request, fields, agency, wire.Etag, "webhook.etag");
        return ToWire(agency, await Grain(agency, id).Update(call, command));
    }

    public override async Task<V1.Webhook> RotateWebhookSecret(V1.RotateWebhookSecretRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, id) = fields.Name<WebhookId>("name", request.Name, Collection);
        var overlap = request.Overlap is { } asked ? Duration.FromSeconds(asked.Seconds) : s_overlap;
        fields.Require(
            request.Overlap is not { } given || (given.Nanos == 0 && given.Seconds >= 0 && given.Seconds <= (long)s_longestOverlap.TotalSeconds), "overlap",
            $"must be whole seconds, 0 to {s_longestOverlap.TotalSeconds.ToString(CultureInfo.InvariantCulture)}");
        var call = await calls.Mutation(context, request, fields, agency);
        return WithSecret(agency, await Grain(agency, id).RotateSecret(call, new RotateWebhookSecret(overlap)));
    }

    public override async Task<V1.Webhook> DeleteWebhook(V1.DeleteWebhookRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, id) = fields.Name<WebhookId>("name", request.Name, Collection);
        var call = await calls.Mutation(context, request, fields, agency);
        return ToWire(agency, await Grain(agency, id).Delete(call));
    }

    public override async Task<V1.ListFailedDeliveriesResponse> ListFailedDeliveries(V1.ListFailedDeliveriesRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, id) = fields.Name<WebhookId>("parent", request.Parent, Collection);
        var page = Page.Of(context, request, fields);
        var webhook = (await Grain(agency, id).Get(await calls.Read(context, request, fields, agency))).OrThrow().Value;
        var (items, next) = page.Cut(webhook.Failed.Values, f => f.Sequence.ToString("d19", CultureInfo.InvariantCulture));
        return new V1.ListFailedDeliveriesResponse { FailedDeliveries = { items.Select(WebhookWire.ToWire) }, NextPageToken = next };
    }

    public override async Task<V1.DeliveryAttempt> RedeliverEvent(V1.RedeliverEventRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, id) = fields.Name<WebhookId>("name", request.Name, Collection);
        var sequence = fields.Number("sequence", request.Sequence, 1, long.MaxValue);
        var call = await calls.Mutation(context, request, fields, agency);
        return WebhookWire.ToWire((await Grain(agency, id).Redeliver(call, sequence)).OrThrow().Value);
    }

    public override async Task<V1.Webhook> ReplayWebhook(V1.ReplayWebhookRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, id) = fields.Name<WebhookId>("name", request.Name, Collection);
        var from = fields.Number("from_sequence", request.FromSequence, 1, long.MaxValue);
        var call = await calls.Mutation(context, request, fields, agency);
        return ToWire(agency, await Grain(agency, id).Replay(call, from));
    }

    public override async Task<V1.DeliveryAttempt> PingWebhook(V1.PingWebhookRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var (agency, id) = fields.Name<WebhookId>("name", request.Name, Collection);
        var call = await calls.Mutation(context, request, fields, agency);
        return WebhookWire.ToWire((await Grain(agency, id).Ping(call)).OrThrow().Value);
    }

    private IWebhookGrain Grain(AgencyId agency, WebhookId id) => grains.Of<IWebhookGrain>(agency, id.Value);

    private static V1.Webhook ToWire(AgencyId agency, Reply<Webhook> reply)
    {
        var (webhook, meta) = reply.OrThrow();
        return WebhookWire.ToWire(agency, webhook, meta);
    }

    private static V1.Webhook WithSecret(AgencyId agency, Reply<WebhookWithSecret> reply)
    {
        var (made, meta) = reply.OrThrow();
        return WebhookWire.ToWire(agency, made.Webhook, meta, made.Secret);
    }

    /// <summary>Whether it may be called is the silo's to judge, which calls it.</summary>
    private static string Url(V1.Webhook wire, Fields fields) => fields.Text("webhook.url", wire.Url, 2_000);

    private static string DisplayName(V1.Webhook wire, Fields fields) => fields.Text("webhook.display_name", wire.DisplayName, 200);

    private static ImmutableArray<string> Kinds(V1.Webhook wire, Fields fields) => Known("webhook.kinds", wire.Kinds, s_kinds, "a kind of aggregate such as cmo", fields);

    private static ImmutableArray<string> Types(V1.Webhook wire, Fields fields) => Known("webhook.event_types", wire.EventTypes, s_types, "a type of event such as cmo.booking-held", fields);

    private static ImmutableArray<string> Known(string path, IReadOnlyCollection<string> names, ImmutableSortedSet<string> known, string what, Fields fields)
    {
        fields.Require(names.Count <= Webhook.MostFilters, path, $"must be at most {Webhook.MostFilters}; they are {names.Count}");
        foreach (var (i, name) in names.Take(Webhook.MostFilters).Index())
        {
            fields.Require(known.Contains(name), $"{path}[{i}]", $"must be {what}; there is none of this name, or it is of webhooks themselves");
        }

        return [.. names.Take(Webhook.MostFilters).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
    }
}
