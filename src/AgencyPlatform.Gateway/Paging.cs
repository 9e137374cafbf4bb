using System.Globalization;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Google.Protobuf;
using NodaTime.Text;

namespace AgencyPlatform.Gateway;

/// <summary>
/// One page of a list, from the request's <c>page_size</c> and <c>page_token</c>. A token is opaque, and bound to its list: the method, the
/// agency and every filter; another list's is a bad field.
/// </summary>
public sealed class Page
{
    public const int DefaultSize = 50;
    public const int MaxSize = 1000;

    private readonly byte[] _list;
    private readonly string[] _after;

    private Page(int size, byte[] list, string[] after)
    {
        Size = size;
        _list = list;
        _after = after;
    }

    /// <summary>How many items the answer has at most.</summary>
    public int Size { get; }

    /// <summary>What the token before said to go on after, as <see cref="TokenAfter"/> was given it; empty on the first page.</summary>
    public IReadOnlyList<string> After => _after;

    /// <summary>The token of a page that goes on after these keys, of a list that is worked out on the way.</summary>
    public string TokenAfter(params ReadOnlySpan<string> after) => Encode(after.ToArray());

    /// <summary>Reads the page that a List request asks for.</summary>
    public static Page Of(ServerCallContext context, IMessage request, Fields fields)
    {
        var sizeField = request.Descriptor.FindFieldByName("page_size");
        var tokenField = request.Descriptor.FindFieldByName("page_token");
        var size = fields.Number("page_size", (int)sizeField.Accessor.GetValue(request), 0, MaxSize);
        var token = (string)tokenField.Accessor.GetValue(request);

        sizeField.Accessor.Clear(request);
        tokenField.Accessor.Clear(request);
        using var buffer = new MemoryStream();
        buffer.Write(Encoding.UTF8.GetBytes(context.Method + "\0" + Calls.Caller(context).Agency + "\0"));
        using (var output = new CodedOutputStream(buffer, leaveOpen: true) { Deterministic = true })
        {
            request.WriteTo(output);
        }

        sizeField.Accessor.SetValue(request, size);
        tokenField.Accessor.SetValue(request, token);
        var list = SHA256.HashData(buffer.ToArray())[..8];
        string[] after = [];
        if (token.Length > 0)
        {
            if (Decode(token) is { } decoded && decoded.List.AsSpan().SequenceEqual(list))
            {
                after = decoded.After;
            }
            else
            {
                fields.Add("page_token", "must be the next_page_token of the same list with the same filters");
            }
        }

        return new Page(size == 0 ? DefaultSize : size, list, after);
    }

    /// <summary>The query of this page over a read-model table: one row more than shown, so that the end is seen.</summary>
    public Query Query<TRow>(params ReadOnlySpan<Filter> filters) where TRow : class, IRow
    {
        var columns = KeyColumns<TRow>();
        try
        {
            return new Query([.. filters], [.. _after.Take(columns.Length).Select((text, i) => Value(text, columns[i].PropertyType))], Size + 1);
        }
        catch (Exception e) when (e is FormatException or OverflowException or UnparsableValueException)
        {
            throw Errors.Invalid([new FieldViolation("page_token", "must be the next_page_token of the same list with the same filters")]);
        }
    }

    /// <summary>The rows to show and the token of the next page, empty at the end.</summary>
    public (IReadOnlyList<TRow> Rows, string NextPageToken) Cut<TRow>(IReadOnlyList<TRow> rows) where TRow : class, IRow =>
        rows.Count <= Size
            ? (rows, "")
            : ([.. rows.Take(Size)], Encode([.. KeyColumns<TRow>().Select(c => Text(c.GetValue(rows[Size - 1])!))]));

    /// <summary>The same for items that are at hand, in the ordinal order of their keys.</summary>
    public (IReadOnlyList<T> Items, string NextPageToken) Cut<T>(IEnumerable<T> items, Func<T, string> key)
    {
        var after = _after.Length > 0 ? _after[0] : null;
        var page = items.Where(i => after is null || string.CompareOrdinal(key(i), after) > 0).OrderBy(key, StringComparer.Ordinal).Take(Size + 1).ToList();
        if (page.Count <= Size)
        {
            return (page, "");
        }

        page.RemoveAt(Size);
        return (page, Encode([key(page[^1])]));
    }

    private string Encode(string[] after) =>
        Convert.ToBase64String([.. _list, .. JsonSerializer.SerializeToUtf8Bytes(after)]).Replace('+', '-').Replace('/', '_').TrimEnd('=');

    private static (byte[] List, string[] After)? Decode(string token)
    {
        try
        {
            var bytes = Convert.FromBase64String(token.Replace('-', '+').Replace('_', '/').PadRight((token.Length + 3) / 4 * 4, '='));
            return bytes.Length > 8 && JsonSerializer.Deserialize<string[]>(bytes.AsSpan(8)) is { Length: > 0 } after && after.All(a => a is not null) ? (bytes[..8], after) : null;
        }
        catch (Exception e) when (e is FormatException or JsonException)
        {
            return null;
        }
    }

    private static PropertyInfo[] KeyColumns<TRow>() =>
        [.. typeof(TRow).GetCustomAttribute<RowTableAttribute>()!.Key.Select(name => typeof(TRow).GetProperty(name)!)];

    private static string Text(object value) => value switch
    {
        LocalDate date => LocalDatePattern.Iso.Format(date),
        Instant instant => InstantPattern.ExtendedIso.Format(instant),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };

    private static object Value(string text, System.Type type) =>
        type == typeof(string) ? text
        : type == typeof(long) ? long.Parse(text, CultureInfo.InvariantCulture)
        : type == typeof(int) ? int.Parse(text, CultureInfo.InvariantCulture)
        : type == typeof(LocalDate) ? LocalDatePattern.Iso.Parse(text).GetValueOrThrow()
        : type == typeof(Instant) ? InstantPattern.ExtendedIso.Parse(text).GetValueOrThrow()
        : type.IsEnum ? (System.Enum.TryParse(type, text, out var value) ? value : throw new FormatException(text))
        : Activator.CreateInstance(type, text)!;
}

/// <summary>The filters of a list request; what is null does not narrow.</summary>
internal sealed class Filters
{
    private readonly List<Filter> _filters = [];

    public Filters()
    {
    }

    /// <summary>Begins with those of others.</summary>
    public Filters(Filters others) => _filters.AddRange(others._filters);

    public Filters Equal(string property, object? value) => Add(property, FilterOperator.Equal, value);

    public Filters NotEqual(string property, object? value) => Add(property, FilterOperator.NotEqual, value);

    public Filters In(string property, System.Collections.IEnumerable values) => Add(property, FilterOperator.In, values);

    /// <summary>In <c>[start, end)</c>, either of which may be open.</summary>
    public Filters Between(string property, LocalDate? start, LocalDate? end) => Add(property, FilterOperator.GreaterOrEqual, start).Add(property, FilterOperator.Less, end);

    /// <summary>What was known at a time; null: everything.</summary>
    public Filters Known(string property, Instant? at) => Add(property, FilterOperator.Less, at + Duration.FromTicks(1));

    public ReadOnlySpan<Filter> All => System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_filters);

    private Filters Add(string property, FilterOperator comparison, object? value)
    {
        if (value is not null)
        {
            _filters.Add(new Filter(property, comparison, value));
        }

        return this;
    }
}
