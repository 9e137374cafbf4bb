using AgencyPlatform.Host.Configuration;

namespace AgencyPlatform.Host.Tests;

public sealed class SettingsFacts
{
    [Theory]
    [InlineData("Storage:ConectionString", "Storage:ConnectionString")]
    [InlineData("ConnectionString", "Storage:ConnectionString")]
    [InlineData("Storage:Connection", "Storage:ConnectionString")]
    [InlineData("Listen:Grpc", "Listen:GrpcPort")]
    [InlineData("GrpcPort", "Listen:GrpcPort")]
    [InlineData("Data:Dir", "Data:Directory")]
    [InlineData("AgencyPlatform:Listen:HttpPort", "Listen:HttpPort")]
    [InlineData("Storage:Provider:Name", "Storage:Provider")]
    public void An_unknown_setting_is_refused_with_the_nearest_right_name(string unknown, string nearest)
    {
        var problem = Assert.Single(Problems((unknown, "1")));

        Assert.Equal($"AgencyPlatform:{unknown} is no setting; the nearest is AgencyPlatform:{nearest}.", problem);
    }

    [Fact]
    public void All_unknown_and_wrong_settings_are_named_at_once()
    {
        var problems = Problems(("Foo:Bar", "1"), ("Listen:GrpcPort", "x"), ("Storage:Conn", "y"), ("Gateway:FailedKeysPerMinute", "0"));

        Assert.Equal(["Foo:Bar", "Gateway:FailedKeysPerMinute", "Listen:GrpcPort", "Storage:Conn"], problems.Select(p => p.Split(' ')[0]["AgencyPlatform:".Length..]).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_gateway_alone_on_SQLite_is_refused_with_what_would_be_right() => Assert.Equal(
        ["AgencyPlatform:Role \"gateway\" needs Storage:Provider=Postgres: on SQLite one process is everything (Role=all)."], Problems(("Role", "gateway")));

    [Theory]
    [InlineData("Sqlite", "Host=127.0.0.1;Database=agencyplatform")]
    [InlineData("Sqlite", "Cache=Shared")]
    [InlineData("Sqlite", "nonsense")]
    [InlineData("Postgres", "Data Source=file.db;Mode=ReadOnly")]
    [InlineData("Postgres", "Database=agencyplatform")]
    public void A_connection_string_of_another_provider_is_refused(string provider, string connectionString)
    {
        var problem = Assert.Single(Problems(("Storage:Provider", provider), ("Storage:ConnectionString", connectionString)));

        Assert.StartsWith($"AgencyPlatform:Storage:ConnectionString is no connection string of Storage:Provider={provider}: ", problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_connection_string_is_honoured_and_shown()
    {
        using var folder = new TempFolder();
        var file = Path.Combine(folder.Path, "elsewhere.db");
        using var host = await HostProcess.Serve(Path.Combine(folder.Path, "unused"), null, false, "--set", $"Storage:ConnectionString=Data Source={file}");

        Assert.True(File.Exists(file));
        Assert.False(Directory.Exists(Path.Combine(folder.Path, "unused")));
        Assert.Contains($"Sqlite in {file}", host.Welcome, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_no_setting_at_all_is_named_with_the_others()
    {
        var (code, _, error) = await HostProcess.Run("--environment", "Development", "--set", "Listen:GrpcPort", "--set", "Foo=1");

        Assert.Equal(2, code);
        Assert.Contains("--set Listen:GrpcPort is not Key=Value.", error, StringComparison.Ordinal);
        Assert.Contains("AgencyPlatform:Foo is no setting", error, StringComparison.Ordinal);
    }

    private static IReadOnlyList<string> Problems(params (string Key, string Value)[] settings) => Assert.Throws<SettingsException>(() => PlatformHost.Configured(
        settings.ToDictionary(s => $"{HostSettings.Section}:{s.Key}", string? (s) => s.Value), "Development", out _)).Problems;
}
