using AgencyPlatform.Client;
using AgencyPlatform.Dashboard.Session;
using Google.Protobuf;
using Grpc.Core;

namespace AgencyPlatform.Dashboard.Shared;

/// <summary>Asks for changes. While it is not known whether a change took effect, asking for the same again is the same request, which counts once.</summary>
internal sealed class Once
{
    private IMessage? _asked, _sent;

    /// <param name="request">Without a request id.</param>
    /// <param name="call">Sends it.</param>
    public async Task<TAnswer> Ask<TRequest, TAnswer>(TRequest request, Func<TRequest, AsyncUnaryCall<TAnswer>> call)
        where TRequest : class, IMessage<TRequest>, IDeepCloneable<TRequest>
    {
        if (_sent is not TRequest sent || !request.Equals(_asked))
        {
            (_asked, sent) = (request, AgencySession.WithRequestId(request.Clone()));
            _sent = sent;
        }

        try
        {
            var answer = await call(sent);
            _sent = null;
            return answer;
        }
        catch (ApiException e) when (!e.OutcomeUnknown)
        {
            _sent = null;
            throw;
        }
    }
}
