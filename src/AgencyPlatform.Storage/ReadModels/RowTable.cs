using System.Linq.Expressions;
using System.Reflection;
using System.Text;
using AgencyPlatform.Storage.Engines;
using NodaTime.Text;

namespace AgencyPlatform.Storage.ReadModels;

/// <param name="Name">snake_case of the property's name.</param>
/// <param name="ToStored">From a value of the property's type to text, long or bytes; null stays null.</param>
/// <param name="FromStored">The way back.</param>
internal sealed record RowColumn(
    string Property,
    string Name,
    Type Type,
    StoredKind Kind,
    bool Nullable,
    Func<object, object> ToStored,
    Func<object, object> FromStored)
{
    public string Quoted => $"\"{Name}\"";
}

/// <summary>A read-model table, described by its row record.</summary>
internal sealed class RowTable
{
    private readonly Func<IRow, object?[]> _read;
    private readonly Func<object?[], IRow> _create;

    private RowTable(Type type, RowTableAttribute attribute, int ordinal)
    {
        Type = type;
        Ordinal = ordinal;
        Name = attribute.Name.StartsWith("rm_", StringComparison.Ordinal) ? attribute.Name : "rm_" + Snake(attribute.Name);
        Claimed = attribute.Claimed;
        var constructor = type.GetConstructors().OrderByDescending(c => c.GetParameters().Length).First();
        var nullability = new NullabilityInfoContext();
        Columns = [.. constructor.GetParameters().Select(p => Column(type, p, nullability))];
        Key = [.. attribute.Key.Select(IndexOf)];
        Indexes = [.. attribute.Indexes.Select(i => i.Split(',', StringSplitOptions.TrimEntries).Select(IndexOf).ToArray())];
        if (Key.Length == 0)
        {
            throw new InvalidOperationException($"The row {type.Name} names no key column.");
        }

        if (Columns.FirstOrDefault(c => c.Name is "agency" or "owner") is { } clash)
        {
            throw new InvalidOperationException($"The row {type.Name} has a column {clash.Property}, a name that every read-model table uses itself.");
        }

        _read = CompileRead(type);
        _create = CompileCreate(constructor);
    }

    public Type Type { get; }

    /// <summary>Position among all tables.</summary>
    public int Ordinal { get; }

    public string Name { get; }

    /// <summary>What a claimed row of it is, as a refusal calls it.</summary>
    public string Claimed { get; }

    public RowColumn[] Columns { get; }

    /// <summary>Positions of the key columns, in key order.</summary>
    public int[] Key { get; }

    public int[][] Indexes { get; }

    public static RowTable Describe(Type type, int ordinal) =>
        new(type, type.GetCustomAttribute<RowTableAttribute>() ?? throw new InvalidOperationException($"The row {type.Name} has no [RowTable]."), ordinal);

    /// <summary>The row's columns as stored, in column order.</summary>
    public object?[] Read(IRow row)
    {
        var values = _read(row);
        for (var i = 0; i < values.Length; i++)
        {
            if (values[i] is { } value)
            {
                values[i] = Columns[i].ToStored(value);
            }
        }

        return values;
    }

    public IRow Create(Func<int, object?> stored)
    {
        var values = new object?[Columns.Length];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = stored(i) is { } value ? Columns[i].FromStored(value) : null;
        }

        return _create(values);
    }

    /// <summary>The key as one string: unique within the agency and table.</summary>
    public string KeyOf(object?[] values) => string.Join('/', Key.Select(k => values[k]));

    public RowColumn Property(string property) => Columns[IndexOf(property)];

    /// <summary>What the table is, as one comparable text: key, then columns.</summary>
    public string Definition =>
        $"key({string.Join(',', Key.Select(k => Columns[k].Name))}) " +
        $"columns({string.Join(',', Columns.Select(c => $"{c.Name} {c.Kind}{(c.Nullable ? "" : " not null")}"))}) " +
        $"indexes({string.Join(';', Indexes.Select(i => string.Join(',', i.Select(c => Columns[c].Name))))})";

    /// <summary>Whether a table of this definition has the same key and all of this one's columns.</summary>
    public bool IsPartOf(string definition)
    {
        static (string Key, HashSet<string> Columns) Parts(string text)
        {
            var columns = text.IndexOf(") columns(", StringComparison.Ordinal);
            var indexes = text.IndexOf(") indexes(", StringComparison.Ordinal);
            return (text[..columns], [.. text[(columns + 10)..indexes].Split(',')]);
        }

        var (mine, other) = (Parts(Definition), Parts(definition));
        return mine.Key == other.Key && mine.Columns.IsSubsetOf(other.Columns);
    }

    public string QuotedKey => string.Join(", ", Key.Select(k => Columns[k].Quoted).Prepend("agency"));

    /// <summary>What an upsert sets when the key is there.</summary>
    public string Replacement =>
        string.Join(", ", Columns.Where((_, i) => !Key.Contains(i)).Select(c => c.Quoted).Prepend("owner").Select(c => $"{c} = excluded.{c}"));

    public string QuotedColumns => string.Join(", ", Columns.Select(c => c.Quoted));

    /// <summary>The statements that create it, under another name while it is being filled.</summary>
    public IEnumerable<string> Ddl(Database database, string name)
    {
        var columns = Columns.Select(c => $"{c.Quoted} {database.TypeOf(c.Kind)}{(c.Nullable ? "" : " NOT NULL")}");
        var text = database.TypeOf(StoredKind.Text);
        yield return $"CREATE TABLE {name} (agency {text} NOT NULL, owner {text} NOT NULL, {string.Join(", ", columns)}, PRIMARY KEY ({QuotedKey}))";
        foreach (var statement in database.Protect(name))
        {
            yield return statement;
        }
    }

    /// <summary>
    /// Its further indexes; made after the table bears its final name, as index names do not follow a renaming. Each has a condition that a list by its
    /// first column implies and a look-up by the key does not: on a table of few live rows PostgreSQL took such an index for look-ups by the key too, and
    /// walked all dead entries of the agency for each (1.3 million entries read in 70,000 look-ups).
    /// </summary>
    public IEnumerable<string> IndexDdl()
    {
        foreach (var index in Indexes)
        {
            var columns = index.Concat(Key.Where(k => !index.Contains(k))).Select(c => Columns[c].Quoted).Prepend("agency");
            yield return $"CREATE INDEX {Name}_by_{string.Join("_", index.Select(c => Columns[c].Name))} ON {Name} ({string.Join(", ", columns)}) WHERE {Columns[index[0]].Quoted} IS NOT NULL";
        }
    }

    internal static string Snake(string name)
    {
        var text = new StringBuilder(name.Length + 8);
        for (var i = 0; i < name.Length; i++)
        {
            var c = name[i] == '-' ? '_' : name[i];
            if (char.IsUpper(c) && i > 0 && name[i - 1] != '_' && (!char.IsUpper(name[i - 1]) || (i + 1 < name.Length && char.IsLower(name[i + 1]))))
            {
                text.Append('_');
            }

            text.Append(char.ToLowerInvariant(c));
        }

        return text.ToString();
    }

    private static RowColumn Column(Type row, ParameterInfo parameter, NullabilityInfoContext nullability)
    {
        var property = row.GetProperty(parameter.Name!) ?? throw new InvalidOperationException($"{row.Name}.{parameter.Name} has no property.");
        var underlying = Nullable.GetUnderlyingType(property.PropertyType);
        var nullable = underlying is not null ||
            (!property.PropertyType.IsValueType && nullability.Create(property).ReadState == NullabilityState.Nullable);
        var type = underlying ?? property.PropertyType;
        var (kind, to, from) = Conversion(row, property, type);
        return new RowColumn(property.Name, Snake(property.Name), type, kind, nullable, to, from);
    }

    private static (StoredKind, Func<object, object> To, Func<object, object> From) Conversion(Type row, PropertyInfo property, Type type)
    {
        var date = LocalDatePattern.Iso;
        if (type == typeof(string))
        {
            return (StoredKind.Text, v => v, v => v);
        }

        if (type == typeof(long))
        {
            return (StoredKind.Long, v => v, v => v);
        }

        if (type == typeof(int))
        {
            return (StoredKind.Long, v => (long)(int)v, v => checked((int)(long)v));
        }

        if (type == typeof(bool))
        {
            return (StoredKind.Long, v => (bool)v ? 1L : 0L, v => (long)v != 0);
        }

        if (type == typeof(LocalDate))
        {
            return (StoredKind.Text, v => date.Format((LocalDate)v), v => date.Parse((string)v).Value);
        }

        if (type == typeof(Instant))
        {
            return (StoredKind.Long, v => ((Instant)v).ToUnixTimeTicks(), v => Instant.FromUnixTimeTicks((long)v));
        }

        if (type == typeof(byte[]))
        {
            return (StoredKind.Blob, v => v, v => v);
        }

        if (type.IsEnum)
        {
            var names = Enum.GetValues(type).Cast<object>().Distinct().ToDictionary(v => v, v => (object)v.ToString()!);
            var values = names.ToDictionary(n => n.Value, n => n.Key);
            return (StoredKind.Text, v => names[v], v => values[v]);
        }

        if (type.GetInterfaces().Any(i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(IId<>)))
        {
            var parameter = Expression.Parameter(typeof(object));
            var to = Expression.Lambda<Func<object, object>>(Expression.Property(Expression.Convert(parameter, type), nameof(AgencyId.Value)), parameter).Compile();
            var from = Expression.Lambda<Func<object, object>>(
                Expression.Convert(Expression.Call(type.GetMethod("Of", [typeof(string)])!, Expression.Convert(parameter, typeof(string))), typeof(object)), parameter).Compile();
            return (StoredKind.Text, to, from);
        }

        throw new InvalidOperationException($"{row.Name}.{property.Name} is a {type.Name}, which no read-model column can hold.");
    }

    private int IndexOf(string property)
    {
        var index = Array.FindIndex(Columns, c => c.Property == property);
        return index >= 0 ? index : throw new InvalidOperationException($"The row {Type.Name} has no column {property}.");
    }

    private Func<IRow, object?[]> CompileRead(Type type)
    {
        var row = Expression.Parameter(typeof(IRow));
        var typed = Expression.Convert(row, type);
        var values = Columns.Select(c => Expression.Convert(Expression.Property(typed, c.Property), typeof(object)));
        return Expression.Lambda<Func<IRow, object?[]>>(Expression.NewArrayInit(typeof(object), values), row).Compile();
    }

    private static Func<object?[], IRow> CompileCreate(ConstructorInfo constructor)
    {
        var values = Expression.Parameter(typeof(object?[]));
        var arguments = constructor.GetParameters().Select((p, i) => Expression.Convert(Expression.ArrayIndex(values, Expression.Constant(i)), p.ParameterType));
        return Expression.Lambda<Func<object?[], IRow>>(Expression.Convert(Expression.New(constructor, arguments), typeof(IRow)), values).Compile();
    }
}

/// <summary>All read-model tables that this program knows.</summary>
internal sealed class RowTables
{
    private readonly Dictionary<Type, RowTable> _byType;

    public RowTables(IEnumerable<Type> rows)
    {
        All = [.. rows.OrderBy(r => r.FullName, StringComparer.Ordinal).Select(RowTable.Describe)];
        _byType = All.ToDictionary(t => t.Type);
        if (All.GroupBy(t => t.Name).FirstOrDefault(g => g.Count() > 1) is { } twice)
        {
            throw new InvalidOperationException($"Two rows name the table {twice.Key}: {string.Join(", ", twice.Select(t => t.Type.Name))}.");
        }
    }

    public ImmutableArray<RowTable> All { get; }

    /// <summary>Every row of the domain.</summary>
    public static IEnumerable<Type> OfDomain =>
        typeof(IRow).Assembly.GetTypes().Where(t => t.GetCustomAttribute<RowTableAttribute>() is not null);

    public RowTable Of(Type row) =>
        _byType.TryGetValue(row, out var table) ? table : throw new InvalidOperationException($"{row.Name} is not among the read-model rows of this program.");
}
