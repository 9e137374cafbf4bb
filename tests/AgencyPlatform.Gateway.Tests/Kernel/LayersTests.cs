using System.Collections.Immutable;
using AgencyPlatform.Client;
using AgencyPlatform.Contracts;
using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Clients;
using AgencyPlatform.Domain;
using AgencyPlatform.Domain.Clients;
using AgencyPlatform.Protocol.Agencies.V1;
using AgencyPlatform.Protocol.Clients.V1;
using AgencyPlatform.Protocol.Events.V1;
using Google.Protobuf;
using Grpc.AspNetCore.Server;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Microsoft.Extensions.DependencyInjection;
using Orleans;

namespace AgencyPlatform.Gateway.Tests.Kernel;

/// <summary>
/// What keeps agencies apart, with one layer taken out at a time: the gateway's look at the request, the gateway altogether, the filter in front
/// of the grains. The store's are in Storage.Tests (row-level security).
/// </summary>
public sealed class LayersTests
{
    private static readonly Action<IServiceCollection> s_fooled = services =>
    {
        services.AddSingleton<Fooled>();
        services.Configure<GrpcServiceOptions>(grpc => grpc.Interceptors.Add<Fooled>());
    };

    [Fact]
    public async Task Without_the_look_at_the_requests_names_no_call_reaches_another_agency()
    {
        await using var host = await TwoAgencies.On(s_fooled);
        var before = await host.Feed();

        foreach (var method in ProtocolFiles.Services.SelectMany(s => s.Methods).Where(m => !m.IsServerStreaming && !m.IsClientStreaming && TwoAgenciesTests.Names(m)))
        {
            // The interceptor has seen the caller's own names.
            var request = TwoAgenciesTests.Naming(method.InputType, host.Mine.Id);
            host.Fooled.Names(host.Mine.Id, host.Theirs.Id);
            var real = await TwoAgenciesTests.Error(await host.Mine.Admin(), method, request);
            host.Fooled.Names(host.Mine.Id, "no-such-agency");
            var made = await TwoAgenciesTests.Error(await host.Mine.Admin(), method, request);

            Assert.True(real is not null, method.FullName);
            Assert.Equal((made?.StatusCode, made?.Reason), (real.StatusCode, real.Reason));
            Assert.Equal(made?.Message.Replace("no-such-agency", host.Theirs.Id, StringComparison.Ordinal), real.Message);
        }

        host.Fooled.Names(host.Mine.Id, host.Theirs.Id);
        Assert.Equal(StatusCode.NotFound, (await Refused.By((await host.Mine.Admin()).Clients.ListClientCompaniesAsync(new() { Parent = host.Mine.Name }))).StatusCode);
        Assert.Equal(before, await host.Feed());
    }

    [Fact]
    public async Task With_a_gateway_that_takes_the_caller_for_another_agencys_its_grains_are_not_reached()
    {
        await using var host = await TwoAgencies.On(s_fooled);
        var mine = await host.Mine.Admin();
        var before = await host.Feed();

        host.Fooled.Names(host.Mine.Id, host.Theirs.Id, caller: true);
        ApiException[] errors =
        [
            await Refused.By(mine.Agencies.GetAgencyAsync(new() { Name = host.Mine.Name })),
            await Refused.By(mine.Clients.GetClientCompanyAsync(new() { Name = host.Mine.Name + "/clientCompanies/client" })),
            await Refused.By(mine.Clients.CreateClientCompanyAsync(TwoAgencies.Client(host.Mine.Name, "other"))),
            await Refused.By(mine.Agencies.CreateApiKeyAsync(new() { Parent = host.Mine.Name, ApiKey = new ApiKey { DisplayName = "Mine", Roles = { Role.AgencyAdmin } } })),
        ];

        Assert.All(errors, e => Assert.Equal(StatusCode.NotFound, e.StatusCode));
        host.Fooled.Names("", "");
        Assert.Equal(before, await host.Feed());
    }

    [Fact]
    public async Task A_grain_is_reached_only_by_a_call_that_is_told_to_be_for_its_agency()
    {
        await using var host = await TwoAgencies.On(_ => { });
        var (mine, theirs) = (new AgencyId(host.Mine.Id), new AgencyId(host.Theirs.Id));
        var grain = host.Grains.Of<IClientCompanyGrain>(theirs, "client");

        RequestContext.Clear();
        await Assert.ThrowsAsync<ForeignAgencyException>(() => grain.Get(new Read(theirs)));
        CallerAgency.Set(mine);
        await Assert.ThrowsAsync<ForeignAgencyException>(() => grain.Get(new Read(theirs)));
        await Assert.ThrowsAsync<ForeignAgencyException>(() => host.Grains.Agency(theirs).GetContext());
        await Assert.ThrowsAsync<ForeignAgencyException>(() => grain.Settle(null));
        CallerAgency.Set(theirs);
        Assert.Null((await grain.Get(new Read(theirs))).Rejection);
    }

    [Fact]
    public async Task Without_the_filter_the_gateway_and_the_grain_itself_still_refuse()
    {
        await using var host = await TwoAgencies.On(services => services.Remove(services.Single(d => d.ServiceType == typeof(IIncomingGrainCallFilter) && d.ImplementationType?.Name == "AgencyFilter")));
        var (mine, theirs) = (new AgencyId(host.Mine.Id), new AgencyId(host.Theirs.Id));
        var grain = host.Grains.Of<IClientCompanyGrain>(theirs, "client");
        CallerAgency.Set(mine);
        var before = await host.Feed();

        var read = await grain.Get(new Read(mine));
        var written = await grain.Update(new Call(mine, "key:mine"), new UpdateClient(new ClientProfile(
            "Mine", "", "", "Etc/UTC", new Domain.Clients.BillingDetails("", "", "", "", 30), ImmutableSortedDictionary<string, string>.Empty, ImmutableSortedDictionary<string, string>.Empty)));
        var asked = await Refused.By((await host.Mine.Admin()).Clients.GetClientCompanyAsync(new() { Name = host.Theirs.Name + "/clientCompanies/client" }));

        Assert.Equal(RejectionKind.NotFound, read.Rejection?.Kind);
        Assert.Equal(RejectionKind.NotFound, written.Rejection?.Kind);
        Assert.Equal(StatusCode.NotFound, asked.StatusCode);
        Assert.Equal(before, await host.Feed());
    }

    private sealed class TwoAgencies(PlatformFixture platform) : IAsyncDisposable
    {
        public TestAgency Mine { get; private set; } = null!;

        public TestAgency Theirs { get; private set; } = null!;

        public Fooled Fooled => platform.Services.GetRequiredService<Fooled>();

        public IGrainFactory Grains => platform.Services.GetRequiredService<IGrainFactory>();

        public static async Task<TwoAgencies> On(Action<IServiceCollection> change)
        {
            var platform = new PlatformFixture(change);
            await platform.InitializeAsync();
            var two = new TwoAgencies(platform) { Mine = await platform.NewAgency(sandbox: false), Theirs = await platform.NewAgency(sandbox: false) };
            foreach (var agency in new[] { two.Mine, two.Theirs })
            {
                await (await agency.Admin()).Clients.CreateClientCompanyAsync(Client(agency.Name, "client"));
            }

            return two;
        }

        public static CreateClientCompanyRequest Client(string agency, string id) =>
            new() { Parent = agency, ClientCompanyId = id, ClientCompany = new Protocol.Clients.V1.ClientCompany { DisplayName = "Client", TimeZone = "America/New_York" } };

        /// <summary>How many events the other agency has.</summary>
        public async Task<int> Feed() => (await (await Theirs.Admin()).Events.ListEventsAsync(new ListEventsRequest { Parent = Theirs.Name, PageSize = 1000 })).Events.Count;

        public async ValueTask DisposeAsync() => await platform.DisposeAsync();
    }

    /// <summary>Behind the gateway's interceptor: puts another agency into the request that it has looked at, and into the caller.</summary>
    private sealed class Fooled : Interceptor
    {
        private (string From, string To, bool Caller) _names = ("", "", false);

        public void Names(string from, string to, bool caller = false) => _names = (from, to, caller);

        public override Task<TResponse> UnaryServerHandler<TRequest, TResponse>(TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
        {
            if (_names.From.Length == 0 || request is not IMessage message || !context.UserState.TryGetValue(Caller.StateKey, out var state) || ((Caller)state).Agency?.Value != _names.From)
            {
                return continuation(request, context);
            }

            if (_names.Caller)
            {
                context.UserState[Caller.StateKey] = (Caller)state with { Agency = new AgencyId(_names.To) };
            }

            var text = JsonFormatter.Default.Format(message).Replace($"agencies/{_names.From}", $"agencies/{_names.To}", StringComparison.Ordinal);
            return continuation((TRequest)message.Descriptor.Parser.ParseJson(text), context);
        }
    }
}
