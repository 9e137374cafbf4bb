using System.Globalization;
using AgencyPlatform.LoadTest.Load;
using HdrHistogram;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace AgencyPlatform.LoadTest.Reporting;

/// <summary>What is seen while it runs: bars and a live table on a screen; where the output goes to a file, a plain line every few seconds.</summary>
internal sealed class Screen(IAnsiConsole console, TimeProvider time)
{
    private static readonly TimeSpan s_betweenLines = TimeSpan.FromSeconds(5);

    private readonly bool _live = console.Profile.Capabilities.Interactive && console.Profile.Out.IsTerminal;
    private long _lastLine;

    /// <summary>Shows how far a task is that tells of itself: how much of how much is done.</summary>
    public async Task<T> Bar<T>(string what, Func<Action<long, long>, Task<T>> work)
    {
        if (!_live)
        {
            return await work((done, all) => Line(string.Create(CultureInfo.InvariantCulture, $"{done:N0} of {all:N0} {what}"), last: done == all));
        }

        return await console.Progress()
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new CountColumn(), new ElapsedTimeColumn(), new RemainingTimeColumn())
            .StartAsync(async context =>
            {
                // How much there is comes with the first report.
                var bar = context.AddTask(what);
                bar.IsIndeterminate = true;
                return await work((done, all) =>
                {
                    bar.IsIndeterminate = false;
                    bar.MaxValue = all;
                    bar.Value = done;
                });
            });
    }

    /// <summary>Shows a load, second by second.</summary>
    /// <param name="neighbour">The noisy neighbour's own measures.</param>
    public async Task<T> Load<T>(Measures measures, Measures? neighbour, Func<Action<SecondOfLoad>, Task<T>> work)
    {
        if (!_live)
        {
            return await work(second => Line(PlainText(measures, neighbour, second), last: false));
        }

        return await console.Live(new Text("")).StartAsync(async live => await work(second => live.UpdateTarget(TableOf(measures, neighbour, second))));
    }

    /// <summary>One second of a load in one line.</summary>
    internal static string PlainText(Measures m, Measures? neighbour, SecondOfLoad second) => string.Create(
        CultureInfo.InvariantCulture,
        $"{second.At,5:N0} s  {second.Answered,6:N0}/s  p50 {second.P50Ms,7:N1}  p99 {second.P99Ms,7:N1}  p99.9 {second.P999Ms,7:N1} ms  {second.Waiting,6:N0} in flight  {m.Sent,9:N0} sent  {m.Succeeded,9:N0} succeeded  {m.Refused,8:N0} refused  {m.Unknown,7:N0} unknown")
        + (neighbour is null ? "" : string.Create(CultureInfo.InvariantCulture, $"  noisy: {neighbour.Sent:N0} sent, {neighbour.Succeeded:N0} succeeded, {neighbour.Refused:N0} refused, {neighbour.Unknown:N0} unknown"));

    /// <summary>A second of a load as a table: its operations from the beginning on, and the second itself.</summary>
    internal static IRenderable TableOf(Measures m, Measures? neighbour, SecondOfLoad second)
    {
        var table = new Table().RoundedBorder().Title(string.Create(CultureInfo.InvariantCulture, $"{second.At:N0} s, {second.Answered:N0}/s, {second.Waiting:N0} in flight"));
        table.AddColumn("operation");
        foreach (var column in (string[])["known", "p50 ms", "p99 ms", "p99.9 ms", "refused", "unknown"])
        {
            table.AddColumn(new TableColumn(column).RightAligned());
        }

        foreach (var (operation, latency) in m.Latency.OrderBy(l => l.Key, StringComparer.Ordinal))
        {
            var failed = m.Failures.GetValueOrDefault(operation);
            table.AddRow(Markup.Escape(operation), Whole(latency.TotalCount), At(latency, 50), At(latency, 99), At(latency, 99.9), Whole(failed.Refused), Whole(failed.Unknown));
        }

        table.AddEmptyRow();
        table.AddRow("this second", Whole(second.Answered), Milliseconds(second.P50Ms), Milliseconds(second.P99Ms), Milliseconds(second.P999Ms), Whole(second.Refused), Whole(second.Unknown));
        table.AddRow("all that were sent", Whole(m.Sent), "", "", "", Whole(m.Refused), Whole(m.Unknown));
        if (neighbour is not null)
        {
            table.AddRow("the noisy neighbour", Whole(neighbour.Sent), "", "", "", Whole(neighbour.Refused), Whole(neighbour.Unknown));
        }

        return table;

        static string At(LongConcurrentHistogram latency, double percentile) => Milliseconds(latency.GetValueAtPercentile(percentile) / 1e3);
        static string Milliseconds(double value) => value.ToString("N1", CultureInfo.InvariantCulture);
        static string Whole(long value) => value.ToString("N0", CultureInfo.InvariantCulture);
    }

    private void Line(string line, bool last)
    {
        var (now, before) = (time.GetTimestamp(), Interlocked.Read(ref _lastLine));
        if (!last && before != 0 && (time.GetElapsedTime(before, now) < s_betweenLines || Interlocked.CompareExchange(ref _lastLine, now, before) != before))
        {
            return;
        }

        Interlocked.Exchange(ref _lastLine, now);
        console.Profile.Out.Writer.WriteLine(line);
    }

    /// <summary>How much of how much.</summary>
    private sealed class CountColumn : ProgressColumn
    {
        public override IRenderable Render(RenderOptions options, ProgressTask task, TimeSpan deltaTime) =>
            new Text(task.IsIndeterminate ? "" : string.Create(CultureInfo.InvariantCulture, $"{task.Value:N0} of {task.MaxValue:N0}")).RightJustified();
    }
}
