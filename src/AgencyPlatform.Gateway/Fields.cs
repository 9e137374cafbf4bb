using System.Collections.Immutable;
using System.Globalization;
using Google.Protobuf.Collections;
using Google.Protobuf.WellKnownTypes;

namespace AgencyPlatform.Gateway;

/// <summary>
/// Reads a request's fields into the domain's values and gathers every bad one, by path, with what would be right. A bad field yields a
/// default value, so that reading goes on; <see cref="ThrowIfAny"/> (which <see cref="Calls"/> asks too) then refuses the whole request.
/// </summary>
public sealed class Fields
{
    private readonly List<FieldViolation> _violations = [];
    private readonly List<(string Path, Instant At)> _future = [];

    public bool Any => _violations.Count > 0;

    /// <summary>The bad fields so far, the first hundred.</summary>
    public IReadOnlyList<FieldViolation> Violations => _violations;

    /// <summary>Whether a bad field was recorded at this path.</summary>
    public bool Has(string path) => _violations.Exists(v => v.Field == path);

    /// <summary>Records a bad field.</summary>
    /// <param name="path">As in the request: <c>booking.steps[1].end_date</c>.</param>
    /// <param name="description">What would be right, as a sentence without its full stop.</param>
    public void Add(string path, string description)
    {
        if (_violations.Count < 100)
        {
            _violations.Add(new FieldViolation(path, description));
        }
    }

    /// <summary>Records a bad field unless the condition holds.</summary>
    public void Require(bool condition, string path, string description)
    {
        if (!condition)
        {
            Add(path, description);
        }
    }

    /// <exception cref="RpcException">INVALID_ARGUMENT with all of them.</exception>
    public void ThrowIfAny()
    {
        if (_violations.Count > 0)
        {
            throw Errors.Invalid(_violations);
        }
    }

    /// <summary>A message that must be there; an empty one stands in when it is not.</summary>
    public T Message<T>(string path, T? message) where T : class, new()
    {
        if (message is null)
        {
            Add(path, "is required");
        }

        return message ?? new T();
    }

    // ---- names and ids ----

    /// <summary><c>agencies/{agency}</c>.</summary>
    public AgencyId Agency(string path, string name) => new(Parse(path, name, [])?[0] ?? "");

    /// <summary><c>agencies/{agency}/{collection}/{id}</c>.</summary>
    public (AgencyId Agency, TId Id) Name<TId>(string path, string name, string collection) where TId : struct, IId<TId>
    {
        var ids = Parse(path, name, [collection]);
        return (new AgencyId(ids?[0] ?? ""), TId.Of(ids?[1] ?? ""));
    }

    /// <summary><c>agencies/{agency}/{collection}/{id}/{collection2}/{id2}</c>.</summary>
    public (AgencyId Agency, TId1 Id1, TId2 Id2) Name<TId1, TId2>(string path, string name, string collection, string collection2)
        where TId1 : struct, IId<TId1> where TId2 : struct, IId<TId2>
    {
        var ids = Parse(path, name, [collection, collection2]);
        return (new AgencyId(ids?[0] ?? ""), TId1.Of(ids?[1] ?? ""), TId2.Of(ids?[2] ?? ""));
    }

    /// <summary>A reference to another resource of the same agency; its name must say so.</summary>
    public TId Reference<TId>(string path, string name, AgencyId agency, string collection) where TId : struct, IId<TId>
    {
        if (Parse(path, name, [collection]) is not { } ids)
        {
            return TId.Of("");
        }

        Require(ids[0] == agency.Value || string.IsNullOrEmpty(agency.Value), path, $"must be of the same agency, agencies/{agency}");
        return TId.Of(ids[1]);
    }

    /// <summary>The same, or null when empty.</summary>
    public TId? OptionalReference<TId>(string path, string name, AgencyId agency, string collection) where TId : struct, IId<TId> =>
        name.Length == 0 ? null : Reference<TId>(path, name, agency, collection);

    /// <summary>A bare id.</summary>
    public TId Id<TId>(string path, string id) where TId : struct, IId<TId>
    {
        Require(IdSyntax.IsValid(id), path, $"must be {IdSyntax.Rule}; it is {Shown(id)}");
        return TId.Of(id);
    }

    /// <summary>The id of something new: chosen by the caller, or derived from the request id so that a repeat finds the same thing.</summary>
    public TId NewId<TId>(string path, string id, string requestId) where TId : struct, IId<TId> =>
        id.Length > 0 ? Id<TId>(path, id)
        : TId.Of(IdSyntax.FromRequestId(Guid.TryParse(requestId, out var request) ? request : Guid.CreateVersion7()));

    // ---- texts ----

    /// <summary>A line of text without control characters.</summary>
    public string Text(string path, string value, int maxLength, bool required = true)
    {
        Require(!required || !string.IsNullOrWhiteSpace(value), path, $"is required, 1 to {maxLength} characters");
        Require(value.Length <= maxLength, path, $"must have at most {maxLength} characters; it has {value.Length}");
        Require(!value.Any(char.IsControl), path, "must not have control characters");
        return value;
    }

    /// <summary>A reference of a bank or a payment provider, by which money counts once: blanks of whatever kind in front and behind are left out, and several between are one.</summary>
    public string BankReference(string path, string value, int maxLength) => string.Join(' ', Text(path, value, maxLength).Split(null as char[], StringSplitOptions.RemoveEmptyEntries));

    /// <summary>Text that may have several lines (line feed and tab are allowed).</summary>
    public string LongText(string path, string value, int maxLength, bool required = false)
    {
        Require(!required || !string.IsNullOrWhiteSpace(value), path, $"is required, 1 to {maxLength} characters");
        Require(value.Length <= maxLength, path, $"must have at most {maxLength} characters; it has {value.Length}");
        Require(!value.Any(c => char.IsControl(c) && c is not ('\n' or '\t')), path, "must not have control characters other than line feed and tab");
        return value;
    }

    public ImmutableArray<string> Lines(string path, IReadOnlyList<string> lines, int maxLines, int maxLength)
    {
        Require(lines.Count <= maxLines, path, $"must have at most {maxLines} lines; it has {lines.Count}");
        return [.. lines.Take(maxLines).Select((line, i) => Text($"{path}[{i}]", line, maxLength, required: false))];
    }

    /// <summary>Something@somewhere, up to 254 characters; empty is null.</summary>
    public string? Email(string path, string value)
    {
        if (value.Length == 0)
        {
            return null;
        }

        Text(path, value, 254);
        var at = value.IndexOf('@');
        Require(at > 0 && at < value.Length - 1 && value.IndexOf('@', at + 1) < 0 && !value.Contains(' '), path, "must be an e-mail address, name@domain");
        return value;
    }

    public ImmutableSortedDictionary<string, string> Labels(string path, MapField<string, string> labels) => Map(path, labels, 64, 0, 255);

    /// <summary>System → id.</summary>
    public ImmutableSortedDictionary<string, string> ExternalIds(string path, MapField<string, string> ids) => Map(path, ids, 16, 1, 128);

    // ---- numbers ----

    public int Number(string path, int value, int min, int max, string unit = "")
    {
        Require(value >= min && value <= max, path, string.Create(CultureInfo.InvariantCulture, $"must be {min} to {max}{(unit.Length > 0 ? " " + unit : "")}; it is {value}"));
        return value;
    }

    public long Number(string path, long value, long min, long max, string unit = "")
    {
        Require(value >= min && value <= max, path, string.Create(CultureInfo.InvariantCulture, $"must be {min} to {max}{(unit.Length > 0 ? " " + unit : "")}; it is {value}"));
        return value;
    }

    /// <summary>Minutes of work on one day, 0 or <paramref name="min"/> to 1,440.</summary>
    public int MinutesOfDay(string path, int value, int min = 0) => Number(path, value, min, 1440, "minutes");

    public Currency Currency(string path, string code)
    {
        Require(Domain.Currency.IsKnown(code), path, $"must be an ISO 4217 code such as USD; it is {Shown(code)}");
        return new Currency(code);
    }

    /// <summary>An amount in a known currency, in [<paramref name="min"/>, 10^15] minor units.</summary>
    public Money Money(string path, Protocol.Type.V1.Money? money, long min = 0)
    {
        if (money is null)
        {
            Add(path, "is required");
            return default;
        }

        return new Money(Number(path + ".minor_units", money.MinorUnits, min, Domain.Money.MostMinor, "minor units"), Currency(path + ".currency", money.Currency));
    }

    /// <summary>A percentage from 0 to 100 as a decimal with up to 4 decimals, in parts per million.</summary>
    public int Percent(string path, string value)
    {
        if (value.Length <= 12 && decimal.TryParse(value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var percent)
            && percent is >= 0 and <= 100 && decimal.IsInteger(percent * 10_000))
        {
            return (int)(percent * 10_000);
        }

        Add(path, $"must be a percentage from 0 to 100 with up to 4 decimals, such as 8.875; it is {Shown(value)}");
        return 0;
    }

    /// <summary>The wire's value as the domain's of the same name; unspecified and unknown values are bad.</summary>
    public TDomain Enum<TWire, TDomain>(string path, TWire value) where TWire : struct, System.Enum where TDomain : struct, System.Enum
    {
        if (Convert.ToInt32(value, CultureInfo.InvariantCulture) != 0 && System.Enum.IsDefined(value) && System.Enum.TryParse<TDomain>(value.ToString(), out var found))
        {
            return found;
        }

        Add(path, "must be one of " + string.Join(", ", System.Enum.GetValues<TWire>().Where(v => Convert.ToInt32(v, CultureInfo.InvariantCulture) != 0).Select(Wire.NameOf)));
        return default;
    }

    // ---- dates and times ----

    /// <summary>A full date from 1900 to 2199 that exists.</summary>
    public LocalDate Date(string path, Google.Type.Date? date)
    {
        if (date is null)
        {
            Add(path, "is required");
            return new LocalDate(2000, 1, 1);
        }

        if (date.Year is < 1900 or > 2199 || date.Month is < 1 or > 12 || date.Day < 1 || date.Day > CalendarSystem.Iso.GetDaysInMonth(date.Year, date.Month))
        {
            Add(path, string.Create(CultureInfo.InvariantCulture, $"must be a date that exists, from 1900 to 2199; {date.Year}-{date.Month:00}-{date.Day:00} is none"));
            return new LocalDate(2000, 1, 1);
        }

        return new LocalDate(date.Year, date.Month, date.Day);
    }

    public LocalDate? OptionalDate(string path, Google.Type.Date? date) => date is null ? null : Date(path, date);

    /// <summary><c>[start, end)</c> with an end.</summary>
    public DateRange Range(string startPath, Google.Type.Date? start, string endPath, Google.Type.Date? end) => Ordered(Date(startPath, start), Date(endPath, end), startPath, endPath);

    /// <summary><c>[start, end)</c> whose end may be open.</summary>
    public DateRange OpenRange(string startPath, Google.Type.Date? start, string endPath, Google.Type.Date? end) =>
        Ordered(Date(startPath, start), OptionalDate(endPath, end), startPath, endPath);

    public Instant Time(string path, Timestamp? time)
    {
        if (time is null)
        {
            Add(path, "is required");
            return Instant.FromUtc(2000, 1, 1, 0, 0);
        }

        // 1900-01-01 to 2200-01-01.
        if (time.Seconds is < -2208988800 or >= 7258118400 || time.Nanos is < 0 or > 999_999_999)
        {
            Add(path, "must be a time from 1900 to 2199");
            return Instant.FromUtc(2000, 1, 1, 0, 0);
        }

        return Instant.FromUnixTimeSeconds(time.Seconds).PlusNanoseconds(time.Nanos);
    }

    public Instant? OptionalTime(string path, Timestamp? time) => time is null ? null : Time(path, time);

    /// <summary>The same of a time that must not have come yet. By whose clock the domain says; see <see cref="RequireFuture"/>.</summary>
    public Instant? OptionalFutureTime(string path, Timestamp? time)
    {
        var read = OptionalTime(path, time);
        if (read is { } at && !Has(path))
        {
            _future.Add((path, at));
        }

        return read;
    }

    /// <summary>Whether bad fields are about to be told, among which times that have come already would be missing.</summary>
    internal bool MissesPastTimes => Any && _future.Count > 0;

    /// <summary>Records the times that have come already.</summary>
    internal void RequireFuture(Instant now)
    {
        foreach (var (path, at) in _future)
        {
            Require(at > now, path, "must be in the future");
        }
    }

    /// <summary>An IANA zone id that NodaTime knows.</summary>
    public string TimeZone(string path, string id)
    {
        Require(DateTimeZoneProviders.Tzdb.GetZoneOrNull(id) is not null && id.Length <= 64, path, $"must be an IANA time zone such as America/New_York; it is {Shown(id)}");
        return id;
    }

    // ---- request parts ----

    /// <summary>The request id: a UUID, or null when empty. Without one, every sending counts as a new request.</summary>
    public Guid? RequestId(string path, string value)
    {
        if (value.Length == 0)
        {
            return null;
        }

        if (Guid.TryParseExact(value, "d", out var id) && id != Guid.Empty)
        {
            return id;
        }

        Add(path, "must be a UUID, such as 0190f5a8-7b1c-7cc3-98c4-dc0c0c07398f");
        return null;
    }

    /// <summary>The version that an etag names, or null when empty.</summary>
    public long? Etag(string path, string value)
    {
        if (value.Length == 0)
        {
            return null;
        }

        var version = Etags.Version(value);
        Require(version is not null, path, "must be an etag as the object's last answer gave it");
        return version;
    }

    /// <summary>
    /// The paths that an update changes: the mask's, or without one all of <paramref name="allowed"/> that are filled in the message.
    /// </summary>
    public IReadOnlySet<string> Mask(string path, FieldMask? mask, Google.Protobuf.IMessage message, params ReadOnlySpan<string> allowed)
    {
        var paths = new HashSet<string>();
        if (mask is null || mask.Paths.Count == 0)
        {
            foreach (var name in allowed)
            {
                var field = message.Descriptor.FindFieldByName(name) ?? throw new InvalidOperationException($"{message.Descriptor.Name} has no {name}.");
                var value = field.Accessor.GetValue(message);
                if (value switch
                {
                    null => false,
                    string text => text.Length > 0,
                    System.Collections.ICollection many => many.Count > 0,
                    Google.Protobuf.IMessage => true,
                    _ => !value.Equals(Activator.CreateInstance(value.GetType())),
                })
                {
                    paths.Add(name);
                }
            }

            return paths;
        }

        for (var i = 0; i < mask.Paths.Count; i++)
        {
            if (allowed.Contains(mask.Paths[i]))
            {
                paths.Add(mask.Paths[i]);
            }
            else
            {
                Add($"{path}.paths[{i}]", $"must be one of {string.Join(", ", allowed.ToArray())}; it is {Shown(mask.Paths[i])}");
            }
        }

        return paths;
    }

    private string[]? Parse(string path, string name, ReadOnlySpan<string> collections)
    {
        var ids = ResourceNames.Parse(name, collections);
        if (ids is null)
        {
            Add(path, $"must be a name {ResourceNames.Pattern(collections)}, each id {IdSyntax.Rule}; it is {Shown(name)}");
        }

        return ids;
    }

    private DateRange Ordered(LocalDate start, LocalDate? end, string startPath, string endPath)
    {
        // What stands in for a bad date is not held against the other.
        if (!Has(startPath) && !Has(endPath) && end <= start)
        {
            Add(endPath, $"must be after the start, {start:uuuu-MM-dd}; it is {end:uuuu-MM-dd} (the end is exclusive)");
        }

        return new DateRange(start, end);
    }

    private ImmutableSortedDictionary<string, string> Map(string path, MapField<string, string> map, int maxCount, int minLength, int maxLength)
    {
        Require(map.Count <= maxCount, path, $"must have at most {maxCount} entries; it has {map.Count}");
        var result = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        foreach (var (key, value) in map.OrderBy(e => e.Key, StringComparer.Ordinal).Take(maxCount))
        {
            var entry = $"{path}[{Shown(key)}]";
            Require(
                key.Length is > 0 and <= 63 && char.IsAsciiLetterLower(key[0]) && key.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '_' or '.' or '-'),
                entry, "must have a key of 1 to 63 of a-z, 0-9, '_', '.', '-', beginning with a letter");
            Text(entry, value, maxLength, required: minLength > 0);
            result[key] = value;
        }

        return result.ToImmutable();
    }

    /// <summary>What the caller sent, short and without control characters.</summary>
    private static string Shown(string value) =>
        value.Length == 0 ? "empty" : $"'{string.Concat(value.Take(80).Select(c => char.IsControl(c) ? '?' : c))}{(value.Length > 80 ? "…" : "")}'";
}
