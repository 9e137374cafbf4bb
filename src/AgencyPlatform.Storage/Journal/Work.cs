using System.Threading.Tasks.Sources;
using AgencyPlatform.Contracts.Journal;
using AgencyPlatform.Storage.ReadModels;

namespace AgencyPlatform.Storage.Journal;

internal enum RowOperation
{
    Put,
    Claim,
    Drop,
}

/// <summary>A row change as it will be stored; of the changes of one item at most one a key.</summary>
internal readonly record struct RowWrite(RowTable Table, RowOperation Operation, object?[] Values);

/// <summary>An item waiting for the writer, with what could be prepared outside of it, and the answer to come.</summary>
internal sealed class Work : IValueTaskSource<AppendResult>
{
    private ManualResetValueTaskSourceCore<AppendResult> _answer = new() { RunContinuationsAsynchronously = true };

    private Work(AppendItem item, RowWrite[] rows)
    {
        Item = item;
        Rows = rows;
        Owner = $"{item.Key.Kind}/{item.Key.Id}";
    }

    public AppendItem Item { get; }
    public RowWrite[] Rows { get; }

    /// <summary>Names the aggregate in the rows that belong to it.</summary>
    public string Owner { get; }

    public bool Answered { get; private set; }

    public ValueTask<AppendResult> Task => new(this, _answer.Version);

    public void Answer(AppendResult result)
    {
        Answered = true;
        _answer.SetResult(result);
    }

    /// <summary>Prepares an item, or says why neither engine could store it.</summary>
    public static (Work? Work, string? Error) Prepare(AppendItem item, RowTables tables)
    {
        if (Storable.Error(item) is { } error)
        {
            return (null, error);
        }

        try
        {
            var rows = Fold(item.Rows, tables);
            foreach (var row in rows)
            {
                foreach (var value in row.Values)
                {
                    if (value is string text && Storable.Error(text) is { } bad)
                    {
                        return (null, $"{row.Table.Name}: {bad}");
                    }
                }
            }

            return (new Work(item, rows), null);
        }
        catch (Exception e) when (e is InvalidOperationException or KeyNotFoundException or OverflowException or ArgumentException)
        {
            return (null, e.Message);
        }
    }

    /// <summary>
    /// Of several changes of one key the last counts. A claim after a drop replaces the aggregate's own row; a claim that was
    /// written again stays a claim: its key must still have been free.
    /// </summary>
    private static RowWrite[] Fold(ImmutableArray<RowChange> changes, RowTables tables)
    {
        if (changes.IsDefaultOrEmpty)
        {
            return [];
        }

        if (changes.Length == 1)
        {
            return [Write(changes[0], tables)];
        }

        var folded = new Dictionary<(RowTable, string), RowWrite>(changes.Length);
        foreach (var change in changes)
        {
            var write = Write(change, tables);
            var key = (write.Table, write.Table.KeyOf(write.Values));
            if (folded.TryGetValue(key, out var before))
            {
                write = (before.Operation, write.Operation) switch
                {
                    (RowOperation.Claim, RowOperation.Put) => write with { Operation = RowOperation.Claim },
                    (RowOperation.Drop or RowOperation.Put, RowOperation.Claim) => write with { Operation = RowOperation.Put },
                    _ => write,
                };
            }

            folded[key] = write;
        }

        return [.. folded.Values];
    }

    private static RowWrite Write(RowChange change, RowTables tables)
    {
        var (operation, row) = change switch
        {
            Put put => (RowOperation.Put, put.Row),
            Claim claim => (RowOperation.Claim, claim.Row),
            Drop drop => (RowOperation.Drop, drop.Row),
            _ => throw new InvalidOperationException($"{change.GetType().Name} is no row change that storage knows."),
        };
        var table = tables.Of(row.GetType());
        return new RowWrite(table, operation, table.Read(row));
    }

    AppendResult IValueTaskSource<AppendResult>.GetResult(short token) => _answer.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<AppendResult>.GetStatus(short token) => _answer.GetStatus(token);

    void IValueTaskSource<AppendResult>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _answer.OnCompleted(continuation, state, token, flags);
}
