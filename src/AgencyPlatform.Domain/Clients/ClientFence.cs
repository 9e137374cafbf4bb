using System.Collections.Immutable;

namespace AgencyPlatform.Domain.Clients;

/// <summary>The facts that the competitor fence needs of a client company: whom it names, and who names it. Source: domain §2.</summary>
/// <param name="Version">The client company's version.</param>
[GenerateSerializer, Immutable, Alias("client.fence")]
public sealed record ClientFence(ClientCompanyId Client, long Version, ImmutableSortedSet<ClientCompanyId> Names, ImmutableSortedSet<ClientCompanyId> NamedBy);
