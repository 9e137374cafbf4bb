using NodaTime;

namespace AgencyPlatform.Life.Tests.Model;

/// <summary>Somebody is ill: the CMO is off, and for each engagement that lacks something a cover is requested from the first who fits (docs/running-engagements.md).</summary>
internal sealed class ModelAbsence(string id)
{
    public string Id { get; } = id;
    public bool Exists { get; private set; }
    public string Cmo { get; private set; } = "";
    public ModelTimeOff Off { get; private set; } = new("", default, default);
    public Guid Request { get; private set; }
    public string? Refusal { get; private set; }
    public bool Settled { get; private set; }

    /// <summary>How each report came out; null: looked after.</summary>
    public Dictionary<Guid, string?> Outcomes { get; } = [];

    /// <summary>The CMO has been told.</summary>
    public bool IsOff { get; set; }

    /// <summary>Why the CMO would have refused it, at any time since it was asked.</summary>
    public HashSet<string> Refusals { get; } = [];

    /// <summary>What engagements lacked, at any time since the CMO was told.</summary>
    public HashSet<string> LackedEver { get; } = [];

    /// <summary>What they lack, once looked for; those that are looked after are taken off.</summary>
    public SortedDictionary<string, System.Collections.Immutable.ImmutableSortedDictionary<LocalDate, int>>? Needs { get; set; }

    /// <summary>By engagement and CMO: whether they fitted, and whether they did not, at any time since the needs were found or the last one was answered.</summary>
    public Dictionary<(string Engagement, string Cmo), (bool Fitted, bool Refused)> Fits { get; } = [];

    /// <summary>What came of the cover that was requested for an engagement; the reason, or empty.</summary>
    public Dictionary<string, HashSet<string>> AskedEver { get; } = [];

    public bool IsUnderWay => Exists && Refusal is null && !Settled;

    public void End(string? refusal)
    {
        (Refusal, Settled) = (refusal, refusal is null);
        Outcomes[Request] = refusal;
    }

    public Verdict Report(string cmo, LocalDate start, LocalDate end, Guid request) =>
        Exists && Refusal is null ? Verdict.No("ALREADY_EXISTS")
        : end <= start || Period.DaysBetween(start, end) > 92 ? Verdict.No("INVALID_ARGUMENT")
        : Verdict.Yes(
            () =>
            {
                (Exists, Cmo, Off, Request, Refusal, IsOff, Needs, Settled) = (true, cmo, new ModelTimeOff(Id, start, end), request, null, false, null, false);
                Refusals.Clear();
                LackedEver.Clear();
                Fits.Clear();
                AskedEver.Clear();
            },
            "absence.reported");
}
