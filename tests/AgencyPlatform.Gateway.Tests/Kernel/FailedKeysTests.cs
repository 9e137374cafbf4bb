using System.Net;
using Grpc.Core;
using Microsoft.Extensions.Options;

namespace AgencyPlatform.Gateway.Tests.Kernel;

public sealed class FailedKeysTests
{
    private static readonly IPAddress s_guesser = IPAddress.Parse("192.0.2.7");
    private readonly Clock _clock = new();

    [Fact]
    public void A_minutes_worth_may_be_tried_at_once_and_comes_back_one_by_one()
    {
        var failed = new FailedKeys(_clock, Options.Create(new GatewayOptions { FailedKeysPerMinute = 6 }));
        for (var i = 0; i < 6; i++)
        {
            failed.Ensure(s_guesser);
            failed.Count(s_guesser);
        }

        Assert.Equal(StatusCode.ResourceExhausted, Assert.Throws<RpcException>(() => failed.Ensure(s_guesser)).StatusCode);
        _clock.Advance(TimeSpan.FromSeconds(9.9));
        Assert.Throws<RpcException>(() => failed.Ensure(s_guesser));
        _clock.Advance(TimeSpan.FromSeconds(0.2));
        failed.Ensure(s_guesser);
        failed.Count(s_guesser);
        Assert.Throws<RpcException>(() => failed.Ensure(s_guesser));
        _clock.Advance(TimeSpan.FromMinutes(10));
        for (var i = 0; i < 6; i++)
        {
            failed.Ensure(s_guesser);
            failed.Count(s_guesser);
        }

        Assert.Throws<RpcException>(() => failed.Ensure(s_guesser));
    }

    [Fact]
    public void Another_address_is_not_meant_and_a_customers_64_is_one()
    {
        var failed = new FailedKeys(_clock, Options.Create(new GatewayOptions { FailedKeysPerMinute = 1 }));
        failed.Count(s_guesser);
        failed.Count(IPAddress.Parse("2001:db8:1:2::1"));

        Assert.Throws<RpcException>(() => failed.Ensure(IPAddress.Parse("::ffff:192.0.2.7")));
        Assert.Throws<RpcException>(() => failed.Ensure(IPAddress.Parse("2001:db8:1:2:ffff::9")));
        // Of many others hardly one shares a bucket with those two.
        Assert.InRange(Enumerable.Range(0, 250).Count(i => Record.Exception(() => failed.Ensure(IPAddress.Parse($"198.51.100.{i}"))) is null), 245, 250);
    }

    private sealed class Clock : TimeProvider
    {
        private long _now;

        public override long GetTimestamp() => _now;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public void Advance(TimeSpan by) => _now += by.Ticks;
    }
}
