using System.Collections.Immutable;
using AgencyPlatform.Contracts;
using AgencyPlatform.Contracts.Journal;
using AgencyPlatform.Domain;
using AgencyPlatform.Domain.Clients;
using AgencyPlatform.Storage.Engines;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using NodaTime;

namespace AgencyPlatform.Storage.Tests;

/// <summary>A storage of one engine, started on an empty database, without grains.</summary>
public abstract class JournalTest : IAsyncLifetime
{
    protected static readonly AgencyId Acme = new("acme-agency");
    protected static readonly AgencyId Bolt = new("bolt-agency");
    private static readonly ImmutableSortedDictionary<string, string> s_none = ImmutableSortedDictionary<string, string>.Empty;
    private static readonly Instant s_at = Instant.FromUtc(2026, 1, 1, 0, 0);
    private IHost _host = null!;
    private IHost _owner = null!;

    protected EngineDatabase Engine { get; private set; } = null!;

    protected IServiceProvider Services => _host.Services;

    protected IJournal Journal => Services.GetRequiredService<IJournal>();

    protected IReadModels ReadModels => Services.GetRequiredService<IReadModels>();

    protected IDeadlines Deadlines => Services.GetRequiredService<IDeadlines>();

    protected IPeopleVault Vault => Services.GetRequiredService<IPeopleVault>();

    internal Database Database => Services.GetRequiredService<Database>();

    /// <summary>As the operator's commands run it.</summary>
    protected IJournalMaintenance Maintenance => _owner.Services.GetRequiredService<IJournalMaintenance>();

    public virtual async Task InitializeAsync()
    {
        Engine = await NewDatabase();
        _owner = Build(Engine.Owner);
        await Maintenance.EnsureSchema();
        await Start();
    }

    public virtual async Task DisposeAsync()
    {
        await Stop();
        await ((IAsyncDisposable)_owner).DisposeAsync();
        await Engine.DisposeAsync();
    }

    protected abstract Task<EngineDatabase> NewDatabase();

    protected async Task Start()
    {
        _host = Build(Engine.Options);
        await _host.StartAsync();
    }

    protected async Task Stop()
    {
        await _host.StopAsync();
        await ((IAsyncDisposable)_host).DisposeAsync();
    }

    protected internal static IHost Build(StorageOptions options)
    {
        var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { EnvironmentName = "Test" });
        builder.Logging.SetMinimumLevel(LogLevel.Critical);
        builder.Services.AddAgencyPlatformStorage(options);
        return builder.Build();
    }

    protected internal static AggregateKey Key(string id, AgencyId? agency = null) => new(agency ?? Acme, "client", id);

    protected internal static AppendItem Create(string id, Guid? request = null, string? externalId = null, string? name = null, AgencyId? agency = null)
    {
        var @event = new ClientCreated(new ClientCompanyId(id), Profile(name ?? $"Name of {id}", externalId));
        return Item(ClientCompany.Initial, @event, 0, Key(id, agency), request);
    }

    /// <summary>A later event of a client.</summary>
    protected internal static AppendItem Update(string id, long expected, string name, string? externalIdBefore = null, string? externalId = null, AgencyId? agency = null)
    {
        var before = Profile("Name before", externalIdBefore);
        var state = ClientCompany.Initial.Apply(new ClientCreated(new ClientCompanyId(id), before));
        return Item(state, new ClientProfileChanged(Profile(name, externalId), before.ExternalIds), expected, Key(id, agency), null);
    }

    private static AppendItem Item(ClientCompany before, IEvent @event, long expected, AggregateKey key, Guid? request)
    {
        return new AppendItem(
            key,
            expected,
            [
                new NewEvent(
                    Guid.CreateVersion7(), EventJson.NameOf(@event).Name, 1, EventJson.Serialize(@event), s_at, null, null, "key:test", request, request is null ? null : "hash",
                    request is null ? 0 : expected + 1, null, null),
            ],
            [.. before.Apply(@event).Project(@event, new EventInfo(key.Agency, key.Id, expected + 1, s_at))],
            null,
            [],
            null);
    }

    private static ClientProfile Profile(string name, string? externalId) =>
        new(name, "", "", "Etc/UTC", new BillingDetails("", "", "", "", 30), s_none, externalId is null ? s_none : s_none.Add("crm", externalId));
}
