using System.Collections.Immutable;
using AgencyPlatform.Domain.Capacity;
using AgencyPlatform.Domain.Cmos;
using AgencyPlatform.Domain.Matching;
using CsCheck;
using NodaTime;
using static AgencyPlatform.Domain.Tests.Capacity.Given;

namespace AgencyPlatform.Domain.Tests.Matching;

/// <summary>Who fits an intake, and why: docs/matching.md.</summary>
public class Matching_of_CMOs
{
    private static readonly Currency s_dollars = new("USD");
    private static readonly LocalDate s_today = Day(1, 5);

    /// <summary>The example of docs/matching.md: 40 hours a month of a retailer of 60 people that grows, for at most $9,000.</summary>
    private static readonly IntakeBrief s_brief = IntakeBrief.Empty with
    {
        Company = "Harbor Foods",
        Industry = "retail",
        TimeZone = "America/New_York",
        Stage = GrowthStage.Growth,
        Headcount = 60,
        MonthlyBudget = new Money(900_000, s_dollars),
        MonthlyMinutes = 2_400,
        Start = Day(2, 2),
        Months = 6,
        OverlapMinutes = 240,
        Specialisms = ["brand", "demand-generation"],
        Styles = ["hands-on"],
        MustHaves = MustHaves.None with { Languages = ["en"] },
    };

    /// <summary>Ada of that page.</summary>
    private static readonly CmoExpertise s_ada = CmoExpertise.None with
    {
        Stages = [GrowthStage.Early, GrowthStage.Growth],
        Headcounts = new HeadcountRange(20, 50),
        Industries = ["retail"],
        Specialisms = ["brand", "content"],
        YearsLeading = 12,
        Languages = ["en"],
        Rates = [new Money(20_000, s_dollars)],
        Styles = ["hands-on"],
        NoticeDays = 35,
    };

    [Fact]
    public void The_example_of_the_page_comes_to_its_points()
    {
        var match = Assert.Single(Rank(s_brief, MatchWeights.Default, Candidate("ada", s_ada)).Matches);

        Assert.Equal(
            [
                (MatchPart.Stage, 2_000, 2_000), (MatchPart.Headcount, 833, 1_000), (MatchPart.Industry, 2_000, 2_000), (MatchPart.Specialism, 1_000, 2_000),
                (MatchPart.Years, 800, 1_000), (MatchPart.Budget, 444, 1_000), (MatchPart.Timeline, 383, 500), (MatchPart.Style, 500, 500),
            ],
            match.Reasons.Select(r => (r.Part, r.Points, r.MostPoints)));
        Assert.Equal(7_960, match.Score);
        Assert.Equal(new Money(800_000, s_dollars), match.MonthlyCost);
        Assert.All(match.Reasons, r => Assert.EndsWith(".", r.Why, StringComparison.Ordinal));
    }

    [Fact]
    public void Each_rule_takes_out_whom_it_is_for_and_counts_each_by_the_first()
    {
        var refusal = (CapacityRule rule) => CapacityRefusal.Of(rule, Day(2, 2), 60);
        var result = Rank(
            s_brief, MatchWeights.Default,
            Candidate("a-fits", s_ada),
            Candidate("b-mute", s_ada with { Languages = ["de"] }),
            Candidate("c-dear", s_ada with { Rates = [new Money(22_501, s_dollars)] }),
            Candidate("d-in-euro", s_ada with { Rates = [new Money(10_000, new Currency("EUR"))] }),
            Candidate("e-asleep", s_ada, zone: "Asia/Tokyo"),
            Candidate("f-fenced", s_ada, refusal(CapacityRule.CompetitorFence)),
            Candidate("g-many", s_ada, refusal(CapacityRule.MaxClients)),
            Candidate("h-full", s_ada, refusal(CapacityRule.Capacity)),
            Candidate("i-gone", s_ada, refusal(CapacityRule.CmoLeaves)),
            Candidate("j-all", CmoExpertise.None, refusal(CapacityRule.Capacity), zone: "Asia/Tokyo"));

        Assert.Equal(["a-fits"], result.Matches.Select(m => m.Cmo.Value));
        Assert.Equal(
            [
                (MatchRule.MustHaves, 2), (MatchRule.Budget, 2), (MatchRule.WorkingHours, 1), (MatchRule.CompetitorFence, 1), (MatchRule.MaxClients, 1), (MatchRule.Capacity, 2),
            ],
            result.Removed.AsEnumerable());
        Assert.Equal(
            [MatchRule.MustHaves, MatchRule.Budget, MatchRule.WorkingHours, MatchRule.Capacity], result.Unmatched.Single(u => u.Cmo.Value == "j-all").Failures.Select(f => f.Rule));
        Assert.Equal("A month would cost 9,000.40 USD, 0.40 USD more than the budget.", result.Unmatched.Single(u => u.Cmo.Value == "c-dear").Failures[0].Why);
        Assert.NotNull(result.Unmatched.Single(u => u.Cmo.Value == "h-full").Failures[0].Refusal);
    }

    [Fact]
    public void What_must_be_is_asked_word_by_word()
    {
        var must = new MustHaves(["brand", "content"], ["food"], ["en", "fr"], 15, WorkMode: true);
        var result = Rank(s_brief with { MustHaves = must, WorkMode = WorkMode.OnSite }, MatchWeights.Default, Candidate("ada", s_ada));

        Assert.Equal(
            "Lacks the industry food, the language fr, 3 of 15 years of leading marketing, work on site.", Assert.Single(Assert.Single(result.Unmatched).Failures).Why);
        Assert.Single(Rank(s_brief with { MustHaves = must, WorkMode = WorkMode.OnSite }, MatchWeights.Default, Candidate("ada", s_ada with
        {
            Cases = [new CmoCase("A shop", "food", null, "", "")],
            Languages = ["en", "fr"],
            YearsLeading = 15,
            WorkModes = [WorkMode.OnSite],
        })).Matches);
    }

    [Fact]
    public void What_the_intake_does_not_say_has_no_weight_and_the_rest_has_all_points()
    {
        var brief = s_brief with { Stage = null, Headcount = null, MonthlyBudget = null, Specialisms = [], Styles = [] };
        var match = Assert.Single(Rank(brief, MatchWeights.Default, Candidate("ada", s_ada with { YearsLeading = 15, NoticeDays = 0 })).Matches);

        // Weights 20, 10 and 5 of 35.
        Assert.Equal([(MatchPart.Industry, 5_714), (MatchPart.Years, 2_857), (MatchPart.Timeline, 1_429)], match.Reasons.Select(r => (r.Part, r.Points)));
        Assert.Equal((10_000, null), (match.Score, match.MonthlyCost));
    }

    [Fact]
    public void Weights_that_sum_to_nothing_are_refused_as_are_those_of_what_is_not_said()
    {
        var none = new MatchWeights(0, 0, 0, 0, 0, 0, 0, 0);
        Assert.Equal("weights", Assert.Single(none.Violations("weights")).Field);
        Assert.Equal(["weights.stage", "weights.years"], (none with { Stage = -1, Years = 1_001 }).Violations("weights").Select(v => v.Field));
        Assert.Equal(RejectionKind.Invalid, AgencyMatchWeights.Initial.Set(none).Rejection!.Kind);

        Assert.Equal(Reasons.NothingToScore, Matcher.Refuse(s_brief with { Stage = null }, none with { Stage = 1 })!.Reason);
        Assert.Null(Matcher.Refuse(s_brief, none with { Stage = 1 }));
        Assert.Null(Matcher.Refuse(IntakeBrief.Empty, MatchWeights.Default));
    }

    [Theory]
    [InlineData(GrowthStage.Growth, 10_000)]
    [InlineData(GrowthStage.Scale, 10_000)]
    [InlineData(GrowthStage.Mature, 5_000)]
    [InlineData(GrowthStage.Early, 5_000)]
    [InlineData(GrowthStage.Startup, 0)]
    public void A_stage_beside_one_that_was_led_is_worth_half(GrowthStage asked, int points) => Assert.Equal(
        points, Points(MatchPart.Stage, s_brief with { Stage = asked }, s_ada with { Stages = [GrowthStage.Growth, GrowthStage.Scale] }));

    [Theory]
    [InlineData(10, 5_000)]
    [InlineData(20, 10_000)]
    [InlineData(50, 10_000)]
    [InlineData(200, 2_500)]
    public void A_headcount_beyond_those_that_were_led_is_worth_the_ratio(int asked, int points) => Assert.Equal(points, Points(MatchPart.Headcount, s_brief with { Headcount = asked }, s_ada));

    [Theory]
    [InlineData(0, 10_000)]
    [InlineData(28, 10_000)]
    [InlineData(43, 5_000)]
    [InlineData(58, 0)]
    [InlineData(365, 0)]
    public void Who_needs_notice_beyond_the_start_loses_a_thirtieth_a_day(int notice, int points) => Assert.Equal(points, Points(MatchPart.Timeline, s_brief, s_ada with { NoticeDays = notice }));

    [Theory]
    [InlineData(22_500, 0)]
    [InlineData(19_688, 4_999)]
    [InlineData(16_875, 10_000)]
    [InlineData(0, 10_000)]
    public void A_quarter_of_the_budget_left_is_enough(int hourly, int points) => Assert.Equal(points, Points(MatchPart.Budget, s_brief, s_ada with { Rates = [new Money(hourly, s_dollars)] }));

    [Theory]
    [InlineData("America/New_York", 540, 1_020, "America/New_York", 540, 1_020, 480)]
    [InlineData("America/New_York", 540, 1_020, "America/Los_Angeles", 540, 1_020, 300)]
    [InlineData("America/New_York", 540, 1_020, "Europe/Berlin", 540, 1_020, 120)]
    [InlineData("America/New_York", 540, 1_020, "Asia/Tokyo", 540, 1_020, 0)]
    [InlineData("Australia/Sydney", 540, 1_020, "America/Los_Angeles", 900, 1_320, 420)]
    public void Hours_overlap_by_the_clocks_of_their_zones(string zone, int start, int end, string other, int otherStart, int otherEnd, int minutes)
    {
        var (one, two) = (DateTimeZoneProviders.Tzdb[zone], DateTimeZoneProviders.Tzdb[other]);
        Assert.Equal(minutes, Matcher.Overlap(new WorkingHours(start, end), one, new WorkingHours(otherStart, otherEnd), two, Day(2, 2)));
    }

    // ---- generated ----

    private static readonly string[] s_words = ["brand", "content", "growth", "retail", "food", "en", "de"];

    private static readonly Gen<ImmutableArray<string>> s_some = Gen.Int[0, 127].Select(bits => s_words.Where((_, i) => (bits >> i & 1) == 1).Order(StringComparer.Ordinal).ToImmutableArray());

    private static readonly Gen<CmoExpertise> s_expertise = Gen.Select(
        s_some, s_some, Gen.Int[0, 20], Gen.Int[0, 40_000], Gen.Int[0, 60], Gen.Select(Gen.Int[0, 31], Gen.Int[1, 300], Gen.Int[0, 300])).Select((industries, specialisms, years, rate, notice, more) => CmoExpertise.None with
        {
            Stages = [.. Enum.GetValues<GrowthStage>().Where(s => (more.Item1 >> (int)s & 1) == 1)],
            Headcounts = more.Item3 == 0 ? null : new HeadcountRange(more.Item2, more.Item2 + more.Item3),
            Industries = industries,
            Specialisms = specialisms,
            YearsLeading = years,
            Languages = ["en"],
            Rates = rate == 0 ? [] : [new Money(rate, s_dollars)],
            Styles = specialisms,
            NoticeDays = notice,
        });

    private static readonly Gen<CmoCandidate[]> s_candidates = Gen.Select(s_expertise, Gen.Int[0, 8], Gen.Int[0, 3]).Array[0, 12].Select(all => all
        .Select((c, i) => Candidate($"cmo-{i:00}", c.Item1, c.Item2 == 0 ? CapacityRefusal.Of((CapacityRule)(c.Item3 + 3), Day(2, 2)) : null)).ToArray());

    private static readonly Gen<MatchWeights> s_weights = Gen.Int[0, 999].Array[8].Select(w => new MatchWeights(w[0], w[1], w[2], w[3], w[4] + 1, w[5], w[6], w[7]));

    private static readonly Gen<IntakeBrief> s_briefs = Gen.Select(s_some, Gen.Int[0, 400], Gen.Int[0, 5], Gen.Int[0, 2_000_000], Gen.Bool).Select((words, headcount, stage, budget, industry) => s_brief with
    {
        Specialisms = words,
        Styles = words,
        Headcount = headcount == 0 ? null : headcount,
        Stage = stage == 5 ? null : (GrowthStage)stage,
        MonthlyBudget = budget == 0 ? null : new Money(budget, s_dollars),
        Industry = industry ? "retail" : "",
    });

    [Fact]
    public void The_explanation_adds_up_to_the_score_and_all_parts_to_all_points() =>
        Gen.Select(s_briefs, s_weights, s_candidates).Sample((brief, weights, candidates) => Matcher.Rank(brief, weights, s_today, candidates).Matches.All(m =>
            m.Score == m.Reasons.Sum(r => r.Points) && m.Reasons.Sum(r => r.MostPoints) == Matcher.AllPoints && m.Reasons.All(r => r.Points >= 0 && r.Points <= r.MostPoints)), iter: 2_000);

    [Fact]
    public void The_order_does_not_depend_on_the_order_of_insertion() =>
        Gen.Select(s_briefs, s_weights, s_candidates, Gen.Int).Sample((brief, weights, candidates, seed) =>
        {
            var shuffled = candidates.ToArray();
            new Random(seed).Shuffle(shuffled);
            var (one, other) = (Matcher.Rank(brief, weights, s_today, candidates), Matcher.Rank(brief, weights, s_today, shuffled));
            return one.Matches.Select(m => (m.Cmo, m.Score)).SequenceEqual(other.Matches.Select(m => (m.Cmo, m.Score)))
                && one.Unmatched.Select(u => u.Cmo).SequenceEqual(other.Unmatched.Select(u => u.Cmo)) && one.Removed.SequenceEqual(other.Removed);
        }, iter: 1_000);

    [Fact]
    public void Everybody_is_a_match_or_is_counted_by_one_rule_and_ties_go_by_id() =>
        Gen.Select(s_briefs, s_weights, s_candidates).Sample((brief, weights, candidates) =>
        {
            var result = Matcher.Rank(brief, weights, s_today, candidates);
            return result.Matches.Length + result.Removed.Sum(r => r.Count) == candidates.Length
                && result.Matches.Zip(result.Matches.Skip(1)).All(p => p.First.Score > p.Second.Score || (p.First.Score == p.Second.Score && p.First.Cmo.CompareTo(p.Second.Cmo) < 0));
        }, iter: 1_000);

    /// <summary>
    /// What takes capacity away: bookings, a hold, a lower limit of clients, a later leaving. (Time off is none of it: what is flexible asks for less in a week of which part is off.)
    /// </summary>
    [Fact]
    public void Removing_capacity_never_adds_a_candidate()
    {
        var (kept, lost) = (0, 0);
        Gen.Select(
            Gen.Select(Gen.Int[0, 480].Array[5], Gen.Int[1, 4]).Array[1, 5],
            Gen.Select(Gen.Int[0, 4], Gen.Int[0, 2], Gen.Int[1, 1_800], Gen.Int[0, 20]).Array[0, 8],
            Gen.Select(Gen.Int[0, 4], Gen.Int[0, 4], Gen.Int[1, 1_800], Gen.Int[0, 20]).Array[1, 6],
            Gen.Int[60, 9_000]).Sample((people, before, removed, minutes) =>
            {
                var brief = s_brief with { MonthlyMinutes = minutes, MonthlyBudget = null, MustHaves = MustHaves.None, OverlapMinutes = 0 };
                var cmos = people.Select(p => Cmo(new WeekdayMinutes(p.Item1[0], p.Item1[1], p.Item1[2], p.Item1[3], p.Item1[4] + 1, 0, 0), maxClients: p.Item2)).ToArray();
                foreach (var ((cmo, client, weekly, week), i) in before.Select((b, i) => (b, i)))
                {
                    Try(cmo % cmos.Length, c => c.Book(new Book(new BookingId($"before-{i}"), Flexible(weekly, Day(1, 26).PlusWeeks(week), null, $"c{client}")), Facts(Fence($"c{client}")), Now));
                }

                var matches = Matches();
                foreach (var ((cmo, kind, weekly, week), i) in removed.Select((r, i) => (r, i)))
                {
                    Try(cmo % cmos.Length, c => kind switch
                    {
                        0 => c.Update(new UpdateCmo(null, null, c.Limits with { MaxClients = Math.Max(1, c.Limits.MaxClients - 1) }), Now),
                        1 => c.Leave(Day(1, 26).PlusWeeks(week), Now),
                        2 => c.Hold(new HoldBooking(new BookingId($"held-{i}"), Flexible(weekly, Day(1, 26).PlusWeeks(week), null, "c9"), null), Facts(Fence("c9")), Now),
                        _ => c.Book(new Book(new BookingId($"more-{i}"), Flexible(weekly, Day(1, 26).PlusWeeks(week), null, $"c{kind}")), Facts(Fence($"c{kind}")), Now),
                    });
                }

                var after = Matches();
                Interlocked.Add(ref kept, after.Count);
                Interlocked.Add(ref lost, matches.Count - after.Count);
                return after.IsSubsetOf(matches);

                void Try(int i, Func<FractionalCmo, Decision> decide) =>
                    cmos[i] = decide(cmos[i]) is { Rejection: null } accepted ? accepted.Events.Aggregate(cmos[i], (s, e) => s.Apply(e)) : cmos[i];

                ImmutableSortedSet<CmoId> Matches()
                {
                    var spec = new BookingSpec(new ClientCompanyId("new"), null, brief.Steps());
                    var candidates = cmos.Select((c, i) => c.AsCandidate(spec, Facts(Fence("new")), Now) with { Cmo = new CmoId($"cmo-{i}") });
                    return [.. Matcher.Rank(brief, MatchWeights.Default, s_today, candidates).Matches.Select(m => m.Cmo)];
                }
            }, iter: 1_000);
        Assert.True(kept > 100 && lost > 100, $"{kept} kept, {lost} lost: the sequences are no test.");
    }

    private static int Points(MatchPart part, IntakeBrief brief, CmoExpertise expertise)
    {
        var only = new MatchWeights(0, 0, 0, 0, 0, 0, 0, 0);
        var weights = part switch
        {
            MatchPart.Stage => only with { Stage = 1 },
            MatchPart.Headcount => only with { Headcount = 1 },
            MatchPart.Timeline => only with { Timeline = 1 },
            _ => only with { Budget = 1 },
        };
        return Assert.Single(Rank(brief, weights, Candidate("ada", expertise)).Matches).Score;
    }

    private static MatchResult Rank(IntakeBrief brief, MatchWeights weights, params CmoCandidate[] candidates) => Matcher.Rank(brief, weights, s_today, candidates);

    private static CmoCandidate Candidate(string id, CmoExpertise expertise, CapacityRefusal? refusal = null, string zone = "America/New_York")
    {
        var none = ImmutableSortedDictionary<string, string>.Empty;
        return new CmoCandidate(new CmoId(id), new CmoProfile(new PersonId(id), "CMO", zone, none, none, Expertise: expertise), WorkingHours.Usual, refusal);
    }
}
