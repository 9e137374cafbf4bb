using AgencyPlatform.Contracts.Journal;
using AgencyPlatform.Storage.Journal;
using AgencyPlatform.Storage.ReadModels;
using NodaTime.Text;

namespace AgencyPlatform.Storage.Engines;

/// <summary>What a batch writes where, the same on every engine: heads, events, read-model rows, deadlines, people, closed months.</summary>
internal abstract class BatchWriter
{
    private readonly int _rowTables;

    protected BatchWriter(RowTables tables)
    {
        Events = new StoredTable(0, "events", EventColumns.All, [], []);
        Deadlines = new StoredTable(
            1,
            "deadlines",
            [
                new("agency", StoredKind.Text), new("kind", StoredKind.Text), new("id", StoredKind.Text), new("due_at", StoredKind.Long),
                new("lease_until", StoredKind.Long), new("attempts", StoredKind.Long), new("sandbox", StoredKind.Long),
            ],
            [0, 1, 2],
            [0, 1, 2]);
        People = new StoredTable(
            2,
            "people",
            [
                new("agency", StoredKind.Text), new("person", StoredKind.Text), new("display_name", StoredKind.Text, true), new("email", StoredKind.Text, true),
                new("phone", StoredKind.Text, true),
            ],
            [0, 1],
            [0, 1]);
        ClosedPeriods = new StoredTable(3, "closed_periods", [new("agency", StoredKind.Text), new("legal_entity", StoredKind.Text), new("closed_through", StoredKind.Text)], [0, 1], [0, 1]);
        Tables = [Events, Deadlines, People, ClosedPeriods];
        _rowTables = Tables.Length;
        Tables = [.. Tables, .. tables.All.Select((t, i) => StoredTable.Of(t, _rowTables + i))];
    }

    /// <summary>Every table that is written row by row, by its ordinal.</summary>
    protected ImmutableArray<StoredTable> Tables { get; }

    private StoredTable Events { get; }

    private StoredTable Deadlines { get; }

    private StoredTable People { get; }

    private StoredTable ClosedPeriods { get; }

    /// <summary>Binds or runs everything of the batch.</summary>
    protected void Write(Batch batch)
    {
        foreach (var move in batch.Heads)
        {
            Move(move);
        }

        var events = Statement(Events, RowOperation.Claim);
        foreach (var placed in batch.Events)
        {
            EventColumns.Bind(events, placed).Run();
        }

        foreach (var move in batch.Heads.Where(m => m.Closings != m.From.Closings))
        {
            foreach (var (entity, through) in move.ClosedThrough.Except(move.From.ClosedThrough))
            {
                Statement(ClosedPeriods, RowOperation.Put).Text(move.Agency).Text(entity).Text(LocalDatePattern.Iso.Format(through)).Run();
            }
        }

        foreach (var work in batch.Works)
        {
            Rows(work);
            Deadline(work.Item);
            Persons(work.Item);
        }
    }

    /// <summary>Moves a head on; a head that is not where the writer knows it makes the batch fail with <see cref="StaleHeadException"/>.</summary>
    protected abstract void Move(HeadMove move);

    /// <summary>The statement that claims (inserts), puts (inserts or replaces) or drops rows of a table.</summary>
    protected abstract Statement Statement(StoredTable table, RowOperation operation);

    private void Rows(Work work)
    {
        var agency = work.Item.Key.Agency.Value;
        foreach (var row in work.Rows)
        {
            var statement = Statement(Tables[_rowTables + row.Table.Ordinal], row.Operation).Text(agency).Text(work.Owner);
            if (row.Operation == RowOperation.Drop)
            {
                foreach (var k in row.Table.Key)
                {
                    statement.Value(row.Values[k]);
                }
            }
            else
            {
                foreach (var value in row.Values)
                {
                    statement.Value(value);
                }
            }

            statement.Run();
        }
    }

    private void Deadline(AppendItem item)
    {
        if (item.Deadline is not { } deadline)
        {
            return;
        }

        var statement = Statement(Deadlines, deadline.DueAt is null ? RowOperation.Drop : RowOperation.Put).Text(item.Key.Agency.Value).Text(item.Key.Kind).Text(item.Key.Id);
        if (deadline.DueAt is { } due)
        {
            statement.Long(due.ToUnixTimeTicks()).Long(0).Long(0).Long(deadline.Sandbox ? 1 : 0);
        }

        statement.Run();
    }

    private void Persons(AppendItem item)
    {
        if (item.People.IsDefaultOrEmpty)
        {
            return;
        }

        foreach (var person in item.People)
        {
            Statement(People, RowOperation.Put)
                .Text(item.Key.Agency.Value).Text(person.Person.Value).Text(person.Details?.DisplayName).Text(person.Details?.Email).Text(person.Details?.Phone).Run();
        }
    }
}
