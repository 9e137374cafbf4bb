using System.Numerics;
using AgencyPlatform.Protocol.Billing.V1;

namespace AgencyPlatform.Gateway.Tests.Billing;

/// <summary>The steps of an explanation, counted again as a reader of the answer counts them.</summary>
internal static class Recounted
{
    /// <summary>Sums are what their figures come to, rounded once, and a figure that is an earlier step's result is that.</summary>
    public static void Steps(IReadOnlyList<ExplanationStep> steps)
    {
        foreach (var step in steps)
        {
            Assert.All(step.Parts.SelectMany(p => p.Factors).Where(f => f.Step > 0), f => Assert.Equal(Math.Abs(steps[f.Step - 1].Result), Math.Abs(f.Value)));
            if (step.Operation != StepOperation.Sum)
            {
                continue;
            }

            var (numerator, denominator) = (BigInteger.Zero, BigInteger.One);
            foreach (var part in step.Parts)
            {
                var below = part.Divisors.Aggregate(BigInteger.One, (all, f) => all * f.Value);
                (numerator, denominator) = ((numerator * below) + (part.Factors.Aggregate(BigInteger.One, (all, f) => all * f.Value) * denominator), denominator * below);
            }

            Assert.True(2 * BigInteger.Abs((step.Result * denominator) - numerator) <= BigInteger.Abs(denominator), step.Text);
        }
    }
}
