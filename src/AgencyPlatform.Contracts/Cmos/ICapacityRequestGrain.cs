using AgencyPlatform.Domain.Capacity;

namespace AgencyPlatform.Contracts.Cmos;

/// <summary>A request for any of several CMOs. Its grain key is <c>{agency}/{capacity request}</c>. Its saga joins and leaves the CMOs' waitlists; a CMO with room asks it who was first.</summary>
[Alias("ICapacityRequestGrain")]
public interface ICapacityRequestGrain : IAggregateGrain
{
    [Alias("Create")]
    Task<Reply<CapacityRequest>> Create(Call call, CreateCapacityRequest command);

    [Alias("Withdraw")]
    Task<Reply<CapacityRequest>> Withdraw(Call call);

    [Alias("Get")]
    Task<Reply<CapacityRequest>> Get(Read read);

    /// <summary>For a CMO that has room: answers with the one who was first; none, when the request is over without an offer.</summary>
    [Alias("Offer")]
    Task<Reply<FirstCmo>> Offer(Call call, CmoId cmo);
}

/// <param name="Cmo">Null: nobody, and nobody will be.</param>
[GenerateSerializer, Immutable, Alias("capacity-request.first")]
public sealed record FirstCmo(CmoId? Cmo);
