using System.Globalization;
using System.Numerics;
using AgencyPlatform.Domain.Performance;
using CsCheck;
using NodaTime;
using static AgencyPlatform.Domain.Tests.Performance.Measured;

namespace AgencyPlatform.Domain.Tests.Performance;

/// <summary>Formulas are arithmetic over KPIs, computed exactly and rounded once; what is none is refused with its field and the reason.</summary>
public class Formulas_of_KPIs
{
    [Theory]
    [InlineData("qualified_leads * 2", 0, "160")]
    [InlineData("1/3 + 1/3 + 1/3", 6, "1.000000")]
    [InlineData("qualified_leads / 3 * 3", 2, "80.00")]
    [InlineData("-qualified_leads", 0, "-80")]
    [InlineData("- - 2", 0, "2")]
    [InlineData("2 - -3", 0, "5")]
    [InlineData("10 - 4 - 3", 0, "3")]
    [InlineData("100 / 5 / 2", 0, "10")]
    [InlineData("2 + 3 * 4", 0, "14")]
    [InlineData("(2 + 3) * 4", 0, "20")]
    [InlineData("1 / 2", 0, "1")] // Half away from zero.
    [InlineData("-1 / 2", 0, "-1")]
    [InlineData("5 / 2", 0, "3")]
    [InlineData("0.1 + 0.2", 1, "0.3")]
    [InlineData("12345678 - 1234 - 1234 - 1234 - 123456789012", 0, "-123444447036")] // No GUID.
    [InlineData("1/2/2000", 6, "0.000250")] // No date.
    [InlineData("spend / qualified_leads", 2, "12.50")] // Whole units of money.
    [InlineData("(attributed_revenue - spend) / spend * 100", 1, "300.0")]
    [InlineData("cost_per_lead * qualified_leads", 2, "1000.00")] // Not of the rounded cost.
    public void Come_to(string formula, int decimals, string expected)
    {
        var outcome = Computed(Card().Recorded(("qualified-leads", "", 80), ("attributed-revenue", "", 400_000), ("spend", "search", 100_000)), formula, decimals);
        Assert.Equal(expected, DecimalText.Of(outcome.Value!.Value, decimals));
    }

    [Theory]
    [InlineData("sign_ups / qualified_leads", NoValue.ZeroDenominator)]
    [InlineData("1 / (sign_ups - sign_ups)", NoValue.ZeroDenominator)]
    [InlineData("qualified_leads / (qualified_leads * 2)", NoValue.ZeroDenominator)] // 0 ÷ 0 too.
    [InlineData("new_customers + 1", NoValue.NotRecorded)]
    [InlineData("lead_conversion + 1", NoValue.ZeroDenominator)] // Of what it is made of.
    [InlineData("sign_ups / 0", NoValue.ZeroDenominator)]
    [InlineData("sign_ups * 999999999999999 * 999999999999999", NoValue.OutOfRange)]
    public void Have_no_value_where_a_denominator_is_0_or_something_is_missing(string formula, NoValue why) =>
        Assert.Equal(new KpiOutcome(null, why), Computed(Card().Recorded(("qualified-leads", "", 0), ("sign-ups", "", 5)), formula, 0));

    [Theory]
    [InlineData("qualified_leads +")]
    [InlineData("qualified_leads sign_ups")]
    [InlineData("(1 + 2")]
    [InlineData("1 + 2)")]
    [InlineData("()")]
    [InlineData("Sqrt(4)")]
    [InlineData("sqrt(4)")]
    [InlineData("2 ** 3")]
    [InlineData("7 % 2")]
    [InlineData("1 < 2")]
    [InlineData("true")]
    [InlineData("1e5")]
    [InlineData("0x10")]
    [InlineData("'text'")]
    [InlineData("#1/2/2026#")]
    [InlineData("1 ? 2 : 3")]
    [InlineData("1, 2")]
    [InlineData("qualified-leads")] // A minus: there is no "qualified" and no "leads".
    [InlineData("[qualified_leads]")]
    [InlineData("no_such_kpi * 2")]
    [InlineData("1.")]
    [InlineData("1234567890123456")]
    [InlineData("own + 1")] // Itself.
    public void That_are_none_are_refused_with_the_field_and_the_reason(string formula)
    {
        var rejection = Card().Define(new DefineKpis([Made("own", formula)])).Rejection;
        Assert.Equal(RejectionKind.Invalid, rejection?.Kind);
        Assert.Equal("kpis[0].formula", rejection!.Fields.Single().Field);
        Assert.StartsWith("must ", rejection.Fields.Single().Description, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("1 +", "must have a name, a number or '(' at its end")]
    [InlineData("(1", "must have a ')' for every '('")]
    [InlineData("1 )", "must have + - * / at character 3")]
    [InlineData("(1 2", "must have + - * / or ')' at character 4")]
    [InlineData("1 + * 2", "must have a name, a number or '(' at character 5")]
    [InlineData("1 + x", "must name KPIs of the scorecard only; there is no x")]
    public void Say_where_they_are_wrong(string formula, string expected) => Assert.Equal(expected, Violation(Made("own", formula)).Description);

    [Fact]
    public void Have_a_bound_on_length_depth_and_parts()
    {
        Assert.Null(Card().Define(new DefineKpis([Made("own", Deep(16))])).Rejection);
        Assert.Contains("16", Violation(Made("own", Deep(17))).Description, StringComparison.Ordinal);
        Assert.Contains("500", Violation(Made("own", new string(' ', 501))).Description, StringComparison.Ordinal);
        Assert.Contains("200", Violation(Made("own", string.Concat(Enumerable.Repeat("-", 201)) + "1")).Description, StringComparison.Ordinal);

        static string Deep(int levels) => new string('(', levels) + "1" + new string(')', levels);
    }

    [Fact]
    public void That_lead_back_to_themselves_are_refused_and_the_way_is_named()
    {
        var rejection = Card().Define(new DefineKpis([Made("a", "b + 1"), Made("b", "c * 2"), Made("c", "a / 2")])).Rejection!;
        Assert.Equal(["kpis[0].formula", "kpis[1].formula", "kpis[2].formula"], rejection.Fields.Select(f => f.Field));
        Assert.Equal("must not be made of itself: a → b → c → a", rejection.Fields[0].Description);

        // The same names in a row are no cycle, whatever their order.
        Assert.Null(Card().Define(new DefineKpis([Made("a", "b + c"), Made("b", "c * 2"), Made("c", "sign_ups")])).Rejection);
    }

    [Fact]
    public void Are_made_of_ten_levels_at_most()
    {
        Kpi[] chain = [Made("l0", "sign_ups"), .. Enumerable.Range(1, 10).Select(i => Made($"l{i}", $"l{i - 1} + 1"))];
        Assert.Null(Card().Define(new DefineKpis([.. chain.Take(10)])).Rejection);
        Assert.Contains("10 levels", Card().Define(new DefineKpis([.. chain])).Rejection!.Fields.Last().Description, StringComparison.Ordinal);
    }

    [Fact]
    public void Do_not_mix_currencies()
    {
        var fee = new Kpi(new("fee"), "Fee", KpiUnit.Money, 2, new Currency("EUR"), KpiDirection.LowerIsBetter, "", false);
        var card = Card().Then(Card().Define(new DefineKpis([fee])));
        Assert.Equal("must not mix currencies; it has EUR, USD", card.Define(new DefineKpis([Made("own", "fee + spend")])).Rejection!.Fields.Single().Description);
        Assert.Equal("must not mix currencies; it has EUR, USD", card.Define(new DefineKpis([Made("own", "fee / cost_per_lead")])).Rejection!.Fields.Single().Description);
        Assert.Equal(
            "must not mix currencies; it has EUR, USD",
            card.Define(new DefineKpis([Made("own", "fee * 2") with { Unit = KpiUnit.Money, Decimals = 2, Currency = new Currency("USD") }])).Rejection!.Fields.Single().Description);
        Assert.Null(card.Define(new DefineKpis([Made("own", "fee / sign_ups")])).Rejection);
    }

    /// <summary>A tree is printed and read back; what it comes to is what the tree comes to, computed here another way.</summary>
    [Fact]
    public void Come_to_what_an_oracle_says()
    {
        Gen.Select(s_tree, Gen.Long[-1_000, 1_000], Gen.Long[0, 1_000], Gen.Int[0, 6]).Sample((tree, leads, signUps, decimals) =>
        {
            var formula = tree.Text();
            if (formula.Length > Formula.MostLength)
            {
                return;
            }

            var names = new Dictionary<string, long> { ["qualified_leads"] = leads, ["sign_ups"] = signUps };
            var outcome = Computed(Card().Recorded(("qualified-leads", "", leads), ("sign-ups", "", signUps)), formula, decimals);
            if (tree.Value(names) is not { } exact)
            {
                Assert.Equal(new KpiOutcome(null, NoValue.ZeroDenominator), outcome);
                return;
            }

            // The nearest whole number of units; of two that are level the one further from zero.
            var (over, under) = (exact.Over * BigInteger.Pow(10, decimals), exact.Under);
            if (under < 0)
            {
                (over, under) = (-over, -under);
            }

            var expected = BigInteger.Abs(over) / under;
            expected += 2 * (BigInteger.Abs(over) - expected * under) >= under ? 1 : 0;
            expected *= over.Sign;
            Assert.Equal(BigInteger.Abs(over) > Money.MostMinor * under ? new KpiOutcome(null, NoValue.OutOfRange) : new KpiOutcome((long)expected, NoValue.None), outcome);
        }, iter: 2_000);
    }

    private static readonly Gen<Tree> s_leaf = Gen.OneOf<Tree>(
        Gen.Select(Gen.Long[0, 9_999], Gen.Int[0, 3]).Select(Tree (unscaled, scale) => new Literal(unscaled, scale)),
        Gen.Bool.Select(Tree (leads) => new Name(leads ? "qualified_leads" : "sign_ups")));

    private static readonly Gen<Tree> s_tree = Gen.Recursive<Tree>((depth, inner) => depth >= 4
        ? s_leaf
        : Gen.Frequency(
            (1, s_leaf),
            (1, inner.Select(Tree (of) => new Negated(of))),
            (3, Gen.Select(Gen.Int[0, 3].Select(i => "+-*/"[i]), inner, inner).Select(Tree (sign, a, b) => new Pair(sign, a, b)))));

    private static FieldViolation Violation(Kpi kpi) => Card().Define(new DefineKpis([kpi])).Rejection!.Fields.Single();

    private static KpiOutcome Computed(Scorecard card, string formula, int decimals)
    {
        var defined = card.Then(card.Define(new DefineKpis([Made("own", formula) with { Decimals = decimals }])));
        return new KpiOutcomes(defined).Of(new("own"), March);
    }

    /// <summary>Null: there is no value.</summary>
    private abstract record Tree
    {
        public abstract (BigInteger Over, BigInteger Under)? Value(IReadOnlyDictionary<string, long> names);

        public abstract string Text();
    }

    private sealed record Literal(long Unscaled, int Scale) : Tree
    {
        public override (BigInteger, BigInteger)? Value(IReadOnlyDictionary<string, long> names) => (Unscaled, BigInteger.Pow(10, Scale));

        public override string Text() => DecimalText.Of(Unscaled, Scale);
    }

    private sealed record Name(string Of) : Tree
    {
        public override (BigInteger, BigInteger)? Value(IReadOnlyDictionary<string, long> names) => (names[Of], 1);

        public override string Text() => Of;
    }

    private sealed record Negated(Tree Of) : Tree
    {
        public override (BigInteger, BigInteger)? Value(IReadOnlyDictionary<string, long> names) => Of.Value(names) is var (over, under) ? (-over, under) : null;

        public override string Text() => $"-({Of.Text()})";
    }

    private sealed record Pair(char Sign, Tree A, Tree B) : Tree
    {
        public override (BigInteger, BigInteger)? Value(IReadOnlyDictionary<string, long> names) =>
            A.Value(names) is not var (a, x) || B.Value(names) is not var (b, y) ? null
            : Sign switch
            {
                '+' => (a * y + b * x, x * y),
                '-' => (a * y - b * x, x * y),
                '*' => (a * b, x * y),
                _ => b.IsZero ? null : (a * y, x * b),
            };

        // Only the parentheses that are needed: the parser is to know what binds more.
        public override string Text() => string.Create(CultureInfo.InvariantCulture, $"{Side(A, right: false)} {Sign} {Side(B, right: true)}");

        private string Side(Tree side, bool right) =>
            side is Pair inner && (Binds(inner.Sign) < Binds(Sign) || (right && Binds(inner.Sign) == Binds(Sign))) ? $"({side.Text()})" : side.Text();

        private static int Binds(char sign) => sign is '*' or '/' ? 2 : 1;
    }
}
