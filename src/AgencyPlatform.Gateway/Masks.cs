using Google.Protobuf;

namespace AgencyPlatform.Gateway;

/// <summary>Updates by mask: what the mask names comes from the request, the rest stays as it is.</summary>
internal static class Masks
{
    /// <summary>Of one update. Of so many that change one resource at the same time, each round lets at least one through.</summary>
    private const int MostAttempts = 64;

    /// <summary>The current resource with the masked fields of another.</summary>
    public static T Merged<T>(T current, T wire, IReadOnlySet<string> mask) where T : class, IMessage<T>
    {
        var merged = current.Clone();
        foreach (var path in mask)
        {
            var field = merged.Descriptor.FindFieldByName(path);
            field.Accessor.Clear(merged);
            if (field.HasPresence && !field.Accessor.HasValue(wire))
            {
                continue;
            }

            switch (field.Accessor.GetValue(wire))
            {
                case System.Collections.IDictionary map:
                    foreach (System.Collections.DictionaryEntry entry in map)
                    {
                        ((System.Collections.IDictionary)field.Accessor.GetValue(merged)).Add(entry.Key, entry.Value);
                    }

                    break;
                case System.Collections.IList list:
                    foreach (var item in list)
                    {
                        ((System.Collections.IList)field.Accessor.GetValue(merged)).Add(item);
                    }

                    break;
                case { } value:
                    field.Accessor.SetValue(merged, value);
                    break;
            }
        }

        return merged;
    }

    /// <summary>
    /// Reads, puts the masked fields over, and writes at the version that was read; when another change came between and the caller
    /// named no etag, again.
    /// </summary>
    public static async Task<Reply<TResult>> Update<TState, TResult>(
        Func<Task<Reply<TState>>> read, Func<TState, Meta, Task<(Call Call, Func<Call, Task<Reply<TResult>>> Write)>> prepare)
    {
        for (var attempt = 0; ; attempt++)
        {
            var (state, meta) = (await read()).OrThrow();
            var (call, write) = await prepare(state, meta);
            var reply = await write(call with { ExpectedVersion = call.ExpectedVersion ?? meta.Version });
            if (reply.Rejection is not { Kind: RejectionKind.Stale } || call.ExpectedVersion is not null || attempt == MostAttempts)
            {
                return reply;
            }
        }
    }
}
