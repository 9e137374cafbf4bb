using AgencyPlatform.Client;
using AgencyPlatform.Dashboard.Session;
using Google.Protobuf;

namespace AgencyPlatform.Dashboard.Shared;

/// <summary>A question whose answer may be lost: asked again unchanged, it is the same request and counts once.</summary>
public sealed class Once
{
    private (IMessage Asked, IMessage Sent)? _open;

    /// <param name="ask">Makes the request, without its id.</param>
    /// <returns>Why not; null: it is done.</returns>
    public async Task<ApiException?> Send<T>(Func<T> ask, Func<T, Task> send) where T : IMessage
    {
        if (_open is not { } open || !open.Asked.Equals(ask()))
        {
            open = (ask(), AgencySession.WithRequestId(ask()));
            _open = open;
        }

        try
        {
            await send((T)open.Sent);
            _open = null;
            return null;
        }
        catch (ApiException e)
        {
            _open = e.OutcomeUnknown ? open : null;
            return e;
        }
    }
}
