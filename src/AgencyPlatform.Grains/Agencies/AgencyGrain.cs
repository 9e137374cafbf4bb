using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Domain.Agencies;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Grains.Billing;
using Orleans.Concurrency;

namespace AgencyPlatform.Grains.Agencies;

/// <inheritdoc cref="IAgencyGrain"/>
[Reentrant]
internal sealed class AgencyGrain(GrainServices services, IDeadlines deadlines) : AggregateGrain<Agency>(services), IAgencyGrain
{
    private static readonly TimeSpan s_clockBudget = TimeSpan.FromSeconds(5);
    private readonly TimeProvider _system = services.System;

    public Task<Reply<Agency>> Create(Call call, CreateAgency c) => Decide(call, (s, _) => s.Create(c), s => s);

    public Task<Reply<Agency>> Update(Call call, UpdateAgency c) => Decide(call, (s, _) => s.Update(c), s => s);

    public async Task<Reply<Agency>> PutLegalEntity(Call call, PutLegalEntity c)
    {
        var imported = await ReadModels.ImportedNumbers(Key.Agency, c.LegalEntity.Id);
        return await Decide(call, (s, now) => s.PutLegalEntity(c, imported, now), s => s);
    }

    public async Task<Reply<Agency>> SetInvoiceSeries(Call call, SetInvoiceSeries c)
    {
        var imported = await ReadModels.ImportedNumbers(Key.Agency, c.LegalEntity);
        return await Decide(call, (s, now) => s.SetInvoiceSeries(c, imported, now), s => s);
    }

    public Task<Reply<SeriesFormat>> UseInvoiceSeries(Call call, LegalEntityId entity, InvoiceSeriesId series) =>
        Decide(call, (s, _) => s.UseInvoiceSeries(entity, series), s => s.FormatOf(entity, series));

    public Task<Reply<Agency>> SetHolidayCalendar(Call call, SetHolidayCalendar c) => Decide(call, (s, _) => s.SetHolidayCalendar(c), s => s);

    public Task<Reply<ApiKey>> CreateApiKey(Call call, CreateApiKey c) => Decide(call, (s, _) => s.CreateApiKey(c), s => s.ApiKeys[c.Key.Id]);

    public Task<Reply<ApiKey>> RevokeApiKey(Call call, RevokeApiKey c) => Decide(call, (s, _) => s.RevokeApiKey(c), s => s.ApiKeys[c.Id]);

    public Task<Reply<AgencyId>> Note(Call call) => Decide(call, (s, _) => s.Exists ? Decision.Nothing : Rejection.NotFound(Key.Kind, Key.Id), s => s.Id);

    public Task<Reply<Agency>> Get(Read read) => Query(read, (s, _) => s);

    public Task<Reply<AgencyPolicy>> GetPolicy(Read read) => Query(read, (s, _) => s.Policy);

    public async Task<AgencyContext?> GetContext()
    {
        var context = (await Query(new Read(Key.Agency), (s, _) => new AgencyContext(s.Clock, s.Policy.Version))).Value;
        Tell();
        return context;
    }

    protected override void Tell()
    {
        if (Committed.Exists)
        {
            ActiveFacts.Tell(Key.Agency, new AgencyContext(Committed.Clock, Committed.Policy.Version));
        }
    }

    protected override void TakeBack() => ActiveFacts.TakeBack(Key.Agency);

    public async Task<AuthenticatedKey?> Authenticate(ApiKeyId key, byte[] secretHash) =>
        (await Query(new Read(Key.Agency), (s, _) => s.Authenticate(key, secretHash) is { } found ? new AuthenticatedKey(found, s.IsSandbox) : null)).Value;

    /// <summary>
    /// Works through the agency's due rows in order (due time, aggregate): the clock moves to each, the aggregate settles and its sagas end.
    /// A row that settling leaves as it was is passed by and reported, so that one sick aggregate does not stop the clock.
    /// </summary>
    public async Task<Reply<ClockProgress>> AdvanceClock(Call call, Instant to)
    {
        var started = _system.GetTimestamp();
        var settled = 0;
        var unsettled = new SortedSet<string>(StringComparer.Ordinal);
        var tried = new HashSet<DueDeadline>();
        await Get(new Read(Key.Agency));
        while (Committed.Clock is { } clock && clock <= to)
        {
            if (_system.GetElapsedTime(started) > s_clockBudget)
            {
                return Reply<ClockProgress>.Ok(new ClockProgress(clock, settled, false, [.. unsettled]), new Meta(0, default, clock, clock));
            }

            var rows = await deadlines.Due(Key.Agency, to, tried.Count + 1);
            if (rows.FirstOrDefault(row => !tried.Contains(row with { Attempts = 0 })) is not { } due)
            {
                break;
            }

            var at = Instant.Max(due.DueAt, clock);
            if (at > clock && await Decide(Clocked(call.AsStep(), at), (s, _) => s.AdvanceClock(at), s => s) is { Rejection: { } refused })
            {
                return Reply<ClockProgress>.No(refused);
            }

            await AggregateGrains.Get(GrainFactory, due.Key).Settle(at);
            settled++;
            if ((await deadlines.Due(Key.Agency, due.DueAt, tried.Count + 1)).Any(row => row.Key == due.Key && row.DueAt == due.DueAt))
            {
                tried.Add(due with { Attempts = 0 });
                unsettled.Add($"{due.Key.Kind}/{due.Key.Id}");
            }
        }

        return await Decide(Clocked(call, to), (s, _) => s.AdvanceClock(to), s => new ClockProgress(s.Clock!.Value, settled, true, [.. unsettled]));
    }

    private static Call Clocked(Call call, Instant at) => call with { SandboxNow = at };
}

/// <inheritdoc cref="IAgencyListingGrain"/>
[Reentrant]
internal sealed class AgencyListingGrain(GrainServices services) : AggregateGrain<AgencyListing>(services), IAgencyListingGrain
{
    public Task<Reply<AgencyListing>> List(Call call, AgencyId agency) => Decide(call, (s, _) => s.List(agency), s => s);
}
