using AgencyPlatform.Domain.Absences;

namespace AgencyPlatform.Contracts.Absences;

/// <summary>An absence of a CMO. Its grain key is <c>{agency}/{absence}</c>. Calls the CMO, other CMOs and the engagements concerned.</summary>
[Alias("IAbsenceGrain")]
public interface IAbsenceGrain : IAggregateGrain
{
    /// <summary>Answers when every engagement concerned was looked after. NOT_FOUND when the CMO is not there.</summary>
    [Alias("Report")]
    Task<Reply<Absence>> Report(Call call, ReportAbsence command);

    [Alias("Get")]
    Task<Reply<Absence>> Get(Read read);
}
