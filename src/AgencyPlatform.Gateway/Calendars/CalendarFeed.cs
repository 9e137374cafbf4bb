using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using AgencyPlatform.Contracts.Agencies;
using AgencyPlatform.Contracts.Cmos;
using AgencyPlatform.Domain.Agencies;
using AgencyPlatform.Domain.Clients;
using AgencyPlatform.Domain.Cmos;
using Google.Rpc;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace AgencyPlatform.Gateway.Calendars;

/// <summary>Answers a calendar link over HTTP. What is not a link's secret, or is one no more, is not found, without a difference.</summary>
internal sealed class CalendarFeed(
    Authenticator authenticator, AgencyLimits limits, IGrainFactory grains, IReadModels readModels, IPeopleVault vault, TimeProvider system, ILogger<CalendarFeed> log)
{
    public const string Route = "/calendars/{secret}.ics";

    /// <summary>More than the agencies that are known have; of a larger one the first by id are shown, and the calendar says so.</summary>
    internal const int MostCmos = 1_000;

    private const int CmosAtOnce = 16;

    public static string Path(string secret) => $"/calendars/{secret}.ics";

    public async Task Answer(HttpContext http, string secret)
    {
        http.Response.Headers.CacheControl = "private, no-cache";
        http.Response.Headers.XContentTypeOptions = "nosniff";
        http.Response.Headers["Referrer-Policy"] = "no-referrer";
        try
        {
            var caller = await authenticator.Authenticate(secret.Length <= 300 ? secret : "", http.Connection.RemoteIpAddress);
            if (!caller.Is(Role.Calendar) || caller.Agency is not { } agency)
            {
                http.Response.StatusCode = StatusCodes.Status404NotFound;
                return;
            }

            using var entered = limits.Enter(caller);
            CallerAgency.Set(agency);
            var (text, changed) = await Write(agency, caller, http.RequestAborted);
            await Send(http, Encoding.UTF8.GetBytes(text), changed);
        }
        catch (RpcException e) when (e.StatusCode is StatusCode.Unauthenticated or StatusCode.NotFound)
        {
            http.Response.StatusCode = StatusCodes.Status404NotFound;
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.ResourceExhausted)
        {
            var wait = e.GetRpcStatus()?.GetDetail<RetryInfo>()?.RetryDelay.ToTimeSpan() ?? TimeSpan.Zero;
            http.Response.Headers.RetryAfter = Math.Max(1, (int)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
            http.Response.StatusCode = StatusCodes.Status429TooManyRequests;
        }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested)
        {
            // The caller has gone.
        }
        catch (Exception e) when (!http.Response.HasStarted)
        {
            log.LogWarning(e, "A calendar could not be read");
            http.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
        }
    }

    private async Task<(string Text, DateTimeOffset? Changed)> Write(AgencyId agency, Caller caller, CancellationToken cancellation)
    {
        var sandbox = caller.Sandbox ? (await grains.Agency(agency).GetContext())?.SandboxNow : null;
        var now = sandbox ?? Instant.FromDateTimeOffset(system.GetUtcNow());
        var read = new Read(agency, sandbox);
        var (state, meta) = (await grains.Agency(agency).Get(read)).OrThrow();
        var changed = meta.UpdatedAt;
        CmoId[] ids = caller.Cmo is { } own ? [own] : [.. (await readModels.List<CmoRow>(agency, Query.All(MostCmos + 1), cancellation)).Select(r => r.Id)];
        var cmos = new (FractionalCmo Cmo, Meta Meta)[Math.Min(ids.Length, MostCmos)];
        await Parallel.ForAsync(0, cmos.Length, new ParallelOptions { MaxDegreeOfParallelism = CmosAtOnce, CancellationToken = cancellation }, async (i, _) =>
            cmos[i] = (await grains.Of<IFractionalCmoGrain>(agency, ids[i].Value).Get(read)).OrThrow());
        foreach (var cmo in cmos)
        {
            changed = Instant.Max(changed, cmo.Meta.UpdatedAt);
        }

        var people = await vault.Of(agency, cmos.Select(c => c.Cmo.Profile.Person), cancellation);

        // A CMO may not read client companies: their calendar has the ids, as their bookings have.
        var clients = caller.Cmo is not null
            ? new Dictionary<ClientCompanyId, string>()
            : (await readModels.List<ClientRow>(agency, Query.All(100_000), cancellation)).ToDictionary(c => c.Id, c => c.DisplayName);
        var writer = new CalendarWriter(
            state, now, caller.Cmo is null, c => people(c.Profile.Person).DisplayName, id => clients.GetValueOrDefault(id, id.Value), meta.UpdatedAt);
        var title = caller.Cmo is null ? state.Settings.DisplayName : $"{people(cmos[0].Cmo.Profile.Person).DisplayName} – {state.Settings.DisplayName}";
        var text = writer.Write(title, [.. cmos.Select(c => (c.Cmo, c.Meta.UpdatedAt))], ids.Length > MostCmos);

        // A sandbox's times are no times of the web.
        return (text, sandbox is null ? Instant.Max(changed, writer.RangeSetAt).ToDateTimeOffset() : null);
    }

    /// <summary>
    /// Asked for with the tag that it has, it is not sent again. Last-Modified is told and not judged by: a client company's new name is no change of a CMO.
    /// </summary>
    private static async Task Send(HttpContext http, byte[] body, DateTimeOffset? changed)
    {
        var tag = $"\"{Convert.ToHexStringLower(SHA256.HashData(body).AsSpan(0, 16))}\"";
        http.Response.Headers.ETag = tag;
        http.Response.GetTypedHeaders().LastModified = changed;
        if (http.Request.GetTypedHeaders().IfNoneMatch.Any(t => t.Tag.Value == tag || t.Tag.Value == "*"))
        {
            http.Response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }

        http.Response.ContentType = "text/calendar; charset=utf-8";
        http.Response.ContentLength = body.Length;
        if (HttpMethods.IsGet(http.Request.Method))
        {
            await http.Response.Body.WriteAsync(body, http.RequestAborted);
        }
    }
}
