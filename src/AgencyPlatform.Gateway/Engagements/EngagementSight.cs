using AgencyPlatform.Contracts.Engagements;

namespace AgencyPlatform.Gateway.Engagements;

/// <summary>The one rule for every method that names an engagement: one that the caller does not see is answered as if it were not there, in the same words.</summary>
internal static class EngagementSight
{
    /// <exception cref="RpcException">NOT_FOUND.</exception>
    public static async Task EnsureSeen(this IEngagementGrain grain, ServerCallContext context, Read read, string name)
    {
        var caller = Calls.Caller(context);
        if (!caller.IsStaff && ((await grain.Get(read)).Value is not { } engagement || !caller.Sees(engagement)))
        {
            throw Errors.NotFound("engagement", name);
        }
    }

    /// <summary>The same for a mutation: the caller's own that was accepted before is answered as it was, even if it was the last that the caller saw of the engagement.</summary>
    /// <exception cref="RpcException">NOT_FOUND.</exception>
    public static async Task EnsureSeen(this IEngagementGrain grain, ServerCallContext context, Call call, string name)
    {
        var caller = Calls.Caller(context);
        if (!caller.IsStaff && ((await grain.Get(new Read(call.Agency, call.SandboxNow))).Value is not { } engagement || !caller.Sees(engagement)) && !await grain.HasAnswered(call))
        {
            throw Errors.NotFound("engagement", name);
        }
    }
}
