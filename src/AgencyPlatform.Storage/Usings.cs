global using AgencyPlatform.Contracts;
global using AgencyPlatform.Domain;
global using NodaTime;
global using System.Collections.Immutable;
