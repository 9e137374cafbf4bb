using AgencyPlatform.Protocol.Capacity.V1;
using AgencyPlatform.Protocol.Engagements.V1;
using AgencyPlatform.Protocol.Events.V1;
using AgencyPlatform.Protocol.Time.V1;
using NodaTime;
using static AgencyPlatform.Host.Demo.DemoWire;

namespace AgencyPlatform.Host.Demo;

/// <summary>
/// A client pauses for a month, and other clients of the same CMO wait for just these hours: the first in line lets its offer go, the next one takes it for a
/// sprint, and the paused engagement takes its hours again when it resumes.
/// </summary>
internal sealed class DemoPause(DemoStage stage, DemoPlacement placement)
{
    private readonly CapacityService.CapacityServiceClient _capacity = stage.Platform.Capacity;
    private readonly EngagementsService.EngagementsServiceClient _engagements = stage.Platform.Engagements;
    private readonly List<Story> _stories = [];
    private Story? _now;

    /// <param name="Queue">Who waits, by the id of the entry and of its hold.</param>
    private sealed record Story(DemoWork Paused, LocalDate From, LocalDate Until, IReadOnlyDictionary<string, RosterEngagement> Queue)
    {
        /// <summary>By Monday: what the pause freed, what was offered in the same moment, and what the resume took.</summary>
        public IReadOnlyDictionary<LocalDate, long> Freed { get; set; } = new Dictionary<LocalDate, long>();

        public IReadOnlyDictionary<LocalDate, long> Offered { get; set; } = new Dictionary<LocalDate, long>();

        public IReadOnlyDictionary<LocalDate, long>? TakenAgain { get; set; }

        /// <summary>Null: nobody tried to log time on a paused day.</summary>
        public bool? PausedDayWasRefused { get; set; }
    }

    /// <summary>Two or three clients wait for next month's hours of a CMO who has no room, the second of them with priority.</summary>
    public async Task<string?> Wait()
    {
        var (from, until) = (stage.NextMonth, stage.NextMonth.PlusMonths(1));
        foreach (var work in stage.Free())
        {
            var others = stage.Work.Where(w => w.Cmo == work.Cmo && w.ClientId != work.ClientId && w.IsActiveOn(from)).Select(w => w.ClientId).Distinct().Take(3).ToList();
            var queue = others.Select((client, i) => KeyValuePair.Create($"wait-{stage.Week}-{i + 1}", new RosterEngagement(
                $"sprint-{stage.Week}-{i + 1}", "Campaign sprint", client, Last(work.Cmo), from, until, Retainer: true, Amount: 6_000_00, work.MonthlyMinutesOn(from)))).ToDictionary();
            if (queue.Count < 2 || stage.IsAway(work.Cmo, stage.Today, until) || await Fits(queue.Values.First()))
            {
                continue;
            }

            foreach (var (id, wanted) in queue)
            {
                await _capacity.JoinWaitlistAsync(
                    new JoinWaitlistRequest
                    {
                        Parent = work.Cmo,
                        WaitlistEntryId = id,
                        Booking = placement.Wanted(wanted),
                        Priority = id.EndsWith("-2", StringComparison.Ordinal) ? 10 : 0,
                        OfferExpiry = Days(14),
                    },
                    cancellationToken: stage.Cancellation);
            }

            stage.Count(DemoEvent.Waited, queue.Count);
            stage.Measured.Add(work.Cmo);
            work.IsFree = false;
            _now = new Story(work, from, until, queue);
            _stories.Add(_now);
            return $"{string.Join(", ", others)} wait for {Last(work.Cmo)} from {Text(from)} on, {others[1]} first: there is no room";
        }

        return null;
    }

    /// <summary>The engagement pauses from the next month on: what it frees is offered in the same moment.</summary>
    public async Task<string?> Pause()
    {
        if (_now is not { } story)
        {
            return null;
        }

        var before = await Promised(story);
        var paused = await stage.Try($"pause of {story.Paused.Id}", async () => await _engagements.PauseEngagementAsync(
            new PauseEngagementRequest { Name = story.Paused.Name, StartDate = Wire(story.From), FeePercent = 25, Reason = "The client's budget is reviewed." }, cancellationToken: stage.Cancellation));
        if (paused is null)
        {
            return null;
        }

        var after = await Promised(story);
        story.Freed = before.ToDictionary(w => w.Key, w => w.Value.Confirmed - after[w.Key].Confirmed);
        story.Offered = before.ToDictionary(w => w.Key, w => after[w.Key].Held - w.Value.Held);
        story.Paused.From(story.From, 0);
        story.Paused.State = EngagementState.Paused;
        stage.Count(DemoEvent.Paused);
        var offers = await Offers(story);
        stage.Count(DemoEvent.Offered, offers.Count);
        return $"{story.Paused.Id} pauses from {Text(story.From)} on; {string.Join(", ", offers.Select(o => story.Queue[Last(o.Name)].Client))} is offered its hours";
    }

    /// <summary>Who was offered first lets it go, and it goes down the list; the next one takes it.</summary>
    public async Task<string?> TakeOffer()
    {
        if (_now is not { } story || await Offers(story) is not [var first, ..])
        {
            return null;
        }

        await _capacity.LeaveWaitlistAsync(new LeaveWaitlistRequest { Name = first.Name }, cancellationToken: stage.Cancellation);
        stage.Count(DemoEvent.OfferDeclined);
        if (await Offers(story) is not [var next, ..])
        {
            return $"{story.Queue[Last(first.Name)].Client} lets its offer go";
        }

        var sprint = story.Queue[Last(next.Name)];
        stage.Count(DemoEvent.Offered);
        var taken = await placement.Start(sprint, next.Offer, new TermRules { InitialMonths = 1, Renewal = TermRules.Types.Renewal.None });
        stage.Count(DemoEvent.OfferTaken, taken ? 1 : 0);
        return $"{story.Queue[Last(first.Name)].Client} lets its offer go, {sprint.Client} takes it: {sprint.Id} until {Text(story.Until)}";
    }

    /// <summary>Time on a paused day is refused.</summary>
    public async Task<string?> LogOnAPausedDay()
    {
        if (_now is not { Paused.State: EngagementState.Paused } story || stage.Today < story.From)
        {
            return null;
        }

        var logged = await stage.Try($"time on {story.Paused.Id}", async () => await stage.Platform.Time.LogTimeAsync(
            new LogTimeRequest
            {
                Name = $"{story.Paused.Cmo}/timesheets/{IsoWeek(stage.Today)}",
                Entries = { new TimeEntry { EntryId = "on-a-paused-day", Engagement = story.Paused.Name, Date = Wire(stage.Today), Minutes = 60 } },
            },
            cancellationToken: stage.Cancellation));
        story.PausedDayWasRefused = logged is null;
        return null;
    }

    /// <summary>The engagement resumes when the sprint is over.</summary>
    public async Task<string?> Resume()
    {
        if (_now is not { Paused.State: EngagementState.Paused } story)
        {
            return null;
        }

        var before = await Promised(story);
        var resumed = await stage.Try($"resume of {story.Paused.Id}", async () => await _engagements.ResumeEngagementAsync(
            new ResumeEngagementRequest { Name = story.Paused.Name, ResumeDate = Wire(story.Until) }, cancellationToken: stage.Cancellation));
        if (resumed is null)
        {
            return null;
        }

        var after = await Promised(story);
        story.TakenAgain = before.ToDictionary(w => w.Key, w => after[w.Key].Confirmed - w.Value.Confirmed);
        story.Paused.From(story.Until, story.Paused.MonthlyMinutesOn(story.From.PlusDays(-1)));
        story.Paused.State = EngagementState.Active;
        stage.Count(DemoEvent.Resumed);
        stage.Measured.Remove(story.Paused.Cmo);
        _now = null;
        return $"{story.Paused.Id} resumes on {Text(story.Until)}, with {Last(story.Paused.Cmo)} as before";
    }

    public async Task<IReadOnlyList<DemoCheck>> Check()
    {
        // Weeks that lie in the pause: what waits asks for the same month.
        var offered = _stories.SelectMany(s => s.Freed.Where(w => w.Key >= s.From && w.Key.PlusDays(6) < s.Until).Select(w => (Freed: w.Value, Offered: s.Offered[w.Key]))).ToList();
        var again = _stories.Where(s => s.TakenAgain is not null)
            .SelectMany(s => s.Freed.Where(w => w.Key >= s.Until).Select(w => (Freed: w.Value, Taken: s.TakenAgain![w.Key]))).ToList();
        var logged = _stories.Where(s => s.PausedDayWasRefused is not null).ToList();
        return
        [
            new("what a pause frees is offered at once, to the minute", offered.All(w => w.Freed > 0 && w.Freed == w.Offered), $"{offered.Sum(w => w.Freed) / 60} h in {offered.Count} weeks"),
            new("a resume takes again what the pause has freed", again.All(w => w.Freed > 0 && w.Freed == w.Taken), $"{again.Sum(w => w.Freed) / 60} h in {again.Count} weeks"),
            new("no time was accepted on a paused day", logged.All(s => s.PausedDayWasRefused == true), $"tried {logged.Count} times"),
            await NobodyOvertaken(),
        ];
    }

    /// <summary>From the events of every CMO: who is offered a hold is, of those who wait for the same days, the first by priority and arrival.</summary>
    private async Task<DemoCheck> NobodyOvertaken()
    {
        var events = new List<Event>();
        foreach (var type in new[] { "cmo.waitlist-joined", "cmo.waitlist-offered", "cmo.waitlist-left" })
        {
            await foreach (var page in Feed(type))
            {
                events.AddRange(page.Events);
            }
        }

        var (offers, overtaken) = (0, new List<string>());
        foreach (var cmo in events.GroupBy(e => e.AggregateId))
        {
            var waiting = new List<Event>();
            foreach (var e in cmo.OrderBy(e => e.Sequence))
            {
                if (e.Type == "cmo.waitlist-joined")
                {
                    waiting.Add(e);
                    continue;
                }

                if (waiting.FirstOrDefault(w => Id(w) == Id(e)) is not { } entry)
                {
                    continue;
                }

                if (e.Type == "cmo.waitlist-offered")
                {
                    offers++;
                    overtaken.AddRange(waiting.Where(w => Steps(w).Equals(Steps(entry)) && (Priority(w), -w.Sequence).CompareTo((Priority(entry), -entry.Sequence)) > 0).Select(Id));
                }

                waiting.Remove(entry);
            }
        }

        return new DemoCheck("nobody is overtaken on a waitlist", overtaken.Count == 0, overtaken.Count == 0 ? $"{offers} offers" : string.Join(", ", overtaken));

        static string Id(Event e) => e.Payload.Fields["id"].StringValue;
        static double Priority(Event e) => e.Payload.Fields["priority"].NumberValue;
        static Google.Protobuf.WellKnownTypes.Value Steps(Event e) => e.Payload.Fields["spec"].StructValue.Fields["steps"];
    }

    private async IAsyncEnumerable<ListEventsResponse> Feed(string type)
    {
        for (var cursor = ""; ;)
        {
            var page = await stage.Platform.Events.ListEventsAsync(
                new ListEventsRequest { Parent = stage.Agency, After = cursor, PageSize = 1000, Type = type }, cancellationToken: stage.Cancellation);
            yield return page;
            cursor = page.NextCursor;
            if (page.EndOfFeed)
            {
                yield break;
            }
        }
    }

    private async Task<bool> Fits(RosterEngagement wanted) => (await _capacity.CheckBookingAsync(
        new CheckBookingRequest { Parent = stage.CmoName(wanted.Cmo), Booking = placement.Wanted(wanted) }, cancellationToken: stage.Cancellation)).Fits;

    private async Task<IReadOnlyList<WaitlistEntry>> Offers(Story story) => (await _capacity.ListWaitlistEntriesAsync(
        new ListWaitlistEntriesRequest { Parent = story.Paused.Cmo, State = WaitlistEntry.Types.State.Offered, PageSize = 1000 }, cancellationToken: stage.Cancellation))
        .WaitlistEntries.Where(e => story.Queue.ContainsKey(Last(e.Name))).ToList();

    private async Task<Dictionary<LocalDate, (long Confirmed, long Held)>> Promised(Story story) => (await _capacity.GetAvailabilityAsync(
        new GetAvailabilityRequest { Name = story.Paused.Cmo, StartDate = Wire(story.From), Weeks = 10 }, cancellationToken: stage.Cancellation))
        .Weeks.ToDictionary(w => FromWire(w.Monday), w => (w.ConfirmedMinutes, w.HeldMinutes));
}
