using System.Globalization;
using System.Net;
using System.Text;
using AgencyPlatform.LoadTest.Checking;
using AgencyPlatform.LoadTest.Load;

namespace AgencyPlatform.LoadTest.Reporting;

/// <summary>The report as one page that needs nothing else: styles and charts are in it, in a light and a dark scheme.</summary>
internal static class ReportPage
{
    private const int MostPoints = 300;
    private const int Width = 640;
    private const int Height = 190;
    private const int Left = 52;
    private const int Bottom = 24;

    private const string Style = """
        :root{color-scheme:light dark;--ink:#1d2330;--soft:#5b6475;--line:#d9dde5;--page:#fff;--box:#f6f7f9;--a:#2563c9;--b:#c2570c;--c:#7a3fb8;--good:#15703a;--bad:#b3261e}
        @media(prefers-color-scheme:dark){:root{--ink:#e6e9f0;--soft:#9aa4b6;--line:#343b49;--page:#14171d;--box:#1c212a;--a:#7fb0ff;--b:#ffab70;--c:#cfa2ff;--good:#6fd394;--bad:#ff8a80}}
        *{box-sizing:border-box}body{margin:0 auto;padding:1.5rem 1rem 3rem;max-width:1080px;font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--page)}
        h1{font-size:1.4rem;margin:0}h2{font-size:1.05rem;margin:2rem 0 .5rem}p{margin:.4rem 0;color:var(--soft);overflow-wrap:anywhere}
        .verdict{display:inline-block;margin:.8rem 0;padding:.3rem .8rem;border-radius:.4rem;border:1px solid;font-weight:600}.good{color:var(--good)}.bad{color:var(--bad)}
        .facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(140px,1fr));gap:.6rem;margin:.8rem 0}.facts div{background:var(--box);padding:.5rem .7rem;border-radius:.4rem}
        .facts b{display:block;font-size:1.15rem}.facts span{color:var(--soft);font-size:.85rem}.wide{overflow-x:auto}
        table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}th,td{text-align:right;padding:.25rem .6rem;border-bottom:1px solid var(--line);white-space:nowrap}
        th{color:var(--soft);font-weight:500}th:first-child,td:first-child,.text td,.text th{text-align:left}.text td{white-space:normal;overflow-wrap:anywhere}.text td:first-child{white-space:nowrap}
        .charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,440px),1fr));gap:1rem}figure{margin:0;background:var(--box);border-radius:.4rem;padding:.6rem}
        figcaption{font-size:.88rem;margin-bottom:.3rem}figcaption i{font-style:normal;margin-left:.8rem;white-space:nowrap}svg{width:100%;height:auto;display:block}svg text{fill:var(--soft);font-size:12px}
        pre{background:var(--box);padding:.7rem;border-radius:.4rem;overflow-x:auto;font-size:.82rem}code{overflow-wrap:anywhere}
        """;

    public static string Of(RunReport report)
    {
        var page = new StringBuilder();
        var name = report.Scenario?.Name ?? "check";
        page.Append("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>Load test: ")
            .Append(Text(name)).Append("</title><style>").Append(Style).Append("</style></head><body><h1>Load test: ").Append(Text(name)).Append("</h1><p>").Append(Text(report.Scenario?.About ?? "")).Append("</p><p>")
            .Append(Text(report.Subject)).Append("</p><div class=\"verdict ").Append(report.Check.Holds ? "good\">All invariants hold" : "bad\">Invariants are violated").Append("</div>");
        if (report.Load is { } load)
        {
            Load(page, load);
        }

        Invariants(page, report.Check);
        if (report.Scenario is { } scenario)
        {
            page.Append("<h2>Scenario</h2><pre>").Append(Text($"""
                {scenario.Agencies:N0} agencies × {scenario.Clients:N0} client companies × {scenario.Cmos:N0} CMOs, {scenario.Seconds:N0} s, seed {scenario.Seed}
                {scenario.Arrivals}
                mix: {string.Join(", ", scenario.Mix.Where(m => m.Value > 0).Select(m => $"{m.Key} {m.Value}"))}
                skew: agencies {Number(scenario.AgencySkew)}, CMOs {Number(scenario.CmoSkew)}
                percent repeated: {scenario.Repeats}
                {scenario.BookingsPerCmo} bookings a CMO, {scenario.OverbookingPercent} % overbooking until {scenario.StopOverbookingAtPercent} % of the time
                """)).Append("</pre>");
        }

        return page.Append("</body></html>\n").ToString();
    }

    private static void Load(StringBuilder page, LoadFigures load)
    {
        page.Append("<div class=\"facts\">");
        Fact(load.Sent.ToString("N0", CultureInfo.InvariantCulture), $"calls sent in {load.Seconds:N1} s");
        Fact(load.PerSecond.ToString("N0", CultureInfo.InvariantCulture), $"calls a second");
        Fact(load.Succeeded.ToString("N0", CultureInfo.InvariantCulture), $"succeeded");
        Fact(load.Refused.ToString("N0", CultureInfo.InvariantCulture), $"refused");
        Fact(load.Unknown.ToString("N0", CultureInfo.InvariantCulture), $"of unknown outcome, repeated");
        Fact($"{load.PreparedSeconds:N1} s", $"preparation");
        if (load.Open)
        {
            Fact(load.Skipped.ToString("N0", CultureInfo.InvariantCulture), $"due and not sent");
            Fact($"{load.LatestMs:N1} ms", $"latest sending after its time");
        }

        page.Append("</div><p>").Append(load.Open
            ? "Open loop: latency counts from the time at which a call was to be sent, whatever the service did meanwhile."
            : "Closed loop: latency counts from sending; a slow answer slows its caller, so that calls which were never made are not in these figures.").Append("</p><h2>Over time</h2><div class=\"charts\">");
        var points = Merged(load.OverTime);
        Chart(page, "Calls a second", points, [("succeeded", "--a", s => s.Succeeded), ("refused", "--b", s => s.Refused), ("unknown", "--c", s => s.Unknown)], log: false);
        Chart(page, "Latency, ms (logarithmic)", points, [("p50", "--a", s => s.P50Ms), ("p99", "--b", s => s.P99Ms), ("max", "--c", s => s.MaxMs)], log: true);
        page.Append("</div><h2>Latency by operation, ms</h2><div class=\"wide\"><table><tr><th>operation<th>known<th>p50<th>p90<th>p99<th>p99.9<th>max</tr>");
        foreach (var o in load.Operations)
        {
            page.Append(CultureInfo.InvariantCulture, $"<tr><td>{Text(o.Operation)}<td>{o.Known:N0}<td>{o.P50Ms:N1}<td>{o.P90Ms:N1}<td>{o.P99Ms:N1}<td>{o.P999Ms:N1}<td>{o.MaxMs:N1}</tr>");
        }

        page.Append("</table></div><h2>Refusals and errors</h2><div class=\"wide\"><table class=\"text\"><tr><th>code<th>times<th>of</tr>");
        foreach (var code in load.Errors.GroupBy(e => e.Code, StringComparer.Ordinal).OrderByDescending(g => g.Sum(e => e.Times)))
        {
            page.Append(CultureInfo.InvariantCulture, $"<tr><td>{Text(code.Key)}<td>{code.Sum(e => e.Times):N0}<td>{Text(string.Join(", ", code.Select(e => string.Create(CultureInfo.InvariantCulture, $"{e.Operation} {e.Times:N0}"))))}</tr>");
        }

        page.Append("</table></div>");

        void Fact(string value, FormattableString what) => page.Append("<div><b>").Append(Text(value)).Append("</b><span>").Append(Text(what.ToString(CultureInfo.InvariantCulture))).Append("</span></div>");
    }

    private static void Invariants(StringBuilder page, CheckReport check)
    {
        page.Append("<h2>Invariants</h2><table class=\"text\"><tr><th><th>invariant<th>violations</tr>");
        foreach (var (letter, meaning) in CheckReport.Invariants)
        {
            var many = check.Violations(letter);
            page.Append(CultureInfo.InvariantCulture, $"<tr><td><b>{letter}</b><td>{Text(meaning)}{string.Concat(check.Examples(letter).Select(e => $"<br><code>{Text(e)}</code>"))}<td class=\"{(many == 0 ? "good" : "bad")}\">{(many == 0 ? "holds" : many.ToString("N0", CultureInfo.InvariantCulture))}</tr>");
        }

        page.Append("</table><h2>What was judged</h2><table class=\"text\">");
        foreach (var (what, many) in check.Judged.OrderBy(j => j.Key, StringComparer.Ordinal))
        {
            page.Append(CultureInfo.InvariantCulture, $"<tr><td>{Text(what)}<td>{many:N0}</tr>");
        }

        page.Append("</table>");
    }

    private static void Chart(StringBuilder page, string title, IReadOnlyList<SecondOfLoad> points, (string Name, string Colour, Func<SecondOfLoad, double> Value)[] lines, bool log)
    {
        var most = points.SelectMany(p => lines.Select(l => l.Value(p))).DefaultIfEmpty(1).Max();
        most = log ? Math.Pow(10, Math.Ceiling(Math.Log10(Math.Max(10, most)))) : Math.Max(1, most * 1.05);
        var end = points.Count == 0 ? 1 : Math.Max(1, points[^1].At);
        page.Append("<figure><figcaption>").Append(title);
        foreach (var (name, colour, _) in lines)
        {
            page.Append(CultureInfo.InvariantCulture, $"<i style=\"color:var({colour})\">━ {name}</i>");
        }

        page.Append(CultureInfo.InvariantCulture, $"</figcaption><svg viewBox=\"0 0 {Width} {Height}\" role=\"img\" aria-label=\"{title}\">");
        var ticks = log ? Enumerable.Range(-1, (int)Math.Log10(most) + 2).Select(e => Math.Pow(10, e)) : Enumerable.Range(0, 5).Select(i => most * i / 4);
        foreach (var tick in ticks)
        {
            page.Append(CultureInfo.InvariantCulture, $"<line x1=\"{Left}\" x2=\"{Width}\" y1=\"{Y(tick):F1}\" y2=\"{Y(tick):F1}\" stroke=\"var(--line)\"/><text x=\"{Left - 6}\" y=\"{Y(tick) + 4:F1}\" text-anchor=\"end\">{tick:#,0.##}</text>");
        }

        for (var i = 0; i <= 4; i++)
        {
            page.Append(CultureInfo.InvariantCulture, $"<text x=\"{X(end * i / 4):F1}\" y=\"{Height - 6}\" text-anchor=\"{(i == 0 ? "start" : i == 4 ? "end" : "middle")}\">{end * i / 4:0} s</text>");
        }

        foreach (var (_, colour, value) in lines)
        {
            page.Append(CultureInfo.InvariantCulture, $"<polyline fill=\"none\" stroke=\"var({colour})\" stroke-width=\"1.6\" points=\"{string.Join(' ', points.Select(p => string.Create(CultureInfo.InvariantCulture, $"{X(p.At):F1},{Y(value(p)):F1}")))}\"/>");
        }

        page.Append("</svg></figure>");

        double X(double at) => Left + (Width - Left - 4) * at / end;
        double Y(double value) => Height - Bottom - (Height - Bottom - 10) * (log ? (Math.Log10(Math.Clamp(value, 0.1, most)) + 1) / (Math.Log10(most) + 1) : value / most);
    }

    /// <summary>At most 300 points: rates are averaged, latencies are the worst of what is put together.</summary>
    private static IReadOnlyList<SecondOfLoad> Merged(IReadOnlyList<SecondOfLoad> seconds) =>
        [.. seconds.Chunk(Math.Max(1, (seconds.Count + MostPoints - 1) / MostPoints)).Select(c => new SecondOfLoad(
            c[^1].At, (long)c.Average(s => s.Succeeded), (long)c.Average(s => s.Refused), (long)c.Average(s => s.Unknown), c.Max(s => s.P50Ms), c.Max(s => s.P99Ms), c.Max(s => s.P999Ms), c.Max(s => s.MaxMs), c[^1].Waiting))];

    private static string Text(string text) => WebUtility.HtmlEncode(text);

    private static string Number(double value) => value.ToString(CultureInfo.InvariantCulture);
}
