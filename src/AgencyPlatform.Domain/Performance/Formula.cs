using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using NCalc;
using NCalc.Visitors;

namespace AgencyPlatform.Domain.Performance;

/// <summary>Why there is no value.</summary>
public enum NoValue
{
    /// <summary>There is one.</summary>
    None,

    /// <summary>Nothing was recorded for the month, or not all that it is made of.</summary>
    NotRecorded,

    /// <summary>A denominator is 0.</summary>
    ZeroDenominator,

    /// <summary>It is beyond 10^15 of its smallest units, or on the way to it beyond any reason.</summary>
    OutOfRange,

    /// <summary>It would add amounts in different currencies.</summary>
    OtherCurrency,
}

/// <summary>
/// Arithmetic over other KPIs: <c>(new_customers - lost) / qualified_leads * 100</c>. Names, numbers, + - * / and parentheses; no functions. NCalc reads it; what it means is computed here with
/// exact fractions, which are rounded once, at the end.
/// </summary>
public sealed partial class Formula
{
    public const int MostLength = 500;

    /// <summary>Of parentheses within each other.</summary>
    public const int MostDepth = 16;

    private const int MostTokens = 200;

    /// <summary>What is larger than that on the way is no measure of anything.</summary>
    private const int MostBits = 4_096;

    private readonly LogicalExpression _tree;

    private Formula(LogicalExpression tree, ImmutableSortedSet<KpiId> names) => (_tree, Names) = (tree, names);

    /// <summary>The KPIs that it is made of.</summary>
    public ImmutableSortedSet<KpiId> Names { get; }

    /// <summary>Reads a formula; or says what would be right.</summary>
    public static (Formula? Formula, string? Wrong) Parse(string text)
    {
        if (text.Length > MostLength)
        {
            return (null, $"must have at most {MostLength} characters; it has {text.Length}");
        }

        // Only what is arithmetic comes to the parser, in a form in which it takes nothing for a date, a GUID, a keyword or a hexadecimal number: a formula that is none would cost it much more.
        var (plain, names, depth, tokens, operand) = (new StringBuilder(), ImmutableSortedSet.CreateBuilder<KpiId>(), 0, 0, true);
        for (var at = 0; at < text.Length;)
        {
            var token = Token().Match(text, at);
            if (!token.Success)
            {
                return (null, $"must have names of KPIs with '_' for '-', numbers such as 12.5, + - * / and parentheses only; at character {at + 1} there is something else");
            }

            var (sign, place) = (token.Groups["sign"].Value, at + 1);
            at += token.Length;
            if (token.Groups["blank"].Success)
            {
                continue;
            }

            switch (operand, sign)
            {
                case (true, ""):
                    operand = false;
                    break;
                case (true, "("):
                    depth++;
                    break;
                case (true, "-"):
                    break;
                case (true, _):
                    return (null, $"must have a name, a number or '(' at character {place}");
                case (false, ")") when depth > 0:
                    depth--;
                    break;
                case (false, "+" or "-" or "*" or "/"):
                    operand = true;
                    break;
                default:
                    return (null, $"must have + - * / {(depth > 0 ? "or ')' " : "")}at character {place}");
            }

            if (depth > MostDepth)
            {
                return (null, $"must have at most {MostDepth} parentheses within each other");
            }

            if (++tokens > MostTokens)
            {
                return (null, $"must have at most {MostTokens} names, numbers and signs");
            }

            if (token.Groups["name"] is { Success: true, Value: var name })
            {
                names.Add(KpiId.OfSymbol(name));
                plain.Append('[').Append(name).Append("] ");
            }
            else if (token.Groups["number"] is { Success: true, Value: var number })
            {
                plain.Append(number).Append(number.Contains('.', StringComparison.Ordinal) ? " " : ".0 ");
            }
            else
            {
                plain.Append(sign).Append(' ');
            }
        }

        if (operand || depth > 0)
        {
            return (null, operand ? "must have a name, a number or '(' at its end" : "must have a ')' for every '('");
        }

        var tree = LogicalExpressionParser.Parse(
            new LogicalExpressionParseContext(plain.ToString(), new LogicalExpressionParserOptions { FloatingPointNumberType = FloatingPointNumberType.Decimal }), CultureInfo.InvariantCulture);
        return (new Formula(tree, names.ToImmutable()), null);
    }

    /// <summary>What it comes to. A name without a value leaves it without one, and so does a denominator of 0.</summary>
    internal (Ratio? Value, NoValue Why) Evaluate(Func<KpiId, (Ratio? Value, NoValue Why)> of)
    {
        var evaluation = new Evaluation(of);
        return _tree.Accept(evaluation) is not { } value ? (null, evaluation.Why) : value.Fits(MostBits) ? (value, NoValue.None) : (null, NoValue.OutOfRange);
    }

    [GeneratedRegex(@"\G(?:(?<blank>\s+)|(?<name>[a-z][a-z0-9_]{0,62})|(?<number>[0-9]{1,15}(?:\.[0-9]{1,6})?)(?![a-z_.0-9])|(?<sign>[-+*/()]))", RegexOptions.CultureInvariant)]
    private static partial Regex Token();

    /// <summary>Computes a tree of arithmetic; null: it has no value.</summary>
    private sealed class Evaluation(Func<KpiId, (Ratio? Value, NoValue Why)> of) : ILogicalExpressionVisitor<Ratio?>
    {
        public NoValue Why { get; private set; }

        public Ratio? Visit(BinaryExpression expression)
        {
            if (expression.LeftExpression.Accept(this) is not { } left || expression.RightExpression.Accept(this) is not { } right)
            {
                return null;
            }

            switch (expression.Type)
            {
                case BinaryExpressionType.Plus:
                    return left + right;
                case BinaryExpressionType.Minus:
                    return left - right;
                case BinaryExpressionType.Times:
                    return left * right;
                case BinaryExpressionType.Div:
                    return right.IsZero ? Without(NoValue.ZeroDenominator) : left / right;
                default:
                    throw NoArithmetic();
            }
        }

        public Ratio? Visit(UnaryExpression expression) => expression.Expression.Accept(this) is { } value ? -value : null;

        public Ratio? Visit(ValueExpression expression)
        {
            var number = (decimal)expression.Value!;
            return new Ratio(new System.Numerics.BigInteger(number * 1_000_000), 1_000_000);
        }

        public Ratio? Visit(Identifier identifier)
        {
            var (value, why) = of(KpiId.OfSymbol(identifier.Name));
            return value ?? Without(why);
        }

        public Ratio? Visit(TernaryExpression expression) => throw NoArithmetic();

        public Ratio? Visit(Function function) => throw NoArithmetic();

        public Ratio? Visit(LogicalExpressionList list) => throw NoArithmetic();

        // Only arithmetic comes to the parser.
        private static InvalidOperationException NoArithmetic() => new("A formula is arithmetic.");

        private Ratio? Without(NoValue why)
        {
            Why = why;
            return null;
        }
    }
}
