using AgencyPlatform.Client;
using Google.Protobuf;
using Grpc.Core;
using AgencyPlatform.LoadTest.Load;

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
/// <param name="Drawn">The timestamp from which on the patience with its id counts.</param>
/// <param name="Then">What waits for its next step once it has succeeded.</param>
internal sealed record Operation(ApiMethod Method, IMessage Request, string Id, long Drawn, (Scenarios.Kind Kind, Work Work)? Then = null);

/// <summary>Sends calls, each logged before it goes out and when it is answered, and counts them.</summary>
internal sealed class LoggedCalls(Api api, int agency, CallLog log, Measures measures, TimeProvider time, TimeSpan timeout, TimeSpan patience)
{
    /// <summary>Sends once.</summary>
    public async Task<Outcome> Once(int caller, Operation operation, string why, CancellationToken cancellation = default)
    {
        var (number, _) = log.Begin(agency, caller, operation.Method.Name, operation.Id, why, operation.Request);
        measures.Sending();
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

        log.End(number, outcome.Code.ToString(), outcome.Reason, message, outcome.Response);
        measures.Answered(operation.Method.Name, outcome);
        return outcome;
    }

    /// <summary>How much longer an id may be sent.</summary>
    public TimeSpan Left(Operation operation) => patience - time.GetElapsedTime(operation.Drawn);

    /// <summary>Sends until the outcome is known, always with the same id; none but the first goes out when the patience with the id is over.</summary>
    public async Task<Outcome> UntilKnown(int caller, Operation operation, string why, Random random)
    {
        while (true)
        {
            var outcome = await Once(caller, operation, why);
            var pause = TimeSpan.FromMilliseconds(random.Next(100, 400));
            if ((!outcome.Unknown && outcome.Code != StatusCode.ResourceExhausted) || pause > Left(operation))
            {
                return outcome;
            }

            await Task.Delay(pause, time);
            why = "after-unknown";
        }
    }
}
