using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Billing;
using AgencyPlatform.Contracts.Engagements;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Domain.Clients;
using Microsoft.Extensions.Logging;
using Orleans.Concurrency;

namespace AgencyPlatform.Grains.Billing;

/// <summary>See <see cref="IBillingRunGrain"/>.</summary>
[Reentrant]
public sealed class BillingRunGrain(GrainServices services) : AggregateGrain<BillingRun>(services), IBillingRunGrain
{
    /// <summary>How many clients are billed at the same time, and recorded with one event.</summary>
    public const int ClientsAtOnce = 32;

    /// <summary>How often the same clients are tried when storage or the cluster does not answer, before that is put down as their failure.</summary>
    private const int MostTries = 3;

    private readonly ILogger _log = services.Loggers.CreateLogger<BillingRunGrain>();
    private ClientCompanyId? _triedAfter;
    private int _tries;

    public async Task<Reply<BillingRun>> Start(Call call, StartBillingRun c)
    {
        var read = new Read(Key.Agency, call.SandboxNow);
        var agency = (await Grain<IAgencyGrain>(Key.Agency.Value).Get(read)).Value;
        var refusal = agency is null ? Rejection.NotFound("agency", Key.Agency.Value)
            : c.LegalEntity is { } entity && !agency.LegalEntities.ContainsKey(entity) ? Rejection.NotFound("legal_entity", entity.Value)
            : c.Client is { } client && await ReadModels.Find<ClientRow>(Key.Agency, [client]) is null ? Rejection.NotFound("client_company", client.Value)
            : null;
        var zone = DateTimeZoneProviders.Tzdb[agency?.Settings.TimeZone ?? "UTC"];
        return await Decide(call, (s, now) => s.Start(c, now.InZone(zone).Date, now), s => s, refusal);
    }

    public Task<Reply<BillingRun>> Cancel(Call call) => Decide(call, (s, _) => s.Exists ? s.Cancel() : Rejection.NotFound("billing_run", Key.Id), s => s);

    public async Task<Reply<BillingRun>> Get(Read read)
    {
        var reply = await Query(read, (s, _) => s, Rejection.NotFound("billing_run", Key.Id));
        CarryOn();
        return reply;
    }

    /// <summary>Bills the next clients and records what came of it.</summary>
    protected override async Task<bool> Step(BillingRun run)
    {
        if (!run.IsUnderWay)
        {
            return false;
        }

        var clients = run.Cancelled ? [] : await Next(run);
        if (clients.Count == 0)
        {
            await Decide(StepCall(), (s, now) => s.End(now), s => s);
            return true;
        }

        _tries = _triedAfter == run.Through ? _tries + 1 : 1;
        _triedAfter = run.Through;
        var results = await Task.WhenAll(clients.Select(client => Bill(run, client)));
        _tries = 0;
        await Decide(StepCall(), (s, now) => s.Record(run.Through, clients[^1], [.. results.SelectMany(r => r)], now), s => s);
        return true;
    }

    private async Task<IReadOnlyList<ClientCompanyId>> Next(BillingRun run)
    {
        if (run.Client is { } one)
        {
            return run.Through is null ? [one] : [];
        }

        var rows = await ReadModels.List<ClientRow>(Key.Agency, new Query([], run.Through is { } through ? [through] : [], ClientsAtOnce));
        return [.. rows.Select(r => r.Id)];
    }

    /// <summary>Bills the accounts of a client one after the other. One client's trouble is its own: it stops nobody else.</summary>
    private async Task<List<BillingRunResult>> Bill(BillingRun run, ClientCompanyId client)
    {
        var results = new List<BillingRunResult>();
        try
        {
            foreach (var due in await Due(run, client))
            {
                results.Add(await Guarded(() => Bill(run, due), client, due));
            }
        }
        catch (Exception e) when (!IsTransient(e))
        {
            results.Add(Broken(e, client, null));
        }

        return results;
    }

    private async Task<BillingRunResult> Guarded(Func<Task<BillingRunResult>> bill, ClientCompanyId client, DueBill due)
    {
        try
        {
            return await bill();
        }
        catch (Exception e) when (!IsTransient(e))
        {
            return Broken(e, client, due);
        }
    }

    /// <summary>Whether to try again later: storage or the cluster did not answer, and that not too often yet.</summary>
    private bool IsTransient(Exception e) => e is UnavailableException or TimeoutException && _tries < MostTries;

    private BillingRunResult Broken(Exception e, ClientCompanyId client, DueBill? due)
    {
        var incident = Guid.CreateVersion7(SystemNow.ToDateTimeOffset());
        _log.LogError(e, "Billing {Client} of {Agency} failed ({Incident})", client, Key.Agency, incident);
        return new BillingRunResult(
            client, due?.Account.LegalEntity, due?.Account.Currency, BillingRunOutcome.Failed, null, null, 0,
            Rejection.Rule(Reasons.BillingFailed, $"The account could not be billed because of an error of ours, which the log has as {incident}. The others were billed.", ("incident", incident.ToString())),
            due?.Only);
    }

    /// <summary>What one invoice is made of: an account, or one engagement of it that is invoiced apart.</summary>
    private sealed record DueBill(AccountId Account, EngagementId? Only)
    {
        public string Key => Only is { } only ? $"{Account.Key}/{only}" : Account.Key;
    }

    private async Task<BillingRunResult> Bill(BillingRun run, DueBill due)
    {
        var account = due.Account;
        var grain = Grain<IBillingAccountGrain>(account.Key);
        for (var attempt = 0; ; attempt++)
        {
            var bill = new PrepareInvoice(account, run.To, null, new InvoiceId(IdSyntax.FromRequestId(RequestOf(run, due, "invoice"))), due.Only);

            // A preview does not mind what draft is open.
            var prepared = run.Mode == BillingRunMode.Preview
                ? await grain.Preview(StepCall(), bill, null)
                : await grain.Prepare(StepCall() with { Request = RequestOf(run, due, $"prepare-{attempt}") }, bill);
            if (prepared.Rejection is { } refused)
            {
                return refused.Reason == Reasons.NothingToBill ? Result(BillingRunOutcome.NothingToBill) : Result(BillingRunOutcome.Failed, failure: refused);
            }

            var draft = prepared.Value!;
            if (draft.Content.Lines.IsEmpty)
            {
                return Result(BillingRunOutcome.NothingToBill);
            }

            if (run.Mode != BillingRunMode.Finalize)
            {
                return Result(BillingRunOutcome.Billed, draft);
            }

            var final = await grain.Finalize(StepCall() with { Request = RequestOf(run, due, $"finalize-{attempt}") }, draft.Id);
            if (final.Rejection is not { } stale)
            {
                return Result(BillingRunOutcome.Billed, final.Value);
            }

            // Time was approved in between: once more, with it.
            if (stale.Reason != Reasons.DraftStale || attempt >= 2)
            {
                return Result(BillingRunOutcome.Failed, failure: stale);
            }
        }

        BillingRunResult Result(BillingRunOutcome outcome, Invoice? invoice = null, Rejection? failure = null) => new(
            account.Client, account.LegalEntity, account.Currency, outcome, run.Mode == BillingRunMode.Preview ? null : invoice?.Id, invoice?.Content.Kind, invoice?.Content.Total ?? 0, failure,
            due.Only);
    }

    /// <summary>In whose name and in what a client is charged, by what its engagements' terms say, and which engagements have invoices of their own; in order.</summary>
    private async Task<IReadOnlyList<DueBill>> Due(BillingRun run, ClientCompanyId client)
    {
        var (read, due) = (new Read(Key.Agency, StepCall().SandboxNow), new HashSet<DueBill>());
        await foreach (var engagement in BilledEngagements.Ask(ReadModels, Key.Agency, client, id => Grain<IEngagementGrain>(id.Value).Get(read)))
        {
            due.UnionWith(engagement.Terms.Where(t => run.LegalEntity is null || t.Seller == run.LegalEntity)
                .Select(t => new DueBill(new AccountId(client, t.Seller, t.Currency), engagement.Plan.InvoicedApart ? engagement.Id : null)));
        }

        return [.. due.OrderBy(d => d.Key, StringComparer.Ordinal)];
    }

    /// <summary>The request id of a step with an account: always the same, so that a repeat counts once.</summary>
    private Guid RequestOf(BillingRun run, DueBill due, string step) =>
        IdSyntax.GuidOf($"{Key.Agency}/{run.Id}/{due.Key}/{step}");
}
