using System.Runtime.CompilerServices;
using AgencyPlatform.Protocol.Events.V1;
using Grpc.Core;

namespace AgencyPlatform.Client;

/// <summary>A watch that goes on by itself after whatever broke it.</summary>
internal sealed class Watching(EventsService.EventsServiceClient events, AgencyPlatformClientOptions options)
{
    /// <summary>Nothing for so long, not even a heartbeat: the connection is dead, whatever the system says of it.</summary>
    private static readonly TimeSpan s_silence = TimeSpan.FromSeconds(90);

    private static readonly TimeSpan s_longestPause = TimeSpan.FromSeconds(10);

    public async IAsyncEnumerable<WatchResponse> Watch(WatchRequest request, [EnumeratorCancellation] CancellationToken cancellation)
    {
        request = request.Clone();
        var pauses = 0;
        while (true)
        {
            using var silence = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            using var call = events.Watch(request, cancellationToken: silence.Token);
            while (await Next(call, silence, cancellation).ConfigureAwait(false) is { } message)
            {
                // The first message of each try only repeats where it begins: a try that comes no further is no success.
                pauses = message.Cursor == request.After ? pauses : 0;
                request.After = message.Cursor;
                yield return message;
            }

            // A pipeline of Polly repeats a call to its end; this one hands on messages in the middle.
            await Task.Delay(Pause(pauses++), options.TimeProvider, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>The next message; null: the watch is to be begun anew.</summary>
    private async Task<WatchResponse?> Next(AsyncServerStreamingCall<WatchResponse> call, CancellationTokenSource silence, CancellationToken cancellation)
    {
        using var timer = options.TimeProvider.CreateTimer(_ => silence.Cancel(), null, s_silence, Timeout.InfiniteTimeSpan);
        try
        {
            return await call.ResponseStream.MoveNext(CancellationToken.None).ConfigureAwait(false) ? call.ResponseStream.Current : null;
        }
        catch (RpcException e)
        {
            cancellation.ThrowIfCancellationRequested();
            return GoesOn(e) ? null : throw new ApiException(e);
        }
    }

    /// <summary>What another try may mend: all but what the platform says of the request, the key or the cursor.</summary>
    private static bool GoesOn(RpcException e) => e.StatusCode is StatusCode.Unavailable or StatusCode.Cancelled or StatusCode.DeadlineExceeded or StatusCode.Internal or StatusCode.Unknown or StatusCode.ResourceExhausted;

    private TimeSpan Pause(int pauses)
    {
        var most = options.FirstRetryDelay * Math.Pow(2, Math.Min(pauses, 20));
        return (most < s_longestPause ? most : s_longestPause) * (0.5 + Random.Shared.NextDouble() / 2);
    }
}
