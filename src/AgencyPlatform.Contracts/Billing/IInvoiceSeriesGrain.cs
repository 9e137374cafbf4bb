using AgencyPlatform.Domain.Billing;

namespace AgencyPlatform.Contracts.Billing;

/// <summary>A gapless series of document numbers. Its grain key is <c>{agency}/{legal entity}/{series}</c>. It asks the agency for the entity's time zone and for how it prints.</summary>
[Alias("IInvoiceSeriesGrain")]
public interface IInvoiceSeriesGrain : IAggregateGrain
{
    /// <summary>Gives each invoice its number, in one append; one that has a number keeps it, whoever asks and however often.</summary>
    [Alias("Assign")]
    Task<Reply<ImmutableArray<AssignedNumber>>> Assign(Call call, AssignNumbers command);

    /// <summary>Says which number was issued last: after a restore from a backup, or before the series' first number here.</summary>
    [Alias("Confirm")]
    Task<Reply<InvoiceSeries>> Confirm(Call call, ConfirmLastNumber command);

    /// <summary>The entity's books are about to be closed through a day: numbers are dated after it from here on.</summary>
    [Alias("CloseThrough")]
    Task<Reply<InvoiceSeries>> CloseThrough(Call call, LegalEntityId entity, InvoiceSeriesId series, LocalDate through);

    /// <summary>The series as committed; NOT_FOUND before anything was recorded of it.</summary>
    [Alias("Get")]
    Task<Reply<InvoiceSeries>> Get(Read read);

    /// <summary>The last number; SERIES_UNCONFIRMED when the series gives none now.</summary>
    [Alias("Last")]
    Task<Reply<long>> Last(Call call, LegalEntityId entity, InvoiceSeriesId series);
}
