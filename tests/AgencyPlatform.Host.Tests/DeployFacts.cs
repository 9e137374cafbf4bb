using System.Text.Json;
using System.Text.RegularExpressions;
using AgencyPlatform.Client;
using AgencyPlatform.Host.Configuration;
using YamlDotNet.RepresentationModel;

namespace AgencyPlatform.Host.Tests;

/// <summary>What of deploy/ can be held against the program: it parses, and the settings and metrics that it names exist.</summary>
public sealed partial class DeployFacts
{
    private static readonly string s_deploy = Path.Combine(Root(), "deploy");

    [Fact]
    public async Task Every_metric_of_board_and_alarms_is_at_the_metrics_of_a_host_that_did_some_work()
    {
        var alarms = Yaml(Path.Combine(s_deploy, "prometheus", "agencyplatform.rules.yaml")).SelectMany(d => d.AllNodes).OfType<YamlMappingNode>()
            .Where(n => n.Children.ContainsKey("expr")).Select(n => ((YamlScalarNode)n.Children["expr"]).Value!).ToList();
        using var board = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(s_deploy, "grafana", "agencyplatform.json")));
        var panels = board.RootElement.GetProperty("panels").EnumerateArray().SelectMany(p => p.GetProperty("targets").EnumerateArray()).Select(t => t.GetProperty("expr").GetString()!).ToList();
        Assert.NotEmpty(alarms);
        Assert.NotEmpty(panels);

        // Whether a process answers is the scraper's own.
        var named = alarms.Concat(panels).SelectMany(e => Metric().Matches(e)).Select(m => m.Value).Where(m => m != "up").Distinct().ToList();
        Assert.True(named.Count > 15, string.Join(", ", named));
        using var folder = new TempFolder();
        using var host = await HostProcess.Serve(folder.Path, more: ["--set", "Webhooks:AllowPrivateAddresses=true"]);
        using var platform = new AgencyPlatformClient(new() { Address = host.Grpc, ApiKey = await HostFacts.Prepare(host) });
        await HostFacts.Book(platform, (Guid.CreateVersion7(TimeProvider.System.GetUtcNow()).ToString(), "agencies/acme/cmos/cmo-0"));

        // Its own health listens, but takes nothing that is posted.
        var webhook = await platform.Webhooks.CreateWebhookAsync(new() { Parent = "agencies/acme", WebhookId = "hook", Webhook = new() { DisplayName = "Hook", Url = $"{host.Http}health" } });
        await platform.Webhooks.PingWebhookAsync(new() { Name = webhook.Name });
        using var http = new HttpClient { BaseAddress = host.Http };
        var answer = await http.GetStringAsync("metrics");
        var there = Line().Matches(answer).Select(m => m.Groups[1].Value).ToHashSet();

        Assert.Empty(named.Except(there));
    }

    [Fact]
    public void Every_setting_that_is_named_exists()
    {
        var known = HostSettings.Known.Select(k => k.Key).ToHashSet(StringComparer.OrdinalIgnoreCase);
        var named = Directory.EnumerateFiles(s_deploy, "*", SearchOption.AllDirectories)
            .SelectMany(file => Variable().Matches(File.ReadAllText(file)).Select(m => m.Groups[1].Value.Replace("__", ":", StringComparison.Ordinal)))
            .Concat(File.ReadLines(Path.Combine(s_deploy, "cluster.sh")).SelectMany(line => Set().Matches(line)).Select(m => m.Groups[1].Value))
            .Distinct().ToList();

        Assert.True(named.Count > 5, string.Join(", ", named));
        Assert.All(named, n => Assert.Contains(n, known));
    }

    [Fact]
    public void Manifests_parse_and_each_workload_drains_and_is_looked_after()
    {
        var documents = Directory.EnumerateFiles(s_deploy, "*.yaml", SearchOption.AllDirectories).SelectMany(Yaml).Select(d => (YamlMappingNode)d.RootNode)
            .Where(d => d.Children.ContainsKey("kind")).ToList();
        var workloads = documents.Where(d => Text(d, "kind") is "Deployment" or "StatefulSet").ToList();
        var budgets = documents.Where(d => Text(d, "kind") == "PodDisruptionBudget").Select(d => ((YamlMappingNode)((YamlMappingNode)d["spec"])["selector"])["matchLabels"].ToString()).ToList();

        Assert.Equal(3, workloads.Count);
        Assert.Contains(documents, d => Text(d, "kind") == "Job" && d.AllNodes.OfType<YamlScalarNode>().Any(n => n.Value == "migrate"));
        Assert.All(workloads, workload =>
        {
            var spec = (YamlMappingNode)((YamlMappingNode)((YamlMappingNode)workload["spec"])["template"])["spec"];
            var container = (YamlMappingNode)((YamlSequenceNode)spec["containers"]).Children.Single();
            Assert.True(container.Children.ContainsKey("readinessProbe"));

            // A gateway finishes what is under way for up to 30 s.
            Assert.True(int.Parse(Text(spec, "terminationGracePeriodSeconds"), System.Globalization.CultureInfo.InvariantCulture) > 30);
            if (Text(workload, "kind") == "Deployment")
            {
                Assert.Contains(((YamlMappingNode)((YamlMappingNode)workload["spec"])["selector"])["matchLabels"].ToString(), budgets);
            }
        });
    }

    [Fact]
    public void Units_start_again_for_as_long_as_it_takes_but_not_on_wrong_settings()
    {
        var units = Directory.GetFiles(Path.Combine(s_deploy, "systemd")).Select(File.ReadAllLines).ToList();

        Assert.Equal(2, units.Count);
        Assert.All(units, unit =>
        {
            // Without these systemd gives up after five failures within ten seconds, as while the database is not there yet.
            Assert.Contains("StartLimitIntervalSec=0", unit.TakeWhile(l => l != "[Service]"));
            Assert.Contains("Restart=on-failure", unit);
            Assert.Contains("RestartPreventExitStatus=2", unit);
            Assert.True(int.Parse(unit.Single(l => l.StartsWith("TimeoutStopSec=", StringComparison.Ordinal))[15..], System.Globalization.CultureInfo.InvariantCulture) > 30);
        });
    }

    [Fact]
    public void Silos_of_several_machines_have_ports_that_a_firewall_can_name()
    {
        foreach (var file in new[] { Path.Combine("systemd", "agencyplatform@.service"), Path.Combine("kubernetes", "cluster.yaml") })
        {
            var named = Variable().Matches(File.ReadAllText(Path.Combine(s_deploy, file))).Select(m => m.Groups[1].Value).ToList();
            Assert.Contains("SILO__PORT", named);
            Assert.Contains("SILO__GATEWAYPORT", named);
        }
    }

    [Fact]
    public void Every_alarm_is_explained()
    {
        var alarms = Alert().Matches(File.ReadAllText(Path.Combine(s_deploy, "prometheus", "agencyplatform.rules.yaml"))).Select(m => m.Groups[1].Value).ToList();
        var explained = Explained().Matches(File.ReadAllText(Path.Combine(Root(), "docs", "operations.md"))).Select(m => m.Groups[1].Value);

        Assert.NotEmpty(alarms);
        Assert.Equal(alarms.Order(), explained.Order());
    }

    private static List<YamlDocument> Yaml(string file)
    {
        var stream = new YamlStream();
        using var reader = new StreamReader(file);
        stream.Load(reader);
        return [.. stream.Documents];
    }

    private static string Text(YamlMappingNode node, string key) => ((YamlScalarNode)node[key]).Value!;

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder!.FullName, "AgencyPlatform.sln")))
        {
            folder = folder.Parent;
        }

        return folder.FullName;
    }

    /// <summary>A metric is what a range, a filter or an operator follows, and no function.</summary>
    [GeneratedRegex(@"\b(?:up|(?:agencyplatform|orleans|dotnet|http_server|kestrel)_[a-z0-9_]+)\b(?=[{\[)]| [<>=])")]
    private static partial Regex Metric();

    [GeneratedRegex(@"^([a-z][a-z0-9_]*)[{ ]", RegexOptions.Multiline)]
    private static partial Regex Line();

    [GeneratedRegex(@"AGENCYPLATFORM__([A-Z_]+[A-Z])")]
    private static partial Regex Variable();

    [GeneratedRegex(@"--set ""?([A-Za-z]+:[A-Za-z]+)=")]
    private static partial Regex Set();

    [GeneratedRegex(@"alert: (\S+)")]
    private static partial Regex Alert();

    [GeneratedRegex(@"^\| `(AgencyPlatform\w+)` \|", RegexOptions.Multiline)]
    private static partial Regex Explained();
}
