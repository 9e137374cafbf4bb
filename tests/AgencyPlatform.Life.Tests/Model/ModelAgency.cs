using AgencyPlatform.Domain.Time;
using NodaTime;

namespace AgencyPlatform.Life.Tests.Model;

/// <summary>An agency in memory: its clock, its people and its engagements. Written from the specification; what it says is compared with what the product does.</summary>
internal sealed class ModelAgency(Instant clock, IEnumerable<ModelCmo> cmos, IEnumerable<ModelClient> clients)
{
    public const string SellerZone = "America/New_York";
    public const string AgencyZone = "Europe/London";

    private readonly Dictionary<string, ModelCmo> _cmos = cmos.ToDictionary(c => c.Id);

    public Instant Clock { get; set; } = clock;
    public IReadOnlyCollection<ModelCmo> Cmos => _cmos.Values;
    public IReadOnlyList<ModelClient> Clients { get; } = [.. clients];
    public SortedDictionary<string, ModelEngagement> Engagements { get; } = new(StringComparer.Ordinal);
    public SortedDictionary<string, ModelSheet> Sheets { get; } = new(StringComparer.Ordinal);
    public SortedDictionary<string, ModelAbsence> Absences { get; } = new(StringComparer.Ordinal);

    public ModelCmo Cmo(string id) => _cmos[id];

    public ModelEngagement Engagement(string id) =>
        Engagements.TryGetValue(id, out var known) ? known
        : Engagements[id] = new ModelEngagement(id, this, Clients[int.Parse(id.AsSpan(1), null) % Clients.Count]);

    public ModelSheet Sheet(string cmo, IsoWeek week) =>
        Sheets.TryGetValue($"{cmo}/{week}", out var known) ? known : Sheets[$"{cmo}/{week}"] = new ModelSheet(cmo, week, this);

    public ModelAbsence Absence(string id) => Absences.TryGetValue(id, out var known) ? known : Absences[id] = new ModelAbsence(id);

    public LocalDate Today(string zone) => DayOf(zone, Clock);

    public LocalDate DayOf(string zone, Instant at) => at.InZone(DateTimeZoneProviders.Tzdb[zone]).Date;

    public Instant StartOf(string zone, LocalDate date) => DateTimeZoneProviders.Tzdb[zone].AtStartOfDay(date).ToInstant();

    /// <summary>What is under way or due and not done yet; empty when all is quiet.</summary>
    public IEnumerable<string> Unfinished() =>
    [
        .. Engagements.Values.Where(e => e.Saga is not null).Select(e => $"engagement {e.Id}: {e.Saga!.Move}"),
        .. Engagements.Values.Where(e => e.ToFree.Count > 0).Select(e => $"engagement {e.Id}: holds to free"),
        .. Engagements.Values.SelectMany(e => e.Due().Where(d => d.At <= Clock).Select(d => $"engagement {e.Id}: {string.Join(", ", d.Does.Events)} since {d.At}")),
        .. Cmos.Where(c => c.NextDue <= Clock).Select(c => $"cmo {c.Id}: a hold expires"),
        .. Sheets.Values.SelectMany(s => s.Rounds.Select(r => $"timesheet {s.Key}: {r.What}")),
        .. Absences.Values.Where(a => a.IsUnderWay).Select(a => $"absence {a.Id}"),
    ];
}
