namespace AgencyPlatform.Host.Configuration;

/// <summary>What a process does.</summary>
public enum HostRole
{
    /// <summary>Gateway and grains in one process: alone, or (PostgreSQL) as a member of the cluster.</summary>
    All,

    /// <summary>Grains, deadlines, snapshots; no public API.</summary>
    Silo,

    /// <summary>The public API, as a client of the cluster; no grains.</summary>
    Gateway,
}
