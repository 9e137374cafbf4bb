using AgencyPlatform.Protocol.Time.V1;

namespace AgencyPlatform.Dashboard.Pages.Time;

/// <summary>What was typed into a week and is not saved yet. It is apart from what the API has answered, so that reading the week again takes nothing back.</summary>
internal sealed class WeekEdits
{
    private readonly Dictionary<string, WeekEdit> _edits = new(StringComparer.Ordinal);

    /// <summary>How many there are to save.</summary>
    public int Count => _edits.Values.Count(e => e.Matters);

    public IEnumerable<WeekEdit> All => _edits.Values;

    /// <summary>New entries, which the sheet does not have.</summary>
    public IEnumerable<WeekEdit> New => _edits.Values.Where(e => e.Before is null);

    public WeekEdit? Of(string entryId) => _edits.GetValueOrDefault(entryId);

    /// <summary>Begins to change an entry of the sheet, or goes on.</summary>
    public WeekEdit Change(TimeEntry entry)
    {
        if (!_edits.TryGetValue(entry.EntryId, out var edit))
        {
            _edits[entry.EntryId] = edit = new WeekEdit(Written(entry), Written(entry)) { Text = HoursText.Text(entry.Minutes) };
        }

        return edit;
    }

    /// <summary>Begins a new entry.</summary>
    /// <param name="entry">With its id.</param>
    public WeekEdit Add(TimeEntry entry) => _edits[entry.EntryId] = new WeekEdit(Written(entry), null) { Text = entry.Minutes > 0 ? HoursText.Text(entry.Minutes) : "" };

    /// <summary>Forgets what was typed.</summary>
    public void Forget(string entryId) => _edits.Remove(entryId);

    /// <summary>An entry was saved. What was typed while it was on its way stays.</summary>
    public void Saved(TimeEntry entry)
    {
        if (_edits.GetValueOrDefault(entry.EntryId) is not { } edit)
        {
            return;
        }

        if (edit.Minutes is { } minutes && edit.As(minutes).Equals(entry))
        {
            _edits.Remove(entry.EntryId);
        }
        else
        {
            _edits[entry.EntryId] = new WeekEdit(edit.Entry, entry) { Text = edit.Text };
        }
    }

    public void Clear() => _edits.Clear();

    /// <summary>Forgets changes that change nothing, and new entries of which nothing was typed.</summary>
    /// <param name="stays">What is kept even so: saving an entry that was sent back makes it a draft again.</param>
    public void Tidy(Func<WeekEdit, bool> stays)
    {
        foreach (var (id, edit) in _edits.ToList())
        {
            if (stays(edit))
            {
                continue;
            }

            if (edit.Before is { } before ? edit.Minutes is { } minutes && edit.As(minutes).Equals(before) : edit is { Minutes: 0, Entry.Note.Length: 0 })
            {
                _edits.Remove(id);
            }
        }
    }

    /// <summary>As LogTime takes it, without what only answers have.</summary>
    private static TimeEntry Written(TimeEntry e) => new()
    {
        EntryId = e.EntryId,
        Engagement = e.Engagement,
        Date = e.Date,
        Minutes = e.Minutes,
        Category = e.Category,
        NonBillable = e.NonBillable,
        Unpaid = e.Unpaid,
        Note = e.Note,
        Corrects = e.Corrects,
    };
}

/// <param name="Entry">As typed, but for the minutes.</param>
/// <param name="Before">As it was when typing began; null: it is new.</param>
internal sealed record WeekEdit(TimeEntry Entry, TimeEntry? Before)
{
    /// <summary>The hours as typed.</summary>
    public string Text { get; set; } = "";

    /// <summary>Null: the text is not hours.</summary>
    public int? Minutes => HoursText.Minutes(Text);

    /// <summary>Whether there is anything to save: a new entry of which nothing is typed is nothing yet.</summary>
    public bool Matters => Before is not null || Text.Trim().Length > 0 || Entry.Note.Length > 0;

    /// <summary>Whether the entry is to go.</summary>
    public bool Removes => Before is not null && Minutes == 0;

    /// <summary>With these minutes.</summary>
    public TimeEntry As(int minutes)
    {
        var entry = Entry.Clone();
        entry.Minutes = minutes;
        return entry;
    }
}
