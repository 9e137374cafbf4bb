using AgencyPlatform.LoadTest.Load;
using AgencyPlatform.LoadTest.Scenarios;

namespace AgencyPlatform.LoadTest.Tests;

public sealed class A_preparation : IDisposable
{
    private static readonly Uri s_address = new("http://127.0.0.1:1");
    private static readonly Scenario s_scenario = ScenarioFile.Load("agencies");

    private readonly FileInfo _file = new(Path.Combine(Path.GetTempPath(), Path.GetRandomFileName()));

    public void Dispose() => _file.Delete();

    [Fact]
    public void Goes_on_where_it_was_though_its_last_line_was_cut_off()
    {
        var plan = At("2026-11-24");
        using (var begun = PreparedAgencies.Begin(_file, plan))
        {
            begun.HasKey("agencies/a", "apk_a");
            begun.IsReadyNow("agencies/a");
            begun.HasKey("agencies/b", "apk_b");
            begun.IsReadyNow("agencies/b");
        }

        using (var file = _file.OpenWrite())
        {
            file.SetLength(file.Length - 5);
        }

        using var again = PreparedAgencies.GoOn(Refreshed(), At("2026-11-25"));
        Assert.NotNull(again);
        Assert.Equal(plan, again.Plan);
        Assert.Equal((true, false, 1), (again.IsReady("agencies/a"), again.IsReady("agencies/b"), again.Ready));
        Assert.Equal(("apk_b", null), (again.KeyOf("agencies/b"), again.KeyOf("agencies/c")));
    }

    [Fact]
    public void Is_begun_anew_for_another_shape_another_service_or_a_load_that_would_be_over()
    {
        PreparedAgencies.Begin(_file, At("2026-11-24")).Dispose();

        Assert.Null(PreparedAgencies.GoOn(Refreshed(), Plan.Of(s_scenario with { Clients = 99 }, s_address, Clock.At("2026-11-24"))));
        Assert.Null(PreparedAgencies.GoOn(Refreshed(), Plan.Of(s_scenario, new Uri("http://127.0.0.1:2"), Clock.At("2026-11-24"))));
        Assert.Null(PreparedAgencies.GoOn(Refreshed(), At("2026-12-08")));
        using var other = PreparedAgencies.GoOn(Refreshed(), Plan.Of(s_scenario with { Seconds = 1, Seed = 9 }, s_address, Clock.At("2026-11-30")));
        Assert.NotNull(other);
    }

    [Fact]
    public void Leaves_the_keys_for_a_check_and_shows_them_to_nobody_else()
    {
        using (var begun = PreparedAgencies.Begin(_file, null))
        {
            begun.HasKey("agencies/a", "apk_a");
        }

        Assert.Equal("apk_a", PreparedAgencies.Keys(Refreshed())["agencies/a"]);
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_file.FullName));
        }
    }

    [Fact]
    public void Takes_a_step_always_with_the_same_request_id_and_no_other_step_with_it()
    {
        Assert.Equal(Plan.RequestId("agencies/a", "holidays"), Plan.RequestId("agencies/a", "holidays"));
        Assert.NotEqual(Plan.RequestId("agencies/a", "holidays"), Plan.RequestId("agencies/b", "holidays"));
        Assert.NotEqual(Plan.RequestId("agencies/a", "create a1-cmo-1"), Plan.RequestId("agencies/a", "create a1-cmo-2"));
        Assert.True(Guid.TryParse(Plan.RequestId("agencies/a", "holidays"), out _));
    }

    private static Plan At(string day) => Plan.Of(s_scenario, s_address, Clock.At(day));

    private FileInfo Refreshed()
    {
        _file.Refresh();
        return _file;
    }

    private sealed class Clock(DateTimeOffset now) : TimeProvider
    {
        public static Clock At(string day) => new(DateTimeOffset.Parse(day + "T12:00:00Z", System.Globalization.CultureInfo.InvariantCulture));

        public override DateTimeOffset GetUtcNow() => now;
    }
}
