using System.Collections.Concurrent;
using System.Collections.Immutable;
using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Domain.Time;
using V1 = AgencyPlatform.Protocol.Time.V1;

namespace AgencyPlatform.Gateway.Time;

/// <summary>Time by the row: of any CMOs and weeks, from a request or a file.</summary>
internal sealed partial class TimeService
{
    private const int MostRows = 1_000;
    private const int SheetsAtOnce = 16;

    public override async Task<V1.BatchLogTimeResponse> BatchLogTime(V1.BatchLogTimeRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var agency = fields.Agency("parent", request.Parent);
        fields.Require(request.Rows.Count is >= 1 and <= MostRows, "rows", $"must be 1 to {MostRows}; they are {request.Rows.Count}");
        var (rows, ids) = (new List<Row>(), new HashSet<(string, TimeEntryId)>());
        foreach (var (wire, i) in request.Rows.Take(MostRows).Select((row, i) => (row, i)))
        {
            var path = $"rows[{i}].entry";
            var entry = fields.Message(path, wire.Entry);
            var row = new Row(
                i + 1, fields.Reference<CmoId>($"rows[{i}].cmo", wire.Cmo, agency, "cmos"), Entry(path, entry, agency, fields.Date(path + ".date", entry.Date), fields));
            fields.Require(ids.Add((row.Sheet, row.Entry.Id)), path + ".entry_id", "must be there once a timesheet");
            rows.Add(row);
        }

        var call = await calls.Mutation(context, request, fields, agency);
        var (refusals, logged) = await LogRows(context, call, rows, request.AllOrNone, malformed: false);
        var results = rows.Select(row => Result(agency, row, refusals, logged)).ToList();
        return new V1.BatchLogTimeResponse { Results = { results }, LoggedRows = results.Count(r => r.Logged) };
    }

    public override async Task<V1.ImportTimeResponse> ImportTime(V1.ImportTimeRequest request, ServerCallContext context)
    {
        var fields = new Fields();
        var agency = fields.Agency("parent", request.Parent);
        var (rows, results, ids) = (new List<Row>(), new SortedDictionary<int, V1.TimeRowResult>(), new HashSet<(string, TimeEntryId)>());
        foreach (var line in TimeFile.Read(request.Csv, agency, MostRows, fields))
        {
            // The API's own rules of a field, by the file's own names of its columns.
            var cells = new Fields();
            var cmo = cells.Id<CmoId>(".cmo", line.Cmo);
            var date = line.Entry.Date is null ? new LocalDate(2000, 1, 1) : cells.Date(".date", line.Entry.Date);
            var row = new Row(line.Line, cmo, Entry("", line.Entry, agency, date, cells));
            cells.Require(cells.Any || ids.Add((row.Sheet, row.Entry.Id)), ".entry_id", "must be there once a timesheet");
            ImmutableArray<FieldViolation> wrong =
            [
                .. line.Errors, .. cells.Violations.Select(v => v with { Field = v.Field[1..] }).Where(v => line.Errors.All(e => e.Field.Length > 0 && e.Field != v.Field)),
            ];
            if (wrong.IsEmpty)
            {
                rows.Add(row);
            }
            else
            {
                results[line.Line] = new V1.TimeRowResult
                {
                    Row = line.Line,
                    EntryId = line.Entry.EntryId,
                    Errors = { wrong.Select(v => new V1.ColumnError { Column = v.Field, Description = v.Description }) },
                };
            }
        }

        var call = await calls.Mutation(context, request, fields, agency);
        var (refusals, logged) = await LogRows(context, call, rows, request.AllOrNone, malformed: results.Count > 0);
        foreach (var row in rows)
        {
            results[row.Number] = Result(agency, row, refusals, logged);
        }

        return new V1.ImportTimeResponse { Results = { results.Values }, LoggedRows = results.Values.Count(r => r.Logged) };
    }

    /// <param name="Number">Which row, for the answer.</param>
    private sealed record Row(int Number, CmoId Cmo, LoggedEntry Entry)
    {
        public IsoWeek Week => IsoWeek.Of(Entry.Work.Date);

        /// <summary>The grain's key: <c>{cmo}/{week}</c>.</summary>
        public string Sheet => $"{Cmo}/{Week}";
    }

    /// <summary>Logs each row that can be, or with <paramref name="allOrNone"/> every row or none.</summary>
    /// <param name="malformed">Whether there are rows besides these that are no rows.</param>
    /// <returns>Why rows are refused, by number; and whether the others are logged.</returns>
    private async Task<(IReadOnlyDictionary<int, Rejection> Refusals, bool Logged)> LogRows(ServerCallContext context, Call call, List<Row> rows, bool allOrNone, bool malformed)
    {
        foreach (var cmo in rows.Select(r => r.Cmo).Distinct())
        {
            Calls.Caller(context).EnsureCmo(cmo);
        }

        var (sheets, agency) = (rows.GroupBy(r => r.Sheet).ToList(), grains.Agency(call.Agency));

        // What has begun already goes on: it was looked at before.
        if (call.ValidateOnly || (allOrNone && !(await agency.HasAnswered(call) && await Begun())))
        {
            var refusals = await Each(_ => call.AsStep() with { ValidateOnly = true });
            var fails = allOrNone && (malformed || refusals.Count > 0);
            if (fails || call.ValidateOnly)
            {
                return (refusals, !fails);
            }
        }

        (await agency.Note(call)).OrThrow();
        return (await Each(PartOf), true);

        Call PartOf(string sheet) => call with { Request = RequestOf(call.Request, sheet) };

        async Task<bool> Begun()
        {
            foreach (var sheet in sheets.Select(s => s.First()))
            {
                if (await Sheet(call.Agency, sheet.Cmo, sheet.Week).HasAnswered(PartOf(sheet.Sheet)))
                {
                    return true;
                }
            }

            return false;
        }

        async Task<IReadOnlyDictionary<int, Rejection>> Each(Func<string, Call> callOf)
        {
            var refusals = new ConcurrentDictionary<int, Rejection>();
            await Parallel.ForEachAsync(sheets, new ParallelOptions { MaxDegreeOfParallelism = SheetsAtOnce, CancellationToken = context.CancellationToken }, async (sheet, _) =>
            {
                var first = sheet.First();
                var reply = await Sheet(call.Agency, first.Cmo, first.Week).LogEach(callOf(sheet.Key), new LogTime(first.Cmo, first.Week, [.. sheet.Select(r => r.Entry)]));
                foreach (var (row, i) in sheet.Select((row, i) => (row, i)))
                {
                    if (AsSeen(context, reply.Rejection ?? reply.Value!.Rows[i].Refusal) is { } refusal)
                    {
                        refusals[row.Number] = refusal;
                    }
                }
            });
            return refusals;
        }
    }

    /// <summary>A sheet's part of a request: always the same id, so that a repeat of the whole repeats it.</summary>
    private static Guid? RequestOf(Guid? request, string sheet) =>
        request is { } id ? IdSyntax.GuidOf($"{id}/{sheet}") : null;

    private static V1.TimeRowResult Result(AgencyId agency, Row row, IReadOnlyDictionary<int, Rejection> refusals, bool logged)
    {
        var refusal = refusals.GetValueOrDefault(row.Number);
        var wire = new V1.TimeRowResult
        {
            Row = row.Number,
            Timesheet = SheetName(agency, row.Cmo, row.Week.ToString()),
            EntryId = row.Entry.Id.Value,
            Logged = logged && refusal is null,
            Reason = refusal?.Reason ?? "",
            Message = refusal?.Message ?? "",
        };
        wire.Metadata.Put(refusal?.Metadata ?? ImmutableSortedDictionary<string, string>.Empty);
        return wire;
    }
}
