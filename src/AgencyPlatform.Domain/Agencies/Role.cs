namespace AgencyPlatform.Domain.Agencies;

/// <summary>What a caller may do. The gateway's table of RPC × role says which role may call what.</summary>
public enum Role
{
    /// <summary>Settings, keys and everything else of the agency.</summary>
    AgencyAdmin,

    /// <summary>Clients, CMOs, capacity, engagements, time.</summary>
    Operations,

    /// <summary>Billing, books, payouts.</summary>
    Finance,

    /// <summary>One CMO: what is theirs, and the engagements they work for.</summary>
    Cmo,

    /// <summary>One client company: reads what is theirs, signs and consents.</summary>
    ClientApprover,

    /// <summary>One client company: reads what is theirs.</summary>
    ClientViewer,

    /// <summary>A program of the agency: everything that Operations may do, and the feed of events.</summary>
    Service,

    /// <summary>Runs the platform: creates agencies; sees no tenant's data.</summary>
    PlatformOperator,

    /// <summary>Holds a link to a calendar: reads that calendar and calls nothing.</summary>
    Calendar,
}
