using System.Collections.Immutable;
using System.Globalization;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Domain.Capacity;
using AgencyPlatform.Domain.Cmos;
using AgencyPlatform.Domain.Time;
using NodaTime;

namespace AgencyPlatform.Domain.Engagements;

/// <summary>The engagement's part on time: which dates accept it, what an approved entry draws, parks or charges, and what it posts. Source: domain §4.</summary>
public sealed partial record Engagement
{
    /// <summary>Whether time worked on the date is accepted, also when logged later: from the start to the end, except from a pause to its resume, of an engagement that was activated.</summary>
    public bool AcceptsTimeOn(LocalDate date) =>
        State is EngagementState.Active or EngagementState.Paused or EngagementState.Transitioning or EngagementState.Ended && Service.Contains(date)
        && Running.PauseOn(date) is null;

    /// <summary>The terms in force on a date of the service.</summary>
    public Terms TermsOn(LocalDate date) => Terms.LastOrDefault(t => t.EffectiveFrom <= date) ?? Terms[0];

    /// <summary>The bill-cycle period that a date of the service is in, by the terms in force on it.</summary>
    public BillPeriod PeriodOn(LocalDate date) => BillPeriods.Of(Terms, Service).First(p => p.Dates.Contains(date));

    /// <summary>Draws an entry, whose approval this is. The same entry again changes nothing.</summary>
    /// <param name="costRate">The CMO's at the entry's date; null: none in force.</param>
    public Decision Draw(DrawTime command, CostRate? costRate)
    {
        if (!Exists)
        {
            return Rejection.NotFound(Kind, "");
        }

        if (Time.Approved.ContainsKey(command.Entry) || Time.Reversed.ContainsKey(command.Entry))
        {
            return Decision.Nothing;
        }

        if (RefuseTime(command.Cmo, command.Date) is { } refused)
        {
            return refused;
        }

        var terms = TermsOn(command.Date);
        var parts = TimeParts.None;
        ImmutableArray<IEvent> sold = [], reached = [];
        if (command.Billable && !terms.HasMeter)
        {
            parts = parts with { Charged = command.Minutes };
        }
        else if (command.Billable)
        {
            sold = ToppedUp(command.Date, command.Minutes);
            var meter = sold.Aggregate(this, (state, @event) => state.Apply(@event)).MeterOn(command.Date);
            parts = parts with { Drawn = meter.Draw(command.Date, command.Minutes) };
            reached = parts.Drawn.IsEmpty ? [] : Reached(command.Date, parts.DrawnMinutes(), meter.RemainingOn(command.Date) - parts.DrawnMinutes());
            var beyond = command.Minutes - parts.DrawnMinutes();
            switch (terms.Beyond)
            {
                case not null when beyond == 0:
                    break;
                case OverageGate.Consent:
                    parts = parts with { Parked = beyond };
                    break;
                case OverageGate.Bill:
                    parts = parts with { Overage = beyond };
                    break;
                default:
                    var remaining = meter.RemainingOn(command.Date);
                    return Rejection.Rule(
                        Reasons.MeterExhausted,
                        $"{command.Minutes} minutes are to be drawn for {Text(command.Date)}, {remaining} are left, and the terms allow no overage: {beyond} are missing.",
                        ("date", Text(command.Date)), ("remaining_minutes", Text(remaining)), ("missing_minutes", Text(beyond)));
            }
        }

        var drawn = new TimeDrawn(command.Entry, command.Cmo, command.Date, command.Minutes, command.Billable, command.Paid, parts, costRate, command.ApprovedBy);
        ImmutableArray<IEvent> events = [.. sold, drawn, .. reached];
        return Decision.Accept(PostingOf(drawn, terms) is { } posted ? events.Add(posted) : events).Then([.. EarnedBy(events, command.Date)]);
    }

    /// <summary>Whether what is booked with a CMO is work for this engagement: time of that day is the engagement's. A pause may keep bookings on which nobody works.</summary>
    public bool IsWork(CmoId cmo, PlannedWork booked) => booked.Engagement == Id && RefuseTime(cmo, booked.Date) is null;

    /// <summary>Why time of this CMO on this date is not the engagement's; null when it is. While a move is under way, time that it would refuse waits for its end.</summary>
    public Rejection? RefuseTime(CmoId cmo, LocalDate date)
    {
        if (Saga is { Refusal: null } saga && (saga.End <= date || (saga.Move is not null && AsIfMoved().RefuseTime(cmo, date) is not null)))
        {
            return UnderWay;
        }

        if (!Involved().Contains(cmo))
        {
            return Rejection.Rule(Reasons.NotAMember, $"{cmo} does not work for the engagement {Id}.", ("engagement", Id.Value), ("cmo", cmo.Value));
        }

        if (Service.Contains(date) && !WorksOn(cmo, date))
        {
            return Rejection.Rule(
                Reasons.NotAMemberOnDate, $"{cmo} does not work for the engagement {Id} on {Text(date)}.", ("engagement", Id.Value), ("cmo", cmo.Value), ("date", Text(date)));
        }

        if (Running.PauseOn(date) is { } pause)
        {
            return Rejection.Rule(
                Reasons.TimeOnPausedDay, $"The engagement {Id} is paused over {pause.Dates} and accepts no time on {Text(date)}.",
                ("engagement", Id.Value), ("date", Text(date)), ("pause_start", Text(pause.Dates.Start)), ("pause_end", pause.Dates.End is { } resumed ? Text(resumed) : "open"));
        }

        return AcceptsTimeOn(date)
            ? null
            : Rejection.Rule(
                Reasons.TimeOutsideEngagement,
                $"The engagement {Id} is {State.ToString().ToUpperInvariant()} over {Service} and accepts no time on {Text(date)}.",
                ("engagement", Id.Value), ("date", Text(date)), ("state", State.ToString().ToUpperInvariant()), ("start", Text(Plan.Start)), ("end", End is { } end ? Text(end) : ""));
    }

    /// <summary>What bills are computed from.</summary>
    public BillingInputs BillingInputs() => new(
        Id, Client, Plan.Title, Service, Plan.BillingStartsOn ?? Plan.Start, Terms,
        [
            .. Time.Approved.Where(a => a.Value.Parts is { Overage: > 0 } or { Charged: > 0 })
                .OrderBy(a => a.Value.Date).ThenBy(a => a.Key)
                .Select(a => new BillableEntry(a.Key, a.Value.Cmo, a.Value.Date, a.Value.Parts.Overage, a.Value.Parts.Charged, a.Value.Dispute is not null)),
        ],
        Milestones is { IsEmpty: false } ? Milestones : null, Time.Blocks, Plan.InvoicedApart);

    /// <summary>What an approved entry posts: the CMO's cost, and what is charged for it.</summary>
    private TimePosted? PostingOf(TimeDrawn drawn, Terms terms)
    {
        var accrued = new Accrued(this, drawn.Cmo);
        if (drawn is { Paid: true, CostRate: { HourlyMinor: > 0 } cost })
        {
            accrued.Add(AccrualKey.Cost(drawn.Cmo, drawn.Date, cost), drawn.Minutes, terms.Currency);
        }

        switch (terms)
        {
            case HourlyTerms { HourlyRate: > 0 } hourly when drawn.Parts.Charged > 0 && IsBilledOn(drawn.Date):
                accrued.Add(AccrualKey.Hours(PeriodOn(drawn.Date).Dates.Start, hourly.HourlyRate), hourly.BilledMinutes(drawn.Parts.Charged), terms.Currency);
                break;
            case DayRateTerms days:
                AddDays(accrued, drawn.Cmo, drawn.Date, drawn.Parts.Charged, days);
                break;
            default:
                AddOverage(accrued, drawn.Date, drawn.Parts.Overage, terms);
                break;
        }

        return accrued.Posted(drawn.Entry, terms.Seller, drawn.Date);
    }

    private void AddOverage(Accrued accrued, LocalDate date, int minutes, Terms terms)
    {
        if (terms is { HasMeter: true, TimeRate.Rate: > 0 and var rate } && minutes > 0 && IsBilledOn(date))
        {
            accrued.Add(AccrualKey.Overage(PeriodOn(date).Dates.Start, rate), minutes, terms.Currency);
        }
    }

    /// <summary>What a CMO's date gains or loses of a day with these minutes more, or fewer.</summary>
    private void AddDays(Accrued accrued, CmoId cmo, LocalDate date, int minutes, DayRateTerms terms)
    {
        var before = Time.Approved.Values.Where(a => a.Cmo == cmo && a.Date == date).Sum(a => (long)a.Parts.Charged);
        var halves = terms.HalfDays(before + minutes) - terms.HalfDays(before);
        if (halves != 0 && terms.DayRate > 0 && IsBilledOn(date))
        {
            accrued.Add(AccrualKey.Days(PeriodOn(date).Dates.Start, terms.DayRate), halves * AccrualKey.HalfDay, terms.Currency);
        }
    }

    /// <summary>Charges before the first billed day accrue nothing, since they are never billed.</summary>
    private bool IsBilledOn(LocalDate date) => date >= (Plan.BillingStartsOn ?? Plan.Start);

    /// <summary>
    /// Gathers what one entry accrues. Amounts are of a key's minutes in sum, and what is posted is the difference from what was posted before: three
    /// approvals of 10 minutes at $250 an hour post 41.67, 41.66 and 41.67.
    /// </summary>
    /// <param name="workings">Of whoever asks why; null: nothing is said.</param>
    private sealed class Accrued(Engagement engagement, CmoId cmo, PostingWorkings? workings = null)
    {
        private readonly ImmutableArray<Accrual>.Builder _accruals = ImmutableArray.CreateBuilder<Accrual>();
        private readonly ImmutableArray<PostingLine>.Builder _lines = ImmutableArray.CreateBuilder<PostingLine>();

        /// <param name="minutes">Below 0: taken back.</param>
        /// <param name="currency">Of the terms; a cost has its own.</param>
        /// <param name="gained">The same minutes for whoever asks why.</param>
        public void Add(AccrualKey key, int minutes, Currency currency, Figure? gained = null)
        {
            var before = engagement.Time.Accrued.GetValueOrDefault(key);
            _accruals.Add(new Accrual(key, minutes));
            var hourly = new Money(key.Rate, key.CostCurrency ?? currency);
            var (debit, credit) = key.IsCost ? (LedgerAccount.CostOfService, LedgerAccount.CmoPayable) : (LedgerAccount.UnbilledReceivable, LedgerAccount.Revenue);
            var (all, earlier) = (hourly.Times(before + minutes, 60), hourly.Times(before, 60));
            var amount = all - earlier;
            if (amount.Minor != 0)
            {
                _lines.AddRange(Posting.Pair(debit, credit, amount, engagement.Client, engagement.Id, cmo));
                workings?.Accrued(key, before, gained!, all, earlier);
                workings?.Lines(2, workings.Steps.Last);
            }
        }

        public Posting Posting => new(_lines.ToImmutable());

        public TimePosted? Posted(TimeEntryKey entry, LegalEntityId seller, LocalDate date) =>
            _accruals.Count == 0 ? null : new TimePosted(entry, seller, date, _accruals.ToImmutable(), Posting);
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Text(LocalDate date) => date.ToString("uuuu-MM-dd", CultureInfo.InvariantCulture);
}
