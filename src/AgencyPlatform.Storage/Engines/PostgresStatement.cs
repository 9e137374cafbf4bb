using System.Runtime.InteropServices;
using Npgsql;
using NpgsqlTypes;

namespace AgencyPlatform.Storage.Engines;

/// <summary>
/// A command of the writer's batch whose parameters are arrays, one a column: a row that is run is a further element of each.
/// </summary>
internal sealed class PostgresStatement : Statement
{
    private readonly PostgresColumn[] _columns;
    private readonly int[] _key;
    private readonly Dictionary<int, int>? _seen;
    private readonly Func<int, PostgresStatement>? _later;
    private int _next;

    /// <param name="key">Positions of the key, in an order that is the same for all statements of a table.</param>
    /// <param name="seen">
    /// How often each key of the table, by its hash, was changed in this batch: the n-th change of a key is in round n, and rounds are run one after
    /// the other, since one statement may not touch a row twice and the last change must win. Two keys that share a hash cost a round and nothing else.
    /// </param>
    /// <param name="later">The same statement in a later round.</param>
    public PostgresStatement(string sql, IEnumerable<StoredColumn> columns, int[] key, Dictionary<int, int>? seen = null, Func<int, PostgresStatement>? later = null)
    {
        _columns = [.. columns.Select(PostgresColumn.Of)];
        (_key, _seen, _later) = (key, seen, later);
        Command = new NpgsqlBatchCommand(sql);
        foreach (var column in _columns)
        {
            Command.Parameters.Add(column.Parameter);
        }
    }

    public NpgsqlBatchCommand Command { get; }

    public int Count { get; private set; }

    public override Statement Text(string? value)
    {
        ((PostgresColumn<string?>)_columns[_next++]).Add(value);
        return this;
    }

    public override Statement Long(long value)
    {
        _columns[_next++].AddLong(value);
        return this;
    }

    public override Statement Blob(byte[] value)
    {
        ((PostgresColumn<byte[]?>)_columns[_next++]).Add(value);
        return this;
    }

    public override Statement Id(Guid? value)
    {
        ((PostgresColumn<Guid?>)_columns[_next++]).Add(value);
        return this;
    }

    public override Statement Null()
    {
        _columns[_next++].AddNull();
        return this;
    }

    public override void Run()
    {
        _next = 0;
        if (_seen is not null)
        {
            ref var round = ref CollectionsMarshal.GetValueRefOrAddDefault(_seen, KeyHash(), out var again);
            if (again)
            {
                var later = _later!(++round);
                for (var i = 0; i < _columns.Length; i++)
                {
                    _columns[i].MoveLast(later._columns[i]);
                }

                later.Count++;
                return;
            }
        }

        Count++;
    }

    public void Clear()
    {
        (_next, Count) = (0, 0);
        foreach (var column in _columns)
        {
            column.Clear();
        }
    }

    private int KeyHash()
    {
        var hash = new HashCode();
        foreach (var k in _key)
        {
            hash.Add(_columns[k].HashOfLast());
        }

        return hash.ToHashCode();
    }
}

/// <summary>An array parameter that is filled value by value.</summary>
internal abstract class PostgresColumn
{
    public abstract NpgsqlParameter Parameter { get; }

    public static PostgresColumn Of(StoredColumn column) => column switch
    {
        { Kind: StoredKind.Text } => new PostgresColumn<string?>(NpgsqlDbType.Text),
        { Kind: StoredKind.Long, Nullable: false } => new PostgresColumn<long>(NpgsqlDbType.Bigint),
        { Kind: StoredKind.Long } => new PostgresColumn<long?>(NpgsqlDbType.Bigint),
        { Kind: StoredKind.Blob } => new PostgresColumn<byte[]?>(NpgsqlDbType.Bytea),
        { Kind: StoredKind.Uuid } => new PostgresColumn<Guid?>(NpgsqlDbType.Uuid),
        _ => throw new InvalidOperationException($"{column.Name} is a {column.Kind}."),
    };

    public abstract void AddLong(long value);

    public abstract void AddNull();

    public abstract void MoveLast(PostgresColumn to);

    public abstract int HashOfLast();

    public abstract void Clear();
}

internal sealed class PostgresColumn<T> : PostgresColumn
{
    private readonly List<T> _values = [];
    private readonly NpgsqlParameter<List<T>> _parameter;

    public PostgresColumn(NpgsqlDbType type) => _parameter = new NpgsqlParameter<List<T>> { TypedValue = _values, NpgsqlDbType = NpgsqlDbType.Array | type };

    public override NpgsqlParameter Parameter => _parameter;

    public void Add(T value) => _values.Add(value);

    public override void AddLong(long value)
    {
        if (this is PostgresColumn<long> column)
        {
            column.Add(value);
        }
        else
        {
            ((PostgresColumn<long?>)(PostgresColumn)this).Add(value);
        }
    }

    public override void AddNull() =>
        Add(default(T) is null ? default! : throw new RefusedContentException("A column that needs a value has none."));

    public override void MoveLast(PostgresColumn to)
    {
        ((PostgresColumn<T>)to).Add(_values[^1]);
        _values.RemoveAt(_values.Count - 1);
    }

    public override int HashOfLast() => _values[^1] is { } value ? EqualityComparer<T>.Default.GetHashCode(value) : 0;

    public override void Clear() => _values.Clear();
}
