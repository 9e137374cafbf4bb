using System.Reflection;
using System.Text.RegularExpressions;
using AgencyPlatform.Contracts;
using AgencyPlatform.Domain;
using Google.Rpc;
using Grpc.Core;
using Microsoft.Extensions.Logging.Abstractions;
using NodaTime;
using Orleans.Runtime;
using FieldViolation = AgencyPlatform.Domain.FieldViolation;

namespace AgencyPlatform.Gateway.Tests.Kernel;

public sealed partial class ErrorsTests
{
    [GeneratedRegex(@"^\| `([A-Z0-9_]+)` \|", RegexOptions.Multiline)]
    private static partial Regex Row();

    [Fact]
    public void The_table_of_errors_lists_every_reason_once_and_no_other()
    {
        var reasons = typeof(Reasons).GetFields(BindingFlags.Public | BindingFlags.Static).Select(f => (string)f.GetRawConstantValue()!).Order(StringComparer.Ordinal);
        var listed = Row().Matches(File.ReadAllText(Document())).Select(m => m.Groups[1].Value).Order(StringComparer.Ordinal);
        Assert.Equal(reasons, listed);
    }

    [Fact]
    public void A_rule_names_its_reason_and_numbers()
    {
        var error = Errors.Refused(Rejection.Rule("X_Y", "No.", ("week", "2026-W10"), ("missing_minutes", "300")));
        var info = error.GetRpcStatus()!.GetDetail<ErrorInfo>()!;
        Assert.Equal((StatusCode.FailedPrecondition, "X_Y", "agencyplatform", "300"), (error.StatusCode, info.Reason, info.Domain, info.Metadata["missing_minutes"]));
    }

    [Theory]
    [InlineData(RejectionKind.Rule, StatusCode.FailedPrecondition)]
    [InlineData(RejectionKind.Invalid, StatusCode.InvalidArgument)]
    [InlineData(RejectionKind.NotFound, StatusCode.NotFound)]
    [InlineData(RejectionKind.AlreadyExists, StatusCode.AlreadyExists)]
    [InlineData(RejectionKind.Stale, StatusCode.Aborted)]
    public void Every_kind_of_refusal_has_its_code(RejectionKind kind, StatusCode code)
    {
        var rejection = kind switch
        {
            RejectionKind.Rule => Rejection.Rule("R", "m"),
            RejectionKind.Invalid => Rejection.Invalid(new FieldViolation("a.b", "must be c")),
            RejectionKind.NotFound => Rejection.NotFound("cmo", "agencies/a/cmos/x"),
            RejectionKind.AlreadyExists => Rejection.AlreadyExists("cmo", "agencies/a/cmos/x"),
            _ => Rejection.Stale("1", "2"),
        };
        var error = Errors.Refused(rejection);
        Assert.Equal(code, error.StatusCode);
        Assert.Equal(kind is RejectionKind.NotFound or RejectionKind.AlreadyExists, error.GetRpcStatus()!.GetDetail<ResourceInfo>() is not null);
        Assert.Equal(kind is RejectionKind.Invalid, error.GetRpcStatus()!.GetDetail<BadRequest>() is not null);
    }

    [Fact]
    public void Trouble_is_unavailable_with_a_delay_and_our_bugs_tell_nothing()
    {
        Exception[] trouble = [new UnavailableException("Storage is out of reach."), new TimeoutException("secret"), new OrleansException("secret"), new RuntimeFailure()];
        foreach (var exception in trouble)
        {
            var error = Errors.Of(exception, new NoCall(), NullLogger.Instance);
            Assert.Equal(StatusCode.Unavailable, error.StatusCode);
            Assert.NotNull(error.GetRpcStatus()!.GetDetail<RetryInfo>());
            Assert.DoesNotContain("secret", error.Status.Detail, StringComparison.Ordinal);
        }

        var bug = Errors.Of(new InvalidOperationException("SELECT secret"), new NoCall(), NullLogger.Instance);
        Assert.Equal(StatusCode.Internal, bug.StatusCode);
        Assert.DoesNotContain("secret", bug.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Over_a_limit_says_how_long_to_wait()
    {
        var limits = new AgencyLimits(Microsoft.Extensions.Options.Options.Create(new GatewayOptions { ConcurrentCallsPerAgency = 2 }), TimeProvider.System);
        var caller = new Caller(new AgencyId("a"), "key:k", [Domain.Agencies.Role.Service], null, null, false);
        using var one = limits.Enter(caller);
        var two = limits.Enter(caller);
        var error = Assert.Throws<RpcException>(() => limits.Enter(caller));
        Assert.Equal(StatusCode.ResourceExhausted, error.StatusCode);
        Assert.NotNull(error.GetRpcStatus()!.GetDetail<RetryInfo>());
        Assert.NotNull(error.GetRpcStatus()!.GetDetail<QuotaFailure>());
        using var other = limits.Enter(caller with { Agency = new AgencyId("b") });
        two.Dispose();
        limits.Enter(caller).Dispose();
    }

    [Fact]
    public void Two_seconds_worth_of_calls_may_come_at_once_and_then_so_many_a_second()
    {
        var clock = new StoppedClock();
        var limits = new AgencyLimits(Microsoft.Extensions.Options.Options.Create(new GatewayOptions { CallsPerSecondPerAgency = 10 }), clock);
        var caller = new Caller(new AgencyId("a"), "key:k", [Domain.Agencies.Role.Service], null, null, false);
        int Accepted() => Enumerable.Range(0, 50).TakeWhile(_ =>
        {
            try
            {
                limits.Enter(caller).Dispose();
                return true;
            }
            catch (RpcException e)
            {
                Assert.Equal(StatusCode.ResourceExhausted, e.StatusCode);
                Assert.InRange(e.GetRpcStatus()!.GetDetail<RetryInfo>()!.RetryDelay.ToTimeSpan(), TimeSpan.FromMilliseconds(1), TimeSpan.FromMilliseconds(100));
                return false;
            }
        }).Count();

        Assert.Equal(20, Accepted());
        clock.Milliseconds += 350;
        Assert.Equal(3, Accepted());
        clock.Milliseconds += 3_600_000;
        Assert.Equal(20, Accepted());
    }

    [Fact]
    public void When_all_is_full_the_agency_that_has_its_share_is_refused_and_one_that_has_less_is_let_in()
    {
        var limits = new AgencyLimits(Microsoft.Extensions.Options.Options.Create(new GatewayOptions { ConcurrentCalls = 10 }), TimeProvider.System);
        var (loud, quiet) = (Of("loud"), Of("quiet"));
        var taken = Enumerable.Range(0, 10).Select(_ => limits.Enter(loud)).ToList();

        // Alone it has all; then the other has its half, whatever the first holds.
        Assert.Equal(StatusCode.ResourceExhausted, Assert.Throws<RpcException>(() => limits.Enter(loud)).StatusCode);
        var others = Enumerable.Range(0, 5).Select(_ => limits.Enter(quiet)).ToList();
        var error = Assert.Throws<RpcException>(() => limits.Enter(quiet));
        Assert.Equal("platform", error.GetRpcStatus()!.GetDetail<QuotaFailure>()!.Violations.Single().Subject);
        Assert.NotNull(error.GetRpcStatus()!.GetDetail<RetryInfo>());

        // The first comes in again only when there is room, and when the other is still it has all again.
        taken.Take(5).ToList().ForEach(t => t.Dispose());
        Assert.Throws<RpcException>(() => limits.Enter(loud));
        others.ForEach(o => o.Dispose());
        limits.Enter(loud).Dispose();
    }

    [Fact]
    public void With_twice_as_many_under_way_nobody_is_let_in()
    {
        var limits = new AgencyLimits(Microsoft.Extensions.Options.Options.Create(new GatewayOptions { ConcurrentCalls = 10 }), TimeProvider.System);
        var taken = Enumerable.Range(0, 20).Select(i => limits.Enter(Of($"agency-{i}"))).ToList();

        Assert.Equal(StatusCode.ResourceExhausted, Assert.Throws<RpcException>(() => limits.Enter(Of("one-more"))).StatusCode);
        taken[0].Dispose();
        limits.Enter(Of("one-more")).Dispose();
    }

    private static Caller Of(string agency) => new(new AgencyId(agency), "key:k", [Domain.Agencies.Role.Service], null, null, false);

    [Fact]
    public void A_burst_is_as_long_as_is_set()
    {
        var limits = new AgencyLimits(
            Microsoft.Extensions.Options.Options.Create(new GatewayOptions { CallsPerSecondPerAgency = 10, BurstMillisecondsPerAgency = 300 }), new StoppedClock());
        var caller = new Caller(new AgencyId("a"), "key:k", [Domain.Agencies.Role.Service], null, null, false);

        limits.Enter(caller).Dispose();
        limits.Enter(caller).Dispose();
        limits.Enter(caller).Dispose();
        Assert.Throws<RpcException>(() => limits.Enter(caller));
    }

    private sealed class StoppedClock : TimeProvider
    {
        public long Milliseconds { get; set; }

        public override long TimestampFrequency => 1_000;

        public override long GetTimestamp() => Milliseconds;
    }

    private static string Document()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(directory.FullName, "AgencyPlatform.sln")))
        {
            directory = directory.Parent!;
        }

        return Path.Combine(directory.FullName, "docs", "errors.md");
    }

    /// <summary>A call that nobody has given up.</summary>
    private sealed class NoCall : ServerCallContext
    {
        protected override string MethodCore => "/x/Y";
        protected override string HostCore => "";
        protected override string PeerCore => "";
        protected override DateTime DeadlineCore => DateTime.MaxValue;
        protected override Metadata RequestHeadersCore => [];
        protected override CancellationToken CancellationTokenCore => CancellationToken.None;
        protected override Metadata ResponseTrailersCore => [];
        protected override Grpc.Core.Status StatusCore { get; set; }
        protected override WriteOptions? WriteOptionsCore { get; set; }
        protected override AuthContext AuthContextCore => new("", []);

        protected override ContextPropagationToken CreatePropagationTokenCore(ContextPropagationOptions? options) => throw new NotSupportedException();

        protected override Task WriteResponseHeadersAsyncCore(Metadata responseHeaders) => Task.CompletedTask;
    }

    /// <summary>As Orleans' own code throws it, of any type, in another process.</summary>
    private sealed class RuntimeFailure() : ArgumentException("secret")
    {
        public override string StackTrace => "   at Orleans.Runtime.ActivationCollector.MakeTicketFromDateTime(DateTime timestamp)";
    }
}
