using Xunit;
using Xunit.Abstractions;
using Xunit.Sdk;

namespace AgencyPlatform.Testing;

/// <summary>The class's facts need PostgreSQL: where there is none they are reported as not run. Facts and theories of such a class, inherited ones too, are <see cref="EngineFactAttribute"/> and <see cref="EngineTheoryAttribute"/>.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class NeedsPostgresAttribute : Attribute;

/// <summary>A fact that holds on every engine that its classes stand for.</summary>
[XunitTestCaseDiscoverer("AgencyPlatform.Testing.EngineFactDiscoverer", "AgencyPlatform.Testing")]
public sealed class EngineFactAttribute : FactAttribute;

/// <summary>A theory that holds on every engine that its classes stand for.</summary>
[XunitTestCaseDiscoverer("AgencyPlatform.Testing.EngineTheoryDiscoverer", "AgencyPlatform.Testing")]
public sealed class EngineTheoryAttribute : TheoryAttribute;

public sealed class EngineFactDiscoverer(IMessageSink sink) : FactDiscoverer(sink)
{
    public override IEnumerable<IXunitTestCase> Discover(ITestFrameworkDiscoveryOptions discoveryOptions, ITestMethod testMethod, IAttributeInfo factAttribute) =>
        NotRun.Case(DiagnosticMessageSink, discoveryOptions, testMethod) is { } skipped ? [skipped] : base.Discover(discoveryOptions, testMethod, factAttribute);
}

public sealed class EngineTheoryDiscoverer(IMessageSink sink) : TheoryDiscoverer(sink)
{
    public override IEnumerable<IXunitTestCase> Discover(ITestFrameworkDiscoveryOptions discoveryOptions, ITestMethod testMethod, IAttributeInfo theoryAttribute) =>
        NotRun.Case(DiagnosticMessageSink, discoveryOptions, testMethod) is { } skipped ? [skipped] : base.Discover(discoveryOptions, testMethod, theoryAttribute);
}

internal static class NotRun
{
    public static IXunitTestCase? Case(IMessageSink sink, ITestFrameworkDiscoveryOptions options, ITestMethod method) =>
        PostgresServer.NotRun is { } reason && method.TestClass.Class.GetCustomAttributes(typeof(NeedsPostgresAttribute)).Any()
            ? new XunitSkippedDataRowTestCase(sink, options.MethodDisplayOrDefault(), options.MethodDisplayOptionsOrDefault(), method, reason)
            : null;
}
