namespace AgencyPlatform.Faults;

/// <summary>All faults, in the order of the table.</summary>
internal static class FaultList
{
    public static IReadOnlyList<Fault> All { get; } =
    [
        new NoFault(),
        new SiloKilled(),
        new GatewayKilled(),
        new AllKilled(),
        new RollingRestart(),
        new RollingUpgrade(),
        new SiloFrozen(),
        new DatabaseRestarted("database-restarted", "SIGINT (a fast shutdown)", Member.SigInt),
        new DatabaseRestarted("database-killed", "kill -9 of its first process", Member.SigKill),
        new DatabaseFrozen(),
        new ConnectionsDropped(),
        new ConnectionsHalfOpen(),
        new StandbyPromoted(),
        new BackupRestored(),
        new SiloCutFromSilos(),
        new SiloCutOff(),
        new GatewayCutFromSilo(),
        new SlowNetwork(),
        new RepliesLost(),
        new RepliesHeld(),
        new RequestsDoubled(),
        new HostileRequests(),
        new ReaderStops(),
        new WatcherStops(),
        new WatcherThrows(),
        new WatcherSlow(),
        new SubscriberPoisoned(),
        new WatchesAtShutdown(),
        new DiskFull(),
        new ClockJump(),
        new PoisonousAppends(),
        new DeadlineThrows(),
    ];

    /// <exception cref="ArgumentException">A name that is none.</exception>
    public static IReadOnlyList<Fault> Named(IReadOnlyCollection<string> names)
    {
        var unknown = names.Except(All.Select(f => f.Name), StringComparer.Ordinal).ToList();
        return unknown.Count > 0
            ? throw new ArgumentException($"There is no fault {string.Join(", ", unknown)}; there are {string.Join(", ", All.Select(f => f.Name))}.", nameof(names))
            : [.. All.Where(f => names.Count == 0 || names.Contains(f.Name, StringComparer.Ordinal))];
    }
}
