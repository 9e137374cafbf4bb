using System.Diagnostics;
using System.Globalization;
using AgencyPlatform.Client;
using AgencyPlatform.Domain;
using AgencyPlatform.Protocol.Billing.V1;
using AgencyPlatform.Protocol.Capacity.V1;
using AgencyPlatform.Protocol.Clients.V1;
using AgencyPlatform.Protocol.Engagements.V1;
using AgencyPlatform.Protocol.Events.V1;
using AgencyPlatform.Testing;
using Grpc.Core;
using Npgsql;
using Date = Google.Type.Date;
using Money = AgencyPlatform.Protocol.Type.V1.Money;

namespace AgencyPlatform.Host.Tests;

/// <summary>A backup taken while the real host is under load, restored elsewhere, and served there. The same on each engine.</summary>
public abstract class A_backup
{
    private const string Series = "agencies/acme/legalEntities/us/invoiceSeries/main";

    /// <summary>Arguments with which the host serves, and with which an operator's commands run.</summary>
    protected abstract Task<(string[] Serving, string[] Operating)> NewStorage(string folder);

    /// <summary>Takes a backup as docs/operations.md says.</summary>
    protected abstract Task BackUp(string[] operating, string file);

    /// <summary>Restores it elsewhere as docs/operations.md says; what the command that adopts it prints.</summary>
    protected abstract Task<(string[] Serving, string[] Operating, string Said)> Restore(string file, string folder);

    [EngineFact]
    public async Task Taken_under_load_and_restored_elsewhere_it_has_all_that_was_acknowledged_before_and_gives_no_number_twice()
    {
        using var folder = new TempFolder();
        var (serving, operating) = await NewStorage(Path.Combine(folder.Path, "first"));
        var file = Path.Combine(folder.Path, "backup");
        HashSet<string> before;
        string key;
        string cursor;
        var calls = new List<(string Request, string Cmo, int Week)>();
        using (var host = await HostProcess.Serve(folder.Path, null, false, serving))
        {
            key = await HostFacts.Prepare(host);
            using var platform = new AgencyPlatformClient(new() { Address = host.Grpc, ApiKey = key });
            await Engage(platform);
            Assert.Equal(1, (await Billed(platform, month: 1)).Number);
            var acknowledged = new HashSet<string>();
            using var stop = new CancellationTokenSource();
            var load = Task.WhenAll(Enumerable.Range(0, 4).Select(caller => Task.Run(() => Book(platform, caller, acknowledged, calls, stop.Token))));
            await More(load, acknowledged, 100);
            cursor = (await platform.Events.ListEventsAsync(new ListEventsRequest { Parent = "agencies/acme", PageSize = 1 })).NextCursor;
            lock (acknowledged)
            {
                before = [.. acknowledged];
            }

            await BackUp(operating, file);
            await More(load, acknowledged, 20);

            // On paper, and not in the backup.
            Assert.Equal(2, (await Billed(platform, month: 2)).Number);
            await stop.CancelAsync();
            await load;
            await host.Kill();
        }

        var (again, maintaining, said) = await Restore(file, Path.Combine(folder.Path, "second"));
        Assert.Contains("acme us/main 1", said, StringComparison.Ordinal);
        using (var host = await HostProcess.Serve(folder.Path, null, false, again))
        {
            using var platform = new AgencyPlatformClient(new() { Address = host.Grpc, ApiKey = key });
            var there = await HostFacts.Bookings(platform);
            Assert.Superset(before, there.ToHashSet());
            Assert.True(await HostFacts.Contiguous(platform) >= there.Count);

            // A cursor of the feed that is lost in part, its beginning included.
            var refused = await Assert.ThrowsAsync<ApiException>(() => platform.Events.ListEventsAsync(new ListEventsRequest { Parent = "agencies/acme", After = cursor }).ResponseAsync);
            Assert.Equal((StatusCode.OutOfRange, Reasons.CursorOutOfRange), (refused.StatusCode, refused.Reason));
            Assert.Contains("restored", refused.Message, StringComparison.Ordinal);

            // What the load sent is sent again: each counts once. One more booking is the engagement's.
            foreach (var (request, cmo, week) in calls)
            {
                await HostFacts.Book(platform, (request, cmo), week);
            }

            var all = await HostFacts.Bookings(platform);
            Assert.Equal((calls.Count + 1, calls.Count + 1), (all.Count, all.Distinct().Count()));

            refused = await Assert.ThrowsAsync<ApiException>(() => Billed(platform, month: 2));
            Assert.Equal((StatusCode.FailedPrecondition, Reasons.SeriesUnconfirmed, "1"), (refused.StatusCode, refused.Reason, refused.Metadata["last_number"]));
            refused = await Assert.ThrowsAsync<ApiException>(() => Confirm(platform, 0));
            Assert.Equal(StatusCode.InvalidArgument, refused.StatusCode);
            Assert.Equal(2, (await Confirm(platform, 2)).LastNumber);
            Assert.Equal(3, (await Billed(platform, month: 2)).Number);
            Assert.Equal(4, (await Billed(platform, month: 3)).Number);
            Assert.Equal(Reasons.SeriesInUse, (await Assert.ThrowsAsync<ApiException>(() => Confirm(platform, 9))).Reason);
            var balances = (await platform.Billing.GetTrialBalanceAsync(new GetTrialBalanceRequest { Parent = "agencies/acme" })).Balances;
            Assert.NotEmpty(balances);
            Assert.Equal(0, balances.Sum(b => b.Balance.MinorUnits));
        }

        var (code, output, error) = await HostProcess.Run(["journal", "verify", .. maintaining]);
        Assert.True(code == 0, output + error);
    }

    protected static async Task<string> Ran(params string[] arguments)
    {
        var (code, output, error) = await HostProcess.Run(arguments);
        Assert.True(code == 0, output + error);
        return output;
    }

    private static async Task Book(
        AgencyPlatformClient platform, int caller, HashSet<string> acknowledged, List<(string Request, string Cmo, int Week)> calls, CancellationToken stop)
    {
        for (var i = 0; !stop.IsCancellationRequested; i++)
        {
            var call = (Request: Guid.CreateVersion7(TimeProvider.System.GetUtcNow()).ToString(), Cmo: $"agencies/acme/cmos/cmo-{caller}", Week: i % 100);
            lock (acknowledged)
            {
                calls.Add(call);
            }

            var booking = await HostFacts.Book(platform, (call.Request, call.Cmo), call.Week);
            lock (acknowledged)
            {
                acknowledged.Add(booking.Name);
                Monitor.PulseAll(acknowledged);
            }
        }
    }

    /// <summary>Waits for so many acknowledgements from now on.</summary>
    private static async Task More(Task load, HashSet<string> acknowledged, int more)
    {
        var enough = Task.Run(() =>
        {
            lock (acknowledged)
            {
                for (var target = acknowledged.Count + more; acknowledged.Count < target && !load.IsCompleted;)
                {
                    Monitor.Wait(acknowledged, TimeSpan.FromSeconds(1));
                }
            }
        });
        if (await Task.WhenAny(load, enough) == load)
        {
            await load;
        }
    }

    /// <summary>An active engagement with a monthly fee in advance.</summary>
    private static async Task Engage(AgencyPlatformClient platform)
    {
        await platform.Service<ClientsService.ClientsServiceClient>().PutStakeholderAsync(new PutStakeholderRequest
        {
            Name = "agencies/acme/clientCompanies/client",
            Stakeholder = new Stakeholder { PersonId = "ceo", DisplayName = "Chief", Title = "CEO", DecisionMaker = true },
        });
        var engagements = platform.Service<EngagementsService.EngagementsServiceClient>();
        await engagements.CreateEngagementAsync(new CreateEngagementRequest
        {
            Parent = "agencies/acme",
            EngagementId = "launch",
            Engagement = new Engagement
            {
                ClientCompany = "agencies/acme/clientCompanies/client",
                Title = "Launch",
                ServiceType = ServiceType.FractionalCmo,
                Lead = "agencies/acme/cmos/cmo-0",
                Members =
                {
                    new Member
                    {
                        Cmo = "agencies/acme/cmos/cmo-0",
                        Role = "lead",
                        CmoAgreementWaived = true,
                        Steps = { new BookingStep { StartDate = Day(1, 4), Flexible = new FlexibleForm { WeeklyMinutes = 60 } } },
                    },
                },
                Terms =
                {
                    new Terms
                    {
                        EffectiveDate = Day(1, 4),
                        Seller = "agencies/acme/legalEntities/us",
                        Currency = "USD",
                        BillCycleDay = 1,
                        PeriodMonths = 1,
                        Retainer = new RetainerTerms
                        {
                            Fee = new Money { Currency = "USD", MinorUnits = 500_000 },
                            IncludedMinutes = 240,
                            OverageHourlyRate = new Money { Currency = "USD", MinorUnits = 25_000 },
                            OverageGate = OverageGate.Bill,
                            FeeTiming = FeeTiming.InAdvance,
                        },
                    },
                },
                StartDate = Day(1, 4),
                SignaturesNeeded = 1,
            },
        });
        const string Name = "agencies/acme/engagements/launch";
        await engagements.ProposeEngagementAsync(new ProposeEngagementRequest { Name = Name });
        await engagements.SignEngagementAsync(new SignEngagementRequest { Name = Name, PersonId = "ceo" });
        await engagements.ActivateEngagementAsync(new ActivateEngagementRequest { Name = Name });
    }

    /// <summary>Drafts and finalizes the fee of a month of 2027.</summary>
    private static async Task<Invoice> Billed(AgencyPlatformClient platform, int month)
    {
        var draft = await platform.Billing.PrepareInvoiceAsync(new PrepareInvoiceRequest
        {
            Parent = "agencies/acme",
            ClientCompany = "agencies/acme/clientCompanies/client",
            LegalEntity = "agencies/acme/legalEntities/us",
            Currency = "USD",
            ToDate = Day(month, 5),
        });
        return await platform.Billing.FinalizeInvoiceAsync(new FinalizeInvoiceRequest { Name = draft.Name });
    }

    private static Task<InvoiceSeries> Confirm(AgencyPlatformClient platform, long last) =>
        platform.Billing.ConfirmInvoiceSeriesAsync(new ConfirmInvoiceSeriesRequest { Name = Series, LastNumber = last }).ResponseAsync;

    private static Date Day(int month, int day) => new() { Year = 2027, Month = month, Day = day };
}

public sealed class A_backup_of_SQLite : A_backup
{
    protected override Task<(string[] Serving, string[] Operating)> NewStorage(string folder) => Task.FromResult((At(folder), At(folder)));

    protected override async Task BackUp(string[] operating, string file) => await Ran(["backup", "--to", file, .. operating]);

    protected override async Task<(string[] Serving, string[] Operating, string Said)> Restore(string file, string folder)
    {
        // A backup is served by nobody, is overwritten by none, and overwrites nothing.
        var (code, _, error) = await HostProcess.Run("journal", "verify", "--set", $"Storage:ConnectionString=Data Source={file}");
        Assert.Equal(1, code);
        Assert.StartsWith("This database is a backup.", error, StringComparison.Ordinal);
        var said = await Ran(["restore", "--from", file, .. At(folder)]);
        Assert.Equal((1, 1), ((await HostProcess.Run(["restore", "--from", file, .. At(folder)])).Code, (await HostProcess.Run(["backup", "--to", file, .. At(folder)])).Code));
        Assert.Equal(2, (await HostProcess.Run(["restore", .. At(folder)])).Code);
        return (At(folder), At(folder), said);
    }

    private static string[] At(string folder) => ["--set", $"Storage:ConnectionString=Data Source={Path.Combine(folder, "agencyplatform.db")}"];
}

/// <summary>By pg_dump and pg_restore as the owner; the application's role serves.</summary>
[NeedsPostgres]
public sealed class A_backup_of_PostgreSQL : A_backup
{
    protected override async Task<(string[] Serving, string[] Operating)> NewStorage(string folder)
    {
        var roles = await PostgresRoles.NewDatabase();
        await Ran(["migrate", .. As(roles.Owner)]);
        return (As(roles.Application), As(roles.Owner));
    }

    protected override async Task BackUp(string[] operating, string file)
    {
        await PostgresTool("pg_dump", operating, "--format=custom", $"--file={file}");
        var (code, _, error) = await HostProcess.Run(["backup", "--to", file + "2", .. operating]);
        Assert.Equal(1, code);
        Assert.Contains("pg_dump", error, StringComparison.Ordinal);
    }

    protected override async Task<(string[] Serving, string[] Operating, string Said)> Restore(string file, string folder)
    {
        var roles = await PostgresRoles.NewDatabase();
        await PostgresTool("pg_restore", As(roles.Owner), "--no-owner", "--exit-on-error", file);
        return (As(roles.Application), As(roles.Owner), await Ran(["restore", "--adopt", .. As(roles.Owner)]));
    }

    private static string[] As(string connection) => ["--set", "Storage:Provider=Postgres", "--set", $"Storage:ConnectionString={connection}"];

    private static async Task PostgresTool(string tool, string[] operating, params string[] arguments)
    {
        var to = new NpgsqlConnectionStringBuilder(operating[^1][(operating[^1].IndexOf('=') + 1)..]);
        var start = new ProcessStartInfo(Path.Combine(PostgresServer.Binaries, tool)) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in (string[])[$"--host={to.Host}", $"--port={to.Port.ToString(CultureInfo.InvariantCulture)}", $"--username={to.Username}", $"--dbname={to.Database}", .. arguments])
        {
            start.ArgumentList.Add(argument);
        }

        var (code, output, error) = await HostProcess.Ended(Process.Start(start)!);
        Assert.True(code == 0, output + error);
    }
}
