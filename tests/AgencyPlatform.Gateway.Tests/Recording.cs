using Google.Protobuf;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;

namespace AgencyPlatform.Gateway.Tests;

/// <summary>A request that was accepted, with the answer to it.</summary>
/// <param name="Again">Sends it again, as it was, with the same key.</param>
internal sealed record Accepted(string Method, IMessage Request, IMessage Answer, Func<Task<IMessage>> Again);

/// <summary>Stubs of the API that note every mutation which was accepted, so that a test may send all of them again.</summary>
internal sealed class Recording(PlatformFixture platform) : IDisposable
{
    private readonly List<GrpcChannel> _channels = [];

    /// <summary>In the order in which they were answered.</summary>
    public List<Accepted> Mutations { get; } = [];

    public CallInvoker With(string key)
    {
        var channel = GrpcChannel.ForAddress(platform.Grpc);
        _channels.Add(channel);
        return channel.Intercept(new Noted(this, key));
    }

    public void Dispose() => _channels.ForEach(channel => channel.Dispose());

    private sealed class Noted(Recording recording, string key) : Interceptor
    {
        public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
            TRequest request, ClientInterceptorContext<TRequest, TResponse> context, AsyncUnaryCallContinuation<TRequest, TResponse> continuation)
        {
            var message = (IMessage)request;
            var id = message.Descriptor.FindFieldByName("request_id");
            id?.Accessor.SetValue(message, Guid.CreateVersion7().ToString());
            var sent = message.Descriptor.Parser.ParseFrom(message.ToByteArray());
            var call = Send();
            return new AsyncUnaryCall<TResponse>(Answered(), call.ResponseHeadersAsync, call.GetStatus, call.GetTrailers, call.Dispose);

            AsyncUnaryCall<TResponse> Send() => continuation(
                (TRequest)sent, new(context.Method, context.Host, context.Options.WithHeaders(new Metadata { { "authorization", "Bearer " + key } })));

            async Task<TResponse> Answered()
            {
                var answer = await call.ResponseAsync;
                if (id is not null)
                {
                    recording.Mutations.Add(new Accepted(context.Method.FullName[1..], sent, (IMessage)answer, async () => (IMessage)await Send().ResponseAsync));
                }

                return answer;
            }
        }
    }
}
