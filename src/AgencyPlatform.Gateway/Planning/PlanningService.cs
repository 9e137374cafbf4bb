using System.Collections.Immutable;
using System.Threading.Channels;
using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Clients;
using AgencyPlatform.Contracts.Cmos;
using AgencyPlatform.Domain.Capacity;
using AgencyPlatform.Domain.Clients;
using AgencyPlatform.Domain.Cmos;
using AgencyPlatform.Gateway.Cmos;
using AgencyPlatform.Planning;
using AgencyPlatform.Planning.Portfolio;
using Microsoft.Extensions.Hosting;
using V1 = AgencyPlatform.Protocol.Planning.V1;

namespace AgencyPlatform.Gateway.Planning;

/// <summary>The service of portfolio plans: gathers the facts, lets the planner weigh them, and applies what it is given through the CMOs.</summary>
internal sealed partial class PlanningService(Calls calls, IGrainFactory grains, IReadModels readModels, PlanTurns turns, TimeProvider time, IHostApplicationLifetime host)
    : V1.PlanningService.PlanningServiceBase
{
    /// <summary>CMOs of an agency whom a plan weighs.</summary>
    private const int MostCmos = 2_000;
    private const int MostClients = 100_000;
    private const int AtOnce = 16;

    public override async Task PlanPortfolio(V1.PlanPortfolioRequest request, IServerStreamWriter<V1.PlanPortfolioResponse> responseStream, ServerCallContext context)
    {
        var begun = time.GetTimestamp();
        var fields = new Fields();
        var agency = fields.Agency("parent", request.Parent);
        var asked = PlanningRequest.Read(request, agency, fields);
        var read = await calls.Read(context, request, fields, agency);
        using var turn = turns.Take();
        var inputs = await Inputs(asked, read, fields, context.CancellationToken);
        fields.ThrowIfAny();

        using var ends = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, host.ApplicationStopping);
        // Only the newest matters to one who reads slowly.
        var told = Channel.CreateBounded<PlanProgress>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });
        var facts = time.GetElapsedTime(begun);
        var options = new PlanOptions(asked.Limit, asked.Effort is null ? PlanTurns.Workers : 1, asked.Seed, asked.Effort);
        var search = Task.Run(
            () =>
            {
                try
                {
                    var problem = PortfolioProblem.Of(inputs);
                    var answer = new Planner(time).Plan(problem, options, p => told.Writer.TryWrite(p with { Elapsed = p.Elapsed + facts }), ends.Token);
                    return (Problem: problem, Answer: answer, Reasons: PlanReasons.Of(problem, answer));
                }
                finally
                {
                    told.Writer.Complete();
                }
            },
            CancellationToken.None);
        try
        {
            await foreach (var progress in told.Reader.ReadAllAsync(ends.Token))
            {
                await responseStream.WriteAsync(new V1.PlanPortfolioResponse { Progress = PlanningWire.ToWire(progress) }, ends.Token);
            }
        }
        catch (OperationCanceledException) when (host.ApplicationStopping.IsCancellationRequested && !context.CancellationToken.IsCancellationRequested)
        {
            await search;
            throw new UnavailableException("The server is stopping. Nothing was changed.");
        }
        finally
        {
            // The turn ends with the search, not before: a caller that has gone has stopped it.
            await ((Task)search).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        var found = await search;
        await responseStream.WriteAsync(
            new V1.PlanPortfolioResponse { Plan = PlanningWire.ToWire(agency, inputs, found.Problem, found.Answer, found.Reasons, time.GetElapsedTime(begun)) }, context.CancellationToken);
    }

    /// <summary>The agency's facts of now. What the request names and is not there is NOT_FOUND.</summary>
    private async Task<PortfolioInputs> Inputs(PlanningRequest asked, Read read, Fields fields, CancellationToken cancellation)
    {
        var rows = await readModels.List<CmoRow>(read.Agency, Query.All(MostCmos + 1), cancellation);
        fields.Require(rows.Count <= MostCmos, "parent", $"must be an agency of at most {MostCmos} CMOs to be planned at once");
        fields.ThrowIfAny();
        var policy = (await grains.Agency(read.Agency).GetPolicy(read)).OrThrow().Value;
        var cmos = await Each(rows, async row => (await grains.Of<IFractionalCmoGrain>(read.Agency, row.Id.Value).Get(read)).OrThrow().Value.Under(policy), cancellation);
        var byId = cmos.ToDictionary(c => c.Id);
        foreach (var named in asked.Cmos.Where(c => !byId.ContainsKey(c)))
        {
            throw Errors.NotFound("cmo", ResourceNames.Of(read.Agency, CmosService.Collection, named.Value));
        }

        var specs = new List<BookingSpec>();
        foreach (var (i, need) in asked.Needs.Index())
        {
            if (need.Today is not { } today)
            {
                specs.Add(need.Spec!);
                continue;
            }

            if (!byId.TryGetValue(today.Cmo, out var holder) || !holder.Bookings.TryGetValue(today.Booking, out var booking))
            {
                throw Errors.NotFound("booking", ResourceNames.Of(read.Agency, CmosService.Collection, today.Cmo.Value, "bookings", today.Booking.Value));
            }

            fields.Require(booking.Owner is null, $"needs[{i}].today_booking", "must belong to no engagement: only the engagement moves its bookings");
            var now = read.SandboxNow ?? Instant.FromDateTimeOffset(time.GetUtcNow());
            fields.Require(booking.Dates.Start > holder.Today(now), $"needs[{i}].today_booking", $"must begin after today, {holder.Today(now):uuuu-MM-dd}");
            specs.Add(booking.Spec);
        }

        var clients = specs.Select(s => s.Client).Concat(asked.Budgets.Select(b => b.Client)).Distinct().Order().ToArray();
        var fences = (await Each(clients, async client => (await grains.Of<IClientCompanyGrain>(read.Agency, client.Value).GetFence(read)).OrThrow().Value, cancellation)).ToDictionary(f => f.Client);
        var industries = (asked.Needs.Any(n => n.FencesIndustry) ? await readModels.List<ClientRow>(read.Agency, Query.All(MostClients), cancellation) : [])
            .Where(c => c.Industry.Length > 0).ToImmutableSortedDictionary(c => c.Id, c => c.Industry);
        return new PortfolioInputs(
            [
                .. asked.Needs.Zip(specs, (n, spec) => new PortfolioNeed(
                    n.Id, spec, fences[spec.Client], industries.GetValueOrDefault(spec.Client, ""), n.FencesIndustry, n.Required, n.Priority, n.MonthlyBudget, n.Role, n.Scores, n.OtherScore,
                    n.Excluded, n.Today, n.MovePoints)),
            ],
            [.. cmos.OrderBy(c => c.Id)], asked.WhatIfs, industries, asked.Budgets, asked.MarkupPercent);
    }

    private static async Task<TResult[]> Each<T, TResult>(IReadOnlyList<T> items, Func<T, Task<TResult>> ask, CancellationToken cancellation)
    {
        var results = new TResult[items.Count];
        await Parallel.ForAsync(0, items.Count, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellation }, async (i, _) => results[i] = await ask(items[i]));
        return results;
    }
}
