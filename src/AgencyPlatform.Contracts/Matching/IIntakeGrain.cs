using AgencyPlatform.Domain.Matching;

namespace AgencyPlatform.Contracts.Matching;

/// <summary>An intake. Its grain key is <c>{agency}/{intake}</c>. Its saga calls the agency, the client company, the CMO and the engagement; none of them calls it.</summary>
[Alias("IIntakeGrain")]
public interface IIntakeGrain : IAggregateGrain
{
    /// <summary>NOT_FOUND when a client company that it names is not there.</summary>
    [Alias("Create")]
    Task<Reply<Intake>> Create(Call call, CreateIntake command);

    [Alias("Update")]
    Task<Reply<Intake>> Update(Call call, UpdateIntake command);

    [Alias("Close")]
    Task<Reply<Intake>> Close(Call call, CloseIntake command);

    /// <summary>Answers when the client company and the engagement are there, or it is refused. The client company's and engagement's ids must be free, the rest be there.</summary>
    [Alias("Convert")]
    Task<Reply<Intake>> Convert(Call call, ConvertIntake command);

    [Alias("Get")]
    Task<Reply<Intake>> Get(Read read);
}
