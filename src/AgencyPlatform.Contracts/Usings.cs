global using AgencyPlatform.Domain;
global using NodaTime;
global using System.Collections.Immutable;

// Orleans' serializers for the domain's records are generated here, so that the domain itself carries attributes only.
[assembly: GenerateCodeForDeclaringAssembly(typeof(AgencyPlatform.Domain.AgencyId))]
