using System.Reflection;

namespace AgencyPlatform.Architecture.Tests;

/// <summary>Who may see whom. Gateway and grains see the contracts that storage implements, never storage.</summary>
public class References_of_the_house
{
    private const string Prefix = "AgencyPlatform.";

    [Theory]
    [InlineData("Domain", "")]
    [InlineData("Contracts", "Domain")]
    [InlineData("Grains", "Contracts Domain")]
    [InlineData("Storage", "Contracts Domain")]
    [InlineData("Protocol", "")]
    [InlineData("Gateway", "Contracts Domain Planning Protocol")]
    [InlineData("Planning", "Domain")]
    [InlineData("Client", "Protocol")]
    [InlineData("Dashboard", "Client Protocol")]
    [InlineData("LoadTest", "Client Protocol")]
    public void A_project_references_only_what_it_may(string project, string allowed) =>
        Assert.Empty(Referenced(project).Except(allowed.Split(' ', StringSplitOptions.RemoveEmptyEntries)));

    [Fact]
    public void The_domain_knows_no_runtime_no_database_and_no_wire() =>
        Assert.All(
            Assembly.Load(Prefix + "Domain").GetReferencedAssemblies().Select(a => a.Name!),
            name => Assert.True(
                name is "Orleans.Serialization.Abstractions" or "NodaTime" or "NodaTime.Serialization.SystemTextJson" or "NCalc.Domain" or "NCalc.Parser" or "Parlot" or "netstandard" || name.StartsWith("System", StringComparison.Ordinal),
                name));

    [Theory]
    [InlineData("Grains", "Google.Protobuf")]
    [InlineData("Grains", "Npgsql")]
    [InlineData("Grains", "Microsoft.Data.Sqlite")]
    [InlineData("Gateway", "Npgsql")]
    [InlineData("Gateway", "Microsoft.Data.Sqlite")]
    public void A_layer_does_not_reach_around_its_contract(string project, string library) =>
        Assert.DoesNotContain(Assembly.Load(Prefix + project).GetReferencedAssemblies(), a => a.Name == library);

    [Fact]
    public void Every_message_between_grains_has_an_alias_of_its_own()
    {
        var types = new[] { "Domain", "Contracts" }.SelectMany(p => Assembly.Load(Prefix + p).GetTypes())
            .Where(t => t.GetCustomAttribute<Orleans.GenerateSerializerAttribute>(inherit: false) is not null && t.DeclaringType?.Name.StartsWith("OrleansCodeGen", StringComparison.Ordinal) is not true)
            .ToArray();

        Assert.NotEmpty(types);
        Assert.Empty(types.Where(t => !t.GetCustomAttributes<Orleans.AliasAttribute>(inherit: false).Any()).Select(t => t.FullName));
        Assert.Empty(types.SelectMany(t => t.GetCustomAttributes<Orleans.AliasAttribute>(inherit: false)).GroupBy(a => a.Alias).Where(g => g.Count() > 1).Select(g => g.Key));
    }

    private static IEnumerable<string> Referenced(string project) =>
        Assembly.Load(Prefix + project).GetReferencedAssemblies().Select(a => a.Name!).Where(n => n.StartsWith(Prefix, StringComparison.Ordinal)).Select(n => n[Prefix.Length..]);
}
