using AgencyPlatform.Client;
using AgencyPlatform.Protocol.Agencies.V1;
using Google.Protobuf;
using Microsoft.AspNetCore.Components.Authorization;

namespace AgencyPlatform.Dashboard.Session;

/// <summary>
/// Who looks at the pages, and the API as their key reaches it: one for each open page (circuit). What they may see and do is the API's to say; the roles here only decide which pages and buttons are shown.
/// </summary>
public sealed class AgencySession(DashboardOptions options, AuthenticationStateProvider authentication, TimeProvider time) : IDisposable
{
    private AgencyPlatformClient? _platform;
    private Caller? _caller;
    private Agency? _agency;

    /// <summary>The key of whoever is signed in; it is shown nowhere.</summary>
    internal string Key { get; private set; } = "";

    /// <summary>The public API with the key of whoever is signed in.</summary>
    public AgencyPlatformClient Platform => _platform ?? throw new InvalidOperationException("The session is opened by the layout.");

    /// <summary>Who is signed in.</summary>
    public Caller Caller => _caller ?? throw new InvalidOperationException("The session is opened by the layout.");

    /// <summary>The agency as it was when the page was opened.</summary>
    public Agency Agency => _agency ?? throw new InvalidOperationException("The session is opened by the layout.");

    /// <summary><c>agencies/{agency}</c>.</summary>
    public string Name => Caller.Agency;

    public bool Is(params ReadOnlySpan<Role> any)
    {
        foreach (var role in any)
        {
            if (Caller.Roles.Contains(role))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Whether they see the whole agency, and not only what is of one client company or CMO.</summary>
    public bool IsStaff => Is(Role.AgencyAdmin, Role.Operations, Role.Finance, Role.Service);

    /// <summary>Whether they may place, change and approve.</summary>
    public bool Operates => Is(Role.AgencyAdmin, Role.Operations, Role.Service);

    /// <summary>Whether they may bill.</summary>
    public bool Bills => Is(Role.AgencyAdmin, Role.Finance);

    /// <summary>Whether they are a client's.</summary>
    public bool IsClient => Is(Role.ClientApprover, Role.ClientViewer);

    /// <summary>What time it is for the agency: a sandbox has a clock of its own, which the page asks for when it is opened and with each change of it.</summary>
    public DateTimeOffset Now => _agency?.Clock?.ToDateTimeOffset() ?? time.GetUtcNow();

    /// <summary>Today in the agency's time zone.</summary>
    public DateOnly Today => DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(Now, Zone).DateTime);

    /// <summary>The agency's time zone.</summary>
    public TimeZoneInfo Zone => TimeZoneInfo.TryFindSystemTimeZoneById(Agency.TimeZone, out var zone) ? zone : TimeZoneInfo.Utc;

    /// <summary>Opens the API with the key of the signed-in user. False: nobody is, or the key is good no more.</summary>
    public async Task<bool> Open()
    {
        var user = (await authentication.GetAuthenticationStateAsync()).User;
        if (user.FindFirst(SignInPage.KeyClaim)?.Value is not { } key)
        {
            return false;
        }

        Key = key;
        _platform ??= Connect(options, key);
        try
        {
            _caller = await _platform.Agencies.GetCallerAsync(new GetCallerRequest());
            await Refresh();
            return true;
        }
        catch (ApiException e) when (e.StatusCode == Grpc.Core.StatusCode.Unauthenticated)
        {
            return false;
        }
    }

    /// <summary>Reads the agency anew: its settings or a sandbox's clock have changed.</summary>
    public async Task Refresh() => _agency = await Platform.Agencies.GetAgencyAsync(new GetAgencyRequest { Name = Name });

    /// <summary>Stays what it was asked for, that a button which is pressed twice, or again after a failure, counts once.</summary>
    public static T WithRequestId<T>(T request) where T : IMessage
    {
        var field = request.Descriptor.FindFieldByName("request_id");
        if (field.Accessor.GetValue(request) is "")
        {
            field.Accessor.SetValue(request, Guid.CreateVersion7(TimeProvider.System.GetUtcNow()).ToString());
        }

        return request;
    }

    /// <summary>A client of the API with a key.</summary>
    internal static AgencyPlatformClient Connect(DashboardOptions options, string key) => new(new AgencyPlatformClientOptions { Address = options.Api(), ApiKey = key, Retries = 3 });

    public void Dispose() => _platform?.Dispose();
}
