using System.Collections.Concurrent;
using AgencyPlatform.Client;
using Google.Protobuf;
using Grpc.Core;
using HdrHistogram;

namespace AgencyPlatform.LoadTest.Calls;

/// <summary>What became of one sending.</summary>
/// <param name="Response">Set when it succeeded.</param>
internal sealed record Outcome(StatusCode Code, string Reason, IMessage? Response)
{
    public bool Succeeded => Code == StatusCode.OK;

    /// <summary>It may or may not have taken effect: the same id asks again.</summary>
    public bool Unknown => Code is StatusCode.Unavailable or StatusCode.DeadlineExceeded or StatusCode.Cancelled or StatusCode.Unknown or StatusCode.Internal;
}

/// <summary>A call to be made, as often as it takes, always with the same id.</summary>
internal sealed record Operation(ApiMethod Method, IMessage Request, string Id);

/// <summary>Sends calls, each logged before it goes out and when it is answered, and counts them.</summary>
internal sealed class LoggedCalls(Api api, CallLog log, TimeProvider time, TimeSpan timeout, TimeSpan patience)
{
    /// <summary>Latency of answered calls in microseconds, by method.</summary>
    public ConcurrentDictionary<string, LongConcurrentHistogram> Latency { get; } = new(StringComparer.Ordinal);

    public ConcurrentDictionary<string, long> Refusals { get; } = new(StringComparer.Ordinal);

    private long _sent;
    private long _succeeded;
    private long _unknown;

    public long Sent => Interlocked.Read(ref _sent);
    public long Succeeded => Interlocked.Read(ref _succeeded);
    public long Unknown => Interlocked.Read(ref _unknown);

    /// <summary>Sends once.</summary>
    public async Task<Outcome> Once(int caller, Operation operation, string why, CancellationToken cancellation = default)
    {
        var (number, begin) = log.Begin(caller, operation.Method.Name, operation.Id, why, operation.Request);
        Interlocked.Increment(ref _sent);
        Outcome outcome;
        var message = "";
        try
        {
            var response = await operation.Method.Send(api, operation.Request, new CallOptions(deadline: time.GetUtcNow().UtcDateTime + timeout, cancellationToken: cancellation));
            outcome = new Outcome(StatusCode.OK, "", response);
        }
        catch (RpcException e)
        {
            outcome = new Outcome(e.StatusCode, (e as ApiException)?.Reason ?? "", null);
            message = e.Status.Detail;
        }
        catch (OperationCanceledException)
        {
            outcome = new Outcome(StatusCode.Cancelled, "", null);
        }

        var end = log.End(number, outcome.Code.ToString(), outcome.Reason, message, outcome.Response);
        if (outcome.Succeeded)
        {
            Interlocked.Increment(ref _succeeded);
            Latency.GetOrAdd(operation.Method.Name, static _ => new LongConcurrentHistogram(1, 3_600_000_000, 3)).RecordValue(Math.Max(1, end - begin));
        }
        else if (outcome.Unknown)
        {
            Interlocked.Increment(ref _unknown);
        }
        else
        {
            Refusals.AddOrUpdate(outcome.Reason.Length > 0 ? outcome.Reason : outcome.Code.ToString(), 1, static (_, n) => n + 1);
        }

        return outcome;
    }

    /// <summary>Sends until the outcome is known, always with the same id, for as long as the patience lasts.</summary>
    public async Task<Outcome> UntilKnown(int caller, Operation operation, string why, Random random)
    {
        var begun = time.GetTimestamp();
        while (true)
        {
            var outcome = await Once(caller, operation, why);
            var over = outcome.Code == StatusCode.ResourceExhausted;
            if ((!outcome.Unknown && !over) || time.GetElapsedTime(begun) > patience)
            {
                return outcome;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(100, 400)), time);
            why = "after-unknown";
        }
    }
}
