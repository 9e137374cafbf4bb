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
    public async Task<TAnswer> Ask<TRequest, TAnswer>(TRequest request, Func<TRequest, AsyncUnaryCall<TAnswer>> call) where TRequest : IMessage
    {
        TAnswer? answer = default;
        await Ask(request, async sent => answer = await call((TRequest)sent));
        return answer!;
    }

    /// <inheritdoc cref="Ask{TRequest, TAnswer}"/>
    public async Task Ask(IMessage request, Func<IMessage, Task> call)
    {
        if (_sent is null || !request.Equals(_asked))
        {
            (_asked, _sent) = (request, AgencySession.WithRequestId(request.Descriptor.Parser.ParseFrom(request.ToByteString())));
        }

        try
        {
            await call(_sent);
            _sent = null;
        }
        catch (ApiException e) when (!e.OutcomeUnknown)
        {
            _sent = null;
            throw;
        }
    }
}
