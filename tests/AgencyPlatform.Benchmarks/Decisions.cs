using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using AgencyPlatform.Domain;
using AgencyPlatform.Domain.Agencies;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Domain.Capacity;
using AgencyPlatform.Domain.Clients;
using AgencyPlatform.Domain.Cmos;
using NodaTime;
using Spectre.Console;

namespace AgencyPlatform.Benchmarks;

/// <summary>What a capacity decision and its fold cost on one core.</summary>
internal static class Decisions
{
    private static readonly LocalDate s_monday = new(2026, 1, 5);
    private static readonly Instant s_now = Instant.FromUtc(2026, 1, 5, 9, 0);
    private static readonly BookingFacts s_facts = new(new ClientFence(new ClientCompanyId("acme"), 1, [], []), null);

    public static void Run(TimeSpan time)
    {
        var table = new Table { Title = new TableTitle("One core; the best of three") };
        table.AddColumn("What").AddColumn(new TableColumn("µs").RightAligned()).AddColumn(new TableColumn("KB allocated").RightAligned());
        foreach (var (what, run) in Cases())
        {
            var (microseconds, kilobytes) = Measure(run, time);
            table.AddRow(Markup.Escape(what), microseconds.ToString("N1", CultureInfo.InvariantCulture), kilobytes.ToString("N1", CultureInfo.InvariantCulture));
        }

        AnsiConsole.Write(table);
    }

    private static IEnumerable<(string What, Action Run)> Cases()
    {
        yield return ("Book and release, 4 weeks flexible, beside 4 bookings", Pair(Standing(4, _ => Flexible(60, 28)), Flexible(60, 28)));
        yield return ("Book and release, 12 weeks flexible, beside 20 bookings", Pair(Standing(20, _ => Flexible(60, 84)), Flexible(60, 84)));
        yield return ("Book and release, 3 months per period, beside 8 per-period bookings", Pair(Standing(8, _ => PerPeriod(600, 90)), PerPeriod(600, 90)));
        yield return ("Book and release, 12 months per period, beside 8 open-ended per-period bookings", Pair(Standing(8, _ => PerPeriod(600, null)), PerPeriod(600, 365)));
        yield return ("Book and release, open-ended flexible, beside 8 open-ended per-period bookings", Pair(Standing(8, _ => PerPeriod(600, null)), Flexible(60, null)));
        var full = Standing(5, _ => Flexible(480, 800));
        yield return ("Refusal with its earliest start, full for two years, 4 weeks flexible", () => Refused(full, Flexible(60, 28)));
        var busy = Standing(8, _ => PerPeriod(600, null));
        yield return ("Refusal with its earliest start, 6 months per period, beside 8 open-ended per-period bookings", () => Refused(busy, PerPeriod(12_000, 180)));
        yield return ("Report of 52 weeks, 8 open-ended per-period bookings", () => Reports.Weeks(busy.Facts, s_monday, 52));
        yield return ("A week of time off, 8 open-ended per-period bookings", () => Fold(busy, busy.AddTimeOff(new TimeOff(new TimeOffId("off"), s_monday.PlusDays(30), s_monday.PlusDays(37), TimeOffKind.WholeDays), s_now)));
    }

    private static (double Microseconds, double Kilobytes) Measure(Action run, TimeSpan time)
    {
        For(time);
        return Enumerable.Range(0, 3).Select(_ => For(time / 3)).Min();

        (double, double) For(TimeSpan length)
        {
            var bytes = GC.GetAllocatedBytesForCurrentThread();
            var watch = Stopwatch.StartNew();
            var count = 0;
            while (watch.Elapsed < length)
            {
                run();
                count++;
            }

            return (watch.Elapsed.TotalMicroseconds / count, (GC.GetAllocatedBytesForCurrentThread() - bytes) / 1024.0 / count);
        }
    }

    private static Action Pair(FractionalCmo cmo, BookingSpec spec) => () =>
    {
        var id = new BookingId("pair");
        cmo = Fold(cmo, cmo.Book(new Book(id, spec), s_facts, s_now));
        cmo = Fold(cmo, cmo.Release(id, s_now));
        _ = cmo.NextDue;
    };

    private static void Refused(FractionalCmo cmo, BookingSpec spec)
    {
        if (cmo.Book(new Book(new BookingId("refused"), spec), s_facts, s_now).Rejection is null)
        {
            throw new InvalidOperationException("It was to be refused.");
        }
    }

    private static FractionalCmo Standing(int bookings, Func<int, BookingSpec> spec)
    {
        var empty = ImmutableSortedDictionary<string, string>.Empty;
        var holidays = ImmutableSortedDictionary<string, ImmutableSortedSet<LocalDate>>.Empty.Add("us", [.. Enumerable.Range(0, 20).Select(i => s_monday.PlusDays(i * 18))]);
        var cmo = FractionalCmo.Initial
            .Apply(new CmoCreated(
                new CmoId("ada"), new CmoProfile(new PersonId("ada"), "CMO", "Etc/UTC", empty, empty), new CmoLimits(100, 0),
                new WorkingPattern(s_monday, new WeekdayMinutes(480, 480, 480, 480, 480, 0, 0)), null, "us"))
            .Apply(new PolicyNoted(new AgencyPolicy(1, 0, 30, holidays), s_monday, Consequences.None));
        return Enumerable.Range(0, bookings).Aggregate(cmo, (state, i) => Fold(state, state.Book(new Book(new BookingId($"b{i}"), spec(i)), s_facts, s_now)));
    }

    private static FractionalCmo Fold(FractionalCmo cmo, Decision decision) =>
        decision.Rejection is { } rejection ? throw new InvalidOperationException(rejection.Message) : decision.Events.Aggregate(cmo, (state, e) => state.Apply(e));

    private static BookingSpec Flexible(int weekly, int? days) => Spec(new FlexibleStep(Dates(days), weekly));

    private static BookingSpec PerPeriod(int minutes, int? days) => Spec(new PerPeriodStep(Dates(days), minutes, new BillCycle(1, 1)));

    private static DateRange Dates(int? days) => new(s_monday, days is { } d ? s_monday.PlusDays(d) : null);

    private static BookingSpec Spec(BookingStep step) => new(new ClientCompanyId("acme"), null, [step]);
}
