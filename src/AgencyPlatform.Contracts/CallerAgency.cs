namespace AgencyPlatform.Contracts;

/// <summary>
/// The agency for which a grain call is made, told beside its arguments: who was authenticated as of another agency reaches no grain of this one,
/// whatever the arguments say. It travels on with the calls that a call leads to.
/// </summary>
public static class CallerAgency
{
    private const string Name = "agency";
    private const string Every = "*";

    /// <summary>Tells it for the rest of this flow.</summary>
    /// <param name="agency">Null: the platform's operator, who is of none and whose calls name theirs.</param>
    public static void Set(AgencyId? agency) => RequestContext.Set(Name, agency?.Value ?? Every);

    /// <summary>Whether a call was told to be for the agency that a grain key begins with.</summary>
    public static bool Reaches(ReadOnlySpan<byte> grainKey)
    {
        if (RequestContext.Get(Name) is not string agency)
        {
            return false;
        }

        if (agency == Every)
        {
            return true;
        }

        var slash = grainKey.IndexOf((byte)'/');
        return System.Text.Ascii.Equals(slash < 0 ? grainKey : grainKey[..slash], agency);
    }
}

/// <summary>A call for one agency was sent to a grain of another. Answered as if there were no such agency.</summary>
[GenerateSerializer, Alias("foreign-agency")]
public sealed class ForeignAgencyException() : Exception("The call is not for the agency of this grain.");
