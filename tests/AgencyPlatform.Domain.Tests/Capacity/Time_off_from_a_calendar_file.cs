using System.Collections.Immutable;
using AgencyPlatform.Domain.Capacity;
using AgencyPlatform.Domain.Cmos;
using NodaTime;
using static AgencyPlatform.Domain.Tests.Capacity.Given;

namespace AgencyPlatform.Domain.Tests.Capacity;

/// <summary>What imported events put in place of what they made before. The CMO works 8 hours a day, Monday to Friday.</summary>
public class Time_off_from_a_calendar_file
{
    private const string Skiing = "0000000000000001", Dentist = "0000000000000002";
    private static readonly DateRange s_year = Dates(Day(1, 1), new LocalDate(2027, 1, 1));

    [Fact]
    public void Days_on_end_that_are_off_alike_are_one_time_off()
    {
        var cmo = Imported(Cmo(MondayToFriday), Event(Skiing, (Day(3, 2), 1_440), (Day(3, 3), 1_440), (Day(3, 4), 240), (Day(3, 6), 1_440)));

        Assert.Equal(
            [
                (Day(3, 2), Day(3, 4), TimeOffKind.WholeDays, 0), (Day(3, 4), Day(3, 5), TimeOffKind.Minutes, 240), (Day(3, 6), Day(3, 7), TimeOffKind.WholeDays, 0),
            ],
            Of(cmo, Skiing));
        Assert.Equal(ImportOutcome.Added, cmo.LastImport![Skiing]);
        Assert.Equal(240 + 480, cmo.Week(Day(3, 2)).AvailableMinutes);
    }

    [Fact]
    public void The_same_file_again_changes_nothing()
    {
        ImmutableArray<ImportedTimeOff> events = [Event(Skiing, (Day(3, 2), 1_440), (Day(3, 3), 1_440)), Event(Dentist, (Day(3, 5), 90))];
        var once = Imported(Cmo(MondayToFriday), events);
        var imported = Fact(once, events);

        Assert.Equal((0, 0), (imported.Put.Length, imported.Removed.Length));
        Assert.Equal([ImportOutcome.Unchanged, ImportOutcome.Unchanged], imported.Outcomes.Values);
        Assert.Equal(once.Calendar.TimeOff, once.Apply(imported).Calendar.TimeOff);
    }

    [Fact]
    public void A_changed_event_replaces_what_it_made_and_an_empty_one_takes_it_back()
    {
        var cmo = Imported(Cmo(MondayToFriday), Event(Skiing, (Day(3, 2), 1_440), (Day(3, 3), 1_440)), Event(Dentist, (Day(3, 5), 90)));

        cmo = Imported(cmo, Event(Skiing, (Day(3, 3), 1_440), (Day(3, 4), 1_440)), Event(Dentist));

        Assert.Equal([(Day(3, 3), Day(3, 5), TimeOffKind.WholeDays, 0)], Of(cmo, Skiing));
        Assert.Empty(Of(cmo, Dentist));
        Assert.Equal((ImportOutcome.Changed, ImportOutcome.Removed), (cmo.LastImport![Skiing], cmo.LastImport[Dentist]));

        // What was nothing and is nothing is not recorded.
        Assert.Empty(Fact(cmo, Event(Dentist)).Outcomes);
    }

    [Fact]
    public void An_event_that_the_file_has_no_more_stays()
    {
        var cmo = Imported(Cmo(MondayToFriday), Event(Skiing, (Day(3, 2), 1_440)));

        cmo = Imported(cmo, Event(Dentist, (Day(3, 5), 90)));

        Assert.Equal([(Day(3, 2), Day(3, 3), TimeOffKind.WholeDays, 0)], Of(cmo, Skiing));
    }

    [Fact]
    public void Days_that_are_off_by_something_else_stay_as_they_are()
    {
        var cmo = Cmo(MondayToFriday).Off("flu", Day(3, 3), Day(3, 5), TimeOffKind.HalfDays);

        cmo = Imported(cmo, Event(Skiing, (Day(3, 2), 1_440), (Day(3, 3), 1_440), (Day(3, 4), 1_440), (Day(3, 5), 1_440)), Event(Dentist, (Day(3, 4), 60)));

        Assert.Equal([(Day(3, 2), Day(3, 3), TimeOffKind.WholeDays, 0), (Day(3, 5), Day(3, 6), TimeOffKind.WholeDays, 0)], Of(cmo, Skiing));
        Assert.Equal((Day(3, 3), Day(3, 5), TimeOffKind.HalfDays), (cmo.Calendar.TimeOff[new("flu")].Start, cmo.Calendar.TimeOff[new("flu")].End, cmo.Calendar.TimeOff[new("flu")].Kind));
        Assert.Equal(ImportOutcome.AlreadyOff, cmo.LastImport![Dentist]);
    }

    [Fact]
    public void What_lies_outside_the_days_looked_at_stays_as_it_was()
    {
        var cmo = Imported(Cmo(MondayToFriday), Event(Skiing, (Day(3, 2), 1_440), (Day(3, 3), 1_440), (Day(3, 4), 1_440), (Day(3, 5), 1_440)));
        var tuesday = new ImportTimeOff(Dates(Day(3, 3), Day(3, 4)), [Event(Skiing)]);

        cmo = cmo.Then(cmo.ImportTimeOff(tuesday, Now));

        Assert.Equal([(Day(3, 2), Day(3, 3), TimeOffKind.WholeDays, 0), (Day(3, 4), Day(3, 6), TimeOffKind.WholeDays, 0)], Of(cmo, Skiing));

        // Days that are not looked at are not taken either.
        cmo = cmo.Then(cmo.ImportTimeOff(tuesday with { Events = [Event(Dentist, (Day(3, 3), 60), (Day(3, 10), 60))] }, Now));
        Assert.Equal([(Day(3, 3), Day(3, 4), TimeOffKind.Minutes, 60)], Of(cmo, Dentist));
    }

    [Fact]
    public void A_day_goes_from_one_event_to_another()
    {
        var cmo = Imported(Cmo(MondayToFriday), Event(Skiing, (Day(3, 2), 1_440)), Event(Dentist, (Day(3, 3), 60)));

        cmo = Imported(cmo, Event(Skiing, (Day(3, 3), 1_440)), Event(Dentist, (Day(3, 2), 60)));

        Assert.Equal([(Day(3, 3), Day(3, 4), TimeOffKind.WholeDays, 0)], Of(cmo, Skiing));
        Assert.Equal([(Day(3, 2), Day(3, 3), TimeOffKind.Minutes, 60)], Of(cmo, Dentist));
    }

    [Fact]
    public void Bookings_stand_and_what_they_lose_is_told()
    {
        var cmo = Cmo(MondayToThursday).Booked("b", Flexible(1_920, Day(3, 2), Day(3, 9)));

        var imported = Fact(cmo, Event(Skiing, (Day(3, 3), 1_440)), Event(Dentist, (Day(3, 5), 120)));

        Assert.Equal(600, imported.Consequences.Shortfalls.Sum(s => s.Minutes));
        Assert.True(cmo.Apply(imported).Bookings.ContainsKey(new BookingId("b")));
        Assert.Equal(imported.Consequences.Shortfalls, cmo.Apply(imported).LastConsequences.Shortfalls);
    }

    [Fact]
    public void All_of_a_file_that_is_too_much_is_refused()
    {
        var days = Enumerable.Range(0, FractionalCmo.MostTimeOff).Select(i => (Day(1, 1).PlusDays(2 * i), 60));
        var (fits, one) = (new LocalDate(2032, 1, 1), Event(Dentist, (new LocalDate(2031, 12, 31), 60)));
        ImportTimeOff Command(params ImmutableArray<ImportedTimeOff> events) => new(Dates(Day(1, 1), fits), events);

        var full = Cmo(MondayToFriday).Then(Cmo(MondayToFriday).ImportTimeOff(Command(Event(Skiing, [.. days])), Now));
        var refused = full.ImportTimeOff(Command(one), Now).Rejection;

        Assert.Equal(FractionalCmo.MostTimeOff, full.Calendar.TimeOff.Count);
        Assert.Equal("ics", Assert.Single(refused!.Fields).Field);

        // One that takes the place of another is no more than there was.
        Assert.Null(full.ImportTimeOff(Command(Event(Skiing), one), Now).Rejection);
    }

    [Fact]
    public void A_CMO_who_is_not_there_imports_nothing() =>
        Assert.Equal(RejectionKind.NotFound, FractionalCmo.Initial.ImportTimeOff(new ImportTimeOff(s_year, []), Now).Rejection?.Kind);

    [Fact]
    public void Only_time_off_of_an_import_has_a_source()
    {
        var cmo = Imported(Cmo(MondayToFriday).Off("ical-of-mine", Day(2, 2), Day(2, 3)), Event(Skiing, (Day(3, 2), 1_440)));

        Assert.Equal([null, Skiing], cmo.Calendar.TimeOff.Values.OrderBy(t => t.Start).Select(t => FractionalCmo.SourceOf(t.Id)));
        Assert.All(cmo.Calendar.TimeOff.Keys, id => Assert.True(IdSyntax.IsValid(id.Value)));
    }

    private static ImportedTimeOff Event(string source, params (LocalDate Day, int Minutes)[] days) => new(source, days.ToImmutableSortedDictionary(d => d.Day, d => d.Minutes));

    private static TimeOffImported Fact(FractionalCmo cmo, params ImmutableArray<ImportedTimeOff> events) =>
        Assert.IsType<TimeOffImported>(Assert.Single(cmo.ImportTimeOff(new ImportTimeOff(s_year, events), Now).Events));

    private static FractionalCmo Imported(FractionalCmo cmo, params ImmutableArray<ImportedTimeOff> events) => cmo.Then(cmo.ImportTimeOff(new ImportTimeOff(s_year, events), Now));

    private static IEnumerable<(LocalDate Start, LocalDate End, TimeOffKind Kind, int Minutes)> Of(FractionalCmo cmo, string source) =>
        cmo.Calendar.TimeOff.Values.Where(t => FractionalCmo.SourceOf(t.Id) == source).OrderBy(t => t.Start).Select(t => (t.Start, t.End, t.Kind, t.MinutesPerDay));
}
