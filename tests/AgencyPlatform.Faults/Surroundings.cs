using System.Net;
using AgencyPlatform.Testing;

namespace AgencyPlatform.Faults;

/// <summary>How a process is started in its surroundings.</summary>
/// <param name="Before">What stands before its command line: a program that starts it elsewhere and then becomes it.</param>
/// <param name="Settings">Arguments of its own.</param>
/// <param name="Environment">Variables of its own.</param>
internal sealed record Launch(IReadOnlyList<string> Before, IReadOnlyList<string> Settings, IReadOnlyDictionary<string, string> Environment)
{
    public static Launch Plain { get; } = new([], [], new Dictionary<string, string>());
}

/// <summary>
/// What a cluster is started in: this one is the machine as it is. A fault that needs something set up before the processes start has its own, which
/// the cluster takes down after them.
/// </summary>
internal class Surroundings : IAsyncDisposable
{
    /// <summary>Where processes reach PostgreSQL, through the proxy.</summary>
    public virtual IPAddress Database => IPAddress.Loopback;

    public virtual Launch Silo(int i) => Launch.Plain;

    public virtual Launch Gateway(int i) => Launch.Plain;

    /// <summary>Where clients reach a gateway that listens there.</summary>
    public virtual Uri Reached(int gateway, Uri listens) => listens;

    /// <summary>Before the database gets its tables.</summary>
    public virtual Task Prepare(PostgresRoles roles) => Task.CompletedTask;

    public virtual ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
