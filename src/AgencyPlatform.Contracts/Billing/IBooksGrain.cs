using AgencyPlatform.Domain.Billing;

namespace AgencyPlatform.Contracts.Billing;

/// <summary>
/// The books of a legal entity. Its grain key is <c>{agency}/{legal entity}</c>. It asks the agency for the entity's calendar, the entity's series to date later, and everything that is due by
/// a month's end to settle.
/// </summary>
[Alias("IBooksGrain")]
public interface IBooksGrain : IAggregateGrain
{
    /// <summary>Answers when the books are closed.</summary>
    [Alias("Close")]
    Task<Reply<Books>> Close(Call call, CloseBooks command);

    /// <summary>What is open up to and with a day.</summary>
    [Alias("GetChecklist")]
    Task<Reply<ClosingChecklist>> GetChecklist(Read read, LegalEntityId entity, LocalDate through);

    /// <summary>Books that were never closed are there all the same, with nothing in them. NOT_FOUND when the legal entity is not there.</summary>
    [Alias("Get")]
    Task<Reply<Books>> Get(Read read, LegalEntityId entity);
}
