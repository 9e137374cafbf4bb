using System.Text;
using AgencyPlatform.Contracts;
using AgencyPlatform.Contracts.Journal;
using AgencyPlatform.Domain;
using AgencyPlatform.Storage;
using Spectre.Console;

namespace AgencyPlatform.Host.Commands;

/// <summary>The operator's look into the journal. Works beside a running host too.</summary>
internal static class JournalCommands
{
    /// <summary>Collection of a resource name → kind of aggregate.</summary>
    private static readonly Dictionary<string, string> s_kinds = new(StringComparer.Ordinal)
    {
        ["clientCompanies"] = "client",
        ["cmos"] = "cmo",
        ["engagements"] = "engagement",
        ["intakes"] = "intake",
        ["shortlists"] = "shortlist",
        ["timesheets"] = "timesheet",
        ["billingAccounts"] = "billing-account",
        ["invoiceSeries"] = "invoice-series",
    };

    public static async Task<int> Show(IServiceProvider services, string name, CancellationToken cancellation)
    {
        if (TryParse(name) is not { } key)
        {
            await Console.Error.WriteLineAsync(
                $"\"{name}\" names no aggregate. Say agencies/acme, agencies/acme/cmos/jane, or acme/KIND/ID with KIND one of {string.Join(", ", AggregateCatalogue.Kinds)}.");
            return 2;
        }

        var replay = AggregateCatalogue.Replay(key.Kind);
        var any = false;
        await foreach (var stored in services.GetRequiredService<IJournal>().ReadStream(key, cancellation: cancellation))
        {
            any = true;
            var e = stored.Event;
            AnsiConsole.MarkupLineInterpolated($"[bold]{stored.Version,5}[/]  {stored.RecordedAt:uuuu-MM-dd'T'HH:mm:ss.fff'Z'}  #{stored.Sequence}  [green]{e.Name}[/] v{e.SchemaVersion}  by {e.Actor}");
            var details = new List<string> { $"event {e.Id}", $"occurred {e.OccurredAt}" };
            Add("request", e.Request);
            Add("cause", e.Cause);
            Add("trace", e.TraceId);
            Add("posts on", e.PostingDate);
            details.Add($"hash {Convert.ToHexStringLower(stored.Hash)[..16]}…");
            AnsiConsole.MarkupLineInterpolated($"       [grey]{string.Join(" · ", details)}[/]");
            Console.WriteLine($"       {Encoding.UTF8.GetString(e.Payload)}");
            _ = replay.Apply(EventJson.Deserialize(e.Name, e.SchemaVersion, e.Payload), new EventInfo(key.Agency, key.Id, stored.Version, e.OccurredAt)).Count();

            void Add(string what, object? value)
            {
                if (value is not null)
                {
                    details.Add($"{what} {value}");
                }
            }
        }

        if (!any)
        {
            await Console.Error.WriteLineAsync($"The journal has no events of {key}.");
            return 1;
        }

        Console.WriteLine();
        Console.WriteLine($"Folded state of {key}:");
        Console.WriteLine(replay.ToJson());
        return 0;
    }

    public static async Task<int> Verify(IServiceProvider services, CancellationToken cancellation)
    {
        var report = await services.GetRequiredService<IJournalMaintenance>().VerifyChain(null, Progress(), cancellation);
        foreach (var broken in report.Breaks)
        {
            Console.WriteLine($"BROKEN: agency {broken.Agency} at sequence {broken.Sequence}: {broken.Problem}");
        }

        Console.WriteLine(report.Breaks.IsEmpty
            ? $"Whole: {report.Events} events of {report.Agencies} {(report.Agencies == 1 ? "agency" : "agencies")}, sequences without a gap, every hash as computed."
            : $"{report.Breaks.Length} of {report.Agencies} chains are broken ({report.Events} events walked).");
        return report.Breaks.IsEmpty ? 0 : 1;
    }

    public static async Task<int> Rebuild(IServiceProvider services, CancellationToken cancellation)
    {
        var maintenance = services.GetRequiredService<IJournalMaintenance>();
        await maintenance.Rebuild(Progress(), cancellation);
        Console.WriteLine($"Read models and deadlines are filled anew from {await maintenance.CountEvents(null, cancellation)} events.");
        return 0;
    }

    /// <summary>Writes the journal as lines of JSON, to a file or to the standard output.</summary>
    public static async Task<int> Export(IServiceProvider services, FileInfo? file, string? agency, CancellationToken cancellation)
    {
        if (agency is not null && !IdSyntax.IsValid(agency))
        {
            await Console.Error.WriteLineAsync($"\"{agency}\" is no id of an agency: {IdSyntax.Rule}.");
            return 2;
        }

        var maintenance = services.GetRequiredService<IJournalMaintenance>();
        await using var lines = file is null ? new StreamWriter(Console.OpenStandardOutput()) : new StreamWriter(file.FullName);
        var events = await maintenance.Export(lines, agency is null ? null : new AgencyId(agency), cancellation);
        await Console.Error.WriteLineAsync($"{events} events.");
        return 0;
    }

    /// <summary><c>agencies/a/cmos/c</c> or <c>a/cmo/c</c>; null when it is neither.</summary>
    internal static AggregateKey? TryParse(string name)
    {
        var parts = name.Trim('/').Split('/');
        if (parts[0] == "agencies")
        {
            return parts switch
            {
                [_, var agency] when IdSyntax.IsValid(agency) => new AggregateKey(new AgencyId(agency), "agency", agency),
                // A timesheet is the CMO's: agencies/a/cmos/c/timesheets/2026-W10.
                [_, var agency, "cmos", var cmo, "timesheets", var week] when IdSyntax.IsValid(agency) => new AggregateKey(new AgencyId(agency), "timesheet", $"{cmo}/{week}"),
                [_, var agency, "legalEntities", var entity, "invoiceSeries", var series] when IdSyntax.IsValid(agency) => new AggregateKey(new AgencyId(agency), "invoice-series", $"{entity}/{series}"),
                [_, var agency, "clientCompanies", var client, "billingAccounts", .. var rest] when IdSyntax.IsValid(agency) && rest.Length > 0 =>
                    new AggregateKey(new AgencyId(agency), "billing-account", string.Join('/', [client, .. rest])),
                [_, var agency, var collection, .. var id] when IdSyntax.IsValid(agency) && id.Length > 0 && s_kinds.TryGetValue(collection, out var kind) =>
                    new AggregateKey(new AgencyId(agency), kind, string.Join('/', id)),
                _ => null,
            };
        }

        return parts is [var owner, var known, .. var rest2] && rest2.Length > 0 && IdSyntax.IsValid(owner) && AggregateCatalogue.Kinds.Contains(known)
            ? new AggregateKey(new AgencyId(owner), known, string.Join('/', rest2))
            : null;
    }

    private static Progress<MaintenanceProgress> Progress() => new(p => Console.Error.Write($"\r{p.Events} events, at {p.At}".PadRight(60) + "\r"));
}
