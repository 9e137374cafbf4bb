using AgencyPlatform.Contracts.Journal;

namespace AgencyPlatform.Storage.Journal;

/// <summary>
/// What both engines refuse alike. U+0000 cannot stand in PostgreSQL's text, and half a surrogate pair is no text at all;
/// a payload may not carry U+0000 as an escape either, so that it can always be read as jsonb.
/// </summary>
internal static class Storable
{
    public static string? Error(AppendItem item)
    {
        if (item.Events.IsDefaultOrEmpty)
        {
            return "An item needs at least one event.";
        }

        if (item.ExpectedVersion < 0)
        {
            return "The expected version is negative.";
        }

        if ((Error(item.Key.Agency.Value) ?? Error(item.Key.Kind) ?? Error(item.Key.Id)) is { } key)
        {
            return key;
        }

        HashSet<Guid>? requests = null;
        foreach (var e in item.Events)
        {
            if ((Error(e.Name) ?? Error(e.Actor) ?? Error(e.LegalEntity?.Value) ?? Error(e.RequestHash) ?? Error(e.TraceId) ?? PayloadError(e.Payload)) is { } error)
            {
                return $"{e.Name}: {error}";
            }

            if (e.Request is { } request && item.Events.Length > 1 && !(requests ??= []).Add(request))
            {
                return $"The request id {request} stands on two events of one item.";
            }
        }

        if (!item.People.IsDefaultOrEmpty)
        {
            foreach (var person in item.People)
            {
                if ((Error(person.Person.Value) ?? Error(person.Details?.DisplayName) ?? Error(person.Details?.Email) ?? Error(person.Details?.Phone)) is { } error)
                {
                    return $"A person's details: {error}";
                }
            }
        }

        return null;
    }

    public static string? Error(string? text)
    {
        if (text is null || (!text.Contains('\0') && text.AsSpan().IndexOfAnyInRange('\uD800', '\uDFFF') < 0))
        {
            return null;
        }

        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '\0')
            {
                return "U+0000 cannot be stored.";
            }

            if (char.IsSurrogate(text[i]))
            {
                if (!char.IsHighSurrogate(text[i]) || i + 1 == text.Length || !char.IsLowSurrogate(text[i + 1]))
                {
                    return "Half a surrogate pair cannot be stored.";
                }

                i++;
            }
        }

        return null;
    }

    private static string? PayloadError(ReadOnlySpan<byte> payload)
    {
        if (payload.Contains((byte)0))
        {
            return "U+0000 cannot be stored.";
        }

        for (var at = payload.IndexOf("\\u0000"u8); at >= 0;)
        {
            var backslashes = 0;
            while (backslashes < at && payload[at - 1 - backslashes] == (byte)'\\')
            {
                backslashes++;
            }

            if (backslashes % 2 == 0)
            {
                return "U+0000 cannot be stored.";
            }

            var next = payload[(at + 6)..].IndexOf("\\u0000"u8);
            at = next < 0 ? -1 : at + 6 + next;
        }

        return null;
    }
}
