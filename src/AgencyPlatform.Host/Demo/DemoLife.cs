namespace AgencyPlatform.Host.Demo;

/// <summary>What happens in which week of a quarter. The same options give the same life: nothing is left to chance, and who is concerned follows from the roster.</summary>
internal sealed class DemoLife(DemoStage stage, DemoPlacement placement, DemoTime time)
{
    private const int WeeksOfAQuarter = 13;

    /// <summary>When prices rise, once, in a year.</summary>
    private const int WeekOfThePriceRise = 38;

    private readonly DemoAbsences _absences = new(stage);
    private readonly DemoMoves _moves = new(stage, placement);
    private readonly DemoPause _pause = new(stage, placement);

    public long LackingMinutes => _absences.LackingMinutes;

    public DemoMoves Moves => _moves;

    /// <summary>What happens on a Monday, told in short sentences.</summary>
    public async Task<IReadOnlyList<string>> Monday()
    {
        var notes = new List<string?>(await _moves.LookAtWhatIsDue());
        foreach (var chapter in Chapters(stage.Week % WeeksOfAQuarter))
        {
            notes.Add(await chapter());
        }

        if (stage is { IsYear: true, Week: WeekOfThePriceRise })
        {
            notes.Add(await _moves.RaisePrices());
        }

        stage.Count(DemoEvent.Holiday, stage.Holidays.Count(d => d >= stage.Today && d < stage.Today.PlusWeeks(1)));

        return [.. notes.OfType<string>()];
    }

    public async Task<IReadOnlyList<DemoCheck>> Check() =>
    [
        .. placement.Check(), .. await _moves.Check(), .. await _pause.Check(), await _absences.Check(), .. await time.Check(),
    ];

    private IEnumerable<Func<Task<string?>>> Chapters(int week) => week switch
    {
        2 => [time.LookAhead],
        3 => [_absences.FallIll, _absences.TakeWeekOff],
        4 => [time.Dispute],
        5 => [time.SettleDisputes, _pause.Wait],
        6 => [_pause.Pause, time.LookAhead],
        7 => [_pause.TakeOffer, _moves.Taper, _absences.FallIll, _absences.TakeWeekOff],
        8 => [_pause.LogOnAPausedDay, _moves.HandOver, _moves.ChangeScope],
        9 => [_moves.HandOver, time.Dispute],
        10 => [_moves.HandOver, time.SettleDisputes, _pause.Resume, time.LookAhead],
        11 => [_moves.HandOver, _absences.TakeWeekOff, time.FindForgotten],
        _ => [],
    };
}
