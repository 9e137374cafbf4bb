using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace AgencyPlatform.Gateway.Tests.Webhooks;

/// <summary>A request that came to a receiver.</summary>
internal sealed record Received(string Path, string Id, string Timestamp, string Signature, string ContentType, byte[] Body)
{
    public JsonElement Event { get; } = JsonDocument.Parse(Body).RootElement;

    public long Sequence => long.Parse(Event.GetProperty("sequence").GetString()!, System.Globalization.CultureInfo.InvariantCulture);

    public string Type => Event.GetProperty("type").GetString()!;

    /// <summary>How many of its signatures are good: by the specification of Standard Webhooks, from what is on the wire and nothing of the platform's.</summary>
    public int SignedBy(string secret)
    {
        Assert.StartsWith("whsec_", secret, StringComparison.Ordinal);
        using var hmac = new HMACSHA256(Convert.FromBase64String(secret[6..]));
        var expected = hmac.ComputeHash([.. Encoding.ASCII.GetBytes(Id + "." + Timestamp + "."), .. Body]);
        return Signature.Split(' ').Count(s => s.StartsWith("v1,", StringComparison.Ordinal) && CryptographicOperations.FixedTimeEquals(Convert.FromBase64String(s[3..]), expected));
    }
}

/// <summary>A web server of somebody else, on a free port of loopback: each path answers as the test says, and every request is kept.</summary>
internal sealed class Receiver : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentDictionary<string, Func<HttpContext, Task>> _answers = new();
    private readonly ConcurrentDictionary<string, Channel<Received>> _received = new();

    private Receiver(WebApplication app) => _app = app;

    public Uri Address { get; private set; } = null!;

    /// <summary>Requests under way now, and the most at the same time so far, by path.</summary>
    public ConcurrentDictionary<string, (int Now, int Most)> UnderWay { get; } = new();

    public static async Task<Receiver> Start()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var receiver = new Receiver(builder.Build());
        receiver._app.Run(receiver.Take);
        await receiver._app.StartAsync();
        receiver.Address = new Uri(receiver._app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());
        return receiver;
    }

    public string Url(string path) => new Uri(Address, path).ToString();

    /// <summary>From now on this is done with what comes to a path; else 204.</summary>
    public void Answer(string path, Func<HttpContext, Task> answer) => _answers["/" + path] = answer;

    public void Answer(string path, int status) => Answer(path, http =>
    {
        http.Response.StatusCode = status;
        return Task.CompletedTask;
    });

    /// <summary>The next request to a path, which may take its time.</summary>
    public async Task<Received> Next(string path)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        return await Of(path).Reader.ReadAsync(patience.Token);
    }

    public async Task<List<Received>> Next(string path, int count)
    {
        var all = new List<Received>();
        while (all.Count < count)
        {
            all.Add(await Next(path));
        }

        return all;
    }

    /// <summary>What came and was not taken by <see cref="Next(string)"/>.</summary>
    public List<Received> Rest(string path)
    {
        var all = new List<Received>();
        while (Of(path).Reader.TryRead(out var received))
        {
            all.Add(received);
        }

        return all;
    }

    public async ValueTask DisposeAsync()
    {
        // What hangs is not waited for.
        using var now = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        await _app.StopAsync(now.Token);
        await _app.DisposeAsync();
    }

    private Channel<Received> Of(string path) => _received.GetOrAdd("/" + path, _ => Channel.CreateUnbounded<Received>());

    private async Task Take(HttpContext http)
    {
        var path = http.Request.Path.Value!;
        using var body = new MemoryStream();
        await http.Request.Body.CopyToAsync(body);
        UnderWay.AddOrUpdate(path, (1, 1), (_, u) => (u.Now + 1, Math.Max(u.Most, u.Now + 1)));
        try
        {
            var received = new Received(
                path, http.Request.Headers["webhook-id"].ToString(), http.Request.Headers["webhook-timestamp"].ToString(), http.Request.Headers["webhook-signature"].ToString(),
                http.Request.ContentType ?? "", body.ToArray());
            http.Items[typeof(Received)] = received;
            http.Response.StatusCode = 204;
            var answer = _answers.GetValueOrDefault(path);
            await Of(path[1..]).Writer.WriteAsync(received);
            if (answer is not null)
            {
                await answer(http);
            }
        }
        finally
        {
            UnderWay.AddOrUpdate(path, (0, 1), (_, u) => u with { Now = u.Now - 1 });
        }
    }
}
