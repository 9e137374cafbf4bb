namespace AgencyPlatform.Contracts;

/// <summary>Answered by the silo that the call reaches first; of no agency. Tells a gateway whether there is one.</summary>
[Alias("ISiloGrain")]
public interface ISiloGrain : IGrainWithIntegerKey
{
    [Alias("Answer")]
    [ResponseTimeout("00:00:02")]
    Task Answer();
}
