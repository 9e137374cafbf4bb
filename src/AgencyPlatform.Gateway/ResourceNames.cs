namespace AgencyPlatform.Gateway;

/// <summary>Resource names: <c>agencies/{agency}/cmos/{cmo}/bookings/{booking}</c>.</summary>
public static class ResourceNames
{
    public static string Of(AgencyId agency) => $"agencies/{agency}";

    public static string Of(AgencyId agency, string collection, string id) => $"agencies/{agency}/{collection}/{id}";

    public static string Of(AgencyId agency, string collection, string id, string collection2, string id2) => $"agencies/{agency}/{collection}/{id}/{collection2}/{id2}";

    /// <summary>The ids of a name of these collections below an agency, or null when the name is no such name.</summary>
    public static string[]? Parse(string name, params ReadOnlySpan<string> collections)
    {
        var parts = name.Split('/');
        if (parts.Length != 2 + 2 * collections.Length || parts[0] != "agencies")
        {
            return null;
        }

        var ids = new string[1 + collections.Length];
        for (var i = 0; i < ids.Length; i++)
        {
            if ((i > 0 && parts[2 * i] != collections[i - 1]) || !IdSyntax.IsValid(parts[2 * i + 1]))
            {
                return null;
            }

            ids[i] = parts[2 * i + 1];
        }

        return ids;
    }

    /// <summary>The agency that a name begins with, or null.</summary>
    public static AgencyId? AgencyOf(string name)
    {
        if (!name.StartsWith("agencies/", StringComparison.Ordinal))
        {
            return null;
        }

        var end = name.IndexOf('/', 9);
        var id = end < 0 ? name[9..] : name[9..end];
        return IdSyntax.IsValid(id) ? new AgencyId(id) : null;
    }

    internal static string Pattern(ReadOnlySpan<string> collections)
    {
        var pattern = "agencies/{agency}";
        foreach (var collection in collections)
        {
            pattern += $"/{collection}/{{id}}";
        }

        return pattern;
    }
}

/// <summary>Etags: the version, and a part of the uid so that they are of one object only.</summary>
public static class Etags
{
    public static string Of(Meta meta) => $"{meta.Version}-{meta.Uid.ToString("n")[24..]}";

    /// <summary>The version that an etag names, or null when it is no etag.</summary>
    public static long? Version(string etag)
    {
        var dash = etag.IndexOf('-');
        return dash > 0 && etag.Length == dash + 9 && long.TryParse(etag.AsSpan(0, dash), System.Globalization.NumberStyles.None, null, out var version) ? version : null;
    }
}
