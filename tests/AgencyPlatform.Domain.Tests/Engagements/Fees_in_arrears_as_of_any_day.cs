using System.Collections.Immutable;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Domain.Engagements;
using CsCheck;
using NodaTime;
using static AgencyPlatform.Domain.Tests.Engagements.RunningEngagement;

namespace AgencyPlatform.Domain.Tests.Engagements;

/// <summary>
/// What is posted of fees in arrears up to a day, and what reports add for the days since, is what the terms come to until then: from the first day on, and as soon as terms or the end change.
/// Source: domain §5, ledger.
/// </summary>
public sealed class Fees_in_arrears_as_of_any_day
{
    private static readonly DateTimeZone s_zone = DateTimeZoneProviders.Tzdb["America/New_York"];

    [Fact]
    public void The_first_days_are_reported_before_anything_is_posted()
    {
        var life = new Life(1, 1);
        life.Come(Day(4, 10));
        Assert.Empty(life.Postings);
        Assert.Equal([(Day(3, 31), 0L), (Day(4, 1), 30_000L), (Day(4, 10), 300_000L), (Day(4, 30), 900_000L)], life.At(Day(3, 31), Day(4, 1), Day(4, 10), Day(4, 30)));
    }

    [Fact]
    public void A_change_of_scope_counts_from_its_day_on()
    {
        var life = new Life(1, 1);
        life.Come(Day(4, 20));
        life.Change(Day(4, 16), 1_800_000, FeeTiming.InArrears);
        Assert.Equal([(Day(4, 15), 450_000L), (Day(4, 16), 510_000L), (Day(4, 20), 750_000L), (Day(4, 30), 1_350_000L)], life.At(Day(4, 15), Day(4, 16), Day(4, 20), Day(4, 30)));
        Assert.Empty(life.Postings);
    }

    [Fact]
    public void An_early_end_stops_the_days_and_takes_back_at_once_what_was_posted_of_later_ones()
    {
        var life = new Life(1, 1);
        life.Come(Day(4, 20));
        life.EndOn(Day(4, 26));
        Assert.Equal([(Day(4, 25), 750_000L), (Day(4, 30), 750_000L)], life.At(Day(4, 25), Day(4, 30)));

        life = new Life(1, 3);
        life.Come(Day(6, 10));
        life.EndOn(Day(5, 1));
        Assert.Equal([Day(4, 30), Day(5, 31), Day(6, 10)], life.Postings.Select(p => p.PostingDate));
        Assert.Equal([(Day(6, 9), 603_297L + 89_011L), (Day(6, 10), 296_703L), (Day(9, 30), 296_703L)], life.At(Day(6, 9), Day(6, 10), Day(9, 30)));
        life.Come(Day(9, 30));
        Assert.Equal(3, life.Postings.Count());
    }

    [Fact]
    public void Days_that_are_not_posted_go_by_the_new_terms_also_where_posted_ones_are_corrected()
    {
        var life = new Life(1, 1);
        life.Come(Day(5, 10));
        life.Change(Day(4, 30), 310_000, FeeTiming.InArrears);
        Assert.Equal([(Day(4, 30), 900_000L), (Day(5, 9), 990_000L), (Day(5, 10), 870_000L + 10_333 + 100_000)], life.At(Day(4, 30), Day(5, 9), Day(5, 10)));

        // The second change counts from the day on which the first has corrected what was posted.
        life.Change(Day(5, 1), 620_000, FeeTiming.InArrears);
        Assert.Equal([(Day(5, 9), 990_000L), (Day(5, 10), 870_000L + 10_333 + 200_000)], life.At(Day(5, 9), Day(5, 10)));

        life = new Life(1, 1);
        life.Come(Day(5, 10));
        life.EndOn(Day(4, 21));
        Assert.Equal([(Day(4, 30), 900_000L), (Day(5, 9), 900_000L), (Day(5, 10), 600_000L)], life.At(Day(4, 30), Day(5, 9), Day(5, 10)));
    }

    [Fact]
    public void Whatever_changes_reports_go_by_the_terms_as_they_are() => Gen.Select(
        Gen.Int[0, 1], Gen.Int[0, 1], Gen.Select(Gen.Int[0, 40], Gen.Int[0, 5], Gen.Int[-25, 45], Gen.Int[1, 4]).Array[1, 8]).Sample((anchor, quarters, turns) =>
        {
            var life = new Life(anchor == 0 ? 1 : 10, quarters == 0 ? 1 : 3);
            foreach (var (days, what, delta, fee) in turns)
            {
                life.Come(life.Today.PlusDays(days));
                var date = LocalDate.Max(life.Today.PlusDays(delta), Start.PlusDays(1));
                switch (what)
                {
                    case 0:
                        life.EndOn(date);
                        break;
                    case 1:
                        life.Change(date, fee * 300_000, FeeTiming.InAdvance);
                        break;
                    case 2 or 3:
                        life.Change(date, fee * 300_000, FeeTiming.InArrears);
                        break;
                }

                life.Check();
            }
        }, iter: 2_000);

    private const long HighestFee = 1_200_000;

    /// <summary>An engagement on $9,000 in arrears, what it posts, and its rows.</summary>
    private sealed class Life
    {
        private readonly List<RecognitionRow> _rows = [];
        private readonly List<FeesAccrued> _accrued = [];
        private readonly int _shortest;
        private Engagement _state;
        private LocalDate _exactFrom = Start;
        private int _changes;
        private long _version;

        public Life(int anchor, int months)
        {
            _shortest = months == 1 ? 28 : 89;
            _state = Active();
            var terms = (RetainerTerms)_state.Terms[0] with { Timing = FeeTiming.InArrears, Fee = 900_000, Cycle = new BillCycle(anchor, months) };
            _state = _state with { Terms = [terms], Plan = _state.Plan with { Terms = terms } };
            Come(Start);
        }

        public LocalDate Today { get; private set; }

        public IEnumerable<FeesAccrued> Postings => _accrued.Where(a => !a.Posting.Lines.IsEmpty);

        private Instant Now => s_zone.AtStartOfDay(Today).ToInstant() + Duration.FromHours(9);

        public void Come(LocalDate day)
        {
            Today = day;
            while (_state.NextDue is { } due && due <= Now && _state.Settle(Now) is { IsEmpty: false } events)
            {
                Take(events, due);
            }
        }

        /// <summary>The scope changes, if it may.</summary>
        public void Change(LocalDate from, long fee, FeeTiming timing)
        {
            var terms = (RetainerTerms)_state.Terms[^1] with { EffectiveFrom = from, Fee = fee, Timing = timing };
            if (Decide(s => s.ProposeScope(new ProposeScope(new ScopeProposal(from, null, [], terms, ""), null), [], Deciders, Now)))
            {
                Assert.True(Decide(s => s.SignScope(new SignScope(Ceo, 0), Deciders, Now)));
                Assert.True(Decide(s => s.ApplyScope(new ApplyScope(0), [], [], Request((byte)_version), Now)));
                _changes++;
            }
        }

        /// <summary>It ends, if it may.</summary>
        public void EndOn(LocalDate end)
        {
            _changes += Decide(s => s.EndOn(new EndEngagement(end, "ends"), Request((byte)_version), Now)) ? 1 : 0;
            while (_state.NextStep() is { } step)
            {
                Assert.True(Decide(s => s.Record(step)));
            }
        }

        public IEnumerable<(LocalDate, long)> At(params LocalDate[] dates) => dates.Select(d => (d, Reported(d)));

        public void Check()
        {
            Assert.All(_accrued, a => Assert.Equal(0, a.Posting.Lines.Sum(l => l.Amount.Minor)));
            var known = LocalDate.Min(LocalDate.Max(_state.Time.FeesBefore ?? Start, Today), _state.End ?? LocalDate.MaxIsoValue);
            var items = Owed.Of(_state.BillingInputs(), new("main"), new("USD"), known).Where(i => i is { Key.Charge: Charge.Fee, Timing: FeeTiming.InArrears }).ToList();

            // No day earns by two terms at once, neither before nor after a correction.
            var (most, fees) = ((HighestFee / _shortest) + 1, _rows.Select(r => r.Item).Distinct().Count());
            for (var day = Start; day <= Today; day = day.PlusDays(1))
            {
                if (!Postings.Any(p => p.PostingDate == day && p.PostingDate >= p.Before))
                {
                    Assert.InRange(Reported(day) - Reported(day.PlusDays(-1)), -2 * fees, most + (2 * fees));
                }
            }

            for (var day = _exactFrom; day <= Today.PlusDays(40); day = day.PlusDays(1))
            {
                // Periods to come are not known to reports; amounts of days before a change are rounded with their old fee, with each change once more.
                var owed = items.Sum(i => new Earning(i.Amount.Minor, i.Dates).Before(day.PlusDays(1)));
                Assert.InRange(Reported(day) - owed, -items.Count - _changes, items.Count + _changes);
            }
        }

        private long Reported(LocalDate day) =>
            _accrued.Where(a => a.PostingDate <= day).SelectMany(a => a.Posting.Lines).Where(l => l.Account == LedgerAccount.UnbilledReceivable).Sum(l => l.Amount.Minor)
            + _rows.Where(r => r.From <= day).GroupBy(r => r.Item).Sum(r => r.MaxBy(i => i.Version)!.PendingOn(day));

        private bool Decide(Func<Engagement, Decision> decide)
        {
            var decision = decide(_state);
            if (decision.Rejection is null)
            {
                Take([.. decision.Events, .. _state.Following(decision.Events, Now)], Now);
            }

            return decision.Rejection is null;
        }

        private void Take(ImmutableArray<IEvent> events, Instant at)
        {
            foreach (var @event in events)
            {
                var name = EventJson.NameOf(@event);
                _state = _state.Apply(EventJson.Deserialize(name.Name, name.Version, EventJson.Serialize(@event)));
                var info = new EventInfo(new("a"), _state.Id.Value, ++_version, at);
                foreach (var row in _state.Project(@event, info).OfType<Put>().Select(p => p.Row).OfType<RecognitionRow>())
                {
                    _rows.Add(row);
                    Assert.All(_rows.Where(r => r.Item == row.Item), r => Assert.True(r.Until <= row.Until));
                }

                if (@event is FeesAccrued accrued)
                {
                    _accrued.Add(accrued);
                    _exactFrom = !accrued.Posting.Lines.IsEmpty && accrued.PostingDate == Today && accrued.PostingDate >= accrued.Before ? Today : _exactFrom;
                }
            }
        }
    }
}
