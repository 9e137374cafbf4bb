using System.Collections.Immutable;
using NodaTime;

namespace AgencyPlatform.Domain.Agencies;

/// <summary>
/// The platform's entry of one agency: what the operator's list reads, since nothing of a tenant is listed across tenants. It belongs to the
/// reserved agency <see cref="Platform"/>, is written before the agency is created, and names nothing but the id.
/// </summary>
[GenerateSerializer, Immutable, Alias("agency-listing")]
public sealed record AgencyListing(AgencyId? Agency) : IState<AgencyListing>
{
    /// <summary>The reserved agency that holds the platform's own records. No tenant may take its id.</summary>
    public static readonly AgencyId Platform = new("platform");

    public static string Kind => "agency-listing";

    public static int FoldVersion => 1;

    public static AgencyListing Initial { get; } = new((AgencyId?)null);

    public bool Exists => Agency is not null;

    public Instant? NextDue => null;

    public Decision List(AgencyId agency) => Exists ? Decision.Nothing : Decision.Accept(new AgencyListed(agency));

    public AgencyListing Apply(IEvent @event) => @event switch
    {
        AgencyListed e => new AgencyListing(e.Agency),
        NothingChanged => this,
        _ => throw new InvalidOperationException($"An agency listing does not know {@event.GetType().Name}."),
    };

    public ImmutableArray<IEvent> Settle(Instant now) => [];

    public IEnumerable<RowChange> Project(IEvent @event, EventInfo info) =>
        @event is AgencyListed e ? [new Put(new AgencyListingRow(e.Agency))] : [];
}

[Event("agency-listing.listed"), GenerateSerializer, Immutable, Alias("agency-listing.listed")]
public sealed record AgencyListed(AgencyId Agency) : IEvent;

/// <summary>An agency of the platform, by id.</summary>
[RowTable("agency_listings", nameof(Listed))]
public sealed record AgencyListingRow(AgencyId Listed) : IRow;
