using System.Globalization;
using System.Text;
using AgencyPlatform.Domain;
using AgencyPlatform.Gateway;
using CsvHelper;
using NodaTime;
using NodaTime.Text;

namespace AgencyPlatform.Host.Demo;

/// <summary>Who and what the demo runs: invented, or read from the agency's own file (docs/roster.md).</summary>
internal sealed record Roster(IReadOnlyList<RosterCmo> Cmos, IReadOnlyList<RosterClient> Clients, IReadOnlyList<RosterEngagement> Engagements);

/// <param name="WeekdayMinutes">Working minutes of each day from Monday to Thursday.</param>
internal sealed record RosterCmo(string Id, string Name, string Email, int WeekdayMinutes);

internal sealed record RosterClient(string Id, string Name, string Email, string? Competitor);

/// <param name="Cmo">Who is asked first.</param>
/// <param name="Retainer">A fee a month, else a rate an hour.</param>
/// <param name="Amount">The fee or the rate, US cents.</param>
/// <param name="MonthlyMinutes">What is booked, and under a retainer included, a month.</param>
internal sealed record RosterEngagement(
    string Id, string Title, string Client, string Cmo, LocalDate Start, LocalDate? End, bool Retainer, long Amount, int MonthlyMinutes);

/// <summary>What is wrong with a row of the file; no column: with the row as a whole.</summary>
internal sealed record RosterError(int Line, string Column, string Problem)
{
    public override string ToString() => Column.Length == 0 ? $"line {Line}: {Problem}" : $"line {Line}, column {Column}: {Problem}";
}

/// <summary>Reads a roster file. Every wrong cell is named; which rows are used is the caller's to say.</summary>
internal static class RosterFile
{
    /// <summary>The demo makes ids of people and bookings from these, up to five characters longer.</summary>
    private const int LongestId = 58;

    private static readonly string[] s_columns = ["kind", "id", "name", "email", "hours_per_day", "competitor", "client", "cmo", "start_date", "end_date", "terms", "amount", "monthly_hours"];

    /// <summary>A byte that is no UTF-8 is an error, not a question mark in somebody's name.</summary>
    private static readonly UTF8Encoding s_utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <exception cref="DemoException">The file is not UTF-8 text.</exception>
    public static (Roster Roster, IReadOnlyList<RosterError> Errors) Read(Stream file)
    {
        try
        {
            using var text = new StreamReader(file, s_utf8);
            return Read(new StringReader(text.ReadToEnd()));
        }
        catch (DecoderFallbackException)
        {
            throw new DemoException("The file is not UTF-8 text: save it as \"CSV UTF-8\".");
        }
    }

    public static (Roster Roster, IReadOnlyList<RosterError> Errors) Read(TextReader text)
    {
        var errors = new List<RosterError>();
        using var csv = CsvReader.Create(
            text,
            new CsvReaderOptions
            {
                TrimWhitespace = true,
                TrackLineNumbers = true,
                NormalizeHeaderName = header => header.Trim().ToLowerInvariant(),
                // No cell has several lines, so that a quote that is not closed spoils its own row only.
                AllowLineBreaksInQuotes = false,
                MalformedData = CsvMalformedDataHandling.Skip,
                OnMalformedRecord = bad => errors.Add(new RosterError((int)bad.LineNumber, "", "its quotes do not fit: a cell in quotes ends with one, and a quote within is doubled")),
            },
            leaveOpen: true);
        var (cmos, clients, engagements) = (new List<(int Line, RosterCmo Row)>(), new List<(int Line, RosterClient Row)>(), new List<(int Line, RosterEngagement Row)>());
        csv.ReadHeader();
        if (csv.Headers.Count == 0)
        {
            return (new Roster([], [], []), [new RosterError(1, "kind", $"the file is empty; its first line names the columns: {string.Join(',', s_columns)}")]);
        }

        var headers = csv.Headers.Select(h => h.Trim().ToLowerInvariant()).ToList();
        foreach (var header in headers.Where(h => !s_columns.Contains(h)))
        {
            errors.Add(new RosterError(1, header, $"is no column; these are: {string.Join(',', s_columns)}"));
        }

        foreach (var header in headers.GroupBy(h => h).Where(g => g.Count() > 1))
        {
            errors.Add(new RosterError(1, header.Key, "is there more than once"));
        }

        var ids = new HashSet<(string, string)>();
        while (csv.Read())
        {
            var row = new Row(csv, (int)csv.LineNumber);
            if (csv.FieldCount > headers.Count)
            {
                row.Wrong("", $"has {csv.FieldCount} cells for {headers.Count} columns (a cell with a comma in it needs quotes)");
            }

            var kind = row.Text("kind");
            var id = row.Id("id");
            var name = row.Required("name");
            switch (kind)
            {
                case "cmo":
                    var hours = row.Whole("hours_per_day", 1, 24, 8);
                    Add(cmos, new RosterCmo(id, name, row.Email("email"), hours * 60));
                    break;
                case "client":
                    if (row.Text("competitor") == id && id.Length > 0)
                    {
                        row.Wrong("competitor", "a client does not compete with itself");
                    }

                    Add(clients, new RosterClient(id, name, row.Email("email"), row.Text("competitor") is { Length: > 0 } competitor ? competitor : null));
                    break;
                case "engagement":
                    var terms = row.Text("terms");
                    if (terms is not ("retainer" or "hourly"))
                    {
                        row.Wrong("terms", $"\"{terms}\" is not retainer or hourly");
                    }

                    var start = row.Date("start_date");
                    var end = row.Text("end_date").Length == 0 ? null : row.Date("end_date");
                    if (start is { } from && end is { } until && until <= from)
                    {
                        row.Wrong("end_date", $"{until:uuuu-MM-dd} is not after the start, {from:uuuu-MM-dd} (the end is the day after the last)");
                    }

                    Add(engagements, new RosterEngagement(
                        id, name, row.Id("client"), row.Id("cmo"), start ?? default, end, terms == "retainer", row.Cents("amount"), row.Whole("monthly_hours", 1, 400, 40) * 60));
                    break;
                default:
                    row.Wrong("kind", $"\"{kind}\" is not cmo, client or engagement");
                    break;
            }

            errors.AddRange(row.Errors);

            void Add<T>(List<(int, T)> list, T item)
            {
                if (id.Length > 0 && !ids.Add((kind, id)))
                {
                    row.Wrong("id", $"\"{id}\" is taken by another {kind} above");
                }

                if (row.Errors.Count == 0)
                {
                    list.Add((row.Line, item));
                }
            }
        }

        var (knownCmos, knownClients) = (cmos.Select(c => c.Row.Id).ToHashSet(), clients.Select(c => c.Row.Id).ToHashSet());
        Refer(clients, c => c.Competitor is null || knownClients.Contains(c.Competitor), "competitor", c => c.Competitor);
        Refer(engagements, e => knownClients.Contains(e.Client), "client", e => e.Client);
        Refer(engagements, e => knownCmos.Contains(e.Cmo), "cmo", e => e.Cmo);
        Some(cmos.Count, "cmo");
        Some(clients.Count, "client");
        return (new Roster([.. cmos.Select(c => c.Row)], [.. clients.Select(c => c.Row)], [.. engagements.Select(e => e.Row)]), [.. errors.OrderBy(e => e.Line)]);

        void Some(int rows, string kind)
        {
            if (rows == 0)
            {
                errors.Add(new RosterError(1, "kind", $"no good row of this file is a {kind}; the demo needs one at least"));
            }
        }

        void Refer<T>(List<(int Line, T Row)> rows, Func<T, bool> known, string column, Func<T, string?> value)
        {
            foreach (var bad in rows.Where(r => !known(r.Row)).ToList())
            {
                errors.Add(new RosterError(bad.Line, column, $"no good row of this file has the id \"{value(bad.Row)}\""));
                rows.Remove(bad);
            }
        }
    }

    private sealed class Row(CsvReader csv, int line)
    {
        /// <summary>The API's own rules of a field, so that what passes here is not refused there.</summary>
        private readonly Fields _fields = new();

        public int Line => line;
        public IReadOnlyList<RosterError> Errors => [.. _fields.Violations.Select(v => new RosterError(line, v.Field, v.Description))];

        public void Wrong(string column, string problem) => _fields.Add(column, problem);

        public string Text(string column) => csv.TryGetFieldIndex(column, out var index) ? csv.GetString(index) : "";

        public string Required(string column) => _fields.Text(column, Text(column), 200);

        public string Email(string column) => _fields.Email(column, Text(column)) ?? "";

        public string Id(string column)
        {
            var value = Text(column);
            if (!IdSyntax.IsValid(value) || value.Length > LongestId)
            {
                Wrong(column, $"\"{value}\" is no id: 1 to {LongestId} of a-z, 0-9 and '-', neither first nor last a '-'");
            }

            return value;
        }

        public int Whole(string column, int least, int most, int fallback)
        {
            var value = Text(column);
            if (value.Length == 0)
            {
                return fallback;
            }

            if (int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most)
            {
                return number;
            }

            Wrong(column, $"\"{value}\" is not a whole number from {least} to {most}");
            return fallback;
        }

        public LocalDate? Date(string column)
        {
            var value = Text(column);
            if (LocalDatePattern.Iso.Parse(value) is { Success: true, Value: { Year: >= 2000 and <= 2190 } date })
            {
                return date;
            }

            Wrong(column, $"\"{value}\" is not a date from 2000 to 2190 like 2026-03-31");
            return null;
        }

        /// <summary>An amount in dollars, exactly: 8000 or 8000.50.</summary>
        public long Cents(string column)
        {
            var value = Text(column);
            var parts = value.Split('.');
            if (parts.Length <= 2 && parts[0].Length is > 0 and <= 9 && parts.All(p => p.All(char.IsAsciiDigit)) && (parts.Length == 1 || parts[1].Length == 2))
            {
                return (long.Parse(parts[0], CultureInfo.InvariantCulture) * 100) + (parts.Length == 2 ? long.Parse(parts[1], CultureInfo.InvariantCulture) : 0);
            }

            Wrong(column, $"\"{value}\" is not an amount in US dollars like 8000 or 8000.50");
            return 0;
        }
    }
}

/// <summary>An invented agency. The same numbers give the same agency.</summary>
internal static class InventedRoster
{
    private static readonly string[] s_first = ["Ada", "Ben", "Cleo", "Dara", "Eli", "Fern", "Gus", "Hana", "Ivo", "June", "Kai", "Lena", "Milo", "Nora", "Otis", "Pia", "Quin", "Rosa", "Sven", "Tara"];
    private static readonly string[] s_last = ["Moreno", "Lindqvist", "Okafor", "Tanaka", "Weber", "Novak", "Silva", "Haddad", "Kowalski", "Byrne", "Rossi", "Dubois", "Patel"];
    private static readonly string[] s_trades = ["Robotics", "Foods", "Health", "Logistics", "Software", "Energy", "Learning", "Housing", "Payments", "Outdoors"];

    /// <summary>What the invented client companies do, the second word of their names.</summary>
    public static IReadOnlyList<string> Trades => s_trades;

    public static Roster Of(int clients, int cmos, LocalDate firstMonday) => new(
        [.. Enumerable.Range(0, cmos).Select(i => new RosterCmo($"cmo-{i + 1:00}", $"{s_first[i % s_first.Length]} {s_last[i % s_last.Length]}", $"cmo{i + 1}@agency.example", 480))],
        [.. Enumerable.Range(0, clients).Select(i => new RosterClient(
            $"client-{i + 1:00}", $"{s_last[(i * 5) % s_last.Length]} {s_trades[i % s_trades.Length]}", $"ceo{i + 1}@client.example",
            // Every fifth client competes with the one before it, who is offered the same CMO.
            i % 5 == 1 ? $"client-{i:00}" : null))],
        [.. Enumerable.Range(0, clients).Select(i => new RosterEngagement(
            $"engagement-{i + 1:00}", i % 4 == 3 ? "Marketing advice by the hour" : "Fractional CMO", $"client-{i + 1:00}", $"cmo-{((i / 5) % cmos) + 1:00}",
            firstMonday.PlusWeeks(i % 6), null, Retainer: i % 4 != 3, Amount: i % 4 == 3 ? 250_00 : 8_000_00, MonthlyMinutes: i % 4 == 3 ? 20 * 60 : 40 * 60))]);

    /// <summary>
    /// Clients who come over a year, some in the first weeks and the others one after the other, and stay for a few months or until somebody ends it: for more or fewer hours, at more or less an hour.
    /// The same numbers and seed give the same agency.
    /// </summary>
    public static Roster Year(int clients, int cmos, LocalDate firstMonday, int months, int seed)
    {
        var random = new Random(seed);
        int[] hoursAMonth = [16, 20, 24, 30, 40, 60];
        var weeks = months * 13 / 3;
        var (first, last) = (Shuffled(s_first), Shuffled(s_last));
        return new(
            [.. Enumerable.Range(0, cmos).Select(i => new RosterCmo($"cmo-{i + 1:000}", $"{first[i % first.Length]} {last[((i / first.Length) + i) % last.Length]}", $"cmo{i + 1}@agency.example", 60 * random.Next(6, 9)))],
            [.. Enumerable.Range(0, clients).Select(i => new RosterClient(
                $"client-{i + 1:000}", $"{last[random.Next(last.Length)]} {s_trades[random.Next(s_trades.Length)]}", $"ceo{i + 1}@client.example", i > 0 && random.Next(5) == 0 ? $"client-{i:000}" : null))],
            [.. Enumerable.Range(0, clients).Select(i =>
            {
                var start = firstMonday.PlusWeeks(random.Next(3) == 0 ? random.Next(Math.Min(6, weeks)) : random.Next(Math.Max(1, weeks - 8)));
                var (retainer, hours, rate) = (random.Next(4) != 0, hoursAMonth[random.Next(hoursAMonth.Length)], 200_00 + (random.Next(13) * 5_00));
                LocalDate? end = random.Next(3) == 0 ? start.PlusMonths(random.Next(3, 10)) : null;
                return new RosterEngagement(
                    $"engagement-{i + 1:000}", retainer ? "Fractional CMO" : "Marketing advice by the hour", $"client-{i + 1:000}", $"cmo-{random.Next(cmos) + 1:000}", start, end, retainer,
                    retainer ? hours * rate : rate, hours * 60);
            })]);

        string[] Shuffled(string[] words)
        {
            var copy = words.ToArray();
            random.Shuffle(copy);
            return copy;
        }
    }
}
