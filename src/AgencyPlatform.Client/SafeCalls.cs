using System.Collections.Concurrent;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Polly;
using Polly.Retry;

namespace AgencyPlatform.Client;

/// <summary>Puts the key on every call and a request id on every mutation, repeats what is safe to repeat, and turns errors into <see cref="ApiException"/>.</summary>
internal sealed class SafeCalls : Interceptor
{
    private static readonly ConcurrentDictionary<MessageDescriptor, FieldDescriptor?> s_requestIds = new();

    private readonly AgencyPlatformClientOptions _options;
    private readonly ResiliencePipeline _repeats;

    public SafeCalls(AgencyPlatformClientOptions options)
    {
        _options = options;
        _repeats = options.Retries == 0 ? ResiliencePipeline.Empty : new ResiliencePipelineBuilder { TimeProvider = options.TimeProvider }
            .AddRetry(new RetryStrategyOptions
            {
                MaxRetryAttempts = options.Retries,
                BackoffType = DelayBackoffType.Exponential,
                Delay = options.FirstRetryDelay,
                MaxDelay = TimeSpan.FromSeconds(10),
                UseJitter = true,
                ShouldHandle = new PredicateBuilder().Handle<ApiException>(MayBeRepeated),
                DelayGenerator = static arguments => ValueTask.FromResult(
                    arguments.Outcome.Exception is ApiException { RetryAfter: { } asked } && asked > TimeSpan.Zero
                        ? asked * (1 + Random.Shared.NextDouble() * 0.2) * (1 << Math.Min(arguments.AttemptNumber, 4))
                        : (TimeSpan?)null),
            })
            .Build();
    }

    public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
        TRequest request, ClientInterceptorContext<TRequest, TResponse> context, AsyncUnaryCallContinuation<TRequest, TResponse> continuation)
    {
        request = WithRequestId(request);
        AsyncUnaryCall<TResponse>? last = null;
        var response = Send();
        return new AsyncUnaryCall<TResponse>(
            response, Headers(), () => last!.GetStatus(), () => last!.GetTrailers(), () => last?.Dispose());

        async Task<TResponse> Send() => await _repeats.ExecuteAsync(
            async _ =>
            {
                last?.Dispose();
                last = continuation(request, Prepared(context));
                try
                {
                    return await last.ResponseAsync.ConfigureAwait(false);
                }
                catch (RpcException e)
                {
                    throw e as ApiException ?? new ApiException(e);
                }
            },
            context.Options.CancellationToken).ConfigureAwait(false);

        async Task<Metadata> Headers()
        {
            await ((Task)response).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return last is null ? [] : await last.ResponseHeadersAsync.ConfigureAwait(false);
        }
    }

    public override TResponse BlockingUnaryCall<TRequest, TResponse>(
        TRequest request, ClientInterceptorContext<TRequest, TResponse> context, BlockingUnaryCallContinuation<TRequest, TResponse> continuation)
    {
        request = WithRequestId(request);
        return _repeats.Execute(
            _ =>
            {
                try
                {
                    return continuation(request, Prepared(context));
                }
                catch (RpcException e)
                {
                    throw e as ApiException ?? new ApiException(e);
                }
            },
            context.Options.CancellationToken);
    }

    public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(
        TRequest request, ClientInterceptorContext<TRequest, TResponse> context, AsyncServerStreamingCallContinuation<TRequest, TResponse> continuation) =>
        continuation(request, WithKey(context));

    private static bool MayBeRepeated(ApiException e) =>
        e.StatusCode is StatusCode.Unavailable or StatusCode.DeadlineExceeded || (e.StatusCode == StatusCode.ResourceExhausted && e.RetryAfter is not null);

    /// <summary>A request with an empty <c>request_id</c> goes out as a copy with a new one, the same for every repeat of this call.</summary>
    private TRequest WithRequestId<TRequest>(TRequest request)
    {
        if (request is not IMessage message)
        {
            return request;
        }

        var field = s_requestIds.GetOrAdd(message.Descriptor, static d => d.FindFieldByName("request_id"));
        if (field is null || ((string)field.Accessor.GetValue(message)).Length > 0)
        {
            return request;
        }

        var copy = message.Descriptor.Parser.ParseFrom(message.ToByteArray());
        field.Accessor.SetValue(copy, Guid.CreateVersion7(_options.TimeProvider.GetUtcNow()).ToString());
        return (TRequest)copy;
    }

    private ClientInterceptorContext<TRequest, TResponse> Prepared<TRequest, TResponse>(ClientInterceptorContext<TRequest, TResponse> context)
        where TRequest : class where TResponse : class
    {
        var prepared = WithKey(context);
        if (_options.AttemptTimeout is not { } timeout)
        {
            return prepared;
        }

        var attempt = _options.TimeProvider.GetUtcNow().UtcDateTime + timeout;
        return context.Options.Deadline is { } deadline && deadline <= attempt
            ? prepared
            : new ClientInterceptorContext<TRequest, TResponse>(prepared.Method, prepared.Host, prepared.Options.WithDeadline(attempt));
    }

    private ClientInterceptorContext<TRequest, TResponse> WithKey<TRequest, TResponse>(ClientInterceptorContext<TRequest, TResponse> context)
        where TRequest : class where TResponse : class
    {
        if (_options.ApiKey.Length == 0)
        {
            return context;
        }

        var headers = new Metadata();
        foreach (var entry in context.Options.Headers ?? [])
        {
            headers.Add(entry);
        }

        headers.Add("authorization", "Bearer " + _options.ApiKey);
        return new ClientInterceptorContext<TRequest, TResponse>(context.Method, context.Host, context.Options.WithHeaders(headers));
    }
}
