using System.Diagnostics;
using AgencyPlatform.Benchmarks.Reporting;
using AgencyPlatform.Benchmarks.Servers;
using AgencyPlatform.Client;
using AgencyPlatform.Protocol.Billing.V1;

namespace AgencyPlatform.Benchmarks.Billing;

/// <param name="Kills">How often the server is killed with SIGKILL while the run is under way.</param>
internal sealed record BillingOptions(IReadOnlyList<string> Engines, BilledSize Size, int Kills, string Data);

/// <param name="Wall">From the call to the run's end, restarts included.</param>
/// <param name="Down">From each kill until the server served again.</param>
/// <param name="Memory">Resident at the end, in mebibytes.</param>
internal sealed record BillingFigures(string Engine, TimeSpan Seeded, TimeSpan Preview, TimeSpan Wall, TimeSpan Down, int Kills, double Memory, double PerSecond, double PlainPerSecond);

/// <summary>What was measured.</summary>
internal sealed record BillingReport(DateTimeOffset At, Machine Machine, BillingOptions Options, string LoadAverage, IReadOnlyList<BillingFigures> Lines)
{
    public ResultTable Table() => new(
        Machine.Heading(At, $"{Options.Size.Clients:N0} clients, {Options.Size.AllEngagements:N0} engagements, {Options.Size.AllEntries:N0} approved entries", LoadAverage),
        ["engine", "made through the API, s", "preview of all, s", "finalized, s", "kills", "of that down, s", "invoices/s while up", "plain: a transaction an invoice/s", "platform ÷ plain", "MB"],
        [
            .. Lines.Select(l => (IReadOnlyList<string>)
            [
                l.Engine, N(l.Seeded.TotalSeconds), N(l.Preview.TotalSeconds), N(l.Wall.TotalSeconds), Figures.Text(l.Kills, "0"), N(l.Down.TotalSeconds), N(l.PerSecond), N(l.PlainPerSecond),
                Figures.Text(l.PerSecond / l.PlainPerSecond, "0.00"), Figures.Text(l.Memory, "0"),
            ]),
        ]);

    private static string N(double value) => Figures.Text(value, "0.0");
}

/// <summary>
/// One call bills an agency, and the server is killed while it does. In the end every client has its invoice of exactly what its time comes to, the numbers have no gap and
/// the books balance: else there are no figures. Beside it, the same invoices by a plain program that makes one transaction each, on the same engine.
/// </summary>
internal static class BillingRuns
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(10);

    public static async Task<BillingReport> Run(BillingOptions options, CancellationToken cancellation)
    {
        await using var scope = new RunScope(options.Data);
        await using var bare = await ServerProcess.Bare(cancellation);
        var lines = new List<BillingFigures>();
        foreach (var engine in options.Engines)
        {
            lines.Add(await Run(options, engine, scope, bare.Grpc, cancellation));
            await scope.Stop();
        }

        return new BillingReport(TimeProvider.System.GetUtcNow(), Reporting.Machine.This, options, Reporting.Machine.LoadAverage, lines);
    }

    private static async Task<BillingFigures> Run(BillingOptions options, string engine, RunScope scope, Uri telemetry, CancellationToken cancellation)
    {
        var folder = Directory.CreateDirectory(Path.Combine(scope.Folder.FullName, engine)).FullName;
        var cluster = engine == "postgres" ? scope.Keep(await PostgresCluster.Start(folder, c => PlatformTables.Create(c, cancellation), cancellation)) : null;
        string[] settings = [.. cluster?.Settings ?? [], "Gateway:CallsPerSecondPerAgency=100000", "Gateway:ConcurrentCallsPerAgency=512"];
        ServerProcess? server = await ServerProcess.Platform(folder, telemetry, settings, cancellation);
        try
        {
            var agency = new BilledAgency(options.Size);
            Figures.Say($"{engine}: making {options.Size.AllEngagements:N0} engagements with {options.Size.AllEntries:N0} approved entries through the API");
            var begun = Stopwatch.GetTimestamp();
            await agency.Make(server.Grpc, cancellation);
            var seeded = Stopwatch.GetElapsedTime(begun);

            var (preview, previewed) = await Ended(agency, server, "preview", BillingRunMode.Preview, cancellation);
            Figures.Say($"{engine}: previewed {preview.BilledAccounts:N0} invoices in {previewed.TotalSeconds:0.0} s");

            begun = Stopwatch.GetTimestamp();
            var (run, down) = (await Start(agency, server, "final", BillingRunMode.Finalize, cancellation), TimeSpan.Zero);
            for (var kill = 1; kill <= options.Kills; kill++)
            {
                var enough = options.Size.Clients * kill / (options.Kills + 1);
                run = await Until(agency, server, run.Name, r => r.BilledAccounts + r.FailedAccounts >= enough, cancellation);
                Figures.Say($"{engine}: killing the server after {run.BilledAccounts:N0} of {options.Size.Clients:N0} invoices");
                var killed = Stopwatch.GetTimestamp();
                await server.DisposeAsync();
                server = await ServerProcess.Platform(folder, telemetry, settings, cancellation);
                down += Stopwatch.GetElapsedTime(killed);
            }

            run = await Until(agency, server, run.Name, r => r.State == BillingRunState.Done, cancellation);
            var wall = Stopwatch.GetElapsedTime(begun);
            Figures.Say($"{engine}: finalized in {wall.TotalSeconds:0.0} s, of which {down.TotalSeconds:0.0} s down; checking every invoice");
            await Check(agency, options.Size, server, run, preview, cancellation);

            // The plain program has the machine, and the database's connections, to itself.
            var memory = server.ResidentMebibytes;
            await server.DisposeAsync();
            server = null;
            var plain = await PlainBilling.Run(agency, options.Size, cluster?.AdminConnectionString, Path.Combine(folder, "plain.db"), cancellation);
            return new BillingFigures(
                engine, seeded, previewed, wall, down, options.Kills, memory, options.Size.Clients / (wall - down).TotalSeconds, options.Size.Clients / plain.TotalSeconds);
        }
        finally
        {
            if (server is not null)
            {
                await server.DisposeAsync();
            }
        }
    }

    private static async Task<(BillingRun Run, TimeSpan Took)> Ended(BilledAgency agency, ServerProcess server, string id, BillingRunMode mode, CancellationToken cancellation)
    {
        var begun = Stopwatch.GetTimestamp();
        var run = await Start(agency, server, id, mode, cancellation);
        return (await Until(agency, server, run.Name, r => r.State == BillingRunState.Done, cancellation), Stopwatch.GetElapsedTime(begun));
    }

    private static async Task<BillingRun> Start(BilledAgency agency, ServerProcess server, string id, BillingRunMode mode, CancellationToken cancellation)
    {
        using var admin = agency.Admin(server.Grpc);
        var request = new RunBillingRequest { Parent = agency.Name, BillingRunId = id, ToDate = new() { Year = agency.To.Year, Month = agency.To.Month, Day = agency.To.Day }, Mode = mode };
        return (await admin.Service<BillingRunsService.BillingRunsServiceClient>().RunBillingAsync(request, cancellationToken: cancellation)).Metadata.Unpack<BillingRun>();
    }

    private static async Task<BillingRun> Until(BilledAgency agency, ServerProcess server, string name, Func<BillingRun, bool> reached, CancellationToken cancellation)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(s_patience);
        using var admin = agency.Admin(server.Grpc);
        while (true)
        {
            var run = await admin.Service<BillingRunsService.BillingRunsServiceClient>().GetBillingRunAsync(new GetBillingRunRequest { Name = name }, cancellationToken: patience.Token);
            if (reached(run) || run.State != BillingRunState.Running)
            {
                return run;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, patience.Token);
        }
    }

    /// <exception cref="BenchmarkException">Something is missing, doubled or wrong.</exception>
    private static async Task Check(BilledAgency agency, BilledSize size, ServerProcess server, BillingRun run, BillingRun preview, CancellationToken cancellation)
    {
        using var admin = agency.Admin(server.Grpc);
        var (runs, billing) = (admin.Service<BillingRunsService.BillingRunsServiceClient>(), admin.Service<BillingService.BillingServiceClient>());
        Ensure(run.BilledAccounts == size.Clients && run.FailedAccounts == 0, $"{run.BilledAccounts} of {size.Clients} accounts are billed, {run.FailedAccounts} failed");
        Ensure(run.Totals.Equals(preview.Totals), $"the preview came to {preview.Totals}, the run to {run.Totals}");
        var results = new List<BillingRunResult>();
        for (var token = ""; results.Count == 0 || token.Length > 0;)
        {
            var page = await runs.ListBillingRunResultsAsync(new ListBillingRunResultsRequest { Parent = run.Name, PageSize = 1_000, PageToken = token }, cancellationToken: cancellation);
            results.AddRange(page.Results);
            token = page.NextPageToken;
        }

        Ensure(results.Count == size.Clients, $"the report has {results.Count} lines");
        var (numbers, entries) = (new System.Collections.Concurrent.ConcurrentBag<long>(), new System.Collections.Concurrent.ConcurrentBag<string>());
        await Parallel.ForEachAsync(results.Select((r, i) => (r, i)), new ParallelOptions { MaxDegreeOfParallelism = 32, CancellationToken = cancellation }, async (item, _) =>
        {
            var (result, client) = item;
            Ensure(result.ClientCompany == $"{agency.Name}/clientCompanies/{BilledAgency.ClientId(client)}", $"line {client} is of {result.ClientCompany}");
            var invoice = await billing.GetInvoiceAsync(new GetInvoiceRequest { Name = result.Invoice }, cancellationToken: cancellation);
            Ensure(invoice.State == InvoiceState.Finalized && invoice.TotalAmount.MinorUnits == agency.Expected(client), $"{invoice.Name} is {invoice.State} and comes to {invoice.TotalAmount}, not {agency.Expected(client)}");
            numbers.Add(invoice.Number);
            foreach (var entry in invoice.Lines.SelectMany(l => l.TimeEntries))
            {
                entries.Add(entry);
            }
        });
        Ensure(numbers.Order().SequenceEqual(Enumerable.Range(1, size.Clients).Select(i => (long)i)), "the numbers have a gap or a duplicate");
        Ensure(entries.Count == size.AllEntries && entries.Distinct().Count() == size.AllEntries, $"{entries.Count} entries are on invoices, {entries.Distinct().Count()} different ones, of {size.AllEntries}");
        var balances = (await billing.GetTrialBalanceAsync(new GetTrialBalanceRequest { Parent = agency.Name }, cancellationToken: cancellation)).Balances;
        Ensure(balances.Sum(b => b.Balance.MinorUnits) == 0, "the ledger does not sum to zero");
        var owed = Enumerable.Range(0, size.Clients).Sum(agency.Expected);
        Ensure(balances.Single(b => b.Account == LedgerAccount.Receivable).Balance.MinorUnits == owed, "what is receivable is not what was invoiced");

        static void Ensure(bool holds, string otherwise)
        {
            if (!holds)
            {
                throw new BenchmarkException($"The run is wrong: {otherwise}.");
            }
        }
    }
}
