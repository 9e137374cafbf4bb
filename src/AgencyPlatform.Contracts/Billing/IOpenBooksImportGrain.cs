using AgencyPlatform.Domain.Billing;

namespace AgencyPlatform.Contracts.Billing;

/// <summary>
/// An import of a running agency's open books. Its grain key is <c>{agency}/{import}</c>. It asks the agency, the engagements and the series before it is accepted, and brings
/// its parts to the series, the clients' accounts and the engagements.
/// </summary>
[Alias("IOpenBooksImportGrain")]
public interface IOpenBooksImportGrain : IAggregateGrain
{
    /// <summary>Answers when everything is brought over. With <see cref="Call.ValidateOnly"/> it says what the books would open with.</summary>
    [Alias("Import")]
    Task<Reply<OpenBooksImport>> Import(Call call, ImportOpenBooks command);

    /// <summary>How far it is. Whoever asks also carries on an import that a crash has interrupted.</summary>
    [Alias("Get")]
    Task<Reply<OpenBooksImport>> Get(Read read);
}
