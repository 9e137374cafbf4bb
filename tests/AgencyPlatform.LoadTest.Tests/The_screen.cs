using System.Globalization;
using AgencyPlatform.LoadTest.Calls;
using AgencyPlatform.LoadTest.Load;
using AgencyPlatform.LoadTest.Reporting;
using Grpc.Core;
using Spectre.Console;

namespace AgencyPlatform.LoadTest.Tests;

public sealed class The_screen
{
    [Fact]
    public void Has_a_row_for_each_operation_with_latencies_refusals_and_what_is_in_flight()
    {
        using var written = new StringWriter(CultureInfo.InvariantCulture);
        var console = Console(written, ansi: true);

        console.Write(Screen.TableOf(Loaded(), null, new SecondOfLoad(7, 90, 9, 1, 1.5, 20, 30, 40, 12)));

        var lines = written.ToString().Split('\n').Select(l => string.Join(' ', l.Split('│', '╭', '╮').Select(c => c.Trim()).Where(c => c.Length > 0))).ToList();
        Assert.Contains(lines, l => l.Contains("7 s, 100/s, 12 in flight", StringComparison.Ordinal));
        Assert.Contains("Book 2 10.0 20.0 20.0 1 0", lines);
        Assert.Contains("Hold 1 30.0 30.0 30.0 0 1", lines);
        Assert.Contains("this second 100 1.5 20.0 30.0 9 1", lines);
    }

    [Fact]
    public async Task Is_plain_lines_five_seconds_apart_where_the_output_goes_to_a_file()
    {
        using var written = new StringWriter(CultureInfo.InvariantCulture);
        var clock = new SetClock();
        var screen = new Screen(Console(written, ansi: false), clock);
        var measures = Loaded();

        Assert.Equal(3, await screen.Load(measures, null, progress =>
        {
            for (var second = 1; second <= 12; second++)
            {
                clock.Seconds = second;
                progress(new SecondOfLoad(second, 90, 9, 1, 1.5, 20, 30, 40, 12));
            }

            return Task.FromResult(3);
        }));

        var lines = written.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(["1", "6", "11"], lines.Select(l => l.Trim().Split(' ')[0]));
        Assert.All(lines, l => Assert.Contains("p99.9    30.0 ms      12 in flight", l, StringComparison.Ordinal));
        Assert.DoesNotContain('\u001b', written.ToString());
    }

    [Fact]
    public async Task Says_how_far_a_preparation_is_and_always_when_it_is_over()
    {
        using var written = new StringWriter(CultureInfo.InvariantCulture);
        await new Screen(Console(written, ansi: false), new SetClock { Seconds = 1 }).Bar("client companies prepared", progress =>
        {
            for (var done = 1; done <= 1_000; done++)
            {
                progress(done, 1_000);
            }

            return Task.FromResult(0);
        });

        Assert.Equal(["1 of 1,000 client companies prepared", "1,000 of 1,000 client companies prepared"], written.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => l.Trim()));
    }

    private static Measures Loaded()
    {
        var measures = new Measures();
        measures.Done("Book", TimeSpan.FromMilliseconds(10));
        measures.Done("Book", TimeSpan.FromMilliseconds(20));
        measures.Done("Hold", TimeSpan.FromMilliseconds(30));
        measures.Answered("Book", new Outcome(StatusCode.FailedPrecondition, "CAPACITY_EXCEEDED", null));
        measures.Answered("Hold", new Outcome(StatusCode.Unavailable, "", null));
        return measures;
    }

    private static IAnsiConsole Console(StringWriter to, bool ansi)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = ansi ? AnsiSupport.Yes : AnsiSupport.No,
            ColorSystem = ColorSystemSupport.NoColors,
            Interactive = ansi ? InteractionSupport.Yes : InteractionSupport.No,
            Out = new AnsiConsoleOutput(to),
        });
        console.Profile.Width = 200;
        return console;
    }

    private sealed class SetClock : TimeProvider
    {
        public int Seconds { get; set; }

        public override long TimestampFrequency => 1;

        public override long GetTimestamp() => Seconds;
    }
}
