global using AgencyPlatform.Contracts;
global using AgencyPlatform.Contracts.Journal;
global using AgencyPlatform.Domain;
global using Grpc.Core;
global using NodaTime;
