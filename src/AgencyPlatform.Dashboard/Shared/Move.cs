using System.Globalization;
using AgencyPlatform.Protocol.Type.V1;
using Google.Protobuf;
using MudBlazor;

namespace AgencyPlatform.Dashboard.Shared;

/// <summary>Something that may be done: a button, and a dialog with what must be known for it.</summary>
public sealed class Move
{
    /// <summary>On the button.</summary>
    public required string Button { get; init; }

    /// <summary>Of the dialog.</summary>
    public required string Title { get; init; }

    /// <summary>What it means, in the dialog.</summary>
    public string Text { get; init; } = "";

    /// <summary>What is asked for.</summary>
    public IReadOnlyList<MoveField> Fields { get; init; } = [];

    /// <summary>Makes the request, without its id.</summary>
    public required Func<MoveValues, IMessage> Ask { get; init; }

    /// <summary>Sends it.</summary>
    public required Func<IMessage, Task> Send { get; init; }

    /// <summary>What is said when it is done.</summary>
    public required string Done { get; init; }

    /// <summary>Of its button.</summary>
    public Color Color { get; init; } = Color.Default;

    /// <summary>Whether it is what leads on from here.</summary>
    public bool Leads { get; init; }

    public static Move Of<T>(string button, string title, string text, Func<MoveValues, T> ask, Func<T, Task> send, string done, Color color = Color.Default, bool leads = false, params IReadOnlyList<MoveField> fields)
        where T : IMessage => new()
        {
            Button = button,
            Title = title,
            Text = text,
            Fields = fields,
            Ask = values => ask(values),
            Send = request => send((T)request),
            Done = done,
            Color = color,
            Leads = leads,
        };
}

/// <summary>How a field of a move is typed.</summary>
public enum MoveInput
{
    /// <summary>A date.</summary>
    Date,

    /// <summary>A few words.</summary>
    Text,

    /// <summary>Hours, kept in minutes.</summary>
    Hours,

    /// <summary>A whole number.</summary>
    Number,

    /// <summary>One of several.</summary>
    Choice,

    /// <summary>An amount of <see cref="MoveField.Currency"/>.</summary>
    Amount,
}

/// <summary>What a move asks for.</summary>
public sealed record MoveField(string Key, string Label, MoveInput Input)
{
    public bool Required { get; init; }

    /// <summary>What is there at first, as it is typed: <c>2026-03-01</c>, minutes, the choice's value.</summary>
    public string Initial { get; init; } = "";

    /// <summary>Of a choice: value and what is shown. Without an empty one, the first is chosen.</summary>
    public IReadOnlyList<(string Value, string Label)> Choices { get; init; } = [];

    /// <summary>Of an amount.</summary>
    public string Currency { get; init; } = "";

    /// <summary>Of a number or of hours, in minutes.</summary>
    public int Most { get; init; } = 600_000;
}

/// <summary>What was typed, by key.</summary>
public sealed class MoveValues
{
    private readonly Dictionary<string, string> _typed = [];
    private readonly Dictionary<string, string> _currencies = [];

    public MoveValues(IEnumerable<MoveField> fields)
    {
        foreach (var field in fields)
        {
            _typed[field.Key] = field.Initial.Length == 0 && field is { Input: MoveInput.Choice, Choices: [var first, ..] } ? first.Value : field.Initial;
            _currencies[field.Key] = field.Currency;
        }
    }

    /// <summary>As typed.</summary>
    public string this[string key]
    {
        get => _typed[key];
        set => _typed[key] = value;
    }

    public string Text(string key) => _typed[key].Trim();

    public DateOnly? Date(string key) => _typed[key].ToDateOnly();

    public int Number(string key) => int.TryParse(_typed[key], NumberStyles.Integer, CultureInfo.InvariantCulture, out var number) ? number : 0;

    public Money? Amount(string key) => Monies.Parse(_typed[key], _currencies[key]) is { } minor ? new Money { Currency = _currencies[key], MinorUnits = minor } : null;
}
