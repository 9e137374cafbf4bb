using System.Security.Claims;
using AgencyPlatform.Client;
using AgencyPlatform.Protocol.Agencies.V1;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Http;

namespace AgencyPlatform.Dashboard.Session;

/// <summary>Signing in with an API key, which is kept in an encrypted cookie of the browser and nowhere else; and out.</summary>
internal static class SignInPage
{
    public const string Path = "/sign-in";

    /// <summary>The claim that holds the key. The cookie is encrypted, and no script can read it.</summary>
    public const string KeyClaim = "agencyplatform.key";

    /// <summary>Signs in. What is wrong is answered in words; null: it is done.</summary>
    public static async Task<string?> SignIn(HttpContext http, DashboardOptions options, string key)
    {
        key = key.Trim();
        if (!key.StartsWith("apk_", StringComparison.Ordinal) || key.Length > 300)
        {
            return "An API key of an agency begins with apk_ and was shown once, when it was made.";
        }

        try
        {
            using var platform = AgencySession.Connect(options, key);
            var caller = await platform.Agencies.GetCallerAsync(new GetCallerRequest(), deadline: TimeProvider.System.GetUtcNow().UtcDateTime.AddSeconds(20));
            var identity = new ClaimsIdentity([new Claim(ClaimTypes.Name, caller.Agency), new Claim(KeyClaim, key)], CookieAuthenticationDefaults.AuthenticationScheme);
            await http.SignInAsync(CookieAuthenticationDefaults.AuthenticationScheme, new ClaimsPrincipal(identity), new AuthenticationProperties { IsPersistent = true });
            return null;
        }
        catch (ApiException e)
        {
            return e.StatusCode switch
            {
                Grpc.Core.StatusCode.Unauthenticated => "This key is not known, has expired or was revoked.",
                Grpc.Core.StatusCode.ResourceExhausted => "Too many keys were tried. Wait a minute and try again.",
                _ => "The platform does not answer at the moment. Try again.",
            };
        }
    }

    /// <summary>Forgets the key.</summary>
    public static async Task<IResult> SignOut(HttpContext http, IAntiforgery antiforgery)
    {
        await antiforgery.ValidateRequestAsync(http);
        await http.SignOutAsync(CookieAuthenticationDefaults.AuthenticationScheme);
        return Results.LocalRedirect(Path);
    }
}
