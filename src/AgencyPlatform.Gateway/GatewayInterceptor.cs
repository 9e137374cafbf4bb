using System.Collections.Concurrent;
using System.Text.Json;
using AgencyPlatform.Domain.Agencies;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core.Interceptors;
using Microsoft.Extensions.Logging;

namespace AgencyPlatform.Gateway;

/// <summary>
/// In front of every RPC: who calls, whether the role may, whether the named agency is the caller's, whether the agency is within its limits;
/// and around it: what it throws becomes a status.
/// </summary>
internal sealed class GatewayInterceptor(Authenticator authenticator, AgencyLimits limits, ILogger<GatewayInterceptor> log) : Interceptor
{
    // Fields that carry resource names, found once per message type: `name`, `parent`, and the `name` of a resource to update.
    private static readonly ConcurrentDictionary<MessageDescriptor, Func<IMessage, string>[]> s_names = new();

    public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        try
        {
            await Enter(context, request as IMessage);
            TellAgency(context);
            return await continuation(request, context);
        }
        catch (Exception e)
        {
            throw RefusedResource.Named(Errors.Of(e, context, log, Calls.Reads(request as IMessage)), NamesIn(request as IMessage));
        }
    }

    public override async Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, ServerStreamingServerMethod<TRequest, TResponse> continuation)
    {
        try
        {
            await Enter(context, request as IMessage, watches: true);
            TellAgency(context);
            await continuation(request, responseStream, context);
        }
        catch (Exception e)
        {
            throw Errors.Of(e, context, log, Calls.Reads(request as IMessage));
        }
    }

    public override async Task<TResponse> ClientStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, ServerCallContext context, ClientStreamingServerMethod<TRequest, TResponse> continuation)
    {
        try
        {
            await Enter(context, null);
            TellAgency(context);
            return await continuation(requestStream, context);
        }
        catch (Exception e)
        {
            throw Errors.Of(e, context, log);
        }
    }

    public override async Task DuplexStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, DuplexStreamingServerMethod<TRequest, TResponse> continuation)
    {
        try
        {
            await Enter(context, null);
            TellAgency(context);
            await continuation(requestStream, responseStream, context);
        }
        catch (Exception e)
        {
            throw Errors.Of(e, context, log);
        }
    }

    /// <summary>As the API spells them.</summary>
    private static string RoleNames(IEnumerable<Role> roles) =>
        string.Join(", ", roles.Select(r => "ROLE_" + JsonNamingPolicy.SnakeCaseUpper.ConvertName(r.ToString())));

    /// <summary>Grains hear whose call it is from here, whatever the service passes them. Not in <see cref="Enter"/>: what it sets ends with it.</summary>
    private static void TellAgency(ServerCallContext context)
    {
        if (context.UserState.TryGetValue(Caller.StateKey, out var caller))
        {
            CallerAgency.Set(((Caller)caller).Agency);
        }
    }

    /// <summary>
    /// Lets a call in, or throws. It counts until its reply is written: a caller that reads no replies holds what it may have at once, and gets no more.
    /// </summary>
    /// <param name="watches">It lasts until its caller ends it, and is counted apart.</param>
    private async ValueTask Enter(ServerCallContext context, IMessage? request, bool watches = false)
    {
        var roles = RpcRoles.Of(context.Method) ?? throw Errors.Denied("Nobody may call this method.");
        if (roles.Length == 0)
        {
            return;
        }

        var caller = await authenticator.Authenticate(context.RequestHeaders, context.GetHttpContext().Connection.RemoteIpAddress);
        if (!caller.Roles.Any(roles.Contains))
        {
            throw Errors.Denied($"{context.Method[1..]} needs one of the roles {RoleNames(roles)}; the key has {RoleNames(caller.Roles)}.");
        }

        if (caller.Agency is { } own)
        {
            EnsureOwnAgency(own, request);
        }

        context.UserState[Caller.StateKey] = caller;
        context.GetHttpContext().Response.RegisterForDispose(limits.Enter(caller, watches));
    }

    /// <summary>Another agency's name is answered as one that does not exist, before anything else of the request is looked at.</summary>
    private static void EnsureOwnAgency(AgencyId own, IMessage? request)
    {
        if (request is null)
        {
            throw Errors.Denied("A request without an agency.");
        }

        foreach (var name in NamesIn(request))
        {
            if (ResourceNames.AgencyOf(name) is { } named && named != own)
            {
                throw Errors.NotFound("agency", ResourceNames.Of(named));
            }
        }
    }

    private static IReadOnlyList<string> NamesIn(IMessage? request) =>
        request is null ? [] : Array.ConvertAll(s_names.GetOrAdd(request.Descriptor, NameFields), read => read(request));

    private static Func<IMessage, string>[] NameFields(MessageDescriptor message)
    {
        var readers = new List<Func<IMessage, string>>();
        foreach (var field in message.Fields.InFieldNumberOrder())
        {
            if (field is { FieldType: FieldType.String, IsRepeated: false, Name: "name" or "parent" })
            {
                readers.Add(m => (string)field.Accessor.GetValue(m));
            }
            else if (field is { FieldType: FieldType.Message, IsRepeated: false, IsMap: false }
                && field.MessageType.FindFieldByName("name") is { FieldType: FieldType.String, IsRepeated: false } name)
            {
                readers.Add(m => field.Accessor.GetValue(m) is IMessage inner ? (string)name.Accessor.GetValue(inner) : "");
            }
        }

        return [.. readers];
    }
}
