using AgencyPlatform.Domain.Agencies;
using AgencyPlatform.Domain.Billing;

namespace AgencyPlatform.Contracts.Agencies;

/// <summary>An agency. Its grain key is <c>{agency}/{agency}</c>: see <see cref="AgencyGrains.Agency"/>. It calls nobody.</summary>
[Alias("IAgencyGrain")]
public interface IAgencyGrain : IAggregateGrain
{
    [Alias("Create")]
    Task<Reply<Agency>> Create(Call call, CreateAgency command);

    [Alias("Update")]
    Task<Reply<Agency>> Update(Call call, UpdateAgency command);

    [Alias("PutLegalEntity")]
    Task<Reply<Agency>> PutLegalEntity(Call call, PutLegalEntity command);

    /// <summary>How a series of a legal entity prints its numbers.</summary>
    [Alias("SetInvoiceSeries")]
    Task<Reply<Agency>> SetInvoiceSeries(Call call, SetInvoiceSeries command);

    /// <summary>Told by a series before it gives its first number; answers with how it prints.</summary>
    [Alias("UseInvoiceSeries")]
    Task<Reply<SeriesFormat>> UseInvoiceSeries(Call call, LegalEntityId entity, InvoiceSeriesId series);

    /// <summary>CMOs learn it with their next command, through the policy's version.</summary>
    [Alias("SetHolidayCalendar")]
    Task<Reply<Agency>> SetHolidayCalendar(Call call, SetHolidayCalendar command);

    [Alias("CreateApiKey")]
    Task<Reply<ApiKey>> CreateApiKey(Call call, CreateApiKey command);

    [Alias("RevokeApiKey")]
    Task<Reply<ApiKey>> RevokeApiKey(Call call, RevokeApiKey command);

    /// <summary>
    /// Moves a sandbox's clock towards an instant: each due aggregate, in order, sets the clock and settles. Works for a bounded time;
    /// <see cref="ClockProgress.Done"/> tells whether to call again with the same call.
    /// </summary>
    [Alias("AdvanceClock")]
    [ResponseTimeout("00:00:30")]
    Task<Reply<ClockProgress>> AdvanceClock(Call call, Instant to);

    /// <summary>Takes note of a request whose parts go to several aggregates: its id is good for nothing else from then on.</summary>
    [Alias("Note")]
    Task<Reply<AgencyId>> Note(Call call);

    /// <summary>The agency as committed; NOT_FOUND before it is created.</summary>
    [Alias("Get")]
    Task<Reply<Agency>> Get(Read read);

    /// <summary>What every call of the agency is to carry; null when there is no such agency. Cheap: asked with each call.</summary>
    [Alias("GetContext")]
    Task<AgencyContext?> GetContext();

    /// <summary>What a CMO records when the call's policy version is above its own.</summary>
    [Alias("GetPolicy")]
    Task<Reply<AgencyPolicy>> GetPolicy(Read read);

    /// <summary>The key of which this is the secret's SHA-256, or null. The caller judges the expiry.</summary>
    [Alias("Authenticate")]
    Task<AuthenticatedKey?> Authenticate(ApiKeyId key, byte[] secretHash);
}

/// <summary>What every call of an agency is to carry.</summary>
/// <param name="SandboxNow">A sandbox's clock; null for an ordinary agency.</param>
/// <param name="PolicyVersion">The agency's version at which its policy last changed.</param>
[GenerateSerializer, Immutable, Alias("agency.context")]
public sealed record AgencyContext(Instant? SandboxNow, long PolicyVersion);

/// <param name="Sandbox">Whether the key's agency is one. Never changes.</param>
[GenerateSerializer, Immutable, Alias("agency.authenticated-key")]
public sealed record AuthenticatedKey(ApiKey Key, bool Sandbox);

/// <summary>How far a sandbox's clock has come.</summary>
/// <param name="Settled">How many due aggregates this call settled.</param>
/// <param name="Unsettled">Due aggregates that did not settle (kind/id); the clock passed them.</param>
[GenerateSerializer, Immutable, Alias("agency.clock-progress")]
public sealed record ClockProgress(Instant Clock, int Settled, bool Done, ImmutableArray<string> Unsettled);

/// <summary>The platform's list of agencies; its grain key is <c>platform/{agency}</c>.</summary>
[Alias("IAgencyListingGrain")]
public interface IAgencyListingGrain : IAggregateGrain
{
    [Alias("List")]
    Task<Reply<AgencyListing>> List(Call call, AgencyId agency);
}

public static class AgencyGrains
{
    /// <summary>The grain of an agency.</summary>
    public static IAgencyGrain Agency(this IGrainFactory grains, AgencyId agency) => grains.Aggregate<IAgencyGrain>($"{agency}/{agency}");

    /// <summary>A grain of an agency by its id after the agency.</summary>
    public static TGrain Of<TGrain>(this IGrainFactory grains, AgencyId agency, string id) where TGrain : IAggregateGrain =>
        grains.Aggregate<TGrain>($"{agency}/{id}");
}
